//! A process has a limit of open files. Callers' connections and those to upstreams have shares of it, and what is left is for the ledger,
//! the store and operators. Start reading at `callers_leave_descriptors_for_upstreams_the_ledger_and_operators`.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use demo::Call;
use serde_json::json;
use testkit::frames::{END_STREAM, Hostile, head, kind};
use testkit::{Gate, Latch, Play, RecordingUpstream, Server, json_response, wire};

use crate::{call, program};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

fn read() -> Call {
    call("GET", "/v1/notes/1")
}

/// The limit that leaves so many files for connections, where there are so many listeners and one upstream.
fn limit(listeners: usize, connections: usize) -> usize {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    64 + workers * (4 + listeners) + 16 * listeners + 1 + connections
}

/// A script that runs the binary with a limit of open files.
fn limited(home: &Path, files: usize) -> PathBuf {
    let script = home.join("limited");
    let program = program().display();
    let text = format!("#!/bin/sh\nulimit -n {files}\nexec \"{program}\" \"$@\"\n");
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

fn open_files(server: &Server) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", server.pid()));
    open.unwrap().count()
}

/// Operators get in by every way they have.
fn assert_operable(server: &Server) {
    let ready = wire::send(server.address("admin"), &call("GET", "/readyz"), None);
    assert_eq!(ready.status, 200, "{}", ready.text());
    server.quick_key("beta", &[]);
}

/// Silent connections fill what callers may have, and everything else still has its descriptors: the upstream is reached, the answer is
/// recorded, operators get in.
#[test]
fn callers_leave_descriptors_for_upstreams_the_ledger_and_operators() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let files = limit(2, 150);
    let script = limited(gate.home(), files);
    let server = Server::start(&script, gate);
    let said = server.stderr();
    let told = format!(
        "portcullis: open files: {files} may be open: at most 75 connections of callers and 75 to upstreams at once"
    );
    assert!(said.contains(&told), "{said}");
    let key = server.quick_key("alpha", &[]);
    let address = server.address("public");
    let mut known = Vec::new();
    for _ in 0..8 {
        let mut connection = wire::Connection::open(address).unwrap();
        let answer = connection.send(&read(), Some(&key.text)).unwrap();
        assert_eq!(answer.status, 200);
        known.push(connection);
    }
    let silent: Vec<TcpStream> = (0..600)
        .filter_map(|_| TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok())
        .collect();
    assert!(silent.len() > 300, "{}", silent.len());
    let mut most = 0;
    for round in 0..20 {
        for connection in &mut known {
            let answer = connection.send(&read(), Some(&key.text)).unwrap();
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
        }
        let fresh = server.send(&read(), Some(&key));
        assert_eq!(fresh.status, 200, "round {round}: {}", fresh.text());
        assert_operable(&server);
        most = most.max(open_files(&server));
    }
    eprintln!("at most {most} of {files} files were open");
    assert!(most + 75 <= files + 16, "{most} of {files}");
    drop(silent);
    let (ended, _gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Calls that wait for a slow upstream take the descriptors there are for upstreams, and no more: others are told so at once.
#[test]
fn calls_under_way_leave_descriptors_for_the_ledger_and_operators() {
    const CALLS: u32 = 60;
    let latch = Latch::default();
    let held = latch.clone();
    let upstream =
        RecordingUpstream::start(move |_| Play::Held(held.clone(), json_response(200, NOTE)));
    let gate = Gate::small(upstream.address()).secured();
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 60s");
    let files = limit(3, 60);
    let script = limited(gate.home(), files);
    let server = Server::start(&script, gate);
    let key = server.quick_key("alpha", &[]);
    let ca = fs::read(server.gate.home().join("ca.pem")).unwrap();
    let mut caller = Hostile::open(Ipv4Addr::LOCALHOST, server.address("secure"), &ca);
    let bearer = format!("Bearer {}", key.text);
    for n in 0..CALLS {
        let fields = [("authorization", bearer.as_str())];
        caller.send(&head(2 * n + 1, "GET", "/v1/notes/1", &fields, END_STREAM));
    }
    let bodies = |caller: &Hostile| {
        let seen = caller.seen().into_iter();
        let data = seen.filter(|seen| seen.kind == kind::DATA && !seen.payload.is_empty());
        data.map(|seen| String::from_utf8(seen.payload).unwrap())
            .collect::<Vec<_>>()
    };
    // 30 have a descriptor each and wait. The others hear so.
    let came = testkit::poll(testkit::PATIENCE, || {
        caller.listen(Duration::from_millis(50));
        (bodies(&caller).len() >= 30).then_some(())
    });
    assert!(came.is_some(), "{:?}", bodies(&caller));
    for body in bodies(&caller) {
        assert!(body.contains("upstream.overloaded"), "{body}");
    }
    assert_eq!(bodies(&caller).len(), 30);
    let most = open_files(&server);
    eprintln!("{most} of {files} files were open");
    assert_operable(&server);
    latch.open();
    let came = testkit::poll(testkit::PATIENCE, || {
        caller.listen(Duration::from_millis(50));
        (bodies(&caller).len() >= 60).then_some(())
    });
    assert!(came.is_some(), "{:?}", bodies(&caller));
    assert_eq!(
        bodies(&caller).iter().filter(|body| *body == NOTE).count(),
        30
    );
    let overloaded = server.ledger_of(&json!({ "code": "upstream.overloaded" }));
    assert_eq!(overloaded.len(), 30);
    for event in &overloaded {
        let detail = event["detail"].as_str().unwrap();
        assert!(detail.contains("all 30 file descriptors"), "{event}");
    }
    // What the others took came back, and none of it is kept for later while there is little.
    for _ in 0..40 {
        assert_eq!(server.send(&read(), Some(&key)).status, 200);
    }
}

#[test]
fn a_limit_that_leaves_nothing_for_connections_is_told_at_the_start() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let files = limit(2, 20);
    let script = limited(gate.home(), files);
    let ended = Server::try_start(&script, gate)
        .err()
        .expect("it does not start");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let told = format!("{files} may be open");
    assert!(ended.stderr.contains(&told), "{ended:?}");
    assert!(ended.stderr.contains("LimitNOFILE="), "{ended:?}");
    upstream.assert_untouched("nothing was started");
}

/// The doctor tells the limit of the server that runs, and without one that of its own shell.
#[test]
fn the_doctor_tells_the_limit() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let script = limited(gate.home(), limit(2, 150));
    let server = Server::start(&script, gate);
    let told = |program: &Path, gate: &Gate| {
        let ended = testkit::run(program, gate, &["doctor", "-o", "json"]);
        let document: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        let checks = document["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["check"] == "open files");
        let line = found.unwrap_or_else(|| panic!("{document}")).clone();
        (
            line["state"].as_str().unwrap().to_owned(),
            line.to_string(),
            ended.code,
        )
    };
    let (state, line, code) = told(program(), &server.gate);
    assert_eq!((state.as_str(), code), ("warn", Some(2)), "{line}");
    let by = format!("by the server, process {}", server.pid());
    for words in [
        by.as_str(),
        "75 connections of callers and 75 to upstreams",
        "LimitNOFILE=",
    ] {
        assert!(line.contains(words), "{words} is not in {line}");
    }
    let (_, gate) = server.stop();
    let script = limited(gate.home(), limit(2, 20));
    let (state, line, code) = told(&script, &gate);
    assert_eq!((state.as_str(), code), ("fail", Some(1)), "{line}");
    assert!(line.contains("from this shell"), "{line}");
}
