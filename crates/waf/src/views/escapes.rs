//! Decoders for escapes inside a text: percent, backslash, character references.
//! Exports one function per notation; each answers `None` when nothing changed.
//! Used by `views`.
//! Start reading at `percent`.

pub(crate) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Reads up to `max` hex digits; gives the value and how many were read.
pub(crate) fn hex_run(text: &[u8], max: usize) -> Option<(u32, usize)> {
    let mut value: u32 = 0;
    let mut read = 0;
    for byte in text.iter().take(max) {
        let Some(digit) = hex(*byte) else { break };
        value = (value << 4) | u32::from(digit);
        read += 1;
    }
    (read > 0).then_some((value, read))
}

/// Appends a code point as UTF-8; half surrogates and the like become `?`.
pub(crate) fn push_char(out: &mut Vec<u8>, code: u32) {
    let letter = char::from_u32(code).unwrap_or('?');
    let mut buffer = [0u8; 4];
    out.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
}

/// `%41` and `%u0041`. A plus becomes a space only where a real escape was found too.
pub(crate) fn percent(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'%', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            if let Some((code, used)) = percent_u(tail) {
                push_char(&mut out, code);
                rest = tail.get(used..).unwrap_or_default();
                changed = true;
                continue;
            }
            if let Some((value, 2)) = hex_run(tail, 2) {
                out.push(u8::try_from(value).unwrap_or(b'?'));
                rest = tail.get(2..).unwrap_or_default();
                changed = true;
                continue;
            }
        }
        // A plus that was itself escaped stays one.
        out.push(if *first == b'+' { b' ' } else { *first });
        rest = tail;
    }
    changed.then_some(out)
}

fn percent_u(tail: &[u8]) -> Option<(u32, usize)> {
    let (mark, digits) = tail.split_first()?;
    if *mark != b'u' && *mark != b'U' {
        return None;
    }
    match hex_run(digits, 4)? {
        (code, 4) => Some((code, 5)),
        _ => None,
    }
}

/// `\u0041`, `\u{41}`, `\x41`, `\101`, and the single letters JSON and JavaScript know. Those of white space alone do
/// not make another reading of a text, but where it begins or ends.
pub(crate) fn backslash(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'\\'
            && let Some((used, high)) = backslash_one(tail, &mut out)
        {
            rest = tail.get(used..).unwrap_or_default();
            changed |= high;
            continue;
        }
        out.push(*first);
        rest = tail;
    }
    changed.then_some(out)
}

/// Decodes what follows a backslash; gives the bytes used and whether it was a real escape.
fn backslash_one(tail: &[u8], out: &mut Vec<u8>) -> Option<(usize, bool)> {
    let (mark, digits) = tail.split_first()?;
    match mark {
        b'u' | b'U' => {
            if digits.first() == Some(&b'{') {
                let zeros = digits
                    .iter()
                    .skip(1)
                    .take_while(|digit| **digit == b'0')
                    .count();
                // One zero may be the number itself.
                let zeros = zeros.saturating_sub(1);
                let (code, used) = hex_run(digits.get(1 + zeros..)?, 6)?;
                if digits.get(1 + zeros + used) != Some(&b'}') {
                    return None;
                }
                push_char(out, code);
                return Some((zeros + used + 3, true));
            }
            let (code, used) = hex_run(digits, 4)?;
            if used != 4 {
                return None;
            }
            push_char(out, code);
            Some((5, true))
        }
        b'x' | b'X' => {
            let (value, used) = hex_run(digits, 2)?;
            if used != 2 {
                return None;
            }
            out.push(u8::try_from(value).unwrap_or(b'?'));
            Some((3, true))
        }
        b'0'..=b'7' => {
            let value = tail
                .iter()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .fold((0u32, 0usize), |(value, used), byte| {
                    (value * 8 + u32::from(byte - b'0'), used + 1)
                });
            if value.1 != 3 || value.0 > 255 {
                return None;
            }
            out.push(u8::try_from(value.0).unwrap_or(b'?'));
            Some((3, true))
        }
        b'"' | b'/' | b'\'' => {
            out.push(*mark);
            Some((1, true))
        }
        b'n' | b'r' => {
            // At either end it is no line of a text, but a way to begin a new one.
            let is_at_end = out.is_empty() || digits.is_empty();
            out.push(b'\n');
            Some((1, is_at_end))
        }
        b't' => {
            out.push(b' ');
            Some((1, false))
        }
        _ => None,
    }
}

const NAMED: [(&[u8], u8); 16] = [
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"amp", b'&'),
    (b"apos", b'\''),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"sol", b'/'),
    (b"equals", b'='),
    (b"nbsp", b' '),
    (b"tab", b' '),
    (b"newline", b' '),
    (b"lbrace", b'{'),
    (b"rbrace", b'}'),
];

/// `&lt;`, `&#60;`, `&#x3c;`, the semicolon being optional for numbers as in browsers.
pub(crate) fn entities(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'&', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'&'
            && let Some(used) = entity_one(tail, &mut out)
        {
            rest = tail.get(used..).unwrap_or_default();
            changed = true;
            continue;
        }
        out.push(*first);
        rest = tail;
    }
    changed.then_some(out)
}

fn entity_one(tail: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    if tail.first() == Some(&b'#') {
        return entity_number(tail.get(1..)?, out).map(|used| used + 1);
    }
    let length = tail
        .iter()
        .take(8)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    if tail.get(length) != Some(&b';') {
        return None;
    }
    let name = tail.get(..length)?;
    let (_, byte) = NAMED
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    out.push(*byte);
    Some(length + 1)
}

fn entity_number(digits: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let (code, used) = match digits.first()? {
        b'x' | b'X' => {
            let zeros = digits
                .get(1..)?
                .iter()
                .take(16)
                .take_while(|byte| **byte == b'0')
                .count();
            let (code, used) = hex_run(digits.get(1 + zeros..)?, 6).unwrap_or((0, 0));
            (code, 1 + zeros + used)
        }
        b'0'..=b'9' => {
            let used = digits
                .iter()
                .take(16)
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let code = digits.iter().take(used).fold(0u32, |code, byte| {
                code.saturating_mul(10)
                    .saturating_add(u32::from(byte - b'0'))
            });
            (code, used)
        }
        _ => return None,
    };
    if code == 0 {
        return None;
    }
    push_char(out, code);
    Some(if digits.get(used) == Some(&b';') {
        used + 1
    } else {
        used
    })
}
