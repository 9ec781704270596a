//! Header hygiene: clients' copies of identity and forwarding fields go, repeated single fields are refused.
//! Exports `cleaned`. Pure.
//! Used by `CanonicalRequest::of`.
//! Start reading at `cleaned`.

use std::borrow::Cow;

use super::MALFORMED;
use crate::http::ends_at_this_hop;
use crate::{Headers, Method, Refusal};

/// Fields that may occur once only: a second copy is read differently by different servers.
const SINGLE: [&str; 15] = [
    "authorization",
    "content-type",
    "content-encoding",
    "content-location",
    "content-range",
    "date",
    "dpop",
    "expect",
    "from",
    "idempotency-key",
    "if-modified-since",
    "if-unmodified-since",
    "range",
    "referer",
    "user-agent",
];

/// Fields that travel one hop (RFC 9110 §7.6.1); they end here.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields that ask for another method than the one on the request line. Some upstreams obey them (hd02).
const OVERRIDES: [&str; 3] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// Refuses a request that names two methods: carrying out the one while the other was meant does harm.
pub(super) fn of_one_method(headers: &Headers, method: Method) -> Result<(), Box<Refusal>> {
    let mut overrides = headers
        .iter()
        .filter(|(name, _)| OVERRIDES.contains(&&*folded(name)));
    let other =
        overrides.find(|(_, value)| !value.eq_ignore_ascii_case(method.as_str().as_bytes()));
    match other {
        Some((name, _)) => Err(MALFORMED.because(format!("`{name}` names another method"))),
        None => Ok(()),
    }
}

/// Judges and cleans the client's fields.
pub(super) fn cleaned(mut headers: Headers) -> Result<Headers, Box<Refusal>> {
    for (index, (name, _)) in headers.iter().enumerate() {
        let is_repeated = headers
            .iter()
            .take(index)
            .any(|(earlier, _)| earlier == name);
        if is_repeated && SINGLE.contains(&name) {
            return Err(MALFORMED.because(format!("the header `{name}` is sent more than once")));
        }
    }
    for value in headers.all("connection") {
        let value = std::str::from_utf8(value).unwrap_or("?");
        let mut options = value.split(',').map(str::trim);
        let odd = options.find(|option| !option.is_empty() && !ends_at_this_hop(option.as_bytes()));
        if let Some(odd) = odd {
            return Err(MALFORMED.because(format!("`Connection` names `{}`", odd.escape_debug())));
        }
    }
    // RFC 9110 §7.8: whoever does not change the protocol ignores `Upgrade`, and answers in the one that was used.
    headers.retain(|name, _| !HOP_BY_HOP.contains(&name) && !is_dropped_from_clients(name));
    Ok(headers)
}

/// Whether a client's copy of this field is dropped: identity, forwarding, rewriting and internal fields,
/// compared with `_` folded to `-` because upstreams fold them (hd02).
pub fn is_dropped_from_clients(name: &str) -> bool {
    const EXACT: [&str; 22] = [
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "x-original-url",
        "x-original-uri",
        "x-original-host",
        "x-original-method",
        "x-rewrite-url",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-host",
        "x-remote-user",
        "x-authenticated-user",
        "remote-user",
        "x-user",
        "x-ssl-client-cert",
    ];
    const PREFIXES: [&str; 5] = [
        "x-forwarded-",
        "portcullis-",
        "x-portcullis-",
        "x-envoy-",
        "x-auth-request-",
    ];
    let folded = folded(name);
    EXACT.contains(&&*folded) || PREFIXES.iter().any(|p| folded.starts_with(p))
}

/// A name with an underscore is a second spelling of the dashed one for CGI-like upstreams.
fn folded(name: &str) -> Cow<'_, str> {
    if name.contains('_') {
        Cow::Owned(name.replace('_', "-"))
    } else {
        Cow::Borrowed(name)
    }
}
