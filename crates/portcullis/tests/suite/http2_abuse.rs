//! HTTP/2 as an attacker speaks it: hand-written frames over real TLS against the real binary.
//! Each attack has to end in bounded frames and time, others are served meanwhile, memory stays where it was, the
//! upstream hears nothing it should not hear, and the ledger says what happened.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use demo::{Call, Fieldworks};
use serde_json::json;
use testkit::frames::{END_HEADERS, END_STREAM, Hostile, block, frame, head, kind, remembered};
use testkit::{Gate, Key, Play, RecordingUpstream, Server, json_response};

use super::serve;

/// Where attackers and the bystander call from.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 66, 6);
const BYSTANDER: [u8; 4] = [127, 0, 5, 5];
/// What the bystander asks for, and what an attacker with a key asks for.
const ASKED: &str = "/v2/parts?limit=1";
const ATTACKED: &str = "/v2/parts?limit=3";
/// What it writes, without ever sending a whole body.
const WRITTEN: &str = "/v2/parts/ABC-1234";
/// Most memory that an attack may add, asked before the test's own questions about the ledger: each of the threads that
/// answer those keeps some 4 MiB.
const GROWTH_KIB_MAX: u64 = 32 * 1024;
/// Longest wait of the bystander. A busy machine is in it.
const WAIT_MAX: Duration = testkit::PATIENCE;
/// Codes of connections that were closed for their frames.
const CLOSED: [&str; 2] = ["http.frames_excessive", "http.frames_malformed"];

/// Frames for one stream.
type Provocation = fn(u32) -> Vec<u8>;

/// A server under attack, and somebody else who is served by it.
struct Scene {
    server: Server,
    upstream: RecordingUpstream,
    key: Key,
    is_over: Arc<AtomicBool>,
    bystander: JoinHandle<Vec<(u16, Duration)>>,
    kib_before: u64,
    /// Memory when the attack was over.
    kib_after: Cell<Option<u64>>,
}

impl Scene {
    fn open() -> Scene {
        Scene::with(RecordingUpstream::fieldworks(&Fieldworks::new(7)), |_| {})
    }

    fn with(upstream: RecordingUpstream, change: impl Fn(&Gate)) -> Scene {
        let gate = Gate::demo(upstream.address()).unlimited();
        gate.edit(
            "portcullis.yaml",
            "timeouts: { head: 10s, body: 10s, idle: 60s }",
            "timeouts: { head: 2s, body: 2s, reply: 2s, idle: 60s }",
        );
        gate.edit(
            "integrations/inventory.yaml",
            "[127.0.0.1/32, 127.0.2.0/24]",
            "[127.0.0.0/8]",
        );
        change(&gate);
        let server = serve(gate);
        let key = server.quick_key("inventory", &[]);
        let is_over = Arc::new(AtomicBool::new(false));
        let (address, text, over) = (
            server.address("local"),
            key.text.clone(),
            Arc::clone(&is_over),
        );
        let ask = move || {
            let begun = Instant::now();
            let call = Call::get(ASKED).from(BYSTANDER);
            let response = testkit::wire::send(address, &call, Some(&text));
            (response.status, begun.elapsed())
        };
        for _ in 0..20 {
            assert_eq!(ask().0, 200, "before the attack");
        }
        let kib_before = resident(&server);
        let bystander = std::thread::spawn(move || {
            let mut responses = vec![ask()];
            while !over.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(10));
                responses.push(ask());
            }
            responses
        });
        Scene {
            server,
            upstream,
            key,
            is_over,
            bystander,
            kib_before,
            kib_after: Cell::new(None),
        }
    }

    fn attacker(&self) -> Hostile {
        Hostile::open(
            ATTACKER,
            self.server.address("public"),
            &self.server.gate.ca(),
        )
    }

    /// Fields of a request that carries the key.
    fn bearer(&self) -> String {
        format!("Bearer {}", self.key.text)
    }

    /// Connections or streams on the record under these codes, once there are at least so many.
    fn recorded(&self, codes: &[&str], least: u64) -> u64 {
        self.note_memory();
        let sum = testkit::poll(testkit::PATIENCE, || {
            let events = self.server.ledger_of(&json!({ "kind": "connection" }));
            let mine = events.iter().filter(|event| {
                event["address"] == ATTACKER.to_string()
                    && codes.iter().any(|code| event["code"] == *code)
            });
            let sum: u64 = mine.filter_map(|event| event["count"].as_u64()).sum();
            (sum >= least).then_some(sum)
        });
        sum.unwrap_or_else(|| {
            panic!(
                "{codes:?}: {:?}",
                self.server.ledger_of(&json!({ "kind": "connection" }))
            )
        })
    }

    /// The first time it is called is when the attack is over.
    fn note_memory(&self) -> u64 {
        let noted = self
            .kib_after
            .get()
            .unwrap_or_else(|| resident(&self.server));
        self.kib_after.set(Some(noted));
        noted
    }

    /// The attack is over: everybody else was served, memory is where it was, and of the attacker's requests no more than
    /// these came through.
    fn end(self, requests_max: usize) {
        let kib_after = self.note_memory();
        let alone = Call::get(ASKED).from(BYSTANDER);
        assert_eq!(self.server.send(&alone, Some(&self.key)).status, 200);
        self.is_over.store(true, Ordering::Release);
        let responses = self.bystander.join().unwrap();
        assert!(
            responses.iter().all(|(status, _)| *status == 200),
            "{responses:?}"
        );
        let slowest = responses.iter().map(|(_, took)| *took).max().unwrap();
        let grown = kib_after.saturating_sub(self.kib_before);
        let heard = self.upstream.requests();
        let (own, others): (Vec<_>, Vec<_>) = heard.iter().partition(|asked| asked.target == ASKED);
        assert!(own.len() > responses.len(), "the bystander was heard");
        assert!(
            others.iter().all(|asked| asked.target == ATTACKED),
            "{others:?}"
        );
        assert!(
            others.len() <= requests_max,
            "{} requests came through",
            others.len()
        );
        assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more");
        eprintln!(
            "bystander: {} answers, slowest {slowest:?}; {grown} KiB more; {} requests came through",
            responses.len(),
            others.len()
        );
    }
}

/// Resident memory in KiB.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Ids of a client's streams.
fn stream(n: u32) -> u32 {
    2 * n + 1
}

/// Floods with so many rounds at the most, and waits until the other side has closed because of them.
fn ends_within(rounds_max: u32, attacker: &mut Hostile, bytes: impl FnMut(u32) -> Vec<u8>) {
    let begun = Instant::now();
    let rounds = attacker.flood(rounds_max, bytes);
    let rounds = rounds.unwrap_or_else(|| panic!("{rounds_max} rounds did not close it"));
    eprintln!("closed after {rounds} rounds, {:?}", begun.elapsed());
}

#[test]
fn rapid_resets_end_the_connection_and_cancel_no_more_than_fits() {
    let upstream = RecordingUpstream::start(|asked| {
        let page = json_response(200, r#"{"items":[]}"#);
        if asked.target == ATTACKED {
            Play::Later(Duration::from_millis(1500), page)
        } else {
            Play::Response(page)
        }
    });
    let scene = Scene::with(upstream, |_| {});
    let bearer = scene.bearer();
    let fields = [("authorization", bearer.as_str())];
    let cancel = |n: u32| frame(kind::RST_STREAM, 0, stream(n), &8u32.to_be_bytes());
    let ask = |n: u32| head(stream(n), "GET", ATTACKED, &fields, END_STREAM);
    // All at once (CVE-2023-44487): most are cancelled before anybody has looked at them.
    ends_within(500, &mut scene.attacker(), |n| [ask(n), cancel(n)].concat());
    // Patiently: each request has reached the upstream before it is cancelled.
    let mut patient = scene.attacker();
    let mut n = 0;
    while patient.send(&ask(n)) && !patient.is_closed_within(Duration::from_millis(2)) {
        patient.send(&cancel(n));
        n += 1;
        assert!(n <= 500, "never closed");
    }
    assert_eq!(scene.recorded(&["http.frames_excessive"], 2), 2);
    scene.end(2 * 130);
}

#[test]
fn resets_that_the_server_is_made_to_send_end_the_connection() {
    let scene = Scene::open();
    let bearer = scene.bearer();
    let fields = [("authorization", bearer.as_str())];
    let ask = |n: u32| head(stream(n), "GET", ATTACKED, &fields, 0);
    // CVE-2025-8671: what is wrong with the stream makes the server reset it.
    let provoke: [(&str, Provocation); 3] = [
        ("a window of nothing", |id| {
            frame(kind::WINDOW_UPDATE, 0, id, &[0; 4])
        }),
        ("a window too large", |id| {
            frame(kind::WINDOW_UPDATE, 0, id, &0x7fff_ffffu32.to_be_bytes())
        }),
        ("a stream that depends on itself", |id| {
            let payload = [&id.to_be_bytes()[..], &[0]].concat();
            frame(kind::PRIORITY, 0, id, &payload)
        }),
    ];
    for (name, provocation) in provoke {
        eprintln!("{name}");
        ends_within(500, &mut scene.attacker(), |n| {
            [ask(n), provocation(stream(n))].concat()
        });
    }
    scene.recorded(&CLOSED, 3);
    scene.recorded(&["http.streams_reset"], 50);
    scene.end(3 * 100);
}

#[test]
fn control_frames_without_end_end_the_connection() {
    let scene = Scene::open();
    let floods: [(&str, Vec<u8>); 7] = [
        ("SETTINGS", frame(kind::SETTINGS, 0, 0, &[])),
        (
            "SETTINGS that are acknowledgements",
            frame(kind::SETTINGS, 1, 0, &[]),
        ),
        ("PING", frame(kind::PING, 0, 0, &[7; 8])),
        ("PING that are answers", frame(kind::PING, 1, 0, &[7; 8])),
        ("PRIORITY", frame(kind::PRIORITY, 0, 9, &[0, 0, 0, 0, 1])),
        (
            "WINDOW_UPDATE",
            frame(kind::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        ),
        ("a type nobody knows", frame(0xbe, 0, 0, &[1; 16])),
    ];
    for (name, bytes) in &floods {
        eprintln!("{name}");
        ends_within(1000, &mut scene.attacker(), |_| bytes.clone());
    }
    assert_eq!(scene.recorded(&CLOSED, 7), 7);
    scene.end(0);
}

#[test]
fn empty_data_without_end_ends_the_connection() {
    let scene = Scene::open();
    let bearer = scene.bearer();
    let fields = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let mut attacker = scene.attacker();
    attacker.send(&head(1, "PUT", WRITTEN, &fields, 0));
    ends_within(1000, &mut attacker, |_| frame(kind::DATA, 0, 1, &[]));
    scene.recorded(&CLOSED, 1);
    scene.end(0);
}

#[test]
fn heads_in_countless_pieces_end_the_connection_and_unfinished_ones_too() {
    let scene = Scene::open();
    // CVE-2024-27316.
    let mut attacker = scene.attacker();
    let begin = |n: u32| {
        frame(
            kind::HEADERS,
            END_STREAM,
            stream(n),
            &block(&[(":method", "GET")]),
        )
    };
    attacker.send(&begin(0));
    let piece = frame(kind::CONTINUATION, 0, 1, &block(&[("x-a", "b")]));
    ends_within(200, &mut attacker, |_| piece.clone());
    let mut attacker = scene.attacker();
    attacker.send(&begin(0));
    ends_within(200, &mut attacker, |_| frame(kind::CONTINUATION, 0, 1, &[]));
    scene.recorded(&CLOSED, 2);
    // One that never goes on is closed when its time is over, also behind a request that was answered.
    let mut slow = scene.attacker();
    slow.send(&head(1, "GET", "/v2/parts", &[], END_STREAM));
    let answered = |seen: &testkit::frames::Seen| seen.kind == kind::HEADERS;
    assert!(slow.wait_for(WAIT_MAX, answered).is_some());
    let begun = Instant::now();
    slow.send(&begin(1));
    assert!(slow.is_closed_within(WAIT_MAX), "never closed");
    assert!(begun.elapsed() > Duration::from_secs(1));
    assert_eq!(scene.recorded(&["http.timeout"], 1), 1);
    scene.end(0);
}

#[test]
fn small_blocks_that_unfold_into_large_lists_end_the_connection() {
    let scene = Scene::open();
    let pseudo = block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/v2/parts"),
    ]);
    let first = remembered("x-bomb", &"b".repeat(3_900));
    // The newest remembered field is index 62: one octet each (RFC 7541 §6.1).
    let bomb = |n: u32| {
        let many = vec![0x80 | 62; 12_000];
        let payload = [&pseudo[..], &first, &many].concat();
        frame(kind::HEADERS, END_STREAM | END_HEADERS, stream(n), &payload)
    };
    ends_within(200, &mut scene.attacker(), bomb);
    // A list that is a little too large is a request, and refused like one.
    let mut attacker = scene.attacker();
    attacker.send(&large(&pseudo, 1, 5));
    let response = attacker.wait_for(WAIT_MAX, |seen| seen.kind == kind::DATA);
    let text = String::from_utf8(response.expect("an answer").payload).unwrap();
    assert!(text.contains("http.too_large"), "{text}");
    let refused = scene.server.ledger_of(&json!({ "code": "http.too_large" }));
    assert_eq!((refused.len(), &refused[0]["status"]), (1, &json!(431)));
    // A larger one the library answers by itself; again and again, that ends the connection.
    ends_within(200, &mut attacker, |n| large(&pseudo, stream(n + 1), 10));
    assert_eq!(scene.recorded(&CLOSED, 2), 2);
    scene.recorded(&["http.streams_reset"], 10);
    scene.end(0);
}

/// A request with so many fields of 8,000 octets, in as many frames as that takes.
fn large(pseudo: &[u8], id: u32, fields: usize) -> Vec<u8> {
    let long = "c".repeat(8_000);
    let many: Vec<(&str, &str)> = (0..fields).map(|_| ("x-long", long.as_str())).collect();
    let payload = [pseudo, &block(&many)].concat();
    let pieces = payload.chunks(16_000);
    let last = pieces.len() - 1;
    let framed = pieces.enumerate().map(|(n, piece)| {
        let kind = if n == 0 {
            kind::HEADERS
        } else {
            kind::CONTINUATION
        };
        let end = if n == last { END_HEADERS } else { 0 };
        let stream = if n == 0 { END_STREAM } else { 0 };
        frame(kind, end | stream, id, piece)
    });
    framed.collect::<Vec<_>>().concat()
}

#[test]
fn a_client_that_never_opens_its_window_is_closed() {
    let scene = Scene::open();
    let bearer = scene.bearer();
    let fields = [("authorization", bearer.as_str())];
    let mut attacker = scene.attacker();
    // SETTINGS_INITIAL_WINDOW_SIZE 0.
    attacker.send(&frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
    for n in 0..50 {
        attacker.send(&head(stream(n), "GET", ATTACKED, &fields, END_STREAM));
    }
    let begun = Instant::now();
    assert!(attacker.is_closed_within(WAIT_MAX), "never closed");
    eprintln!("closed after {:?}", begun.elapsed());
    assert!(
        !attacker
            .seen()
            .iter()
            .any(|seen| seen.kind == kind::DATA && !seen.payload.is_empty()),
        "nothing was granted, so nothing came"
    );
    assert_eq!(scene.recorded(&["http.not_read"], 1), 1);
    scene.end(50);
}

#[test]
fn streams_in_impossible_states_end_in_a_reset_or_the_connection() {
    let scene = Scene::open();
    let ask = |id: u32| head(id, "GET", "/v2/parts", &[], END_STREAM);
    let cases: [(&str, Vec<u8>); 6] = [
        ("an id that goes backwards", [ask(5), ask(3)].concat()),
        ("an id of the server's", ask(2)),
        ("a head for no stream", ask(0)),
        (
            "data for a stream that was never opened",
            frame(kind::DATA, 0, 7, b"x"),
        ),
        (
            "a window for no frame at all",
            frame(kind::WINDOW_UPDATE, 0, 0, &[0; 4]),
        ),
        (
            "a continuation of nothing",
            frame(kind::CONTINUATION, 4, 1, b"x"),
        ),
    ];
    for (name, bytes) in &cases {
        let mut attacker = scene.attacker();
        attacker.send(bytes);
        assert!(attacker.is_closed_within(WAIT_MAX), "{name}");
    }
    assert_eq!(scene.recorded(&["http.frames_malformed"], 6), 6);
    // Data and a second head for a stream that has ended.
    for late in [frame(kind::DATA, 0, 1, b"late"), ask(1)] {
        let mut attacker = scene.attacker();
        attacker.send(&ask(1));
        assert!(
            attacker
                .wait_for(WAIT_MAX, |seen| seen.kind == kind::HEADERS)
                .is_some()
        );
        attacker.send(&late);
        let refused = attacker.wait_for(WAIT_MAX, |seen| {
            // PROTOCOL_ERROR or STREAM_CLOSED.
            matches!(seen.kind, kind::RST_STREAM | kind::GOAWAY) && matches!(seen.error(), 1 | 5)
        });
        assert!(refused.is_some(), "{:?}", attacker.seen());
        // The same without end.
        ends_within(1100, &mut attacker, |_| late.clone());
    }
    scene.end(0);
}

#[test]
fn streams_beyond_those_allowed_at_once_are_refused_and_recorded() {
    let scene = Scene::open();
    let bearer = scene.bearer();
    let fields = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let open = |n: u32| head(stream(n), "PUT", WRITTEN, &fields, 0);
    let refused = |attacker: &Hostile| {
        let seen = attacker.seen();
        seen.iter()
            .filter(|s| s.kind == kind::RST_STREAM && s.error() == 7)
            .count()
    };
    // A burst that an honest client may send before it has read the settings: the connection lives.
    let mut hasty = scene.attacker();
    (0..140).for_each(|n| assert!(hasty.send(&open(n))));
    let came = testkit::poll(WAIT_MAX, || {
        hasty.listen(Duration::from_millis(50));
        (refused(&hasty) >= 40).then_some(())
    });
    assert!(came.is_some(), "{} of 140 were refused", refused(&hasty));
    // A second may end between a head and its reset, which then count in one record each.
    let recorded = scene.recorded(&["http.streams_reset"], 40);
    assert!((40..=80).contains(&recorded), "{recorded}");
    // Requests that never end are given up, and their streams are free again.
    let given_up = |seen: &testkit::frames::Seen| seen.kind == kind::DATA;
    assert!(hasty.wait_for(WAIT_MAX, given_up).is_some());
    assert!(hasty.send(&frame(kind::PING, 0, 0, &[7; 8])));
    assert!(
        hasty
            .wait_for(WAIT_MAX, |seen| seen.kind == kind::PING && seen.flags == 1)
            .is_some()
    );
    // More than that ends it.
    ends_within(400, &mut scene.attacker(), open);
    scene.recorded(&CLOSED, 1);
    scene.end(0);
}

#[test]
fn whoever_abuses_connections_again_and_again_is_blocked_by_address() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let scene = Scene::with(upstream, |gate| {
        let blocks = "blocks: { after: 3 refusals/min, for: 10min, escalate: 1 }";
        gate.edit("portcullis.yaml", "blocks: off", blocks);
    });
    for _ in 0..4 {
        ends_within(1000, &mut scene.attacker(), |_| {
            frame(kind::PING, 0, 0, &[7; 8])
        });
    }
    scene.note_memory();
    let noted = |event: &serde_json::Value| {
        let detail = event["detail"].as_str().unwrap_or_default();
        event["blocked"]["until"].is_i64() && detail.ends_with("too many control frames")
    };
    let events = || scene.server.ledger_of(&json!({ "kind": "connection" }));
    let came = testkit::poll(testkit::PATIENCE, || {
        events().iter().any(noted).then_some(())
    });
    assert!(came.is_some(), "{:?}", events());
    let call = Call::get(ASKED).from(ATTACKER.octets());
    let stranger = scene.server.send(&call, None);
    assert_eq!(stranger.code().as_deref(), Some("limit.blocked"));
    // Its neighbours have done nothing.
    assert_eq!(scene.server.send(&call, Some(&scene.key)).status, 200);
    scene.end(0);
}
