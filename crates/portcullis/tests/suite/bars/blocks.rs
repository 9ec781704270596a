//! X4: one of fifty callers behind an address guesses keys, and the others lose nothing, with the default limits and blocks.
//! X3, the part about clocks: the wall clock is set while calls go on, and nobody is locked out and nothing unrecorded.
//! Start reading at `neighbours_of_someone_who_guesses_keys_lose_no_call`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::wire::Connection;
use testkit::{Gate, Key, RecordingUpstream, Scale, Server, WallClock, bar};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
const NEIGHBOURS: usize = 49;

/// The small gate with the limits and blocks that hold where nothing is written.
fn by_default(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.edit("portcullis.yaml", "  blocks: off\n", "");
    let wide = "  address_limit: { rate: 100000/s, burst: 100000 }\n";
    gate.edit("portcullis.yaml", wide, "");
    gate
}

/// What callers met.
#[derive(Default)]
struct Met {
    sent: AtomicUsize,
    lost: AtomicUsize,
}

/// Calls at this pace until told to stop; gives the decisions of all answers, and says what went wrong first.
fn calls(
    address: SocketAddr,
    key: &Key,
    pause: Duration,
    stop: &AtomicBool,
    met: &Met,
) -> Vec<String> {
    let read = call("GET", "/v1/notes/1");
    let (mut connection, mut decisions) = (None, Vec::new());
    while !stop.load(Ordering::Acquire) {
        let begun = Instant::now();
        let open = match connection.take() {
            Some(open) => Ok(open),
            None => Connection::open(address),
        };
        met.sent.fetch_add(1, Ordering::AcqRel);
        let response = open.and_then(|mut open| {
            let response = open.send(&read, Some(&key.text))?;
            connection = Some(open);
            Ok(response)
        });
        let is_good = response
            .as_ref()
            .is_ok_and(|response| response.status == 200);
        if !is_good && met.lost.fetch_add(1, Ordering::AcqRel) == 0 {
            eprintln!("the first call that was lost: {response:?}");
        }
        let decision = response
            .ok()
            .and_then(|response| response.decision().map(str::to_owned));
        decisions.extend(decision);
        std::thread::sleep(pause.saturating_sub(begun.elapsed()));
    }
    decisions
}

/// Guesses keys at this pace until told to stop; counts those that a block answers, and gives how many there were.
fn guesses(
    address: SocketAddr,
    pause: Duration,
    stop: &AtomicBool,
    blocked: &AtomicUsize,
) -> usize {
    let read = call("GET", "/v1/notes/1");
    let (mut connection, mut sent) = (None, 0);
    let begun = Instant::now();
    while !stop.load(Ordering::Acquire) {
        let open = connection
            .take()
            .map_or_else(|| Connection::open(address), Ok);
        let guess = identity::ApiKey::generate(crypto::random(), true);
        let response = open.and_then(|mut open| {
            let response = open.send(&read, Some(guess.expose()))?;
            connection = Some(open);
            Ok(response)
        });
        let code = response.ok().and_then(|response| response.code());
        sent += 1;
        let is_blocked = code.as_deref() == Some("limit.blocked");
        blocked.fetch_add(usize::from(is_blocked), Ordering::AcqRel);
        let due = begun + pause * u32::try_from(sent).unwrap();
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    sent
}

/// Fifty callers behind one address, one of them guessing so often, for so long and until a guess was answered by a block.
fn behind_one_address(per_second: u32, lasting: Duration) -> (usize, usize, usize) {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(by_default(&upstream));
    let keys: Vec<Key> = (0..NEIGHBOURS)
        .map(|n| server.quick_key(if n % 2 == 0 { "alpha" } else { "beta" }, &[]))
        .collect();
    let address = server.address("public");
    let (stop, met) = (AtomicBool::new(false), Met::default());
    // One connection answers a few hundred guesses a second.
    let guessers = if per_second > 100 { 4 } else { 1 };
    let pause = Duration::from_secs(1) * guessers / per_second;
    let blocked = AtomicUsize::new(0);
    let guessed = std::thread::scope(|scope| {
        for key in &keys {
            scope.spawn(|| calls(address, key, Duration::from_millis(200), &stop, &met));
        }
        let guessers: Vec<_> = (0..guessers)
            .map(|_| scope.spawn(|| guesses(address, pause, &stop, &blocked)))
            .collect();
        std::thread::sleep(lasting);
        let is_blocked = || (blocked.load(Ordering::Acquire) > 0).then_some(());
        let is_over = testkit::poll(testkit::PATIENCE, is_blocked);
        stop.store(true, Ordering::Release);
        let guessed = guessers.into_iter().map(|guesser| guesser.join().unwrap());
        let guessed: usize = guessed.sum();
        assert!(
            is_over.is_some(),
            "{guessed} guesses were never answered by a block"
        );
        guessed
    });
    (met.sent.into_inner(), met.lost.into_inner(), guessed)
}

#[test]
fn neighbours_of_someone_who_guesses_keys_lose_no_call() {
    for per_second in [10, 1000] {
        let lasting = Duration::from_secs(Scale::pick(4, 30, 120));
        let (sent, lost, guessed) = behind_one_address(per_second, lasting);
        let what = format!("calls lost by 49 neighbours of {per_second} guesses/s");
        let figure = format!("{lost} of {sent}, beside {guessed} guesses");
        bar("X4", &what, figure, lost == 0);
        assert_eq!(lost, 0, "of {sent}, beside {per_second} guesses a second");
    }
}

/// Every decision in the ledger, page by page.
fn decisions_recorded(server: &Server) -> BTreeSet<String> {
    let (mut all, mut before) = (BTreeSet::new(), u64::MAX);
    loop {
        let page = json!({ "kind": "request", "limit": 10_000, "before": before });
        let shown = server.admin("ledger.show", &page);
        let records = shown["records"].as_array().unwrap();
        let Some(last) = records.last() else {
            return all;
        };
        before = last["seq"].as_u64().unwrap();
        let ids = records.iter().map(|record| record["event"]["id"].as_str());
        all.extend(ids.map(|id| id.unwrap().to_owned()));
    }
}

fn in_order(server: &Server) -> bool {
    server.cli(&["ledger", "verify"]).code == Some(0)
}

#[test]
fn a_clock_that_is_set_locks_nobody_out_and_loses_no_record() {
    let upstream = RecordingUpstream::always(NOTE);
    let (clock, gate) = WallClock::prepare(by_default(&upstream));
    let server = serve(gate);
    let keys: Vec<Key> = (0..4).map(|_| server.quick_key("alpha", &[])).collect();
    let address = server.address("public");
    let (stop, met) = (AtomicBool::new(false), Met::default());
    let lasting = Duration::from_secs(Scale::pick(1, 15, 60));
    let answered: BTreeSet<String> = std::thread::scope(|scope| {
        let callers: Vec<_> = keys
            .iter()
            .map(|key| scope.spawn(|| calls(address, key, Duration::from_millis(50), &stop, &met)))
            .collect();
        for shift in [0, -3_600, 0, 3_600, 0, -86_400, 0, 86_400, 0] {
            clock.set(shift);
            std::thread::sleep(lasting);
        }
        stop.store(true, Ordering::Release);
        callers
            .into_iter()
            .flat_map(|caller| caller.join().unwrap())
            .collect()
    });
    let recorded = decisions_recorded(&server);
    let lost = met.lost.into_inner();
    let unrecorded = answered.difference(&recorded).count();
    let is_whole = in_order(&server);
    let sent = met.sent.into_inner();
    bar(
        "X3",
        "lockouts, clock set by ±1 h and ±1 day",
        format!("{lost} of {sent}"),
        lost == 0,
    );
    bar(
        "X3",
        "unrecorded answered calls, clock set",
        unrecorded,
        unrecorded == 0,
    );
    bar("X3", "ledger verifies, clock set", is_whole, is_whole);
    assert_eq!((lost, unrecorded, is_whole), (0, 0, true), "of {sent}");
}
