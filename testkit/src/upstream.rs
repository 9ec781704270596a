//! An upstream that records every byte it is sent and answers as it is told.
//! Exports `RecordingUpstream`, `Received`, `Play`, `Latch`.
//! Used by the suite: what is not in its record did not reach the company's system.
//! Start reading at `RecordingUpstream::start`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use demo::Fieldworks;
use model::{Headers, Method};

/// Most bytes of one request that are waited for.
const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// Every byte of it.
    pub bytes: Vec<u8>,
    /// Method.
    pub method: String,
    /// Target.
    pub target: String,
    /// Fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, chunks joined as they stand.
    pub body: Vec<u8>,
}

impl Received {
    /// The first field of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the upstream does with a request.
#[derive(Clone, Debug)]
pub enum Play {
    /// Writes these bytes and keeps the connection.
    Response(Vec<u8>),
    /// Writes these bytes and closes the connection.
    Close(Vec<u8>),
    /// Writes these bytes, then says nothing more and keeps the connection open until the test ends.
    Hang(Vec<u8>),
    /// Waits, then writes these bytes and keeps the connection.
    Later(Duration, Vec<u8>),
    /// Writes the first bytes, waits, and writes the others, which nobody asked for. Keeps the connection.
    Surplus(Vec<u8>, Duration, Vec<u8>),
    /// Waits until the latch is opened or the test ends, then writes these bytes and keeps the connection.
    Held(Latch, Vec<u8>),
}

/// Holds answers back until it is opened.
#[derive(Clone, Debug, Default)]
pub struct Latch(Arc<AtomicBool>);

impl Latch {
    /// Lets everything go that is held, now and later.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

type Script = Box<dyn Fn(&Received) -> Play + Send + Sync>;

struct State {
    script: Script,
    bytes: Mutex<Vec<u8>>,
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    is_over: AtomicBool,
}

/// An upstream on a free loopback port. It ends when dropped.
pub struct RecordingUpstream {
    address: SocketAddr,
    state: Arc<State>,
}

impl RecordingUpstream {
    /// Listens, and answers by this script.
    pub fn start(script: impl Fn(&Received) -> Play + Send + Sync + 'static) -> RecordingUpstream {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State {
            script: Box::new(script),
            bytes: Mutex::default(),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_over.load(Ordering::Acquire) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                shared.connections.fetch_add(1, Ordering::AcqRel);
                let state = Arc::clone(&shared);
                thread::spawn(move || drop(serve(stream, &state)));
            }
        });
        RecordingUpstream { address, state }
    }

    /// Answers every request with this JSON and status 200.
    pub fn always(json: &'static str) -> RecordingUpstream {
        RecordingUpstream::start(move |_| Play::Response(json_response(200, json)))
    }

    /// The careless demo upstream, with every byte on the record.
    pub fn fieldworks(careless: &Fieldworks) -> RecordingUpstream {
        let careless = careless.clone();
        RecordingUpstream::start(move |asked| {
            let mut headers = Headers::new();
            for (name, value) in &asked.headers {
                headers.push(name, value);
            }
            let method = Method::parse(&asked.method).unwrap_or(Method::Get);
            let response = careless.handle(method, &asked.target, &headers, &asked.body);
            let fields: Vec<(String, String)> = response
                .headers
                .iter()
                .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
                .collect();
            Play::Response(answer(response.status, &fields, &response.body))
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Acquire)
    }

    /// Every byte received so far, over all connections.
    pub fn bytes(&self) -> Vec<u8> {
        held(&self.state.bytes).clone()
    }

    /// Whole requests received so far.
    pub fn requests(&self) -> Vec<Received> {
        held(&self.state.requests).clone()
    }

    /// Forgets what it received.
    pub fn forget(&self) {
        held(&self.state.bytes).clear();
        held(&self.state.requests).clear();
    }

    /// Panics when a byte reached it since it last forgot.
    pub fn assert_untouched(&self, why: &str) {
        let bytes = self.bytes();
        assert!(
            bytes.is_empty(),
            "{why}: the upstream received\n{}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

impl Drop for RecordingUpstream {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Release);
        // Wakes the accepting thread, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

/// An answer's bytes, with its length.
pub fn answer(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if status != 204 && status != 304 {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A JSON answer's bytes.
pub fn json_response(status: u16, json: &str) -> Vec<u8> {
    let kind = ("content-type".to_owned(), "application/json".to_owned());
    answer(status, &[kind], json.as_bytes())
}

fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut pending = Vec::new();
    while let Some(request) = next(&mut stream, &mut pending, state)? {
        held(&state.requests).push(request.clone());
        match (state.script)(&request) {
            Play::Response(bytes) => stream.write_all(&bytes)?,
            Play::Close(bytes) => return stream.write_all(&bytes),
            Play::Hang(bytes) => {
                stream.write_all(&bytes)?;
                while !state.is_over.load(Ordering::Acquire) {
                    thread::sleep(Duration::from_millis(20));
                }
                return Ok(());
            }
            Play::Later(wait, bytes) => {
                thread::sleep(wait);
                stream.write_all(&bytes)?;
            }
            Play::Surplus(bytes, wait, more) => {
                stream.write_all(&bytes)?;
                thread::sleep(wait);
                stream.write_all(&more)?;
            }
            Play::Held(latch, bytes) => {
                while !latch.is_open() && !state.is_over.load(Ordering::Acquire) {
                    thread::sleep(Duration::from_millis(5));
                }
                stream.write_all(&bytes)?;
            }
        }
    }
    Ok(())
}

/// Reads one request; `None` when the connection ended before one.
fn next(
    stream: &mut TcpStream,
    pending: &mut Vec<u8>,
    state: &State,
) -> std::io::Result<Option<Received>> {
    loop {
        if let Some((request, length)) = whole(pending) {
            pending.drain(..length);
            return Ok(Some(request));
        }
        let mut piece = [0; 16 * 1024];
        let count = stream.read(&mut piece)?;
        let piece = piece.get(..count).unwrap_or_default();
        held(&state.bytes).extend_from_slice(piece);
        pending.extend_from_slice(piece);
        if count == 0 || pending.len() > REQUEST_BYTES_MAX {
            return Ok(None);
        }
    }
}

/// A whole request at the front of these bytes, and its length.
fn whole(bytes: &[u8]) -> Option<(Received, usize)> {
    let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(bytes.get(..head_end)?).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let mut request = Received {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        ..Received::default()
    };
    for line in lines {
        if let Some((name, value)) = line.split_once(':') {
            request
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = request
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap_or(0));
    let end = match request.header("transfer-encoding") {
        Some(_) => {
            let rest = bytes.get(head_end..)?;
            head_end + rest.windows(5).position(|w| w == b"0\r\n\r\n")? + 5
        }
        None => head_end + length,
    };
    request.body = bytes.get(head_end..end)?.to_vec();
    request.bytes = bytes.get(..end)?.to_vec();
    Some((request, end))
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
