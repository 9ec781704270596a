//! What `checks.request` relaxes, and what it never does: grants, strict reading and inspection stay.

use serde_json::json;
use testkit::{Gate, RecordingUpstream};

use crate::{call, serve};

const NOTES: &str = "apis/notes.yaml";

fn gate(upstream: &RecordingUpstream, mode: &str) -> Gate {
    let gate = Gate::small(upstream.address());
    let checks = format!("base_path: /v1\n    checks: {{ request: {mode} }}");
    gate.edit(NOTES, "base_path: /v1", &checks);
    gate
}

fn post(body: &str) -> demo::Call {
    call("POST", "/v1/notes").json(body)
}

#[test]
fn an_observed_contract_is_noted_and_the_request_goes_on() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(gate(&upstream, "observe"));
    let key = server.key("alpha");
    let response = server.send(&post(r#"{"title":7}"#), Some(&key));
    assert!(response.status < 300, "{}", response.text());
    let event = server.event(response.decision().unwrap());
    assert_eq!(
        event["errors"],
        json!([{ "place": "body", "pointer": "/title", "keyword": "type" }])
    );
    assert_eq!(upstream.requests().len(), 1);
    let ungranted = server.send(&post(r#"{"title":"t","owner":"beta"}"#), Some(&key));
    assert_eq!(ungranted.status, 400, "{}", ungranted.text());
    let twice = server.send(&post(r#"{"title":"t","title":"u"}"#), Some(&key));
    assert_eq!(twice.status, 400, "{}", twice.text());
    let attack = server.send(&post(r#"{"title":{"$where":"sleep(100)"}}"#), Some(&key));
    assert_eq!(attack.status, 403, "{}", attack.text());
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_contract_that_is_off_is_not_asked_and_grants_are() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(gate(&upstream, "off"));
    let key = server.key("alpha");
    let response = server.send(&post(r#"{"title":7}"#), Some(&key));
    assert!(response.status < 300, "{}", response.text());
    let event = server.event(response.decision().unwrap());
    assert!(event.get("errors").is_none(), "{event}");
    let ungranted = server.send(&post(r#"{"title":"t","owner":"beta"}"#), Some(&key));
    assert_eq!(ungranted.status, 400, "{}", ungranted.text());
    let attack = server.send(&post(r#"{"title":{"$where":"sleep(100)"}}"#), Some(&key));
    assert_eq!(attack.status, 403, "{}", attack.text());
}
