//! Where a grant conceals, an object that is hidden and one that does not exist are told apart by no byte, whatever the
//! upstream answers for the latter and whatever error fields are granted.
//! Start reading at `no_answer_tells_hidden_from_absent`.

use std::sync::{Arc, Mutex};

use demo::Call;
use testkit::{Play, RecordingUpstream, Scale, Server, answer, json_response, wire};

use super::{ORDER, gate};
use crate::{call, serve};

/// Numbers that come again with the same seed.
pub(super) struct SplitMix64(pub(super) u64);

impl SplitMix64 {
    pub(super) fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next(all.len())]
    }
}

/// An error as an upstream might give it for an object.
fn odd_error(dice: &mut SplitMix64, status: u16) -> Vec<u8> {
    let kinds = [
        "application/problem+json",
        "application/json",
        "text/html",
        "text/plain",
        "",
    ];
    let bodies = [
        "",
        "{}",
        r#"{"code":"E404","message":"no such order"}"#,
        r#"{"code":"LOCKED","message":"belongs to partner b","fields":[{"name":"x"}]}"#,
        "<html>no</html>",
        "[1,2",
    ];
    let extra = [
        ("etag", "\"7\""),
        ("retry-after", "9"),
        ("content-language", "de"),
        ("allow", "GET"),
        ("location", "/elsewhere"),
        ("www-authenticate", "Basic"),
        ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("content-range", "bytes */7"),
        ("x-a", "b"),
    ];
    let mut fields = Vec::new();
    let kind = dice.one_of(&kinds);
    if !kind.is_empty() {
        fields.push(("content-type".to_owned(), kind.to_owned()));
    }
    for _ in 0..dice.next(4) {
        let (name, value) = dice.one_of(&extra);
        fields.push((name.to_owned(), value.to_owned()));
    }
    answer(status, &fields, dice.one_of(&bodies).as_bytes())
}

/// The whole answer on the wire, without what differs from call to call anyhow.
fn heard(server: &Server, asked: &Call, key: &str) -> String {
    let heard = wire::raw(
        server.address("public"),
        &asked.bytes("gate.test", Some(key)),
    );
    let text = String::from_utf8_lossy(&heard.bytes).into_owned();
    let mut out = String::new();
    for line in text
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("date:"))
    {
        let mut parts = line.split("dec_");
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            out.push_str("dec_ID");
            out.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
        }
        out.push('\n');
    }
    out
}

#[test]
fn no_answer_tells_hidden_from_absent() {
    // What the upstream answers to a look-up or a read, and to a write.
    type Script = (Vec<u8>, Vec<u8>);
    let script: Arc<Mutex<Script>> = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let play = Arc::clone(&script);
    let upstream = RecordingUpstream::start(move |asked| {
        let (read, write) = play.lock().unwrap().clone();
        Play::Response(if asked.method == "GET" { read } else { write })
    });
    let server = serve(gate(&upstream));
    let key = server.quick_key("mine", &[]).text;
    let set = |read: Vec<u8>, write: Vec<u8>| *script.lock().unwrap() = (read, write);
    let foreign = ORDER.replace("\"me\"", "\"you\"");
    let body = r#"{"title":"t","owner":"me"}"#;
    let calls = [
        call("GET", "/o/orders/7"),
        call("HEAD", "/o/orders/7"),
        call("PUT", "/o/orders/7").json(body),
        call("PATCH", "/o/orders/7").json(body),
        call("DELETE", "/o/orders/7"),
    ];
    let hidden: Vec<String> = calls
        .iter()
        .map(|asked| {
            set(json_response(200, &foreign), json_response(200, &foreign));
            heard(&server, asked, &key)
        })
        .collect();
    // Failures of the system and what is wrong with the gateway's own call are no statements about an object.
    let of_objects: Vec<u16> = (400..452)
        .filter(|status| !matches!(status, 401 | 407 | 408 | 421 | 425 | 426 | 429))
        .collect();
    let cases = Scale::pick(40, 400, 4_000);
    let mut dice = SplitMix64(20);
    for case in 0..cases {
        let gone = dice.one_of(&[404, 410]);
        let status = if case % 2 == 0 {
            gone
        } else {
            dice.one_of(&of_objects)
        };
        for (asked, wanted) in calls.iter().zip(&hidden) {
            let is_read = matches!(asked.method.as_str(), "GET" | "HEAD");
            let is_looked_up = is_read || case % 3 == 0;
            let absent = if is_looked_up { status } else { gone };
            let error = odd_error(&mut dice, absent);
            // A write to an object that was there when it was looked up, and is gone when it is written.
            if is_looked_up {
                set(error.clone(), error.clone())
            } else {
                set(json_response(200, ORDER), error.clone())
            }
            let got = heard(&server, asked, &key);
            assert_eq!(
                &got,
                wanted,
                "{} {}",
                asked.method,
                String::from_utf8_lossy(&error)
            );
        }
    }
}

#[test]
fn what_reads_as_absent_or_empty_is_recorded_as_it_was_answered() {
    let upstream = RecordingUpstream::start(|_| Play::Response(json_response(403, "{}")));
    let server = serve(gate(&upstream));
    let key = server.quick_key("mine", &[]);
    let told = |asked: Call| {
        let response = server.send(&asked, Some(&key));
        let event = server.event(response.decision().unwrap());
        let explained = testkit::run(
            crate::program(),
            &server.gate,
            &["explain", response.decision().unwrap()],
        );
        (response, event, explained.stdout)
    };
    let (response, event, explained) = told(call("GET", "/o/orders/7"));
    assert_eq!(response.code().as_deref(), Some("object.absent"));
    assert_eq!(event["upstream_status"], 403, "{event}");
    assert!(
        explained.contains("the upstream answered 403, which reads as an absent object"),
        "{explained}"
    );
    let body = r#"{"title":"t","owner":"me"}"#;
    let (response, event, explained) = told(call("PATCH", "/o/orders/7").json(body));
    assert_eq!(response.code().as_deref(), Some("object.absent"));
    assert_eq!(event["lookup_status"], 403, "{event}");
    assert!(
        explained.contains("the upstream answered 403 when the object was looked up"),
        "{explained}"
    );
    let (response, event, explained) = told(call("GET", "/o/orders"));
    assert_eq!((response.status, response.text().as_str()), (200, "[]"));
    assert_eq!(event["upstream_status"], 403, "{event}");
    assert!(
        explained.contains("the upstream answered 403, which reads as an empty list"),
        "{explained}"
    );
    // Where nothing is hidden, and where a refusal reads as one, failures are told.
    for name in ["plain", "shown"] {
        let key = server.quick_key(name, &[]);
        for target in ["/o/orders", "/o/orders/7"] {
            let response = server.send(&call("GET", target), Some(&key));
            assert_eq!(
                response.code().as_deref(),
                Some("upstream.denied"),
                "{name} {target}"
            );
        }
    }
}
