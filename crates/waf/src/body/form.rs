//! URL-encoded forms and cookies.
//! Exports `urlencoded` and `cookies`.
//! Used for queries, form bodies and the Cookie header.
//! Start reading at `urlencoded`.

use super::ITEMS_MAX;
use crate::views::hex_run;

/// Pairs separated by `&`; a pair without `=` is a name with an empty value.
pub fn urlencoded(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    text.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .take(ITEMS_MAX)
        .map(|pair| match memchr::memchr(b'=', pair) {
            Some(at) => (
                decoded(pair.get(..at).unwrap_or_default()),
                decoded(pair.get(at + 1..).unwrap_or_default()),
            ),
            None => (decoded(pair), Vec::new()),
        })
        .collect()
}

/// Percent and plus; what is not an escape stays.
fn decoded(text: &[u8]) -> Vec<u8> {
    decode(text, b' ')
}

/// Percent only, as in paths.
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    decode(text, b'+')
}

fn decode(text: &[u8], plus: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => out.push(plus),
            b'%' => match hex_run(tail, 2) {
                Some((value, 2)) => {
                    out.push(u8::try_from(value).unwrap_or(b'%'));
                    rest = tail.get(2..).unwrap_or_default();
                }
                _ => out.push(b'%'),
            },
            other => out.push(*other),
        }
    }
    out
}

/// Pairs separated by `;`, blanks around names gone. Values stay as sent.
pub fn cookies(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    text.split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii_start)
        .filter(|pair| !pair.is_empty())
        .take(ITEMS_MAX)
        .map(|pair| match memchr::memchr(b'=', pair) {
            Some(at) => (
                pair.get(..at).unwrap_or_default().trim_ascii().to_vec(),
                pair.get(at + 1..).unwrap_or_default().to_vec(),
            ),
            None => (pair.trim_ascii().to_vec(), Vec::new()),
        })
        .collect()
}
