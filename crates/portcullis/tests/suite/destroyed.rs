//! Old records are made unreadable by whole segments, on the record, and the ledger over them still verifies.
//! Start reading at `what_is_old_is_destroyed_by_the_day_and_verify_says_by_whom`.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;
use serde_json::Value;
use testkit::{Ended, Gate, Key, RecordingUpstream, Server, WallClock, run};

use crate::{call, program, serve};

const DAY: i64 = 86_400;

/// A moment so many seconds from now by the true clock, as the command line takes it.
fn moment(seconds: i64) -> String {
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

fn destroy(server: &Server, before: &str, more: &[&str]) -> Ended {
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
    assert_ne!(server.cli(&["explain", &old]).code, Some(0));
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
    assert!(export.stderr.contains("was destroyed"), "{export:?}");
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
