//! The harness itself: a server starts, answers, is on the record, and stops.

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use demo::{Call, Fieldworks, Listener};
use testkit::{Gate, RecordingUpstream};

use crate::{call, serve};

/// After this time the admin service gives up a connection that says nothing.
const DESK_PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_small_gate_serves_records_and_stops() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t","secret":"s"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.key("alpha");
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(
        (response.status, response.text()),
        (200, r#"{"id":"1","title":"t"}"#.to_owned())
    );
    let seen = upstream.requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].target, "/v1/notes/1");
    assert_eq!(seen[0].header("authorization"), None);
    let event = server.event(response.decision().unwrap());
    assert_eq!(event["outcome"], "allow");
    let (ended, _gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn the_demo_gate_serves_plain_and_tls() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let server = serve(Gate::demo(upstream.address()));
    let key = server.quick_key("inventory", &[]);
    let plain = server.send(&Call::get("/v2/parts?limit=1"), Some(&key));
    let tls = server.send_tls(
        &Call::get("/v2/parts?limit=1").at(Listener::Public),
        Some(&key),
    );
    assert_eq!((plain.status, tls.status), (200, 200), "{}", plain.text());
    // The cursor is sealed anew for each answer.
    let items = |response: &demo::CallResponse| response.json().unwrap().get("items").cloned();
    assert_eq!(items(&plain), items(&tls));
}

#[test]
fn whoever_keeps_the_admin_service_waiting_keeps_nobody_else_waiting() {
    let upstream = RecordingUpstream::always("{}");
    let gate = Gate::small(upstream.address());
    let door = gate.data().join("admin.sock");
    let server = serve(gate);
    let silent: Vec<UnixStream> = (0..3)
        .map(|_| UnixStream::connect(&door).unwrap())
        .collect();
    let begun = Instant::now();
    let found = server.cli(&["integration", "list"]);
    assert!(matches!(found.code, Some(0 | 2)), "{found:?}");
    let key = server.key("alpha");
    assert!(key.id.starts_with("key_"));
    // They were still waited for when the others had their answers.
    for mut one in silent {
        one.set_nonblocking(true).unwrap();
        let heard = one.read(&mut [0]);
        assert!(
            heard.is_err_and(|why| why.kind() == ErrorKind::WouldBlock)
                || begun.elapsed() > DESK_PATIENCE,
            "closed early"
        );
    }
}
