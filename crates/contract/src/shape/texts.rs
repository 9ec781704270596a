//! Which texts a schema admits, and therefore what inspection still has to look for in them.
//! Exports `texts` and `is_bound`. Both err on the side of more texts.
//! Used by shapes.
//! Start reading at `texts`.

use std::sync::Arc;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use serde_json::Value;

use super::admitted::Walk;
use crate::docs::{At, Docs};
use crate::language::Language;

/// Most values of one list that are tried one by one.
const VALUES_MAX: usize = 1_000;
/// Most bytes of such values together.
const VALUES_BYTES_MAX: usize = 64 << 10;

/// The texts that any of these schemas admits; none where no text can stand here.
pub(super) fn texts(docs: &Docs, is_30: bool, places: &[At<'_>]) -> Option<Language> {
    TEXTS.all(docs, is_30, places)
}

const TEXTS: Walk<Language> = Walk {
    any: Language::Free,
    own,
    both,
    either,
    narrowed: |found, at| {
        let length = at.value.get("maxLength").and_then(Value::as_u64);
        shortened(
            found,
            length.and_then(|length| usize::try_from(length).ok()),
        )
    },
};

/// What the keywords of the schema itself admit.
fn own(at: &At<'_>) -> Option<Language> {
    let has_no_text = |word: &Value| match word {
        Value::String(word) => word != "string",
        Value::Array(words) => words.iter().all(|word| word != "string"),
        _ => false,
    };
    if at.value.get("type").is_some_and(has_no_text) {
        return None;
    }
    let mut found = Some(Language::Free);
    if let Some(values) = at.value.get("enum").and_then(Value::as_array) {
        found = both(found, listed(values));
    }
    if let Some(value) = at.value.get("const") {
        found = both(found, listed(std::slice::from_ref(value)));
    }
    found = both(
        found,
        Some(at.text("format").map_or(Language::Free, of_format)),
    );
    let pattern = at.text("pattern").map(|source| Language::Pattern {
        source: source.into(),
        length_max: None,
    });
    both(found, Some(pattern.unwrap_or(Language::Free)))
}

fn listed(values: &[Value]) -> Option<Language> {
    let texts = values.iter().filter_map(Value::as_str);
    let mut texts: Vec<Arc<str>> = texts.map(Arc::from).collect();
    texts.sort();
    texts.dedup();
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    match texts.len() {
        0 => None,
        1..=VALUES_MAX if bytes <= VALUES_BYTES_MAX => Some(Language::Values(texts)),
        _ => Some(Language::Free),
    }
}

/// Formats that are asserted and whose grammar has little room. The patterns admit more than the formats do.
fn of_format(format: &str) -> Language {
    let pattern = match format {
        "uuid" => return Language::Uuid,
        "date" => return Language::Date,
        "date-time" => return Language::DateTime,
        "duration" => "^P[0-9DHMSTWY]+$",
        "ipv4" => r"^[0-9.]{7,15}$",
        "ipv6" => "^[0-9A-Fa-f:.]{2,45}$",
        "time" => "^[0-9:.+Zz-]+$",
        "uri" | "uri-reference" | "iri" | "iri-reference" | "url" => return Language::Address,
        _ => return Language::Free,
    };
    Language::Pattern {
        source: pattern.into(),
        length_max: None,
    }
}

/// Texts that both admit. The narrower of the two is never narrower than both together.
fn both(a: Option<Language>, b: Option<Language>) -> Option<Language> {
    let (a, b) = (a?, b?);
    match (a, b) {
        (Language::Values(a), Language::Values(b)) => {
            let shared: Vec<Arc<str>> = a.into_iter().filter(|text| b.contains(text)).collect();
            (!shared.is_empty()).then_some(Language::Values(shared))
        }
        (a, b) if breadth(&b) < breadth(&a) => Some(b),
        (a, _) => Some(a),
    }
}

fn breadth(language: &Language) -> u8 {
    match language {
        Language::Values(_) | Language::Boolean => 0,
        Language::Integer | Language::Number => 1,
        Language::Uuid | Language::Date | Language::DateTime => 2,
        // A pattern proves more, but that the text is an address must not be forgotten over it.
        Language::Address => 3,
        Language::Pattern { source, .. } if source.starts_with('^') && source.ends_with('$') => 4,
        Language::Pattern { .. } => 5,
        Language::Free => 6,
    }
}

/// Texts that one of the two admits.
fn either(a: Option<Language>, b: Option<Language>) -> Option<Language> {
    let (a, b) = match (a, b) {
        (None, other) | (other, None) => return other,
        (Some(a), Some(b)) => (a, b),
    };
    match (a, b) {
        (a, b) if a == b => Some(a),
        (Language::Values(mut a), Language::Values(b)) => {
            a.extend(b);
            a.sort();
            a.dedup();
            if a.len() <= VALUES_MAX {
                Some(Language::Values(a))
            } else {
                Some(Language::Free)
            }
        }
        _ => Some(Language::Free),
    }
}

fn shortened(found: Option<Language>, length: Option<usize>) -> Option<Language> {
    match (found, length) {
        (Some(Language::Pattern { source, length_max }), Some(length)) => Some(Language::Pattern {
            source,
            length_max: Some(length_max.map_or(length, |known| known.min(length))),
        }),
        (found, _) => found,
    }
}

/// Whether every text of the language is one of a closed set or of a harmless grammar.
pub(super) fn is_bound(language: &Language) -> bool {
    match language {
        Language::Free | Language::Address => false,
        Language::Pattern { source, .. } => is_closed_pattern(source),
        _ => true,
    }
}

/// Anchored at both ends, and every letter it admits is harmless in every language that inspection knows.
fn is_closed_pattern(pattern: &str) -> bool {
    // Without Unicode `\d`, `\w` and `\s` mean ASCII, as in the contract's dialect.
    let parsed = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern);
    let Ok(hir) = parsed else { return false };
    let looks = hir.properties();
    looks.look_set_prefix().contains(Look::Start)
        && looks.look_set_suffix().contains(Look::End)
        && is_harmless(&hir)
}

fn is_harmless(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => literal.0.iter().all(|b| is_harmless_byte(*b)),
        HirKind::Class(Class::Bytes(class)) => class
            .iter()
            .all(|range| (range.start()..=range.end()).all(is_harmless_byte)),
        HirKind::Class(Class::Unicode(class)) => class.iter().all(|range| {
            (range.start()..=range.end())
                .take(200)
                .all(|c| u8::try_from(c).is_ok_and(is_harmless_byte))
        }),
        HirKind::Repetition(repetition) => is_harmless(&repetition.sub),
        HirKind::Capture(capture) => is_harmless(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(is_harmless),
    }
}

const fn is_harmless_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'@' | b'+' | b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_anchored_harmless_patterns_are_closed() {
        for (pattern, is_closed) in [
            (r"^[A-Z]{2}-\d+$", true),
            (r"^(a|b)+$", true),
            (r"^\w{1,20}$", true),
            (r"\d+", false),
            (r"^\d+", false),
            (r"^.*$", false),
            (r"^[^<>]*$", false),
            (r"^[a-z' ]+$", false),
            (r"^a$|b", false),
            (r"^(", false),
        ] {
            assert_eq!(is_closed_pattern(pattern), is_closed, "{pattern}");
        }
    }
}
