//! A database put back from before, and kills around changes: what was taken back stays so, and store and ledger agree.
//! Start reading at `what_was_taken_back_stays_so_with_a_database_from_before`.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Gate, RecordingUpstream, run};

use crate::line::{SplitMix64, number};
use crate::{call, program, serve};

fn gate() -> (RecordingUpstream, Gate) {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let gate = Gate::small(upstream.address());
    (upstream, gate)
}

#[test]
fn what_was_taken_back_stays_so_with_a_database_from_before() {
    let (_upstream, gate) = gate();
    let server = serve(gate);
    let (revoked, kept) = (
        server.quick_key("alpha", &[]),
        server.quick_key("alpha", &[]),
    );
    let paused = server.quick_key("beta", &[]);
    let (_, gate) = server.stop();
    let database = gate.data().join(store::DATABASE);
    let before = fs::read(&database).unwrap();
    let server = serve(gate);
    server.admin("key.revoke", &json!({ "id": revoked.id }));
    server.admin("integration.pause", &json!({ "integration": "beta" }));
    let block = json!({ "subject": "address:192.0.2.7", "for": "1h", "reason": "scans" });
    server.admin("block.add", &block);
    let (_, gate) = server.stop();
    // Whoever can write the file puts it back, and has no key.
    fs::write(&database, before).unwrap();
    let server = serve(gate);
    server.wait_for("store and ledger did not agree (3 differences)");
    let status = |key| server.send(&call("GET", "/v1/notes/1"), Some(key)).status;
    assert_eq!((status(&revoked), status(&kept)), (401, 200));
    assert_ne!(status(&paused), 200);
    let listed = server.admin("integration.list", &json!({}));
    let rows = listed["integrations"].as_array().unwrap();
    let beta = rows.iter().find(|row| row["name"] == "beta").unwrap();
    assert_eq!(beta["is_paused"], true, "{beta}");
    let blocks = server.admin("block.list", &json!({}));
    assert_eq!(
        blocks["blocks"][0]["subject"], "address:192.0.2.7",
        "{blocks}"
    );
    let told = server.ledger_of(&json!({ "kind": "store.reconciled" }));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told.iter()
            .any(|event| event["credential"] == revoked.id.as_str())
    );
    // Said once, and right from then on.
    let (_, gate) = server.stop();
    let server = serve(gate);
    assert!(
        !server.stderr().contains("did not agree"),
        "{}",
        server.stderr()
    );
    assert_eq!(
        server
            .send(&call("GET", "/v1/notes/1"), Some(&revoked))
            .status,
        401
    );
}

#[test]
fn a_ledger_put_back_from_before_the_database_is_refused() {
    let (_upstream, gate) = gate();
    let (_, gate) = serve(gate).stop();
    let ledger = gate.data().join("ledger");
    let files = || {
        fs::read_dir(&ledger)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let before: Vec<_> = files()
        .filter_map(|path| Some((fs::read(&path).ok()?, path)))
        .collect();
    let server = serve(gate);
    server.quick_key("alpha", &[]);
    let (_, gate) = server.stop();
    files().for_each(|path| fs::remove_file(path).unwrap());
    for (bytes, path) in before {
        fs::write(path, bytes).unwrap();
    }
    let refused = testkit::Server::try_start(program(), gate).err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
}

/// Ids of keys, and whether each is revoked.
fn keys(gate: &Gate) -> BTreeMap<String, bool> {
    let listed = run(program(), gate, &["key", "list", "-o", "json"]);
    let listed: Value =
        serde_json::from_str(&listed.stdout).unwrap_or_else(|_| panic!("{listed:?}"));
    let rows = listed["keys"].as_array().unwrap().clone();
    let row = |row: Value| {
        (
            row["id"].as_str().unwrap().to_owned(),
            !row["revoked_at"].is_null(),
        )
    };
    rows.into_iter().map(row).collect()
}

/// Store and ledger say the same of every key, and no change is without an outcome.
fn agree(gate: &Gate) {
    let shown = run(
        program(),
        gate,
        &["ledger", "show", "--limit", "10000", "-o", "json"],
    );
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap_or_else(|_| panic!("{shown:?}"));
    let mut events: Vec<Value> = shown["records"].as_array().unwrap().clone();
    events.reverse();
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    let mut revoked: BTreeMap<String, String> = BTreeMap::new();
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    for event in events.iter().map(|record| &record["event"]) {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        match text("kind").as_str() {
            "intent" => drop(open.insert(text("id"), text("operation"))),
            "key.create" => drop(made.insert(text("credential"), text("outcome"))),
            "key.revoke" => drop(revoked.insert(text("credential"), text("outcome"))),
            "store.reconciled" => drop(revoked.insert(text("credential"), "done".into())),
            _ => {}
        }
        if text("kind") != "intent" {
            open.remove(&text("id"));
        }
    }
    assert!(open.is_empty(), "without an outcome: {open:?}");
    let stored = keys(gate);
    for (id, is_revoked) in &stored {
        assert!(
            made.contains_key(id),
            "{id} is in the store and was never made"
        );
        let by_record = revoked.get(id).map(String::as_str) == Some("done");
        assert_eq!(*is_revoked, by_record, "{id}: {made:?} {revoked:?}");
        let is_given_out = made.get(id).map(String::as_str) == Some("done");
        assert!(
            is_given_out || *is_revoked,
            "{id} is good, and nobody was given it"
        );
    }
    for (id, outcome) in &made {
        assert!(
            outcome != "done" || stored.contains_key(id),
            "{id} was made and is not in the store"
        );
    }
}

#[test]
fn killed_at_any_moment_store_and_ledger_agree_about_every_key() {
    let (_upstream, gate) = gate();
    let (_, gate) = serve(gate).stop();
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    let create = ["key", "create", "--integration", "alpha"];
    let begun = Instant::now();
    assert_eq!(run(program(), &gate, &create).code, Some(0));
    let whole = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let (mut cut_short, mut rounds) = (0, 0);
    while cut_short < 30 {
        assert!(
            rounds < 300,
            "only {cut_short} of {rounds} runs were cut short"
        );
        let known = keys(&gate);
        let good = known.iter().find(|(_, is_revoked)| !**is_revoked);
        let pause = Duration::from_micros(dice.below(whole + whole / 8));
        let revoke = good.map(|(id, _)| ["key", "revoke", id.as_str(), "--yes"]);
        let arguments = match revoke {
            Some(revoke) if dice.below(2) == 0 => revoke,
            _ => create,
        };
        cut_short += u32::from(!testkit::run_and_kill(program(), &gate, &arguments, pause));
        rounds += 1;
        // The next change opens both, and with them whatever was left open is closed.
        if rounds % 4 == 0 {
            assert_eq!(run(program(), &gate, &create).code, Some(0));
            agree(&gate);
        }
    }
    let server = serve(gate);
    let (_, gate) = server.stop();
    agree(&gate);
    println!(
        "{rounds} changes, {cut_short} cut short, {} keys",
        keys(&gate).len()
    );
}

#[test]
fn a_server_killed_amid_changes_agrees_with_its_ledger_at_the_next_start() {
    let (_upstream, mut gate) = gate();
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    for _ in 0..6 {
        let server = serve(gate);
        let sockets = control::socket::in_data(&server.gate.data());
        let worker = std::thread::spawn(move || {
            let ask = |command: &str, arguments: &Value| {
                control::socket::ask(&sockets, command, arguments, "the suite")
            };
            let mut count = 0;
            // Until nobody answers any more.
            while let Some(Ok(made)) = ask("key.create", &json!({ "integration": "alpha" })) {
                count += 1;
                if count % 2 == 0 && ask("key.revoke", &json!({ "id": made["id"] })).is_none() {
                    break;
                }
            }
            count
        });
        std::thread::sleep(Duration::from_micros(dice.below(400_000)));
        gate = server.kill();
        assert!(worker.join().unwrap() < 100_000);
    }
    let (_, gate) = serve(gate).stop();
    agree(&gate);
}
