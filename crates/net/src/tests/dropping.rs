//! Connections that never become a request are counted, and those that are nothing bad are not.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::tls::Authority;
use super::{Gate, PATIENCE, impatient, on_a_runtime, wait_until};
use crate::{Bounds, TlsSlot};

/// Reads until the gate has closed, in order or not.
fn wait_for_the_end(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

fn is_closed(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    peeked.map_or_else(
        |why| why.kind() != ErrorKind::WouldBlock,
        |count| count == 0,
    )
}

fn tls_gate(bounds: Bounds) -> (Gate, Authority) {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let slot = TlsSlot::new(&certificate, &key, None).unwrap();
    (Gate::with("public", Some(slot), bounds), authority)
}

fn sums(gate: Gate) -> Vec<(String, u64)> {
    gate.dropped().into_iter().collect()
}

fn is(what: &str, count: u64) -> Vec<(String, u64)> {
    vec![(format!("{what} 127.0.0.1"), count)]
}

#[test]
fn connections_that_are_not_taken_in_are_counted() {
    let closed = Gate::with("closed", None, impatient());
    for _ in 0..5 {
        wait_for_the_end(closed.connect());
    }
    assert_eq!(
        sums(closed),
        is("limit.connections", 5),
        "by the service's reason"
    );
    let panicking = Gate::with("panicking", None, impatient());
    wait_for_the_end(panicking.connect());
    assert_eq!(sums(panicking), is("http.internal", 1));
    let full = Gate::plain(crate::Bounds::default());
    let held: Vec<_> = (0..20).map(|_| full.connect()).collect();
    full.wait_for_connections(20);
    let newer: Vec<_> = (0..3).map(|_| full.connect()).collect();
    // Which of them are the oldest is up to two threads that accept.
    let closed = || held.iter().filter(|stream| is_closed(stream)).count();
    wait_until("three are closed", || closed() == 3);
    assert!(!newer.iter().any(is_closed));
    full.wait_for_connections(20);
    drop((held, newer));
    assert_eq!(sums(full), is("limit.connections", 3));
}

#[test]
fn where_every_connection_is_answering_the_next_one_is_not_taken_in() {
    let full = Gate::plain(crate::Bounds::default());
    let mut held: Vec<_> = (0..20).map(|_| full.connect()).collect();
    for stream in &mut held {
        let ask = b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(ask).unwrap();
    }
    wait_until("all are answering", || full.log.lock().unwrap().len() == 20);
    for _ in 0..3 {
        wait_for_the_end(full.connect());
    }
    drop(held);
    assert_eq!(sums(full), is("limit.connections", 3));
}

#[test]
fn connections_that_say_nothing_are_counted_and_those_that_leave_are_not() {
    let gate = Gate::plain(impatient());
    drop(gate.connect());
    wait_for_the_end(gate.connect());
    let mut resting = gate.connect();
    resting
        .write_all(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    wait_for_the_end(resting);
    assert_eq!(sums(gate), is("http.timeout", 1));
}

#[test]
fn answers_that_are_not_taken_are_counted() {
    let gate = Gate::plain(impatient());
    let mut stream = gate.connect();
    for _ in 0..8 {
        let ask = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(ask).unwrap();
    }
    let counted = || !gate.dropped.lock().unwrap().is_empty();
    wait_until("a dropped connection", counted);
    drop(stream);
    assert_eq!(sums(gate), is("http.not_read", 1));
}

#[test]
fn handshakes_that_fail_or_never_end_are_counted_and_probes_are_not() {
    let (gate, _) = tls_gate(impatient());
    drop(gate.connect());
    let mut broken = gate.connect();
    broken.write_all(&[0x16, 3, 1, 0, 4, 1, 2, 3, 4]).unwrap();
    wait_for_the_end(broken);
    assert_eq!(sums(gate), is("tls.handshake", 1));
    let (gate, _) = tls_gate(Bounds {
        handshake: Duration::from_millis(500),
        ..impatient()
    });
    wait_for_the_end(gate.connect());
    let mut begun = gate.connect();
    begun.write_all(&[0x16, 3, 1, 0, 200, 1]).unwrap();
    wait_for_the_end(begun);
    assert_eq!(sums(gate), is("tls.timeout", 2));
}

/// Speaks TLS with ALPN `h2`, sends bytes and reads until the gate closes.
fn over_h2(gate: &Gate, authority: &Authority, bytes: &[u8]) {
    on_a_runtime(async {
        let config = crate::tls::client_config(Some(&authority.pem())).unwrap();
        let mut config = (*config).clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = tokio::net::TcpStream::connect(gate.address())
            .await
            .unwrap();
        let name = crate::tls::server_name("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.flush().await.unwrap();
        let end = tokio::time::timeout(PATIENCE, async {
            while stream.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {}
        });
        end.await.expect("the gate closes");
    });
}

#[test]
fn broken_frames_are_counted_and_an_http2_connection_that_says_nothing_is_too() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let (gate, authority) = tls_gate(impatient());
    over_h2(&gate, &authority, b"GET / HTTP/1.1\r\n\r\nnever HTTP/2");
    // SETTINGS of five bytes: no multiple of six (RFC 9113 §6.5).
    let frame = [0, 0, 5, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5];
    over_h2(&gate, &authority, &[PREFACE, &frame].concat());
    assert_eq!(sums(gate), is("http.frames_malformed", 2));
    let (gate, authority) = tls_gate(impatient());
    over_h2(&gate, &authority, b"");
    assert_eq!(sums(gate), is("http.timeout", 1));
}
