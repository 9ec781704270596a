//! Why bytes were not accepted or did not come back: the transport's and the upstream's reasons.
//! Exports one `const` per code, and `REASONS`, the sorted list.
//! Used inside net and by the gateway, which turns upstream faults into refusals.
//! Start reading at `REASONS`.

use model::{Reason, Stage};

pub use model::canonical::MALFORMED;

/// Every reason of this room. `http.malformed` belongs to the canonical request and is listed with it.
pub const REASONS: &[&Reason] = &[
    &FRAMES_EXCESSIVE,
    &FRAMES_MALFORMED,
    &INTERNAL,
    &NOT_READ,
    &STREAMS_RESET,
    &TIMEOUT,
    &TOO_LARGE,
    &VERSION,
    &CONNECTIONS,
    &TLS_HANDSHAKE,
    &TLS_REQUIRED,
    &TLS_TIMEOUT,
    &UPSTREAM_OVERLOADED,
    &UPSTREAM_PROTOCOL,
    &UPSTREAM_TIMEOUT,
    &UPSTREAM_UNREACHABLE,
];

/// An HTTP/2 connection that only cost.
pub const FRAMES_EXCESSIVE: Reason = Reason::silent(
    Stage::Http,
    "http.frames_excessive",
    "The connection sent more frames than its requests need, and was closed.",
    "Open a new connection, cancel fewer requests, and send fewer control frames.",
    "A client spent an HTTP/2 connection on frames that carry no request: resets, pings, settings, priorities, empty data, or heads in \
     countless pieces. That is the pattern of rapid reset and its relatives. The record's detail says what there was too much of. One \
     entry may be a client that gives up on slow answers; many from one address are an attack, and the address is blocked for a while.",
);

/// HTTP/2 frames that break the protocol.
pub const FRAMES_MALFORMED: Reason = Reason::silent(
    Stage::Http,
    "http.frames_malformed",
    "The connection broke the rules of HTTP/2 and was closed.",
    "Use a client library that follows RFC 9113, and open a new connection.",
    "A frame of an HTTP/2 connection was not acceptable: a wrong size, a wrong stream, a header block that cannot be decoded. Nothing after it can be \
     read safely, so the whole connection ended, together with the requests under way on it. The record's detail has the protocol's own name \
     for the fault. A single client that does this is broken; changing ones are probing.",
);

/// Something inside Portcullis failed while this request was handled.
pub const INTERNAL: Reason = Reason::new(
    Stage::Http,
    "http.internal",
    500,
    "The gateway could not handle this request because of a fault of its own.",
    "Give the decision id to the operator. If the request changes something, look whether it was carried out before you send it again.",
    "Handling of this request stopped at an internal fault and was refused; the process keeps serving. This is a defect \
     of the gateway, not of the caller. Report it together with the ledger entry of this decision.",
);

/// The client does not take its answer.
pub const NOT_READ: Reason = Reason::silent(
    Stage::Http,
    "http.not_read",
    "The answer was not taken in time, and the connection was closed.",
    "Read answers as they come, and ask for less at once.",
    "A client asked and then read its answer more slowly than the listener allows, or granted no HTTP/2 window for it. The request has its own \
     record; this one says that its answer was cut off. One entry is a bad network; many from one address tie up memory on purpose.",
);

/// HTTP/2 streams that broke the rules.
pub const STREAMS_RESET: Reason = Reason::silent(
    Stage::Http,
    "http.streams_reset",
    "A request broke the rules of HTTP/2, and its stream was reset.",
    "Use a client library that follows RFC 9113, and keep header fields and requests at once within the server's settings.",
    "Streams of an HTTP/2 connection were reset, most of them before they could become a request: a head that is malformed or larger than \
     allowed, more requests at once than the settings grant, data or windows that break the protocol. The count is the number of streams, the \
     record's detail the protocol's name for the last fault. The connection itself goes on until there are too many.",
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

/// A major version of HTTP that is not spoken here (RFC 9110 §15.6.6).
pub const VERSION: Reason = Reason::new(
    Stage::Http,
    "http.version",
    505,
    "This version of HTTP is not spoken here.",
    "Send HTTP/1.1. HTTP/2 is spoken where the TLS handshake agrees on it.",
    "The request line names another major version of HTTP than 1. Mostly it is a client that speaks HTTP/2 without asking (prior knowledge) on a \
     listener without TLS: let it use HTTP/1.1 there, or a TLS listener, where HTTP/2 is agreed on by ALPN.",
);

/// More connections than allowed.
pub const CONNECTIONS: Reason = Reason::silent(
    Stage::Ip,
    "limit.connections",
    "Too many connections are open, so this one was closed.",
    "Use fewer connections at once and keep them open between requests.",
    "The listener, or one address on it (one /64 for IPv6), had as many connections open as its bounds allow, and one was closed: the oldest \
     on which no credential had been accepted and no request was under way; else, at an address of which callers have more than half, the one \
     that had rested longest of the credential that had most; else the newest. The detail says which. The bounds are `connections_max` and \
     `connections_per_address_max` below `defaults`. Many integrations behind one proxy or office need a higher bound per address.",
);

/// The TLS handshake failed.
pub const TLS_HANDSHAKE: Reason = Reason::silent(
    Stage::Tls,
    "tls.handshake",
    "The TLS handshake failed, and the connection was closed.",
    "Use TLS 1.2 or 1.3, trust the certificate's authority, and present the client certificate that was agreed on.",
    "The handshake ended without an agreement. The record's detail says why: no common version or cipher, a client that does not trust this \
     certificate, a client certificate that is missing, expired or of another authority, or bytes that only begin like TLS. For a partner who \
     worked yesterday, look at the ends of both certificates first.",
);

/// The TLS handshake took too long.
pub const TLS_TIMEOUT: Reason = Reason::silent(
    Stage::Tls,
    "tls.timeout",
    "The TLS handshake was not complete in time, and the connection was closed.",
    "Connect only when there is a request to send, and complete the handshake without pauses.",
    "A connection was opened and its TLS handshake was not complete within the listener's time (`timeouts: { handshake }`). One entry is a bad \
     network or a monitor that only opens connections; many from one address are an attempt to tie up connections.",
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
    "The number of calls under way to this upstream reached its bound (`calls_max`), the caller alone has as many under way as are \
     still free for all others, or this machine had no descriptor, port or memory left for another connection: then the call was not sent. Or too \
     much of earlier answers waits in memory for whoever asked (`answers_bytes_max`): then a read was made and its answer was not kept. \
     `portcullis explain` says which. Look at the upstream's response times; raise the bound only when the upstream can carry more, \
     and the limit of open files (`LimitNOFILE`) when descriptors ran out.",
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
    "No target of this upstream accepted a connection, or the TLS handshake failed, or a target closed the connection without an \
     answer. Every target was asked that the call could be sent to. `portcullis explain` names the target and the cause.",
);
