//! Old records are made unreadable by whole segments, on the record, and the ledger over them still verifies.
//! Start reading at `what_is_old_is_destroyed_by_the_day_and_verify_says_by_whom`.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;
use serde_json::Value;
use testkit::{Ended, Gate, Key, RecordingUpstream, Server, WallClock, run};

use crate::{call, program, serve};

pub const DAY: i64 = 86_400;

/// A moment so many seconds from now by the true clock, as the command line takes it.
pub fn moment(seconds: i64) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(since.as_micros()).unwrap();
    Timestamp::from_micros(now + seconds * 1_000_000).to_string()
}

/// A server whose ledger has a segment of today and one of the day after tomorrow, which is its present. Gives the id of a
/// decision of today.
fn three_days() -> (RecordingUpstream, WallClock, Server, Key, String) {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let (clock, gate) = WallClock::prepare(Gate::small(upstream.address()));
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let old = get(&server, &key);
    clock.set(2 * DAY);
    get(&server, &key);
    (upstream, clock, server, key, old)
}

/// A call, and the id of its decision.
fn get(server: &Server, key: &Key) -> String {
    let response = server.send(&call("GET", "/v1/notes/1"), Some(key));
    assert_eq!(response.status, 200, "{}", response.text());
    response.header("portcullis-decision").unwrap().to_owned()
}

pub fn destroy(server: &Server, before: &str, more: &[&str]) -> Ended {
    let arguments = [
        "ledger",
        "destroy",
        "--before",
        before,
        "--reason",
        "kept for a day",
        "-o",
        "json",
    ];
    server.cli(&[&arguments[..], more].concat())
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

fn segments(gate: &Gate) -> usize {
    let files = fs::read_dir(gate.data().join("ledger")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".seg")).count()
}

#[test]
fn what_is_old_is_destroyed_by_the_day_and_verify_says_by_whom() {
    let (_upstream, _clock, server, key, old) = three_days();
    assert_eq!(segments(&server.gate), 2);
    let before = moment(DAY);
    let planned = destroy(&server, &before, &[]);
    assert_eq!(planned.code, Some(2), "{planned:?}");
    let records = json(&planned)["records"].as_u64().unwrap();
    assert!(
        records > 2 && json(&planned)["is_done"] == false,
        "{planned:?}"
    );
    assert_eq!(
        server.cli(&["explain", &old]).code,
        Some(0),
        "nothing was destroyed yet"
    );
    let done = destroy(&server, &before, &["--confirm", &records.to_string()]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let record = json(&done)["record"].as_u64().unwrap();
    // It is gone for everybody, and the server goes on.
    let explained = server.cli(&["explain", &old]);
    assert_ne!(explained.code, Some(0));
    assert!(explained.stderr.contains("were destroyed"), "{explained:?}");
    shown_as_gone(&server, records, record);
    let mut shown = json(&server.cli(&["ledger", "show", "--limit", "10000", "-o", "json"]));
    // That somebody looked at it is no part of it.
    let all = shown["records"].as_array_mut().unwrap();
    all.retain(|record| record["event"]["kind"] != "decision.explain");
    assert!(!shown.to_string().contains(&old), "{shown}");
    get(&server, &key);
    let again = destroy(&server, &before, &[]);
    assert!(
        again.stderr.contains("no segment that can be destroyed"),
        "{again:?}"
    );
    verified_without_a_server(&server.stop().1, records, record);
}

/// Whoever looks for what was destroyed is told that it was, and nobody else is.
fn shown_as_gone(server: &Server, records: u64, record: u64) {
    let until = moment(DAY);
    let gone = server.cli(&["ledger", "show", "--until", &until, "-o", "json"]);
    assert_eq!(json(&gone)["records"], Value::Array(Vec::new()), "{gone:?}");
    let page = json(&gone);
    let [told] = page["destroyed"].as_array().unwrap().as_slice() else {
        panic!("{gone:?}");
    };
    assert_eq!(
        (
            told["first_seq"].as_u64(),
            told["last_seq"].as_u64(),
            told["record"].as_u64()
        ),
        (Some(0), Some(records - 1), Some(record))
    );
    let gone = server.cli(&["ledger", "show", "--until", &until]);
    assert!(
        gone.stderr.contains("No record matches")
            && gone
                .stderr
                .contains(&format!("#0 to #{} cannot be searched", records - 1))
            && gone.stderr.contains("kept for a day"),
        "{gone:?}"
    );
    // Not where the list is full before it comes to them, nor where they are all older than what is asked for.
    let newest = json(&server.cli(&["ledger", "show", "--limit", "1", "-o", "json"]));
    let since = newest["records"][0]["event"]["at"].as_i64().unwrap();
    let since = Timestamp::from_micros(since).to_string();
    for more in [["--since", since.as_str()], ["--limit", "1"]] {
        let shown = server.cli(&[&["ledger", "show", "-o", "json"], &more[..]].concat());
        let page = json(&shown);
        let nothing_gone = page["destroyed"] == Value::Array(Vec::new());
        assert!(
            nothing_gone && page["records"][0].is_object(),
            "{more:?}: {shown:?}"
        );
    }
}

/// It is gone also for whoever has the files and the key-encryption key, and everything over it is in order.
fn verified_without_a_server(gate: &Gate, records: u64, record: u64) {
    let verified = run(program(), gate, &["ledger", "verify", "-o", "json"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let report = json(&verified);
    assert_eq!(
        (report["destroyed"].as_u64(), &report["is_good"]),
        (Some(records), &Value::Bool(true))
    );
    let told = &report["destructions"][0];
    assert_eq!(
        (told["record"].as_u64(), told["first_seq"].as_u64()),
        (Some(record), Some(0))
    );
    assert!(told["by"].as_str().unwrap().contains("(uid "), "{told}");
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .ends_with(": kept for a day"),
        "{told}"
    );
    let export = run(program(), gate, &["ledger", "export", "--from", "0"]);
    let begin = format!("were destroyed and cannot be read any more; begin with #{records}");
    assert!(export.stderr.contains(&begin), "{export:?}");
    let rest = gate.home().join("rest.jsonl");
    let rest = rest.to_str().unwrap();
    let from = records.to_string();
    let made = run(
        program(),
        gate,
        &["ledger", "export", "--from", &from, "--out", rest],
    );
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(
        run(program(), gate, &["ledger", "verify", rest]).code,
        Some(0)
    );
    // A key that is simply gone is damage, and not destroyed.
    let key = gate.data().join("ledger/00000000000000000000.key");
    fs::remove_file(key).unwrap();
    let verified = run(program(), gate, &["ledger", "verify"]);
    assert_eq!(verified.code, Some(3), "{verified:?}");
}

#[test]
fn a_key_that_comes_back_from_a_backup_is_named_and_destroyed_again() {
    let (_upstream, _clock, server, _, old) = three_days();
    let key = server.gate.data().join("ledger/00000000000000000000.key");
    let copy = fs::read(&key).unwrap();
    let planned = json(&destroy(&server, &moment(DAY), &[]));
    let records = planned["records"].as_u64().unwrap();
    let confirmed = destroy(&server, &moment(DAY), &["--confirm", &records.to_string()]);
    assert_eq!(confirmed.code, Some(0), "{confirmed:?}");
    let gate = server.stop().1;
    fs::write(&key, &copy).unwrap();
    let verified = run(program(), &gate, &["ledger", "verify", "-o", "json"]);
    assert_eq!(verified.code, Some(2), "{verified:?}");
    let returned = &json(&verified)["returned"];
    assert_eq!(
        (&returned["records"], &returned["segments"][0]["first_seq"]),
        (&records.into(), &0.into()),
        "{verified:?}"
    );
    let verified = run(program(), &gate, &["ledger", "verify"]);
    let words =
        format!("CAUTION: the keys of {records} records that were destroyed are there again");
    assert!(verified.stdout.contains(&words), "{verified:?}");
    let doctor = run(program(), &gate, &["doctor"]);
    assert!(
        doctor.code != Some(0) && doctor.stdout.contains("are there again"),
        "{doctor:?}"
    );
    let server = serve(gate);
    assert_ne!(server.cli(&["explain", &old]).code, Some(0));
    assert_ne!(fs::read(&key).unwrap(), copy);
    let shown = server.cli(&["ledger", "show", "--kind", "ledger.destroy", "-o", "json"]);
    let events = json(&shown)["records"].clone();
    assert_eq!(
        (
            &events[0]["event"]["outcome"],
            &events[0]["event"]["actor"]["authenticated_by"]
        ),
        (&"done".into(), &"server".into()),
        "{shown:?}"
    );
    let gate = server.stop().1;
    let verified = run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let doctor = run(program(), &gate, &["doctor"]);
    assert!(!doctor.stdout.contains("are there again"), "{doctor:?}");
}

#[test]
fn a_slip_destroys_nothing() {
    let (_upstream, _clock, server, _, old) = three_days();
    let before = moment(DAY);
    for (before, more, words) in [
        (moment(9 * DAY), &[][..], "is still to come"),
        (moment(-DAY), &[], "no segment that can be destroyed"),
        (
            before.clone(),
            &["--confirm", "1"],
            "would be destroyed, not 1",
        ),
        (before.clone(), &["--reason", " "], ""),
    ] {
        let refused = destroy(&server, &before, more);
        assert!(
            refused.code == Some(1) || refused.code == Some(64),
            "{refused:?}"
        );
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    let unknown = server.cli(&["ledger", "destroy", "--before", "soon", "--reason", "x"]);
    assert_eq!(unknown.code, Some(64), "{unknown:?}");
    assert_eq!(server.cli(&["explain", &old]).code, Some(0));
    assert!(
        !server
            .cli(&["ledger", "show", "-o", "json"])
            .stdout
            .contains("ledger.destroy")
    );
}
