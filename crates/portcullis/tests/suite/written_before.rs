//! What earlier versions wrote is read for ever: data directories, ledgers and exports from `tests/written-before`.
//! Each directory there was written by the released program of its day and is never written again:
//! `1` is form 1 of the ledger, with records of schema 1.
//! Start reading at `an_installation_of_form_1_is_taken_over_whole`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Ended, Gate, Key, RecordingUpstream, Server, bar, run};

use crate::{call, program, serve};

/// Where an earlier version left its files.
fn place(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/written-before")
        .join(version)
}

/// A copy of an installation, in front of this upstream.
fn installation(version: &str, upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::copied(&place(version).join("gate"));
    let kek = gate.text("kek");
    gate.secret("kek", &kek);
    let api = gate.text("apis/notes.yaml");
    let (before, after) = api.split_once("http://127.0.0.1:").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    gate.write(
        "apis/notes.yaml",
        format!("{before}http://{}\"{after}", upstream.address()),
    );
    gate
}

/// The records of an export, as their exact bytes.
fn records(export: &str) -> Vec<&str> {
    let lines = export.lines().filter_map(|line| {
        let (_, event) = line.split_once(r#","event":"#)?;
        event.strip_suffix('}')
    });
    lines.collect()
}

fn good(gate: &Gate, arguments: &[&str]) -> Ended {
    let ended = run(program(), gate, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    ended
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The export, with the key that its owner would have been given.
fn export_and_key(version: &str) -> (String, String) {
    let export = fs::read_to_string(place(version).join("export.jsonl")).unwrap();
    let header: Value = serde_json::from_str(export.lines().next().unwrap()).unwrap();
    let key = header["public_key"].as_str().unwrap().to_owned();
    (export, key)
}

#[test]
fn an_installation_of_form_1_is_taken_over_whole() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let gate = installation("1", &upstream);
    let (export, key) = export_and_key("1");
    let before = records(&export);
    let verified = json(&good(&gate, &["ledger", "verify", "-o", "json"]));
    assert_eq!(verified["records"], 41, "{verified}");
    assert_eq!(verified["public_key"], key.as_str(), "{verified}");
    let again = good(&gate, &["ledger", "export"]);
    // That somebody took a copy is recorded behind them.
    assert_eq!(
        records(&again.stdout)[..before.len()],
        before,
        "each record keeps its bytes"
    );

    let server = serve(gate);
    let response = server.send(&call("GET", "/v1/notes/1"), None);
    assert_eq!(response.status, 401, "{}", response.text());
    assert_eq!(
        server.event(response.decision().unwrap())["code"],
        "authn.missing"
    );
    explained(&server, &before);
    let (_, gate) = server.stop();
    let verified = json(&good(&gate, &["ledger", "verify", "-o", "json"]));
    let now = verified["records"].as_u64().unwrap();
    assert!(now >= 44, "start, request and stop follow: {verified}");
    let whole = good(&gate, &["ledger", "export"]);
    assert_eq!(records(&whole.stdout)[..before.len()], before);
    bar(
        "T3",
        "records of form 1 read byte for byte",
        before.len(),
        true,
    );
}

/// Each decision of the old records is explained.
fn explained(server: &Server, before: &[&str]) {
    let mut explained = 0;
    for record in before {
        let event: Value = serde_json::from_str(record).unwrap();
        let Some(id) = event["id"].as_str() else {
            continue;
        };
        let decision = good(&server.gate, &["explain", id, "-o", "json"]);
        let decision = json(&decision);
        let found = &decision["decision"]["event"];
        for name in ["at", "outcome", "code", "integration", "path", "status"] {
            // What stood in a sentence only is a field when it is read; nothing that was a field is read otherwise.
            if event["kind"] != "intent" && !event[name].is_null() {
                assert_eq!(found[name], event[name], "{name} of {id}: {decision}");
            }
        }
        explained += 1;
    }
    assert_eq!(explained, 30);
}

#[test]
fn an_export_of_form_1_verifies_and_a_changed_one_does_not() {
    let upstream = RecordingUpstream::always("{}");
    let gate = installation("1", &upstream);
    let (export, key) = export_and_key("1");
    let file = place("1").join("export.jsonl");
    let arguments = [
        "ledger",
        "verify",
        file.to_str().unwrap(),
        "--public-key",
        &key,
    ];
    // Nothing in this form signs where an export begins and ends.
    let verified = run(program(), &gate, &arguments);
    assert_eq!(verified.code, Some(2), "{verified:?}");
    assert!(
        verified.stdout.starts_with("NOT PROVEN WHOLE: 41 records"),
        "{verified:?}"
    );
    let changed = gate.home().join("changed.jsonl");
    fs::write(
        &changed,
        export.replacen("\"status\":403", "\"status\":200", 1),
    )
    .unwrap();
    let arguments = [
        "ledger",
        "verify",
        changed.to_str().unwrap(),
        "--public-key",
        &key,
    ];
    assert_eq!(run(program(), &gate, &arguments).code, Some(3));
}

#[test]
fn keys_made_by_an_earlier_version_are_known_and_revoked_ones_stay_revoked() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(installation("1", &upstream));
    let listed = json(&server.cli(&["key", "list", "-o", "json"]));
    let mut states: Vec<&str> = listed["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["state"].as_str().unwrap())
        .collect();
    states.sort_unstable();
    assert_eq!(
        (states.len(), states.last()),
        (3, Some(&"revoked")),
        "{listed}"
    );
    let text = fs::read_to_string(place("1").join("alpha.key")).unwrap();
    let key = Key {
        id: String::new(),
        text: text.trim().to_owned(),
    };
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    // The key ends in February 2027: whenever this runs, it is known.
    let event = server.event(response.decision().unwrap());
    assert_eq!(event["integration"], "alpha", "{event}");
}
