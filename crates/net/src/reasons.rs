//! Why bytes were not accepted or did not come back: the transport's and the upstream's reasons.
//! Gives one `const` per code, and `REASONS`, the sorted list.
//! Used inside net and by the gateway, which turns upstream faults into refusals.
//! Start reading at `REASONS`.

use model::{Reason, Stage};

pub use model::canonical::MALFORMED;

/// Every reason of this room. `http.malformed` belongs to the canonical request and is listed with it.
pub const REASONS: &[&Reason] = &[
    &INTERNAL,
    &TIMEOUT,
    &TOO_LARGE,
    &TLS_REQUIRED,
    &UPSTREAM_OVERLOADED,
    &UPSTREAM_PROTOCOL,
    &UPSTREAM_TIMEOUT,
    &UPSTREAM_UNREACHABLE,
];

/// Something inside Portcullis failed while this request was handled.
pub const INTERNAL: Reason = Reason::new(
    Stage::Http,
    "http.internal",
    500,
    "The gateway could not handle this request because of a fault of its own.",
    "Try again later; give the decision id to the operator if it happens again.",
    "Handling of this request stopped at an internal fault and was refused; the process keeps serving. This is a defect \
     of the gateway, not of the caller. Report it together with the ledger entry of this decision.",
);

/// The client was too slow.
pub const TIMEOUT: Reason = Reason::new(
    Stage::Http,
    "http.timeout",
    408,
    "The request did not arrive in time.",
    "Send the request without pauses.",
    "Head or body of the request came in more slowly than the listener allows, and the connection was closed. One entry \
     is a bad network; many from one address are a slow-request attack. The listener's bounds state the times.",
);

/// Head, target or body exceed the bounds.
pub const TOO_LARGE: Reason = Reason::new(
    Stage::Http,
    "http.too_large",
    413,
    "The request is larger than is accepted here.",
    "Send fewer or shorter header fields, a shorter target, or a smaller body.",
    "The target (414), the head (431) or the body (413) exceeds its bound. The detail names which. Raise the bound of the \
     listener or operation only when the integration truly needs it.",
);

/// Plain HTTP on a TLS listener.
pub const TLS_REQUIRED: Reason = Reason::new(
    Stage::Tls,
    "tls.required",
    400,
    "This address speaks TLS only.",
    "Use https:// for this address. The request was not read; treat a credential sent in it as exposed.",
    "A client sent plain HTTP to a TLS listener. It is answered, never redirected: a redirect would teach clients to send \
     credentials in clear first. Correct the address in the integration's settings and rotate the credential it sent.",
);

/// Too many calls at once for this upstream.
pub const UPSTREAM_OVERLOADED: Reason = Reason::new(
    Stage::Upstream,
    "upstream.overloaded",
    503,
    "The system behind this operation is busy.",
    "Try again after a short pause.",
    "The number of calls under way to this upstream reached its bound, so the call was not sent. Look at the upstream's \
     response times; raise the bound only when the upstream can carry more.",
);

/// The upstream's answer is not acceptable HTTP.
pub const UPSTREAM_PROTOCOL: Reason = Reason::new(
    Stage::Upstream,
    "upstream.protocol",
    502,
    "The system behind this operation gave an answer that cannot be passed on.",
    "Try again later; give the decision id to the operator if it happens again.",
    "The upstream's answer broke HTTP's grammar, ended early, was larger than allowed or could be read in more than one \
     way. It was withheld, because half an answer must not look like a whole one. The detail says what was wrong.",
);

/// The upstream did not answer in time.
pub const UPSTREAM_TIMEOUT: Reason = Reason::new(
    Stage::Upstream,
    "upstream.timeout",
    504,
    "The system behind this operation did not answer in time.",
    "Try again later. A call that changes something may have been carried out: look before you repeat it.",
    "The upstream accepted the call but did not answer within the configured time. A call that is not idempotent is never \
     repeated by the gateway. Compare the upstream's own log by the decision id.",
);

/// No target could be reached.
pub const UPSTREAM_UNREACHABLE: Reason = Reason::new(
    Stage::Upstream,
    "upstream.unreachable",
    502,
    "The system behind this operation cannot be reached.",
    "Try again later.",
    "No target of this upstream accepted a connection, or all are marked unhealthy, or the TLS handshake with it failed. \
     `portcullis explain` names the target and the cause.",
);
