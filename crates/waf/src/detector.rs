//! The tokenising detectors for SQL injection and script, behind one trait.
//! Gives `InjectionDetector`, `Libinjection` (the only place that names the library), `Sentences`.
//! Used by the default pack and by the operators detectSQLi and detectXSS.
//! Start reading at `InjectionDetector`.

mod words;

use libinjectionrs::{SqliFlags, SqliState};

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
        Libinjection
            .sqli(text)
            .filter(|print| is_backed(print, text))
    }

    fn xss(&self, text: &[u8]) -> bool {
        may_be_script(text) && Libinjection.xss(text)
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
    has_signs(text)
}

/// Bytes that sentences seldom hold and SQL nearly always does.
pub(crate) const SQL_SIGNS: &[u8] = b"'\"`(=<>*@|#;";

fn has_signs(text: &[u8]) -> bool {
    text.iter().any(|byte| SQL_SIGNS.contains(byte)) || memchr::memmem::find(text, b"--").is_some()
}

/// Whether `is_backed` could agree to any fingerprint: known before the text is tokenised.
fn may_be_backed(text: &[u8]) -> bool {
    has_signs(text) || has_union_select(text)
}

fn has_union_select(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    memchr::memmem::find_iter(&lower, b"union").any(|at| {
        let tail = lower.get(at + 5..).unwrap_or_default();
        memchr::memmem::find(
            tail.get(..tail.len().min(200)).unwrap_or_default(),
            b"select",
        )
        .is_some_and(|select| {
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

/// Script needs an element, or a quote that ends an attribute together with an assignment.
fn may_be_script(text: &[u8]) -> bool {
    if memchr::memchr(b'<', text).is_some() {
        return true;
    }
    let quote = memchr::memchr3(b'"', b'\'', b'`', text).is_some();
    (quote && memchr::memchr(b'=', text).is_some())
        || memchr::memmem::find(text, b"script").is_some()
}
