//! One reading of the query: pairs in order, decoded once; written again in one spelling.
//! Exports `pairs`, `encode_component`. Pure.
//! Used by `CanonicalRequest::of`, form bodies in contract, and the gateway when it forwards.
//! Start reading at `pairs`.

use super::path::push_escape;
use super::{CanonicalRequest, MALFORMED};
use crate::Refusal;

/// Splits and decodes a query. `+` is a space (the form reading, which nearly every upstream uses);
/// it is forwarded as `%20`, which has only one reading.
pub(super) fn pairs(raw: &str) -> Result<Vec<(String, String)>, Box<Refusal>> {
    let mut out = Vec::new();
    for piece in raw.split('&').filter(|p| !p.is_empty()) {
        if out.len() >= CanonicalRequest::QUERY_MAX {
            return Err(MALFORMED.because("the query has too many parameters"));
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        if name.is_empty() {
            return Err(MALFORMED.because("the query has a value without a name"));
        }
        out.push((decode(name)?, decode(value)?));
    }
    Ok(out)
}

fn decode(text: &str) -> Result<String, Box<Refusal>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
                    return Err(MALFORMED.because("the query has a broken percent escape"));
                };
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
            }
            b'+' => bytes.push(b' '),
            b'#' | 0..=0x20 | 0x7f..=0xff => {
                return Err(
                    MALFORMED.because(format!("the query has the byte {byte:#04x} unescaped"))
                );
            }
            b => bytes.push(b),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| MALFORMED.because("the query is not UTF-8"))?;
    if text.contains('\0') {
        return Err(MALFORMED.because("the query has an escaped NUL"));
    }
    Ok(text)
}

/// Appends a query name or value in its one canonical encoding.
pub fn encode_component(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            push_escape(byte, out);
        }
    }
}
