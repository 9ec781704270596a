//! A request as the tour and the traffic mix send it, byte for byte, and the answer that came back.
//! Exports `Call`, `CallResponse`, `send_plain`. Blocking, loopback only, HTTP/1.1 without niceties: it must be able to send
//! what a polite client cannot, such as dot segments.
//! Used by tour and traffic. Start reading at `Call`.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use model::Json;
use model::json::Bounds;
use socket2::{Domain, Protocol, Socket, Type};

/// Longest answer that is read.
const RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which of the demo's listeners a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    /// `local`: plain HTTP on loopback, for curl without a CA file.
    Local,
    /// `public`: TLS.
    Public,
    /// `internal`: TLS, operations for the company's own systems.
    Internal,
}

impl Listener {
    /// The listener's name in `portcullis.yaml`.
    pub const fn name(self) -> &'static str {
        match self {
            Listener::Local => "local",
            Listener::Public => "public",
            Listener::Internal => "internal",
        }
    }
}

/// One request, exactly as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Listener.
    pub listener: Listener,
    /// Method token; any text, so that undeclared ones can be tried.
    pub method: String,
    /// Request target, written as it stands.
    pub target: String,
    /// Integration whose key is sent as `Authorization: Bearer …`; none for a stranger.
    pub who: Option<&'static str>,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
    /// Body; sent with `Content-Length` unless empty.
    pub body: Vec<u8>,
    /// Loopback address to call from, so that one caller's block is not another's. The usual one where the machine
    /// has no others.
    pub from: Ipv4Addr,
}

impl Call {
    /// A call without a body to the `local` listener.
    pub fn new(method: &str, target: &str) -> Self {
        Call {
            listener: Listener::Local,
            method: method.to_owned(),
            target: target.to_owned(),
            who: None,
            headers: Vec::new(),
            body: Vec::new(),
            from: Ipv4Addr::LOCALHOST,
        }
    }

    /// A GET to the `local` listener.
    pub fn get(target: &str) -> Self {
        Call::new("GET", target)
    }

    /// With the key of this integration.
    #[must_use]
    pub fn by(mut self, integration: &'static str) -> Self {
        self.who = Some(integration);
        self
    }

    /// To this listener.
    #[must_use]
    pub fn at(mut self, listener: Listener) -> Self {
        self.listener = listener;
        self
    }

    /// From this loopback address.
    #[must_use]
    pub fn from(mut self, address: [u8; 4]) -> Self {
        self.from = Ipv4Addr::from(address);
        self
    }

    /// With one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self.with("Content-Type", "application/json")
    }

    /// The bytes on the wire. `key` is the text of the key where `who` names one.
    pub fn bytes(&self, host: &str, key: Option<&str>) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {host}\r\n",
            self.method, self.target
        );
        if let Some(key) = key {
            head.push_str(&format!("Authorization: Bearer {key}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallResponse {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl CallResponse {
    /// The first header field of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON, where it is.
    pub fn json(&self) -> Option<Json> {
        model::json::parse(&self.body, Bounds::default()).ok()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The stable code of a refusal, from its problem document.
    pub fn code(&self) -> Option<String> {
        Some(self.json()?.get("code")?.as_text()?.to_owned())
    }

    /// The decision id.
    pub fn decision(&self) -> Option<&str> {
        self.header("portcullis-decision")
    }

    /// Reads a whole answer that ended with the connection.
    ///
    /// # Errors
    /// A sentence when the bytes are no HTTP answer.
    pub fn read(bytes: &[u8]) -> Result<CallResponse, String> {
        let end = find(bytes, b"\r\n\r\n").ok_or("the answer has no end of its head")?;
        let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())
            .map_err(|_| "the head of the answer is not text")?;
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok())
            .ok_or("the answer has no status line")?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut response = CallResponse {
            status,
            headers,
            body: bytes.get(end + 4..).unwrap_or_default().to_vec(),
        };
        if response.header("transfer-encoding").is_some() {
            response.body =
                unchunked(&response.body).ok_or("the chunks of the answer are broken")?;
        }
        Ok(response)
    }
}

/// Sends one call to a plain listener and reads the whole answer.
///
/// # Errors
/// When the listener cannot be reached, answers nothing that is HTTP, or takes longer than ten seconds.
pub fn send_plain(address: SocketAddr, call: &Call, key: Option<&str>) -> io::Result<CallResponse> {
    let mut stream = connected(address, call.from)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&call.bytes(&format!("localhost:{}", address.port()), key))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(RESPONSE_BYTES_MAX).unwrap_or(u64::MAX);
    stream.take(limit).read_to_end(&mut bytes)?;
    CallResponse::read(&bytes).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Connects from the wanted loopback address. Not every system has more than one: then from the usual one.
fn connected(address: SocketAddr, from: Ipv4Addr) -> io::Result<TcpStream> {
    if from != Ipv4Addr::LOCALHOST && address.ip() == Ipv4Addr::LOCALHOST {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        if socket.bind(&SocketAddr::from((from, 0)).into()).is_ok() {
            socket.connect_timeout(&address.into(), PATIENCE)?;
            return Ok(socket.into());
        }
    }
    TcpStream::connect_timeout(&address, PATIENCE)
}

/// Joins the chunks of RFC 9112 §7.1; trailers are ignored.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = find(rest, b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..line)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size.checked_add(2)?..)?;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|piece| piece == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_written_as_it_stands() {
        let call = Call::new("BREW", "/v2/../pot").by("crm").json("{}");
        let text = String::from_utf8(call.bytes("localhost:1", Some("k"))).unwrap();
        assert!(text.starts_with("BREW /v2/../pot HTTP/1.1\r\nHost: localhost:1\r\n"));
        assert!(text.contains("Authorization: Bearer k\r\n"));
        assert!(text.ends_with("Content-Length: 2\r\nConnection: close\r\n\r\n{}"));
    }

    #[test]
    fn answers_are_read_plain_and_chunked() {
        let plain = CallResponse::read(b"HTTP/1.1 404 Not Found\r\nX-A: b\r\n\r\nno").unwrap();
        assert_eq!((plain.status, plain.header("x-a")), (404, Some("b")));
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n";
        assert_eq!(CallResponse::read(chunks).unwrap().body, b"abcd");
        assert!(CallResponse::read(b"nonsense").is_err());
    }
}
