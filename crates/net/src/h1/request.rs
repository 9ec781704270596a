//! One request head: found, split into tokens, judged, turned into a `Head`.
//! Exports `Reader`, `Request`. Every refusal closes the connection.
//! Used by the callers' connections.
//! Start reading at `Reader::read`; the rules are hostile cases fp13-fp20.

use std::mem::MaybeUninit;

use model::http::{BodyLength, METHOD_NOT_ALLOWED, is_token_byte};
use model::{Head, Headers, Method, Protocol};

use super::framing::{Framing, tokens};
use super::lines::{LineBounds, LineFault, Lines};
use super::{FIELDS_CEILING, authority};
use crate::reasons::{MALFORMED, TOO_LARGE};
use crate::spec::Bounds;
use crate::unreadable::Unreadable;

/// What `Connection` may name. Anything else could take a field away that a later hop relies on, its length first.
const CONNECTION_MAY_NAME: [&[u8]; 3] = [b"close", b"keep-alive", b"te"];

/// Longest method and version around a target.
const AROUND_TARGET: usize = 24;

/// Reads heads one after the other. One value per connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    lines: Lines,
}

/// A whole and acceptable head.
#[derive(Debug)]
pub struct Request {
    /// The head.
    pub head: Head,
    /// Bytes of the buffer it took.
    pub consumed: usize,
    /// Whether another request may follow.
    pub is_keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

impl Reader {
    /// Looks at the bytes received so far. `Ok(None)`: more are needed. After a whole head the next call
    /// begins a new one.
    ///
    /// # Errors
    /// [`Unreadable`]; the verdict does not depend on how the bytes were split.
    pub fn read(
        &mut self,
        bytes: &[u8],
        bounds: &Bounds,
    ) -> Result<Option<Request>, Box<Unreadable>> {
        // Nothing that is not a method begins here: TLS or garbage is refused at its first byte.
        if bytes.first().is_some_and(|b| !is_token_byte(*b)) {
            return Err(refuse("the request does not begin with a method", &[]));
        }
        let line_bounds = LineBounds {
            first_line: bounds.target_bytes_max + AROUND_TARGET,
            head: bounds.head_bytes_max,
            fields: bounds.fields_max.min(FIELDS_CEILING),
        };
        match self.lines.scan(bytes, line_bounds, is_request_line) {
            Ok(None) => Ok(None),
            Ok(Some(end)) => {
                self.lines = Lines::default();
                let head = bytes.get(..end).unwrap_or_default();
                request(head, bounds).map(Some)
            }
            Err(fault) => Err(line_fault(fault, bytes)),
        }
    }
}

fn is_request_line(line: &[u8]) -> bool {
    line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}

fn line_fault(fault: LineFault, bytes: &[u8]) -> Box<Unreadable> {
    let too_large = |status, detail: &str| {
        let mut what = Unreadable::new(&TOO_LARGE, detail).status(status);
        what.head_seen = Some(seen(bytes));
        Box::new(what)
    };
    match fault {
        LineFault::FirstLineTooLong => too_large(414, "the request target is too long"),
        LineFault::HeadTooLong => too_large(431, "the request head is too large"),
        LineFault::TooManyFields => too_large(431, "the request has too many header fields"),
        LineFault::BareLineEnd => refuse("a line ends with a bare CR or LF", bytes),
        LineFault::NotHttp => refuse("the first line is not one of HTTP/1.0 or HTTP/1.1", bytes),
    }
}

fn refuse(detail: impl Into<String>, bytes: &[u8]) -> Box<Unreadable> {
    let mut what = Unreadable::new(&MALFORMED, detail);
    what.head_seen = (!bytes.is_empty()).then(|| seen(bytes));
    Box::new(what)
}

/// Method and target as far as they can be told, for the ledger: bounded and printable.
fn seen(bytes: &[u8]) -> (String, String) {
    let line = bytes
        .split(|b| matches!(b, b'\r' | b'\n'))
        .next()
        .unwrap_or_default();
    let mut words = line.split(|b| *b == b' ');
    let mut word = |max: usize| -> String {
        let word = words.next().unwrap_or_default();
        let word = word.split(|b| *b == b'?').next().unwrap_or_default();
        String::from_utf8_lossy(word.get(..max.min(word.len())).unwrap_or_default())
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect()
    };
    (word(16), word(512))
}

/// Judges a whole head, `bytes` ending with its empty line.
fn request(bytes: &[u8], bounds: &Bounds) -> Result<Request, Box<Unreadable>> {
    let mut slots = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; FIELDS_CEILING];
    let mut parsed = httparse::Request::new(&mut []);
    match httparse::ParserConfig::default().parse_request_with_uninit_headers(
        &mut parsed,
        bytes,
        &mut slots,
    ) {
        Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
        Ok(_) => return Err(refuse("the head's grammar is broken", bytes)),
        Err(e) => return Err(refuse(format!("the head's grammar is broken: {e}"), bytes)),
    }
    let protocol = match parsed.version {
        Some(1) => Protocol::Http11,
        Some(0) => Protocol::Http10,
        _ => return Err(refuse("the version is not HTTP/1.0 or HTTP/1.1", bytes)),
    };
    let Some(method) = parsed.method.and_then(Method::read) else {
        return Err(refuse("the method is not a token", bytes));
    };
    let target = parsed.path.unwrap_or_default();
    if parsed.method == Some("CONNECT") && !target.starts_with('/') {
        return Err(tunnel(bytes));
    }
    let target = checked(target, bounds, bytes)?;
    let mut fields = Fields::with_room(parsed.headers.len(), bytes.len());
    for field in parsed.headers.iter() {
        fields
            .take(field.name, field.value)
            .map_err(|detail| refuse(detail, bytes))?;
    }
    fields
        .settle(protocol, method, target)
        .map(|request| Request {
            consumed: bytes.len(),
            ..request
        })
        .map_err(|detail| refuse(detail, bytes))
}

/// A CONNECT names a host, not a path (RFC 9110 §9.3.6), and no host is reached through this gate.
fn tunnel(bytes: &[u8]) -> Box<Unreadable> {
    let mut what = Unreadable::new(&METHOD_NOT_ALLOWED, "a tunnel was asked for");
    what.head_seen = Some(seen(bytes));
    Box::new(what)
}

/// Origin form in visible ASCII without a fragment (RFC 9112 §3.2.1); everything else has a second reading.
fn checked<'t>(target: &'t str, bounds: &Bounds, bytes: &[u8]) -> Result<&'t str, Box<Unreadable>> {
    if target.len() > bounds.target_bytes_max {
        return Err(line_fault(LineFault::FirstLineTooLong, bytes));
    }
    if !target.starts_with('/') {
        return Err(refuse("the target is not in origin form (`/path`)", bytes));
    }
    match target.bytes().find(|b| !b.is_ascii_graphic() || *b == b'#') {
        Some(b'#') => Err(refuse("the target has a fragment", bytes)),
        Some(_) => Err(refuse("the target has bytes outside visible ASCII", bytes)),
        None => Ok(target),
    }
}

/// The fields of one request while they are read.
struct Fields {
    headers: Headers,
    framing: Framing,
    authority: Option<String>,
    expects_continue: bool,
}

impl Fields {
    fn with_room(fields: usize, bytes: usize) -> Self {
        Fields {
            headers: Headers::with_room(fields, bytes),
            framing: Framing::default(),
            authority: None,
            expects_continue: false,
        }
    }

    fn take(&mut self, name: &str, value: &[u8]) -> Result<(), &'static str> {
        if self.framing.take(name, value)? {
            return Ok(());
        }
        if name.eq_ignore_ascii_case("host") {
            if self.authority.is_some() {
                return Err("host is sent more than once");
            }
            self.authority = Some(authority::canonical(value).ok_or("host is not `name[:port]`")?);
            return Ok(());
        }
        if name.eq_ignore_ascii_case("expect") {
            if self.expects_continue || !value.eq_ignore_ascii_case(b"100-continue") {
                return Err("expect is not exactly `100-continue`");
            }
            self.expects_continue = true;
            return Ok(());
        }
        if name.eq_ignore_ascii_case("upgrade") {
            return Err("protocol upgrades are not offered");
        }
        if name.eq_ignore_ascii_case("connection") {
            let is_odd = |token: &[u8]| {
                !CONNECTION_MAY_NAME
                    .iter()
                    .any(|allowed| token.eq_ignore_ascii_case(allowed))
            };
            if tokens(value).any(is_odd) {
                return Err("connection names something else than close, keep-alive or te");
            }
        }
        self.headers.push(name, value);
        Ok(())
    }

    fn settle(
        self,
        protocol: Protocol,
        method: Method,
        target: &str,
    ) -> Result<Request, &'static str> {
        self.framing.settle()?;
        let is_11 = protocol == Protocol::Http11;
        if self.framing.is_chunked && !is_11 {
            return Err("transfer-encoding is sent with HTTP/1.0");
        }
        let authority = self.authority.ok_or("host is missing")?;
        let body = match (self.framing.is_chunked, self.framing.length) {
            (true, _) => BodyLength::Open,
            (false, None | Some(0)) => BodyLength::None,
            (false, Some(length)) => BodyLength::Known(length),
        };
        if method == Method::Trace && body != BodyLength::None {
            // RFC 9110 §9.3.8.
            return Err("a TRACE request has a body");
        }
        Ok(Request {
            head: Head {
                protocol,
                method,
                target: target.to_owned(),
                authority,
                headers: self.headers,
                body,
            },
            consumed: 0,
            is_keep_alive: is_11 && !self.framing.says_close,
            // RFC 9110 §10.1.1: an HTTP/1.0 client does not know 100.
            expects_continue: self.expects_continue && is_11 && body != BodyLength::None,
        })
    }
}
