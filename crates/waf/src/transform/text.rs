//! Transformations that remove, fold or collapse characters.
//! Exports one function per transformation.
//! Used by `Transform::apply`.
//! Start reading at `lowercase`.

use crate::bytes::find_pair;

/// The blanks of the reference engine: those of C and the non-breaking space of Latin-1.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r' | 0xA0)
}

pub(super) fn lowercase(text: &[u8]) -> Option<Vec<u8>> {
    text.iter()
        .any(u8::is_ascii_uppercase)
        .then(|| text.to_ascii_lowercase())
}

pub(super) fn remove(text: &[u8], gone: fn(u8) -> bool) -> Option<Vec<u8>> {
    text.iter()
        .any(|byte| gone(*byte))
        .then(|| text.iter().copied().filter(|byte| !gone(*byte)).collect())
}

pub(super) fn compress_whitespace(text: &[u8]) -> Option<Vec<u8>> {
    if !text.iter().any(|byte| is_space(*byte)) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut before = false;
    for byte in text {
        let space = is_space(*byte);
        if !space {
            out.push(*byte);
        } else if !before {
            out.push(b' ');
        }
        before = space;
    }
    (out != text).then_some(out)
}

/// `/* … */` becomes one blank, an unfinished comment too.
pub(super) fn replace_comments(text: &[u8]) -> Option<Vec<u8>> {
    find_pair(text, *b"/*")?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_pair(rest, *b"/*") {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.push(b' ');
        let body = rest.get(at + 2..).unwrap_or_default();
        match find_pair(body, *b"*/") {
            Some(end) => rest = body.get(end + 2..).unwrap_or_default(),
            None => return Some(out),
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// Takes away `/*`, `*/`, `<!--`, `-->`, `--` and `#`.
pub(super) fn remove_comment_marks(text: &[u8]) -> Option<Vec<u8>> {
    const MARKS: [&[u8]; 6] = [b"<!--", b"-->", b"/*", b"*/", b"--", b"#"];
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        match MARKS.iter().find_map(|mark| rest.strip_prefix(*mark)) {
            Some(more) => rest = more,
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    (out != text).then_some(out)
}

/// The way a command line reads: quotes and carets gone, blanks collapsed, lower case.
pub(super) fn cmd_line(text: &[u8]) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut space = false;
    for byte in text {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if !space {
                    out.push(b' ');
                    space = true;
                }
            }
            b'/' | b'(' => {
                if space {
                    out.pop();
                }
                space = false;
                out.push(*byte);
            }
            other => {
                out.push(other.to_ascii_lowercase());
                space = false;
            }
        }
    }
    (out != text).then_some(out)
}
