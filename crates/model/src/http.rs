//! What a transport delivers and what it is given back. No transport library's type appears here.
//! Exports `Head`, `Peer`, `Method`, `Response`, and the refusal of a method that a path does not offer. A `Head` is well-formed HTTP, not yet canonical.
//! Used by net (which makes them), the canonical request and the gateway.
//! Start reading at `Head`.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{Headers, Reason, Stage, Text};

/// Requests that one connection of HTTP/2 may have under way (RFC 9113 §6.5.2, `SETTINGS_MAX_CONCURRENT_STREAMS`).
pub const STREAMS_MAX: u32 = 100;

/// The path exists, the method does not.
pub const METHOD_NOT_ALLOWED: Reason = Reason::new(
    Stage::Route,
    "route.method_not_allowed",
    405,
    "This path does not offer that method.",
    "Use one of the methods in the `Allow` header.",
    "The contract declares the path without this method, or the method is not exposed on this listener. Tunnels (CONNECT) \
     are offered nowhere.",
);

/// Request methods: those a contract can declare, and any other token, which no operation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// RFC 9110 §9.3.1
    Get,
    /// RFC 9110 §9.3.2
    Head,
    /// RFC 9110 §9.3.3
    Post,
    /// RFC 9110 §9.3.4
    Put,
    /// RFC 9110 §9.3.5
    Delete,
    /// RFC 9110 §9.3.7
    Options,
    /// RFC 9110 §9.3.8
    Trace,
    /// RFC 5789
    Patch,
    /// Well-formed (RFC 9110 §9.1), and declared by no contract: CONNECT, PROPFIND, an invented one.
    Other(MethodToken),
}

/// A method no contract can declare: its first letters, as the ledger keeps them. It is never forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MethodToken {
    letters: [u8; MethodToken::LETTERS_MAX],
    len: u8,
}

impl MethodToken {
    /// Letters kept of a longer token.
    pub const LETTERS_MAX: usize = 16;

    /// Reads a token (RFC 9110 §5.6.2).
    fn read(token: &[u8]) -> Option<MethodToken> {
        if token.is_empty() || !token.iter().all(|byte| is_token_byte(*byte)) {
            return None;
        }
        let mut letters = [0; MethodToken::LETTERS_MAX];
        let mut len = 0;
        for (letter, byte) in letters.iter_mut().zip(token) {
            *letter = *byte;
            len += 1;
        }
        Some(MethodToken { letters, len })
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        let letters = self.letters.get(..self.len.into()).unwrap_or_default();
        std::str::from_utf8(letters).unwrap_or_default()
    }
}

/// Whether a byte may stand in a token (RFC 9110 §5.6.2).
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether `Connection` may name this option (RFC 9110 §7.6.1): those that mean something to this hop, and fields that end here
/// whether they are named or not. Any other name would take a field away that somebody behind the client has set: its length, its
/// host, its forwarded address.
pub fn ends_at_this_hop(option: &[u8]) -> bool {
    const OPTIONS: [&[u8]; 7] = [
        b"close",
        b"http2-settings",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
    ];
    OPTIONS
        .iter()
        .any(|known| option.eq_ignore_ascii_case(known))
}

impl Method {
    /// All methods a contract can declare.
    pub const ALL: [Method; 8] = [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Delete,
        Method::Options,
        Method::Trace,
        Method::Patch,
    ];

    /// The token as sent on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Other(token) => token.as_str(),
            declarable => declarable.name(),
        }
    }

    /// The token of a method that a contract can declare; empty for any other.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Other(_) => "",
        }
    }

    /// Reads the token of a method that a contract can declare; methods are case-sensitive (RFC 9110 §9.1).
    pub fn parse(token: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|m| m.name() == token)
    }

    /// Reads any token. `None` for what is no token at all.
    pub fn read(token: &str) -> Option<Method> {
        Method::parse(token).or_else(|| MethodToken::read(token.as_bytes()).map(Method::Other))
    }

    /// Safe in the sense of RFC 9110 §9.2.1: changes nothing at the upstream.
    pub const fn is_safe(self) -> bool {
        matches!(
            self,
            Method::Get | Method::Head | Method::Options | Method::Trace
        )
    }

    /// Idempotent in the sense of RFC 9110 §9.2.2: may be sent twice.
    pub const fn is_idempotent(self) -> bool {
        self.is_safe() || matches!(self, Method::Put | Method::Delete)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Protocol the request arrived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Protocol {
    /// `http/1.0`, `http/1.1` or `http/2`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Protocol::Http10 => "http/1.0",
            Protocol::Http11 => "http/1.1",
            Protocol::Http2 => "http/2",
        }
    }
}

/// The other end of a connection, as the socket and the handshake showed it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Address of the socket, IPv4-mapped IPv6 already turned into IPv4.
    pub address: IpAddr,
    /// The address as it prints: every record of the connection names it.
    pub address_text: Text,
    /// Port of the other end.
    pub port: u16,
    /// Name of the listener that accepted.
    pub listener: Arc<str>,
    /// Place of that listener among those that the process listens on: where to look for its settings first.
    pub listener_place: usize,
    /// Facts of the handshake; `None` on a plain listener.
    pub tls: Option<Tls>,
}

/// Facts of a TLS handshake.
#[derive(Clone, Debug)]
pub struct Tls {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// Key exchange group, e.g. `X25519MLKEM768`.
    pub group: Option<&'static str>,
    /// Server name the client asked for.
    pub server_name: Option<String>,
    /// SHA-256 of the verified client certificate, where one was given.
    pub client_certificate: Option<[u8; 32]>,
}

/// A request head: well-formed and unambiguous as HTTP, not yet judged.
///
/// INVARIANT (net): at most one `content-length`, none together with `transfer-encoding`, exactly one
/// `host` for HTTP/1.1, no control bytes in names or values, sizes within the listener's bounds.
#[derive(Clone, Debug)]
pub struct Head {
    /// Protocol of the message.
    pub protocol: Protocol,
    /// Method.
    pub method: Method,
    /// Request target as received, origin form (`/path?query`) only.
    pub target: String,
    /// Host (`host` of HTTP/1.1, `:authority` of HTTP/2), lower case, port kept.
    pub authority: String,
    /// Header fields without framing ones (`content-length`, `transfer-encoding`, `host`).
    pub headers: Headers,
    /// Whether a body follows, and its length where declared.
    pub body: BodyLength,
}

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// No body.
    None,
    /// `Content-Length`, not zero.
    Known(u64),
    /// Chunked (HTTP/1.1) or open-ended frames (HTTP/2).
    Open,
}

/// What is kept for an answer until its reader has taken it: places among requests at once, room in memory. Nobody looks inside.
#[derive(Default)]
pub struct Held(Option<Box<dyn Any>>);

impl Held {
    /// Keeps this.
    pub fn of(what: impl Any) -> Held {
        Held(Some(Box::new(what)))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.0.is_some()).finish()
    }
}

/// An answer as the road hands it to the transport.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Fields without framing ones; the transport writes `content-length` and `date`.
    pub headers: Headers,
    /// Whole body. Not sent for HEAD, 204 and 304.
    pub body: Vec<u8>,
    /// Length to state when the body itself is not sent (answers to HEAD).
    pub head_length: Option<u64>,
    /// End the connection after this answer.
    pub close: bool,
    /// Dropped when the transport has written the answer, all but its last piece, or has given it up.
    pub held: Held,
    /// Whose credential the request proved, whatever became of it. Connections of proven callers do not give way to those
    /// of strangers.
    pub caller: Option<u128>,
}

impl Response {
    /// An answer without fields.
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Response {
            status,
            headers: Headers::new(),
            body,
            head_length: None,
            close: false,
            held: Held::default(),
            caller: None,
        }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }
}
