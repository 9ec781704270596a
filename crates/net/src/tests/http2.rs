//! HTTP/2 by a raw h2 client, well-behaved and not.

use std::sync::Arc;
use std::time::Duration;

use h2::client::{self, SendRequest};
use hyper::body::Bytes;
use hyper::http::{HeaderMap, Request};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::tls::Authority;
use super::{Gate, PATIENCE, impatient, on_a_runtime};
use crate::{Bounds, TlsSlot};

fn gate(bounds: Bounds) -> (Gate, Authority) {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let slot = TlsSlot::new(&certificate, &key, None).unwrap();
    (Gate::with("public", Some(slot), bounds), authority)
}

async fn connect(gate: &Gate, authority: &Authority, window: u32) -> SendRequest<Bytes> {
    let config = crate::tls::client_config(Some(&authority.pem())).unwrap();
    let mut config = (*config).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(gate.address()).await.unwrap();
    let name = crate::tls::server_name("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let mut builder = client::Builder::new();
    builder.initial_window_size(window);
    let (send, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
    tokio::task::spawn_local(connection);
    send
}

async fn ask(
    send: &SendRequest<Bytes>,
    request: Request<()>,
    body: &'static [u8],
) -> Result<(u16, HeaderMap, Vec<u8>), h2::Error> {
    let mut send = send.clone().ready().await?;
    let (response, mut stream) = send.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        stream.send_data(Bytes::from_static(body), true)?;
    }
    let (parts, mut incoming) = response.await?.into_parts();
    let mut all = Vec::new();
    while let Some(piece) = incoming.data().await {
        let piece = piece?;
        incoming.flow_control().release_capacity(piece.len())?;
        all.extend_from_slice(&piece);
    }
    Ok((parts.status.as_u16(), parts.headers, all))
}

fn request(method: &str, path: &str) -> Request<()> {
    let uri = format!("https://localhost{path}");
    Request::builder().method(method).uri(uri).body(()).unwrap()
}

#[test]
fn streams_become_the_same_requests() {
    let (gate, authority) = gate(Bounds::default());
    on_a_runtime(async {
        let send = connect(&gate, &authority, 65_535).await;
        let (status, headers, body) = ask(&send, request("POST", "/echo?a=b"), b"hello")
            .await
            .unwrap();
        assert_eq!((status, body.as_slice()), (200, &b"hello"[..]));
        assert!(headers.contains_key("date") && headers["content-length"] == "5");
        assert!(!headers.contains_key("connection"));
        let (_, _, body) = ask(&send, request("GET", "/big"), b"").await.unwrap();
        assert_eq!(body.len(), 3_000_000);
        let (status, headers, body) = ask(&send, request("HEAD", "/big"), b"").await.unwrap();
        assert_eq!((status, body.len()), (200, 0));
        assert_eq!(headers["content-length"], "3000000");
        let (status, ..) = ask(&send, request("GET", "/none"), b"").await.unwrap();
        assert_eq!(status, 204);
        let (status, ..) = ask(&send, request("POST", "/echo"), &[b'x'; 1001])
            .await
            .unwrap();
        assert_eq!(status, 413);
        let (status, _, body) = ask(&send, request("GET", "/panic"), b"").await.unwrap();
        assert_eq!((status, body.as_slice()), (500, &b"http.internal"[..]));
        let (status, ..) = ask(&send, request("GET", "/echo"), b"").await.unwrap();
        assert_eq!(status, 200, "the connection lives");
    });
    assert_eq!(gate.seen()[0], "http/2 POST /echo?a=b 1.3");
    gate.stop();
}

#[test]
fn second_readings_are_refused() {
    let (gate, authority) = gate(Bounds::default());
    on_a_runtime(async {
        let send = connect(&gate, &authority, 65_535).await;
        let with = |name: &str, value: &str| {
            let mut request = request("GET", "/echo");
            let name = hyper::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
            request
        };
        for (name, value) in [
            ("host", "other.test"),
            ("content-length", "+0"),
            ("expect", "x"),
        ] {
            match ask(&send, with(name, value), b"").await {
                Ok((status, ..)) => assert_eq!(status, 400, "{name}"),
                Err(e) => assert!(e.is_reset(), "{name}: {e}"),
            }
        }
        let (status, ..) = ask(&send, with("host", "LOCALHOST"), b"").await.unwrap();
        assert_eq!(status, 200, "the same host in other letters");
        let (status, ..) = ask(&send, request("BREW", "/"), b"").await.unwrap();
        assert_eq!(status, 200, "an undeclared method is for the road to judge");
        let tunnel = Request::builder()
            .method("CONNECT")
            .uri("localhost:443")
            .body(())
            .unwrap();
        let (status, ..) = ask(&send, tunnel, b"").await.unwrap();
        assert_eq!(status, 405);
        let dot = Request::builder()
            .uri("https://localhost./")
            .body(())
            .unwrap();
        assert_eq!(ask(&send, dot, b"").await.unwrap().0, 400);
        let long = request("GET", &format!("/{}", "a".repeat(9000)));
        assert_eq!(ask(&send, long, b"").await.unwrap().0, 414);
    });
    let seen = gate.seen();
    let tunnels: Vec<&String> = seen.iter().filter(|l| l.contains("CONNECT")).collect();
    assert!(
        tunnels
            .iter()
            .all(|l| l.contains("route.method_not_allowed")),
        "{tunnels:?}"
    );
    gate.stop();
}

#[test]
fn rapid_resets_end_the_connection_and_not_the_gate() {
    let (gate, authority) = gate(Bounds::default());
    on_a_runtime(async {
        let mut send = connect(&gate, &authority, 65_535).await;
        let mut opened = 0;
        for _ in 0..20_000 {
            let Ok(ready) = send.clone().ready().await else {
                break;
            };
            send = ready;
            let Ok((response, mut stream)) = send.send_request(request("POST", "/slow"), false)
            else {
                break;
            };
            stream.send_reset(h2::Reason::CANCEL);
            drop(response);
            opened += 1;
            if opened % 50 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        assert!(opened < 20_000, "never ended");
        let send = connect(&gate, &authority, 65_535).await;
        assert_eq!(
            ask(&send, request("GET", "/echo"), b"").await.unwrap().0,
            200
        );
    });
    gate.stop();
}

#[test]
fn an_honest_client_is_never_cut_off() {
    let (gate, authority) = gate(Bounds::default());
    on_a_runtime(async {
        let send = connect(&gate, &authority, 65_535).await;
        let mut work = tokio::task::JoinSet::new();
        for n in 0..40 {
            let send = send.clone();
            work.spawn_local(async move {
                for round in 0..50 {
                    let (path, body): (_, &[u8]) = match round % 3 {
                        0 => ("/echo", b"hello"),
                        1 if n == 0 => ("/big", b""),
                        1 => ("/none", b""),
                        _ => ("/echo", b""),
                    };
                    let method = if body.is_empty() { "GET" } else { "POST" };
                    let (status, ..) = ask(&send, request(method, path), body).await.unwrap();
                    assert!(status == 200 || status == 204);
                }
            });
        }
        while let Some(done) = work.join_next().await {
            done.unwrap();
        }
        // A hundred callers lose their patience at once, again and again.
        for _ in 0..3 {
            let mut given_up = Vec::new();
            for _ in 0..90 {
                let mut ready = send.clone().ready().await.unwrap();
                given_up.push(
                    ready
                        .send_request(request("POST", "/stuck"), false)
                        .unwrap(),
                );
            }
            tokio::time::sleep(Duration::from_millis(1200)).await;
            drop(given_up);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let (status, ..) = ask(&send, request("GET", "/echo"), b"").await.unwrap();
        assert_eq!(status, 200);
    });
    assert!(gate.dropped().is_empty());
}

#[test]
fn readers_that_grant_no_window_and_idle_connections_are_closed() {
    let (gate, authority) = gate(impatient());
    on_a_runtime(async {
        let mut stalled = connect(&gate, &authority, 0).await.ready().await.unwrap();
        let (response, _) = stalled.send_request(request("GET", "/big"), true).unwrap();
        let (_, mut body) = response.await.unwrap().into_parts();
        let idle = connect(&gate, &authority, 65_535).await;
        let begun = std::time::Instant::now();
        assert!(!matches!(body.data().await, Some(Ok(_))));
        while ask(&idle, request("GET", "/echo"), b"").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            assert!(begun.elapsed() < PATIENCE, "never closed");
        }
    });
    gate.stop();
}

/// Sends a head and then a body that need not be what the head states, a moment later, as another packet would bring it.
async fn store(
    send: &SendRequest<Bytes>,
    length: Option<&str>,
    end: impl AsyncFnOnce(&mut h2::SendStream<Bytes>),
) -> Option<u16> {
    let mut request = request("POST", "/store");
    if let Some(length) = length {
        let fields = request.headers_mut();
        fields.insert("content-length", length.parse().unwrap());
    }
    let mut send = send.clone().ready().await.unwrap();
    let (response, mut stream) = send.send_request(request, false).unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    end(&mut stream).await;
    response
        .await
        .ok()
        .map(|response| response.status().as_u16())
}

#[test]
fn a_body_that_is_not_what_its_head_states_is_never_carried_out() {
    let (gate, authority) = gate(Bounds::default());
    let data = |stream: &mut h2::SendStream<Bytes>, bytes: &'static [u8], is_last| {
        // A stream that was reset already takes no more.
        let _ = stream.send_data(Bytes::from_static(bytes), is_last);
    };
    on_a_runtime(async {
        for round in 0..40 {
            let send = connect(&gate, &authority, 65_535).await;
            for length in ["0", "2", "9", "05", "+5", "5, 5", ""] {
                let told = store(&send, Some(length), async |stream| {
                    if round % 2 == 0 {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    data(stream, b"hello", true);
                })
                .await;
                assert!(
                    told.is_none_or(|status| status == 400),
                    "{length:?}: {told:?}"
                );
            }
            for reason in [h2::Reason::NO_ERROR, h2::Reason::CANCEL] {
                let told = store(&send, None, async |stream| {
                    data(stream, b"hel", false);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    stream.send_reset(reason);
                })
                .await;
                assert_eq!(told, None, "{reason:?}");
            }
        }
        let send = connect(&gate, &authority, 65_535).await;
        for length in [Some("5"), None] {
            let told = store(&send, length, async |stream| data(stream, b"hello", true)).await;
            assert_eq!(told, Some(201), "{length:?}");
            let told = store(&send, length, async |stream| {
                data(stream, b"hello", false);
                stream.send_trailers(HeaderMap::new()).unwrap();
            });
            assert_eq!(told.await, Some(201), "trailers are dropped");
        }
    });
    let seen = gate.seen();
    let stored: Vec<&String> = seen
        .iter()
        .filter(|line| line.starts_with("stored"))
        .collect();
    assert_eq!(stored, ["stored 5"; 4]);
    gate.stop();
}

#[test]
fn what_is_kept_for_the_answers_of_a_stalled_reader_is_given_back() {
    let (gate, authority) = gate(Bounds {
        rate_min: 1,
        ..impatient()
    });
    on_a_runtime(async {
        // Window for the beginning of each answer, and no more ever.
        let send = connect(&gate, &authority, 65_535).await;
        let mut asked = Vec::new();
        for _ in 0..8 {
            let mut ready = send.clone().ready().await.unwrap();
            asked.push(ready.send_request(request("GET", "/held"), true).unwrap());
        }
        let given_back = || {
            let log = gate.log.lock().unwrap();
            log.iter().filter(|line| *line == "given back").count()
        };
        let begun = std::time::Instant::now();
        while given_back() < 8 {
            assert!(begun.elapsed() < PATIENCE, "{} of 8", given_back());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(asked);
    });
    let dropped = gate.dropped();
    assert_eq!(
        dropped.get("http.not_read 127.0.0.1"),
        Some(&1),
        "{dropped:?}"
    );
}

/// How many answers are no longer kept.
fn given_back(gate: &Gate) -> usize {
    let log = gate.log.lock().unwrap();
    log.iter().filter(|line| *line == "given back").count()
}

/// The library takes the first piece of an answer without any window, and what a window lets it take it keeps until the socket has room.
#[test]
fn an_answer_is_kept_until_it_is_written_and_not_until_the_library_has_it() {
    let (gate, authority) = gate(Bounds {
        write_grace: PATIENCE,
        ..Bounds::default()
    });
    on_a_runtime(async {
        for (window, path, count) in [
            (0, "/held-small", 8),
            (10, "/held-small", 8),
            (300, "/held-piece", 8),
            (59_000, "/held-piece", 1),
        ] {
            let send = connect(&gate, &authority, window).await;
            let mut asked = Vec::new();
            for _ in 0..count {
                let mut ready = send.clone().ready().await.unwrap();
                let (response, _) = ready.send_request(request("GET", path), true).unwrap();
                asked.push(response.await.unwrap().into_body());
            }
            // What was asked last is answered last: by then the library has taken what it takes.
            for _ in 0..3 {
                let (status, ..) = ask(&send, request("GET", "/none"), b"").await.unwrap();
                assert_eq!(status, 204);
            }
            assert_eq!(given_back(&gate), 0, "a window of {window}");
            if window == 0 {
                drop((asked, send));
            } else {
                for body in asked {
                    let bytes = read(body).await;
                    assert!(matches!(bytes, 303 | 60_003), "{bytes}");
                }
            }
            let begun = std::time::Instant::now();
            while given_back(&gate) < count {
                assert!(
                    begun.elapsed() < PATIENCE,
                    "{} of {count}",
                    given_back(&gate)
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            gate.seen();
        }
    });
    gate.stop();
}

async fn read(mut body: h2::RecvStream) -> usize {
    let mut bytes = 0;
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        bytes += piece.len();
        body.flow_control().release_capacity(piece.len()).unwrap();
    }
    bytes
}

/// A connection that grants the largest windows, asks so many times for this path, and takes nothing out of its socket.
async fn silent(
    gate: &Gate,
    authority: &Authority,
    path: &str,
    count: u32,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let config = crate::tls::client_config(Some(&authority.pem())).unwrap();
    let mut config = (*config).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let stream = socket.connect(gate.address()).await.unwrap();
    let name = crate::tls::server_name("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let frame = |kind: u8, flags: u8, id: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &id.to_be_bytes(), payload].concat()
    };
    bytes.extend(frame(4, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]));
    bytes.extend(frame(8, 0, 0, &0x7fff_0000_u32.to_be_bytes()));
    // `GET https://localhost`, by places of the static table (RFC 7541 appendix A).
    let length = u8::try_from(path.len()).unwrap();
    let head = [
        &b"\x82\x87\x41\x09localhost\x44"[..],
        &[length],
        path.as_bytes(),
    ]
    .concat();
    for n in 0..count {
        bytes.extend(frame(1, 5, 2 * n + 1, &head));
    }
    stream.write_all(&bytes).await.unwrap();
    stream
}

/// Windows for everything, and nobody who takes bytes out of the socket: what is kept in the library's buffers counts as kept.
#[test]
fn a_client_that_grants_windows_and_reads_nothing_holds_all_of_what_it_asked_for() {
    const ASKED: usize = 100;
    let (gate, authority) = gate(Bounds {
        write_grace: PATIENCE,
        ..Bounds::default()
    });
    on_a_runtime(async {
        let stream = silent(&gate, &authority, "/held-piece", 100).await;
        let asked = || {
            let log = gate.log.lock().unwrap();
            let mine = log.iter().filter(|line| line.contains("/held-piece"));
            mine.count()
        };
        let begun = std::time::Instant::now();
        while asked() < ASKED {
            assert!(begun.elapsed() < PATIENCE, "{} of {ASKED}", asked());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Others are served meanwhile, so that this one has had its turn, too.
        let other = connect(&gate, &authority, 65_535).await;
        for _ in 0..20 {
            ask(&other, request("GET", "/none"), b"").await.unwrap();
        }
        // What the kernel takes is gone: buffers of some hundred kilobytes, of six megabytes.
        let gone = given_back(&gate);
        eprintln!("{gone} of {ASKED} answers of 60 KB are not kept any more");
        assert!(gone < 50, "{gone}");
        drop(stream);
        while given_back(&gate) < ASKED {
            assert!(begun.elapsed() < PATIENCE * 2, "{}", given_back(&gate));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    gate.stop();
}

#[test]
fn a_client_that_grants_windows_and_reads_nothing_is_ended_for_it() {
    let (gate, authority) = gate(impatient());
    on_a_runtime(async {
        let _stream = silent(&gate, &authority, "/held", 8).await;
        let begun = std::time::Instant::now();
        while given_back(&gate) < 8 {
            assert!(begun.elapsed() < PATIENCE, "{} of 8", given_back(&gate));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let dropped = gate.dropped();
    let told = dropped.get("http.not_read 127.0.0.1");
    assert_eq!(told, Some(&1), "{dropped:?}");
}

/// Whoever has the end of an answer asks for the next one, perhaps on another connection.
#[test]
fn what_is_kept_for_a_stream_is_free_before_its_reader_has_the_end() {
    let (gate, authority) = gate(Bounds::default());
    on_a_runtime(async {
        let send = connect(&gate, &authority, 65_535).await;
        for path in ["/held", "/held-piece", "/held-small"] {
            for _ in 0..100 {
                ask(&send, request("GET", path), b"").await.unwrap();
                assert_eq!(given_back(&gate), 1, "{path}");
                gate.seen();
            }
        }
    });
    gate.stop();
}

/// Several clients look for an answer only when they have sent the whole body, and wait for window until then.
#[test]
fn a_large_body_that_is_refused_early_is_read_on_and_thrown_away() {
    const BYTES: usize = 4 << 20;
    let (gate, authority) = gate(Bounds::default());
    on_a_runtime(async {
        let send = connect(&gate, &authority, 65_535).await;
        let long = format!("/{}", "a".repeat(9_000));
        for (path, length, status) in [
            ("/echo", true, 413),
            ("/echo", false, 413),
            ("/ignore", true, 200),
            // Refused for its head, before there is a body to read.
            (long.as_str(), true, 414),
        ] {
            let mut request = request("POST", path);
            if length {
                let fields = request.headers_mut();
                fields.insert("content-length", BYTES.into());
            }
            let mut ready = send.clone().ready().await.unwrap();
            let (response, mut stream) = ready.send_request(request, false).unwrap();
            let mut left = BYTES;
            while left > 0 {
                stream.reserve_capacity(left.min(16_384));
                let window = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
                let granted = window.expect("the stream is open").unwrap().min(left);
                left -= granted;
                let piece = Bytes::from(vec![b'x'; granted]);
                stream.send_data(piece, left == 0).unwrap();
            }
            let (parts, body) = response.await.unwrap().into_parts();
            assert_eq!(parts.status.as_u16(), status, "{path}");
            read(body).await;
        }
        let (status, ..) = ask(&send, request("GET", "/none"), b"").await.unwrap();
        assert_eq!(status, 204, "the connection lives");
        // Whoever stops sending is told so after a moment.
        let mut ready = send.clone().ready().await.unwrap();
        let (response, mut stream) = ready
            .send_request(request("POST", "/ignore"), false)
            .unwrap();
        assert_eq!(response.await.unwrap().status().as_u16(), 200);
        let reason = std::future::poll_fn(|cx| stream.poll_reset(cx))
            .await
            .unwrap();
        assert_eq!(reason, h2::Reason::NO_ERROR);
    });
    gate.stop();
}
