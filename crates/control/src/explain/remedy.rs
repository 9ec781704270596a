//! What makes a refusal of each code go away, where the code alone says it.
//! Exports `Advice`, `By` and `of_code`, which knows every code.
//! Used by `to_allow`, which looks closer where configuration and record tell more.
//! Start reading at `of_code`.

use serde::Serialize;

/// Keyword of errors for what was sent and is not granted.
pub const NOT_GRANTED: &str = "notGranted";

/// Who or what makes a refusal go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A grant of the integration, or its condition.
    Grant,
    /// A hand-written policy, which no grant outweighs.
    Policy,
    /// Another setting of the configuration.
    Configuration,
    /// A command of the operator.
    Operator,
    /// Another request.
    Caller,
    /// The system behind the api.
    Upstream,
    /// Nothing: it is meant to be refused, or there is nothing to allow.
    Nothing,
}

/// What to change where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Who or what.
    pub by: By,
    /// One or two sentences.
    pub text: String,
}

impl Advice {
    /// Advice.
    pub fn new(by: By, text: impl Into<String>) -> Advice {
        let text = text.into();
        Advice { by, text }
    }
}

/// The advice of a code; `None` for a code of another program's version.
pub fn of_code(code: &str) -> Option<Advice> {
    let (family, _) = code.split_once('.')?;
    let known = match family {
        "tls" | "ip" | "route" | "lifecycle" => at_the_edge(code),
        "http" => of_messages(code),
        "authn" | "authz" => of_callers(code),
        "limit" => of_limits(code),
        "validate" => of_contract(code),
        "inspect" => Some(INSPECTED),
        "object" => of_objects(code),
        _ => of_upstreams(code),
    };
    known.map(|(by, text)| Advice::new(by, text))
}

type Known = (By, &'static str);

/// Every class of attack.
const INSPECTED: Known = (
    By::Configuration,
    "no grant decides this. If the text is meant as it stands, narrow the schema of the field in the contract, or exclude the rule for this \
     operation and field below `inspection.exclusions`",
);

fn at_the_edge(code: &str) -> Option<Known> {
    Some(match code {
        "tls.handshake" => (
            By::Caller,
            "no grant decides this: the client has to offer a version, a cipher and, where one is asked for, a certificate that the listener's \
             `tls` accepts",
        ),
        "tls.timeout" => (
            By::Caller,
            "no grant decides this: the client has to complete the handshake in the listener's `timeouts: { handshake }`",
        ),
        "tls.required" => (
            By::Caller,
            "no grant decides this: the client has to use https://",
        ),
        "ip.denied" => (
            By::Configuration,
            "no grant decides this: change `allow` or `deny` of the listener in portcullis.yaml; where a proxy is in front, name it in \
             `trusted_proxies`",
        ),
        "ip.forwarded" => (
            By::Caller,
            "no grant decides this: the proxy in front has to send plain addresses in X-Forwarded-For",
        ),
        "route.method_not_allowed" => (
            By::Caller,
            "no grant decides this: the caller uses a method that the path offers, or the contract declares the method and `expose` of the \
             api lists its operation",
        ),
        "route.not_found" => (
            By::Configuration,
            "no grant decides this: the operation has to be declared by a contract and listed in `expose` of its api for this listener",
        ),
        "lifecycle.retired" => (
            By::Caller,
            "nothing should allow it: the caller moves to the version that succeeded this one",
        ),
        _ => return None,
    })
}

fn of_messages(code: &str) -> Option<Known> {
    Some(match code {
        "http.too_large" => (
            By::Caller,
            "no grant decides this: the caller sends less, or the listener's bound that the detail names is raised",
        ),
        "http.internal" => (
            By::Nothing,
            "nothing in the configuration: this is a defect of the gateway; report it with this record",
        ),
        "http.cut" => (
            By::Caller,
            "nothing was refused and nothing was forwarded: the caller sends the request again",
        ),
        "http.malformed" => (
            By::Caller,
            "nothing should allow it: an upstream could read such a request in another way; the client has to send the plain form",
        ),
        "http.timeout" | "http.not_read" => (
            By::Caller,
            "no grant decides this: the client, or its network, has to be faster than the listener's `timeouts`",
        ),
        "http.frames_excessive" | "http.frames_malformed" | "http.streams_reset" => (
            By::Caller,
            "nothing should allow it: the client has to follow HTTP/2 (RFC 9113) and its bounds",
        ),
        "http.loop" => (
            By::Configuration,
            "no grant decides this: a target of the api, or a proxy before it, leads back to a listener of this gateway",
        ),
        "http.version" => (
            By::Caller,
            "nothing should allow it: the client has to send HTTP/1.1, or HTTP/2 where the TLS handshake agrees on it",
        ),
        _ => return None,
    })
}

fn of_callers(code: &str) -> Option<Known> {
    Some(match code {
        "authn.too_many_persons" => (
            By::Operator,
            "no grant decides this: see whether the integration states persons in its `user_header`, or make room with `portcullis ledger destroy`",
        ),
        "authn.address_not_allowed" => (
            By::Configuration,
            "no grant decides this: add the address to `allow_from` of the integration if it is meant to call from there",
        ),
        "authn.expired" | "authn.revoked" => (
            By::Operator,
            "nothing makes this key work again: make another with `portcullis key create`",
        ),
        "authn.integration_paused" => (
            By::Operator,
            "no grant decides this: `portcullis integration resume` ends the pause",
        ),
        "authn.invalid" => (
            By::Caller,
            "no grant decides this: the caller sends a key of this installation, whole and once; `portcullis key create` makes one",
        ),
        "authn.missing" => (
            By::Caller,
            "no grant decides this: the caller sends its key in `Authorization` or `X-API-Key`; `portcullis key create` makes one",
        ),
        "authn.user_malformed" => (
            By::Caller,
            "no grant decides this: the integration sends its `user_header` once, with 1 to 128 visible ASCII characters",
        ),
        "authz.condition_failed" | "authz.operation_not_granted" => (
            By::Grant,
            "a grant of the integration has to cover the operation and hold for the request",
        ),
        "authz.parameter_not_granted" => (
            By::Grant,
            "the grants have to let the parameter be used; `portcullis access` says why they do not",
        ),
        "authz.value_fixed" => (
            By::Caller,
            "the caller leaves the value out, or the `set` of the grant is changed",
        ),
        _ => return None,
    })
}

fn of_limits(code: &str) -> Option<Known> {
    Some(match code {
        "limit.blocked" => (
            By::Operator,
            "no grant decides this: `portcullis block list` shows the blocks, and `portcullis block lift` ends one",
        ),
        "limit.concurrency" => (
            By::Configuration,
            "no grant decides this: raise `concurrency` where it is set, or let the integration send fewer requests at once",
        ),
        "limit.connections" => (
            By::Configuration,
            "no grant decides this: raise `connections_max` or `connections_per_address_max` in portcullis.yaml, or let clients keep fewer \
             connections open",
        ),
        "limit.exceeded" => (
            By::Configuration,
            "no grant decides this: the caller waits, or `rate` or `burst` of the limit is raised",
        ),
        _ => return None,
    })
}

fn of_contract(code: &str) -> Option<Known> {
    Some(match code {
        "validate.accept"
        | "validate.body"
        | "validate.content_type"
        | "validate.header"
        | "validate.path"
        | "validate.query" => (
            By::Caller,
            "no grant decides this: the caller sends what the contract declares, or the contract is corrected",
        ),
        _ => return None,
    })
}

fn of_objects(code: &str) -> Option<Known> {
    Some(match code {
        "object.absent" => (
            By::Nothing,
            "there is nothing to allow: the upstream shows no such object",
        ),
        "object.changed" => (
            By::Caller,
            "no grant decides this: the caller reads the object again and repeats the change",
        ),
        "object.create_denied" | "object.denied" => (
            By::Grant,
            "a grant of the integration has to hold for the object",
        ),
        "object.id_differs" => (
            By::Caller,
            "nothing should allow it: the body has to name the object of the path, or none",
        ),
        "object.patch_steps" => (
            By::Caller,
            "nothing should allow it while the grant has a condition: the caller sends the changed fields as an object",
        ),
        "object.too_deep" => (
            By::Configuration,
            "no grant decides this: declare in the contract where the attribute stands in the body, or let the caller nest less",
        ),
        "object.too_many" => (
            By::Configuration,
            "no grant decides this: raise `lookups_max` of the api's version, or let the caller name fewer objects at once",
        ),
        _ => return None,
    })
}

fn of_upstreams(code: &str) -> Option<Known> {
    Some(match code {
        "upstream.busy" => (
            By::Upstream,
            "no grant decides this: it is the upstream's own limit",
        ),
        "upstream.cut" | "upstream.outcome_unknown" => (
            By::Upstream,
            "nothing was refused: look in the upstream's log for the decision id whether the call was carried out",
        ),
        "upstream.denied" => (
            By::Upstream,
            "no grant decides this: the upstream has to accept the calls of the gateway",
        ),
        "upstream.failed" | "upstream.protocol" | "upstream.timeout" | "upstream.unreachable" => (
            By::Upstream,
            "no grant decides this: the upstream, or the way to it, has to work",
        ),
        "upstream.overloaded" => (
            By::Configuration,
            "no grant decides this: the bound that the detail names was reached; raise it if the upstream can carry more",
        ),
        "upstream.rejected" => (
            By::Caller,
            "no grant decides this: the upstream refused the request for a reason of its own",
        ),
        "response.contract" => (
            By::Upstream,
            "no grant decides this: the upstream has to answer as its contract says, or the contract is corrected",
        ),
        "response.leak" => (
            By::Upstream,
            "no grant decides this: take the data out of the upstream, or set another action for its kind below `inspection.answers`",
        ),
        "ledger.unavailable" | "ledger.unrecorded" => (
            By::Operator,
            "no grant decides this: make room for the ledger, or make its directory writable",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_advice_and_only_rights_are_advised_to_be_granted() {
        for reason in gateway::reasons::reasons() {
            let code = reason.code;
            let advice = of_code(code).unwrap_or_else(|| panic!("{code} has no advice"));
            let is_about_rights = code.starts_with("authz.") || code.starts_with("object.");
            assert!(is_about_rights || advice.by != By::Grant, "{code}");
        }
        assert_eq!(of_code("no.such"), None);
    }
}
