//! The key-encryption key changes hands: whole, recorded, and at no moment without a key that opens the data.

use std::fs;
use std::time::{Duration, Instant};

use testkit::{Ended, Gate, Key, RecordingUpstream, run};

use crate::line::{SplitMix64, number};
use crate::{call, program, serve};

const NEW: &str = "file:secrets/new";

/// A gate with data under the key in `kek`, a second key in `secrets/new`, and a credential.
fn gate() -> (RecordingUpstream, Gate, Key) {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let gate = Gate::small(upstream.address());
    gate.secret("secrets/new", crypto::Kek::generate_text().expose());
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    (upstream, gate, key)
}

fn rotate(gate: &Gate, more: &[&str]) -> Ended {
    let arguments = [&["key", "rotate-kek", "-o", "json"], more].concat();
    run(program(), gate, &arguments)
}

fn kinds(gate: &Gate) -> Vec<String> {
    let shown = run(
        program(),
        gate,
        &["ledger", "show", "--limit", "10000", "-o", "json"],
    );
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let text = shown.stdout.as_str();
    let kinds = ["kek.rotate.begin", "kek.rotate"];
    let counted = kinds.iter().flat_map(|kind| {
        let quoted = format!("\"{kind}\"");
        vec![(*kind).to_owned(); text.matches(&quoted).count()]
    });
    counted.collect()
}

#[test]
fn the_new_key_opens_everything_and_the_old_one_nothing() {
    let (_upstream, gate, key) = gate();
    let changed = rotate(&gate, &["--new", NEW]);
    assert_eq!(changed.code, Some(0), "{changed:?}");
    let look = run(program(), &gate, &["key", "list"]);
    assert_eq!(look.code, Some(78), "{look:?}");
    assert!(look.stderr.contains("wrong key-encryption key"), "{look:?}");
    gate.edit("portcullis.yaml", "file:kek", NEW);
    assert_eq!(kinds(&gate), ["kek.rotate.begin", "kek.rotate"]);
    let verified = run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let server = serve(gate);
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(response.status, 200, "{}", response.text());
}

#[test]
fn a_wrong_key_or_a_running_server_changes_nothing() {
    let (_upstream, gate, _) = gate();
    gate.secret("secrets/other", crypto::Kek::generate_text().expose());
    let before = fs::read(gate.data().join("store.db")).unwrap();
    for (more, code, words) in [
        (
            &["--new", NEW, "--old", "file:secrets/other"][..],
            78,
            "wrong key-encryption key",
        ),
        (&["--new", "file:kek"], 78, "is the present one"),
        (&["--new", "file:secrets/none"], 78, "cannot be read"),
        (&["--new", "0123456789"], 78, "--new"),
    ] {
        let refused = rotate(&gate, more);
        assert_eq!(refused.code, Some(code), "{refused:?}");
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    assert!(fs::read(gate.data().join("store.db")).unwrap() == before);
    assert!(kinds(&gate).is_empty());
    let server = serve(gate);
    let refused = server.cli(&["key", "rotate-kek", "--new", NEW]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let process = format!("in use by process {}", server.pid());
    assert!(refused.stderr.contains(&process), "{refused:?}");
}

#[test]
fn killed_at_any_moment_one_of_the_two_keys_opens_the_data_and_a_second_run_ends_it() {
    let (_upstream, gate, _) = gate();
    let (mut present, mut next) = ("file:kek", NEW);
    let (mut cut_short, mut dice) = (0, SplitMix64::new(number("PORTCULLIS_SEED", 1)));
    let begun = Instant::now();
    assert_eq!(
        rotate(&gate, &["--old", present, "--new", next]).code,
        Some(0)
    );
    (present, next) = (next, present);
    // How long a run takes here and now; a kill falls somewhere into it, and often behind it.
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let mut rounds = 0;
    while cut_short < 16 {
        assert!(
            rounds < 400,
            "only {cut_short} of {rounds} runs were cut short"
        );
        let pause = Duration::from_micros(dice.below(whole));
        let arguments = ["key", "rotate-kek", "--old", present, "--new", next];
        let was_done = testkit::run_and_kill(program(), &gate, &arguments, pause);
        cut_short += u32::from(!was_done);
        let again = rotate(&gate, &["--old", present, "--new", next]);
        assert_eq!(again.code, Some(0), "after {pause:?}: {again:?}");
        (present, next) = (next, present);
        rounds += 1;
    }
    if present == NEW {
        gate.edit("portcullis.yaml", "file:kek", NEW);
    }
    let done = kinds(&gate).iter().filter(|k| *k == "kek.rotate").count();
    assert!(done > rounds, "each change is on the record: {done}");
    let verified = run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}
