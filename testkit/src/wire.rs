//! Bytes to a listener and back, without any client's niceties.
//! Exports `raw`, `raw_from`, `pieces`, `small`, `answers`, `send`, `tls`, `Connection`.
//! Used by the suite.
//! Start reading at `raw`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use demo::{Call, CallResponse};
use model::Method;
use socket2::{Domain, Protocol, Socket, Type};

use crate::PATIENCE;

/// What came back on one connection.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// Whether the other side closed the connection before patience ended.
    pub is_closed: bool,
    /// From the last byte sent to the end.
    pub took: Duration,
}

impl Heard {
    /// The answers in order; only those with a stated length are told apart.
    pub fn answers(&self) -> Vec<CallResponse> {
        answers(&self.bytes)
    }

    /// The only answer. Panics when there is none or another one.
    pub fn only(&self) -> CallResponse {
        let mut all = self.answers();
        assert_eq!(all.len(), 1, "{}", String::from_utf8_lossy(&self.bytes));
        all.remove(0)
    }
}

/// Sends these bytes on a connection of its own and hears until the other side closes, or patience ends.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> Heard {
    pieces(address, &[(Duration::ZERO, bytes)], PATIENCE)
}

/// Sends pieces with pauses before them, then hears until the other side closes or `patience` ends. Sending stops when
/// the other side takes no more.
pub fn pieces(address: SocketAddr, pieces: &[(Duration, &[u8])], patience: Duration) -> Heard {
    let mut stream = TcpStream::connect(address).expect("the listener accepts");
    stream.set_nodelay(true).expect("a socket option");
    for (pause, piece) in pieces {
        std::thread::sleep(*pause);
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    hear(stream, patience)
}

/// Sends these bytes from this loopback address and hears until the other side closes.
pub fn raw_from(from: Ipv4Addr, address: SocketAddr, bytes: &[u8]) -> Heard {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
    socket
        .bind(&SocketAddr::from((from, 0)).into())
        .expect("a loopback address");
    socket
        .connect(&address.into())
        .expect("the listener accepts");
    let mut stream = TcpStream::from(socket);
    stream.write_all(bytes).expect("the listener reads");
    hear(stream, PATIENCE)
}

/// A connection whose own buffer is small, so that an answer that is not read does not disappear in it.
pub fn small(address: SocketAddr) -> TcpStream {
    const BUFFER_BYTES: usize = 16 * 1024;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
    socket
        .set_recv_buffer_size(BUFFER_BYTES)
        .expect("a socket option");
    socket
        .connect(&address.into())
        .expect("the listener accepts");
    TcpStream::from(socket)
}

/// Sends these bytes, ends its own side, and hears.
pub fn half_closed(address: SocketAddr, bytes: &[u8]) -> Heard {
    let mut stream = TcpStream::connect(address).expect("the listener accepts");
    stream.write_all(bytes).expect("the listener reads");
    stream
        .shutdown(Shutdown::Write)
        .expect("a side can be ended");
    hear(stream, PATIENCE)
}

/// Hears until the other side closes or patience ends.
pub fn hear(mut stream: TcpStream, patience: Duration) -> Heard {
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let left = patience.saturating_sub(started.elapsed());
        let is_closed = if left.is_zero() {
            Some(false)
        } else {
            stream
                .set_read_timeout(Some(left))
                .expect("a socket option");
            match stream.read(&mut piece) {
                Ok(0) => Some(true),
                Ok(count) => {
                    bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
                    None
                }
                Err(error) => Some(!matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                )),
            }
        };
        if let Some(is_closed) = is_closed {
            return Heard {
                bytes,
                is_closed,
                took: started.elapsed(),
            };
        }
    }
}

/// The answers in these bytes, one after the other. An answer without a length takes the rest.
pub fn answers(mut bytes: &[u8]) -> Vec<CallResponse> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        let Some(head_end) = head_end.map(|at| at + 4) else {
            panic!("half an answer: {}", String::from_utf8_lossy(bytes));
        };
        let head =
            CallResponse::read(bytes.get(..head_end).unwrap_or_default()).expect("an answer");
        let length = head
            .header("content-length")
            .map(|n| n.parse().expect("a length"));
        let end = length.map_or(bytes.len(), |n: usize| (head_end + n).min(bytes.len()));
        let (one, rest) = bytes.split_at(end);
        all.push(CallResponse::read(one).expect("an answer"));
        bytes = rest;
    }
    all
}

/// Sends one call to a plain listener.
pub fn send(address: SocketAddr, call: &Call, key: Option<&str>) -> CallResponse {
    demo::send_plain(address, call, key)
        .unwrap_or_else(|why| panic!("{} {}: {why}", call.method, call.target))
}

/// A plain connection that carries one call after the other.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody accepts.
    pub fn open(address: SocketAddr) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let heard = Vec::new();
        Ok(Connection { stream, heard })
    }

    /// Sends a call and hears its answer, which has to state its length.
    ///
    /// # Errors
    /// When the other side closed instead.
    pub fn send(&mut self, call: &Call, key: Option<&str>) -> std::io::Result<CallResponse> {
        let mut bytes = call.bytes("gate.test", key);
        let close = b"Connection: close\r\n";
        if let Some(at) = bytes.windows(close.len()).position(|w| w == close) {
            bytes.drain(at..at + close.len());
        }
        self.stream.write_all(&bytes)?;
        loop {
            let head_end = self.heard.windows(4).position(|w| w == b"\r\n\r\n");
            if let Some(head_end) = head_end.map(|at| at + 4) {
                let head = CallResponse::read(self.heard.get(..head_end).unwrap_or_default())
                    .expect("an answer");
                let length = head.header("content-length").expect("a length");
                let end = head_end + length.parse::<usize>().expect("a length");
                if self.heard.len() >= end {
                    let one: Vec<u8> = self.heard.drain(..end).collect();
                    return Ok(CallResponse::read(&one).expect("an answer"));
                }
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                count => self
                    .heard
                    .extend_from_slice(piece.get(..count).unwrap_or_default()),
            }
        }
    }
}

/// Sends one call over TLS, trusting this authority only.
pub fn tls(address: SocketAddr, ca_pem: &[u8], call: &Call, key: Option<&str>) -> CallResponse {
    let method = Method::parse(&call.method).expect("a usual method");
    let url = format!("https://localhost:{}{}", address.port(), call.target);
    let mut asked = net::client::Call::new(method, url).trusting(ca_pem);
    asked.timeout = PATIENCE;
    if let Some(key) = key {
        asked = asked.header("authorization", format!("Bearer {key}"));
    }
    for (name, value) in &call.headers {
        asked = asked.header(name, value);
    }
    let asked = asked.body(call.body.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let heard = runtime
        .block_on(net::client::send(&asked))
        .unwrap_or_else(|why| panic!("{} {}: {why}", call.method, call.target));
    CallResponse {
        status: heard.status,
        headers: heard
            .headers
            .iter()
            .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
            .collect(),
        body: heard.body,
    }
}
