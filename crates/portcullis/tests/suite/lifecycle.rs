//! What lives and ends: servers, keys, integrations, versions.
//! Start reading at `a_stop_finishes_what_is_under_way`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use demo::{Call, Fieldworks, Listener};
use serde_json::json;
use testkit::{Gate, PATIENCE, Play, RecordingUpstream, Server, json_response, poll, wire};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

fn read() -> Call {
    call("GET", "/v1/notes/1")
}

#[test]
fn a_stop_finishes_what_is_under_way_and_the_next_start_knows_everything() {
    let upstream = RecordingUpstream::start(|asked| {
        if asked.target.ends_with("/slow") {
            Play::Later(Duration::from_secs(2), json_response(200, NOTE))
        } else {
            Play::Response(json_response(200, NOTE))
        }
    });
    let server = serve(Gate::small(upstream.address()));
    let (kept, revoked) = (server.key("alpha"), server.key("beta"));
    let ended = server.cli(&["key", "revoke", &revoked.id, "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (address, text) = (server.address("public"), kept.text.clone());
    let slow = std::thread::spawn(move || {
        wire::send(address, &call("GET", "/v1/notes/slow"), Some(&text))
    });
    assert!(poll(PATIENCE, || (!upstream.requests().is_empty()).then_some(())).is_some());
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let response = slow.join().unwrap();
    assert_eq!((response.status, response.text().as_str()), (200, NOTE));
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
    let verify = testkit::run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verify.code, Some(0), "{verify:?}");
    let server = serve(gate);
    assert_eq!(server.send(&read(), Some(&kept)).status, 200);
    assert_eq!(
        server.send(&read(), Some(&revoked)).code().as_deref(),
        Some("authn.revoked")
    );
    assert_eq!(
        server.event(response.decision().unwrap())["outcome"],
        "allow"
    );
    let kinds: Vec<String> = server
        .ledger()
        .iter()
        .map(|event| event["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["start", "key.create", "key.revoke", "stop"] {
        assert!(
            kinds.iter().any(|k| k == kind),
            "{kind} is not in {kinds:?}"
        );
    }
}

#[test]
fn revoking_rotating_and_pausing_hold_from_the_next_call_on() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let code = |key: &testkit::Key| server.send(&read(), Some(key)).code();
    let key = server.quick_key("alpha", &[]);
    assert_eq!(code(&key), None);
    // On a connection that stays open as well.
    let mut open = TcpStream::connect(server.address("public")).unwrap();
    let bytes = format!(
        "GET /v1/notes/1 HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer {}\r\n\r\n",
        key.text
    );
    let mut heard = [0; 4096];
    open.write_all(bytes.as_bytes()).unwrap();
    assert!(open.read(&mut heard).unwrap() > 0 && heard.starts_with(b"HTTP/1.1 200"));
    server.admin("key.revoke", &json!({ "id": key.id }));
    assert_eq!(code(&key).as_deref(), Some("authn.revoked"));
    open.write_all(bytes.as_bytes()).unwrap();
    assert!(open.read(&mut heard).unwrap() > 0 && heard.starts_with(b"HTTP/1.1 401"));

    let old = server.quick_key("alpha", &[]);
    let made = server.admin("key.rotate", &json!({ "id": old.id, "overlap": "2s" }));
    let new = testkit::Key {
        id: made["id"].as_str().unwrap().to_owned(),
        text: made["key"].as_str().unwrap().to_owned(),
    };
    assert_eq!(code(&new), None);
    let ended = poll(PATIENCE, || code(&old));
    assert!(
        matches!(ended.as_deref(), Some("authn.expired" | "authn.revoked")),
        "{ended:?}"
    );
    assert_eq!(code(&new), None);

    server.admin(
        "integration.pause",
        &json!({ "integration": "alpha", "reason": "a test" }),
    );
    assert_eq!(code(&new).as_deref(), Some("authn.integration_paused"));
    is_listed_as_paused(&server, "alpha", "a test");
    server.admin("integration.resume", &json!({ "integration": "alpha" }));
    assert_eq!(code(&new), None);
}

/// With who paused it, when and why.
fn is_listed_as_paused(server: &Server, name: &str, reason: &str) {
    let listed = server.admin("integration.list", &json!({}));
    let rows = listed["integrations"].as_array().unwrap();
    let paused = rows.iter().filter(|row| row["is_paused"] == true);
    let paused: Vec<_> = paused.map(|row| (&row["name"], &row["paused"])).collect();
    let [(found, pause)] = paused[..] else {
        panic!("{listed}")
    };
    assert_eq!((found, &pause["reason"]), (&json!(name), &json!(reason)));
    assert!(
        pause["by"].as_str().is_some_and(|by| !by.is_empty()),
        "{listed}"
    );
    assert!(
        pause["at"].as_str().is_some_and(|at| at.ends_with('Z')),
        "{listed}"
    );
    let table = server.cli(&["integration", "list"]).stdout;
    let said = format!("{name} was paused by ");
    assert!(table.contains(&said) && table.contains(reason), "{table}");
}

#[test]
fn versions_say_where_they_stand() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let server = serve(Gate::demo(upstream.address()));
    let key = server.quick_key("accounting", &[]);
    let retired = server.send(&Call::get("/v0/work-orders/4711"), Some(&key));
    assert_eq!(
        (retired.status, retired.code().as_deref()),
        (410, Some("lifecycle.retired"))
    );
    let link = retired.header("link").unwrap();
    assert!(
        link.contains("rel=\"successor-version\"") && link.contains("/v2"),
        "{link}"
    );
    upstream.assert_untouched("nothing of a retired version");
    let deprecated = server.send(&Call::get("/v1/work-orders/4711"), Some(&key));
    assert_eq!(deprecated.status, 200, "{}", deprecated.text());
    // RFC 9745 §2.1: a structured date; RFC 8594 §3: an HTTP date.
    assert!(deprecated.header("deprecation").unwrap().starts_with('@'));
    assert!(
        deprecated
            .header("sunset")
            .unwrap()
            .ends_with("2027 00:00:00 GMT")
    );
    let current = server.send(&Call::get("/v2/work-orders/4711"), Some(&key));
    for name in ["deprecation", "sunset", "link"] {
        assert_eq!(current.header(name), None);
    }
}

#[test]
fn health_and_metrics_are_on_the_admin_listener_only() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    assert_eq!(server.send(&read(), Some(&key)).status, 200);
    let admin = |target: &str| wire::send(server.address("admin"), &Call::get(target), None);
    assert_eq!(admin("/livez").status, 200);
    assert_eq!(admin("/readyz").status, 200);
    let metrics = admin("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("portcullis") && !metrics.text().contains(&key.text));
    for target in ["/livez", "/readyz", "/metrics"] {
        for (key, code) in [(None, "authn.missing"), (Some(&key), "route.not_found")] {
            let response = server.send(&call("GET", target), key);
            assert_eq!(response.code().as_deref(), Some(code), "{target}");
        }
    }
    for target in [
        "/v1/notes/1",
        "/",
        "/metrics/../v1/notes",
        "/debug",
        "/readyz/",
    ] {
        assert!(matches!(admin(target).status, 400 | 404), "{target}");
    }
    upstream.forget();
    drop(wire::send(
        server.address("admin"),
        &read(),
        Some(&key.text),
    ));
    upstream.assert_untouched("nothing by the admin listener");
}

#[test]
fn plain_text_on_a_tls_listener_is_told_so_and_never_redirected() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let server = serve(Gate::demo(upstream.address()));
    let key = server.quick_key("accounting", &[]);
    let bytes = Call::get("/v2/work-orders/4711")
        .at(Listener::Public)
        .bytes("localhost", Some(&key.text));
    let heard = wire::raw(server.address("public"), &bytes);
    let response = heard.only();
    assert_eq!(
        (response.status, response.code().as_deref()),
        (400, Some("tls.required"))
    );
    assert!(heard.is_closed);
    assert_eq!(response.header("location"), None);
    upstream.assert_untouched("nothing by plain text");
    assert_eq!(
        server.event(response.decision().unwrap())["code"],
        "tls.required"
    );
}
