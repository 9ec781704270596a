//! HTTP/1.1 on real sockets.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{Gate, PATIENCE, impatient, rest, wait_until};
use crate::{Bounds, ListenFault, ListenerSpec, Workers};

#[test]
fn pipelined_requests_are_answered_in_order_on_one_connection() {
    let gate = Gate::plain(Bounds::default());
    let all = gate.talk(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
         GET /none HTTP/1.1\r\nHost: a\r\n\r\n\
         HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n\
         POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n\
         GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    let statuses: Vec<&str> = all
        .split("HTTP/1.1 ")
        .filter_map(|part| part.get(..3))
        .collect();
    assert_eq!(statuses, ["200", "204", "200", "200", "200"], "{all}");
    assert!(
        all.contains("content-length: 3000000"),
        "HEAD states the length"
    );
    assert!(!all.contains("xxx") && all.contains("xyHTTP/1.1"), "{all}");
    assert_eq!(all.matches("connection: ").count(), 1, "only ours: {all}");
    assert_eq!(all.matches("date: ").count(), 5);
    gate.stop();
}

#[test]
fn a_refused_request_ends_the_connection_and_nothing_behind_it_is_read() {
    let gate = Gate::plain(Bounds::default());
    let all = gate.talk(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
         GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    assert!(
        all.contains("connection: close") && all.ends_with("http.malformed"),
        "{all}"
    );
    assert_eq!(gate.seen(), ["refused http.malformed POST"]);
    let all = gate.talk("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhelloGET /smuggled HTTP/1.1\r\n\r\n");
    assert!(
        all.starts_with("HTTP/1.1 400 ") && all.contains("connection: close"),
        "{all}"
    );
    assert_eq!(gate.seen(), ["http/1.1 POST /echo", "body http.malformed"]);
    gate.stop();
}

#[test]
fn the_rest_of_an_unread_body_is_never_a_request() {
    let gate = Gate::plain(Bounds::default());
    // All of the body is there: it is thrown away and the connection lives.
    let all = gate.talk("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 25\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(
        all.matches("HTTP/1.1 200").count(),
        1,
        "a byte short: refused\n{all}"
    );
    let all = gate.talk("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(all.matches("HTTP/1.1 200").count(), 2, "{all}");
    assert!(!gate.seen().iter().any(|l| l.contains("smuggled")));
    // Part of the body is still to come: the connection closes.
    let all = gate.talk("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(all.contains("connection: close"), "{all}");
    assert_eq!(gate.seen(), ["http/1.1 POST /ignore"]);
    gate.stop();
}

#[test]
fn continue_is_sent_only_when_the_body_is_wanted() {
    let gate = Gate::plain(Bounds::default());
    let mut stream = gate.connect();
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").unwrap();
    assert!(rest(&mut stream).ends_with("body"));
    let too_large = gate.talk(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
    );
    assert!(
        too_large.starts_with("HTTP/1.1 413 ") && too_large.contains("connection: close"),
        "{too_large}"
    );
    let unread = gate.talk(
        "POST /ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    assert!(
        unread.starts_with("HTTP/1.1 200 ") && unread.contains("connection: close"),
        "{unread}"
    );
    gate.stop();
}

#[test]
fn slow_clients_are_closed_in_time() {
    let gate = Gate::plain(impatient());
    for (start, expected) in [
        ("", ""),
        ("GET /echo HTTP/1.1\r\nHost:", "408"),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nab",
            "408",
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n300\r\nab",
            "408",
        ),
    ] {
        let mut stream = gate.connect();
        let begun = Instant::now();
        stream.write_all(start.as_bytes()).unwrap();
        // Dripping does not buy more time.
        let mut dripper = stream.try_clone().unwrap();
        let drips = !start.is_empty();
        let drip = std::thread::spawn(move || {
            while drips && dripper.write_all(b"a").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let all = String::from_utf8_lossy(&all);
        assert!(
            all.get(9..12).unwrap_or_default() == expected,
            "{start:?}: {all}"
        );
        // The bound is 0.3 s; had dripping bought time, it would still go on.
        let took = begun.elapsed();
        assert!(
            took > Duration::from_millis(250) && took < PATIENCE,
            "{start:?} {took:?}"
        );
        drop(stream);
        drip.join().unwrap();
    }
    let mut reader = gate.connect();
    reader
        .write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut resting = gate.connect();
    resting
        .write_all(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    assert!(
        rest(&mut resting).starts_with("HTTP/1.1 200"),
        "closed after resting"
    );
    gate.stop();
}

/// At one byte a second an answer of 3 MB may take a month. Whoever takes nothing at all is not waited for so long, and the kernel, which
/// takes the beginning at once, earns them nothing.
#[test]
fn a_reader_that_takes_nothing_is_cut_off_whatever_the_size_of_the_answer() {
    let bounds = || Bounds {
        rate_min: 1,
        ..impatient()
    };
    let gate = Gate::plain(bounds());
    let held: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = gate.connect();
            let asked = "GET /held HTTP/1.1\r\nHost: a\r\n\r\n";
            stream.write_all(asked.as_bytes()).unwrap();
            stream
        })
        .collect();
    let lines = |what: &str| {
        let log = gate.log.lock().unwrap();
        log.iter().filter(|line| *line == what).count()
    };
    wait_until("what was kept for the answers is given back", || {
        lines("given back") == 4
    });
    gate.wait_for_connections(0);
    drop(held);
    let dropped = gate.dropped();
    assert_eq!(
        dropped.get("http.not_read 127.0.0.1"),
        Some(&4),
        "{dropped:?}"
    );
    // One that takes its answer slowly, and without end, is served to the end.
    let gate = Gate::plain(Bounds {
        rate_min: 10_000,
        ..impatient()
    });
    let mut stream = gate.connect();
    stream
        .write_all(b"GET /held HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let (mut all, mut piece) = (0, vec![0; 64 * 1024]);
    loop {
        match stream.read(&mut piece).unwrap() {
            0 => break,
            count => all += count,
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(all > 3_000_000, "{all}");
    assert!(gate.dropped().is_empty());
}

/// A caller who has the whole answer asks for the next one: what was kept for the first must be free by then.
#[test]
fn what_is_kept_for_an_answer_is_free_before_its_reader_has_the_end() {
    let gate = Gate::plain(Bounds::default());
    let mut stream = gate.connect();
    for path in ["/held", "/held-small"] {
        for _ in 0..200 {
            let asked = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            stream.write_all(asked.as_bytes()).unwrap();
            let mut all = Vec::new();
            let mut piece = vec![0; 256 * 1024];
            let is_whole = |all: &[u8]| all.ends_with(b"END");
            while !is_whole(&all) {
                let count = stream.read(&mut piece).unwrap();
                assert!(count > 0);
                all.extend_from_slice(&piece[..count]);
            }
            let seen = gate.seen();
            assert!(
                seen.iter().any(|line| line == "given back"),
                "{path}: {seen:?}"
            );
        }
    }
    gate.stop();
}

#[test]
fn a_panic_costs_one_request_and_its_connection() {
    let gate = Gate::plain(Bounds::default());
    let all =
        gate.talk("GET /panic HTTP/1.1\r\nHost: a\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        all.starts_with("HTTP/1.1 500 ") && all.ends_with("http.internal"),
        "{all}"
    );
    let all = gate.talk("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(all.starts_with("HTTP/1.1 200 "), "{all}");
    gate.stop();
}

#[test]
fn connections_are_admitted_and_counted() {
    for name in ["closed", "panicking"] {
        let gate = Gate::with(name, None, Bounds::default());
        let mut stream = gate.connect();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!(all.is_empty(), "{name}");
        gate.stop();
    }
    let gate = Gate::plain(Bounds::default());
    let held: Vec<_> = (0..20).map(|_| gate.connect()).collect();
    gate.wait_for_connections(20);
    let mut all = Vec::new();
    let _ = gate.connect().read_to_end(&mut all);
    assert!(all.is_empty(), "the twenty-first is dropped");
    drop(held);
    gate.wait_for_connections(0);
    assert!(
        gate.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 200")
    );
    gate.stop();
}

#[test]
fn stopping_finishes_what_is_under_way_and_closes_the_rest() {
    let gate = Gate::plain(Bounds::default());
    let mut busy = gate.connect();
    let mut resting = gate.connect();
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    gate.wait_for_connections(2);
    let is_under_way = || {
        gate.log
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains("/slow"))
    };
    wait_until("the request is under way", is_under_way);
    gate.workers.stop(PATIENCE);
    let all = rest(&mut busy);
    assert!(
        all.ends_with("slow") && all.contains("connection: close"),
        "{all}"
    );
    assert_eq!(rest(&mut resting), "");
}

#[test]
fn a_busy_port_is_named_with_its_holder() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let spec = ListenerSpec::new("public", holder.local_addr().unwrap());
    let fault = Workers::start(1, vec![spec], |_| {
        super::Probe(super::Log::default(), super::Log::default())
    })
    .unwrap_err();
    assert!(matches!(fault, ListenFault::Busy { .. }));
    let text = fault.to_string();
    assert!(
        text.contains("listener `public`") && text.contains("(pid "),
        "{text}"
    );
}
