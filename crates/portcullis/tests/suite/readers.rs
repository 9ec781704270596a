//! Whoever asks for large answers and reads none of them holds what was granted and no more: places at once, room in memory, time.
//! Start reading at `Unread`.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use serde_json::json;
use testkit::{
    Gate, Key, PATIENCE, Play, RecordingUpstream, Server, answer, json_response, poll, wire,
};

use crate::{call, serve};

/// A call whose answer is waiting to be read.
struct Unread(TcpStream);

impl Unread {
    /// Asks and reads nothing.
    fn ask(address: SocketAddr, target: &str, key: &Key) -> Unread {
        let mut stream = wire::small(address);
        let bytes = call("GET", target).bytes("gate.test", Some(&key.text));
        stream.write_all(&bytes).unwrap();
        Unread(stream)
    }

    /// Reads it after all.
    fn status(self) -> u16 {
        wire::hear(self.0, PATIENCE).only().status
    }
}

/// A note with so many bytes of text.
fn note(bytes: usize) -> Vec<u8> {
    format!(r#"{{"id":"1","title":"{}"}}"#, "t".repeat(bytes)).into_bytes()
}

/// Answers `/v1/notes/large` with this many bytes, `/v1/notes/chunked` too and without saying so, and others with few.
fn upstream(bytes: usize) -> RecordingUpstream {
    RecordingUpstream::start(move |asked| {
        let kind = [(
            String::from("content-type"),
            String::from("application/json"),
        )];
        Play::Response(match asked.target.rsplit('/').next() {
            Some("large") => answer(200, &kind, &note(bytes)),
            Some("chunked") => {
                let body = note(bytes);
                let mut out = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                for chunk in body.chunks(100_000) {
                    out.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                    out.extend(chunk);
                    out.extend(b"\r\n");
                }
                out.extend(b"0\r\n\r\n");
                out
            }
            _ => json_response(200, r#"{"id":"1","title":"t"}"#),
        })
    })
}

/// The small gate, patient with readers: how long they may take is another test's matter.
fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.edit("portcullis.yaml", "idle: 60s", "idle: 60s, reply: 5m");
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 60s");
    gate
}

fn is_decided(server: &Server, count: usize) {
    let of_reads = || {
        server
            .ledger_of(&json!({ "kind": "request", "outcome": "allow" }))
            .len()
    };
    let came = poll(PATIENCE, || (of_reads() >= count).then_some(()));
    assert!(came.is_some(), "{} of {count} are decided", of_reads());
}

#[test]
fn a_place_at_once_is_taken_until_its_answer_is_read() {
    let upstream = upstream(3 << 20);
    let gate = gate(&upstream);
    gate.edit(
        "integrations/alpha.yaml",
        "grants:\n",
        "limits: [{ per: integration, concurrency: 2 }]\ngrants:\n",
    );
    let server = serve(gate);
    let (key, other) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let address = server.address("public");
    let unread = [(); 2].map(|()| Unread::ask(address, "/v1/notes/large", &key));
    is_decided(&server, 2);
    for _ in 0..20 {
        let third = server.send(&call("GET", "/v1/notes/1"), Some(&key));
        assert_eq!(third.code().as_deref(), Some("limit.concurrency"));
        assert_eq!(
            server
                .send(&call("GET", "/v1/notes/1"), Some(&other))
                .status,
            200
        );
    }
    assert_eq!(unread.map(Unread::status), [200; 2], "they are whole");
    let again = poll(PATIENCE, || {
        (server.send(&call("GET", "/v1/notes/1"), Some(&key)).status == 200).then_some(())
    });
    assert!(again.is_some(), "places are given back");
    // One after the other is never too many at once, however large the answers are.
    for _ in 0..20 {
        let one = server.send(&call("GET", "/v1/notes/large"), Some(&key));
        assert_eq!(one.status, 200);
    }
}

#[test]
fn answers_that_nobody_reads_take_half_of_the_memory_for_answers_at_most() {
    let upstream = upstream(7 << 20);
    let gate = gate(&upstream);
    gate.edit(
        "portcullis.yaml",
        "  blocks: off\n",
        "  blocks: off\n  answers_bytes_max: 64MiB\n",
    );
    let server = serve(gate);
    let (key, other) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let address = server.address("public");
    for target in ["/v1/notes/large", "/v1/notes/chunked"] {
        let unread: Vec<Unread> = (0..5).map(|_| Unread::ask(address, target, &key)).collect();
        let decided = server
            .ledger_of(&json!({ "code": "upstream.overloaded" }))
            .len();
        // 35 of 64 MiB are held, and with another seven it would be more than is free.
        let sixth = poll(PATIENCE, || {
            let sixth = server.send(&call("GET", target), Some(&key));
            (sixth.code().as_deref() == Some("upstream.overloaded")).then_some(sixth)
        });
        assert_eq!(sixth.map(|sixth| sixth.status), Some(503), "{target}");
        let others = server.send(&call("GET", target), Some(&other));
        assert_eq!(others.status, 200, "{target}: {}", others.text().len());
        assert_eq!(
            server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
            200,
            "small ones"
        );
        for one in unread {
            assert_eq!(one.status(), 200, "{target}");
        }
        let again = poll(PATIENCE, || {
            (server.send(&call("GET", target), Some(&key)).status == 200).then_some(())
        });
        assert!(again.is_some(), "{target}: room is given back");
        let refused = server.ledger_of(&json!({ "code": "upstream.overloaded" }));
        let detail = refused[decided]["detail"].as_str().unwrap();
        assert!(detail.contains("answers_bytes_max"), "{detail}");
    }
    let made = call("PUT", "/v1/notes/large").json(r#"{"title":"t"}"#);
    let unread: Vec<Unread> = (0..5)
        .map(|_| Unread::ask(address, "/v1/notes/large", &key))
        .collect();
    let withheld = poll(PATIENCE, || {
        let response = server.send(&made, Some(&key));
        assert_eq!(
            response.status, 200,
            "what was carried out is never told as failed"
        );
        response.body.is_empty().then_some(())
    });
    assert!(withheld.is_some());
    drop(unread);
}
