//! What a record says of a request besides the decision: who presented what, with which program, about which object.
//! Start reading at `a_refused_request_names_the_object_that_its_path_asks_for`.

use demo::{Call, Fieldworks};
use serde_json::json;
use testkit::{Gate, RecordingUpstream, Server};

use crate::line::Line;
use crate::{call, serve};

fn demo() -> Server {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    serve(Gate::demo(upstream.address()))
}

#[test]
fn a_refused_request_names_the_object_that_its_path_asks_for() {
    let server = demo();
    let key = server.quick_key("inventory", &[]);
    let asked = Call::get("/v2/work-orders/4711").with("User-Agent", "stock-sync/4.1 \u{fc}");
    for (key, code) in [
        (None, "authn.missing"),
        (Some(&key), "authz.operation_not_granted"),
    ] {
        let response = server.send(&asked, key);
        assert_eq!(response.code().as_deref(), Some(code));
        let event = server.event(response.decision().unwrap());
        assert_eq!(
            event["objects"],
            json!([{ "kind": "WorkOrder", "id": "4711" }])
        );
        assert_eq!(event["user_agent"], "stock-sync/4.1 \u{fc}");
        assert_eq!(event["schema"], 2);
    }
}

#[test]
fn a_credential_that_is_ours_is_named_although_it_is_refused() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.key("alpha");
    server.admin("key.revoke", &json!({ "id": key.id }));
    for (path, code) in [
        ("/v1/notes/1", "authn.revoked"),
        // Whoever proves nothing is told nothing of paths either.
        ("/v1/nothing", "authn.revoked"),
    ] {
        let response = server.send(&call("GET", path), Some(&key));
        assert_eq!(response.code().as_deref(), Some(code));
        let event = server.event(response.decision().unwrap());
        assert_eq!(
            (&event["integration"], &event["credential"]),
            (&json!("alpha"), &json!(key.id))
        );
    }
    // What is not ours names nobody, whatever it looks like.
    let strange = call("GET", "/v1/notes/1").with("Authorization", "Bearer alpha");
    let response = server.send(&strange, None);
    assert_eq!(response.code().as_deref(), Some("authn.invalid"));
    let event = server.event(response.decision().unwrap());
    assert_eq!(
        (event.get("integration"), event.get("credential")),
        (None, None)
    );
    assert!(upstream.requests().is_empty());
}

#[test]
fn a_key_in_the_user_agent_is_on_no_record() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.key("alpha");
    let agent = format!("curl/8 {}", key.text);
    let long = "x".repeat(2_000);
    let response = server.send(&call("GET", "/v1/nothing").with("User-Agent", &agent), None);
    let event = server.event(response.decision().unwrap());
    let shown = event["user_agent"].as_str().unwrap();
    assert!(shown.starts_with("curl/8 ") && !event.to_string().contains(&key.text));
    let response = server.send(&call("GET", "/v1/nothing").with("User-Agent", &long), None);
    let event = server.event(response.decision().unwrap());
    assert_eq!(event["user_agent"].as_str().unwrap().len(), 256);
}

#[test]
fn the_metrics_count_every_record_also_what_operators_do() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.key("alpha");
    for _ in 0..3 {
        assert_eq!(
            server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
            200
        );
    }
    server.admin("key.revoke", &json!({ "id": key.id }));
    let text = metrics(&server);
    for line in [
        r#"portcullis_events_total{kind="request",outcome="allow"} 3"#,
        r#"portcullis_events_total{kind="key.revoke",outcome="done"} 1"#,
        r#"portcullis_events_total{kind="start",outcome="done"} 1"#,
        r#"portcullis_events_missed{subscriber="metrics"} 0"#,
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}: {text}");
    }
    // Counted once, however often the metrics are read.
    let again = metrics(&server);
    assert!(
        again.contains("{kind=\"key.revoke\",outcome=\"done\"} 1\n"),
        "{again}"
    );
}

fn metrics(server: &Server) -> String {
    let asked = Line::open(server.address("admin"))
        .unwrap()
        .send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    asked.unwrap().text()
}
