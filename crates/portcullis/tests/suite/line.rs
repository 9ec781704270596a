//! A client that keeps its connection, writes bytes as they stand and reads whole answers; dice with a printed seed.
//! Exports `Line`, `RawResponse`, `request`, `SplitMix64`, `number`.
//! Used by egress, crashes and secrets, which send thousands of requests.
//! Start reading at `Line::send`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for one answer.
const PATIENCE: Duration = testkit::PATIENCE;

/// A number from the environment, or the usual one.
pub fn number(variable: &str, usual: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Reproducible chance (splitmix64).
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    pub fn new(seed: u64) -> Self {
        SplitMix64(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn is_lucky(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.below(u64::try_from(from.len()).unwrap());
        &from[usize::try_from(at).unwrap()]
    }
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct RawResponse {
    pub status: u16,
    /// Status line and header fields as they came.
    pub head: String,
    pub body: Vec<u8>,
    /// The server closes the connection.
    pub closes: bool,
}

impl RawResponse {
    /// The first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut named = fields.filter(|(n, _)| n.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Head and body as one text, for searches.
    pub fn whole(&self) -> String {
        format!("{}\n{}", self.head, self.text())
    }

    pub fn decision(&self) -> Option<&str> {
        self.header("portcullis-decision")
    }
}

/// A connection that is kept from one request to the next.
pub struct Line {
    stream: BufReader<TcpStream>,
}

impl Line {
    pub fn open(address: SocketAddr) -> io::Result<Line> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Line {
            stream: BufReader::new(stream),
        })
    }

    /// Sends bytes as they stand and reads one whole answer.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<RawResponse> {
        self.stream.get_mut().write_all(bytes)?;
        let mut response = RawResponse::default();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b"\r\n" {
                break;
            }
            response.head.push_str(&String::from_utf8_lossy(&line));
        }
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let status = response.head.split(' ').nth(1);
        let status = status.and_then(|code| code.parse().ok());
        response.status = status.ok_or_else(|| bad("no status"))?;
        let close = response.header("connection");
        response.closes = close.is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if response.header("transfer-encoding").is_some() {
            return Err(bad("a chunked answer: bodies are whole here"));
        }
        let length = response.header("content-length");
        let length: usize = length.and_then(|text| text.parse().ok()).unwrap_or(0);
        if !bytes.starts_with(b"HEAD ") && response.status != 204 {
            response.body = vec![0; length];
            self.stream.read_exact(&mut response.body)?;
        }
        Ok(response)
    }
}

/// Sends on a kept connection, opening one where there is none; the connection is given up when either side is done.
///
/// # Errors
/// When there was no whole answer.
pub fn send(line: &mut Option<Line>, address: SocketAddr, bytes: &[u8]) -> io::Result<RawResponse> {
    let mut open = match line.take() {
        Some(open) => open,
        None => Line::open(address)?,
    };
    let response = open.send(bytes)?;
    if !response.closes {
        *line = Some(open);
    }
    Ok(response)
}

/// The bytes of one request. `headers` are whole lines.
pub fn request(
    method: &str,
    target: &str,
    key: Option<&str>,
    headers: &str,
    body: &[u8],
) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}");
    if let Some(key) = key {
        head.push_str(&format!("Authorization: Bearer {key}\r\n"));
    }
    if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
