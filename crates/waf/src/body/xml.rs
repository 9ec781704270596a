//! XML as two kinds of texts: all character data together, and every attribute value.
//! Exports `parse`. Document types are read past and never acted upon.
//! Used by `body::parse`.
//! Start reading at `parse`.

use super::{Body, ITEMS_MAX};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Reads a document. What was read before a mistake is kept and the body marked malformed.
pub(super) fn parse(raw: &[u8]) -> Body {
    let mut body = Body::default();
    let mut text = Vec::new();
    // The reader wants UTF-8; what is not becomes a mark, and the texts around it are still judged.
    let document = String::from_utf8_lossy(raw);
    let mut reader = Reader::from_str(&document);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(element) | Event::Empty(element)) => attributes(&element, &mut body),
            Ok(Event::Text(piece)) => text.extend_from_slice(piece.as_bytes()),
            Ok(Event::CData(piece)) => text.extend_from_slice(piece.as_bytes()),
            Ok(Event::GeneralRef(name)) => reference(name.as_bytes(), &mut text),
            Ok(_) => {}
            Err(_) => {
                body.malformed = true;
                break;
            }
        }
    }
    body.xml_text = Some(text);
    body
}

fn attributes(element: &BytesStart<'_>, body: &mut Body) {
    for attribute in element.html_attributes().with_checks(false).flatten() {
        if body.xml_attributes.len() >= ITEMS_MAX {
            body.malformed = true;
            return;
        }
        body.xml_attributes
            .push(unescaped(attribute.value.as_bytes()));
    }
}

fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at + 1..).unwrap_or_default();
        match memchr::memchr(b';', tail) {
            Some(end) => {
                reference(tail.get(..end).unwrap_or_default(), &mut out);
                rest = tail.get(end + 1..).unwrap_or_default();
            }
            None => {
                out.push(b'&');
                rest = tail;
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// The five names and numbers; anything else stays as written.
fn reference(name: &[u8], out: &mut Vec<u8>) {
    let byte = match name {
        b"lt" => b'<',
        b"gt" => b'>',
        b"amp" => b'&',
        b"quot" => b'"',
        b"apos" => b'\'',
        _ => {
            let number = name
                .strip_prefix(b"#")
                .and_then(|digits| std::str::from_utf8(digits).ok());
            let code = number.and_then(|digits| match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            });
            match code.and_then(char::from_u32) {
                Some(letter) => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
                None => {
                    out.push(b'&');
                    out.extend_from_slice(name);
                    out.push(b';');
                }
            }
            return;
        }
    };
    out.push(byte);
}
