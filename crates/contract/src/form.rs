//! Form bodies (`application/x-www-form-urlencoded`): decoded strictly, typed, written again in one spelling.
//! Exports `read` and `write`. Pure.
//! Used by `check_request`.
//! Start reading at `read`.

use model::canonical::encode_component;
use model::{Json, Text};

use crate::typing::Target;

/// Most pairs of one form.
const PAIRS_MAX: usize = 2_000;

/// A pair as decoded.
pub(crate) type Pair = (String, String);

/// Splits and decodes. The error names what is wrong.
pub(crate) fn pairs(body: &[u8]) -> Result<Vec<Pair>, &'static str> {
    let mut out = Vec::new();
    for piece in body.split(|b| *b == b'&') {
        if piece.is_empty() {
            return Err("has an empty pair");
        }
        if out.len() >= PAIRS_MAX {
            return Err("has too many pairs");
        }
        let equals = memchr::memchr(b'=', piece).ok_or("has a name without a value")?;
        let (name, value) = piece.split_at_checked(equals).ok_or("is broken")?;
        if name.is_empty() {
            return Err("has a value without a name");
        }
        out.push((decoded(name)?, decoded(value.get(1..).unwrap_or_default())?));
    }
    Ok(out)
}

fn decoded(text: &[u8]) -> Result<String, &'static str> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
                    return Err("has a broken percent escape");
                };
                out.push(u8::try_from(high * 16 + low).unwrap_or(0));
            }
            b'+' => out.push(b' '),
            0..=0x20 | 0x7f..=0xff => return Err("has a byte that must be escaped"),
            byte => out.push(byte),
        }
    }
    let text = String::from_utf8(out).map_err(|_| "is not UTF-8")?;
    if text.contains('\0') {
        return Err("has an escaped NUL");
    }
    Ok(text)
}

/// The typed object. Repeated names are a list where the contract declares one, else a problem (the name).
pub(crate) fn read(pairs: &[Pair], target: &Target) -> Result<Json, String> {
    let mut members: Vec<(Text, Json)> = Vec::new();
    for (name, text) in pairs {
        let field = target.field(name);
        let known = members.iter_mut().find(|(known, _)| known == name);
        match (known, field.is_list()) {
            (Some((_, Json::List(items))), true) => items.push(field.item().value(text)),
            (Some(_), _) => return Err(name.clone()),
            (None, true) => {
                members.push((name.into(), Json::List(vec![field.item().value(text)])));
            }
            (None, false) => members.push((name.into(), field.value(text))),
        }
    }
    Ok(Json::Object(members))
}

/// Writes the pairs in their one canonical encoding.
pub(crate) fn write(pairs: &[Pair]) -> String {
    let mut out = String::with_capacity(pairs.iter().map(|(n, v)| n.len() + v.len() + 2).sum());
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode_component(name, &mut out);
        out.push('=');
        encode_component(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_strictly_and_written_in_one_spelling() {
        let decoded = pairs(b"a=b+c&d=%C3%BC").unwrap();
        assert_eq!(write(&decoded), "a=b%20c&d=%C3%BC");
        for odd in [
            "a", "=b", "a=b&&c=d", "a=%", "a=%zz", "a=%ff", "a=%00", "a=b c", "a=\u{e9}",
        ] {
            assert!(pairs(odd.as_bytes()).is_err(), "{odd}");
        }
    }
}
