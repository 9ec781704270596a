//! Upstreams that say more than they were asked, sooner or later: nobody else ever hears it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use model::{Headers, Method};

use super::{PATIENCE, on_a_runtime, wait_until};
use crate::wire::{AtRest, Stream, Wire};
use crate::{Pools, Upstream, UpstreamCall, UpstreamSpec};

/// A raw server. What it answers a request with, and what it says after that, follows from the path.
struct Talker {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// A whole answer to nothing.
const EVIL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

/// What is said, and how long nothing is said before it.
type Said = (Duration, Vec<u8>);

impl Talker {
    fn start(greeting: &'static [u8], says: fn(&str) -> Vec<Said>) -> Talker {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || talk(stream.unwrap(), greeting, says));
            }
        });
        Talker {
            address,
            connections,
        }
    }

    fn upstream(&self) -> Arc<Upstream> {
        let target = format!("http://{}", self.address);
        Upstream::new(UpstreamSpec::new("talker", vec![target])).unwrap()
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn talk(mut stream: TcpStream, greeting: &[u8], says: fn(&str) -> Vec<Said>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    stream.write_all(greeting).ok()?;
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 4096];
        while !request.windows(4).any(|w| w == b"\r\n\r\n") {
            match stream.read(&mut piece) {
                Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
                _ => return None,
            }
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        request.clear();
        for (pause, bytes) in says(text.split(' ').nth(1)?) {
            thread::sleep(pause);
            stream.write_all(&bytes).ok()?;
        }
    }
}

fn answer(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn call<'a>(path: &'a str, headers: &'a Headers) -> UpstreamCall<'a> {
    UpstreamCall {
        method: Method::Get,
        caller: 1,
        user: None,
        path_and_query: path,
        authority: None,
        headers,
        body: b"",
        begun: std::time::Instant::now(),
        timeout: PATIENCE,
        room: None,
        is_retryable: true,
    }
}

/// `/N/who`: answers `who`, and after N milliseconds once more, unasked.
fn twice(path: &str) -> Vec<Said> {
    let (pause, who) = path.trim_start_matches('/').split_once('/').unwrap();
    let first = (Duration::ZERO, answer(who));
    match pause.parse() {
        Ok(0) | Err(_) => vec![first],
        Ok(pause) => vec![first, (Duration::from_millis(pause), answer(who))],
    }
}

#[test]
fn what_is_said_unasked_at_any_later_time_reaches_no_other_caller() {
    let talker = Talker::start(b"", twice);
    let surplus = on_a_runtime(async {
        let (upstream, pools, headers) = (talker.upstream(), Pools::new(), Headers::new());
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..250 {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            let (pause, rest) = (random >> 60, (random >> 50) % 24);
            let path = format!("/{pause}/mallory");
            // What they say to themselves is theirs; that it is no fault of the call is all that is asked.
            let mallory = pools.send(&upstream, call(&path, &headers)).await.unwrap();
            assert_eq!(mallory.body, b"mallory");
            tokio::time::sleep(Duration::from_millis(rest)).await;
            let other = UpstreamCall {
                caller: 2,
                ..call("/0/alice", &headers)
            };
            assert_eq!(pools.send(&upstream, other).await.unwrap().body, b"alice");
            let person = UpstreamCall {
                user: Some("bob"),
                ..call("/0/bob", &headers)
            };
            assert_eq!(pools.send(&upstream, person).await.unwrap().body, b"bob");
        }
        upstream.take_surplus().map(|(_, count)| count).sum::<u64>()
    });
    assert!(surplus > 0, "some of it was found before the next call");
    let expected = usize::try_from(surplus).unwrap() + 3;
    assert!(
        talker.count() <= expected,
        "{} connections, {surplus} of them given up: the others are kept",
        talker.count()
    );
}

#[test]
fn a_thread_that_was_busy_while_it_arrived_still_notices() {
    let talker = Talker::start(b"", twice);
    on_a_runtime(async {
        let (upstream, pools, headers) = (talker.upstream(), Pools::new(), Headers::new());
        let first = pools.send(&upstream, call("/20/first", &headers)).await;
        assert_eq!(first.unwrap().body, b"first");
        // Without a wait the runtime hears nothing of its sockets.
        thread::sleep(Duration::from_millis(200));
        let next = pools.send(&upstream, call("/0/next", &headers)).await;
        assert_eq!(next.unwrap().body, b"next");
        assert_eq!(upstream.take_surplus().map(|(_, n)| n).sum::<u64>(), 1);
    });
    assert_eq!(talker.count(), 2);
}

/// Both what a fresh connection has said by the time it is used, and what a kept one has.
#[tokio::test]
async fn what_comes_before_the_call_is_seen_before_the_call() {
    let talker = Talker::start(EVIL, twice);
    let stream = std::net::TcpStream::connect(talker.address).unwrap();
    stream.peek(&mut [0]).unwrap();
    stream.set_nonblocking(true).unwrap();
    // Nothing is awaited: the runtime has not looked at the socket.
    let mut wire = Wire::new(Stream::Plain(
        tokio::net::TcpStream::from_std(stream).unwrap(),
    ));
    assert!(wire.has_spoken() && wire.has_arrived());
    assert_eq!(wire.at_rest(), AtRest::Spoke);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = tokio::net::TcpStream::connect(silent.local_addr().unwrap());
    let mut wire = Wire::new(Stream::Plain(stream.await.unwrap()));
    assert!(!wire.has_spoken() && !wire.has_arrived());
    assert_eq!(wire.at_rest(), AtRest::Quiet);
    drop(silent.accept().unwrap());
    let begun = std::time::Instant::now();
    while wire.at_rest() != AtRest::Ended {
        assert!(begun.elapsed() < PATIENCE, "the end is never seen");
    }
}

/// What an upstream says before it was asked answers neither a read nor a write, and of neither a byte is sent.
#[test]
fn what_a_fresh_connection_says_first_answers_nobody() {
    for method in [Method::Get, Method::Post] {
        let talker = Talker::start(EVIL, |_| Vec::new());
        on_a_runtime(async {
            let (upstream, pools, headers) = (talker.upstream(), Pools::new(), Headers::new());
            for _ in 0..20 {
                let call = UpstreamCall {
                    method,
                    ..call("/a", &headers)
                };
                let fault = pools.send(&upstream, call).await.unwrap_err();
                assert!(fault.detail.contains("before it was asked"), "{fault:?}");
                assert!(!fault.is_sent, "{fault:?}");
            }
            let surplus: u64 = upstream.take_surplus().map(|(_, count)| count).sum();
            assert_eq!(surplus, 20);
        });
    }
}

/// A target that was quiet at first and then said more than it was asked is listened to again.
#[test]
fn a_target_that_says_too_much_once_is_listened_to_from_then_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let greeting = if number == 0 { b"".as_slice() } else { EVIL };
            thread::spawn(move || talk(stream.unwrap(), greeting, twice));
        }
    });
    on_a_runtime(async {
        let headers = Headers::new();
        let upstream = Upstream::new(UpstreamSpec::new("talker", vec![target])).unwrap();
        let pools = Pools::new();
        let first = pools.send(&upstream, call("/1/first", &headers)).await;
        assert_eq!(first.unwrap().body, b"first");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let second = pools.send(&upstream, call("/0/second", &headers)).await;
        assert!(second.is_err(), "{:?}", second.map(|said| said.body));
    });
}

#[test]
fn an_answer_whose_end_is_uncertain_is_the_last_on_its_connection() {
    fn says(path: &str) -> Vec<Said> {
        let bytes: &[u8] = match path {
            "/interim" => {
                b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            }
            "/unchanged" => b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
            "/unchanged-plain" => b"HTTP/1.1 304 Not Modified\r\n\r\n",
            "/gone" => b"HTTP/1.1 204 No Content\r\n\r\n",
            _ => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        };
        vec![(Duration::ZERO, bytes.to_vec())]
    }
    for (path, method, connections) in [
        ("/interim", Method::Get, 2),
        ("/unchanged", Method::Get, 2),
        ("/unchanged-plain", Method::Get, 1),
        ("/gone", Method::Delete, 1),
        ("/head", Method::Head, 2),
    ] {
        let talker = Talker::start(b"", says);
        on_a_runtime(async {
            let (upstream, pools, headers) = (talker.upstream(), Pools::new(), Headers::new());
            for _ in 0..2 {
                let call = UpstreamCall {
                    method,
                    ..call(path, &headers)
                };
                pools.send(&upstream, call).await.unwrap();
            }
        });
        wait_until("connections", || talker.count() >= connections);
        assert_eq!(talker.count(), connections, "{path}");
    }
}

#[test]
fn where_there_is_no_room_the_longest_rest_ends() {
    let talker = Talker::start(b"", twice);
    on_a_runtime(async {
        let headers = Headers::new();
        let mut spec = UpstreamSpec::new("talker", vec![format!("http://{}", talker.address)]);
        spec.idle_max = 2;
        let (upstream, pools) = (Upstream::new(spec).unwrap(), Pools::new());
        let connects = async |caller| {
            let call = UpstreamCall {
                caller,
                ..call("/0/a", &headers)
            };
            pools.send(&upstream, call).await.unwrap().connect_us > 0
        };
        assert!(connects(1).await && connects(2).await);
        assert!(!connects(1).await && !connects(2).await, "each its own");
        assert!(connects(3).await, "and the first one's goes");
        assert!(!connects(2).await && !connects(3).await);
        assert!(connects(1).await);
    });
    assert_eq!(talker.count(), 4);
}

#[test]
fn an_answer_that_did_not_wait_for_the_body_counts_and_is_the_last_on_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let head = stream.read(&mut [0; 4096]).unwrap();
                stream.write_all(&answer("early")).unwrap();
                let rest = std::io::copy(&mut stream, &mut std::io::sink());
                assert!(head > 0 && rest.is_ok());
            });
        }
    });
    on_a_runtime(async {
        // More than fits between the two ends, so that the answer is there before the last byte can be sent.
        let (headers, body) = (Headers::new(), vec![b'x'; 32 << 20]);
        let upstream = Upstream::new(UpstreamSpec::new("early", vec![target])).unwrap();
        let pools = Pools::new();
        for _ in 0..2 {
            let post = UpstreamCall {
                method: Method::Post,
                body: &body,
                ..call("/", &headers)
            };
            assert_eq!(pools.send(&upstream, post).await.unwrap().body, b"early");
        }
    });
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}
