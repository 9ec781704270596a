//! Bar X3: no signal, kill or full disk loses the record of a call; and what recording a write twice costs.
//! Start reading at `kills_and_signals_under_load_lose_no_record`.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{
    Gate, Key, PATIENCE, Play, RecordingUpstream, Scale, Server, bar, json_response, poll,
};

use crate::bad_input::{Small, fill};
use crate::line::{Line, SplitMix64, number, request, send};
use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
/// Clients at once.
const CLIENTS: u64 = 4;

/// Answers after a moment that differs from call to call, so that kills and signals find calls under way.
fn slow() -> RecordingUpstream {
    let dice = Mutex::new(SplitMix64::new(5));
    RecordingUpstream::start(move |_| {
        let wait = Duration::from_micros(dice.lock().unwrap().below(12_000));
        Play::Later(wait, json_response(200, NOTE))
    })
}

/// Reads and writes.
fn requests(key: &Key) -> Vec<Vec<u8>> {
    let key = Some(key.text.as_str());
    let json = "Content-Type: application/json\r\n";
    let body = br#"{"title":"t"}"#;
    vec![
        request("GET", "/v1/notes/1", key, "", b""),
        request("POST", "/v1/notes", key, json, body),
        request("PUT", "/v1/notes/1", key, json, body),
        request("DELETE", "/v1/notes/1", key, "", b""),
        request("GET", "/v1/notes/1", None, "", b""),
    ]
}

/// Sends until nobody listens any more; the decisions of whole answers with their statuses.
fn client(
    address: SocketAddr,
    requests: &[Vec<u8>],
    mut dice: SplitMix64,
    count: &AtomicU64,
) -> Vec<(String, u16)> {
    let (mut line, mut answered) = (None, Vec::new());
    loop {
        let had_line = line.is_some();
        match send(&mut line, address, dice.pick::<Vec<u8>>(requests)) {
            Ok(response) => {
                answered.push((response.decision().unwrap().to_owned(), response.status));
                count.fetch_add(1, Ordering::AcqRel);
            }
            // A kept connection may have been closed between two requests.
            Err(_) if had_line => {}
            Err(_) => return answered,
        }
    }
}

/// Lets clients work until so many answers have come, ends the server under them, and gives what they were answered.
fn ended_under_load(
    server: Server,
    requests: &[Vec<u8>],
    dice: &mut SplitMix64,
    is_kill: bool,
) -> (Gate, Vec<(String, u16)>) {
    let address = server.address("public");
    let (wanted, count) = (1 + dice.below(60), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (seed, count) = (dice.next(), &count);
                scope.spawn(move || client(address, requests, SplitMix64::new(seed), count))
            })
            .collect();
        let came = poll(PATIENCE, || {
            (count.load(Ordering::Acquire) >= wanted).then_some(())
        });
        let gate = if is_kill {
            server.kill()
        } else {
            let (ended, gate) = server.stop();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            gate
        };
        let answered: Vec<Vec<_>> = clients.into_iter().map(|c| c.join().unwrap()).collect();
        assert!(came.is_some(), "{wanted} answers did not come");
        (gate, answered.concat())
    })
}

/// Decisions on the record, by their kinds of records.
fn recorded(server: &Server) -> HashMap<String, Vec<String>> {
    let file = server.gate.home().join("export.jsonl");
    drop(std::fs::remove_file(&file));
    let ended = server.cli(&["ledger", "export", "--out", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for line in std::fs::read_to_string(&file).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        if let Some(id) = record["event"]["id"].as_str() {
            let kind = record["event"]["kind"].as_str().unwrap().to_owned();
            found.entry(id.to_owned()).or_default().push(kind);
        }
    }
    found
}

/// Intents without an outcome.
fn open_intents(found: &HashMap<String, Vec<String>>) -> usize {
    // The commands of operators announce what they change in the same way, and end in kinds of their own.
    let is_open = |kinds: &&Vec<String>| kinds.iter().all(|kind| kind == "intent");
    found.values().filter(is_open).count()
}

/// Decisions of writes as the upstream saw them.
fn forwarded_writes(upstream: &RecordingUpstream) -> HashSet<String> {
    let asked = upstream.requests();
    let writes = asked.iter().filter(|seen| seen.method != "GET");
    writes
        .map(|seen| seen.header("portcullis-decision").unwrap().to_owned())
        .collect()
}

#[test]
fn kills_and_signals_under_load_lose_no_record() {
    let (signals, kills) = (Scale::pick(3, 15, 50), Scale::pick(5, 40, 200));
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    let upstream = slow();
    let mut server = serve(Gate::small(upstream.address()).unlimited());
    let key = server.quick_key("alpha", &[]);
    let requests = requests(&key);
    let mut answered = Vec::new();
    let mut ends: Vec<bool> = (0..signals + kills).map(|n| n >= signals).collect();
    for at in (1..ends.len()).rev() {
        let other = usize::try_from(dice.below(u64::try_from(at + 1).unwrap())).unwrap();
        ends.swap(at, other);
    }
    let mut unverified = 0;
    for is_kill in ends {
        let (gate, of_clients) = ended_under_load(server, &requests, &mut dice, is_kill);
        answered.extend(of_clients);
        server = serve(gate);
        let verified = server.cli(&["ledger", "verify", "-o", "json"]);
        unverified += u32::from(verified.code != Some(0));
    }
    let found = recorded(&server);
    let missing = |ids: &mut dyn Iterator<Item = &String>| {
        ids.filter(|id| !found.contains_key(*id))
            .cloned()
            .collect::<Vec<_>>()
    };
    let unanswered = missing(&mut answered.iter().map(|(id, _)| id));
    let writes = forwarded_writes(&upstream);
    let untraced = missing(&mut writes.iter());
    // Every intent has its outcome: the start after a kill records that it is not known.
    let open = open_intents(&found);
    let twice = found.values().filter(|kinds| kinds.len() > 2).count();
    let scale = format!(
        "{signals} SIGTERM and {kills} kill -9, {} answers, {} forwarded writes",
        answered.len(),
        writes.len()
    );
    bar(
        "X3",
        "answered calls without a record",
        format!("{} ({scale})", unanswered.len()),
        unanswered.is_empty(),
    );
    bar(
        "X3",
        "forwarded writes without a record",
        untraced.len(),
        untraced.is_empty(),
    );
    bar(
        "X3",
        "restarts after which the ledger does not verify",
        unverified,
        unverified == 0,
    );
    bar(
        "X3",
        "intents without an outcome, or recorded twice",
        open + twice,
        open + twice == 0,
    );
    assert_eq!((unanswered, untraced), (Vec::new(), Vec::new()));
    assert_eq!((unverified, open, twice), (0, 0, 0));
    assert!(writes.len() > usize::try_from(signals + kills).unwrap());
}

/// Sends until it is over; each call is answered.
fn client_until(
    address: SocketAddr,
    requests: &[Vec<u8>],
    mut dice: SplitMix64,
    (served, is_over): (&AtomicU64, &AtomicBool),
) -> Vec<(String, u16)> {
    let (mut line, mut answered) = (None, Vec::new());
    while !is_over.load(Ordering::Acquire) {
        let response = send(&mut line, address, dice.pick::<Vec<u8>>(requests));
        let response = response.expect("each call is answered");
        answered.push((response.decision().unwrap().to_owned(), response.status));
        served.fetch_add(u64::from(response.status == 200), Ordering::AcqRel);
    }
    answered
}

/// Lets clients work while the disk fills up and is emptied so many times. Gives what they were answered.
fn answered_while_filling(server: &Server, key: &Key, rounds: u32) -> Vec<(String, u16)> {
    let (requests, address) = (requests(key), server.address("public"));
    let (served, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let ballast = server.gate.data().join("ballast");
    let wait_for = |what: &str, holds: &dyn Fn() -> bool| {
        let came = poll(PATIENCE, || holds().then_some(()));
        assert!(came.is_some(), "{what}: {}", server.stderr());
    };
    let wait_for_calls = || {
        let before = served.load(Ordering::Acquire);
        wait_for("served", &|| served.load(Ordering::Acquire) > before + 20);
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| {
                let (requests, told) = (&requests, (&served, &is_over));
                scope.spawn(move || client_until(address, requests, SplitMix64::new(seed), told))
            })
            .collect();
        for _ in 0..rounds {
            wait_for_calls();
            fill(&ballast);
            wait_for("full", &|| {
                let response = server.send(&call("GET", "/v1/notes/1"), Some(key));
                response.code().as_deref() == Some("ledger.unavailable")
            });
            std::fs::remove_file(&ballast).unwrap();
        }
        wait_for_calls();
        is_over.store(true, Ordering::Release);
        let answered = clients.into_iter().map(|client| client.join().unwrap());
        answered.collect::<Vec<_>>().concat()
    })
}

#[test]
fn a_disk_that_fills_up_under_load_loses_no_record_and_recovers() {
    let upstream = slow();
    let gate = Gate::small(upstream.address()).unlimited();
    let Some(_disk) = Small::mount(&gate.data(), "12m") else {
        return;
    };
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let rounds = Scale::pick(2, 5, 20);
    let answered = answered_while_filling(&server, &key, rounds);
    let found = recorded(&server);
    // Who is answered 503 `ledger.unavailable` or 500 `ledger.unrecorded` is told that it is not recorded.
    let is_missing =
        |(id, status): &&(String, u16)| !matches!(status, 500 | 503) && !found.contains_key(id);
    let missing: Vec<_> = answered.iter().filter(is_missing).collect();
    let writes = forwarded_writes(&upstream);
    let untraced: Vec<&String> = writes
        .iter()
        .filter(|id| !found.contains_key(*id))
        .collect();
    let refused = answered.iter().filter(|(_, status)| *status == 503).count();
    let what = format!(
        "{} of {} ({rounds} times full, {refused} refused)",
        missing.len(),
        answered.len()
    );
    bar(
        "X3",
        "answered calls without a record, disk full",
        what,
        missing.is_empty(),
    );
    bar(
        "X3",
        "forwarded writes without a record, disk full",
        untraced.len(),
        untraced.is_empty(),
    );
    assert!(
        missing.is_empty() && untraced.is_empty(),
        "{missing:?} {untraced:?}"
    );
    // Outcomes that could not be written were written when there was room again.
    let open = open_intents(&found);
    bar(
        "X3",
        "intents without an outcome, disk full",
        open,
        open == 0,
    );
    assert_eq!(open, 0);
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let verify = testkit::run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verify.code, Some(0), "{verify:?}");
}

/// Time of so many writes over so many connections at once.
fn timed(address: SocketAddr, write: &[u8], clients: u64, each: u64) -> Duration {
    let lines: Vec<Line> = (0..clients).map(|_| Line::open(address).unwrap()).collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for mut line in lines {
            scope.spawn(move || {
                for _ in 0..each {
                    assert_eq!(line.send(write).unwrap().status, 200);
                }
            });
        }
    });
    begun.elapsed()
}

#[test]
fn the_price_of_an_intent_is_told() {
    let upstream = RecordingUpstream::always(NOTE);
    let servers = ["off", "writes"].map(|intent| {
        let gate = Gate::small(upstream.address()).unlimited();
        let text = gate.text("portcullis.yaml");
        gate.write(
            "portcullis.yaml",
            format!("{text}ledger: {{ intent: {intent} }}\n"),
        );
        let server = serve(gate);
        let key = server.quick_key("alpha", &[]);
        let json = "Content-Type: application/json\r\n";
        let write = request(
            "POST",
            "/v1/notes",
            Some(&key.text),
            json,
            br#"{"title":"t"}"#,
        );
        (server.address("public"), write, server)
    });
    for (clients, each) in [
        (1, Scale::pick(40, 400, 2000)),
        (64, Scale::pick(4, 40, 100)),
    ] {
        // In turn, so that a noisy moment hits both; the best of each says least about other programs.
        let mut best = [Duration::MAX; 2];
        for _ in 0..Scale::pick(2, 5, 9) {
            for (best, (address, write, _)) in best.iter_mut().zip(&servers) {
                *best = timed(*address, write, clients, each).min(*best);
            }
        }
        let [off, writes] = best.map(|time| time.as_secs_f64());
        let micros = (writes - off) * 1e6 / f64::from(u32::try_from(each).unwrap());
        let figure = format!(
            "{:.2} times ({micros:.0} us more for each client's write)",
            writes / off
        );
        bar(
            "X3",
            &format!("time of a write with intent, c={clients}"),
            figure,
            true,
        );
    }
    for (_, _, server) in servers {
        let intents = server.ledger_of(&serde_json::json!({ "kind": "intent" }));
        // Without those of operators' commands, which name no method.
        let intents = intents
            .iter()
            .filter(|record| record["method"].is_string())
            .count();
        let writes = server
            .ledger_of(&serde_json::json!({ "kind": "request" }))
            .len();
        assert!(intents == 0 || intents == writes, "{intents} of {writes}");
    }
}
