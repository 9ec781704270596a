//! What is wrong around the server: ports, keys, secrets, certificates, the store, the ledger, the disk. Each has a clear
//! message with a remedy, the documented exit code, and leaves nothing half-written.
//! Start reading at `refused`, which every test here ends in.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testkit::{Ended, Gate, PATIENCE, RecordingUpstream, Server, poll, run};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

fn upstream() -> RecordingUpstream {
    RecordingUpstream::always(NOTE)
}

/// Starts, must not become ready, and must say these words and end with this code. Gives the gate back.
fn refused(gate: Gate, code: i32, words: &[&str]) -> Gate {
    // The gate outlives the server that was never ready, so that it can be started again.
    let home = gate.dir();
    let ended = run(
        program(),
        &gate,
        &["serve", "--config", &home.to_string_lossy()],
    );
    assert_refusal(&ended, code, words);
    gate
}

fn assert_refusal(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    assert!(ended.stderr.contains("portcullis: "), "{ended:#?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
    assert!(
        ended.stdout.is_empty(),
        "words go to standard error: {ended:#?}"
    );
    for word in words {
        // Messages are wrapped at the width of a screen.
        let flat = ended
            .stderr
            .replace("\n  │ ", " ")
            .replace("\n        ", " ");
        assert!(flat.contains(word), "{word:?} is not in {ended:#?}");
    }
}

/// A gate with a history: a server ran, answered and was recorded.
fn used() -> (Gate, RecordingUpstream) {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    for _ in 0..5 {
        assert_eq!(
            server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
            200
        );
    }
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    (gate, upstream)
}

/// Starts again, and it works.
fn works(gate: Gate) -> Server {
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    assert_eq!(
        server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
        200
    );
    server
}

fn segments(gate: &Gate) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(gate.data().join("ledger"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| fs::metadata(path).unwrap().len() > 500)
        .collect();
    all.sort();
    all
}

#[test]
fn a_busy_port_is_named() {
    let upstream = upstream();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "  public:\n    address: \"127.0.0.1:0\"",
        &format!("  public:\n    address: \"{address}\""),
    );
    let gate = refused(gate, 1, &[&address, "Free the port"]);
    drop(holder);
    works(gate);
}

#[test]
fn a_missing_key_encryption_key_is_78_with_its_line() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    gate.edit("portcullis.yaml", "file:kek", "env:PORTCULLIS_NO_SUCH_KEY");
    let gate = refused(
        gate,
        78,
        &["PORTCULLIS_NO_SUCH_KEY", "portcullis.yaml:9", "is not set"],
    );
    gate.edit(
        "portcullis.yaml",
        "env:PORTCULLIS_NO_SUCH_KEY",
        "file:no-such-file",
    );
    let gate = refused(
        gate,
        78,
        &["no-such-file", "portcullis.yaml:9", "cannot be read"],
    );
    gate.edit("portcullis.yaml", "file:no-such-file", "cred:kek");
    let gate = refused(gate, 78, &["LoadCredential", "portcullis.yaml:9"]);
    gate.edit("portcullis.yaml", "cred:kek", "file:kek");
    assert!(!gate.data().exists(), "nothing was begun");
    gate.secret("kek", "not a key at all");
    let gate = refused(gate, 78, &["not 32 bytes", "portcullis.yaml:9"]);
    assert!(!gate.data().exists(), "nothing was begun");
}

#[test]
fn a_wrong_key_encryption_key_is_78_and_the_right_one_still_works() {
    let (gate, _upstream) = used();
    let right = gate.text("kek");
    gate.secret(
        "kek",
        &"3c5a"
            .repeat(15)
            .chars()
            .chain("0f1e".chars())
            .collect::<String>(),
    );
    let gate = refused(gate, 78, &["key"]);
    gate.secret("kek", &right);
    works(gate);
}

#[test]
fn a_secret_file_that_others_can_read_is_refused() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    let kek = gate.dir().join("kek");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o644)).unwrap();
    let gate = refused(gate, 78, &["can be read by others (mode 644)", "chmod 600"]);
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).unwrap();
    works(gate);
}

#[test]
fn certificates_that_do_not_fit_are_78_with_the_line_that_names_them() {
    let upstream = upstream();
    let gate = Gate::demo(upstream.address());
    let (cert, key) = (gate.text("tls/public.pem"), gate.text("tls/public.key"));
    gate.secret("tls/public.key", &gate.text("tls/internal.key"));
    let gate = refused(gate, 78, &["portcullis.yaml:", "key"]);
    gate.secret(
        "tls/public.key",
        "-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n",
    );
    let gate = refused(gate, 78, &["portcullis.yaml:"]);
    gate.secret("tls/public.key", &key);
    gate.write("tls/public.pem", cert.replace('M', "?"));
    let gate = refused(gate, 78, &["portcullis.yaml:"]);
    gate.write("tls/public.pem", "");
    let gate = refused(gate, 78, &["portcullis.yaml:"]);
    gate.remove("tls/public.pem");
    let gate = refused(gate, 78, &["portcullis.yaml:", "cannot be read"]);
    gate.write("tls/public.pem", cert);
    assert!(!gate.data().exists(), "nothing was begun");
    serve(gate);
}

#[test]
fn a_missing_configuration_is_78_and_a_wrong_command_line_64() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    let nowhere = gate.home().join("nowhere");
    let ended = run(
        program(),
        &gate,
        &["serve", "--config", &nowhere.to_string_lossy()],
    );
    assert_refusal(&ended, 78, &["is not a directory", "help:"]);
    gate.remove("portcullis.yaml");
    let gate = refused(gate, 78, &["portcullis.yaml: the file is missing"]);
    for wrong in [
        &["serve", "--config"][..],
        &["serve", "--confg", "x"],
        &["sreve"],
        &["key"],
        &["check"],
    ] {
        let ended = run(program(), &gate, wrong);
        assert_eq!(ended.code, Some(64), "{wrong:?}: {ended:?}");
        assert!(
            ended.stderr.contains("Usage") || ended.stderr.contains("help"),
            "{ended:?}"
        );
    }
}

#[test]
fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let second = server.cli(&["serve", "--config", &server.gate.dir().to_string_lossy()]);
    assert_refusal(
        &second,
        1,
        &["in use by process", &server.pid().to_string()],
    );
    assert_eq!(
        server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
        200
    );
    assert!(
        server
            .cli(&["key", "list", "-o", "json"])
            .stdout
            .contains(&key.id)
    );
}

#[test]
fn a_damaged_store_is_3_and_is_left_as_it_is() {
    let (gate, _upstream) = used();
    let path = gate.data().join("store.db");
    let good = fs::read(&path).unwrap();
    let head = [b"This is no database at all.".as_slice(), &good[27..]].concat();
    let mut middle = good.clone();
    middle
        .iter_mut()
        .skip(100)
        .take(3_000)
        .for_each(|byte| *byte ^= 0x5a);
    let mut gate = gate;
    for (what, bytes) in [
        ("head", head),
        ("middle", middle),
        ("half", good[..good.len() / 2].to_vec()),
    ] {
        fs::write(&path, &bytes).unwrap();
        gate = refused(gate, 3, &["damaged", "backup"]);
        // Where the damage lies: the mark of a running server may stand elsewhere in the file already.
        let left = fs::read(&path).unwrap();
        assert!(
            left[100..3_100] == bytes[100..3_100],
            "{what}: evidence was changed"
        );
    }
    fs::remove_file(&path).unwrap();
    let gate = refused(gate, 3, &["is missing", "backup"]);
    assert!(!path.exists(), "no new database beside an old ledger");
    fs::write(&path, &good).unwrap();
    works(gate);
}

#[test]
fn an_edited_ledger_is_3_at_start_and_in_verify() {
    let (gate, _upstream) = used();
    let segment = segments(&gate).remove(0);
    let good = fs::read(&segment).unwrap();
    let mut bytes = good.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let verify = run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verify.code, Some(3), "{verify:?}");
    let gate = refused(gate, 3, &["ledger"]);
    assert_eq!(fs::read(&segment).unwrap(), bytes, "evidence was changed");
    fs::write(&segment, &good).unwrap();
    works(gate);
}

#[test]
fn a_ledger_cut_off_behind_its_checkpoint_is_3() {
    let (gate, _upstream) = used();
    let segment = segments(&gate).remove(0);
    let good = fs::read(&segment).unwrap();
    fs::write(&segment, &good[..good.len() / 2]).unwrap();
    let verify = run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verify.code, Some(3), "{verify:?}");
    let gate = refused(gate, 3, &["ledger"]);
    fs::write(&segment, &good).unwrap();
    works(gate);
}

#[test]
fn a_kill_leaves_a_ledger_that_the_next_start_takes_up() {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let decisions: Vec<String> = (0..10)
        .map(|_| {
            server
                .send(&call("GET", "/v1/notes/1"), Some(&key))
                .decision()
                .unwrap()
                .to_owned()
        })
        .collect();
    let gate = server.kill();
    // A record that was being written when the power went.
    let segment = segments(&gate).pop().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    bytes.extend_from_slice(&[7; 20]);
    fs::write(&segment, bytes).unwrap();
    let server = works(gate);
    assert!(
        server.stderr().contains("recovered after an unclean stop"),
        "{}",
        server.stderr()
    );
    for decision in decisions {
        server.event(&decision);
    }
}

#[test]
fn a_file_in_place_of_the_data_directory_is_named() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    fs::write(gate.data(), "a file").unwrap();
    let gate = refused(gate, 1, &["data"]);
    assert_eq!(fs::read_to_string(gate.data()).unwrap(), "a file");
    fs::remove_file(gate.data()).unwrap();
    works(gate);
}

/// A small file system of its own; `None`, said aloud, where it cannot be mounted.
pub struct Small {
    at: PathBuf,
}

impl Small {
    pub fn mount(at: &Path, size: &str) -> Option<Small> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size},mode=700"),
                "tmpfs",
            ])
            .arg(at)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Small { at: at.to_owned() });
        }
        eprintln!("SKIPPED: a file system cannot be mounted here");
        None
    }

    pub fn remount(&self, option: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{option}")])
            .arg(&self.at)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.at).status());
        // The gate around it could not be removed while this was mounted.
        let home = self.at.parent().and_then(Path::parent);
        drop(home.map(fs::remove_dir_all));
    }
}

#[test]
fn a_read_only_data_directory_is_named() {
    let (gate, _upstream) = used();
    let kept = gate.home().join("kept");
    fs::rename(gate.data(), &kept).unwrap();
    let Some(disk) = Small::mount(&gate.data(), "16m") else {
        return;
    };
    let copied = Command::new("cp")
        .arg("-a")
        .arg(kept.join("."))
        .arg(gate.data())
        .status();
    assert!(copied.unwrap().success());
    disk.remount("ro");
    let gate = refused(gate, 1, &["data", "writ"]);
    disk.remount("rw");
    drop(works(gate));
}

#[test]
fn a_disk_that_fills_up_answers_503_and_goes_on_when_there_is_room() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    let Some(_disk) = Small::mount(&gate.data(), "8m") else {
        return;
    };
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    assert_eq!(
        server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
        200
    );
    let ballast = server.gate.data().join("ballast");
    fill(&ballast);
    let refused = poll(PATIENCE, || {
        let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
        (response.status != 200).then_some(response)
    })
    .expect("the disk is full");
    assert_eq!(
        (refused.status, refused.code().as_deref()),
        (503, Some("ledger.unavailable"))
    );
    upstream.forget();
    assert_eq!(
        server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
        503
    );
    upstream.assert_untouched("nothing that cannot be recorded");
    fs::remove_file(&ballast).unwrap();
    let back = poll(PATIENCE, || {
        let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
        (response.status == 200).then_some(())
    });
    assert!(back.is_some(), "{}", server.stderr());
    let before = server
        .ledger_of(&json!({ "kind": "request", "outcome": "allow" }))
        .len();
    assert!(before >= 2);
    let outages = server.ledger_of(&json!({ "kind": "ledger.outage" }));
    let is_told = |outage: &serde_json::Value| {
        let detail = outage["detail"].as_str().unwrap();
        outage["count"].as_u64() > Some(0) && detail.contains("is full")
    };
    assert!(
        !outages.is_empty() && outages.iter().all(is_told),
        "{outages:?}"
    );
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let verify = run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verify.code, Some(0), "{verify:?}");
}

/// Writes until there is no room left.
pub fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).unwrap();
    for size in [64 * 1024, 1024, 1] {
        let piece = vec![0; size];
        while file.write_all(&piece).is_ok() {}
    }
}
