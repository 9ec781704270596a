use super::*;
use model::http::BodyLength;
use model::{Head, Headers, Method};

fn asked(protocol: Protocol, headers: &[(&str, &str)]) -> CanonicalRequest {
    let mut sent = Headers::new();
    for (name, value) in headers {
        sent.push(name, value);
    }
    let head = Head {
        protocol,
        method: Method::Post,
        target: "/v1/notes?tag=a%20b".into(),
        authority: "api.example".into(),
        headers: sent,
        body: BodyLength::None,
    };
    CanonicalRequest::of(head).unwrap()
}

fn valid(body: &[u8]) -> ValidRequest {
    ValidRequest {
        body: None,
        body_bytes: body.to_vec(),
        content_type: None,
        parameters: Vec::new(),
        query: "tag=a%20b".into(),
        is_unproven: false,
    }
}

fn names(facts: &Facts<'_>) -> Vec<String> {
    let text = |(name, value): &(&str, Cow<'_, [u8]>)| {
        format!("{name}: {}", String::from_utf8_lossy(value))
    };
    facts.headers.iter().map(text).collect()
}

#[test]
fn rules_are_told_the_request_as_it_came() {
    let asked = asked(Protocol::Http11, &[("user-agent", "curl/8")]);
    let valid = valid(b"{}");
    let facts = Facts::all(&asked, &valid, "192.0.2.7".parse().unwrap());
    assert_eq!(facts.protocol, "HTTP/1.1");
    assert_eq!(facts.method, "POST");
    assert_eq!((facts.path, facts.query), ("/v1/notes", "tag=a%20b"));
    assert_eq!(facts.client, "192.0.2.7");
    assert_eq!(
        names(&facts),
        [
            "host: api.example",
            "user-agent: curl/8",
            "content-length: 2"
        ]
    );
}

#[test]
fn a_length_that_http_2_has_in_its_frames_is_not_made_up() {
    let asked = asked(Protocol::Http2, &[("user-agent", "curl/8")]);
    let valid = valid(b"{}");
    let facts = Facts::all(&asked, &valid, "192.0.2.7".parse().unwrap());
    assert_eq!(facts.protocol, "HTTP/2.0");
    assert_eq!(names(&facts), ["host: api.example", "user-agent: curl/8"]);
}

#[test]
fn a_credential_is_never_shown_to_rules() {
    let sent = [
        ("authorization", "Bearer abc"),
        ("x-api-key", "abc"),
        ("cookie", "session=abc"),
        ("accept", "*/*"),
    ];
    let asked = asked(Protocol::Http2, &sent);
    let valid = valid(b"");
    let facts = Facts::all(&asked, &valid, "192.0.2.7".parse().unwrap());
    assert_eq!(names(&facts), ["host: api.example", "accept: */*"]);
}
