use super::*;
use crate::http::{BodyLength, Protocol};

fn asked(target: &str, fields: &[(&str, &str)]) -> Result<CanonicalRequest, String> {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.push(name, value);
    }
    let head = Head {
        protocol: Protocol::Http11,
        method: Method::Get,
        target: target.to_owned(),
        authority: "gate.test".to_owned(),
        headers,
        body: BodyLength::None,
    };
    CanonicalRequest::of(head).map_err(|refusal| refusal.detail)
}

#[test]
fn a_plain_request_keeps_its_reading() {
    let request = asked("/v2/sites/Z%c3%bcrich?q=a+b&q=%2F", &[("accept", "x")]).unwrap();
    assert_eq!(request.path(), "/v2/sites/Z%C3%BCrich");
    assert_eq!(request.segments(), ["v2", "sites", "Zürich"]);
    assert_eq!(
        request.query(),
        [("q".into(), "a b".into()), ("q".into(), "/".into())]
    );
}

#[test]
fn every_second_spelling_of_a_path_is_refused() {
    for target in [
        "v2",
        "/a/../b",
        "/a/./b",
        "/a//b",
        "//a",
        "/a/%2e%2e/b",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/a%00",
        "/a;b",
        "/a%3bb",
        "/%61",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a#b",
        "/a%25b",
        "/a b",
        "/ä",
        "/a%ff",
        "/a%0d%0ab",
        "/a%3F",
        "/a%23",
        "http://x/a",
        "*",
    ] {
        assert!(asked(target, &[]).is_err(), "{target}");
    }
}

#[test]
fn escaped_characters_that_divide_a_path_are_kept_for_the_contract_to_judge() {
    let head = |target: &str| Head {
        protocol: Protocol::Http11,
        method: Method::Get,
        target: target.to_owned(),
        authority: "gate.test".to_owned(),
        headers: Headers::new(),
        body: BodyLength::None,
    };
    for (target, encoded, path) in [
        ("/a/b%2fc/d", 0b10, "/a/b%2Fc/d"),
        ("/%3B/%5c%25/%3F%23", 0b111, "/%3B/%5C%25/%3F%23"),
        ("/a/b%20c", 0, "/a/b%20c"),
    ] {
        let request = CanonicalRequest::of_encoded(head(target)).unwrap();
        assert_eq!((request.encoded(), request.path()), (encoded, path));
        let again = CanonicalRequest::of_encoded(head(request.path())).unwrap();
        assert_eq!(again.segments(), request.segments());
        assert_eq!(CanonicalRequest::of(head(target)).is_ok(), encoded == 0);
    }
    for target in [
        "/a/%2e%2e",
        "/a/%61",
        "/a;b",
        "/a/%00",
        "/a/..%2f/..",
        "/a/%zz",
    ] {
        assert!(
            CanonicalRequest::of_encoded(head(target)).is_err(),
            "{target}"
        );
    }
}

#[test]
fn a_trailing_slash_is_another_path() {
    assert_eq!(asked("/a/", &[]).unwrap().segments(), ["a", ""]);
    assert_eq!(asked("/", &[]).unwrap().segments(), [""]);
}

#[test]
fn clients_copies_of_identity_fields_are_dropped_in_every_spelling() {
    let request = asked(
        "/a",
        &[
            ("X-Forwarded-For", "1.2.3.4"),
            ("x_forwarded_for", "1.2.3.4"),
            ("Portcullis-Identity", "forged"),
            ("X_Real_IP", "1.2.3.4"),
            ("Keep-Alive", "5"),
            ("X-Mine", "kept"),
        ],
    )
    .unwrap();
    assert_eq!(
        request.headers().iter().map(|(n, _)| n).collect::<Vec<_>>(),
        ["x-mine"]
    );
}

#[test]
fn repeated_credentials_and_named_hops_are_refused() {
    assert!(asked("/a", &[("authorization", "a"), ("Authorization", "b")]).is_err());
    assert!(asked("/a", &[("connection", "close, X-Real-Ip")]).is_err());
    assert!(
        asked(
            "/a",
            &[("connection", "Upgrade, X-Real-Ip"), ("upgrade", "h2c")]
        )
        .is_err()
    );
    assert!(asked("/a", &[("connection", "Keep-Alive")]).is_ok());
}

#[test]
fn an_offer_of_another_protocol_is_ignored() {
    for (options, upgrade) in [
        ("Upgrade, HTTP2-Settings", "h2c"),
        ("Upgrade", "websocket"),
        ("keep-alive, Upgrade", "TLS/1.0, HTTP/2.0"),
    ] {
        let fields = [
            ("connection", options),
            ("upgrade", upgrade),
            ("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
            ("x-mine", "kept"),
        ];
        let request = asked("/a", &fields).unwrap();
        let left: Vec<_> = request.headers().iter().map(|(name, _)| name).collect();
        assert_eq!(left, ["x-mine"], "{options}: {upgrade}");
    }
}

proptest::proptest! {
    #[test]
    fn canonical_paths_are_fixed_points(target in "/[ -~]{0,40}") {
        if let Ok(first) = asked(&target, &[]) {
            let second = asked(first.path(), &[]).unwrap();
            proptest::prop_assert_eq!(first.path(), second.path());
            proptest::prop_assert_eq!(first.segments(), second.segments());
        }
    }
}

#[test]
fn a_path_with_a_character_that_nobody_sees_is_refused_whichever_it_is() {
    // The soft hyphen, joiners and marks of direction, fillers, variation selectors, tags: every one there is.
    let all = (0x80..=0x10_ffff).filter_map(char::from_u32);
    let ignorable: Vec<char> = all.filter(|c| crate::printable::is_ignorable(*c)).collect();
    assert_eq!(ignorable.len(), 4_174, "Unicode 16 counts them");
    for letter in ignorable {
        let mut path = String::from("/jobs/own");
        encode_segment(&letter.to_string(), &mut path);
        let detail = asked(&format!("{path}7"), &[]).unwrap_err();
        assert!(detail.contains("invisible"), "{path}: {detail}");
        assert!(!is_plain_segment(&format!("own{letter}7")), "{path}");
    }
    assert!(asked("/jobs/Z%C3%BCrich%E2%80%94%E6%97%A5", &[]).is_ok());
}
