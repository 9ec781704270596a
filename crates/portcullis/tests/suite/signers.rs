//! The key that signs the ledger changes, and whoever knows the first one goes on verifying.
//! Start reading at `the_first_key_verifies_the_ledger_and_its_exports_behind_every_change`.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Ended, Gate, RecordingUpstream, Server};

use crate::line::{SplitMix64, number};
use crate::{call, program, serve};

fn server() -> (RecordingUpstream, Server) {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    (upstream, server)
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// Another key signs from here on. Gives the one before and the new one.
fn rotate(server: &Server, more: &[&str]) -> (String, String) {
    let arguments = [
        "ledger",
        "rotate-signer",
        "--reason",
        "as every year",
        "-o",
        "json",
    ];
    let ended = server.cli(&[&arguments[..], more].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let response = json(&ended);
    let text = |name: &str| response[name].as_str().unwrap().to_owned();
    (text("previous_key"), text("public_key"))
}

fn verify(gate: &Gate, arguments: &[&str]) -> Ended {
    let all = [&["ledger", "verify", "-o", "json"], arguments].concat();
    testkit::run(program(), gate, &all)
}

#[test]
fn the_first_key_verifies_the_ledger_and_its_exports_behind_every_change() {
    let (_upstream, server) = server();
    let key = server.quick_key("alpha", &[]);
    let (first, second) = rotate(&server, &[]);
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(response.status, 200, "{}", response.text());
    let (before, third) = rotate(&server, &[]);
    assert_eq!(before, second);
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // A start carries the last epoch on.
    let server = serve(gate);
    let export = server.gate.home().join("export.jsonl");
    let export = export.to_str().unwrap();
    let made = server.cli(&["ledger", "export", "--from", "2", "--out", export]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.stderr.contains(&third), "{made:?}");
    let gate = server.stop().1;
    for pin in [&first, &second, &third] {
        for file in [None, Some(export)] {
            let ended = verify(
                &gate,
                &[&["--public-key", pin][..], file.as_slice()].concat(),
            );
            assert_eq!(ended.code, Some(0), "{ended:?}");
            let report = json(&ended);
            assert_eq!(report["signers"].as_array().unwrap().len(), 3, "{report}");
            assert_eq!(report["public_key"], third.as_str());
        }
    }
    let own = verify(&gate, &[]);
    assert_eq!(
        (own.code, &json(&own)["expected_epoch"]),
        (Some(0), &Value::from(2))
    );
    let doctor = testkit::run(program(), &gate, &["doctor"]);
    assert!(
        doctor.stdout.contains("the newest segment in order"),
        "{doctor:?}"
    );
}

#[test]
fn whoever_pins_a_compromised_key_is_told_to_take_the_one_behind_it() {
    let (_upstream, server) = server();
    let (first, second) = rotate(&server, &["--compromised"]);
    let gate = server.stop().1;
    let arguments = ["ledger", "verify", "--public-key", first.as_str()];
    let warned = testkit::run(program(), &gate, &arguments);
    assert_eq!(warned.code, Some(2), "{warned:?}");
    assert!(warned.stdout.contains("COMPROMISED"), "{warned:?}");
    assert!(
        warned.stdout.contains(&format!("--public-key '{second}'")),
        "{warned:?}"
    );
    assert_eq!(verify(&gate, &["--public-key", &second]).code, Some(0));
    assert_eq!(verify(&gate, &[]).code, Some(0));
}

#[test]
fn the_present_key_changes_hands_with_the_key_encryption_key() {
    let (_upstream, server) = server();
    let (first, _) = rotate(&server, &[]);
    let gate = server.stop().1;
    gate.secret("secrets/new", crypto::Kek::generate_text().expose());
    let changed = testkit::run(
        program(),
        &gate,
        &["key", "rotate-kek", "--new", "file:secrets/new"],
    );
    assert_eq!(changed.code, Some(0), "{changed:?}");
    gate.edit("portcullis.yaml", "file:kek", "file:secrets/new");
    let server = serve(gate);
    rotate(&server, &[]);
    let gate = server.stop().1;
    let ended = verify(&gate, &["--public-key", &first]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn killed_at_any_moment_of_a_change_one_key_signs_and_the_first_one_verifies() {
    let (_upstream, server) = server();
    let (first, _) = rotate(&server, &[]);
    let gate = server.stop().1;
    let begun = Instant::now();
    let arguments = ["ledger", "rotate-signer", "--reason", "again"];
    assert_eq!(testkit::run(program(), &gate, &arguments).code, Some(0));
    // How long a run takes here and now; a kill falls somewhere into it, and often behind it.
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    let (mut cut_short, mut rounds, mut epochs) = (0, 0, 3);
    let mut is_left_open = false;
    while cut_short < 12 {
        assert!(
            rounds < 90,
            "only {cut_short} of {rounds} runs were cut short"
        );
        let pause = Duration::from_micros(dice.below(whole));
        let was_done = testkit::run_and_kill(program(), &gate, &arguments, pause);
        cut_short += u32::from(!was_done);
        rounds += 1;
        let ended = verify(&gate, &["--public-key", &first]);
        assert_eq!(ended.code, Some(0), "after {pause:?}: {ended:?}");
        let now = json(&ended)["signers"].as_array().unwrap().len();
        // What a run left that was cut short may be carried on by the next one, which then makes its own change as well.
        assert!(
            now == epochs + 1
                || (now == epochs && !was_done)
                || (now == epochs + 2 && is_left_open),
            "after {pause:?}, from {epochs}: {ended:?}"
        );
        is_left_open = now == epochs;
        epochs = now;
    }
    // Whatever was left, a start carries on.
    let server = serve(gate);
    rotate(&server, &[]);
    let gate = server.stop().1;
    assert_eq!(verify(&gate, &["--public-key", &first]).code, Some(0));
}

#[test]
fn a_change_without_a_reason_changes_nothing() {
    let (_upstream, server) = server();
    let none = server.cli(&["ledger", "rotate-signer"]);
    assert_eq!(none.code, Some(64), "{none:?}");
    let empty = server.cli(&["ledger", "rotate-signer", "--reason", " "]);
    assert_eq!(empty.code, Some(64), "{empty:?}");
    assert!(
        empty.stderr.contains("was given an empty value"),
        "{empty:?}"
    );
    let gate = server.stop().1;
    assert_eq!(
        json(&verify(&gate, &[]))["signers"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_lost_key_is_told_alike_by_the_start_by_verify_and_by_doctor_and_a_running_server_makes_another()
 {
    let (_upstream, server) = server();
    rotate(&server, &[]);
    let gate = server.stop().1;
    let key = gate.data().join("ledger/signer-1.key");
    let good = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let verified = testkit::run(program(), &gate, &["ledger", "verify"]);
    let doctor = testkit::run(program(), &gate, &["doctor"]);
    let copy = Gate::copied(&gate.dir());
    copy.secret("kek", &gate.text("kek"));
    let refused = Server::try_start(program(), copy).err().unwrap();
    for (ended, said) in [
        (&*refused, &refused.stderr),
        (&verified, &verified.stdout),
        (&doctor, &doctor.stdout),
    ] {
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(said.contains("signer-1.key"), "{said}");
        assert!(said.contains("bring this file back"), "{said}");
    }
    fs::write(&key, good).unwrap();
    let server = serve(gate);
    fs::remove_file(&key).unwrap();
    fs::remove_file(server.gate.data().join("ledger/signers")).unwrap();
    rotate(&server, &[]);
    let gate = server.stop().1;
    let report = verify(&gate, &[]);
    assert_eq!(report.code, Some(0), "{report:?}");
    assert_eq!(json(&report)["signers"].as_array().unwrap().len(), 3);
    serve(gate).stop();
}
