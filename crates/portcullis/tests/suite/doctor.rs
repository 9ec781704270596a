//! `doctor`: whether an installation is fit to serve, what is wrong with it and what to do, with the server up or down; and
//! that looking changes nothing.
//! Start reading at `doctor`, which every test here asks.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{Event, Timestamp};
use serde_json::Value;
use testkit::{Ended, Gate, Play, RecordingUpstream, Server, json_response, run};

use crate::bad_input::Small;
use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

fn upstream() -> RecordingUpstream {
    RecordingUpstream::always(NOTE)
}

/// What the doctor said.
struct Said {
    code: i32,
    checks: Vec<Value>,
}

impl Said {
    fn of(ended: &Ended) -> Said {
        let document: Value =
            serde_json::from_str(&ended.stdout).unwrap_or_else(|why| panic!("{why}: {ended:#?}"));
        assert!(ended.stderr.is_empty(), "{ended:#?}");
        assert_eq!(document["schema_version"], 1);
        let code = ended.code.unwrap();
        assert_eq!(document["is_fit"], code == 0 || code == 2, "{document}");
        let checks = document["checks"].as_array().unwrap().clone();
        for check in &checks {
            let is_ok = check["state"] == "ok";
            assert_eq!(
                check["advice"] == "",
                is_ok,
                "advice where it is not ok: {check}"
            );
            assert_ne!(check["what"], "", "{check}");
        }
        Said { code, checks }
    }

    /// The one line about this.
    fn about(&self, check: &str, name: &str) -> &Value {
        let found: Vec<&Value> = self
            .checks
            .iter()
            .filter(|line| line["check"] == check)
            .filter(|line| line["name"].as_str().unwrap().contains(name))
            .collect();
        assert_eq!(found.len(), 1, "{check} {name}: {:#?}", self.checks);
        found[0]
    }

    /// The line has this state, and these words in what it says or advises.
    fn says(&self, check: &str, name: &str, state: &str, words: &[&str]) {
        let line = self.about(check, name);
        assert_eq!(line["state"], state, "{line}");
        for word in words {
            assert!(line.to_string().contains(word), "{word:?} is not in {line}");
        }
    }

    /// Everything else is ok.
    fn only(&self, code: i32, not_ok: &[&str]) {
        let others = self.checks.iter().filter(|line| line["state"] != "ok");
        let others: Vec<&str> = others.map(|line| line["check"].as_str().unwrap()).collect();
        assert_eq!(others, not_ok, "{:#?}", self.checks);
        assert_eq!(self.code, code, "{:#?}", self.checks);
    }
}

/// Every file below a directory: bytes, mode, and when it was written. Of the database's index of its log, only that it is
/// there: it is memory that its readers share, no data.
fn files(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let (path, found) = (entry.path(), entry.metadata().unwrap());
        let modified = found.modified().unwrap();
        if found.is_dir() {
            all.extend(files(&path));
            all.insert(path, (Vec::new(), found.mode(), modified));
        } else if path.ends_with("store.db-shm") {
            all.insert(path, (Vec::new(), found.mode(), UNIX_EPOCH));
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            all.insert(path, (bytes, found.mode(), modified));
        }
    }
    all
}

/// Asks while no server runs; no file may change.
fn doctor(gate: &Gate) -> Said {
    let before = files(gate.home());
    let ended = run(program(), gate, &["doctor", "-o", "json"]);
    let after = files(gate.home());
    let names = |all: &BTreeMap<PathBuf, _>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    for (path, was) in &before {
        assert!(after[path] == *was, "{} changed", path.display());
    }
    Said::of(&ended)
}

/// Asks beside a running server; nothing is recorded.
fn doctor_beside(server: &Server) -> Said {
    // The server itself notes when it refuses a changed configuration.
    let recorded = || {
        let mut events = server.ledger();
        events.retain(|event| event["kind"] != "configuration.refused");
        events.len()
    };
    let before = recorded();
    let said = Said::of(&server.cli(&["doctor", "-o", "json"]));
    assert_eq!(recorded(), before, "nothing was recorded");
    said
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Puts the first listener on a port of its own.
fn on_port(gate: &Gate, port: u16) {
    let text = gate.text("portcullis.yaml");
    gate.write(
        "portcullis.yaml",
        text.replacen("127.0.0.1:0", &format!("127.0.0.1:{port}"), 1),
    );
}

/// A gate with a history: a server ran, answered and was recorded.
fn used() -> (Gate, RecordingUpstream) {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    for _ in 0..5 {
        let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
        assert_eq!(response.status, 200);
    }
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    (gate, upstream)
}

fn newest_segment(gate: &Gate) -> PathBuf {
    let entries = fs::read_dir(gate.data().join("ledger")).unwrap().flatten();
    let segments = entries.map(|entry| entry.path());
    segments
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .max()
        .unwrap()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
}

#[test]
fn the_demo_is_fit_before_its_first_start_while_it_runs_and_after_it() {
    let upstream = upstream();
    let gate = Gate::demo(upstream.address());
    let port = free_port();
    on_port(&gate, port);
    let address = format!("127.0.0.1:{port}");
    let said = doctor(&gate);
    said.only(0, &[]);
    said.says("server", "", "ok", &["down"]);
    said.says("store", "", "ok", &["not there yet"]);
    said.says("ledger", "", "ok", &["not there yet"]);
    said.says("certificate", "public", "ok", &["valid until"]);
    assert!(!gate.data().exists(), "nothing was begun");

    let server = serve(gate);
    let said = doctor_beside(&server);
    said.only(0, &[]);
    let process = format!("process {}", server.pid());
    said.says("server", "", "ok", &[&process, "serves this configuration"]);
    let held = said
        .checks
        .iter()
        .filter(|line| line["check"] == "listener");
    let held: Vec<&Value> = held
        .filter(|line| line["what"].as_str().unwrap().contains(&address))
        .collect();
    assert_eq!(held.len(), 1, "{held:?}");
    assert!(
        held[0]["what"].as_str().unwrap().contains(&process),
        "{held:?}"
    );
    said.says("store", "", "ok", &["the key opens it"]);
    said.says("ledger", "", "ok", &["in order"]);
    said.says("clock", "", "ok", &[]);
    upstream.assert_untouched("a connection is enough");

    let (_, gate) = server.stop();
    let said = doctor(&gate);
    said.only(0, &[]);
    said.says("store", "", "ok", &["the key opens it"]);
    said.says("ledger", "", "ok", &["the newest checkpoint covers"]);
}

#[test]
fn people_read_a_line_for_each_check_and_a_last_word() {
    let (gate, _upstream) = used();
    let ended = run(program(), &gate, &["doctor"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.ends_with("\n\nfit to serve\n"), "{ended:?}");
    assert!(ended.stdout.lines().count() > 8, "{ended:?}");
    fs::set_permissions(gate.data(), fs::Permissions::from_mode(0o755)).unwrap();
    let ended = run(program(), &gate, &["doctor"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stdout.contains("\n      advice: Run `chmod 700"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.ends_with("\nfit to serve, with 1 warning\n"),
        "{ended:?}"
    );
}

#[test]
fn a_configuration_with_mistakes_is_78_and_one_with_warnings_2() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    gate.edit("apis/notes.yaml", "state: active", "state: activ");
    let said = doctor(&gate);
    said.only(78, &["configuration"]);
    said.says(
        "configuration",
        "",
        "fail",
        &["apis/notes.yaml", "portcullis check"],
    );
    gate.edit("apis/notes.yaml", "state: activ", "state: active");
    let beta = gate.text("integrations/beta.yaml");
    let (head, _) = beta.split_once("grants:").unwrap();
    gate.write("integrations/beta.yaml", head);
    let said = doctor(&gate);
    said.only(2, &["configuration"]);
    let words = [
        "1 warning",
        "integrations/beta.yaml",
        "`beta` may do nothing",
    ];
    said.says("configuration", "", "warn", &words);
    let nowhere = ["doctor", "--config", "/nowhere/at/all", "-o", "json"];
    let said = Said::of(&run(program(), &gate, &nowhere));
    said.only(78, &["configuration"]);
}

#[test]
fn secrets_are_there_missing_or_open_to_others_and_never_shown() {
    let (gate, _upstream) = used();
    let kek = gate.dir().join("kek");
    let value = gate.text("kek");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o644)).unwrap();
    let said = doctor(&gate);
    said.only(78, &["secret", "store", "ledger"]);
    said.says("secret", "file:kek", "fail", &["mode 644", "chmod 600"]);
    said.says("store", "", "warn", &["every page is in order", "file:kek"]);
    fs::remove_file(&kek).unwrap();
    let said = doctor(&gate);
    said.only(78, &["secret", "store", "ledger"]);
    said.says("secret", "file:kek", "fail", &["cannot be read"]);
    gate.secret("kek", "hunter2 is not a key");
    let ended = run(program(), &gate, &["doctor"]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(!format!("{ended:?}").contains("hunter2"), "{ended:?}");
    gate.secret("kek", &value);
    let ended = run(program(), &gate, &["doctor"]);
    assert!(!format!("{ended:?}").contains(value.trim()), "{ended:?}");
    doctor(&gate).only(0, &[]);
}

#[test]
fn a_secret_that_only_the_server_has_is_a_warning_beside_it() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    gate.edit("portcullis.yaml", "file:kek", "env:DOCTORS_KEK");
    let value = gate.text("kek");
    gate.remove("kek");
    let server = serve(gate.with_env("DOCTORS_KEK", value.trim()));
    doctor_beside(&server).only(0, &[]);
    let elsewhere = Command::new(program())
        .args(["doctor", "-o", "json"])
        .env("PORTCULLIS_CONFIG", server.gate.dir())
        .output()
        .unwrap();
    let said = Said::of(&elsewhere.into());
    said.only(2, &["secret", "store", "ledger"]);
    said.says(
        "secret",
        "env:DOCTORS_KEK",
        "warn",
        &["the running server had its own"],
    );
}

#[test]
fn the_wrong_key_is_told_apart_from_damage() {
    let (gate, _upstream) = used();
    gate.secret("kek", crypto::Kek::generate_text().expose());
    let said = doctor(&gate);
    said.only(78, &["store", "ledger"]);
    said.says("store", "", "fail", &["wrong key-encryption key"]);
    said.says("ledger", "", "warn", &["not verified"]);
}

/// A certificate for `localhost` that ends on this day, with its key.
fn certificate(gate: &Gate, end: Timestamp) {
    let day = end.to_string();
    let part = |range: std::ops::Range<usize>| day[range].parse::<u8>().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![String::from("localhost")]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(day[..4].parse().unwrap(), part(5..7), part(8..10));
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    gate.write("tls/public.pem", made.pem());
    gate.secret("tls/public.key", &key.serialize_pem());
}

#[test]
fn certificates_that_ended_end_soon_or_do_not_fit_are_named() {
    let upstream = upstream();
    let gate = Gate::demo(upstream.address());
    certificate(&gate, Timestamp::parse("2024-02-29").unwrap());
    let said = doctor(&gate);
    said.only(1, &["certificate"]);
    let words = ["ended on 2024-02-29", "tls/public.pem"];
    said.says("certificate", "public", "fail", &words);
    certificate(&gate, now().plus(Duration::from_secs(20 * 86_400)));
    let said = doctor(&gate);
    said.only(2, &["certificate"]);
    said.says("certificate", "public", "warn", &["ends in", "days"]);
    gate.secret("tls/public.key", &gate.text("tls/internal.key"));
    let said = doctor(&gate);
    said.only(78, &["certificate"]);
    said.says(
        "certificate",
        "public",
        "fail",
        &["does not belong", "portcullis.yaml:"],
    );
    gate.remove("tls/public.key");
    let said = doctor(&gate);
    said.only(78, &["secret", "certificate"]);
    said.says("certificate", "public", "warn", &["file:tls/public.key"]);
}

#[test]
fn a_port_held_by_another_program_is_named_with_the_server_up_and_down() {
    let upstream = upstream();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let gate = Gate::small(upstream.address());
    on_port(&gate, port);
    let said = doctor(&gate);
    said.only(1, &["listener"]);
    let words = [&format!("127.0.0.1:{port}"), "another program", "ss -ltnp"];
    said.says("listener", "public", "fail", &words);

    let free = free_port();
    gate.edit("portcullis.yaml", &format!(":{port}"), &format!(":{free}"));
    let server = serve(gate);
    doctor_beside(&server).only(0, &[]);
    let served = format!(":{free}");
    server
        .gate
        .edit("portcullis.yaml", &served, &format!(":{port}"));
    let said = doctor_beside(&server);
    assert_eq!(said.code, 1);
    said.says("listener", "public", "fail", &["another program"]);
    drop(holder);
    let said = doctor_beside(&server);
    assert_eq!(said.code, 2);
    said.says(
        "listener",
        "public",
        "warn",
        &["does not listen there", "restart"],
    );
}

#[test]
fn a_running_server_that_serves_something_else_is_noticed() {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    // The key is checked when a configuration is taken up; `check` and `doctor` see that it cannot be.
    server
        .gate
        .edit("portcullis.yaml", "idle: 60s", "idle: 61s");
    server.gate.edit("portcullis.yaml", "file:kek", "file:kekk");
    let said = doctor_beside(&server);
    assert_eq!(said.code, 78);
    said.says("server", "", "warn", &["serves another configuration"]);
    said.says("secret", "file:kekk", "fail", &["cannot be read"]);
}

#[test]
fn upstreams_are_connected_to_and_asked_for_their_health() {
    let sick = RecordingUpstream::start(|asked| {
        let status = if asked.target == "/health" { 503 } else { 200 };
        Play::Response(json_response(status, NOTE))
    });
    let gate = Gate::small(sick.address());
    doctor(&gate).only(0, &[]);
    sick.assert_untouched("a connection is enough");

    let dead = format!("http://127.0.0.1:{}", free_port());
    let targets = format!("targets: [\"http://{}\"]", sick.address());
    let both = format!("targets: [\"http://{}\", \"{dead}\"]", sick.address());
    gate.edit("apis/notes.yaml", &targets, &both);
    let said = doctor(&gate);
    said.only(2, &["upstream"]);
    said.says("upstream", &dead, "warn", &["refused", "Other targets"]);
    gate.edit("apis/notes.yaml", &both, &format!("targets: [\"{dead}\"]"));
    let said = doctor(&gate);
    said.only(1, &["upstream"]);
    said.says("upstream", "notes/v1", "fail", &["refused"]);

    let asked = format!("{targets}, health: {{ path: /health }}");
    gate.edit("apis/notes.yaml", &format!("targets: [\"{dead}\"]"), &asked);
    let said = doctor(&gate);
    said.only(1, &["upstream"]);
    said.says(
        "upstream",
        "notes/v1",
        "fail",
        &["health check answers 503"],
    );
    assert_eq!(sick.requests().len(), 1);
    gate.edit("apis/notes.yaml", "path: /health", "path: /well");
    doctor(&gate).only(0, &[]);
}

#[test]
fn an_upstream_over_tls_shows_a_certificate_that_holds_or_is_named() {
    let behind = upstream();
    let company = serve(Gate::demo(behind.address()));
    let gate = Gate::small(behind.address());
    let plain = format!("targets: [\"http://{}\"]", behind.address());
    let port = company.address("public").port();
    let tls = format!("targets: [\"https://localhost:{port}\"]");
    gate.write("tls/upstream-ca.pem", company.gate.ca());
    gate.edit(
        "apis/notes.yaml",
        &plain,
        &format!("{tls}, ca: ../tls/upstream-ca.pem"),
    );
    let ca = doctor(&gate);
    ca.says("upstream", "notes/v1", "ok", &["its certificate holds"]);
    gate.edit("apis/notes.yaml", ", ca: ../tls/upstream-ca.pem", "");
    let said = doctor(&gate);
    said.only(1, &["upstream"]);
    said.says("upstream", "notes/v1", "fail", &["TLS", "certificate"]);
}

#[test]
fn a_damaged_or_missing_store_is_3_and_stays_as_it_is() {
    let (gate, _upstream) = used();
    let path = gate.data().join("store.db");
    let good = fs::read(&path).unwrap();
    let mut middle = good.clone();
    let end = good.len();
    middle[4096..end].fill(0x5a);
    for bytes in [middle, good[..end / 2].to_vec(), b"no database".to_vec()] {
        fs::write(&path, &bytes).unwrap();
        let said = doctor(&gate);
        said.only(3, &["store", "ledger"]);
        said.says(
            "store",
            "",
            "fail",
            &["damaged", "Restore the file from a backup"],
        );
    }
    fs::remove_file(&path).unwrap();
    let said = doctor(&gate);
    said.only(3, &["store", "ledger"]);
    said.says("store", "", "fail", &["is gone", "backup"]);
    fs::write(&path, &good).unwrap();
    doctor(&gate).only(0, &[]);
}

#[test]
fn a_ledger_that_was_edited_cut_off_or_removed_is_3() {
    let (gate, _upstream) = used();
    let path = newest_segment(&gate);
    let good = fs::read(&path).unwrap();
    let mut edited = good.clone();
    edited[good.len() / 2] ^= 1;
    for bytes in [edited, good[..good.len() - 10].to_vec()] {
        fs::write(&path, &bytes).unwrap();
        let said = doctor(&gate);
        said.only(3, &["ledger"]);
        said.says(
            "ledger",
            "",
            "fail",
            &["record ", "evidence", "ledger verify"],
        );
    }
    fs::write(&path, &good).unwrap();
    let (home, away) = (gate.data().join("ledger"), gate.home().join("away"));
    fs::rename(&home, &away).unwrap();
    let said = doctor(&gate);
    said.only(3, &["ledger"]);
    said.says("ledger", "", "fail", &["is gone", "backup"]);
    fs::rename(&away, &home).unwrap();
    doctor(&gate).only(0, &[]);
}

/// How a start ends; `None` where it serves.
fn start(gate: &Gate) -> Option<i32> {
    let mut command = Command::new(program());
    command.arg("serve").arg("--config").arg(gate.dir());
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let socket = gate.data().join("admin.sock");
    let ended = testkit::poll(testkit::PATIENCE, || {
        let ended = child.try_wait().unwrap();
        ended
            .map(|status| status.code())
            .or(socket.exists().then_some(None))
    });
    drop(child.kill());
    child.wait().unwrap();
    ended.expect("it starts or ends")
}

#[test]
fn whatever_of_the_ledger_a_start_refuses_is_not_fit() {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    server.send(
        &call("GET", "/v1/notes/1").with("X-Person", "ann"),
        Some(&key),
    );
    let rotated = server.cli(&["ledger", "rotate-signer", "--reason", "yearly change"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let gate = server.stop().1;
    let mut whole = files(&gate.data());
    whole.retain(|path, _| path.is_file());
    let ledger = gate.data().join("ledger");
    let (mut refused, mut tried) = (0, 0);
    for (path, (bytes, ..)) in &whole {
        if path.parent() != Some(&ledger) || bytes.is_empty() {
            continue;
        }
        let half = bytes.len() / 2;
        let mut bit = bytes.clone();
        bit[half] ^= 1;
        for damaged in [None, Some(bytes[..half].to_vec()), Some(bit)] {
            match &damaged {
                None => fs::remove_file(path).unwrap(),
                Some(damaged) => fs::write(path, damaged).unwrap(),
            }
            let said = doctor(&gate).code;
            let ended = start(&gate);
            let is_told = ended != Some(3) || said == 3;
            assert!(is_told, "{}: {said} and {ended:?}", path.display());
            refused += u32::from(ended == Some(3));
            tried += 1;
            fs::remove_dir_all(gate.data()).unwrap();
            for (path, (bytes, ..)) in &whole {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
    }
    assert!(refused > 5 && tried > 15, "{refused} of {tried}");
}

#[test]
fn after_a_kill_the_unfinished_write_is_a_warning() {
    let upstream = upstream();
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(response.status, 200);
    let gate = server.kill();
    let path = newest_segment(&gate);
    let torn = [fs::read(&path).unwrap(), vec![7; 20]].concat();
    fs::write(&path, torn).unwrap();
    let said = doctor(&gate);
    said.only(2, &["ledger"]);
    said.says(
        "ledger",
        "",
        "warn",
        &["not finished (20 bytes)", "next start"],
    );
    said.says("server", "", "ok", &["down"]);
    let server = serve(gate);
    doctor_beside(&server).only(0, &[]);
}

#[test]
fn a_clock_that_was_set_back_is_held_against_the_ledger() {
    let (gate, _upstream) = used();
    {
        let kek = crypto::Kek::parse(gate.text("kek").trim()).unwrap();
        let opened = store::embedded::open(&gate.data(), &kek).unwrap();
        let dir = gate.data().join("ledger");
        let name = audit::origin_of(&dir, None).unwrap().unwrap();
        assert!(name.starts_with("portcullis/ledger/"), "{name}");
        let settings = audit::Settings::new(name);
        let opening = audit::Opening::new(dir, settings, Arc::new(opened.keys));
        let (recorder, _) = audit::Recorder::open(opening, now()).unwrap();
        let event = Event {
            at: now().plus(Duration::from_secs(7_200)),
            kind: model::Kind::Stop.into(),
            outcome: model::Outcome::Done.into(),
            ..Event::default()
        };
        recorder.record(&event).wait().unwrap();
        recorder.stop().unwrap();
    }
    let said = doctor(&gate);
    said.only(1, &["clock"]);
    said.says("clock", "", "fail", &["set back", "timedatectl"]);
}

#[test]
fn a_full_or_read_only_disk_and_a_file_in_its_place_are_named() {
    let upstream = upstream();
    let gate = Gate::small(upstream.address());
    fs::write(gate.data(), "a file").unwrap();
    let said = doctor(&gate);
    said.only(1, &["data directory", "store", "ledger"]);
    said.says("data directory", "", "fail", &["a file is in its place"]);
    fs::remove_file(gate.data()).unwrap();
    let Some(disk) = Small::mount(&gate.data(), "16m") else {
        return;
    };
    let said = doctor(&gate);
    said.only(1, &["disk"]);
    said.says("disk", "", "fail", &["MiB free", "Free some space"]);
    disk.remount("ro");
    let said = doctor(&gate);
    said.only(1, &["data directory", "disk"]);
    said.says("disk", "", "fail", &["mounted read-only"]);
}
