//! Connections that never become a request leave one record per address, reason and second, and are counted.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Instant;

use serde_json::{Value, json};
use testkit::{Gate, RecordingUpstream, Server};

use super::serve;

/// Reads until the gate has closed, in order or not.
fn wait_for_the_end(mut stream: TcpStream) {
    stream.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
    if let Err(why) = stream.read_to_end(&mut Vec::new()) {
        assert_ne!(why.kind(), std::io::ErrorKind::WouldBlock, "never closed");
    }
}

fn is_closed(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    peeked.map_or_else(
        |why| why.kind() != ErrorKind::WouldBlock,
        |count| count == 0,
    )
}

/// Records of connections, once as many as expected are counted under this code.
fn records(server: &Server, code: &str, count: u64) -> Vec<Value> {
    let filter = json!({ "kind": "connection", "code": code });
    let found = testkit::poll(testkit::PATIENCE, || {
        let found = server.ledger_of(&filter);
        let sum: u64 = found.iter().filter_map(|e| e["count"].as_u64()).sum();
        (sum >= count).then_some(found)
    });
    let found = found.unwrap_or_else(|| panic!("{code}: {:?}", server.ledger_of(&json!({}))));
    let sum: u64 = found.iter().filter_map(|e| e["count"].as_u64()).sum();
    assert_eq!(sum, count, "{found:?}");
    found
}

/// How many connections that never became a request are on the record.
fn connections(shown: &Value) -> usize {
    let records = shown["records"].as_array().unwrap().iter();
    let mine = records.filter(|record| record["event"]["kind"] == "connection");
    mine.count()
}

/// An open connection that the gate has taken in: one request was answered on it.
fn taken_in(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
    stream
        .write_all(b"GET /v1/notes HTTP/1.1\r\nHost: gate.test\r\n\r\n")
        .unwrap();
    assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    stream
}

fn metrics(server: &Server) -> String {
    let call = super::call("GET", "/metrics");
    let bytes = call.bytes("localhost", None);
    let heard = testkit::wire::raw_from(Ipv4Addr::LOCALHOST, server.address("admin"), &bytes);
    String::from_utf8_lossy(&heard.bytes).into_owned()
}

#[test]
fn addresses_that_are_denied_and_connections_beyond_the_bound_are_on_the_record() {
    let upstream = RecordingUpstream::always("{}");
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "blocks: off",
        "blocks: off\n  connections_per_address_max: 4",
    );
    gate.edit(
        "portcullis.yaml",
        "  public:\n",
        "  public:\n    deny: [127.0.9.0/24]\n",
    );
    let server = serve(gate);
    let address = server.address("public");
    for last in [1, 1, 1, 2] {
        let heard = testkit::wire::raw_from(Ipv4Addr::new(127, 0, 9, last), address, b"GET / HT");
        assert!(heard.bytes.is_empty());
    }
    let denied = records(&server, "ip.denied", 4);
    assert!((2..=4).contains(&denied.len()), "{denied:?}");
    let first = &denied[0];
    assert_eq!(
        (&first["stage"], &first["listener"], &first["outcome"]),
        (&json!("ip"), &json!("public"), &json!("refuse"))
    );
    let from = |event: &Value, address: &str| event["address"] == address;
    assert!(denied.iter().any(|e| from(e, "127.0.9.1")), "{denied:?}");
    assert!(denied.iter().any(|e| from(e, "127.0.9.2")), "{denied:?}");

    let begun = Instant::now();
    let mut held: Vec<TcpStream> = (0..4).map(|_| taken_in(address)).collect();
    held.extend((0..30).map(|_| TcpStream::connect(address).unwrap()));
    // Of those without an accepted credential the oldest give way. Which those are is up to two threads that accept.
    let closed = || held.iter().filter(|stream| is_closed(stream)).count();
    let count = testkit::poll(testkit::PATIENCE, || (closed() >= 30).then(closed));
    assert_eq!(count, Some(30), "{} are closed", closed());
    let bounded = records(&server, "limit.connections", 30);
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 2;
    // Each of two threads keeps its own account.
    assert!(
        bounded.len() <= 2 * seconds,
        "one per second, not per connection: {bounded:?}"
    );
    drop(held);

    let metrics = metrics(&server);
    for line in [
        r#"portcullis_connections_dropped_total{listener="public",code="ip.denied"} 4"#,
        r#"portcullis_connections_dropped_total{listener="public",code="limit.connections"} 30"#,
        "portcullis_connections_unrecorded_total 0",
    ] {
        assert!(metrics.contains(line), "{line} not in {metrics}");
    }
    assert!(upstream.requests().is_empty());
    explained(&server, &bounded[0]);
}

/// What an operator reads of such a record.
fn explained(server: &Server, event: &Value) {
    let id = event["id"].as_str().unwrap();
    let ended = server.cli(&["explain", id]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in [
        "REFUSED at stage ip   limit.connections",
        "from 127.0.0.1",
        "connections",
        "more connections at once",
        "no credential had been accepted",
        "nothing: the connection was closed",
        "connections_per_address_max",
    ] {
        let text = ended
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&words), "{words:?} not in {}", ended.stdout);
    }
    let ended = server.cli(&[
        "ledger",
        "show",
        "--kind",
        "connection",
        "--code",
        "limit.connections",
    ]);
    assert!(
        ended.stdout.contains("from 127.0.0.1") && ended.stdout.contains("limit.connections"),
        "{ended:?}"
    );
}

#[test]
fn handshakes_that_fail_and_connections_that_say_nothing_are_on_the_record() {
    let upstream = RecordingUpstream::always("{}");
    let gate = Gate::demo(upstream.address()).unlimited();
    gate.edit(
        "portcullis.yaml",
        "timeouts: { head: 10s,",
        "timeouts: { handshake: 1s, head: 1s,",
    );
    let server = serve(gate);
    let tls = server.address("public");
    let open = |address: SocketAddr, bytes: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    for _ in 0..3 {
        wait_for_the_end(open(tls, &[0x16, 3, 1, 0, 4, 1, 2, 3, 4]));
    }
    let failed = records(&server, "tls.handshake", 3);
    assert_eq!(failed[0]["address"], "127.0.0.1");
    assert!(!failed[0]["detail"].as_str().unwrap().is_empty());
    let silent: Vec<TcpStream> = (0..5).map(|_| open(tls, &[])).collect();
    let begun: Vec<TcpStream> = (0..5).map(|_| open(tls, &[0x16, 3, 1])).collect();
    let plain: Vec<TcpStream> = (0..5).map(|_| open(server.address("local"), &[])).collect();
    for stream in silent.into_iter().chain(begun).chain(plain) {
        wait_for_the_end(stream);
    }
    records(&server, "tls.timeout", 10);
    let waited = records(&server, "http.timeout", 5);
    assert_eq!(
        (&waited[0]["listener"], &waited[0]["stage"]),
        (&json!("local"), &json!("http"))
    );
    // Somebody who looks whether the port is open, and leaves, is nothing to record.
    let before = connections(&server.admin("ledger.show", &json!({ "limit": 10_000 })));
    drop(open(tls, &[]));
    drop(open(server.address("local"), &[]));
    assert!(upstream.requests().is_empty());
    // A stop records what was counted until then.
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let arguments = ["ledger", "show", "--limit", "10000", "-o", "json"];
    let shown = testkit::run(super::program(), &gate, &arguments);
    let shown = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(connections(&shown), before);
}

#[test]
fn a_flood_of_refused_connections_keeps_the_ledger_small_and_others_served() {
    let upstream = RecordingUpstream::always(r#"{"notes":[]}"#);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "  public:\n",
        "  public:\n    deny: [127.1.0.0/16]\n",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let address = server.address("public");
    let flood = std::thread::spawn(move || {
        let mut sent = 0;
        for n in 0..3000u16 {
            let [high, low] = n.to_be_bytes();
            let from = Ipv4Addr::new(127, 1, high, low.max(1));
            let heard = testkit::wire::raw_from(from, address, b"GET");
            assert!(heard.bytes.is_empty());
            sent += 1;
        }
        sent
    });
    let begun = Instant::now();
    while !flood.is_finished() {
        let response = server.send(&super::call("GET", "/v1/notes"), Some(&key));
        assert_ne!(response.status, 503, "{response:?}");
    }
    let sent: u64 = flood.join().unwrap();
    let events = records(&server, "ip.denied", sent);
    let seconds = begun.elapsed().as_secs() + 2;
    let bound = usize::try_from(seconds * 65).unwrap();
    assert!(events.len() <= bound, "{} in {seconds} s", events.len());
    let others = events.iter().filter(|e| e["address"].is_null());
    let summed: u64 = others.filter_map(|e| e["count"].as_u64()).sum();
    let named = usize::try_from(sent - summed).unwrap();
    // An address may have two of them, where its last number is 0 or 1.
    assert!(named <= bound + 12, "{named} of {sent} are counted by name");
}
