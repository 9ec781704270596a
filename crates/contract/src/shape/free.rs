//! Which texts the contract leaves free, and therefore inspection has to look at.
//! Gives `is_free`. Errs on the side of free.
//! Used by shapes and parameters.
//! Start reading at `is_free`.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use serde_json::Value;

use crate::docs::{At, Docs};

/// Formats whose grammar has no room for an attack.
const STRICT_FORMATS: [&str; 7] = [
    "date",
    "date-time",
    "duration",
    "ipv4",
    "ipv6",
    "time",
    "uuid",
];

/// Whether a text at this place can hold content of the caller's choosing.
pub(crate) fn is_free(docs: &Docs, is_30: bool, at: &At<'_>) -> bool {
    !is_bound(docs, is_30, at, 12)
}

/// Whether every text this schema admits is one of a closed set or of a harmless grammar.
fn is_bound(docs: &Docs, is_30: bool, at: &At<'_>, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let target = at.text("$ref").and_then(|r| docs.resolve(at, r).ok());
    if target.is_some_and(|target| is_bound(docs, is_30, &target, depth - 1)) {
        return true;
    }
    if is_30 && at.text("$ref").is_some() {
        return false;
    }
    let has_no_text = |word: &Value| match word {
        Value::String(word) => word != "string",
        Value::Array(words) => words.iter().all(|word| word != "string"),
        _ => false,
    };
    if at.value == &Value::Bool(false)
        || at.value.get("type").is_some_and(has_no_text)
        || at.value.get("enum").is_some_and(Value::is_array)
        || at.value.get("const").is_some()
        || at
            .text("format")
            .is_some_and(|f| STRICT_FORMATS.contains(&f))
        || at.text("pattern").is_some_and(is_closed_pattern)
    {
        return true;
    }
    let parts = at.get("allOf");
    if parts
        .iter()
        .flat_map(At::items)
        .any(|p| is_bound(docs, is_30, &p, depth - 1))
    {
        return true;
    }
    ["anyOf", "oneOf"]
        .iter()
        .filter_map(|word| at.get(word))
        .any(|list| {
            let mut branches = list.items().peekable();
            branches.peek().is_some() && branches.all(|b| is_bound(docs, is_30, &b, depth - 1))
        })
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
