//! What was reported as done holds, whatever is loaded at the same time; and the newest configuration wins.
//! Start reading at `a_pause_during_a_reload_holds`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use testkit::{Ended, Gate, Key, PATIENCE, RecordingUpstream, Server, poll};

use crate::{call, program};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// `O_NONBLOCK`.
const WITHOUT_WAITING: i32 = 0o4000;

/// A configuration whose load is held up: the authority of its upstream is a pipe that nobody has written to yet.
struct Slow {
    pipe: PathBuf,
    authority: Vec<u8>,
}

impl Slow {
    /// Puts it into the directory of a running server.
    fn put(server: &Server, upstream: &RecordingUpstream) -> Slow {
        let authority = Gate::demo(upstream.address()).ca();
        // A pipe among the files of the configuration would be refused; nobody looks into the store's directory.
        let pipe = server.gate.data().join("slow.pem");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        let plain = format!("targets: [\"http://{}\"]", upstream.address());
        let slow = format!(
            "targets: [\"https://localhost:{}\"], ca: ../data/slow.pem",
            upstream.address().port()
        );
        server.gate.edit("apis/notes.yaml", &plain, &slow);
        Slow { pipe, authority }
    }

    /// Waits until the server is in the middle of the load; it goes on when the returned function is called.
    fn reached(&self, server: &Server) -> impl FnOnce() + use<> {
        // Without waiting, the pipe opens for writing only while somebody reads it.
        let open = || {
            let mut options = OpenOptions::new();
            let options = options.write(true).custom_flags(WITHOUT_WAITING);
            options.open(&self.pipe).ok()
        };
        let open = poll(PATIENCE, open);
        let mut open = open.unwrap_or_else(|| panic!("nothing was read: {}", server.stderr()));
        let authority = self.authority.clone();
        move || open.write_all(&authority).unwrap()
    }
}

fn quiet(upstream: &RecordingUpstream) -> Server {
    let gate = Gate::small(upstream.address());
    Server::try_start_with(program(), gate, &["--no-watch"])
        .unwrap_or_else(|ended| panic!("{ended:?}"))
}

fn good(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

fn applied(server: &Server, count: usize) {
    let kind = json!({ "kind": "configuration.applied" });
    let came = poll(PATIENCE, || {
        (server.ledger_of(&kind).len() >= count).then_some(())
    });
    assert!(came.is_some(), "{}", server.stderr());
    // The record comes before the swap, and the swap before the line in the log.
    let came = poll(PATIENCE, || {
        (server.stderr().matches(" is in force").count() >= count).then_some(())
    });
    assert!(came.is_some(), "{}", server.stderr());
}

/// The code a call is refused with; empty when it is not.
fn code(server: &Server, key: &Key) -> String {
    let response = server.send(&call("GET", "/v1/notes/1"), Some(key));
    let said: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    said["code"].as_str().unwrap_or_default().to_owned()
}

fn is_paused(server: &Server, name: &str) -> bool {
    let listed = server.admin("integration.list", &json!({}));
    let rows = listed["integrations"].as_array().unwrap();
    rows.iter()
        .any(|row| row["name"] == name && row["is_paused"] == true)
}

#[test]
fn a_pause_during_a_reload_holds() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = quiet(&upstream);
    let (alpha, beta) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    good(&server.cli(&["integration", "pause", "beta", "--reason", "before"]));
    let slow = Slow::put(&server, &upstream);
    server.hang_up();
    let go_on = slow.reached(&server);
    good(&server.cli(&["integration", "pause", "alpha", "--reason", "an incident"]));
    good(&server.cli(&["integration", "resume", "beta"]));
    assert_eq!(code(&server, &alpha), "authn.integration_paused");
    go_on();
    applied(&server, 1);
    assert!(is_paused(&server, "alpha") && !is_paused(&server, "beta"));
    assert_eq!(code(&server, &alpha), "authn.integration_paused");
    assert_ne!(code(&server, &beta), "authn.integration_paused");
}

#[test]
fn what_is_revoked_blocked_or_made_during_a_reload_is_so_after_it() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = quiet(&upstream);
    let revoked = server.quick_key("alpha", &[]);
    let blocked = server.quick_key("alpha", &[]);
    let slow = Slow::put(&server, &upstream);
    server.hang_up();
    let go_on = slow.reached(&server);
    good(&server.cli(&["key", "revoke", &revoked.id, "--yes"]));
    let who = format!("credential:{}", blocked.id);
    good(&server.cli(&["block", "add", &who, "--for", "1h", "--reason", "guesses"]));
    let made = server.quick_key("alpha", &[]);
    go_on();
    applied(&server, 1);
    assert_eq!(code(&server, &revoked), "authn.revoked");
    assert_eq!(code(&server, &blocked), "limit.blocked");
    assert_ne!(code(&server, &made), "authn.invalid");
}

#[test]
fn a_change_does_not_wait_for_a_reload_that_somebody_asked_for() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = quiet(&upstream);
    let key = server.quick_key("alpha", &[]);
    let slow = Slow::put(&server, &upstream);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| server.cli(&["reload"]));
        let go_on = slow.reached(&server);
        good(&server.cli(&["key", "revoke", &key.id, "--yes"]));
        assert_eq!(code(&server, &key), "authn.revoked");
        go_on();
        good(&asked.join().unwrap());
    });
    assert_eq!(code(&server, &key), "authn.revoked");
}

#[test]
fn an_older_configuration_that_takes_longer_never_replaces_a_newer_one() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = quiet(&upstream);
    let key = server.quick_key("alpha", &[]);
    let before = server.gate.text("apis/notes.yaml");
    let slow = Slow::put(&server, &upstream);
    server.hang_up();
    let go_on = slow.reached(&server);
    server.gate.write("apis/notes.yaml", before);
    good(&server.cli(&["reload"]));
    assert_eq!(code(&server, &key), "");
    let hash = server.admin("server.status", &json!({}))["configuration"].clone();
    go_on();
    server.wait_for("a newer one is in force");
    let now = server.admin("server.status", &json!({}))["configuration"].clone();
    assert_eq!(now, hash);
    assert_eq!(code(&server, &key), "");
}

#[test]
fn files_that_change_while_they_are_loaded_are_loaded_again() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = quiet(&upstream);
    let key = server.quick_key("alpha", &[]);
    let before = server.gate.text("apis/notes.yaml");
    let slow = Slow::put(&server, &upstream);
    server.hang_up();
    let go_on = slow.reached(&server);
    // Nobody asks again: the one load has to notice it.
    server.gate.write("apis/notes.yaml", before);
    server
        .gate
        .edit("integrations/beta.yaml", "Reads notes", "Reads notes aloud");
    go_on();
    applied(&server, 1);
    assert_eq!(code(&server, &key), "", "{}", server.stderr());
    let reload = server.cli(&["reload", "-o", "json"]);
    assert!(reload.stdout.contains("\"unchanged\""), "{reload:?}");
}

#[test]
fn a_server_that_waits_for_a_configuration_can_be_stopped() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = quiet(&upstream);
    let slow = Slow::put(&server, &upstream);
    server.hang_up();
    let _never = slow.reached(&server);
    let (ended, _gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
