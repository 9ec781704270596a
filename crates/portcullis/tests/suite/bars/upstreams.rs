//! Bar X4: what one caller or a short outage of the upstream costs everybody else.
//! Start reading at `an_upstream_restart_under_thirty_connections_costs_at_most_a_second`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use demo::Call;
use testkit::{Gate, Play, RecordingUpstream, Scale, Server, bar, json_response};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
/// How long the upstream is away.
const OUTAGE: Duration = Duration::from_millis(300);
/// How long calls go on after it is back: longer than the bar, so that a longer outage would be seen.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// An upstream that can be stopped, with every connection cut, and started again at the same address.
struct Restartable {
    address: SocketAddr,
    listener: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Restartable {
    fn start() -> Restartable {
        let mut upstream = Restartable {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            listener: None,
            open: Arc::default(),
        };
        upstream.listen();
        upstream
    }

    fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        self.address = listener.local_addr().unwrap();
        let (is_over, open) = (Arc::new(AtomicBool::new(false)), Arc::clone(&self.open));
        let told = Arc::clone(&is_over);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                if told.load(Ordering::Acquire) {
                    return;
                }
                open.lock().unwrap().push(stream.try_clone().unwrap());
                thread::spawn(move || answer_all(stream));
            }
        });
        self.listener = Some((is_over, accepting));
    }

    fn stop(&mut self) {
        let (is_over, accepting) = self.listener.take().unwrap();
        is_over.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        accepting.join().unwrap();
        for stream in self.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn answer_all(mut stream: TcpStream) {
    let mut pending = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        pending.extend_from_slice(&piece[..count]);
        while let Some(end) = pending.windows(4).position(|w| w == b"\r\n\r\n") {
            pending.drain(..end + 4);
            if stream.write_all(&json_response(200, NOTE)).is_err() {
                return;
            }
        }
    }
}

/// A caller that keeps its connection and calls until it is told to stop. Gives each answer's moment and status.
fn caller(address: SocketAddr, key: String, is_over: Arc<AtomicBool>) -> Vec<(Instant, u16)> {
    let request =
        format!("GET /v1/notes/1 HTTP/1.1\r\nHost: notes\r\nAuthorization: Bearer {key}\r\n\r\n");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut seen = Vec::new();
    let mut piece = [0; 16 * 1024];
    while !is_over.load(Ordering::Acquire) {
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let status = loop {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "the gate closed a caller's connection");
            bytes.extend_from_slice(&piece[..count]);
            if let Some(status) = whole(&bytes) {
                break status;
            }
        };
        seen.push((Instant::now(), status));
        thread::sleep(Duration::from_millis(5));
    }
    seen
}

/// The status of a whole answer.
fn whole(bytes: &[u8]) -> Option<u16> {
    let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    (bytes.len() >= head_end + length).then(|| head[9..12].parse().unwrap())
}

#[test]
fn an_upstream_restart_under_thirty_connections_costs_at_most_a_second() {
    let mut upstream = Restartable::start();
    let server = serve(Gate::small(upstream.address));
    let key = server.quick_key("alpha", &[]).text;
    let address = server.address("public");
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..30)
        .map(|_| {
            let (key, is_over) = (key.clone(), Arc::clone(&is_over));
            thread::spawn(move || caller(address, key, is_over))
        })
        .collect();
    let mut back = Instant::now();
    for _ in 0..Scale::pick(1, 3, 10) {
        thread::sleep(OUTAGE);
        upstream.stop();
        thread::sleep(OUTAGE);
        upstream.listen();
        back = Instant::now();
        thread::sleep(AFTERWARDS);
    }
    is_over.store(true, Ordering::Release);
    let seen: Vec<(Instant, u16)> = callers
        .into_iter()
        .flat_map(|one| one.join().unwrap())
        .collect();
    let statuses = seen.iter().fold(BTreeMap::new(), |mut all, (_, status)| {
        *all.entry(*status).or_insert(0) += 1;
        all
    });
    assert!(
        statuses.get(&502).is_some_and(|count| *count > 0),
        "there was an outage: {statuses:?}"
    );
    let late = |(at, status): &&(Instant, u16)| *status != 200 && *at > back;
    let last = seen.iter().filter(late).map(|(at, _)| *at - back).max();
    let ms = last.unwrap_or_default().as_millis();
    let holds = ms <= 1000;
    bar(
        "X4",
        "ms of failures after an upstream restart of 0.3 s",
        ms,
        holds,
    );
    assert!(
        holds,
        "calls failed {ms} ms after the upstream was back: {statuses:?}"
    );
}

/// Many calls at once that the upstream never answers well, by one caller.
fn misuse(server: &Server, target: &'static str, count: usize) -> Vec<JoinHandle<u16>> {
    let key = server.quick_key("alpha", &[]).text;
    let address = server.address("public");
    (0..count)
        .map(|_| {
            let key = key.clone();
            thread::spawn(move || {
                testkit::wire::send(address, &call("GET", target), Some(&key)).status
            })
        })
        .collect()
}

#[test]
fn slow_and_broken_calls_of_one_caller_cost_the_others_nothing() {
    let upstream = RecordingUpstream::start(|asked| match asked.target.as_str() {
        "/v1/notes/slow" => Play::Hang(Vec::new()),
        "/v1/notes/broken" => Play::Close(Vec::new()),
        "/v1/notes/half" => {
            Play::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec())
        }
        _ => Play::Response(json_response(200, NOTE)),
    });
    let gate = Gate::small(upstream.address());
    gate.edit("apis/notes.yaml", "timeout: 5s", "timeout: 1s");
    let server = serve(gate);
    let other = server.quick_key("beta", &[]);
    let fine: Call = call("GET", "/v1/notes/1");
    let (mut lost, mut made) = (0, 0);
    for target in ["/v1/notes/slow", "/v1/notes/broken", "/v1/notes/half"] {
        let misused = misuse(&server, target, Scale::pick(24, 24, 240));
        // While they are under way, and for as long again as they took: what they cost would show afterwards.
        let mut until = None;
        while until.is_none_or(|until| Instant::now() < until) {
            lost += usize::from(server.send(&fine, Some(&other)).status != 200);
            made += 1;
            if until.is_none() && misused.iter().all(JoinHandle::is_finished) {
                until = Some(Instant::now() + Duration::from_millis(300));
            }
        }
        for one in misused {
            assert!(matches!(one.join().unwrap(), 502 | 504), "{target}");
        }
    }
    bar(
        "X4",
        "calls lost by others to 24 slow calls of one caller",
        lost,
        lost == 0,
    );
    assert_eq!(lost, 0, "of {made} calls");
}
