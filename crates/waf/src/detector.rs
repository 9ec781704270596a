//! The tokenising detectors for SQL injection and script, behind one trait.
//! Gives `InjectionDetector`, `Libinjection` (the only place that names the library), `Sentences`.
//! Used by the default pack and by the operators detectSQLi and detectXSS.
//! Start reading at `InjectionDetector`.

mod words;

use crate::prose;
use crate::scan::{ByteSet, find_pair};
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
        match prose::without_quotations(text) {
            // Quotations are words of a sentence: what is left of it must read as SQL by itself.
            Some(words) => Libinjection
                .sqli(&words)
                .filter(|print| is_backed(print, &words)),
            None => is_backed(&print, text).then_some(print),
        }
    }

    fn xss(&self, text: &[u8]) -> bool {
        if !may_be_script(text) {
            return false;
        }
        // Both readings must agree: what is proven about the text as sent holds for the verdict.
        let rest_agrees = || {
            harmless_markup(text).is_none_or(|rest| may_be_script(&rest) && Libinjection.xss(&rest))
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
    if reads_as_words(print, text) {
        return false;
    }
    has_signs(text)
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

/// What browsers do not run: the declaration of an XML document, and styles without code.
fn harmless_markup(text: &[u8]) -> Option<Vec<u8>> {
    let mut rest = text.trim_ascii_start();
    let mut changed = false;
    if rest.starts_with(b"<?xml ") {
        let end = memchr::memmem::find(rest.get(..rest.len().min(200))?, b"?>")?;
        rest = rest.get(end + 2..)?;
        changed = true;
    }
    let mut out = Vec::with_capacity(rest.len());
    while let Some(at) = memchr::memmem::find(rest, b" style=\"") {
        let value = rest.get(at + 8..).unwrap_or_default();
        let end = memchr::memchr(b'"', value).unwrap_or(0);
        let plain = value.get(..end).unwrap_or_default();
        let is_plain = end > 0
            && plain
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b" :;#.,%-!".contains(byte))
            && !plain
                .to_ascii_lowercase()
                .windows(7)
                .any(|name| name == b"binding" || name == b"behavio");
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        if is_plain {
            changed = true;
            rest = value.get(end + 1..).unwrap_or_default();
        } else {
            out.extend_from_slice(b" style=\"");
            rest = value;
        }
    }
    out.extend_from_slice(rest);
    changed.then_some(out)
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
