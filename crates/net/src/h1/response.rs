//! One answer head of an upstream, read as strictly as a request: two readings mean no answer.
//! Exports `parse`, `ResponseHead`, `ResponseBody`.
//! Used by the upstreams' side and the small client.
//! Start reading at `Reader::read`.

use std::mem::MaybeUninit;

use model::Headers;

use super::FIELDS_CEILING;
use super::framing::Framing;
use super::lines::{LineBounds, LineFault, Lines};

/// Largest head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Longest status line.
const FIRST_LINE_MAX: usize = 4 * 1024;

/// Fields that end at this hop (RFC 9110 §7.6.1).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A whole and acceptable answer head.
#[derive(Debug)]
pub struct ResponseHead {
    /// Status.
    pub status: u16,
    /// Fields without framing and hop-by-hop ones.
    pub headers: Headers,
    /// How the body ends.
    pub body: ResponseBody,
    /// Stated length, also where no body follows (answers to HEAD).
    pub length: Option<u64>,
    /// Bytes of the buffer it took.
    pub consumed: usize,
    /// Whether the connection may carry another call.
    pub is_keep_alive: bool,
}

/// How an answer's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseBody {
    /// There is none.
    None,
    /// After so many bytes.
    Known(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// Reads answer heads of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    lines: Lines,
}

impl Reader {
    /// Looks at the bytes received so far. `Ok(None)`: more are needed.
    ///
    /// # Errors
    /// What is wrong, in words for the ledger.
    pub fn read(
        &mut self,
        bytes: &[u8],
        is_head: bool,
    ) -> Result<Option<ResponseHead>, &'static str> {
        if bytes.first().is_some_and(|b| *b != b'H') {
            return Err("the answer does not begin with HTTP/1");
        }
        let bounds = LineBounds {
            first_line: FIRST_LINE_MAX,
            head: HEAD_BYTES_MAX,
            fields: FIELDS_CEILING,
        };
        match self.lines.scan(bytes, bounds, is_status_line) {
            Ok(None) => Ok(None),
            Ok(Some(end)) => {
                self.lines = Lines::default();
                answer(bytes.get(..end).unwrap_or_default(), is_head).map(Some)
            }
            Err(LineFault::BareLineEnd) => Err("a line ends with a bare CR or LF"),
            Err(LineFault::NotHttp) => Err("the status line is not one of HTTP/1.0 or HTTP/1.1"),
            Err(_) => Err("the answer's head is too large"),
        }
    }
}

fn is_status_line(line: &[u8]) -> bool {
    line.starts_with(b"HTTP/1.1 ") || line.starts_with(b"HTTP/1.0 ")
}

fn answer(bytes: &[u8], is_head: bool) -> Result<ResponseHead, &'static str> {
    let mut slots = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; FIELDS_CEILING];
    let mut parsed = httparse::Response::new(&mut []);
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut parsed,
        bytes,
        &mut slots,
    ) {
        Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
        _ => return Err("the head's grammar is broken"),
    }
    let (Some(status), Some(version)) = (parsed.code, parsed.version) else {
        return Err("the head's grammar is broken");
    };
    if !(100..600).contains(&status) {
        return Err("the status is not between 100 and 599");
    }
    let mut framing = Framing::default();
    let mut headers = Headers::with_room(parsed.headers.len(), bytes.len());
    for field in parsed.headers.iter() {
        let is_framing = framing.take(field.name, field.value)?;
        if !is_framing
            && !HOP_BY_HOP
                .iter()
                .any(|h| field.name.eq_ignore_ascii_case(h))
        {
            headers.push(field.name, field.value);
        }
    }
    framing.settle()?;
    if framing.is_chunked && version == 0 {
        return Err("transfer-encoding is sent with HTTP/1.0");
    }
    let body = body(status, is_head, version, &framing)?;
    Ok(ResponseHead {
        status,
        headers,
        body,
        length: framing.length,
        consumed: bytes.len(),
        is_keep_alive: body != ResponseBody::UntilClose
            && !framing.says_close
            && (version == 1 || framing.says_keep_alive),
    })
}

/// RFC 9112 §6.3, with "until close" only where the answer says that it closes.
fn body(
    status: u16,
    is_head: bool,
    version: u8,
    framing: &Framing,
) -> Result<ResponseBody, &'static str> {
    if matches!(status, 100..200 | 204 | 304) || is_head {
        if framing.is_chunked && !is_head && status != 304 {
            return Err("an answer without a body states transfer-encoding");
        }
        if status == 204 && framing.length.is_some_and(|n| n > 0) {
            return Err("a 204 answer states a length");
        }
        return Ok(ResponseBody::None);
    }
    match (framing.is_chunked, framing.length) {
        (true, _) => Ok(ResponseBody::Chunked),
        (false, Some(0)) => Ok(ResponseBody::None),
        (false, Some(length)) => Ok(ResponseBody::Known(length)),
        (false, None) if version == 0 || framing.says_close => Ok(ResponseBody::UntilClose),
        (false, None) => Err("the answer states neither length nor chunks nor close"),
    }
}
