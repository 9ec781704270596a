//! Beside a healthy server every command of an incident works, whatever has become of the files it was started from.
//! Start reading at `whatever_is_wrong_with_the_files_the_running_server_is_reached`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Ended, Gate, PATIENCE, RecordingUpstream, Server, bar, poll, run};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// A server whose data directory nobody finds without its configuration.
fn server(upstream: &RecordingUpstream) -> Server {
    let gate = Gate::small(upstream.address());
    let state = format!("store: {{ dir: \"{}\" }}", state(&gate).display());
    gate.edit("portcullis.yaml", "store: { dir: data }", &state);
    serve(gate)
}

fn state(gate: &Gate) -> PathBuf {
    gate.home().join("state")
}

/// Spoils a directory.
type Spoil = fn(&Gate);

/// What may have become of a directory.
const WRONG: &[(&str, Spoil)] = &[
    ("a typo", |gate| {
        gate.edit("portcullis.yaml", "listeners:", "listeners: [");
    }),
    ("an unknown key", |gate| {
        gate.edit("portcullis.yaml", "store:", "storage:");
    }),
    ("a broken integration", |gate| {
        gate.write("integrations/alpha.yaml", "owner: [\n");
    }),
    ("no integration", |gate| {
        gate.remove("integrations/beta.yaml")
    }),
    ("no server file", |gate| gate.remove("portcullis.yaml")),
    ("a server file that cannot be read", |gate| {
        gate.remove("portcullis.yaml");
        fs::create_dir(gate.dir().join("portcullis.yaml")).unwrap();
    }),
    ("a link that leads nowhere", |gate| {
        gate.remove("portcullis.yaml");
        std::os::unix::fs::symlink("nowhere", gate.dir().join("portcullis.yaml")).unwrap();
    }),
    ("too large", |gate| {
        gate.write("portcullis.yaml", vec![b'#'; 3 << 20]);
    }),
    ("no key", |gate| gate.remove("kek")),
];

fn good(ended: &Ended, what: &str) {
    assert_eq!(ended.code, Some(0), "{what}: {ended:?}");
}

/// Every command that somebody may need at night; how long each of them took.
fn everything(server: &Server, what: &str, more: &[&str]) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut cli = |arguments: &[&str]| {
        let begun = Instant::now();
        let ended = server.cli(&[arguments, more].concat());
        took.push(begun.elapsed());
        ended
    };
    let made = cli(&["key", "create", "--integration", "alpha", "-o", "json"]);
    good(&made, what);
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    let key = testkit::Key {
        id: made["id"].as_str().unwrap().to_owned(),
        text: made["key"].as_str().unwrap().to_owned(),
    };
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(response.status, 200, "{what}");
    let decision = response.header("portcullis-decision").unwrap().to_owned();
    good(&cli(&["key", "list"]), what);
    good(&cli(&["explain", &decision]), what);
    good(&cli(&["ledger", "show"]), what);
    good(
        &cli(&["integration", "pause", "alpha", "--reason", "night"]),
        what,
    );
    let status = || server.send(&call("GET", "/v1/notes/1"), Some(&key)).status;
    assert_eq!(status(), 403, "{what}");
    good(&cli(&["integration", "list"]), what);
    good(&cli(&["integration", "resume", "alpha"]), what);
    let who = format!("credential:{}", key.id);
    good(
        &cli(&["block", "add", &who, "--for", "1h", "--reason", "night"]),
        what,
    );
    assert_eq!(status(), 429, "{what}");
    good(&cli(&["block", "list"]), what);
    good(&cli(&["block", "lift", &who]), what);
    good(&cli(&["key", "revoke", &key.id, "--yes"]), what);
    assert_eq!(status(), 401, "{what}");
    took
}

#[test]
fn whatever_is_wrong_with_the_files_the_running_server_is_reached() {
    let upstream = RecordingUpstream::always(NOTE);
    let mut took = Vec::new();
    for (what, spoil) in WRONG {
        let server = server(&upstream);
        spoil(&server.gate);
        took.extend(everything(&server, what, &[]));
        let (ended, _gate) = server.stop();
        assert_eq!(ended.code, Some(0), "{what}: {ended:?}");
    }
    took.sort();
    let median = took[took.len() / 2].as_millis();
    let all = took.len();
    bar(
        "T2",
        "commands done beside broken files",
        format!("{all} of {all}"),
        true,
    );
    bar("T2", "median of a command, ms", median, median <= 100);
}

#[test]
fn a_directory_that_is_gone_leaves_the_socket_to_be_named() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = server(&upstream);
    let socket = state(&server.gate).join("admin.sock");
    fs::rename(server.gate.dir(), server.gate.home().join("moved")).unwrap();
    let lost = server.cli(&["key", "list"]);
    assert_eq!(lost.code, Some(78), "{lost:?}");
    assert!(lost.stderr.contains("--socket"), "{lost:?}");
    everything(&server, "moved", &["--socket", socket.to_str().unwrap()]);
}

#[test]
fn what_was_cleared_away_beside_a_running_server_is_written_again() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = server(&upstream);
    let announced = server.gate.dir().join(".portcullis/server.json");
    let said = fs::read(&announced).unwrap();
    // Without it and without the server's file, nothing leads to the data directory.
    server.gate.remove("portcullis.yaml");
    fs::remove_dir_all(announced.parent().unwrap()).unwrap();
    let again = poll(PATIENCE, || fs::read(&announced).ok());
    assert_eq!(again, Some(said), "{}", server.stderr());
    everything(&server, "cleared away", &[]);
    let (ended, _gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!announced.exists(), "it is taken back at the stop");
}

#[test]
fn a_socket_that_nobody_answers_is_said_and_nothing_is_done_instead() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let ended = run(
        program(),
        &gate,
        &[
            "integration",
            "pause",
            "alpha",
            "--socket",
            "/nowhere/admin.sock",
        ],
    );
    assert_eq!(ended.code, Some(69), "{ended:?}");
    assert!(ended.stderr.contains("/nowhere/admin.sock"), "{ended:?}");
    assert!(!gate.data().join("store.db").exists());
}

#[test]
fn what_a_killed_server_left_behind_leads_nobody_astray() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = server(&upstream).kill();
    let ended = run(program(), &gate, &["integration", "pause", "alpha"]);
    good(&ended, "killed");
    let server = serve(gate);
    let listed = server.cli(&["integration", "list", "-o", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["integrations"][0]["is_paused"], true, "{listed}");
    let (ended, gate) = server.stop();
    good(&ended, "stopped");
    let left = gate.dir().join(".portcullis");
    assert!(fs::read_dir(left).is_ok_and(|mut left| left.next().is_none()));
}

#[test]
fn a_directory_that_cannot_be_written_hinders_no_start() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    // Something else lies where the address of the server would be written.
    gate.write(".portcullis", "a file");
    let server = serve(gate);
    everything(&server, "read-only", &[]);
    assert!(Path::new(&server.gate.dir().join(".portcullis")).is_file());
}
