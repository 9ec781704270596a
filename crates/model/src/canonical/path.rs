//! One path decision: decode each segment once, refuse every second spelling.
//! Exports `segments`, `join`, `encode_segment`, `is_plain_segment`, `reserved`. Pure.
//! Used by `CanonicalRequest::of` and, for writing upstream paths, by the gateway.
//! Start reading at `segments`.

use super::{CanonicalRequest, MALFORMED};
use crate::Refusal;
use crate::printable::is_ignorable;

/// Splits and decodes a path in origin form. Beside the segments: those with an escaped [`reserved`] character, as bits by their places.
pub(super) fn segments(raw: &str) -> Result<(Vec<String>, u64), Box<Refusal>> {
    let Some(rest) = raw.strip_prefix('/') else {
        return Err(MALFORMED.because("the request target does not begin with `/`"));
    };
    let mut out = Vec::with_capacity(8);
    let mut encoded = 0;
    let mut pieces = rest.split('/').peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        if piece.is_empty() && !is_last {
            return Err(MALFORMED.because("the path has an empty segment (`//`)"));
        }
        if out.len() >= CanonicalRequest::SEGMENTS_MAX {
            return Err(MALFORMED.because("the path has too many segments"));
        }
        let segment = decode(piece)?;
        if matches!(segment.as_str(), "." | "..") {
            return Err(MALFORMED.because("the path has a dot segment"));
        }
        if reserved(&segment).is_some() {
            encoded |= 1 << out.len();
        }
        out.push(segment);
    }
    Ok((out, encoded))
}

/// The first character that is written escaped and would move a segment's boundary or end the path if it were not. Upstreams differ in
/// when they decode them.
pub fn reserved(segment: &str) -> Option<char> {
    let is_reserved = |c: char| matches!(c, '/' | '\\' | '%' | '?' | '#' | ';');
    segment.chars().find(|c| is_reserved(*c))
}

/// Decodes one segment. Escapes are accepted only for characters that need them (RFC 3986 §2.3: the
/// escaped spelling of an unreserved character is a second name for the same resource).
fn decode(piece: &str) -> Result<String, Box<Refusal>> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => bytes.push(escaped(rest.next(), rest.next())?),
            b if is_plain(b) => bytes.push(b),
            b => return Err(MALFORMED.because(format!("the path has the byte {b:#04x} unescaped"))),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| MALFORMED.because("the path is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(MALFORMED.because("the path has an escaped control character"));
    }
    // Whoever compares by collation or cleans identifiers does not see these, and reads another name.
    if let Some(letter) = text.chars().find(|letter| is_ignorable(*letter)) {
        let detail = format!(
            "the path has the invisible character U+{:04X}",
            u32::from(letter)
        );
        return Err(MALFORMED.because(detail));
    }
    Ok(text)
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Result<u8, Box<Refusal>> {
    let digit = |b: Option<u8>| {
        b.and_then(|b| char::from(b).to_digit(16))
            .and_then(|d| u8::try_from(d).ok())
    };
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err(MALFORMED.because("the path has a broken percent escape"));
    };
    let byte = high * 16 + low;
    match byte {
        0..0x20 | 0x7f => Err(MALFORMED.because("the path has an escaped control byte")),
        b if is_unreserved(b) => Err(MALFORMED.because(format!(
            "the path escapes `{}`, which needs no escape",
            char::from(b)
        ))),
        b => Ok(b),
    }
}

/// RFC 3986 unreserved characters.
const fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// Characters that may stand unescaped in a segment: pchar of RFC 3986 §3.3 without `;`, which some
/// upstreams take for path parameters.
const fn is_plain(b: u8) -> bool {
    is_unreserved(b)
        || matches!(
            b,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
        )
}

/// Writes decoded segments as a canonical path.
pub(super) fn join(segments: &[String]) -> String {
    let mut out = String::with_capacity(segments.iter().map(|s| s.len() + 1).sum());
    for segment in segments {
        out.push('/');
        encode_segment(segment, &mut out);
    }
    out
}

/// Appends one decoded segment in its canonical encoding.
pub fn encode_segment(segment: &str, out: &mut String) {
    for byte in segment.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            push_escape(byte, out);
        }
    }
}

/// Whether a decoded text is one segment to every upstream: what [`CanonicalRequest::of`] would have accepted.
pub fn is_plain_segment(text: &str) -> bool {
    is_encodable_segment(text) && reserved(text).is_none()
}

/// Whether a decoded text is one segment to every upstream that decodes it once, and behind the boundaries.
pub fn is_encodable_segment(text: &str) -> bool {
    let is_odd = |c: char| c.is_control() || is_ignorable(c);
    !text.is_empty() && !matches!(text, "." | "..") && !text.contains(is_odd)
}

/// Appends `%XX`.
pub(super) fn push_escape(byte: u8, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    for nibble in [byte >> 4, byte & 15] {
        out.push(char::from(
            HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'),
        ));
    }
}
