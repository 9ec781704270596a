//! Limits by what a request says, by several things together, and by how a call ends; and that a call is taken from every limit or from none.
//! Start reading at `guesses_for_one_name_end_and_right_ones_cost_nothing`.

use std::net::SocketAddr;

use demo::{Call, CallResponse};
use testkit::{Gate, Key, Latch, Play, RecordingUpstream, Server, json_response};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// The small gate with these limits for alpha, where a note that is not accepted is answered 401.
fn limited(upstream: SocketAddr, limits: &str) -> Gate {
    let gate = Gate::small(upstream);
    gate.edit(
        "integrations/alpha.yaml",
        "grants:\n",
        &format!("limits: [{limits}]\ngrants:\n"),
    );
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "        \"201\":\n",
        "        \"401\": { description: No }\n        \"201\":\n",
    );
    gate
}

/// Takes notes whose text is `right`; answers lists and single notes.
fn upstream(held: Option<Latch>) -> RecordingUpstream {
    RecordingUpstream::start(move |asked| {
        let path = asked.target.split('?').next().unwrap_or_default();
        let is_right = String::from_utf8_lossy(&asked.body).contains("right");
        let answer = match (asked.method.as_str(), path) {
            ("POST", "/v1/notes") if is_right => json_response(201, NOTE),
            ("POST", "/v1/notes") => json_response(401, "{}"),
            (_, "/v1/notes") => json_response(200, "[]"),
            _ => json_response(200, NOTE),
        };
        match &held {
            Some(latch) => Play::Held(latch.clone(), answer),
            None => Play::Response(answer),
        }
    })
}

fn guess(name: &str, word: &str) -> Call {
    let mut call = call("POST", "/v1/notes").with("Content-Type", "application/json");
    call.body = serde_json::json!({ "title": name, "text": word })
        .to_string()
        .into_bytes();
    call
}

fn is_limited(response: &CallResponse) -> bool {
    response.code().as_deref() == Some("limit.exceeded")
}

/// How many of so many calls were let pass.
fn passed(server: &Server, call: &Call, key: &Key, count: usize) -> usize {
    (0..count)
        .filter(|_| !is_limited(&server.send(call, Some(key))))
        .count()
}

const GUESSES: &str =
    "{ per: body.title, rate: 1/h, burst: 3, operations: [createNote], failed: { status: [401] } }";

#[test]
fn guesses_for_one_name_end_and_right_ones_cost_nothing() {
    let upstream = upstream(None);
    let server = serve(limited(upstream.address(), GUESSES));
    let key = server.quick_key("alpha", &[]);
    assert_eq!(passed(&server, &guess("ben", "right"), &key, 12), 12);
    // However the name is written.
    for name in ["Ann", " ann", "ANN "] {
        assert!(!is_limited(&server.send(&guess(name, "wrong"), Some(&key))));
    }
    let before = upstream.requests().len();
    let refused = server.send(&guess("ann", "right"), Some(&key));
    assert!(is_limited(&refused) && refused.header("retry-after").is_some());
    assert_eq!(upstream.requests().len(), before, "nothing was tried");
    let event = server.event(refused.decision().unwrap()).to_string();
    assert!(
        event.contains("body.title") && !event.contains("ann"),
        "{event}"
    );
    assert_eq!(
        passed(&server, &guess("cid", "wrong"), &key, 9),
        3,
        "each name has its own"
    );
    assert_eq!(passed(&server, &guess("ben", "right"), &key, 3), 3);
}

#[test]
fn guesses_at_the_same_time_are_no_way_around() {
    let latch = Latch::default();
    let upstream = upstream(Some(latch.clone()));
    let server = serve(limited(upstream.address(), GUESSES));
    let key = server.quick_key("alpha", &[]);
    let limited = std::thread::scope(|scope| {
        let one = || is_limited(&server.send(&guess("ann", "wrong"), Some(&key)));
        let all: Vec<_> = (0..9).map(|_| scope.spawn(one)).collect();
        let ended = || all.iter().filter(|one| one.is_finished()).count();
        let came = testkit::poll(testkit::PATIENCE, || (ended() == 6).then_some(()));
        latch.open();
        assert!(came.is_some(), "{} of 9 ended", ended());
        all.into_iter()
            .map(|one| one.join().unwrap())
            .filter(|is| *is)
            .count()
    });
    assert_eq!((limited, upstream.requests().len()), (6, 3));
}

#[test]
fn an_answer_that_says_that_it_failed_counts_whatever_its_status() {
    let upstream = RecordingUpstream::start(|asked| {
        let title = if asked.body.windows(5).any(|word| word == b"right") {
            "yes"
        } else {
            "no"
        };
        Play::Response(json_response(
            201,
            &format!(r#"{{"id":"1","title":"{title}"}}"#),
        ))
    });
    let limits = "{ per: address, rate: 1/h, burst: 2, failed: { body: { title: no } } }";
    let server = serve(limited(upstream.address(), limits));
    let key = server.quick_key("alpha", &[]);
    assert_eq!(passed(&server, &guess("a", "right"), &key, 6), 6);
    assert_eq!(passed(&server, &guess("a", "wrong"), &key, 6), 2);
    assert!(is_limited(&server.send(&guess("b", "right"), Some(&key))));
    let elsewhere = guess("b", "right").from([127, 0, 8, 8]);
    assert_eq!(server.send(&elsewhere, Some(&key)).status, 201);
}

#[test]
fn a_call_that_one_limit_refuses_is_taken_from_none() {
    let upstream = upstream(None);
    let limits = "{ per: integration, rate: 1/h, burst: 4 }, { per: user, rate: 1/h, burst: 1 }, \
                  { per: query.limit, rate: 1/h, burst: 1 }";
    let server = serve(limited(upstream.address(), limits));
    let key = server.quick_key("alpha", &[]);
    let of = |person: &str, target: &str| call("GET", target).with("X-Person", person);
    assert_eq!(passed(&server, &of("ann", "/v1/notes/1"), &key, 20), 1);
    // Refused by the value, behind the body: given back all the same, so that each name still has its one call.
    assert_eq!(
        passed(&server, &of("ben", "/v1/notes?limit=1"), &key, 20),
        1
    );
    assert_eq!(
        passed(&server, &of("cid", "/v1/notes?limit=1"), &key, 20),
        0
    );
    assert_eq!(
        passed(&server, &of("cid", "/v1/notes?limit=2"), &key, 20),
        1
    );
    assert_eq!(passed(&server, &of("dan", "/v1/notes/1"), &key, 20), 1);
    assert_eq!(
        passed(&server, &of("eve", "/v1/notes/1"), &key, 20),
        0,
        "four calls of the integration"
    );
    assert_eq!(upstream.requests().len(), 4);
}

#[test]
fn a_caller_is_told_to_wait_for_the_limit_that_lasts_longest() {
    let upstream = upstream(None);
    let limits = "{ per: integration, rate: 60/min, burst: 1 }, { per: operation, rate: 1/h, burst: 1 }, \
                  { per: address, rate: 30/min, burst: 1 }";
    let server = serve(limited(upstream.address(), limits));
    let key = server.quick_key("alpha", &[]);
    let read = call("GET", "/v1/notes/1");
    assert_eq!(server.send(&read, Some(&key)).status, 200);
    let refused = server.send(&read, Some(&key));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    assert!(
        refused
            .header("ratelimit")
            .unwrap()
            .starts_with("\"operation\";r=0;t=3")
    );
}

#[test]
fn values_objects_and_parts_together_have_shares_of_their_own() {
    let upstream = upstream(None);
    let limits = "{ per: query.limit, rate: 1/h, burst: 1 }, { per: object, rate: 1/h, burst: 2 }, \
                  { per: [address, operation], rate: 1/h, burst: 3 }";
    let server = serve(limited(upstream.address(), limits));
    let key = server.quick_key("alpha", &[]);
    let count = |method: &str, target: &str, from: [u8; 4]| {
        passed(&server, &call(method, target).from(from), &key, 9)
    };
    let (here, there) = ([127, 0, 0, 1], [127, 0, 9, 9]);
    assert_eq!(count("GET", "/v1/notes?limit=5", here), 1);
    assert_eq!(
        count("GET", "/v1/notes", here),
        1,
        "all calls without it count as one"
    );
    assert_eq!(count("GET", "/v1/notes?limit=6", here), 1);
    assert_eq!(
        count("GET", "/v1/notes?limit=7", here),
        0,
        "three at this address"
    );
    assert_eq!(count("GET", "/v1/notes?limit=7", there), 1);
    assert_eq!(count("GET", "/v1/notes?limit=5", there), 0);
    // Another operation on the same object, by another spelling.
    assert_eq!(count("GET", "/v1/notes/a-1", here), 2);
    assert_eq!(count("DELETE", "/v1/notes/A-1", here), 0);
    assert_eq!(count("DELETE", "/v1/notes/b-1", here), 2);
}

#[test]
fn one_call_at_a_time_changes_an_object() {
    let latch = Latch::default();
    let upstream = upstream(Some(latch.clone()));
    let server = serve(limited(
        upstream.address(),
        "{ per: object, concurrency: 1 }, { per: body.title, concurrency: 1 }",
    ));
    let key = server.quick_key("alpha", &[]);
    let codes = std::thread::scope(|scope| {
        let first = scope.spawn(|| server.send(&call("GET", "/v1/notes/a"), Some(&key)).status);
        let named = scope.spawn(|| server.send(&guess("ann", "right"), Some(&key)).status);
        let other = scope.spawn(|| server.send(&call("GET", "/v1/notes/b"), Some(&key)).status);
        let came = testkit::poll(testkit::PATIENCE, || {
            (upstream.requests().len() == 3).then_some(())
        });
        let second = server
            .send(&call("DELETE", "/v1/notes/a"), Some(&key))
            .code();
        let again = server.send(&guess("Ann", "right"), Some(&key)).code();
        latch.open();
        assert!(came.is_some(), "{}", upstream.requests().len());
        let all = [first, named, other].map(|one| one.join().unwrap());
        assert_eq!(all, [200, 201, 200]);
        [second, again]
    });
    let refused = Some("limit.concurrency".to_owned());
    assert_eq!(codes, [refused.clone(), refused]);
    assert_eq!(upstream.requests().len(), 3);
}
