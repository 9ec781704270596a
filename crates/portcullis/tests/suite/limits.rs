//! Nobody takes more than his share: rates with a true Retry-After, blocks with an end, places at once, per address, per
//! person, per operation; and nobody else feels it.
//! Start reading at `a_burst_is_stopped_and_told_the_true_moment_to_return`.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use demo::{Call, CallResponse};
use serde_json::json;
use testkit::{Gate, Latch, Play, RecordingUpstream, Server, json_response};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// The small gate with these limits for alpha.
fn limited(upstream: &RecordingUpstream, limits: &str) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.edit(
        "integrations/alpha.yaml",
        "grants:\n",
        &format!("limits: [{limits}]\ngrants:\n"),
    );
    gate
}

fn read() -> Call {
    call("GET", "/v1/notes/1")
}

fn seconds(response: &CallResponse) -> u64 {
    let text = response
        .header("retry-after")
        .unwrap_or_else(|| panic!("no Retry-After: {response:?}"));
    let member = response
        .json()
        .unwrap()
        .get("retry_after")
        .unwrap()
        .as_i64()
        .unwrap();
    assert_eq!(text, member.to_string(), "header and document agree");
    text.parse().unwrap()
}

fn first_refused(
    server: &Server,
    call: &Call,
    key: &testkit::Key,
    most: usize,
) -> (usize, CallResponse) {
    (0..most)
        .map(|number| (number, server.send(call, Some(key))))
        .find(|(_, response)| response.status != 200)
        .unwrap_or_else(|| panic!("{most} calls passed"))
}

#[test]
fn a_burst_is_stopped_and_told_the_true_moment_to_return() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(limited(
        &upstream,
        "{ per: integration, rate: 20/min, burst: 5 }",
    ));
    let (noisy, quiet) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let begun = Instant::now();
    let (passed, refused) = first_refused(&server, &read(), &noisy, 200);
    // One comes back every 3 s meanwhile, never more.
    let back = usize::try_from(begun.elapsed().as_secs()).unwrap() / 3 + 1;
    assert!(
        (5..=5 + back).contains(&passed),
        "{passed} passed a burst of 5"
    );
    assert_eq!(
        (refused.status, refused.code().as_deref()),
        (429, Some("limit.exceeded"))
    );
    assert!(refused.header("ratelimit").is_some());
    let wait = seconds(&refused);
    assert!((1..=3).contains(&wait), "one place each 3 s, told {wait} s");
    assert_eq!(upstream.requests().len(), passed);
    for _ in 0..10 {
        assert_eq!(
            server.send(&read(), Some(&quiet)).status,
            200,
            "another caller feels nothing"
        );
    }
    // Whoever obeys is never refused for it.
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(server.send(&read(), Some(&noisy)).status, 200);
}

#[test]
fn a_second_key_of_the_same_integration_and_other_spellings_buy_nothing() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(limited(
        &upstream,
        "{ per: integration, rate: 1/h, burst: 3 }",
    ));
    let (first, second) = (
        server.quick_key("alpha", &[]),
        server.quick_key("alpha", &[]),
    );
    first_refused(&server, &read(), &first, 10);
    for call in [
        read(),
        call("GET", "/v1/notes?limit=1"),
        read().with("X-Forwarded-For", "9.9.9.9"),
        read().with("X-Real-Ip", "9.9.9.9"),
    ] {
        assert_eq!(
            server.send(&call, Some(&second)).code().as_deref(),
            Some("limit.exceeded"),
            "{}",
            call.target
        );
    }
    assert_eq!(upstream.requests().len(), 3);
}

#[test]
fn who_goes_on_knocking_is_blocked_and_the_block_ends_when_it_says() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = limited(
        &upstream,
        "{ per: integration, rate: 6000/min, burst: 1000 }",
    );
    gate.edit(
        "portcullis.yaml",
        "blocks: off",
        "blocks: { after: 5 refusals/min, for: 4s, escalate: 1 }",
    );
    let server = serve(gate);
    let (bad, good) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let wrong = call("GET", "/v1/notes?limit=many");
    let mut codes = Vec::new();
    let mut blocked = None;
    for _ in 0..30 {
        let response = server.send(&wrong, Some(&bad));
        let code = response.code().unwrap();
        if code == "limit.blocked" {
            blocked = Some((response, Instant::now()));
            break;
        }
        codes.push(code);
    }
    let (response, at) = blocked.unwrap_or_else(|| panic!("never blocked: {codes:?}"));
    assert_eq!(response.status, 429);
    assert!(
        codes.iter().all(|code| code == "validate.query"),
        "{codes:?}"
    );
    assert!((4..=6).contains(&codes.len()), "{codes:?}");
    let wait = seconds(&response);
    assert!((1..=4).contains(&wait), "{wait}");
    assert_eq!(
        server.send(&read(), Some(&good)).status,
        200,
        "others are not blocked"
    );
    let still = server.send(&read(), Some(&bad));
    assert!(
        still.code().as_deref() == Some("limit.blocked")
            || at.elapsed() > Duration::from_secs(wait)
    );
    let left = Duration::from_secs(wait).saturating_sub(at.elapsed());
    std::thread::sleep(left);
    assert_eq!(
        server.send(&read(), Some(&bad)).status,
        200,
        "knocking meanwhile did not lengthen it"
    );
    let event = server.event(response.decision().unwrap());
    assert!(event["blocked"]["until"].as_i64() > event["at"].as_i64());
}

#[test]
fn an_address_has_its_own_share_before_anybody_is_known() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "address_limit: { rate: 100000/s, burst: 100000 }",
        "address_limit: { rate: 1/h, burst: 5 }",
    );
    let server = serve(gate);
    let send = |address: [u8; 4], forged: &str| {
        let call = read().from(address).with("X-Forwarded-For", forged);
        testkit::wire::send(server.address("public"), &call, None)
    };
    let codes: Vec<String> = (0..8)
        .map(|n| send([127, 0, 6, 6], &format!("9.9.9.{n}")).code().unwrap())
        .collect();
    assert_eq!(codes[..5], ["authn.missing"; 5], "{codes:?}");
    assert_eq!(
        codes[7], "limit.exceeded",
        "a forged address buys nothing: {codes:?}"
    );
    assert_eq!(
        send([127, 0, 6, 7], "9.9.9.9").code().as_deref(),
        Some("authn.missing")
    );
}

#[test]
fn each_person_and_each_operation_has_its_own_share() {
    let upstream = RecordingUpstream::always(NOTE);
    let limits = "{ per: user, rate: 1/h, burst: 2 }, { per: operation, operations: [searchNotes], rate: 1/h, burst: 1 }";
    let server = serve(limited(&upstream, limits));
    let key = server.quick_key("alpha", &[]);
    let by = |person: &str| {
        server
            .send(&read().with("X-Person", person), Some(&key))
            .status
    };
    assert_eq!([by("ann"), by("ann"), by("ann")], [200, 200, 429]);
    assert_eq!([by("ben"), by("ben"), by("ben")], [200, 200, 429]);
    let nobody: Vec<u16> = (0..4)
        .map(|_| server.send(&read(), Some(&key)).status)
        .collect();
    assert_eq!(nobody, [200; 4], "no person is named, so none is counted");
    let search = || {
        let mut search =
            call("POST", "/v1/searches").with("Content-Type", "application/x-www-form-urlencoded");
        search.body = b"text=a".to_vec();
        server.send(&search, Some(&key)).code()
    };
    search();
    assert_eq!(search().as_deref(), Some("limit.exceeded"));
    assert_eq!(
        server.send(&read(), Some(&key)).status,
        200,
        "other operations go on"
    );
    assert_eq!(
        server.ledger_of(&json!({ "code": "limit.exceeded" })).len(),
        3
    );
}

#[test]
fn places_at_once_are_bounded_and_given_back() {
    let release = Latch::default();
    let held = release.clone();
    let upstream = RecordingUpstream::start(move |asked| {
        if asked.target.ends_with("/slow") {
            Play::Held(held.clone(), json_response(200, NOTE))
        } else {
            Play::Response(json_response(200, NOTE))
        }
    });
    let gate = limited(&upstream, "{ per: integration, concurrency: 2 }");
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 60s");
    let server = serve(gate);
    let (key, other) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let address = server.address("public");
    let slow = |text: String| {
        std::thread::spawn(move || {
            testkit::wire::send(address, &call("GET", "/v1/notes/slow"), Some(&text)).status
        })
    };
    let two = [slow(key.text.clone()), slow(key.text.clone())];
    let both = testkit::poll(testkit::PATIENCE, || {
        (upstream.requests().len() >= 2).then_some(())
    });
    assert!(both.is_some());
    let third = server.send(&read(), Some(&key));
    assert_eq!(
        (third.status, third.code().as_deref()),
        (429, Some("limit.concurrency"))
    );
    assert!(third.header("retry-after").is_some());
    assert_eq!(server.send(&read(), Some(&other)).status, 200);
    release.open();
    for one in two {
        assert_eq!(one.join().unwrap(), 200);
    }
    let again = testkit::poll(testkit::PATIENCE, || {
        (server.send(&read(), Some(&key)).status == 200).then_some(())
    });
    assert!(again.is_some(), "places are given back");
}

#[test]
fn a_caller_who_holds_slow_calls_leaves_places_for_the_others() {
    let latch = Latch::default();
    let held = latch.clone();
    let upstream = RecordingUpstream::start(move |asked| {
        if asked.target.ends_with("/slow") {
            Play::Held(held.clone(), json_response(200, NOTE))
        } else {
            Play::Response(json_response(200, NOTE))
        }
    });
    let gate = Gate::small(upstream.address());
    gate.edit(
        "apis/notes.yaml",
        "timeout: 5s",
        "timeout: 60s, calls_max: 12",
    );
    let server = serve(gate);
    let greedy = server.quick_key("alpha", &[]);
    let others = [
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    ];
    let slow = call("GET", "/v1/notes/slow");
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..12)
            .map(|_| scope.spawn(|| server.send(&slow, Some(&greedy))))
            .collect();
        let refused = || calls.iter().filter(|call| call.is_finished()).count();
        let is_so = || refused() == 6 && upstream.requests().len() >= 6;
        let came = testkit::poll(testkit::PATIENCE, || is_so().then_some(()));
        let asked = upstream.requests().len();
        for key in &others {
            assert_eq!(server.send(&read(), Some(key)).status, 200);
        }
        // While the caller waits its own further calls are refused, and nothing of them is sent.
        let more = server.send(&read(), Some(&greedy));
        let (sent, since) = (upstream.requests().len(), asked + others.len());
        latch.open();
        assert!(came.is_some(), "{} of 12 are refused", refused());
        assert_eq!(more.code().as_deref(), Some("upstream.overloaded"));
        assert_eq!((asked, sent), (6, since));
        let detail = server.event(more.decision().unwrap())["detail"].to_string();
        assert!(detail.contains("this caller has 6 calls"), "{detail}");
        let ends = calls.into_iter().map(|call| call.join().unwrap().status);
        let served = ends.filter(|status| *status == 200).count();
        assert_eq!(served, 6);
    });
    assert_eq!(server.send(&read(), Some(&greedy)).status, 200);
}

#[test]
fn connections_beyond_the_bound_of_one_address_are_closed_and_others_are_not() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "blocks: off",
        "blocks: off\n  connections_per_address_max: 8",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let address = server.address("public");
    let held: Vec<TcpStream> = (0..40)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let closed = |stream: &TcpStream| {
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        matches!((&*stream).read(&mut [0]), Ok(0)) || stream.take_error().unwrap().is_some()
    };
    let count = || held.iter().filter(|stream| closed(stream)).count();
    let came = testkit::poll(testkit::PATIENCE, || (count() >= 32).then_some(()));
    assert!(came.is_some(), "{} of 40 are closed", count());
    assert!(count() <= 32, "those within the bound stay");
    let other = read().from([127, 0, 4, 4]);
    assert_eq!(server.send(&other, Some(&key)).status, 200);
    drop(held);
    let back = testkit::poll(testkit::PATIENCE, || {
        let bytes = read().bytes("gate.test", Some(&key.text));
        let heard = testkit::wire::raw_from(Ipv4Addr::LOCALHOST, address, &bytes);
        heard.bytes.starts_with(b"HTTP/1.1 200").then_some(())
    });
    assert!(back.is_some(), "places are given back");
}

/// Opens connections behind the callers' own address, as many as there is time for, and keeps the last 300 of them: silent
/// ones, ones with half a head, and ones that were answered and rest.
fn open_many(address: SocketAddr, is_over: &AtomicBool) -> usize {
    let pieces: [&[u8]; 3] = [
        b"",
        b"GET /v1/notes/1 HTTP/1.1\r\nHost: ga",
        b"GET /v1/notes/1 HTTP/1.1\r\nHost: gate.test\r\n\r\n",
    ];
    let (mut held, mut opened) = (VecDeque::new(), 0);
    // An end of its own, so that a test that fails ends as well.
    while !is_over.load(Ordering::Acquire) && opened < 20_000 {
        let mut stream = TcpStream::connect(address).unwrap();
        // The gate may have ended it already.
        drop(stream.write_all(pieces[opened % pieces.len()]));
        held.push_back(stream);
        if held.len() > 300 {
            held.pop_front();
        }
        opened += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    opened
}

#[test]
fn a_neighbour_who_fills_an_address_with_connections_locks_no_caller_out() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.edit(
        "portcullis.yaml",
        "blocks: off",
        "blocks: off\n  connections_per_address_max: 64",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let address = server.address("public");
    let ask = format!(
        "GET /v1/notes/1 HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer {}\r\n\r\n",
        key.text
    );
    let answered = |stream: &mut TcpStream| {
        stream.write_all(ask.as_bytes()).unwrap();
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).unwrap();
        assert!(piece[..count].starts_with(b"HTTP/1.1 200"), "{count}");
    };
    let mut kept = TcpStream::connect(address).unwrap();
    kept.set_read_timeout(Some(testkit::PATIENCE)).unwrap();
    answered(&mut kept);
    let is_over = AtomicBool::new(false);
    let opened = std::thread::scope(|scope| {
        let neighbour = scope.spawn(|| open_many(address, &is_over));
        let filter = json!({ "kind": "connection", "code": "limit.connections" });
        let is_full = testkit::poll(testkit::PATIENCE, || {
            (!server.ledger_of(&filter).is_empty()).then_some(())
        });
        for _ in 0..40 {
            answered(&mut kept);
            let fresh = demo::send_plain(address, &read(), Some(&key.text));
            assert_eq!(fresh.map(|response| response.status).ok(), Some(200));
        }
        is_over.store(true, Ordering::Release);
        assert!(is_full.is_some(), "the address was never full");
        neighbour.join().unwrap()
    });
    assert!(opened > 64, "{opened}");
}

#[test]
fn a_server_out_of_file_descriptors_lives_and_recovers() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    assert_eq!(server.send(&read(), Some(&key)).status, 200);
    let bounded = Command::new("prlimit")
        .args([
            format!("--pid={}", server.pid()),
            "--nofile=96:96".to_owned(),
        ])
        .status();
    if !bounded.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: `prlimit` is not there");
        return;
    }
    let address = server.address("public");
    let held: Vec<TcpStream> = (0..250)
        .filter_map(|_| TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok())
        .collect();
    assert!(held.len() > 100);
    let descriptors = || {
        let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
        (open.count() >= 80).then_some(())
    };
    // Not all of them: how many stay open while others are refused and end changes from moment to moment.
    let open = || {
        std::fs::read_dir(format!("/proc/{}/fd", server.pid()))
            .unwrap()
            .count()
    };
    assert!(
        testkit::poll(testkit::PATIENCE, descriptors).is_some(),
        "{} descriptors: {}",
        open(),
        server.stderr()
    );
    drop(held);
    let back = testkit::poll(testkit::PATIENCE, || {
        let response = demo::send_plain(address, &read(), Some(&key.text)).ok()?;
        (response.status == 200).then_some(())
    });
    assert!(back.is_some(), "{}", server.stderr());
    // That it could not look at its files says nothing of them.
    let refused = server.ledger_of(&json!({ "kind": "configuration.refused" }));
    assert!(refused.is_empty(), "{refused:?}");
    let (ended, _gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
