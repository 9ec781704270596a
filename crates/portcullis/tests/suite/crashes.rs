//! What was answered is in the ledger, in order, whatever kills the process; and a changed ledger is found.
//! `PORTCULLIS_R5_ROUNDS` sets how often the server is killed, `PORTCULLIS_R5_CHANGES` how many changes are tried.
//! Start reading at `a_killed_server_loses_nothing_that_it_answered`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use demo::Fieldworks;
use serde_json::Value;
use testkit::{Ended, Gate, Key, Scale, Server, WallClock};

use crate::line::{Line, SplitMix64, number, request, send};
use crate::{program, serve};

/// Clients at once.
const CLIENTS: u64 = 4;
/// A server that was killed is ready again after this time: the median is reported as a bar.
const RESTART: Duration = Duration::from_secs(2);

/// One client's answered decisions, in the order of its answers.
type Answered = Vec<String>;

/// What a client sends: granted, refused at several stages, writing, and malformed.
fn requests(keys: &HashMap<&str, Key>) -> Vec<Vec<u8>> {
    let key = |who: &str| Some(keys[who].text.as_str());
    let json = "Content-Type: application/json\r\n";
    vec![
        request("GET", "/v2/parts?limit=2", key("inventory"), "", b""),
        request("GET", "/v2/work-orders/4711", key("accounting"), "", b""),
        request("GET", "/v2/work-orders/4712", key("north-star"), "", b""),
        request("GET", "/v2/customers?limit=1", key("accounting"), "", b""),
        request("GET", "/v2/parts", None, "", b""),
        request("GET", "/nowhere", None, "", b""),
        request("POST", "/v2/stock-movements", key("inventory"), json, br#"{"location":"central","sku":"FLT-0001","quantity":3,"reason":"count"}"#),
        request("PATCH", "/v2/customers/9", key("crm"), json, br#"{"email":7,"role":"admin"}"#),
        request("GET", "/v2/customers?q=x%27%20OR%20%271%27%3D%271", key("crm"), "", b""),
        b"GET /v2/parts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        request("GET", "/v2/../v2/parts", key("inventory"), "", b""),
    ]
}

/// Sends until the server is gone. An id counts only after the whole answer was read.
fn client(
    address: SocketAddr,
    requests: &[Vec<u8>],
    mut dice: SplitMix64,
    count: &AtomicU64,
) -> Answered {
    let (mut line, mut answered) = (None, Answered::new());
    loop {
        let had_line = line.is_some();
        match send(&mut line, address, dice.pick::<Vec<u8>>(requests)) {
            Ok(response) => {
                answered.push(response.decision().unwrap().to_owned());
                count.fetch_add(1, Ordering::AcqRel);
            }
            // A kept connection may have been closed between two requests.
            Err(_) if had_line => {}
            Err(_) => return answered,
        }
    }
}

/// Lets clients work, kills the server under them, and gives what they had been answered.
fn round(server: Server, requests: &[Vec<u8>], dice: &mut SplitMix64) -> (Gate, Vec<Answered>) {
    let address = server.address("local");
    let (wanted, count) = (20 + dice.below(80), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let seed = dice.next();
                let count = &count;
                scope.spawn(move || client(address, requests, SplitMix64::new(seed), count))
            })
            .collect();
        let came = testkit::poll(testkit::PATIENCE, || {
            (count.load(Ordering::Acquire) >= wanted).then_some(())
        });
        let gate = server.kill();
        let answered = clients.into_iter().map(|client| client.join().unwrap());
        let answered = answered.collect();
        assert!(came.is_some(), "{wanted} answers did not come");
        (gate, answered)
    })
}

#[test]
fn a_killed_server_loses_nothing_that_it_answered() {
    let rounds = number("PORTCULLIS_R5_ROUNDS", Scale::pick(8, 100, 100));
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    let upstream = Fieldworks::new(7).host(0).unwrap();
    let mut server = serve(Gate::demo(upstream.address).all_plain().unlimited());
    let keys: HashMap<&str, Key> = demo::INTEGRATIONS
        .iter()
        .map(|who| (*who, server.quick_key(who, &[])))
        .collect();
    let requests = requests(&keys);
    let (mut answered, mut restarts, mut made, mut torn) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        // A key that was handed out is as good as an answer.
        made.push(server.quick_key("noisy", &[]));
        let (gate, of_clients) = round(server, &requests, &mut dice);
        answered.extend(of_clients);
        let started = Instant::now();
        server = serve(gate);
        restarts.push(started.elapsed());
        torn += u64::from(server.stderr().contains("recovered after an unclean stop"));
    }
    restarts.sort();
    let count: usize = answered.iter().map(Vec::len).sum();
    let (median, longest) = (restarts[restarts.len() / 2], restarts[restarts.len() - 1]);
    println!(
        "{rounds} kills, {count} answers, {torn} torn writes; ready again after {longest:.2?} at the longest"
    );
    testkit::bar(
        "R5",
        "ready again after a kill, median",
        format!("{median:.2?}"),
        median <= RESTART,
    );
    assert!(count >= usize::try_from(rounds * 20).unwrap());
    nothing_is_missing(&server, &answered);
    keys_still_work(&server, &made);
    upstream.stop();
}

/// Every answered decision is in the ledger exactly once, in the order each client was answered, and the ledger is good.
fn nothing_is_missing(server: &Server, answered: &[Answered]) {
    let verified = server.cli(&["ledger", "verify", "-o", "json"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let file = exported(server);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut places = HashMap::new();
    for (place, line) in text.lines().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap();
        // An intent has the id of its outcome.
        let id = record["event"]["id"].as_str();
        if let Some(id) = id.filter(|_| record["event"]["kind"] != "intent") {
            assert_eq!(
                places.insert(id.to_owned(), place),
                None,
                "{id} is recorded twice"
            );
        }
    }
    for client in answered {
        let found = client.iter().map(|id| {
            places
                .get(id)
                .unwrap_or_else(|| panic!("{id} was answered and is not in the ledger"))
        });
        assert!(found.is_sorted(), "a client's requests are out of order");
    }
    assert_eq!(verify(server, &file).code, Some(0));
}

fn keys_still_work(server: &Server, made: &[Key]) {
    let listed = server.cli(&["key", "list", "--integration", "noisy", "-o", "json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let address = server.address("local");
    let mut line = Line::open(address).unwrap();
    for key in made {
        assert!(
            listed.stdout.contains(&key.id),
            "{} was made and is lost",
            key.id
        );
        let response = line
            .send(&request(
                "GET",
                "/v2/parts?limit=1",
                Some(&key.text),
                "",
                b"",
            ))
            .unwrap();
        assert_eq!(response.status, 200, "{}", response.whole());
    }
}

/// Exports the whole ledger to a new file.
fn exported(server: &Server) -> PathBuf {
    let file = server.gate.home().join("export.jsonl");
    let ended = server.cli(&["ledger", "export", "--out", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    file
}

fn verify(server: &Server, file: &Path) -> Ended {
    // No configuration: whoever checks a file has nothing else.
    let nowhere = server.gate.home().join("nowhere");
    let mut command = std::process::Command::new(program());
    command
        .env("PORTCULLIS_CONFIG", nowhere)
        .args(["ledger", "verify", "-o", "json"])
        .arg(file);
    command.output().unwrap().into()
}

/// One random change to the lines of an export, and the record that has to be named for it. Line 0 is the header; checkpoints
/// stand between the records, and the last line is the closing one.
fn change(lines: &[&str], dice: &mut SplitMix64) -> (&'static str, String, u64) {
    let mut changed: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    let is_record = |(_, line): &(usize, &&str)| line.starts_with("{\"seq\":");
    let records: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(is_record)
        .map(|(at, _)| at)
        .collect();
    let record = usize::try_from(dice.below(u64::try_from(records.len() - 1).unwrap())).unwrap();
    let (at, mut named) = (records[record], record);
    let what = match dice.below(5) {
        0 => {
            let digit = changed[at].rfind(|c: char| c.is_ascii_digit()).unwrap();
            let other = if changed[at].as_bytes()[digit] == b'7' {
                "8"
            } else {
                "7"
            };
            changed[at].replace_range(digit..=digit, other);
            "edited"
        }
        1 => {
            changed.remove(at);
            "deleted"
        }
        2 => {
            changed.swap(at, at + 1);
            "swapped"
        }
        3 => {
            changed.truncate(at);
            "truncated"
        }
        _ => {
            let line = changed[at].clone();
            changed.insert(at, line);
            named = record + 1;
            "duplicated"
        }
    };
    (what, changed.concat(), u64::try_from(named).unwrap())
}

#[test]
fn a_changed_export_is_refused_and_the_record_is_named() {
    let changes = number("PORTCULLIS_R5_CHANGES", 60);
    let mut dice = SplitMix64::new(number("PORTCULLIS_SEED", 1));
    let upstream = Fieldworks::new(7).host(0).unwrap();
    let server = serve(Gate::demo(upstream.address).all_plain().unlimited());
    let keys: HashMap<&str, Key> = demo::INTEGRATIONS
        .iter()
        .map(|who| (*who, server.quick_key(who, &[])))
        .collect();
    let mut line = None;
    for bytes in requests(&keys).iter().cycle().take(60) {
        send(&mut line, server.address("local"), bytes).unwrap();
    }
    let file = exported(&server);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(verify(&server, &file).code, Some(0));
    for _ in 0..changes {
        let (what, bytes, named) = change(&lines, &mut dice);
        std::fs::write(&file, bytes).unwrap();
        let ended = verify(&server, &file);
        // A file that ends early proves nothing, but an export that was not read to its end looks the same (decision 011).
        let code = if what == "truncated" { 1 } else { 3 };
        assert_eq!(ended.code, Some(code), "{what} {named}: {ended:?}");
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(report["first_bad"]["seq"], named, "{what}: {report}");
        assert_eq!(report["is_cut"], what == "truncated", "{report}");
    }
    std::fs::write(&file, &text).unwrap();
    assert_eq!(verify(&server, &file).code, Some(0));
    upstream.stop();
}

#[test]
fn a_changed_segment_is_found_in_place() {
    let upstream = Fieldworks::new(7).host(0).unwrap();
    let server = serve(Gate::demo(upstream.address).all_plain().unlimited());
    let key = server.quick_key("inventory", &[]);
    let mut line = None;
    for _ in 0..40 {
        let bytes = request("GET", "/v2/parts?limit=1", Some(&key.text), "", b"");
        send(&mut line, server.address("local"), &bytes).unwrap();
    }
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let verify = || testkit::run(program(), &gate, &["ledger", "verify"]);
    assert_eq!(verify().code, Some(0));
    let mut segments: Vec<PathBuf> = std::fs::read_dir(gate.data().join("ledger"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    segments.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    let segment = segments.pop().unwrap();
    let whole = std::fs::read(&segment).unwrap();
    for at in [whole.len() / 4, whole.len() / 2, whole.len() - 30] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&segment, bytes).unwrap();
        let ended = verify();
        assert_eq!(ended.code, Some(3), "byte {at}: {ended:?}");
        assert!(ended.stdout.contains("record"), "{ended:?}");
    }
    std::fs::write(&segment, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(verify().code, Some(3), "cut off");
    // A server does not go on with a ledger that lost what was signed.
    let started = Server::try_start(program(), gate);
    let ended = started.map(|_| ()).unwrap_err();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    upstream.stop();
}

#[test]
fn a_server_whose_ledger_thread_panics_ends_and_the_next_start_has_every_answer() {
    let upstream = Fieldworks::new(7).host(0).unwrap();
    let gate = Gate::demo(upstream.address).all_plain().unlimited();
    let (clock, gate) = WallClock::prepare(gate);
    let server = serve(gate);
    let key = server.quick_key("inventory", &[]);
    let ask = |line: &mut Option<Line>, server: &Server| {
        let bytes = request("GET", "/v2/parts?limit=2", Some(&key.text), "", b"");
        send(line, server.address("local"), &bytes).ok()
    };
    let mut line = None;
    let mut answered = vec![ask(&mut line, &server).unwrap()];
    assert_eq!(answered[0].status, 200);
    clock.fail_the_ledger_thread();
    // The first of these that begins a time without a checkpoint meets the fault; nothing is answered out of the record.
    let refused = testkit::poll(testkit::PATIENCE, || {
        let response = ask(&mut line, &server)?;
        let is_refused = response.status != 200;
        answered.push(response);
        is_refused.then_some(())
    });
    assert!(refused.is_some(), "the ledger's thread goes on");
    let last = answered.pop().unwrap();
    assert_eq!(last.status, 503, "{}", String::from_utf8_lossy(&last.body));
    let (ended, gate) = server.ends();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("the ledger's writer ended unexpectedly"),
        "{}",
        ended.stderr
    );
    let server = serve(gate.with_env("CLOCK_SHIM_FILE", "/dev/null"));
    for response in &answered {
        assert_eq!(
            server.event(response.decision().unwrap())["outcome"],
            "allow"
        );
    }
    assert_eq!(ask(&mut None, &server).unwrap().status, 200);
}
