//! Other spellings of the same text: with plain blanks, without shell quoting, in plain letters.
//! Exports `add`. A form is final: it is matched, but not decoded again.
//! Used by `views`.
//! Start reading at `add`.

use super::{Budget, View, blanks, push};
use crate::part::PartKind;

/// Begins a command for a terminal.
const ESCAPE: u8 = 0x1B;

const FINAL: [&str; 2] = ["sql_blanks", "shell_quotes"];

/// Adds the forms of `text` that differ from it.
pub(crate) fn add(
    text: &[u8],
    chain: &[&'static str],
    kind: PartKind,
    found: &mut Vec<View>,
    budget: &mut Budget,
) {
    if let Some(bytes) = plain_letters(text) {
        push(found, budget, bytes, chain, "plain_letters", kind);
    }
    if let Some(bytes) = with_blanks(text) {
        push(found, budget, bytes, chain, "plus", kind);
    }
    if let Some(bytes) = blanks::plain(text) {
        push(found, budget, bytes, chain, "sql_blanks", kind);
    }
    if let Some(bytes) = without_shell_quotes(text) {
        push(found, budget, bytes, chain, "shell_quotes", kind);
    }
}

/// Whether the last step was a form.
pub(crate) fn is_final(view: &View) -> bool {
    view.chain.last().is_some_and(|step| FINAL.contains(step))
}

/// Full-width letters, overlong sequences and NULs as plain ASCII; printed quotes, too, where something is
/// compared: databases fold them when they convert text.
fn plain_letters(text: &[u8]) -> Option<Vec<u8>> {
    if !text.iter().any(|byte| {
        matches!(
            *byte,
            0xE0 | 0xE2 | 0xEF | 0xF0 | 0xC0 | 0xC1 | 0xCA | 0 | ESCAPE
        )
    }) {
        return None;
    }
    let compares = memchr::memchr(b'=', text).is_some();
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let (letter, more) = plain_letter(*first, tail, compares);
        out.extend(letter);
        rest = more;
    }
    (out != text).then_some(out)
}

/// The plain letter at the front of a text, if there is one, and what follows it.
fn plain_letter(first: u8, tail: &[u8], compares: bool) -> (Option<u8>, &[u8]) {
    let (letter, more) = match (first, tail) {
        (0, _) => return (None, tail),
        // A command for the terminal hides where a word begins.
        (ESCAPE, [b'[', more @ ..]) => {
            let is_number = |byte: &&u8| byte.is_ascii_digit() || **byte == b';';
            let numbers = more.iter().take_while(is_number).count();
            (b'\n', more.get(numbers + 1..).unwrap_or_default())
        }
        // U+FF01..U+FF5E are the full-width twins of `!`..`~`.
        (0xEF, [0xBC, low @ 0x81..=0xBF, more @ ..]) => (low - 0x60, more),
        (0xEF, [0xBD, low @ 0x80..=0x9E, more @ ..]) => (low - 0x20, more),
        // Slashes and backslashes of other alphabets of signs.
        (0xE2, [0x88, 0x95, more @ ..] | [0x81, 0x84, more @ ..]) => (b'/', more),
        (0xE2, [0x88, 0x96, more @ ..]) => (b'\\', more),
        // U+2018 to U+201A, U+2032; U+02B9, U+02BC; U+201C to U+201E, U+2033.
        (0xE2, [0x80, 0x98 | 0x99 | 0x9A | 0xB2, more @ ..]) | (0xCA, [0xB9 | 0xBC, more @ ..])
            if compares =>
        {
            (b'\'', more)
        }
        (0xE2, [0x80, 0x9C | 0x9D | 0x9E | 0xB3, more @ ..]) if compares => (b'"', more),
        // C0 AF is an overlong slash.
        (0xC0 | 0xC1, [low @ 0x80..=0xBF, more @ ..]) => (((first & 1) << 6) | (low & 0x3F), more),
        // So is E0 80 AF, and F0 80 80 AF.
        (0xE0, [high @ (0x80 | 0x81), low @ 0x80..=0xBF, more @ ..])
        | (0xF0, [0x80, high @ (0x80 | 0x81), low @ 0x80..=0xBF, more @ ..]) => {
            (((high & 1) << 6) | (low & 0x3F), more)
        }
        _ => (first, tail),
    };
    (Some(letter), more)
}

/// `;id+-a` reads as `;id -a` where a form is expected. Texts with blanks of their own mean a plus by a plus.
fn with_blanks(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'+', text)?;
    let has_blank = text.iter().any(u8::is_ascii_whitespace);
    let has_sign = || text.iter().any(|byte| b";|&'\"`(<*=".contains(byte));
    let has_query = || {
        text.windows(6)
            .any(|word| word.eq_ignore_ascii_case(b"select"))
    };
    (!has_blank && (has_sign() || has_query())).then(|| {
        text.iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect()
    })
}

/// `$IFS` reads as a space, the other marks as nothing.
fn mark_is_blank(rest: &[u8]) -> bool {
    rest.starts_with(b"$I") || rest.starts_with(b"${I")
}

/// How long the variable is that begins here: `$u`, `${u}` or `$9`, but no amount, and no name that a template would have.
fn variable(rest: &[u8]) -> Option<usize> {
    const NAME_MAX: usize = 3;
    let name = rest.strip_prefix(b"$")?;
    if let [b'0'..=b'9', b'a'..=b'z' | b'A'..=b'Z', ..] = name {
        return Some(2);
    }
    if let Some(inner) = name.strip_prefix(b"{") {
        let length = inner
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let is_closed = inner.get(length) == Some(&b'}');
        return ((1..=NAME_MAX).contains(&length) && is_closed).then_some(length + 3);
    }
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let length = name.iter().take_while(is_part).count();
    let begins = name.first().is_some_and(u8::is_ascii_alphabetic);
    (begins && length <= NAME_MAX).then_some(1 + length)
}

/// `c'a't` reads as `cat`, `${IFS}` as a space, in a shell.
fn without_shell_quotes(text: &[u8]) -> Option<Vec<u8>> {
    let quoting = |byte: &u8| matches!(byte, b'\'' | b'"' | b'\\' | b'^' | b'`');
    if !text.iter().any(|byte| quoting(byte) || *byte == b'$') {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(more) = ["${IFS}", "$IFS$9", "$IFS", "$@", "$*", "$()"]
            .iter()
            .find_map(|mark| rest.strip_prefix(mark.as_bytes()))
        {
            if mark_is_blank(rest) {
                out.push(b' ');
            }
            rest = more;
            continue;
        }
        // A variable that nobody has set.
        if let Some(used) = variable(rest) {
            rest = rest.get(used..).unwrap_or_default();
            continue;
        }
        // A line may go on behind a backslash.
        if let Some(more) = rest.strip_prefix(b"\\\n") {
            rest = more;
            continue;
        }
        // A backslash stays in Windows paths: it disappears only before a letter in a word.
        if !quoting(first) {
            out.push(*first);
        }
        rest = tail;
    }
    (out != text).then_some(out)
}
