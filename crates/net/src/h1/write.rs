//! Heads as they go out: status lines, request lines, our own length and date. Framing fields of others never pass.
//! Exports `response_head`, `request_head`, `CONTINUE`. Pure; appends to a buffer that stays with the connection.
//! Used by the connections of both sides.
//! Start reading at `response_head`.

use model::http::is_token_byte;
use model::json::write_digits;
use model::{Headers, Method, Response};

/// The interim answer that asks for the body (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Whether a body follows the head of this reply (RFC 9110 §6.4.1; §15.3.6: a 205 has none either).
pub fn has_body(status: u16, method: Option<Method>) -> bool {
    method != Some(Method::Head) && !matches!(status, 100..200 | 204 | 205 | 304)
}

/// Appends the head of a reply.
pub fn response_head(
    out: &mut Vec<u8>,
    response: &Response,
    method: Option<Method>,
    date: &[u8],
    closes: bool,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    write_digits(u64::from(response.status), out);
    out.push(b' ');
    out.extend_from_slice(phrase(response.status).as_bytes());
    out.extend_from_slice(b"\r\n");
    fields(out, &response.headers);
    if let Some(length) = stated_length(response, method) {
        out.extend_from_slice(b"content-length: ");
        write_digits(length, out);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"date: ");
    out.extend_from_slice(date);
    if closes {
        out.extend_from_slice(b"\r\nconnection: close");
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// The length to state: always for answers with a body, for HEAD what GET would have, never for 1xx and 204
/// (RFC 9110 §8.6). A 304 would have to state the length of a 200, which nobody has seen; 205 states that there is nothing (§15.3.6).
pub(crate) fn stated_length(response: &Response, method: Option<Method>) -> Option<u64> {
    let own = response.body.len() as u64;
    match response.status {
        100..200 | 204 | 304 => None,
        205 => Some(0),
        _ if method == Some(Method::Head) => Some(response.head_length.unwrap_or(own)),
        _ => Some(own),
    }
}

/// Appends the head of a call to an upstream.
pub fn request_head(
    out: &mut Vec<u8>,
    method: Method,
    path_and_query: &str,
    authority: &str,
    headers: &Headers,
    body_bytes: usize,
) {
    out.extend_from_slice(method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(path_and_query.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    out.extend_from_slice(authority.as_bytes());
    out.extend_from_slice(b"\r\n");
    fields(out, headers);
    // RFC 9110 §8.6: methods that anticipate content state a length of 0, too.
    if body_bytes > 0 || matches!(method, Method::Post | Method::Put | Method::Patch) {
        out.extend_from_slice(b"content-length: ");
        write_digits(body_bytes as u64, out);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// `Headers` holds no CR, LF or NUL in values; names that are no tokens are left out.
fn fields(out: &mut Vec<u8>, headers: &Headers) {
    for (name, value) in headers.iter() {
        if is_own(name) || !is_token(name) {
            continue;
        }
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
}

/// Whether the transport writes this field itself or it ends at this hop.
pub(crate) fn is_own(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "date"
            | "host"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// RFC 9110 §5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        425 => "Too Early",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        508 => "Loop Detected",
        // RFC 9112 §4: the phrase may be empty.
        _ => "",
    }
}
