//! Upstreams by script: each connection of the fake gets one line of the script.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use model::{Headers, Method};

use super::tls::Authority;
use super::{PATIENCE, on_a_runtime, wait_until};
use crate::{
    Balance, HealthSpec, Pools, Upstream, UpstreamCall, UpstreamFault, UpstreamFaultKind as Kind,
    UpstreamMistake, UpstreamResponse, UpstreamSpec, watch_health,
};

/// A raw server: connection `n` answers its requests with the pieces of `script[n]`, then closes.
struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

impl Fake {
    fn scripted(script: &'static [&'static [&'static str]]) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fake = Fake {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            connections: Arc::default(),
            closed: Arc::default(),
        };
        let (seen, connections) = (Arc::clone(&fake.seen), Arc::clone(&fake.connections));
        let closed = Arc::clone(&fake.closed);
        thread::spawn(move || {
            for (stream, lines) in listener.incoming().zip(script) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (seen, closed) = (Arc::clone(&seen), Arc::clone(&closed));
                thread::spawn(move || {
                    play(stream.unwrap(), lines, &seen);
                    closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        fake
    }

    fn spec(&self) -> UpstreamSpec {
        UpstreamSpec::new("fake", vec![format!("http://{}", self.address)])
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn play(mut stream: TcpStream, lines: &[&str], seen: &Mutex<Vec<String>>) {
    for line in lines {
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while !request.windows(4).any(|w| w == b"\r\n\r\n") {
            match stream.read(&mut piece) {
                Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
                _ => return,
            }
        }
        seen.lock()
            .unwrap()
            .push(String::from_utf8_lossy(&request).into_owned());
        match *line {
            "hang" => thread::sleep(PATIENCE),
            "close" => return,
            response => stream.write_all(response.as_bytes()).unwrap(),
        }
    }
}

/// A loopback address at which nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok";

fn call(method: Method) -> UpstreamCall<'static> {
    static NONE: std::sync::OnceLock<Headers> = std::sync::OnceLock::new();
    UpstreamCall {
        method,
        caller: 1,
        user: None,
        path_and_query: "/a?b=c",
        authority: None,
        headers: NONE.get_or_init(|| {
            let mut headers = Headers::new();
            for (name, value) in [
                ("accept", "a"),
                ("connection", "x"),
                ("content-length", "9"),
                ("transfer-encoding", "chunked"),
                ("b d", "z"),
                ("x-split", "a\r\nevil: b"),
            ] {
                headers.push(name, value);
            }
            headers
        }),
        body: b"",
        begun: std::time::Instant::now(),
        timeout: PATIENCE,
        room: None,
        is_retryable: true,
    }
}

fn send(
    spec: UpstreamSpec,
    calls: &[UpstreamCall<'_>],
) -> Vec<Result<UpstreamResponse, UpstreamFault>> {
    send_after(spec, calls, || ())
}

/// Sends one after the other, the later ones when `ready` has returned.
fn send_after(
    spec: UpstreamSpec,
    calls: &[UpstreamCall<'_>],
    ready: impl Fn(),
) -> Vec<Result<UpstreamResponse, UpstreamFault>> {
    on_a_runtime(async {
        let upstream = Upstream::new(spec).unwrap();
        let pools = Pools::new();
        let mut responses = Vec::new();
        for call in calls {
            if !responses.is_empty() {
                ready();
                // The runtime hears of what happened to the sockets meanwhile.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let begun = std::time::Instant::now();
            responses.push(pools.send(&upstream, UpstreamCall { begun, ..*call }).await);
        }
        responses
    })
}

#[test]
fn a_call_goes_out_in_one_plain_spelling_and_connections_are_kept() {
    let fake = Fake::scripted(&[&[
        OK,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK,
    ]]);
    let mut post = call(Method::Post);
    post.body = b"body";
    post.authority = Some("api.test");
    let responses = send(fake.spec(), &[call(Method::Get), post, call(Method::Head)]);
    let bodies: Vec<_> = responses
        .iter()
        .map(|a| a.as_ref().unwrap().body.clone())
        .collect();
    assert_eq!(bodies, [b"ok".to_vec(), b"ok".to_vec(), Vec::new()]);
    assert_eq!(fake.count(), 1, "one connection for all");
    assert_eq!(responses[1].as_ref().unwrap().connect_us, 0);
    assert_eq!(responses[0].as_ref().unwrap().headers.text("x"), Some("y"));
    assert!(
        responses[0]
            .as_ref()
            .unwrap()
            .headers
            .get("content-length")
            .is_none()
    );
    let seen = fake.seen.lock().unwrap();
    assert_eq!(
        seen[0],
        format!(
            "GET /a?b=c HTTP/1.1\r\nhost: {}\r\naccept: a\r\nx-split: a  evil: b\r\n\r\n",
            fake.address
        )
    );
    assert_eq!(
        seen[1],
        "POST /a?b=c HTTP/1.1\r\nhost: api.test\r\naccept: a\r\nx-split: a  evil: b\r\ncontent-length: 4\r\n\r\nbody"
    );
}

#[test]
fn broken_answers_are_faults_and_never_half_answers() {
    const CASES: &[(&[&[&str]], Kind)] = &[
        (
            &[&["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]],
            Kind::Protocol,
        ),
        (
            &[&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"]],
            Kind::Protocol,
        ),
        (
            &[&["HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"]],
            Kind::Protocol,
        ),
        (&[&["garbage that is no HTTP"]], Kind::Protocol),
        (&[&["HTTP/1.1 200 OK\r\nContent-Le"]], Kind::Protocol),
        (
            &[&["HTTP/1.1 101 Switching Protocols\r\n\r\n"]],
            Kind::Protocol,
        ),
        (
            &[&["HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"]],
            Kind::TooLarge,
        ),
        (
            &[&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"]],
            Kind::TooLarge,
        ),
    ];
    for (script, kind) in CASES {
        let fake = Fake::scripted(script);
        let mut spec = fake.spec();
        spec.answer_bytes_max = 1000;
        let fault = send(spec, &[call(Method::Get)]).remove(0).unwrap_err();
        assert_eq!(fault.kind, *kind, "{script:?}: {fault}");
        assert_eq!(fake.count(), 1, "not repeated: {script:?}");
    }
}

#[test]
fn an_answer_that_never_comes_is_given_up_at_the_call_s_own_time() {
    let fake = Fake::scripted(&[&["hang"]]);
    let mut short = call(Method::Get);
    short.timeout = Duration::from_millis(600);
    let begun = Instant::now();
    let fault = send(fake.spec(), &[short]).remove(0).unwrap_err();
    assert_eq!((fault.kind, fake.count()), (Kind::Timeout, 1), "{fault}");
    let took = begun.elapsed();
    assert!(
        took > Duration::from_millis(590) && took < PATIENCE,
        "{took:?}"
    );
}

#[test]
fn bytes_after_an_answer_make_the_connection_useless() {
    const SURPLUS: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let fake = Fake::scripted(&[&[SURPLUS, OK], &[OK]]);
    let responses = send(fake.spec(), &[call(Method::Get), call(Method::Get)]);
    assert!(
        responses
            .iter()
            .all(|a| a.as_ref().is_ok_and(|a| a.body == b"ok"))
    );
    assert_eq!(fake.count(), 2);
}

#[test]
fn calls_are_repeated_only_where_that_is_safe() {
    // A fresh connection that closes before an answer: GET goes again, POST never.
    let fake = Fake::scripted(&[&["close"], &[OK]]);
    let mut spec = fake.spec();
    spec.targets.push(spec.targets[0].clone());
    let response = send(spec, &[call(Method::Get)]).remove(0).unwrap();
    assert_eq!((response.retries, fake.count()), (1, 2));
    assert!(response.is_second, "the first may have been carried out");
    let fake = Fake::scripted(&[&["close"], &[OK]]);
    let mut spec = fake.spec();
    spec.targets.push(spec.targets[0].clone());
    let fault = send(spec, &[call(Method::Post)]).remove(0).unwrap_err();
    assert_eq!((fault.kind, fake.count()), (Kind::Unreachable, 1));
    // A rested connection that closes at the next call: GET goes again on a fresh one, POST never.
    let fake = Fake::scripted(&[&[OK, "close"], &[OK]]);
    let responses = send(fake.spec(), &[call(Method::Get), call(Method::Get)]);
    assert_eq!(
        (responses[1].as_ref().unwrap().retries, fake.count()),
        (1, 2)
    );
    let fake = Fake::scripted(&[&[OK, "close"], &[OK]]);
    let responses = send(fake.spec(), &[call(Method::Get), call(Method::Post)]);
    assert!(responses[1].is_err() && fake.count() == 1);
    let fake = Fake::scripted(&[&[OK, "close"], &[OK]]);
    let mut unwilling = call(Method::Get);
    unwilling.is_retryable = false;
    assert!(send(fake.spec(), &[call(Method::Get), unwilling])[1].is_err());
    // A rested connection that is already closed is noticed before anything is written, even for POST.
    let fake = Fake::scripted(&[&[OK], &[OK]]);
    let is_closed = || fake.closed.load(Ordering::SeqCst) > 0;
    let calls = [call(Method::Get), call(Method::Post)];
    let responses = send_after(fake.spec(), &calls, || wait_until("closed", is_closed));
    assert_eq!(
        (responses[1].as_ref().unwrap().retries, fake.count()),
        (0, 2)
    );
    // Nobody listens on the first target: any method may go to the other one.
    let fake = Fake::scripted(&[&[OK]]);
    let mut spec = fake.spec();
    spec.targets.insert(0, String::from("http://127.0.0.1:1"));
    let response = send(spec, &[call(Method::Post)]).remove(0).unwrap();
    assert_eq!(response.body, b"ok");
}

#[test]
fn a_lone_target_is_asked_by_every_call_and_works_as_soon_as_it_is_back() {
    on_a_runtime(async {
        let fake = Fake::scripted(&[&[OK]]);
        let address = nobody();
        let spec = UpstreamSpec::new("lone", vec![format!("http://{address}")]);
        let upstream = Upstream::new(spec.clone()).unwrap();
        let pools = Pools::new();
        for _ in 0..40 {
            let fault = pools.send(&upstream, call(Method::Get)).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Unreachable);
            assert!(fault.detail.contains("refused"), "it was asked: {fault}");
        }
        assert!(!upstream.targets()[0].is_healthy);
        let same = Upstream::renew(spec, Some(&upstream)).unwrap();
        assert!(
            Arc::ptr_eq(&same, &upstream),
            "an unchanged upstream keeps its health"
        );
        let listener = TcpListener::bind(address).unwrap();
        let seen = Arc::clone(&fake.seen);
        thread::spawn(move || play(listener.accept().unwrap().0, &[OK], &seen));
        let response = pools.send(&upstream, call(Method::Post)).await;
        assert_eq!(response.unwrap().body, b"ok", "the very first call");
        assert!(upstream.targets()[0].is_healthy);
    });
}

#[test]
fn a_call_that_was_not_sent_asks_every_target_and_the_dead_ones_rest() {
    on_a_runtime(async {
        let fake = Fake::scripted(&[&[OK, OK, OK, OK, OK, OK]]);
        let mut targets = vec![String::from("http://127.0.0.1:1"); 5];
        targets.push(format!("http://{}", fake.address));
        let upstream = Upstream::new(UpstreamSpec::new("six", targets)).unwrap();
        let pools = Pools::new();
        let first = pools.send(&upstream, call(Method::Post)).await.unwrap();
        assert_eq!(first.retries, 5, "five refused it, no byte was sent");
        assert!(!first.is_second);
        for _ in 0..5 {
            let response = pools.send(&upstream, call(Method::Post)).await.unwrap();
            assert_eq!(response.retries, 0, "the others rest");
        }
        let healthy = upstream.targets().iter().filter(|t| t.is_healthy).count();
        assert_eq!(healthy, 1);
    });
}

#[test]
fn a_resting_target_is_probed_beside_the_calls() {
    const MANY: &[&str] = &[OK; 2000];
    on_a_runtime(async {
        let fake = Fake::scripted(&[MANY]);
        let address = nobody();
        let targets = [address, fake.address].map(|address| format!("http://{address}"));
        let upstream = Upstream::new(UpstreamSpec::new("two", targets.to_vec())).unwrap();
        let pools = Pools::new();
        let first = pools.send(&upstream, call(Method::Post)).await.unwrap();
        assert_eq!(first.retries, 1);
        assert!(!upstream.targets()[0].is_healthy);
        let listener = TcpListener::bind(address).unwrap();
        while !upstream.targets()[0].is_healthy {
            let response = pools.send(&upstream, call(Method::Post)).await.unwrap();
            assert_eq!(response.retries, 0, "no call went there to find out");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let (mut probe, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        probe.read_to_end(&mut bytes).unwrap();
        assert!(bytes.is_empty(), "a probe connects and sends nothing");
    });
}

#[test]
fn what_one_call_meets_after_it_was_sent_is_no_verdict_on_the_target() {
    on_a_runtime(async {
        let fake = Fake::scripted(&[
            &["hang"],
            &["close"],
            &["garbage that is no HTTP"],
            &["HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n"],
        ]);
        let upstream = Upstream::new(fake.spec()).unwrap();
        let pools = Pools::new();
        for _ in 0..4 {
            let call = UpstreamCall {
                timeout: Duration::from_millis(100),
                ..call(Method::Get)
            };
            assert!(pools.send(&upstream, call).await.is_err());
            assert!(upstream.targets()[0].is_healthy);
        }
        assert_eq!(fake.count(), 4);
    });
}

#[test]
fn checks_take_a_target_out_and_bring_it_back() {
    const SICK: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    // More good ones than are needed: a check that was late on a busy machine counts as failed.
    static CHECKS: [&[&str]; 300] = {
        let mut checks: [&[&str]; 300] = [&[OK]; 300];
        (checks[1], checks[2]) = (&[SICK], &[SICK]);
        checks
    };
    let fake = Fake::scripted(&CHECKS);
    let mut spec = fake.spec();
    spec.balance = Balance::LeastRequests;
    spec.health = Some(HealthSpec {
        interval: Duration::from_millis(200),
        timeout: Duration::from_millis(200),
        unhealthy_after: 2,
        ..HealthSpec::new("/health")
    });
    on_a_runtime(async {
        let upstream = Upstream::new(spec).unwrap();
        let watched = Arc::clone(&upstream);
        tokio::task::spawn_local(watch_health(move || vec![Arc::clone(&watched)]));
        assert!(upstream.targets()[0].is_healthy);
        for expected in [false, true] {
            let begun = Instant::now();
            while upstream.targets()[0].is_healthy != expected {
                assert!(begun.elapsed() < PATIENCE, "never {expected}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    assert!(fake.seen.lock().unwrap()[0].starts_with("GET /health HTTP/1.1\r\n"));
}

#[test]
fn calls_under_way_are_bounded_and_spread() {
    let fakes = [
        Fake::scripted(&[&[OK, OK, OK]]),
        Fake::scripted(&[&[OK, OK, OK]]),
    ];
    let mut spec = UpstreamSpec::new(
        "two",
        fakes
            .iter()
            .map(|f| format!("http://{}", f.address))
            .collect(),
    );
    let four = [call(Method::Get); 4];
    assert!(send(spec.clone(), &four).iter().all(Result::is_ok));
    let counts = fakes.each_ref().map(|f| f.seen.lock().unwrap().len());
    assert_eq!(counts, [2, 2]);
    spec.calls_max = 0;
    assert_eq!(
        send(spec, &[call(Method::Get)]).remove(0).unwrap_err().kind,
        Kind::Overloaded
    );
}

#[test]
fn https_targets_are_verified_and_get_nothing_when_wrong() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.issue("localhost");
    let slot = crate::TlsSlot::new(&certificate, &key, None).unwrap();
    let gate = super::Gate::with("tls", Some(slot), crate::Bounds::default());
    let mut spec = UpstreamSpec::new(
        "tls",
        vec![format!("https://localhost:{}", gate.address().port())],
    );
    spec.ca_pem = Some(authority.pem());
    let responses = send(spec.clone(), &[call(Method::Get), call(Method::Get)]);
    assert!(responses.iter().all(Result::is_ok), "{responses:?}");
    assert_eq!(
        responses[1].as_ref().unwrap().connect_us,
        0,
        "kept over TLS, too"
    );
    gate.seen();
    spec.ca_pem = Some(stranger.pem());
    let fault = send(spec, &[call(Method::Get)]).remove(0).unwrap_err();
    assert_eq!(fault.kind, Kind::Unreachable);
    assert!(gate.seen().is_empty(), "0 bytes of the request");
    gate.stop();
}

#[test]
fn what_cannot_be_an_upstream_is_named() {
    let mistake = |targets: &[&str]| {
        let targets = targets.iter().map(|t| (*t).to_owned()).collect();
        Upstream::new(UpstreamSpec::new("x", targets)).unwrap_err()
    };
    assert_eq!(mistake(&[]), UpstreamMistake::NoTarget);
    assert!(
        mistake(&["http://a", "a:80"])
            .to_string()
            .starts_with("`a:80` is not a target")
    );
    let fault = send(
        UpstreamSpec::new("x", vec![String::from("http://127.0.0.1:1")]),
        &[UpstreamCall {
            path_and_query: "/a b",
            ..call(Method::Get)
        }],
    );
    assert_eq!(fault[0].as_ref().unwrap_err().kind, Kind::Protocol);
}
