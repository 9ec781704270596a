//! What the ledger says of a person can be made unreadable for everybody, on the record, and all else stays as it was.
//! Start reading at `an_erased_person_is_in_no_answer_and_everything_else_is_as_before`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Ended, Gate, Key, RecordingUpstream, Server, WallClock, run};

use crate::line::{SplitMix64, number};
use crate::{call, program, serve};

/// A name that nothing else holds.
const ANN: &str = "ann-marie quux";

fn server() -> (RecordingUpstream, Server, Key) {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    (upstream, server, key)
}

/// A call of a person; gives its decision.
fn get(server: &Server, key: &Key, person: &str, target: &str) -> String {
    let asked = call("GET", target).with("X-Person", person);
    let response = server.send(&asked, Some(key));
    response.header("portcullis-decision").unwrap().to_owned()
}

fn erase(server: &Server, more: &[&str]) -> Ended {
    let arguments = ["ledger", "erase", "--reason", "ticket 4711", "-o", "json"];
    server.cli(&[&arguments[..], more].concat())
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// Every byte below a directory.
fn bytes_below(dir: &Path, all: &mut Vec<u8>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes_below(&path, all);
        } else if path.is_file() {
            all.extend(fs::read(&path).unwrap());
        }
    }
}

fn holds(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// The records of an export, as they are sealed.
fn exported(gate: &Gate) -> Vec<Value> {
    let export = run(program(), gate, &["ledger", "export"]);
    assert_eq!(export.code, Some(0), "{export:?}");
    let lines = export
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter_map(|line| line.get("event").cloned())
        .collect()
}

#[test]
fn an_erased_person_is_in_no_answer_and_everything_else_is_as_before() {
    let (_upstream, server, key) = server();
    let hers = get(&server, &key, ANN, "/v1/notes/1");
    let hers_refused = get(&server, &key, ANN, "/v1/notes/1?nope=1");
    let his = get(&server, &key, "bob", "/v1/notes/1");
    let blocked = server.cli(&[
        "block",
        "add",
        &format!("user:alpha/{ANN}"),
        "--for",
        "10m",
        "--reason",
        "tests",
    ]);
    assert_eq!(blocked.code, Some(0), "{blocked:?}");
    let hers_blocked = get(&server, &key, ANN, "/v1/notes/1");
    let all = [&hers, &hers_refused, &hers_blocked];
    let found = server.ledger_of(&json!({ "user": ANN }));
    assert_eq!(found.len(), 4, "three calls and the block: {found:?}");
    assert!(server.cli(&["explain", &hers]).stdout.contains(ANN));
    assert_eq!(
        server.event(&hers_blocked)["blocked"]["subject"],
        format!("user:alpha/{ANN}")
    );
    let row = fs::read(server.gate.data().join("ledger/subjects")).unwrap()[..128].to_vec();

    let done = erase(&server, &["--user", ANN]);
    assert_eq!(
        (done.code, &json(&done)["is_blocked"]),
        (Some(0), &Value::Bool(true)),
        "{done:?}"
    );
    let subject = json(&done)["subject"].as_str().unwrap().to_owned();
    for decision in all {
        let event = server.event(decision);
        assert_eq!(
            event["personal"],
            json!([{ "subjects": [subject], "state": "erased" }])
        );
        assert_eq!(
            (&event["integration"], &event["method"]),
            (&json!("alpha"), &json!("GET"))
        );
        let explained = server.cli(&["explain", decision]);
        assert!(
            explained.code == Some(0) && explained.stdout.contains("person erased"),
            "{explained:?}"
        );
        assert!(!explained.stdout.contains(ANN), "{explained:?}");
    }
    assert_eq!(server.event(&his)["user"], "bob");
    assert_eq!(server.event(&his)["path"], "/v1/notes/1");
    assert!(server.ledger_of(&json!({ "user": ANN })).is_empty());
    let of_subject = server.ledger_of(&json!({ "subject": subject }));
    assert_eq!(of_subject.len(), 5, "and the erasure: {of_subject:?}");
    assert!(!format!("{:?}", server.ledger()).contains(ANN));
    // What is left of the key that her values were sealed with, and of what led from her name to it: nothing.
    let gate = server.stop().1;
    let mut bytes = Vec::new();
    bytes_below(&gate.data(), &mut bytes);
    for gone in [&row[17..49], &row[57..118], ANN.as_bytes()] {
        assert!(!holds(&bytes, gone));
    }
    verified(&gate, json(&done)["record"].as_u64().unwrap(), 5);
}

/// The directory and an export are in order, and say who was erased.
fn verified(gate: &Gate, record: u64, records: u64) {
    let verified = run(program(), gate, &["ledger", "verify", "-o", "json"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let report = json(&verified);
    assert_eq!(report["erasures"][0]["record"], record, "{report}");
    // The intent and the outcome of the block count as well.
    assert_eq!(report["erased"], records, "{report}");
    let file = gate.home().join("export.jsonl");
    let file = file.to_str().unwrap();
    let made = run(program(), gate, &["ledger", "export", "--out", file]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(
        run(program(), gate, &["ledger", "verify", file]).code,
        Some(0)
    );
    let opened = gate.home().join("opened.jsonl");
    let arguments = ["ledger", "export", "--opened", opened.to_str().unwrap()];
    let made = run(program(), gate, &arguments);
    assert_eq!(made.code, Some(0), "{made:?}");
    let names = fs::read_to_string(&opened).unwrap();
    assert!(names.contains("\"bob\"") && !names.contains(ANN), "{names}");
    let again = run(program(), gate, &arguments);
    assert!(
        again.code != Some(0) && fs::read_to_string(&opened).unwrap() == names,
        "{again:?}"
    );
    let text = fs::read_to_string(file).unwrap();
    assert!(
        !text.contains(ANN) && !text.contains("\"bob\""),
        "an export holds sealed values"
    );
}

#[test]
fn whoever_calls_again_is_somebody_new_also_behind_a_restart_and_another_key_encryption_key() {
    let (_upstream, server, key) = server();
    let before = get(&server, &key, ANN, "/v1/notes/1");
    assert_eq!(erase(&server, &["--user", ANN]).code, Some(0));
    let again = erase(&server, &["--user", ANN]);
    assert_eq!(
        (again.code, &json(&again)["is_done"]),
        (Some(2), &Value::Bool(false)),
        "{again:?}"
    );
    assert_eq!(
        server.ledger_of(&json!({ "kind": "ledger.erase" })).len(),
        1,
        "once is enough"
    );
    let after = get(&server, &key, ANN, "/v1/notes/1");
    let gate = server.stop().1;
    gate.secret("secrets/new", crypto::Kek::generate_text().expose());
    let changed = run(
        program(),
        &gate,
        &["key", "rotate-kek", "--new", "file:secrets/new"],
    );
    assert_eq!(changed.code, Some(0), "{changed:?}");
    gate.edit("portcullis.yaml", "file:kek", "file:secrets/new");
    let server = serve(gate);
    assert_eq!(server.event(&before)["personal"][0]["state"], "erased");
    assert_eq!(server.event(&after)["user"], ANN);
    let later = get(&server, &key, ANN, "/v1/notes/1");
    assert_eq!(server.ledger_of(&json!({ "user": ANN })).len(), 2);
    assert_eq!(server.event(&later)["user"], ANN);
}

#[test]
fn a_person_who_comes_back_from_a_backup_is_named_and_erased_again() {
    let (_upstream, server, key) = server();
    let hers = get(&server, &key, ANN, "/v1/notes/1");
    let his = get(&server, &key, "bob", "/v1/notes/1");
    let file = server.gate.data().join("ledger/subjects");
    let copy = fs::read(&file).unwrap();
    let done = erase(&server, &["--user", ANN]);
    let subject = json(&done)["subject"].as_str().unwrap().to_owned();
    let gate = server.stop().1;
    fs::write(&file, copy).unwrap();
    let verified = run(program(), &gate, &["ledger", "verify", "-o", "json"]);
    assert_eq!(verified.code, Some(2), "{verified:?}");
    assert_eq!(json(&verified)["returned"]["subjects"], json!([subject]));
    let doctor = run(program(), &gate, &["doctor"]);
    let words = "the keys of 1 person are there again";
    assert!(doctor.stdout.contains(words), "{doctor:?}");
    let server = serve(gate);
    assert_eq!(server.event(&hers)["personal"][0]["state"], "erased");
    assert_eq!(server.event(&his)["user"], "bob");
    assert_eq!(erasures(&server), (1, 1));
    let by = server.ledger_of(&json!({ "kind": "ledger.erase" }));
    assert_eq!(
        (by.len(), &by[1]["actor"]["authenticated_by"]),
        (2, &json!("server")),
        "{by:?}"
    );
    let gate = server.stop().1;
    let verified = run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn a_slip_erases_nobody() {
    let (_upstream, server, key) = server();
    let beta = server.quick_key("beta", &[]);
    get(&server, &key, "17", "/v1/notes/1");
    get(&server, &key, ANN, "/v1/notes/1");
    get(&server, &beta, "17", "/v1/notes/1");
    let named = server.cli(&[
        "ledger",
        "erase",
        "--user",
        ANN,
        "--reason",
        "Ann-Marie Quux asked",
    ]);
    assert!(
        named.code == Some(64) && named.stderr.contains("names the person"),
        "{named:?}"
    );
    let blank = server.cli(&["ledger", "erase", "--user", ANN, "--reason", " "]);
    assert!(blank.code == Some(64), "{blank:?}");
    let nobody = erase(&server, &["--user", "ann-marie"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    let elsewhere = erase(&server, &["--user", ANN, "--integration", "beta"]);
    assert_eq!(elsewhere.code, Some(2), "{elsewhere:?}");
    assert!(
        server
            .ledger_of(&json!({ "kind": "ledger.erase" }))
            .is_empty()
    );
    assert_eq!(server.ledger_of(&json!({ "user": ANN })).len(), 1);
}

#[test]
fn what_one_integration_states_is_not_what_another_one_does() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let gate = Gate::small(upstream.address());
    let alpha = gate.text("integrations/alpha.yaml");
    gate.write("integrations/beta.yaml", alpha.replace("alpha@", "beta@"));
    let server = serve(gate);
    let keys = ["alpha", "beta"].map(|name| server.quick_key(name, &[]));
    let calls = keys
        .each_ref()
        .map(|key| get(&server, key, "17", "/v1/notes/1"));
    let several = erase(&server, &["--user", "17"]);
    assert_eq!(several.code, Some(1), "{several:?}");
    assert!(several.stderr.contains("alpha, beta"), "{several:?}");
    assert_eq!(
        erase(&server, &["--user", "17", "--integration", "beta"]).code,
        Some(0)
    );
    assert_eq!(server.event(&calls[0])["user"], "17");
    assert_eq!(server.event(&calls[1])["personal"][0]["state"], "erased");
}

/// The erasures that the ledger speaks of, and those that happened.
fn erasures(server: &Server) -> (usize, usize) {
    let intents = server.ledger_of(&json!({ "kind": "intent" }));
    let begun = intents
        .iter()
        .filter(|event| event["operation"] == "ledger.erase");
    let mut subjects: Vec<&str> = begun
        .map(|event| event["erases"].as_str().unwrap())
        .collect();
    subjects.sort_unstable();
    subjects.dedup();
    let ended = server.ledger_of(&json!({ "kind": "ledger.erase" }));
    assert!(
        ended.iter().all(|event| event["outcome"] == "done"),
        "{ended:?}"
    );
    let calls = server.ledger_of(&json!({ "kind": "request" }));
    let erased = calls.iter().filter(|event| {
        let subject = &event["personal"][0]["subjects"][0];
        subject
            .as_str()
            .is_some_and(|subject| subjects.contains(&subject))
    });
    let erased = erased.count();
    let unread = calls
        .iter()
        .filter(|event| !event["personal"].is_null())
        .count();
    assert_eq!(
        erased, unread,
        "nobody is unreadable whom no record speaks of"
    );
    (subjects.len(), erased)
}

#[test]
fn killed_at_any_moment_whoever_the_ledger_says_is_erased_is_erased_at_the_next_start() {
    let (_upstream, server, key) = server();
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    let name = |n: usize| format!("person {n:03}");
    for n in 0..91 {
        get(&server, &key, &name(n), "/v1/notes/1");
    }
    let gate = server.stop().1;
    let begun = Instant::now();
    let command = |name: &'_ str| {
        ["ledger", "erase", "--reason", "x", "--user"]
            .map(str::to_owned)
            .into_iter()
            .chain([name.to_owned()])
            .collect::<Vec<_>>()
    };
    let run_once = command(&name(90));
    let arguments: Vec<&str> = run_once.iter().map(String::as_str).collect();
    assert_eq!(run(program(), &gate, &arguments).code, Some(0));
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let (mut cut_short, mut rounds) = (0, 0);
    while cut_short < 12 {
        assert!(
            rounds < 90,
            "only {cut_short} of {rounds} runs were cut short"
        );
        let arguments = command(&name(rounds));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        // A kill falls somewhere into a run, and often behind it.
        let pause = Duration::from_micros(dice.below(whole));
        cut_short += u32::from(!testkit::run_and_kill(program(), &gate, &arguments, pause));
        rounds += 1;
        let verified = run(program(), &gate, &["ledger", "verify"]);
        assert_eq!(verified.code, Some(0), "after {pause:?}: {verified:?}");
    }
    let server = serve(gate);
    let (said, erased) = erasures(&server);
    println!("{rounds} erasures, {cut_short} cut short, {said} on the record");
    assert_eq!(said, erased);
    assert!(erased > 0);
    let gate = server.stop().1;
    assert_eq!(run(program(), &gate, &["ledger", "verify"]).code, Some(0));
}

/// Both an intent and its outcome name the person, and each is sealed; so is what a start makes of an open intent.
#[test]
fn a_write_that_a_kill_left_open_is_closed_without_a_name_in_the_clear() {
    let upstream = RecordingUpstream::start(|_| testkit::Play::Hang(Vec::new()));
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let address = server.address("public");
    let request = format!(
        "POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nX-Person: {ANN}\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{{\"title\":\"t\"}}",
        key.text
    );
    let mut line = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut line, request.as_bytes()).unwrap();
    let came = testkit::poll(testkit::PATIENCE, || {
        (!upstream.requests().is_empty()).then_some(())
    });
    assert!(came.is_some(), "the write was forwarded");
    let server = serve(server.kill());
    let found = server.ledger_of(&json!({ "user": ANN, "code": "upstream.cut" }));
    assert_eq!(found.len(), 1, "{found:?}");
    let gate = server.stop().1;
    let records = exported(&gate);
    let sealed = records
        .iter()
        .filter(|record| !record["personal"].is_null());
    assert_eq!(sealed.count(), 2, "the intent and its outcome");
    assert!(
        records
            .iter()
            .all(|record| !record.to_string().contains(ANN))
    );
}

#[test]
fn persons_whom_no_record_names_any_more_are_forgotten() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let (clock, gate) = WallClock::prepare(Gate::small(upstream.address()));
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    get(&server, &key, ANN, "/v1/notes/1");
    get(&server, &key, "bob", "/v1/notes/1");
    clock.set(2 * 86_400);
    let kept = get(&server, &key, "bob", "/v1/notes/1");
    let rows = |gate: &Gate| {
        let bytes = fs::read(gate.data().join("ledger/subjects")).unwrap();
        bytes.chunks(128).filter(|row| row[0] != 0).count()
    };
    assert_eq!(rows(&server.gate), 2);
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let day = i64::try_from(since.as_micros()).unwrap() + 86_400_000_000;
    let before = model::Timestamp::from_micros(day).to_string();
    let mut arguments = vec![
        "ledger", "destroy", "--before", &before, "--reason", "x", "-o", "json",
    ];
    let planned = json(&server.cli(&arguments))["records"].to_string();
    arguments.extend(["--confirm", &planned]);
    assert_eq!(server.cli(&arguments).code, Some(0));
    assert_eq!(rows(&server.gate), 1);
    assert_eq!(server.event(&kept)["user"], "bob");
    let gate = server.stop().1;
    assert_eq!(run(program(), &gate, &["ledger", "verify"]).code, Some(0));
}

/// Rows in the file of keys that are neither free nor of anybody: as full as a ledger of a hundred thousand persons.
#[test]
fn nobody_new_is_served_where_the_ledger_can_tell_no_more_persons_apart() {
    let (upstream, server, key) = server();
    get(&server, &key, "bob", "/v1/notes/1");
    let gate = server.stop().1;
    let path = gate.data().join("ledger/subjects");
    let mut rows = fs::read(&path).unwrap();
    for n in rows.len() / 128..100_000 {
        let mut row = [0; 128];
        row[0] = 1;
        row[1..9].copy_from_slice(&n.to_le_bytes());
        rows.extend(row);
    }
    fs::write(&path, rows).unwrap();
    let server = serve(gate);
    upstream.forget();
    let asked = call("GET", "/v1/notes/1").with("X-Person", ANN);
    let refused = server.send(&asked, Some(&key));
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(
        refused.text().contains("authn.too_many_persons"),
        "{}",
        refused.text()
    );
    assert!(upstream.requests().is_empty());
    let event = server.event(refused.header("portcullis-decision").unwrap());
    assert_eq!(
        (&event["user"], &event["integration"]),
        (&Value::Null, &json!("alpha"))
    );
    // Who was met, and who names nobody, is served, and nobody is blocked for it.
    for person in [Some("bob"), None] {
        let asked = call("GET", "/v1/notes/1");
        let asked = person.map_or(asked.clone(), |name| asked.with("X-Person", name));
        assert_eq!(server.send(&asked, Some(&key)).status, 200);
    }
}
