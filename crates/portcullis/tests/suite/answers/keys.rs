//! `Idempotency-Key`: what one caller sends cannot meet what another one sent.
//! Start reading at `two_callers_share_no_key`.

use demo::Call;
use testkit::{Key, Play, RecordingUpstream, Server, json_response};

use super::{ORDER, gate};
use crate::{call, serve};

fn create(key: &str) -> Call {
    call("POST", "/o/orders")
        .json(r#"{"title":"t"}"#)
        .with("Idempotency-Key", key)
}

/// The key that arrived for the one that was sent.
fn arrived(server: &Server, upstream: &RecordingUpstream, by: &Key, asked: &Call) -> String {
    upstream.forget();
    let response = server.send(asked, Some(by));
    assert_eq!(response.status, 201, "{}", response.text());
    let seen = upstream.requests();
    seen[0]
        .header("idempotency-key")
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn two_callers_share_no_key() {
    let upstream = RecordingUpstream::start(|_| Play::Response(json_response(201, ORDER)));
    let gate = gate(&upstream);
    gate.edit(
        "integrations/told.yaml",
        "api_key: {}",
        "api_key: { user_header: X-Person }",
    );
    let server = serve(gate);
    let (told, plain) = (
        server.quick_key("told", &[]),
        server.quick_key("plain", &[]),
    );
    let of = |by: &Key, asked: &Call| arrived(&server, &upstream, by, asked);
    let first = of(&plain, &create("order-4711"));
    assert_eq!(
        of(&plain, &create("order-4711")),
        first,
        "a repetition is one"
    );
    assert_ne!(of(&plain, &create("order-4712")), first);
    let other = of(&told, &create("order-4711"));
    assert_ne!(other, first, "another integration's key is another key");
    let person = |name: &str| of(&told, &create("order-4711").with("X-Person", name));
    assert_eq!(person("ann"), person("ann"));
    assert_ne!(person("ann"), person("bob"));
    assert_ne!(person("ann"), other);
    // RFC 9562 §4: a form that every upstream with a column for such keys takes.
    for key in [&first, &other] {
        let lengths: Vec<usize> = key.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{key}");
        assert!(
            key.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && !key.contains("4711"),
            "{key}"
        );
    }
    // As a string of structured fields it stays one (RFC 9651 §3.3.3).
    let quoted = of(&plain, &create("\"order-4711\""));
    assert!(
        quoted.starts_with('"') && quoted.ends_with('"') && quoted.len() == 38,
        "{quoted}"
    );
}

#[test]
fn a_new_credential_and_a_restart_keep_the_key() {
    let upstream = RecordingUpstream::start(|_| Play::Response(json_response(201, ORDER)));
    let server = serve(gate(&upstream));
    let (old, new) = (
        server.quick_key("plain", &[]),
        server.quick_key("plain", &[]),
    );
    let first = arrived(&server, &upstream, &old, &create("k"));
    assert_eq!(arrived(&server, &upstream, &new, &create("k")), first);
    let (_, gate) = server.stop();
    let again = serve(gate);
    assert_eq!(arrived(&again, &upstream, &new, &create("k")), first);
}

#[test]
fn a_key_that_cannot_be_one_is_refused() {
    let upstream = RecordingUpstream::start(|_| Play::Response(json_response(201, ORDER)));
    let declared = "operationId: createOrder\n      parameters: [{ name: Idempotency-Key, in: header, schema: { type: string } }]";
    for declared in ["operationId: createOrder", declared] {
        let gate = gate(&upstream);
        gate.edit(
            "apis/orders.v1.openapi.yaml",
            "operationId: createOrder",
            declared,
        );
        let server = serve(gate);
        let plain = server.quick_key("plain", &[]);
        for (asked, code) in [
            (create(""), "validate.header"),
            (create("\" \""), "validate.header"),
            (create(&"k".repeat(300)), "validate.header"),
            (create("a").with("Idempotency-Key", "b"), "http.malformed"),
        ] {
            let response = server.send(&asked, Some(&plain));
            assert_eq!(response.status, 400, "{}", response.text());
            assert!(response.text().contains(code), "{}", response.text());
            upstream.assert_untouched("a key that is none");
        }
    }
}
