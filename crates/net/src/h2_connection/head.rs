//! One HTTP/2 request head under the same rules as an HTTP/1.1 one.
//! Exports `head`.
//! Used by h2_connection.
//! Start reading at `head`; RFC 9113 §8.

use hyper::body::{Body as _, Incoming};
use hyper::http::request::Parts;
use hyper::http::{HeaderName, HeaderValue};
use model::http::{BodyLength, METHOD_NOT_ALLOWED};
use model::{Head, Headers, Method, Protocol};

use crate::h1::authority;
use crate::h1::framing_length;
use crate::reasons::{MALFORMED, TOO_LARGE};
use crate::spec::Bounds;
use crate::unreadable::Unreadable;

/// RFC 9113 §8.2.2: fields of a connection have no place in a stream.
const OF_A_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// The head of one stream, and the length that it states. `was_cut`: the library has cut a fragment off its path.
pub(super) fn head(
    parts: &Parts,
    was_cut: bool,
    incoming: &Incoming,
    bounds: &Bounds,
) -> Result<(Head, Option<u64>), Box<Unreadable>> {
    let refuse = |detail: &str| refuse(parts, detail);
    let Some(method) = Method::read(parts.method.as_str()) else {
        return Err(refuse("the method is not a token"));
    };
    let target = target(parts, was_cut, bounds)?;
    if parts.headers.len() > bounds.fields_max {
        let mut what = Unreadable::new(&TOO_LARGE, "the request has too many header fields");
        what.status = 431;
        what.head_seen = Some(seen(parts));
        return Err(Box::new(what));
    }
    if list_bytes(parts) > bounds.head_bytes_max {
        let mut what = Unreadable::new(&TOO_LARGE, "the list of header fields is too large");
        what.status = 431;
        what.head_seen = Some(seen(parts));
        return Err(Box::new(what));
    }
    let authority = authority_of(parts).map_err(refuse)?;
    let (headers, length) = fields(parts).map_err(refuse)?;
    let body = match length {
        Some(1..) if incoming.is_end_stream() => {
            return Err(refuse("content-length is stated and the stream has ended"));
        }
        _ if incoming.is_end_stream() => BodyLength::None,
        // A length of 0 on a stream that has not ended is not believed: frames may follow.
        None | Some(0) => BodyLength::Open,
        Some(length) => BodyLength::Known(length),
    };
    let head = Head {
        protocol: Protocol::Http2,
        method,
        target: target.to_owned(),
        authority,
        headers,
        body,
    };
    Ok((head, length))
}

/// The path and query of a request, as they are judged and forwarded.
fn target<'p>(
    parts: &'p Parts,
    was_cut: bool,
    bounds: &Bounds,
) -> Result<&'p str, Box<Unreadable>> {
    let refuse = |detail: &str| refuse(parts, detail);
    let target = parts.uri.path_and_query().map_or("", |p| p.as_str());
    if parts.method == "CONNECT" && target.is_empty() {
        // RFC 9113 §8.5: a CONNECT has no path, and no host is reached through this gate.
        let mut what = Unreadable::new(&METHOD_NOT_ALLOWED, "a tunnel was asked for");
        what.head_seen = Some(seen(parts));
        return Err(Box::new(what));
    }
    if target.len() > bounds.target_bytes_max {
        let mut what = Unreadable::new(&TOO_LARGE, "the request target is too long").status(414);
        what.head_seen = Some(seen(parts));
        return Err(Box::new(what));
    }
    if was_cut {
        // RFC 9113 §8.3.1: `:path` holds a path and a query, and nothing else.
        return Err(refuse("the target holds a fragment"));
    }
    if !target.starts_with('/') || !target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(refuse(
            "the target is not an absolute path in visible ASCII",
        ));
    }
    if !matches!(parts.uri.scheme_str(), Some("http" | "https")) {
        return Err(refuse("the scheme is neither `http` nor `https`"));
    }
    Ok(target)
}

/// Size of the fields as RFC 9113 §10.5.1 counts them, without the pseudo fields, which have bounds of their own.
fn list_bytes(parts: &Parts) -> usize {
    let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 32;
    parts.headers.iter().map(size).sum()
}

fn refuse(parts: &Parts, detail: &str) -> Box<Unreadable> {
    let mut what = Unreadable::new(&MALFORMED, detail);
    what.head_seen = Some(seen(parts));
    Box::new(what)
}

fn seen(parts: &Parts) -> (String, String) {
    let bounded = |text: &str, max: usize| text.chars().take(max).collect::<String>();
    (
        bounded(parts.method.as_str(), 16),
        bounded(parts.uri.path(), 512),
    )
}

/// `:authority` is demanded, and a `host` beside it must say the same (RFC 9113 §8.3.1).
fn authority_of(parts: &Parts) -> Result<String, &'static str> {
    let given = parts.uri.authority().ok_or(":authority is missing")?;
    let authority =
        authority::canonical(given.as_str().as_bytes()).ok_or(":authority is not `name[:port]`")?;
    let mut hosts = parts.headers.get_all("host").iter();
    let host = hosts.next().map(|h| authority::canonical(h.as_bytes()));
    if hosts.next().is_some() || host.is_some_and(|h| h.as_ref() != Some(&authority)) {
        return Err("host differs from :authority");
    }
    Ok(authority)
}

fn fields(parts: &Parts) -> Result<(Headers, Option<u64>), &'static str> {
    let mut headers = Headers::with_room(parts.headers.len(), 1024);
    let mut length = None;
    let mut cookies = Vec::new();
    for (name, value) in &parts.headers {
        let (name, value) = (name.as_str(), value.as_bytes());
        if value.iter().any(|b| *b != b'\t' && b.is_ascii_control()) {
            return Err("a field's value holds control bytes");
        }
        // RFC 9113 §8.2.1. In HTTP/1.1 such blanks are none of the value.
        if matches!(
            (value.first(), value.last()),
            (Some(b' ' | b'\t'), _) | (_, Some(b' ' | b'\t'))
        ) {
            return Err("a field's value begins or ends with a blank");
        }
        match name {
            "host" => {}
            "cookie" => {
                // RFC 9113 §8.2.3: crumbs are put together before the request leaves HTTP/2.
                if !cookies.is_empty() {
                    cookies.extend_from_slice(b"; ");
                }
                cookies.extend_from_slice(value);
            }
            "content-length" if length.is_some() => {
                return Err("content-length is sent more than once");
            }
            "content-length" => length = Some(framing_length(value)?),
            "te" if value != b"trailers" => return Err("te is not `trailers`"),
            "expect" if !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err("expect is not exactly `100-continue`");
            }
            // HTTP/2 needs no permission to send: reading the stream is the answer.
            "expect" => {}
            _ if OF_A_CONNECTION.contains(&name) => {
                return Err("a field of a connection is sent in a stream");
            }
            _ => headers.push(name, value),
        }
    }
    if !cookies.is_empty() {
        headers.push("cookie", cookies);
    }
    Ok((headers, length))
}
