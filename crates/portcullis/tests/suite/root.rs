//! The root key changes hands: whole, recorded, with another key that signs, and at no moment with data that nothing opens.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Ended, Gate, Key, RecordingUpstream, run};

use crate::line::{SplitMix64, number};
use crate::{call, program, serve};

/// A gate with data and a credential.
fn gate() -> (RecordingUpstream, Gate, Key) {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    assert_eq!(
        server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
        200
    );
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    (upstream, gate, key)
}

const ROTATE: [&str; 6] = ["key", "rotate-root", "--reason", "it leaked", "-o", "json"];

fn value(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
}

fn outcomes(gate: &Gate) -> Vec<(String, String)> {
    let show = ["ledger", "show", "--kind", "root.rotate", "-o", "json"];
    let shown = value(&run(program(), gate, &show));
    let records = shown["records"].as_array().unwrap();
    let told = records.iter().map(|record| {
        let text = |name: &str| record["event"][name].as_str().unwrap().to_owned();
        (text("outcome"), text("detail"))
    });
    told.collect()
}

#[test]
fn everything_goes_on_under_the_new_root_and_the_old_database_is_worth_nothing() {
    let (_upstream, gate, key) = gate();
    let jwks = run(program(), &gate, &["key", "jwks"]).stdout;
    let before = fs::read(gate.data().join(store::DATABASE)).unwrap();
    let rotated = value(&run(program(), &gate, &ROTATE));
    let (old, new) = (
        rotated["old"].as_str().unwrap(),
        rotated["new"].as_str().unwrap(),
    );
    assert_ne!(old, new);
    let told = outcomes(&gate);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "done");
    assert!(
        told[0].1.contains(old) && told[0].1.contains(new),
        "{told:?}"
    );
    assert_ne!(run(program(), &gate, &["key", "jwks"]).stdout, jwks);
    // The old signer is ended: whoever has the old root signs nothing that counts.
    let signer = rotated["public_key"].as_str().unwrap().to_owned();
    let verify = ["ledger", "verify", "--public-key", &signer];
    let verified = run(program(), &gate, &verify);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let server = serve(gate);
    let sent = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(sent.status, 200, "{}", sent.text());
    let later = server.quick_key("alpha", &[]);
    assert_eq!(
        server
            .send(&call("GET", "/v1/notes/1"), Some(&later))
            .status,
        200
    );
    let (_, gate) = server.stop();
    let verified = run(program(), &gate, &verify);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    // The database of before has the old root alone: nothing that was written since opens with it.
    fs::write(gate.data().join(store::DATABASE), before).unwrap();
    let refused = testkit::Server::try_start(program(), gate).err().unwrap();
    assert_ne!(refused.code, Some(0), "{refused:?}");
}

#[test]
fn beside_a_running_server_nothing_changes() {
    let (_upstream, gate, _) = gate();
    let server = serve(gate);
    let refused = server.cli(&ROTATE);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("in use by process"), "{refused:?}");
    let (_, gate) = server.stop();
    assert!(outcomes(&gate).is_empty());
}

#[test]
fn killed_at_any_moment_one_of_the_two_roots_is_the_present_one() {
    let (_upstream, gate, key) = gate();
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    let begun = Instant::now();
    value(&run(program(), &gate, &ROTATE));
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let (mut cut_short, mut rounds) = (0, 0);
    while cut_short < 12 {
        assert!(
            rounds < 60,
            "only {cut_short} of {rounds} runs were cut short"
        );
        let pause = Duration::from_micros(dice.below(whole));
        cut_short += u32::from(!testkit::run_and_kill(program(), &gate, &ROTATE, pause));
        rounds += 1;
        // A change opens store and ledger, and closes what was left open.
        let made = run(
            program(),
            &gate,
            &["key", "create", "--integration", "alpha"],
        );
        assert_eq!(made.code, Some(0), "after {pause:?}: {made:?}");
        let verified = run(program(), &gate, &["ledger", "verify"]);
        assert_eq!(verified.code, Some(0), "after {pause:?}: {verified:?}");
    }
    let told = outcomes(&gate);
    assert!(
        told.iter()
            .all(|(outcome, _)| outcome == "done" || outcome == "failed"),
        "{told:?}"
    );
    // Each begins at the root where the one before it came to, or at the same where that failed.
    let server = serve(gate);
    assert_eq!(
        server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
        200
    );
}
