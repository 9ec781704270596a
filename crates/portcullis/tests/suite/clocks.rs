//! The wall clock is set while the server runs: what is a date follows it, what is a duration does not, and the record stays
//! readable. Blocks and limits: see `blocks` and the bar X3.
//! Start reading at `questions_by_time_and_the_doctor_survive_a_clock_that_is_set`.

use std::time::{SystemTime, UNIX_EPOCH};

use crypto::text::unbase64url;
use model::Timestamp;
use serde_json::Value;
use testkit::{Ended, Gate, Key, RecordingUpstream, Server, WallClock};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

fn with_clock(upstream: &RecordingUpstream) -> (WallClock, Server) {
    let (clock, gate) = WallClock::prepare(Gate::small(upstream.address()));
    (clock, serve(gate))
}

fn code(server: &Server, key: &Key) -> String {
    let response = server.send(&call("GET", "/v1/notes/1"), Some(key));
    response
        .code()
        .unwrap_or_else(|| response.status.to_string())
}

/// Seconds since 1970 by the true clock.
fn true_second() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn requests_since(server: &Server, second: i64) -> usize {
    let moment = Timestamp::from_micros(second * 1_000_000).to_string();
    let shown = server.cli(&[
        "ledger", "show", "--kind", "request", "--since", &moment, "-o", "json",
    ]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let found: Value = serde_json::from_str(&shown.stdout).unwrap();
    found["records"].as_array().unwrap().len()
}

fn doctor(server: &Server) -> (Option<i32>, String) {
    let Ended { code, stdout, .. } = server.cli(&["doctor"]);
    let line = stdout
        .lines()
        .find(|line| line.contains(" clock "))
        .unwrap();
    (code, line.to_owned())
}

#[test]
fn questions_by_time_and_the_doctor_survive_a_clock_that_is_set() {
    let upstream = RecordingUpstream::always(NOTE);
    let (clock, server) = with_clock(&upstream);
    let key = server.quick_key("alpha", &[]);
    let start = true_second() - 1;
    assert_eq!(code(&server, &key), "200");
    assert_eq!(doctor(&server).0, Some(0), "{}", doctor(&server).1);
    // Forth and back: the newest record is of tomorrow.
    clock.set(86_400);
    assert_eq!(code(&server, &key), "200");
    clock.set(0);
    let (exit, line) = doctor(&server);
    assert!(
        exit == Some(1) && line.contains("set back: the newest record"),
        "{line}"
    );
    // The next one is of today, and says so; nobody has to wait until tomorrow.
    assert_eq!(code(&server, &key), "200");
    let (exit, line) = doctor(&server);
    assert!(
        exit == Some(2) && line.contains("it was set back"),
        "{line}"
    );
    assert_eq!(requests_since(&server, start), 3);
    assert_eq!(requests_since(&server, start + 43_200), 1);
    // Back: today's records are still found by questions that yesterday's newest record would have ended.
    clock.set(-86_400);
    assert_eq!(code(&server, &key), "200");
    assert_eq!(requests_since(&server, start), 3);
    assert_eq!(requests_since(&server, start - 90_000), 4);
    // The same without the server, and after it has started again.
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let server = serve(gate);
    assert_eq!(code(&server, &key), "200");
    assert_eq!(requests_since(&server, start), 3);
    assert_eq!(server.cli(&["ledger", "verify"]).code, Some(0));
}

#[test]
fn keys_and_overlaps_end_by_the_date_whatever_it_was_before() {
    let upstream = RecordingUpstream::always(NOTE);
    let (clock, server) = with_clock(&upstream);
    let short = server.quick_key("alpha", &[("expires_in", "1h")]);
    let old = server.quick_key("alpha", &[]);
    let rotated = server.cli(&["key", "rotate", &old.id, "--overlap", "10m"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let new = Key {
        id: String::new(),
        text: rotated.stdout.trim().to_owned(),
    };
    let revoked = server.quick_key("alpha", &[]);
    server.admin("key.revoke", &serde_json::json!({ "id": revoked.id }));
    let expired = "authn.expired";
    for (shift, of_short, of_old) in [
        (0, "200", "200"),
        (-86_400, "200", "200"),
        (599 - 60, "200", "200"),
        (601, "200", expired),
        (3_601, expired, expired),
        (-3_600, "200", "200"),
        (86_400, expired, expired),
        (0, "200", "200"),
    ] {
        clock.set(shift);
        let codes = [&short, &old, &new, &revoked].map(|key| code(&server, key));
        assert_eq!(
            codes,
            [of_short, of_old, "200", "authn.revoked"],
            "{shift} s"
        );
    }
}

#[test]
fn what_an_upstream_reads_of_the_caller_is_fresh_by_the_clock_of_now() {
    let upstream = RecordingUpstream::always(NOTE);
    let (clock, server) = with_clock(&upstream);
    let key = server.quick_key("alpha", &[]);
    for shift in [
        0, 30, 59, 61, 3_600, 3_570, -3_600, -3_540, 86_400, -86_400, 0, -1, -59,
    ] {
        clock.set(shift);
        assert_eq!(code(&server, &key), "200");
        let requests = upstream.requests();
        let token = requests
            .last()
            .unwrap()
            .header("portcullis-identity")
            .unwrap()
            .to_owned();
        let claims = unbase64url(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let now = true_second() + shift;
        let (issued, ends) = (
            claims["iat"].as_i64().unwrap(),
            claims["exp"].as_i64().unwrap(),
        );
        assert!(
            (now - 62..=now).contains(&issued),
            "{shift} s: issued {issued}, it is {now}"
        );
        assert!(ends > now + 30, "{shift} s: ends {ends}, it is {now}");
    }
}
