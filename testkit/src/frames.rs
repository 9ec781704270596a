//! HTTP/2 frames as bytes over real TLS, without any client's manners.
//! Exports `Hostile` (a connection), `frame`, `head`, `Seen`.
//! Used by the suite to try what no honest client does.
//! Start reading at `Hostile::open`; RFC 9113.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};

use crate::PATIENCE;

/// Types of frames.
pub mod kind {
    /// Bodies.
    pub const DATA: u8 = 0;
    /// A head, or its first part.
    pub const HEADERS: u8 = 1;
    /// Advice that nobody follows any more.
    pub const PRIORITY: u8 = 2;
    /// A stream is given up.
    pub const RST_STREAM: u8 = 3;
    /// What one side asks of the other.
    pub const SETTINGS: u8 = 4;
    /// Asks for an answer.
    pub const PING: u8 = 6;
    /// The connection ends.
    pub const GOAWAY: u8 = 7;
    /// More may be sent.
    pub const WINDOW_UPDATE: u8 = 8;
    /// A further part of a head.
    pub const CONTINUATION: u8 = 9;
}

/// Flag: the last frame of its stream, or an acknowledgement.
pub const END_STREAM: u8 = 1;
/// Flag: the header block is whole.
pub const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is small");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A header block: every field as it stands, none remembered (RFC 7541 §6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        text(&mut out, name);
        text(&mut out, value);
    }
    out
}

/// A field that the other side is told to remember (RFC 7541 §6.2.1).
pub fn remembered(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![0x40];
    text(&mut out, name);
    text(&mut out, value);
    out
}

/// A field whose name is in the static table, of this form: `0x40` remembered, `0x00` not, `0x10` never; its value coded or not.
pub fn literal(form: u8, place: u8, value: &str, is_coded: bool) -> Vec<u8> {
    assert!(place < 15, "a place that fits behind every form");
    let mut out = vec![form | place];
    if is_coded {
        out.extend(coded(value));
    } else {
        text(&mut out, value);
    }
    out
}

/// A whole field by its place in the tables; the newest that was remembered has place 62 (RFC 7541 §6.1).
pub fn indexed(place: u8) -> Vec<u8> {
    assert!(place < 127, "a place in one octet");
    vec![0x80 | place]
}

/// A text in the code of RFC 7541 appendix B, of the bytes that paths of tests are made of.
pub fn coded(text: &str) -> Vec<u8> {
    const CODES: [(u8, u32, u32); 24] = [
        (b'0', 0x0, 5),
        (b'1', 0x1, 5),
        (b'2', 0x2, 5),
        (b'a', 0x3, 5),
        (b'c', 0x4, 5),
        (b'e', 0x5, 5),
        (b'i', 0x6, 5),
        (b'o', 0x7, 5),
        (b's', 0x8, 5),
        (b't', 0x9, 5),
        (b'-', 0x16, 6),
        (b'.', 0x17, 6),
        (b'/', 0x18, 6),
        (b'd', 0x24, 6),
        (b'h', 0x27, 6),
        (b'l', 0x28, 6),
        (b'm', 0x29, 6),
        (b'n', 0x2a, 6),
        (b'p', 0x2b, 6),
        (b'r', 0x2c, 6),
        (b':', 0x5c, 7),
        (b'v', 0x77, 7),
        (b'x', 0x79, 7),
        (b'#', 0xffa, 12),
    ];
    let mut bits = Vec::new();
    for byte in text.bytes() {
        let found = CODES.iter().find(|(known, ..)| *known == byte);
        let (_, code, length) = found.expect("a byte of the list");
        bits.extend((0..*length).rev().map(|at| code >> at & 1 == 1));
    }
    bits.resize(bits.len().next_multiple_of(8), true);
    let octet = |bits: &[bool]| bits.iter().fold(0, |all, bit| all << 1 | u8::from(*bit));
    let mut out = vec![0x80 | u8::try_from(bits.len() / 8).expect("a short text")];
    out.extend(bits.chunks(8).map(octet));
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    // An integer with a prefix of seven bits (RFC 7541 §5.1).
    let mut length = text.len();
    if length < 127 {
        out.push(u8::try_from(length).expect("below 127"));
    } else {
        out.push(127);
        length -= 127;
        while length >= 128 {
            out.push(u8::try_from(length % 128).expect("below 128") | 0x80);
            length /= 128;
        }
        out.push(u8::try_from(length).expect("below 128"));
    }
    out.extend(text.as_bytes());
}

/// HEADERS of a request to `https://localhost`.
pub fn head(stream: u32, method: &str, path: &str, more: &[(&str, &str)], flags: u8) -> Vec<u8> {
    let mut fields = vec![
        (":method", method),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
    ];
    fields.extend(more);
    frame(kind::HEADERS, flags | END_HEADERS, stream, &block(&fields))
}

/// A frame of the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Stream.
    pub stream: u32,
    /// Payload.
    pub payload: Vec<u8>,
}

impl Seen {
    /// Error code of RST_STREAM (first word) or GOAWAY (second word).
    pub fn error(&self) -> u32 {
        let at = match self.kind {
            kind::GOAWAY => 4,
            _ => 0,
        };
        let word = self.payload.get(at..at + 4).expect("a whole error code");
        u32::from_be_bytes(word.try_into().expect("four octets"))
    }
}

/// A connection that speaks HTTP/2 as badly as it is told.
pub struct Hostile {
    stream: StreamOwned<ClientConnection, TcpStream>,
    heard: Vec<u8>,
    is_closed: bool,
}

impl Hostile {
    /// A TLS connection with ALPN `h2` from this loopback address; preface and empty SETTINGS are sent.
    pub fn open(from: Ipv4Addr, address: SocketAddr, ca_pem: &[u8]) -> Hostile {
        let mut hostile = Hostile::silent(from, address, ca_pem);
        let mut bytes = PREFACE.to_vec();
        bytes.extend(frame(kind::SETTINGS, 0, 0, &[]));
        assert!(hostile.send(&bytes), "the preface is taken");
        hostile
    }

    /// The same, with nothing sent after the handshake.
    pub fn silent(from: Ipv4Addr, address: SocketAddr, ca_pem: &[u8]) -> Hostile {
        let socket =
            Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
        socket
            .bind(&SocketAddr::from((from, 0)).into())
            .expect("a loopback address");
        socket
            .connect(&address.into())
            .expect("the listener accepts");
        let socket = TcpStream::from(socket);
        socket.set_nodelay(true).expect("a socket option");
        let wait = Some(PATIENCE);
        socket.set_write_timeout(wait).expect("a socket option");
        socket.set_read_timeout(wait).expect("a socket option");
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem) {
            roots
                .add(certificate.expect("an authority"))
                .expect("an authority");
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("usual versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("a session");
        let mut stream = StreamOwned::new(session, socket);
        stream
            .conn
            .complete_io(&mut stream.sock)
            .expect("the handshake succeeds");
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
        Hostile {
            stream,
            heard: Vec::new(),
            is_closed: false,
        }
    }

    /// Sends bytes; `false` once the other side is gone or takes no more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = self
            .stream
            .write_all(bytes)
            .and_then(|()| self.stream.flush());
        self.is_closed |= sent.is_err();
        !self.is_closed
    }

    /// Sends the same bytes again and again, at most `most` times, looking every few times whether the other side has
    /// closed. Gives how often they were sent until then; `None` when it never closed.
    pub fn flood(&mut self, most: u32, mut bytes: impl FnMut(u32) -> Vec<u8>) -> Option<u32> {
        const AT_ONCE: u32 = 20;
        for n in 0..most {
            if !self.send(&bytes(n)) {
                return Some(n);
            }
            if n % AT_ONCE == 0 {
                self.listen(Duration::from_millis(3));
                if self.is_closed {
                    return Some(n);
                }
            }
        }
        self.listen(PATIENCE);
        self.is_closed.then_some(most)
    }

    /// Hears for so long, or until the other side has closed.
    pub fn listen(&mut self, patience: Duration) {
        let end = Instant::now() + patience;
        let mut piece = [0; 16 * 1024];
        while !self.is_closed {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.stream
                .sock
                .set_read_timeout(Some(left))
                .expect("a socket option");
            match self.stream.read(&mut piece) {
                Ok(0) => self.is_closed = true,
                Ok(count) => self
                    .heard
                    .extend(piece.get(..count).expect("what was read")),
                Err(why) => {
                    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
                    self.is_closed |= !matches!(why.kind(), WouldBlock | TimedOut | Interrupted);
                }
            }
        }
    }

    /// Whether the other side has closed, waiting for it so long.
    pub fn is_closed_within(&mut self, patience: Duration) -> bool {
        self.listen(patience);
        self.is_closed
    }

    /// Every whole frame heard so far.
    pub fn seen(&self) -> Vec<Seen> {
        let mut all = Vec::new();
        let mut rest = &self.heard[..];
        while let Some((start, behind)) = rest.split_at_checked(9) {
            let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
            let length = usize::try_from(length).expect("24 bits");
            let Some((payload, behind)) = behind.split_at_checked(length) else {
                break;
            };
            all.push(Seen {
                kind: start[3],
                flags: start[4],
                stream: u32::from_be_bytes([start[5], start[6], start[7], start[8]]),
                payload: payload.to_vec(),
            });
            rest = behind;
        }
        all
    }

    /// Waits for a frame.
    pub fn wait_for(&mut self, patience: Duration, wanted: impl Fn(&Seen) -> bool) -> Option<Seen> {
        let end = Instant::now() + patience;
        loop {
            if let Some(found) = self.seen().into_iter().find(&wanted) {
                return Some(found);
            }
            if self.is_closed || Instant::now() >= end {
                return None;
            }
            self.listen(Duration::from_millis(20));
        }
    }
}
