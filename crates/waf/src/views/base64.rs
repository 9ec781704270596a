//! Finds base64 inside a text and decodes it.
//! Exports `each`: whole texts, words inside a text, and the segments of a JWT.
//! Used by `views`. Only readings that are mostly text are worth showing to rules.
//! Start reading at `each`.

/// Shorter runs are words, not encodings.
const RUN_MIN: usize = 8;
/// How many runs of one text are shown one by one; the others are shown joined.
const RUNS_ALONE: usize = 16;

/// Whether a run long enough to be base64 occurs.
pub(crate) fn may_hold(text: &[u8]) -> bool {
    let mut run = 0usize;
    for byte in text {
        if is_digit(*byte) || *byte == b'=' {
            run += 1;
            if run >= RUN_MIN {
                return true;
            }
        } else if *byte != b'\n' && *byte != b'\r' {
            run = 0;
        }
    }
    false
}

/// Calls `give` with every decoded run.
pub(crate) fn each(text: &[u8], give: &mut dyn FnMut(Vec<u8>, &'static str)) {
    let mut given = 0;
    let mut joined: Vec<u8> = Vec::new();
    for run in text.split(|byte| !is_digit(*byte) && *byte != b'=') {
        let digits = trimmed(run);
        let padded = run.len() >= RUN_MIN && run.len().is_multiple_of(4);
        if (digits.len() < RUN_MIN && !padded) || digits.len() < 6 {
            continue;
        }
        if let Some(bytes) = decode(digits)
            && reads_as_text(&bytes)
        {
            given += 1;
            if given <= RUNS_ALONE {
                give(bytes, "base64");
            } else {
                joined.extend_from_slice(&bytes);
                joined.push(b' ');
            }
        }
    }
    if !joined.is_empty() {
        give(joined, "base64");
    }
    if text.contains(&b'\n')
        && text
            .iter()
            .all(|byte| is_digit(*byte) || b"=\r\n ".contains(byte))
    {
        let digits: Vec<u8> = text
            .iter()
            .copied()
            .filter(|byte| is_digit(*byte))
            .collect();
        if let Some(bytes) = decode(&digits).filter(|bytes| reads_as_text(bytes)) {
            give(bytes, "base64");
        }
    }
}

fn trimmed(run: &[u8]) -> &[u8] {
    let end = run
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |last| last + 1);
    let body = run.get(..end).unwrap_or_default();
    let start = body.iter().position(|byte| *byte != b'=').unwrap_or(0);
    let body = body.get(start..).unwrap_or_default();
    // `key=c2VjcmV0…` keeps only what follows the last equals sign.
    match body.iter().rposition(|byte| *byte == b'=') {
        Some(at) => body.get(at + 1..).unwrap_or_default(),
        None => body,
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Both alphabets at once, padding left away.
pub(crate) fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let mut held: u32 = 0;
    let mut bits = 0;
    for byte in digits {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((held >> bits) & 0xFF).unwrap_or(0));
        }
    }
    Some(out)
}

/// At least nine in ten bytes are printable, and it is valid UTF-8 or nearly so.
fn reads_as_text(bytes: &[u8]) -> bool {
    let odd = bytes
        .iter()
        .filter(|byte| (**byte < 0x20 && !b"\t\n\r\0".contains(byte)) || **byte == 0x7F)
        .count();
    odd * 10 <= bytes.len() && (bytes.is_ascii() || std::str::from_utf8(bytes).is_ok())
}
