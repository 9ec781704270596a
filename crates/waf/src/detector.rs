//! The tokenising detectors for SQL injection and script, behind one trait.
//! Exports `InjectionDetector`, `Libinjection` (the only place that names the library), `Sentences`.
//! Used by the default pack and by the operators detectSQLi and detectXSS.
//! Start reading at `InjectionDetector`.

mod words;

use crate::bytes::{ByteSet, find_pair};
use crate::markup;
use crate::operands;
use crate::prose;
use libinjectionrs::{SqliFlags, SqliState};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Decides by tokenising, not by patterns.
pub trait InjectionDetector: std::fmt::Debug {
    /// The fingerprint when the text reads as SQL injection.
    fn sqli(&self, text: &[u8]) -> Option<String>;
    /// Whether the text reads as script for a browser.
    fn xss(&self, text: &[u8]) -> bool;
}

/// The detector of the libinjection family.
#[derive(Clone, Copy, Debug, Default)]
pub struct Libinjection;

impl InjectionDetector for Libinjection {
    fn sqli(&self, text: &[u8]) -> Option<String> {
        if words::are_ordinary(text) {
            return None;
        }
        let mut state = SqliState::new(text, SqliFlags::FLAG_NONE);
        state.detect().then(|| state.fingerprint_string())
    }

    fn xss(&self, text: &[u8]) -> bool {
        // Without an element or the value of an attribute there is nothing to find.
        if memchr::memchr2(b'<', b'=', text).is_none() {
            return false;
        }
        libinjectionrs::detect_xss(text).is_injection()
    }
}

/// The same detector for fields in which people write sentences: words tokenise too, so a verdict
/// counts only where the text carries a sign of the language it is taken for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sentences;

impl InjectionDetector for Sentences {
    fn sqli(&self, text: &[u8]) -> Option<String> {
        if !may_be_sql(text) || !may_be_backed(text) {
            return None;
        }
        let print = Libinjection.sqli(text)?;
        let read = prose::quotations(text);
        if !operands::may_be_query(text, &read.odd) {
            return None;
        }
        if read.is_quoted && read.odd.is_empty() {
            // Quotations are words of a sentence: what is left of it must read as SQL by itself.
            return Libinjection
                .sqli(&read.words)
                .filter(|print| is_backed(print, &read.words));
        }
        is_backed(&print, text).then_some(print)
    }

    fn xss(&self, text: &[u8]) -> bool {
        if !may_be_script(text) {
            return false;
        }
        // Both readings must agree: what is proven about the text as sent holds for the verdict.
        let rest_agrees = || {
            markup::without_plain(text)
                .is_none_or(|rest| may_be_script(&rest) && Libinjection.xss(&rest))
        };
        Libinjection.xss(text) && rest_agrees()
    }
}

fn may_be_sql(text: &[u8]) -> bool {
    text.len() >= 3
        && text
            .iter()
            .any(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'.' | b':'))
}

/// Words of a sentence tokenise too. A fingerprint counts when the text also carries signs of SQL.
fn is_backed(print: &str, text: &[u8]) -> bool {
    if print.contains('U') {
        return has_union_select(text);
    }
    // `count (12), left (2)` are words and numbers; what makes a database wait has rules of its own.
    let is_counting =
        print.starts_with("f(1)") && print.bytes().all(|sign| b"f(1),n".contains(&sign));
    if is_counting || reads_as_words(print, text) {
        return false;
    }
    match memchr::memmem::find(text, b"/*") {
        Some(_) => has_signs(&without_globs(text)),
        None => has_signs(text),
    }
}

/// The text without the star of `photos/*`: behind a letter it names all files of a folder.
fn without_globs(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text {
        let is_glob =
            *byte == b'*' && matches!(out[..], [.., letter, b'/'] if letter.is_ascii_alphabetic());
        if !is_glob {
            out.push(*byte);
        }
    }
    out
}

/// Bytes that sentences seldom hold and SQL nearly always does.
pub(crate) static SQL_SIGNS: LazyLock<ByteSet> = LazyLock::new(|| ByteSet::of(b"'\"`(=<>*@|#;"));

fn has_signs(text: &[u8]) -> bool {
    SQL_SIGNS.occurs_in(text) || find_pair(text, *b"--").is_some()
}

/// Whether `is_backed` could agree to any fingerprint: known before the text is tokenised.
fn may_be_backed(text: &[u8]) -> bool {
    has_signs(text) || has_union_select(text)
}

/// Functions and operators over plain words, without a number, a variable, a comment or a quote:
/// `count(ing) down`, `if (a < b)`. Queries have rules of their own.
fn reads_as_words(print: &str, text: &[u8]) -> bool {
    let words = b"fkTEno&(),;".as_slice();
    let quoted = memchr::memchr3(b'\'', b'"', b'`', text).is_some();
    let nested = print.contains("f(f") || print.contains("f()&f");
    let query = print.starts_with('E') && print.contains(['f', ',']);
    !quoted && !nested && !query && print.bytes().all(|sign| words.contains(&sign))
}

fn has_union_select(text: &[u8]) -> bool {
    memchr::memchr2_iter(b'u', b'U', text).any(|at| {
        let from = text.get(at..).unwrap_or_default();
        let Some((word, tail)) = from.split_at_checked(5) else {
            return false;
        };
        if !word.eq_ignore_ascii_case(b"union") {
            return false;
        }
        let tail = tail.get(..tail.len().min(200)).unwrap_or(tail);
        let tail = tail.to_ascii_lowercase();
        memchr::memmem::find(&tail, b"select").is_some_and(|select| {
            let between = tail.get(..select).unwrap_or_default();
            let words = between
                .split(|byte| !byte.is_ascii_alphabetic())
                .filter(|word| !word.is_empty());
            let comment = memchr::memmem::find(between, b"/*").is_some() || between.contains(&b'#');
            comment
                || words
                    .clone()
                    .all(|word| matches!(word, b"all" | b"distinct" | b"distinctrow"))
        })
    })
}

static SCRIPT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"script"));

/// Script needs an element, or a quote that ends an attribute together with an assignment.
fn may_be_script(text: &[u8]) -> bool {
    if memchr::memchr(b'<', text).is_some() {
        return true;
    }
    let quote = memchr::memchr3(b'"', b'\'', b'`', text).is_some();
    (quote && memchr::memchr(b'=', text).is_some()) || SCRIPT.find(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_and_a_count_are_no_sql_but_a_comment_is() {
        for text in ["photos/* on the share", "count (12), left (2)", "press '#'"] {
            assert_eq!(Sentences.sqli(text.as_bytes()), None, "{text}");
        }
        for text in ["1/*x*/or 1=1", "admin' or 1=1/*", "x'/*", "' or '1'='1"] {
            assert!(Sentences.sqli(text.as_bytes()).is_some(), "{text}");
        }
    }
}
