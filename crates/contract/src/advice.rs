//! What is wrong with a value that breaks a keyword of its schema, and what to send instead, in words.
//! Exports `words` and `listed`. Never echoes the value; what the contract says is bounded.
//! Used by `errors`, and `listed` by whatever names what is allowed.
//! Start reading at `words`.

use std::fmt::Display;

use serde_json::Value;

use crate::validator::{ErrorKind, expected_types};

/// Most names listed in one sentence.
const NAMES_SHOWN_MAX: usize = 12;
/// Most characters of a value of the contract that are repeated.
const VALUE_SHOWN_MAX: usize = 40;

/// What is wrong, and what to send. `found` is the type of the value, `schema` the schema object that the keyword stands in.
pub(crate) fn words(kind: &ErrorKind, found: &str, schema: Option<&Value>) -> (String, String) {
    by_schema(kind, found, schema)
        .or_else(|| by_limit(kind))
        .unwrap_or_else(|| {
            let (detail, fix) = by_keyword(kind);
            (detail.to_owned(), fix.to_owned())
        })
}

/// Keywords that are told with what their schema says.
fn by_schema(kind: &ErrorKind, found: &str, schema: Option<&Value>) -> Option<(String, String)> {
    let (detail, fix) = match kind {
        ErrorKind::Type { kind } => {
            let expected = expected_types(kind);
            let main = expected.iter().find(|name| *name != "null");
            let fix = example(main.map_or("value", |name| name), schema);
            (format!("{found}, expected {}", expected.join(" or ")), fix)
        }
        ErrorKind::Enum { options } => {
            let options = options.as_array().into_iter().flatten();
            let options: Vec<String> = options.map(short).collect();
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            let fix = format!("send one of: {}", listed(&options));
            ("not one of the allowed values".to_owned(), fix)
        }
        ErrorKind::Constant { expected_value } => (
            "not the one allowed value".to_owned(),
            format!("send {}", short(expected_value)),
        ),
        ErrorKind::Format { format } => (
            format!("not in the format `{format}`"),
            example("string", schema),
        ),
        ErrorKind::Pattern { .. } => {
            let pattern = schema.and_then(|schema| schema.get("pattern")?.as_str());
            let fix = pattern.map_or_else(
                || "follow the contract".to_owned(),
                |pattern| format!("send a text that matches {pattern}"),
            );
            ("does not match the pattern of the contract".to_owned(), fix)
        }
        ErrorKind::Not { .. } if is_nothing(schema) => return Some(nothing_fits()),
        ErrorKind::OneOfNotValid { context } | ErrorKind::AnyOf { context } => (
            format!("matches none of the {} allowed forms", context.len()),
            "send one of the forms the contract declares".to_owned(),
        ),
        _ => return None,
    };
    Some((detail, fix))
}

/// Keywords that set a limit: what is wrong, and the limit between two pieces of a sentence.
fn by_limit(kind: &ErrorKind) -> Option<(String, String)> {
    let (detail, before, limit, behind): (_, _, &dyn Display, _) = match kind {
        ErrorKind::MinLength { limit } => ("too short", "at least ", limit, " characters"),
        ErrorKind::MaxLength { limit } => ("too long", "at most ", limit, " characters"),
        ErrorKind::MinItems { limit } => ("too few items", "at least ", limit, " items"),
        ErrorKind::MaxItems { limit } => ("too many items", "at most ", limit, " items"),
        ErrorKind::AdditionalItems { limit } => ("too many items", "at most ", limit, " items"),
        ErrorKind::MinProperties { limit } => ("too few fields", "at least ", limit, " fields"),
        ErrorKind::MaxProperties { limit } => ("too many fields", "at most ", limit, " fields"),
        ErrorKind::Minimum { limit } => ("too small", "", limit, " or more"),
        ErrorKind::Maximum { limit } => ("too large", "", limit, " or less"),
        ErrorKind::ExclusiveMinimum { limit } => ("too small", "more than ", limit, ""),
        ErrorKind::ExclusiveMaximum { limit } => ("too large", "less than ", limit, ""),
        ErrorKind::MultipleOf { multiple_of } => (
            "not a multiple of the declared step",
            "a multiple of ",
            multiple_of,
            "",
        ),
        _ => return None,
    };
    Some((detail.to_owned(), format!("send {before}{limit}{behind}")))
}

/// Whether the schema is what `false` stands for (JSON Schema 2020-12 §4.3.2).
fn is_nothing(schema: Option<&Value>) -> bool {
    let not = schema.and_then(|schema| schema.get("not"));
    not.is_some_and(|not| {
        not.as_object().is_some_and(serde_json::Map::is_empty) || not == &Value::Bool(true)
    })
}

/// The contract says `false`.
pub(crate) fn nothing_fits() -> (String, String) {
    (
        "the contract accepts no value here".to_owned(),
        "leave it out".to_owned(),
    )
}

/// Keywords of which there is nothing to add.
fn by_keyword(kind: &ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::UniqueItems => ("an item occurs twice", "send each item once"),
        ErrorKind::OneOfMultipleValid { .. } => (
            "matches more than one of the allowed forms",
            "send fields of exactly one form",
        ),
        ErrorKind::FalseSchema => (
            "this field is not accepted in this direction",
            "remove it; the other side sets it",
        ),
        ErrorKind::Not { .. } => ("excluded by the contract", "send another value"),
        ErrorKind::PropertyNames { .. } => ("a field name breaks the contract", "rename the field"),
        _ => (
            "does not match the contract",
            "compare it with the contract",
        ),
    }
}

/// What to send, with an example by format.
fn example(kind: &str, schema: Option<&Value>) -> String {
    let format = schema.and_then(|s| s.get("format")).and_then(Value::as_str);
    let sample = match (kind, format) {
        ("string", Some("email")) => r#""a@b.example""#,
        ("string", Some("date")) => r#""2026-03-31""#,
        ("string", Some("date-time")) => r#""2026-03-31T12:00:00Z""#,
        ("string", Some("time")) => r#""12:00:00Z""#,
        ("string", Some("uuid")) => r#""3f2b6c1e-8d57-4b0a-9a41-5c7d0e9f1a22""#,
        ("string", Some("ipv4")) => r#""192.0.2.1""#,
        ("string", Some("ipv6")) => r#""2001:db8::1""#,
        ("string", Some("uri")) => r#""https://a.example/b""#,
        ("string", _) => {
            let one = schema.and_then(|s| s.get("enum")).and_then(|v| v.get(0));
            return match one {
                Some(value) => format!("send a string such as {}", short(value)),
                None => "send a string, in quotes".into(),
            };
        }
        ("integer", _) => return "send a whole number such as 42".into(),
        ("number", _) => return "send a number such as 9.5".into(),
        ("boolean", _) => return "send true or false".into(),
        ("array", _) => return "send a list: […]".into(),
        ("object", _) => return "send an object: {…}".into(),
        ("null", _) => return "send null".into(),
        _ => return "send a value of the declared type".into(),
    };
    format!("send a string such as {sample}")
}

/// A value of the contract, bounded.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_SHOWN_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// A bounded list of names for a sentence.
pub(crate) fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing".into();
    }
    let mut out = names
        .iter()
        .take(NAMES_SHOWN_MAX)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > NAMES_SHOWN_MAX {
        out.push_str(", …");
    }
    out
}

#[cfg(test)]
mod tests;
