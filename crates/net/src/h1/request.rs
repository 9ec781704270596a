//! One request head: found, split into tokens, judged, turned into a `Head`.
//! Exports `Reader`, `Request`. Every refusal closes the connection.
//! Used by the callers' connections.
//! Start reading at `Reader::read`; the rules are hostile cases fp13-fp20.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use model::http::{BodyLength, METHOD_NOT_ALLOWED, ends_at_this_hop, is_token_byte};
use model::{Head, Headers, Method, Protocol};

use super::framing::{Framing, tokens};
use super::lines::{LineBounds, LineFault, Lines};
use super::{FIELDS_CEILING, authority};
use crate::reasons::{MALFORMED, TOO_LARGE, VERSION};
use crate::spec::Bounds;
use crate::unreadable::Unreadable;

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
        // RFC 9112 §2.2: one empty line before a request is ignored. Some clients end a body with it.
        let skipped = match bytes {
            [b'\r'] => return Ok(None),
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        };
        let bytes = bytes.get(skipped..).unwrap_or_default();
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
                let request = request(head, bounds)?;
                Ok(Some(Request {
                    consumed: end + skipped,
                    ..request
                }))
            }
            Err(fault) => Err(line_fault(fault, bytes)),
        }
    }
}

/// Whether nothing of a request has come yet: an empty line before it is none.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    matches!(bytes, [] | [b'\r'] | [b'\r', b'\n'])
}

fn is_request_line(line: &[u8]) -> bool {
    version(line).is_some_and(|(major, _)| major == b'1')
}

/// The two digits of the version that a request line ends with (RFC 9112 §2.3).
fn version(line: &[u8]) -> Option<(u8, u8)> {
    let [before @ .., major, b'.', minor] = line else {
        return None;
    };
    let is_version =
        before.ends_with(b" HTTP/") && major.is_ascii_digit() && minor.is_ascii_digit();
    is_version.then_some((*major, *minor))
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
        LineFault::NotHttp => match version(first_line(bytes)) {
            // RFC 9110 §2.5: a major version that is not spoken here.
            Some(_) => Box::new(Unreadable {
                head_seen: Some(seen(bytes)),
                ..Unreadable::new(&VERSION, "the major version of HTTP is not 1")
            }),
            None => refuse("the first line does not end with a version of HTTP", bytes),
        },
    }
}

fn first_line(bytes: &[u8]) -> &[u8] {
    let mut lines = bytes.split(|b| matches!(b, b'\r' | b'\n'));
    lines.next().unwrap_or_default()
}

fn refuse(detail: impl Into<String>, bytes: &[u8]) -> Box<Unreadable> {
    let mut what = Unreadable::new(&MALFORMED, detail);
    what.head_seen = (!bytes.is_empty()).then(|| seen(bytes));
    Box::new(what)
}

/// Method and target as far as they can be told, for the ledger: bounded and printable.
fn seen(bytes: &[u8]) -> (String, String) {
    let mut words = first_line(bytes).split(|b| *b == b' ');
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
    let read = as_known_version(bytes);
    let mut slots = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; FIELDS_CEILING];
    let mut parsed = httparse::Request::new(&mut []);
    match httparse::ParserConfig::default().parse_request_with_uninit_headers(
        &mut parsed,
        &read,
        &mut slots,
    ) {
        Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
        Ok(_) => return Err(refuse("the head's grammar is broken", bytes)),
        Err(e) => return Err(refuse(format!("the head's grammar is broken: {e}"), bytes)),
    }
    let protocol = match parsed.version {
        Some(1) => Protocol::Http11,
        Some(0) => Protocol::Http10,
        _ => return Err(refuse("the version is not of HTTP/1", bytes)),
    };
    let Some(method) = parsed.method.and_then(Method::read) else {
        return Err(refuse("the method is not a token", bytes));
    };
    let target = parsed.path.unwrap_or_default();
    if parsed.method == Some("CONNECT") && !target.starts_with('/') {
        return Err(not_offered("a tunnel was asked for", bytes));
    }
    if method == Method::Options && target == "*" {
        return Err(not_offered("the server as a whole was asked for", bytes));
    }
    let target = plain(target, bounds, bytes)?;
    let mut fields = Fields::with_room(parsed.headers.len(), bytes.len());
    for field in parsed.headers.iter() {
        fields
            .take(field.name, field.value)
            .map_err(|detail| refuse(detail, bytes))?;
    }
    fields
        .settle(protocol, method, target)
        .map_err(|detail| refuse(detail, bytes))
}

/// The head with a minor version that was known when this was written: a higher one is read like the highest known (RFC 9110
/// §2.5). No client sends one today, so the copy costs nobody anything.
fn as_known_version(bytes: &[u8]) -> Cow<'_, [u8]> {
    let line = first_line(bytes);
    match version(line) {
        Some((_, b'2'..)) => {
            let mut known = bytes.to_vec();
            if let Some(minor) = known.get_mut(line.len() - 1) {
                *minor = b'1';
            }
            Cow::Owned(known)
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// A CONNECT names a host (RFC 9110 §9.3.6) and `OPTIONS *` the server (§9.3.7), not a path: no operation can be meant.
fn not_offered(detail: &str, bytes: &[u8]) -> Box<Unreadable> {
    let mut what = Unreadable::new(&METHOD_NOT_ALLOWED, detail);
    what.head_seen = Some(seen(bytes));
    Box::new(what)
}

/// Visible ASCII without a fragment (RFC 9112 §3.2); everything else has a second reading.
fn plain<'t>(target: &'t str, bounds: &Bounds, bytes: &[u8]) -> Result<&'t str, Box<Unreadable>> {
    if target.len() > bounds.target_bytes_max {
        return Err(line_fault(LineFault::FirstLineTooLong, bytes));
    }
    match target.bytes().find(|b| !b.is_ascii_graphic() || *b == b'#') {
        Some(b'#') => Err(refuse("the target has a fragment", bytes)),
        Some(_) => Err(refuse("the target has bytes outside visible ASCII", bytes)),
        None => Ok(target),
    }
}

/// The target in origin form. One in absolute form (RFC 9112 §3.2.2) has to name the very host that `Host` names: another one
/// could be routed by either.
fn origin_form<'t>(target: &'t str, host: &str) -> Result<Cow<'t, str>, &'static str> {
    if target.starts_with('/') {
        return Ok(Cow::Borrowed(target));
    }
    let (scheme, rest) = target
        .split_once("://")
        .ok_or("the target is neither `/path` nor `http://host/path`")?;
    let port = match scheme {
        _ if scheme.eq_ignore_ascii_case("http") => ":80",
        _ if scheme.eq_ignore_ascii_case("https") => ":443",
        _ => return Err("the target's scheme is neither http nor https"),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let named = authority::canonical(authority.as_bytes())
        .ok_or("the target's host is not `name[:port]`")?;
    let without_port = |name: &str| name.strip_suffix(port).unwrap_or(name).len();
    if named.get(..without_port(&named)) != host.get(..without_port(host)) {
        return Err("the target names another host than `Host`");
    }
    if path.starts_with('/') {
        return Ok(Cow::Borrowed(path));
    }
    // RFC 9112 §3.2.1: an empty path is `/`.
    Ok(Cow::Owned(format!("/{path}")))
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
        if name.eq_ignore_ascii_case("connection") && !tokens(value).all(ends_at_this_hop) {
            return Err("connection names a field that does not end at this hop");
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
        let target = origin_form(target, &authority)?.into_owned();
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
                target,
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
