//! Multipart forms: fields, files, and the headers of every part.
//! Exports `parse`. RFC 2046 §5.1.1 and RFC 7578.
//! Used by `body::parse`.
//! Start reading at `parse`.

use super::{Body, File, ITEMS_MAX};

/// Reads the parts between boundaries.
pub(super) fn parse(content_type: &[u8], raw: &[u8]) -> Body {
    let mut body = Body::default();
    let Some(boundary) = boundary(content_type) else {
        body.malformed = true;
        return body;
    };
    let mark = [b"--".as_slice(), &boundary].concat();
    let mut rest = raw;
    let mut open = false;
    let mut closed = false;
    for at in delimiters(raw, &mark) {
        if open {
            let used = rest.len().saturating_sub(raw.len() - at);
            read_part(rest.get(..used).unwrap_or_default(), &mut body);
        }
        let after = raw.get(at + mark.len()..).unwrap_or_default();
        closed = after.starts_with(b"--");
        if closed {
            break;
        }
        rest = line_end(after);
        open = true;
    }
    if open && !closed {
        read_part(rest, &mut body);
    }
    body.malformed |= !closed;
    body
}

/// Where a boundary stands at the beginning of a line.
fn delimiters<'r>(raw: &'r [u8], mark: &'r [u8]) -> impl Iterator<Item = usize> + 'r {
    memchr::memmem::find_iter(raw, mark)
        .filter(|at| *at == 0 || at.checked_sub(1).and_then(|at| raw.get(at)) == Some(&b'\n'))
        .take(ITEMS_MAX)
}

fn line_end(text: &[u8]) -> &[u8] {
    match memchr::memchr(b'\n', text) {
        Some(at) => text.get(at + 1..).unwrap_or_default(),
        None => &[],
    }
}

fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let lower = content_type.to_ascii_lowercase();
    let at = memchr::memmem::find(&lower, b"boundary=")?;
    let value = content_type.get(at + 9..)?;
    let value = match value.strip_prefix(b"\"") {
        Some(inner) => inner.get(..memchr::memchr(b'"', inner)?)?,
        None => {
            let end = value
                .iter()
                .position(|byte| matches!(byte, b';' | b',' | b' '))
                .unwrap_or(value.len());
            value.get(..end)?
        }
    };
    (!value.is_empty() && value.len() <= 200).then(|| value.to_vec())
}

fn read_part(part: &[u8], body: &mut Body) {
    let mut headers: Vec<Vec<u8>> = Vec::new();
    let mut rest = part;
    loop {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() || headers.len() >= 64 {
            break;
        }
        match headers.last_mut() {
            Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                last.extend_from_slice(line)
            }
            _ => headers.push(line.to_vec()),
        }
    }
    let content = rest.strip_suffix(b"\n").unwrap_or(rest);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    let disposition = headers.iter().find(|line| {
        line.get(..20)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"content-disposition:"))
    });
    let value = disposition
        .and_then(|line| line.get(20..))
        .unwrap_or_default();
    let name = parameter(value, b"name").unwrap_or_default();
    for line in &headers {
        body.part_headers.push((name.clone(), line.clone()));
    }
    match parameter(value, b"filename").or_else(|| parameter(value, b"filename*")) {
        Some(file) => body.files.push(File {
            field: name,
            name: file,
            bytes: content.len(),
        }),
        None if disposition.is_some() => body.arguments.push((name, content.to_vec())),
        None => body.malformed = true,
    }
}

/// A parameter of a header, quoted or not. Names are compared whole.
fn parameter(value: &[u8], wanted: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b';', rest) {
        rest = rest.get(at + 1..)?.trim_ascii_start();
        let equals = memchr::memchr(b'=', rest)?;
        let name = rest.get(..equals)?.trim_ascii();
        let text = rest.get(equals + 1..)?.trim_ascii_start();
        let (found, after) = quoted(text);
        if name.eq_ignore_ascii_case(wanted) {
            return Some(found);
        }
        rest = after;
    }
    None
}

fn quoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quote @ (b'"' | b'\'')) = text.first() else {
        let end = memchr::memchr(b';', text).unwrap_or(text.len());
        let value = text.get(..end).unwrap_or_default();
        return (
            value.trim_ascii().to_vec(),
            text.get(end..).unwrap_or_default(),
        );
    };
    let mut out = Vec::new();
    let mut bytes = text.iter().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == quote {
            return (out, text.get(at + 1..).unwrap_or_default());
        }
        match (byte, text.get(at + 1)) {
            (b'\\', Some(next)) if next == quote || *next == b'\\' => {
                out.push(*next);
                bytes.next();
            }
            _ => out.push(*byte),
        }
    }
    (out, &[])
}
