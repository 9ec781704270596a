//! Whoever asks for large answers and reads none of them holds what was granted and no more: places at once, room in memory, time.
//! Start reading at `Unread`.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use serde_json::json;
use testkit::frames::{END_STREAM, Hostile, frame, head, kind};
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

/// How many reads were let out by now.
fn decided(server: &Server) -> usize {
    let filter = json!({ "kind": "request", "outcome": "allow" });
    server.ledger_of(&filter).len()
}

/// Asks so many times, reads nothing, and waits until all of it was decided.
fn unread(server: &Server, target: &str, key: &Key, count: usize) -> Vec<Unread> {
    let before = decided(server);
    let address = server.address("public");
    let asked = (0..count).map(|_| Unread::ask(address, target, key));
    let asked: Vec<Unread> = asked.collect();
    let came = poll(PATIENCE, || {
        (decided(server) >= before + count).then_some(())
    });
    assert!(came.is_some(), "{} of {count}", decided(server) - before);
    asked
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
    let unread = unread(&server, "/v1/notes/large", &key, 2);
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
    for one in unread {
        assert_eq!(one.status(), 200, "it is whole");
    }
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
    let upstream = upstream(6 << 20);
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
    for target in ["/v1/notes/large", "/v1/notes/chunked"] {
        let unread = unread(&server, target, &key, 5);
        // 30 of 64 MiB are held, and with another six it would be more than is free.
        let sixth = server.send(&call("GET", target), Some(&key));
        assert_eq!(sixth.status, 503, "{target}");
        let event = server.event(sixth.decision().unwrap());
        assert_eq!(event["code"], "upstream.overloaded");
        let detail = event["detail"].as_str().unwrap();
        assert!(detail.contains("answers_bytes_max"), "{detail}");
        let others = server.send(&call("GET", target), Some(&other));
        assert_eq!(others.status, 200, "{target}");
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
    }
    let made = call("PUT", "/v1/notes/large").json(r#"{"title":"t"}"#);
    let unread = unread(&server, "/v1/notes/large", &key, 5);
    let answer = server.send(&made, Some(&key));
    assert_eq!(
        answer.status, 200,
        "what was carried out is never told as failed"
    );
    assert!(answer.body.is_empty());
    drop(unread);
}

/// A connection that has sent so many requests for this, and reads nothing of what comes. Its windows are as large as they can be, or
/// nothing.
fn silent_streams(server: &Server, target: &str, key: &Key, has_window: bool) -> Hostile {
    let ca = std::fs::read(server.gate.home().join("ca.pem")).unwrap();
    let mut caller = Hostile::open(Ipv4Addr::LOCALHOST, server.address("secure"), &ca);
    let window: u32 = if has_window { 0x7fff_ffff } else { 0 };
    let settings = [&[0, 4][..], &window.to_be_bytes()].concat();
    let mut bytes = frame(kind::SETTINGS, 0, 0, &settings);
    bytes.extend(frame(
        kind::WINDOW_UPDATE,
        0,
        0,
        &0x7fff_0000_u32.to_be_bytes(),
    ));
    let bearer = format!("Bearer {}", key.text);
    for n in 0..100 {
        let fields = [("authorization", bearer.as_str())];
        bytes.extend(head(2 * n + 1, "GET", target, &fields, END_STREAM));
    }
    assert!(caller.send(&bytes));
    caller
}

fn resident_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() / 1024
}

/// Large answers of 6 MiB and small ones of 15 KB, and room for 64 MiB of them.
fn streaming() -> (RecordingUpstream, Server) {
    let upstream = RecordingUpstream::start(|asked| {
        let bytes = match asked.target.rsplit('/').next() {
            Some("large") => 6 << 20,
            Some("small") => 15_000,
            _ => 1,
        };
        Play::Response(json_response(200, &String::from_utf8(note(bytes)).unwrap()))
    });
    let gate = gate(&upstream).secured();
    gate.edit(
        "portcullis.yaml",
        "  blocks: off\n",
        "  blocks: off\n  answers_bytes_max: 64MiB\n  connections_per_address_max: 100\n",
    );
    let server = serve(gate);
    (upstream, server)
}

/// How many of so many requests were let out, once all of them are decided; the others found no room.
fn settled(server: &Server, asked: usize) -> usize {
    let events = || server.ledger_of(&json!({ "kind": "request", "integration": "alpha" }));
    let came = poll(PATIENCE * 2, || (events().len() >= asked).then_some(()));
    assert!(came.is_some(), "{} of {asked}", events().len());
    let refused = server.ledger_of(&json!({ "code": "upstream.overloaded" }));
    let filter = json!({ "kind": "request", "integration": "alpha", "outcome": "allow" });
    let allowed = server.ledger_of(&filter).len();
    assert_eq!(allowed + refused.len(), events().len());
    allowed
}

/// A hundred streams of one connection are a hundred answers: large ones and small ones, with windows and without, they take the
/// room that there is for answers, and no more.
#[test]
fn streams_that_nobody_reads_take_half_of_the_memory_for_answers_at_most() {
    let (_upstream, server) = streaming();
    let (key, other) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let settled = |asked| settled(&server, asked);
    let before = resident_mib(&server);
    let mut asked = 0;
    // 32 MiB are five of 6 MiB.
    for has_window in [false, true] {
        let already = settled(asked);
        let large = silent_streams(&server, "/v1/notes/large", &key, has_window);
        asked += 100;
        let allowed = settled(asked) - already;
        let mib = resident_mib(&server);
        eprintln!(
            "windows: {has_window}; {allowed} large answers wait, {before} MiB before and {mib} MiB now"
        );
        assert!((1..=5).contains(&allowed), "{allowed}");
        let others = server.send(&call("GET", "/v1/notes/large"), Some(&other));
        assert_eq!(others.status, 200);
        drop(large);
        let again = poll(PATIENCE, || {
            asked += 1;
            let one = server.send(&call("GET", "/v1/notes/large"), Some(&key));
            (one.status == 200).then_some(())
        });
        assert!(again.is_some(), "room is given back");
    }
    // What five of them leave of 32 MiB are a hundred and forty of 15 KB.
    let _large = silent_streams(&server, "/v1/notes/large", &key, false);
    asked += 100;
    let already = settled(asked);
    let small = [false, true, false]
        .map(|has_window| silent_streams(&server, "/v1/notes/small", &key, has_window));
    let allowed = settled(asked + 100 * small.len()) - already;
    let mib = resident_mib(&server);
    eprintln!("{allowed} small answers wait, {before} MiB before and {mib} MiB now");
    // What a kernel takes of those with windows is gone, and is room again.
    assert!((100..=180).contains(&allowed), "{allowed} of 300");
    let others = server.send(&call("GET", "/v1/notes/large"), Some(&other));
    assert_eq!(others.status, 200);
}
