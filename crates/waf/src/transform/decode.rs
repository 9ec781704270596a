//! Decoders of the rule language. They follow the reference engine, not the standards.
//! Exports one function per transformation.
//! Used by `Transform::apply`.
//! Start reading at `url`.

use crate::views::hex_run;

fn byte_of(value: u32) -> u8 {
    u8::try_from(value & 0xFF).unwrap_or(0)
}

/// The byte a code point becomes: the low one, full-width letters folded to their twins.
fn narrow(code: u32) -> u8 {
    if (0xFF01..=0xFF5E).contains(&code) {
        return byte_of(code - 0xFEE0);
    }
    byte_of(code)
}

/// `urlDecodeUni`: percent, `%uXXXX` and plus.
pub(super) fn url(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr2(b'%', b'+', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let (byte, used) = match first {
            b'+' => (b' ', 0),
            b'%' => url_escape(tail).unwrap_or((b'%', 0)),
            other => (*other, 0),
        };
        out.push(byte);
        rest = tail.get(used..).unwrap_or_default();
    }
    (out != text).then_some(out)
}

fn url_escape(tail: &[u8]) -> Option<(u8, usize)> {
    if matches!(tail.first(), Some(b'u' | b'U')) {
        let (code, 4) = hex_run(tail.get(1..)?, 4)? else {
            return None;
        };
        return Some((narrow(code), 5));
    }
    let (value, 2) = hex_run(tail, 2)? else {
        return None;
    };
    Some((byte_of(value), 2))
}

/// `jsDecode`: backslash escapes of JavaScript; an unknown one loses its backslash.
pub(super) fn javascript(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let (byte, used) = match (first, tail.first()) {
            (b'\\', Some(mark)) => javascript_escape(*mark, tail),
            _ => (*first, 0),
        };
        out.push(byte);
        rest = tail.get(used..).unwrap_or_default();
    }
    (out != text).then_some(out)
}

fn javascript_escape(mark: u8, tail: &[u8]) -> (u8, usize) {
    let digits = tail.get(1..).unwrap_or_default();
    match mark {
        b'u' => match hex_run(digits, 4) {
            Some((code, 4)) => (narrow(code), 5),
            _ => (mark, 1),
        },
        b'x' => match hex_run(digits, 2) {
            Some((value, 2)) => (byte_of(value), 3),
            _ => (mark, 1),
        },
        b'0'..=b'7' => octal(tail),
        other => (single(other).unwrap_or(other), 1),
    }
}

/// Up to three octal digits, two when the first is above three.
fn octal(tail: &[u8]) -> (u8, usize) {
    let limit = if tail.first().is_some_and(|digit| *digit > b'3') {
        2
    } else {
        3
    };
    let mut value = 0u32;
    let mut used = 0;
    for digit in tail.iter().take(limit) {
        if !(b'0'..=b'7').contains(digit) {
            break;
        }
        value = value * 8 + u32::from(digit - b'0');
        used += 1;
    }
    (byte_of(value), used)
}

fn single(mark: u8) -> Option<u8> {
    Some(match mark {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0B,
        _ => return None,
    })
}

/// `escapeSeqDecode`: escapes of C; an unknown one stays.
pub(super) fn escape_sequences(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let decoded = if *first == b'\\' {
            c_escape(tail)
        } else {
            None
        };
        let (byte, used) = decoded.unwrap_or((*first, 0));
        out.push(byte);
        rest = tail.get(used..).unwrap_or_default();
    }
    (out != text).then_some(out)
}

fn c_escape(tail: &[u8]) -> Option<(u8, usize)> {
    let mark = *tail.first()?;
    match mark {
        b'\\' | b'?' | b'\'' | b'"' => Some((mark, 1)),
        b'x' => match hex_run(tail.get(1..)?, 2)? {
            (value, 2) => Some((byte_of(value), 3)),
            _ => None,
        },
        b'0'..=b'7' => {
            let (value, used) = octal_three(tail);
            Some((value, used))
        }
        other => single(other).map(|byte| (byte, 1)),
    }
}

fn octal_three(tail: &[u8]) -> (u8, usize) {
    let mut value = 0u32;
    let mut used = 0;
    for digit in tail
        .iter()
        .take(3)
        .take_while(|digit| (b'0'..=b'7').contains(digit))
    {
        value = value * 8 + u32::from(digit - b'0');
        used += 1;
    }
    (byte_of(value), used)
}

/// `cssDecode`: up to six hex digits after a backslash, one blank swallowed.
pub(super) fn css(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'\\' {
            out.push(*first);
            rest = tail;
            continue;
        }
        let Some(next) = tail.first() else { break };
        if let Some((code, used)) = hex_run(tail, 6) {
            out.push(narrow(code));
            let after = tail.get(used..).unwrap_or_default();
            let blank = after
                .first()
                .is_some_and(|byte| super::text::is_space(*byte) && *byte != 0xA0);
            rest = after.get(usize::from(blank)..).unwrap_or_default();
        } else {
            if *next != b'\n' {
                out.push(*next);
            }
            rest = tail.get(1..).unwrap_or_default();
        }
    }
    (out != text).then_some(out)
}

const ENTITIES: [(&[u8], u8); 6] = [
    (b"quot", b'"'),
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"nbsp", 0xA0),
    (b"apos", b'\''),
];

/// `htmlEntityDecode`: numbers and five names, the semicolon optional.
pub(super) fn html_entities(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'&', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let decoded = if *first == b'&' {
            html_entity(tail)
        } else {
            None
        };
        let (byte, used) = decoded.unwrap_or((*first, 0));
        out.push(byte);
        let semicolon = used > 0 && tail.get(used) == Some(&b';');
        rest = tail
            .get(used + usize::from(semicolon)..)
            .unwrap_or_default();
    }
    (out != text).then_some(out)
}

fn html_entity(tail: &[u8]) -> Option<(u8, usize)> {
    if tail.first() == Some(&b'#') {
        if matches!(tail.get(1), Some(b'x' | b'X')) {
            let digits = tail.get(2..)?;
            let count = digits
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit())
                .count();
            let last = digits.get(count.saturating_sub(6)..count)?;
            let (code, _) = hex_run(last, 6)?;
            return Some((byte_of(code), 2 + count));
        }
        let digits = tail.get(1..)?;
        let count = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let code = digits.get(..count)?.iter().fold(0u32, |code, digit| {
            code.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
        });
        return (count > 0).then_some((byte_of(code), 1 + count));
    }
    let count = tail
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let name = tail.get(..count)?;
    let (_, byte) = ENTITIES
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some((*byte, count))
}

/// `utf8toUnicode`: every sequence of two bytes or more becomes `%uXXXX`.
pub(super) fn utf8_to_unicode(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let (length, head) = match first {
            0xC0..=0xDF => (1, u32::from(first & 0x1F)),
            0xE0..=0xEF => (2, u32::from(first & 0x0F)),
            0xF0..=0xF7 => (3, u32::from(first & 0x07)),
            _ => (0, 0),
        };
        let more = tail
            .get(..length)
            .filter(|more| length > 0 && more.iter().all(|byte| byte & 0xC0 == 0x80));
        if let Some(more) = more {
            let code = more
                .iter()
                .fold(head, |code, byte| (code << 6) | u32::from(byte & 0x3F));
            out.extend_from_slice(format!("%u{code:04x}").as_bytes());
            rest = tail.get(length..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    (out != text).then_some(out)
}

/// `base64Decode`: as far as the alphabet goes.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'/'))
        .unwrap_or(text.len());
    let digits = text.get(..end).unwrap_or_default();
    let whole = if digits.len() % 4 == 1 {
        digits.len() - 1
    } else {
        digits.len()
    };
    crate::views::decode_base64(digits.get(..whole).unwrap_or_default()).unwrap_or_default()
}
