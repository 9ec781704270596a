//! Every reason this room refuses with, and the list of all reasons a road can end with.
//! Exports one `const` per reason, `REASONS` and `reasons`; those of stage `inspect` are in `inspected`.
//! Used by the stages, and by the reference page and `explain`, which need all of them.
//! Start reading at `REASONS`.

pub mod inspected;

use model::{Reason, Stage};

pub use inspected::INSPECTED;

/// Every reason this room itself gives, but for those of [`INSPECTED`].
pub const REASONS: &[&Reason] = &[
    &LOOP,
    &NOT_FOUND,
    &model::http::METHOD_NOT_ALLOWED,
    &RETIRED,
    &CONCURRENCY,
    &CONTRACT,
    &LEAK,
    &BUSY,
    &DENIED,
    &FAILED,
    &OUTCOME_UNKNOWN,
    &REJECTED,
    &CHANGED,
    &LEDGER_UNAVAILABLE,
    &UNRECORDED,
    &CUT,
    &UNDECIDED,
    &TOO_MANY_PERSONS,
];

/// Every reason a road can end with: one list for the reference page and for `explain`.
pub fn reasons() -> Vec<&'static Reason> {
    let mut all: Vec<&'static Reason> = [
        REASONS,
        INSPECTED,
        &[&model::canonical::MALFORMED],
        contract::REASONS,
        &identity::reasons(),
        net::REASONS,
        policy::REASONS,
    ]
    .concat();
    all.sort_by_key(|reason| (reason.stage, reason.code));
    all
}

/// The request comes from this gateway itself (RFC 9110 §7.6.3).
pub const LOOP: Reason = Reason::new(
    Stage::Http,
    "http.loop",
    508,
    "This request has been here before.",
    "Give the decision id to the operator: a route behind the gateway leads back to it.",
    "The request's `Via` names this gateway, so that a call to an upstream has come back: the target of an api, or a proxy before it, leads to a \
     listener of this gateway. It was ended at the first return; otherwise one call would become as many as there are connections. Correct \
     `upstream: { targets }` of the api that the first of the two records names, or the proxy's route. More than eight gateways in a row end \
     alike. A client that writes this name into `Via` by itself only ends its own request.",
);

/// No such operation here.
pub const NOT_FOUND: Reason = Reason::new(
    Stage::Route,
    "route.not_found",
    404,
    "There is no such operation here.",
    "Check host, version and path against the API's description.",
    "The path means no operation that is exposed on this listener. It is matched against everything the contracts declare \
     first, concrete paths before templates; an operation that no listener's `expose` names is unreachable by design, also \
     through a template beside it. A value that an upstream could read as another declared path (`ALL` or `all.json` beside \
     `/jobs/all`) is refused as well. `explain` says which of these it was, and when the path exists on another listener.",
);

/// The ledger can tell no more persons apart.
pub const TOO_MANY_PERSONS: Reason = Reason::new(
    Stage::Authn,
    "authn.too_many_persons",
    503,
    "Nobody who was not here before can be served at the moment.",
    "Try again later; give the decision id to the operator if it happens again.",
    "The integration states a person whom no record names yet, and the ledger names as many as it can keep apart, each with a key of \
     their own so that their values can be erased. Persons who were met before are served. Usually an integration states \
     something else than persons in its `user_header`, a new one for each call. `portcullis ledger destroy` makes room: persons whom no \
     record names any more are forgotten.",
);

/// The version is retired.
pub const RETIRED: Reason = Reason::new(
    Stage::Lifecycle,
    "lifecycle.retired",
    410,
    "This version of the API is retired.",
    "Move to the version that the answer's `Link` header names as successor.",
    "The version's state is `retired`: its operations are unreachable and every call is answered with 410 and the successor. \
     `portcullis ledger show --code lifecycle.retired` lists who still calls it.",
);

/// Too many requests of one integration at once.
pub const CONCURRENCY: Reason = Reason::new(
    Stage::Limit,
    "limit.concurrency",
    429,
    "Too many requests at once.",
    "Wait for earlier requests to finish before sending more.",
    "The integration has more requests on the road than its `concurrency` allows. Raise it, or let the integration send fewer in parallel.",
);

/// The object is not the one that was judged any more.
pub const CHANGED: Reason = Reason::new(
    Stage::Object,
    "object.changed",
    409,
    "The object changed while the request was judged.",
    "Read the object again, and send the request again if it still applies.",
    "Before a change the object is looked up and judged, and the change is made on that very state (`If-Match` with the entity tag \
     of the look-up). The upstream answered 412: somebody else changed the object in between.",
);

/// The upstream answered with an error of its own.
pub const FAILED: Reason = Reason::new(
    Stage::Upstream,
    "upstream.failed",
    502,
    "The system behind this API failed to handle the request.",
    "Try again later; give the decision id to the operator if it happens again.",
    "The upstream answered with a status of the 5xx class, with a redirect, or with one that concerns the call of the gateway and not the \
     caller's. The call was safe or idempotent, or certainly not carried out, so it may be sent again. Its body was not passed on, because \
     error bodies disclose stacks and addresses, unless the contract declares the status and a grant lists fields of it under `errors`. The \
     ledger entry holds the status and the target.",
);

/// The upstream refused what the contract allows.
pub const REJECTED: Reason = Reason::new(
    Stage::Upstream,
    "upstream.rejected",
    409,
    "The system behind this API did not accept the request.",
    "Check the state of the object and the values sent.",
    "The upstream answered with a status of the 4xx class to a request that met the contract: a conflict, a failed precondition, a \
     business rule. The status is passed on; of the body only fields that a grant lists under `errors` and the contract declares for this \
     status, and none leaves here. The ledger entry holds status and target.",
);

/// The upstream does not accept the gateway itself.
pub const DENIED: Reason = Reason::new(
    Stage::Upstream,
    "upstream.denied",
    502,
    "The system behind this API does not accept calls of the gateway.",
    "Give the decision id to the operator; sending it again does not help.",
    "The upstream answered 401, 407 or 511 to the gateway's own call, or a 403 that the operation does not declare. The caller's credential was accepted here and is not what the \
     upstream objects to, so the caller is not told to sign in again. Check what the upstream demands of the gateway: the key by which it \
     verifies `Portcullis-Identity`, its network rules, `pass_credential`.",
);

/// The upstream asks to be left alone for a while.
pub const BUSY: Reason = Reason::new(
    Stage::Upstream,
    "upstream.busy",
    503,
    "The system behind this API is busy.",
    "Wait as long as `Retry-After` says. A call that changes something and carries no `Idempotency-Key`: look whether it was carried out first.",
    "The upstream answered 429 or 503. The status is passed on, and `Retry-After` as seconds, at most a day. It is the upstream's limit and \
     not one of the gateway (`limit.exceeded`). Lower the integration's limits where one of them causes it.",
);

/// Nobody here knows whether the call was carried out.
pub const OUTCOME_UNKNOWN: Reason = Reason::new(
    Stage::Upstream,
    "upstream.outcome_unknown",
    502,
    "The call was sent to the system behind this API, and whether it was carried out is not known.",
    "Look whether it was carried out before you send it again, or send it again with the same `Idempotency-Key` if it carried one.",
    "A call whose method is not idempotent (POST, PATCH) reached the upstream, and then the connection ended, the time was up, the answer \
     could not be read, or it was an undeclared 5xx or a redirect. The call may have been carried out; the gateway never repeats such a call and never asks \
     for its repetition. Or a PUT or DELETE with a condition (`If-Match`) went unanswered, was sent again, and was answered 412: the first \
     attempt may be what changed the state. The detail says what happened; compare the upstream's own log by the decision id.",
);

/// The upstream's answer cannot be released.
pub const CONTRACT: Reason = Reason::new(
    Stage::Response,
    "response.contract",
    502,
    "The system behind this API answered with something that may not be passed on.",
    "Try again later; give the decision id to the operator if it happens again.",
    "The upstream's answer to a read is neither JSON nor one text (`text/plain`) where the contract declares that, breaks strict JSON, is no \
     UTF-8 text or one with control characters, is a part that nobody asked for, or breaks the contract while `checks.response` is `enforce`. Nothing of it was passed on. A write with such an answer was carried out: its caller gets \
     the upstream's status without a body, and the record has this code with the outcome `allow`. `explain` lists what was found; \
     correct the upstream or the contract.",
);

/// The answer holds data that must not leave.
pub const LEAK: Reason = Reason::new(
    Stage::Response,
    "response.leak",
    502,
    "The answer holds data that must not leave.",
    "Give the decision id to the operator; asking again does not help.",
    "A text in the upstream's answer holds data that `inspection.answers` says to block: by default a private key. Nothing of the \
     answer was passed on; a write, which was carried out, keeps its status. `explain` names kind and field, never the text. Take the data out of the upstream and replace the key; \
     where such data belongs into the field, set another action for its kind.",
);

/// The ledger cannot take a record.
pub const LEDGER_UNAVAILABLE: Reason = Reason::new(
    Stage::Response,
    "ledger.unavailable",
    503,
    "The gateway cannot record this request, so it does not answer it.",
    "Try again later.",
    "The ledger could not write: disk full, a failed flush, or a directory that became read-only. Nothing is answered without a record. \
     Meanwhile `/readyz` answers 503. Make room or make the directory writable, and requests go on; after a failed flush, restart.",
);

/// A write was forwarded, and its outcome cannot be recorded.
pub const UNRECORDED: Reason = Reason::new(
    Stage::Response,
    "ledger.unrecorded",
    500,
    "The gateway forwarded this request and cannot record its outcome, so it does not tell it.",
    "Do not repeat it before you have looked whether it was carried out.",
    "The ledger could not write after the call was forwarded. With `ledger: { intent: writes }` the ledger holds that it was forwarded; \
     the next start records that its outcome is unknown. Otherwise the same as `ledger.unavailable`.",
);

/// A forwarded call was given up before its answer was recorded. Nobody is answered with it.
pub const CUT: Reason = Reason::new(
    Stage::Upstream,
    "upstream.cut",
    502,
    "The call was cut before its outcome was known.",
    "Look whether it was carried out before you repeat it.",
    "The call had been forwarded when the caller's stream ended, a stopping server's time was over (`defaults.timeouts.drain`), its \
     handling panicked, or the process was killed. The record says which, and whether the upstream had answered. The caller heard nothing.",
);

/// A request was given up before it was forwarded. Nobody is answered with it.
pub const UNDECIDED: Reason = Reason::new(
    Stage::Http,
    "http.cut",
    400,
    "The request was cut before it was decided. Nothing was forwarded.",
    "Send it again.",
    "The caller's stream ended, a stopping server's time was over, or the handling panicked, before the request was decided. The record \
     holds what was known of it by then. The caller heard nothing.",
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_unique_and_says_what_to_do() {
        let all = reasons();
        let codes: BTreeSet<&str> = all.iter().map(|reason| reason.code).collect();
        assert_eq!(codes.len(), all.len());
        for reason in all {
            assert!(
                reason.remedy.len() > 10 && reason.explain.len() > 60,
                "{} explains too little",
                reason.code
            );
            let is_answered = (400..=599).contains(&reason.status);
            assert!(is_answered || reason.status == 0, "{}", reason.code);
        }
    }
}
