//! The company's system fails in every way; the caller gets the right generic problem and not a byte of the failure.
//! Start reading at `every_failure_is_a_generic_problem_and_gives_nothing_away`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use demo::CallResponse;
use testkit::{
    Gate, Latch, PATIENCE, Play, Received, RecordingUpstream, answer, json_response, poll,
};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
/// Stands in everything the upstream says wrongly.
const CANARY: &str = "INSIDE-7f3a";

/// A loopback address at which nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

fn with_type(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let fields = [
        ("content-type".to_owned(), kind.to_owned()),
        ("server".to_owned(), CANARY.to_owned()),
        ("x-powered-by".to_owned(), CANARY.to_owned()),
        ("set-cookie".to_owned(), format!("session={CANARY}")),
        ("location".to_owned(), format!("http://{CANARY}.internal/")),
        (
            "www-authenticate".to_owned(),
            format!("Basic realm={CANARY}"),
        ),
        ("content-location".to_owned(), format!("/{CANARY}")),
    ];
    answer(status, &fields, body.as_bytes())
}

/// What the upstream does for `GET /v1/notes/NAME`, with the status and code the caller gets.
// LONG: a table of cases, one line of thought each.
fn failures() -> Vec<(&'static str, Play, u16, &'static str)> {
    let page = format!("<html><body>Fatal error in {CANARY}.php on line 7</body></html>");
    let json = format!(r#"{{"id":"1","error":"{CANARY}","title":"{CANARY}"}}"#);
    let raw = |text: String| Play::Close(text.into_bytes());
    let head = |lines: &str| {
        raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{lines}\r\n\r\n{json}"
        ))
    };
    let says = |status, kind: &str, body: &str| Play::Response(with_type(status, kind, body));
    vec![
        ("hangs", Play::Hang(Vec::new()), 504, "upstream.timeout"),
        (
            "hangs-in-head",
            Play::Hang(b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec()),
            504,
            "upstream.timeout",
        ),
        (
            "hangs-in-body",
            Play::Hang(
                format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{json}").into_bytes(),
            ),
            504,
            "upstream.timeout",
        ),
        ("silent", raw(String::new()), 502, "upstream.unreachable"),
        (
            "truncated",
            head("Content-Length: 500"),
            502,
            "upstream.protocol",
        ),
        (
            "truncated-chunks",
            raw(format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n500\r\n{json}"
            )),
            502,
            "upstream.protocol",
        ),
        (
            "half-head",
            raw(format!("HTTP/1.1 200 OK\r\nX-{CANARY}")),
            502,
            "upstream.protocol",
        ),
        (
            "garbage",
            raw(format!("SSH-2.0-{CANARY}\r\n\r\n")),
            502,
            "upstream.protocol",
        ),
        (
            "two-lengths",
            head("Content-Length: 5\r\nContent-Length: 9"),
            502,
            "upstream.protocol",
        ),
        (
            "length-and-chunks",
            head("Content-Length: 5\r\nTransfer-Encoding: chunked"),
            502,
            "upstream.protocol",
        ),
        (
            "huge-head",
            head(&format!("X-Y: {}", "a".repeat(300_000))),
            502,
            "upstream.protocol",
        ),
        (
            "huge-body",
            Play::Close(json_response(200, &format!("\"{}\"", "a".repeat(100_000)))),
            502,
            "upstream.protocol",
        ),
        (
            "switches",
            raw(format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {CANARY}\r\n\r\n"
            )),
            502,
            "upstream.protocol",
        ),
        (
            "error-page",
            says(500, "text/html", &page),
            502,
            "upstream.failed",
        ),
        (
            "error-json",
            says(503, "application/json", &json),
            503,
            "upstream.busy",
        ),
        (
            "redirect",
            says(302, "text/html", &page),
            502,
            "upstream.failed",
        ),
        (
            "moved",
            says(301, "text/html", &page),
            502,
            "upstream.failed",
        ),
        (
            "denies-us",
            says(401, "application/json", &json),
            502,
            "upstream.denied",
        ),
        (
            "forbids-us",
            says(403, "application/json", &json),
            502,
            "upstream.denied",
        ),
        (
            "page-as-success",
            says(200, "text/html", &page),
            502,
            "response.contract",
        ),
        (
            "broken-json",
            says(200, "application/json", &format!(r#"{{"id":"{CANARY}""#)),
            502,
            "response.contract",
        ),
        (
            "double-member",
            says(
                200,
                "application/json",
                &format!(r#"{{"id":"1","id":"{CANARY}"}}"#),
            ),
            502,
            "response.contract",
        ),
        (
            "deep",
            says(
                200,
                "application/json",
                &format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
            ),
            502,
            "response.contract",
        ),
        (
            "packed",
            Play::Response(answer(
                200,
                &[
                    ("content-type".into(), "application/json".into()),
                    ("content-encoding".into(), "gzip".into()),
                ],
                CANARY.as_bytes(),
            )),
            502,
            "response.contract",
        ),
        (
            "absent",
            says(404, "text/html", &page),
            404,
            "object.absent",
        ),
        (
            "conflict",
            says(409, "application/json", &json),
            409,
            "upstream.rejected",
        ),
        (
            "unprocessable",
            says(422, "application/json", &json),
            422,
            "upstream.rejected",
        ),
        (
            "busy",
            says(429, "application/json", &json),
            429,
            "upstream.busy",
        ),
    ]
}

fn assert_nothing_leaks(response: &CallResponse, upstream: SocketAddr, what: &str) {
    let all = format!("{:?} {}", response.headers, response.text());
    for word in [
        CANARY,
        "php",
        "session",
        "SSH-",
        "127.0.0.1",
        &upstream.port().to_string(),
    ] {
        assert!(!all.contains(word), "{what} leaks {word}: {all}");
    }
}

#[test]
fn every_failure_is_a_generic_problem_and_gives_nothing_away() {
    let all = failures();
    let plays: Vec<_> = all
        .iter()
        .map(|(name, play, ..)| (format!("/v1/notes/{name}"), play.clone()))
        .collect();
    let upstream = RecordingUpstream::start(move |asked| {
        let play = plays.iter().find(|(target, _)| *target == asked.target);
        play.map_or_else(
            || Play::Response(json_response(200, NOTE)),
            |(_, play)| play.clone(),
        )
    });
    let gate = Gate::small(upstream.address());
    gate.edit(
        "apis/notes.yaml",
        "timeout: 5s",
        "timeout: 3s, answer_bytes_max: 64KiB",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let mut wrong = Vec::new();
    for (name, _, status, code) in all {
        // A target that failed rests for a while; only the failure itself is of interest here.
        let response = poll(PATIENCE, || {
            let response = server.send(&call("GET", &format!("/v1/notes/{name}")), Some(&key));
            let event = server.event(response.decision().unwrap());
            (!event["detail"]
                .as_str()
                .unwrap_or_default()
                .contains("resting"))
            .then_some(response)
        })
        .unwrap();
        if (response.status, response.code().as_deref()) != (status, Some(code)) {
            wrong.push(format!("{name}: {} {}", response.status, response.text()));
            continue;
        }
        assert_nothing_leaks(&response, upstream.address(), name);
        assert!(
            response.header("proxy-status").is_some(),
            "{name} is our own answer"
        );
        let event = server.event(response.decision().unwrap());
        assert_eq!(event["code"], code, "{event}");
        let good = poll(PATIENCE, || {
            (server
                .send(&call("GET", "/v1/notes/good"), Some(&key))
                .status
                == 200)
                .then_some(())
        });
        assert!(good.is_some(), "after {name} nothing works any more");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn headers_of_a_good_answer_are_scrubbed_and_proxy_status_is_not_ours() {
    let upstream =
        RecordingUpstream::start(|_| Play::Response(with_type(200, "application/json", NOTE)));
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!((response.status, response.text().as_str()), (200, NOTE));
    assert_nothing_leaks(&response, upstream.address(), "a good answer");
    assert_eq!(response.header("proxy-status"), None);
    assert!(response.decision().is_some());
}

/// Answers a note of `/v1/notes/poison-N` and says N milliseconds later, unasked, what would be an answer to anybody.
fn says_more(asked: &Received) -> Play {
    let good = json_response(200, NOTE);
    let pause = asked
        .target
        .rsplit_once("/poison-")
        .and_then(|(_, n)| n.parse().ok());
    match pause {
        Some(pause) => {
            let more = json_response(200, &format!(r#"{{"id":"1","title":"{CANARY}"}}"#));
            Play::Surplus(good, Duration::from_millis(pause), more)
        }
        None => Play::Response(good),
    }
}

#[test]
fn what_an_upstream_says_unasked_reaches_no_other_caller_and_is_counted() {
    let upstream = RecordingUpstream::start(says_more);
    let server = serve(Gate::small(upstream.address()));
    let (alpha, beta) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let read = || call("GET", "/v1/notes/1");
    std::thread::scope(|scope| {
        let (server, alpha, beta) = (&server, &alpha, &beta);
        let poison = scope.spawn(move || {
            for n in 0..200 {
                let target = format!("/v1/notes/poison-{}", n * 7 % 45);
                let asked = call("GET", &target).with("X-Person", "mallory");
                assert_eq!(server.send(&asked, Some(alpha)).status, 200);
                std::thread::sleep(Duration::from_millis(n * 13 % 40));
            }
        });
        let others = [
            (read(), beta),
            (read().with("X-Person", "ann"), alpha),
            (read(), alpha),
        ];
        while !poison.is_finished() {
            for (asked, key) in &others {
                let response = server.send(asked, Some(key));
                assert_eq!((response.status, response.text().as_str()), (200, NOTE));
            }
        }
        poison.join().unwrap();
    });
    let call = call("GET", "/metrics").bytes("localhost", None);
    let heard = testkit::wire::raw(server.address("admin"), &call);
    let metrics = String::from_utf8_lossy(&heard.bytes).into_owned();
    let counted = metrics.lines().find_map(|line| {
        let line = line.strip_prefix("portcullis_upstream_surplus_total{upstream=\"notes/v1\",")?;
        line.rsplit_once(' ')?.1.parse::<u64>().ok()
    });
    assert!(counted.is_some_and(|count| count > 0), "{metrics}");
}

#[test]
fn a_dead_upstream_is_502_and_comes_back_by_itself() {
    let address = nobody();
    let gate = Gate::small(address);
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    assert_eq!(
        (response.status, response.code().as_deref()),
        (502, Some("upstream.unreachable"))
    );
    assert_nothing_leaks(&response, address, "a dead upstream");
    let event = server.event(response.decision().unwrap());
    assert!(
        event["detail"]
            .as_str()
            .unwrap()
            .contains(&address.port().to_string()),
        "the operator learns which: {event}"
    );
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for mut stream in listener.incoming().flatten() {
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(&json_response(200, NOTE)));
        }
    });
    let back = poll(PATIENCE, || {
        (server.send(&call("GET", "/v1/notes/1"), Some(&key)).status == 200).then_some(())
    });
    assert!(back.is_some());
}

#[test]
fn only_what_may_be_repeated_is_repeated() {
    let upstream = RecordingUpstream::start(|_| Play::Close(Vec::new()));
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let body = r#"{"title":"t"}"#;
    for (method, target, is_repeatable) in [
        ("POST", "/v1/notes", false),
        ("GET", "/v1/notes/1", true),
        ("PUT", "/v1/notes/1", true),
        ("DELETE", "/v1/notes/1", true),
    ] {
        upstream.forget();
        let asked = match method {
            "POST" | "PUT" => call(method, target).json(body),
            _ => call(method, target),
        };
        let response = poll(PATIENCE, || {
            let response = server.send(&asked, Some(&key));
            (!upstream.requests().is_empty()).then_some(response)
        })
        .unwrap();
        assert!(
            matches!(response.status, 502 | 504),
            "{method}: {}",
            response.text()
        );
        let count = upstream.requests().len();
        if is_repeatable {
            assert!((1..=4).contains(&count), "{method} was sent {count} times")
        } else {
            assert_eq!(count, 1, "{method} was repeated")
        }
    }
}

#[test]
fn a_failing_target_rests_while_the_other_serves() {
    let good = RecordingUpstream::start(|asked| match asked.target.as_str() {
        "/health" => Play::Response(json_response(200, "{}")),
        _ => Play::Response(json_response(200, NOTE)),
    });
    let bad = RecordingUpstream::start(|asked| match asked.target.as_str() {
        "/health" => Play::Response(json_response(503, "{}")),
        _ => Play::Response(json_response(200, NOTE)),
    });
    let gate = Gate::small(good.address());
    let both = format!(
        "targets: [\"http://{}\", \"http://{}\", \"http://{}\"], balance: round_robin, health: {{ path: /health, interval: 1s }}, timeout: 5s",
        good.address(),
        bad.address(),
        nobody()
    );
    gate.edit(
        "apis/notes.yaml",
        &format!("targets: [\"http://{}\"], timeout: 5s", good.address()),
        &both,
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let send = || server.send(&call("GET", "/v1/notes/1"), Some(&key)).status;
    // A target that cannot even be reached is passed over from the first call on.
    assert_eq!(send(), 200);
    let asked = |upstream: &RecordingUpstream| {
        upstream
            .requests()
            .iter()
            .filter(|r| r.target != "/health")
            .count()
    };
    let rests = poll(PATIENCE, || {
        let before = asked(&bad);
        let statuses: Vec<u16> = (0..6).map(|_| send()).collect();
        assert_eq!(statuses, [200; 6]);
        (asked(&bad) == before).then_some(())
    });
    assert!(rests.is_some(), "the unhealthy target still gets calls");
    assert!(asked(&good) >= 6);
    assert!(bad.requests().iter().any(|r| r.target == "/health"));
}

#[test]
fn one_hanging_operation_does_not_hold_up_another() {
    let release = Latch::default();
    let held = release.clone();
    let upstream = RecordingUpstream::start(move |asked| {
        if asked.target.ends_with("/hang") {
            Play::Held(held.clone(), json_response(200, NOTE))
        } else {
            Play::Response(json_response(200, NOTE))
        }
    });
    let gate = Gate::small(upstream.address());
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 60s");
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let address = server.address("public");
    let hanging: Vec<_> = (0..8)
        .map(|_| {
            let text = key.text.clone();
            std::thread::spawn(move || {
                testkit::wire::send(address, &call("GET", "/v1/notes/hang"), Some(&text)).status
            })
        })
        .collect();
    let all_hang = || (upstream.requests().len() >= 8).then_some(());
    assert!(poll(PATIENCE, all_hang).is_some());
    for _ in 0..20 {
        assert_eq!(
            server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
            200
        );
    }
    assert!(
        hanging.iter().all(|one| !one.is_finished()),
        "the others were answered meanwhile"
    );
    release.open();
    for one in hanging {
        assert_eq!(one.join().unwrap(), 200);
    }
}
