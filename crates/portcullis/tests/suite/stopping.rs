//! How a server ends: what is under way is finished or recorded as cut, and everything it kept is at rest.
//! Start reading at `a_call_that_the_end_cuts_is_on_the_record`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use demo::Fieldworks;
use serde_json::Value;
use testkit::frames::{END_STREAM, Hostile, frame, head, kind};
use testkit::{Gate, Latch, PATIENCE, Play, RecordingUpstream, Server, json_response, poll, wire};

use crate::line::{Line, SplitMix64, number, request};
use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// Holds back what is asked below `/held`, and writes.
fn holding(latch: &Latch) -> RecordingUpstream {
    let latch = latch.clone();
    RecordingUpstream::start(move |asked| {
        if asked.target.ends_with("/held") || asked.method != "GET" {
            Play::Held(latch.clone(), json_response(200, NOTE))
        } else {
            Play::Response(json_response(200, NOTE))
        }
    })
}

/// All records of a stopped server, oldest first.
fn records(gate: &Gate) -> Vec<Value> {
    let arguments = ["ledger", "show", "--limit", "10000", "-o", "json"];
    let shown = testkit::run(program(), gate, &arguments);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let mut records: Vec<Value> = shown["records"].as_array().unwrap().clone();
    records.sort_by_key(|record| record["seq"].as_u64());
    records
        .into_iter()
        .map(|record| record["event"].clone())
        .collect()
}

/// The database has no log of its own left, the ledger verifies, and the database has seen its very last checkpoint.
fn assert_at_rest(gate: &Gate) {
    for end in ["-wal", "-shm"] {
        let left: Vec<String> = std::fs::read_dir(gate.data())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(end))
            .collect();
        assert_eq!(left, Vec::<String>::new());
    }
    let verify = testkit::run(program(), gate, &["ledger", "verify"]);
    assert_eq!(verify.code, Some(0), "{verify:?}");
    let kek = crypto::Kek::parse(gate.text("kek").trim()).unwrap();
    let store = store::embedded::look(&gate.data(), &kek).unwrap().store;
    let witness = store.get::<String>(&store::kinds::LEDGER_WITNESS, "newest");
    let witness = witness.unwrap().unwrap().value;
    let checkpoints = std::fs::read_to_string(gate.data().join("ledger/checkpoints")).unwrap();
    assert!(
        checkpoints.ends_with(&witness),
        "the database knows an older checkpoint: {witness}"
    );
    // Looks at the record are on it, too: those of this test come behind the stop.
    let is_look =
        |event: &Value| event["kind"] == "ledger.show" || event["kind"] == "decision.explain";
    let last = records(gate)
        .into_iter()
        .rfind(|event| !is_look(event))
        .unwrap();
    assert_eq!(last["kind"], "stop", "{last}");
}

fn sent(upstream: &RecordingUpstream, count: usize) {
    let came = poll(PATIENCE, || {
        (upstream.requests().len() >= count).then_some(())
    });
    assert!(came.is_some(), "{:?}", upstream.requests());
}

#[test]
fn a_call_that_the_end_cuts_is_on_the_record() {
    let latch = Latch::default();
    let upstream = holding(&latch);
    let gate = Gate::small(upstream.address());
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 60s");
    gate.edit("portcullis.yaml", "idle: 60s", "idle: 60s, drain: 1s");
    let server = serve(gate);
    let key = server.key("alpha");
    let address = server.address("public");
    let cut = |method: &'static str, target: &'static str, body: &'static str| {
        let json = "Content-Type: application/json\r\n";
        let bytes = request(method, target, Some(&key.text), json, body.as_bytes());
        std::thread::spawn(move || Line::open(address).unwrap().send(&bytes))
    };
    let two = [
        cut("GET", "/v1/notes/held", ""),
        cut("POST", "/v1/notes", r#"{"title":"t"}"#),
    ];
    sent(&upstream, 2);
    let unfinished = in_the_body(address, &key.text);
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("3 calls"), "{ended:?}");
    drop(unfinished);
    for one in two {
        assert!(one.join().unwrap().is_err(), "an answer came");
    }
    let all = records(&gate);
    for (method, path) in [("GET", "/v1/notes/held"), ("POST", "/v1/notes")] {
        let is_mine = |event: &&Value| event["method"] == method && event["path"] == path;
        let mine: Vec<&Value> = all.iter().filter(is_mine).collect();
        assert_eq!(mine.len(), 1, "{method}: {all:?}");
        let event = mine[0];
        assert_eq!(
            (&event["outcome"], &event["code"]),
            (&"fault".into(), &"upstream.cut".into()),
            "{event}"
        );
        assert_eq!(event["integration"], "alpha");
        let detail = event["detail"].as_str().unwrap();
        assert!(
            detail.contains("the outcome is unknown") && detail.contains("the server stopped"),
            "{event}"
        );
        let id = event["id"].as_str().unwrap();
        let asked = upstream.requests();
        let same = |seen: &&testkit::Received| seen.header("portcullis-decision") == Some(id);
        assert_eq!(
            asked.iter().filter(same).count(),
            1,
            "the upstream knows {id}"
        );
        let explained = testkit::run(program(), &gate, &["explain", id]);
        assert!(
            explained.stdout.contains("the server stopped"),
            "{explained:?}"
        );
    }
    let is_unsent = |event: &&Value| event["code"] == "http.cut";
    let unsent: Vec<&Value> = all.iter().filter(is_unsent).collect();
    assert_eq!(unsent.len(), 1, "{all:?}");
    assert_eq!(unsent[0]["method"], "PUT");
    let detail = unsent[0]["detail"].as_str().unwrap();
    assert!(detail.contains("nothing was forwarded"), "{detail}");
    assert_at_rest(&gate);
}

/// A request whose body is asked for and does not come.
fn in_the_body(address: SocketAddr, key: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let json = "Content-Type: application/json\r\nExpect: 100-continue\r\n";
    let bytes = request("PUT", "/v1/notes/1", Some(key), json, br#"{"title":"t"}"#);
    let head = bytes.len() - br#"{"title":"t"}"#.len();
    stream.write_all(&bytes[..head]).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn a_stop_waits_as_long_as_a_call_may_take() {
    let latch = Latch::default();
    let upstream = holding(&latch);
    let gate = Gate::small(upstream.address());
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 60s");
    let server = serve(gate);
    let key = server.key("alpha");
    let address = server.address("public");
    let held = request("GET", "/v1/notes/held", Some(&key.text), "", b"");
    let slow = std::thread::spawn(move || Line::open(address).unwrap().send(&held));
    sent(&upstream, 1);
    let admin = server.address("admin");
    let stopping = std::thread::spawn(move || server.stop());
    await_stopping(admin);
    // The old bound was 10 s: nothing may end before the upstream answers.
    std::thread::sleep(std::time::Duration::from_secs(11));
    assert!(!slow.is_finished() && !stopping.is_finished());
    latch.open();
    let response = slow.join().unwrap().unwrap();
    let (ended, gate) = stopping.join().unwrap();
    assert_eq!((response.status, ended.code), (200, Some(0)), "{ended:?}");
    let id = response.decision().unwrap().to_owned();
    let all = records(&gate);
    assert!(
        all.iter()
            .any(|event| event["id"] == *id && event["outcome"] == "allow")
    );
    assert_at_rest(&gate);
}

#[test]
fn a_second_signal_ends_the_wait() {
    let latch = Latch::default();
    let upstream = holding(&latch);
    let gate = Gate::small(upstream.address());
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 10m");
    let server = serve(gate);
    let (key, pid) = (server.key("alpha"), server.pid());
    let (address, admin) = (server.address("public"), server.address("admin"));
    let held = request("GET", "/v1/notes/held", Some(&key.text), "", b"");
    let cut = std::thread::spawn(move || Line::open(address).unwrap().send(&held));
    sent(&upstream, 1);
    let stopping = std::thread::spawn(move || server.stop());
    await_stopping(admin);
    assert!(testkit::send_signal("TERM", &pid.to_string()));
    let (ended, gate) = stopping.join().unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(cut.join().unwrap().is_err());
    let all = records(&gate);
    assert!(
        all.iter().any(|event| event["code"] == "upstream.cut"),
        "{all:?}"
    );
    assert_at_rest(&gate);
}

/// Load balancers are told that it stops.
fn await_stopping(admin: SocketAddr) {
    let is_told = || {
        let response = wire::send(admin, &call("GET", "/readyz"), None);
        (response.text() == "not ready: stopping\n").then_some(())
    };
    assert!(poll(PATIENCE, is_told).is_some());
}

#[test]
fn a_caller_who_goes_away_in_the_middle_leaves_a_record() {
    let latch = Latch::default();
    let held = latch.clone();
    let careless = Fieldworks::new(7);
    let upstream = RecordingUpstream::start(move |asked| {
        if asked.target.contains("parts") {
            Play::Held(held.clone(), json_response(200, r#"{"items":[]}"#))
        } else {
            Play::Response(json_response(200, &format!("{careless:?}")))
        }
    });
    let gate = Gate::demo(upstream.address()).unlimited();
    let server = serve(gate);
    let key = server.quick_key("inventory", &[]);
    let bearer = format!("Bearer {}", key.text);
    let fields = [("authorization", bearer.as_str())];
    let public = server.address("public");
    let mut caller = Hostile::open(Ipv4Addr::LOCALHOST, public, &server.gate.ca());
    caller.send(&head(1, "GET", "/v2/parts?limit=3", &fields, END_STREAM));
    sent(&upstream, 1);
    caller.send(&frame(kind::RST_STREAM, 0, 1, &8u32.to_be_bytes()));
    let recorded = poll(PATIENCE, || {
        let found = server.ledger_of(&serde_json::json!({ "code": "upstream.cut" }));
        found.first().cloned()
    });
    let event = recorded.unwrap_or_else(|| panic!("{:?}", server.ledger()));
    let detail = event["detail"].as_str().unwrap();
    assert!(detail.contains("the caller went away"), "{event}");
    assert_eq!(event["integration"], "inventory");
    // Over HTTP/1.1 nobody looks whether the caller is still there: the call is finished and recorded as such.
    let bytes = request("GET", "/v2/parts?limit=2", Some(&key.text), "", b"");
    let mut gone = TcpStream::connect(server.address("local")).unwrap();
    gone.write_all(&bytes).unwrap();
    sent(&upstream, 2);
    drop(gone);
    latch.open();
    let done = poll(PATIENCE, || {
        let all = server.ledger_of(&serde_json::json!({ "outcome": "allow" }));
        all.into_iter().find(|event| event["path"] == "/v2/parts")
    });
    assert!(done.is_some(), "{:?}", server.ledger());
}

/// Starts a server and sends SIGTERM as soon as this file is there; how it ended.
fn stopped_at(gate: &Gate, file: &Path, dice: &mut SplitMix64) -> (Option<i32>, String) {
    let mut child = Command::new(program())
        .args(["serve", "--config"])
        .arg(gate.dir())
        .env("PORTCULLIS_CONFIG", gate.dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let came = poll(PATIENCE, || file.exists().then_some(()));
    // Anywhere in what follows; nothing depends on it.
    std::thread::sleep(std::time::Duration::from_micros(dice.below(30_000)));
    assert!(testkit::send_signal("TERM", &child.id().to_string()));
    let ended = poll(PATIENCE, || child.try_wait().unwrap());
    if ended.is_none() {
        drop(child.kill());
    }
    let output = child.wait_with_output().unwrap();
    assert!(came.is_some(), "{file:?} never came");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (ended.and_then(|status| status.code()), said)
}

#[test]
fn a_stop_before_the_start_is_over_is_obeyed_and_recorded() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let (ended, gate) = serve(gate).stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    // The log of the database is there as soon as it is open, long before anything listens.
    let (database, mut starts) = (gate.data().join("store.db-wal"), 1);
    for round in 0..8 {
        let (code, said) = stopped_at(&gate, &database, &mut dice);
        assert_eq!(code, Some(0), "{round}: {said}");
        starts += 1;
        assert_at_rest(&gate);
    }
    let kinds = |wanted: &str| {
        let all = records(&gate);
        all.iter().filter(|event| event["kind"] == wanted).count()
    };
    assert_eq!((kinds("start"), kinds("stop")), (starts, starts));
}

#[test]
fn a_start_that_fails_leaves_everything_at_rest() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let text = gate.text("portcullis.yaml");
    gate.write("portcullis.yaml", text.replacen("127.0.0.1:0", &address, 1));
    let ended = Server::try_start(program(), gate).map(|_| ());
    let ended = ended.unwrap_err();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("is in use"), "{ended:?}");
}
