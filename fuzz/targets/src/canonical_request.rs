//! Canonical requests: nothing panics, and the canonical form of a canonical request is itself.

use model::http::{BodyLength, Head, Protocol};
use model::{CanonicalRequest, Headers, Method};

/// One input.
pub fn run(input: (&str, &str, Vec<(&str, &str)>)) {
    let (target, authority, fields) = input;
    let mut headers = Headers::new();
    for (name, value) in fields.iter().take(100) {
        headers.push(name, value);
    }
    let head = |target: &str| Head {
        protocol: Protocol::Http11,
        method: Method::Get,
        target: target.to_owned(),
        authority: authority.to_owned(),
        headers: headers.clone(),
        body: BodyLength::None,
    };
    if let Ok(request) = CanonicalRequest::of(head(target)) {
        let again =
            CanonicalRequest::of(head(request.path())).expect("a canonical path is acceptable");
        assert_eq!(again.path(), request.path());
        assert_eq!(again.segments(), request.segments());
    }
}
