//! YAML and JSON texts as values with places.
//! Exports `to_value` and `locate` (JSON pointer to byte span).
//! Used by `compile`, and by config for its own files.
//! Start reading at `to_value`; `read` turns the parser's events into a tree that knows where it stands.

mod tree;

use model::json::Bounds;
use model::{Json, Mistake};
use serde_json::Value;

pub(crate) use tree::Tree;

/// Documents are the operator's own; the bounds only stop accidents.
const JSON_BOUNDS: Bounds = Bounds {
    depth: 200,
    values: 4_000_000,
    digits: 400,
};

/// Reads YAML 1.2 or JSON text strictly: duplicate keys, several documents and unknown tags are refused.
///
/// # Errors
/// The first mistake with its span; the file name is left to the caller.
pub fn to_value(text: &str) -> Result<Value, Mistake> {
    // JSON escapes pairs of surrogates, which YAML readers do not join; so JSON is read as JSON.
    if text.trim_start().starts_with('{')
        && let Ok(json) = model::json::parse(text.as_bytes(), JSON_BOUNDS)
    {
        return Ok(from_json(&json));
    }
    Tree::read(text).map(|tree| tree.to_value())
}

/// Byte offset and length of the node at a JSON pointer. For a member of a mapping this is the key together with
/// a scalar value, or the key alone in front of a collection. A pointer to something absent gives its nearest ancestor.
pub fn locate(text: &str, pointer: &str) -> Option<(usize, usize)> {
    Tree::read(text).ok()?.locate(pointer)
}

/// The same value in the library's type. Compile time only.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(is_true) => Value::Bool(*is_true),
        Json::Number(digits) => serde_json::from_str(digits).unwrap_or(Value::Null),
        Json::Text(text) => Value::String(text.to_string()),
        Json::List(items) => Value::Array(items.iter().map(from_json).collect()),
        Json::Object(members) => members
            .iter()
            .map(|(key, value)| (key.to_string(), from_json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// The same value in our own type. Compile time only.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(is_true) => Json::Bool(*is_true),
        Value::Number(number) => Json::Number(number.to_string().into()),
        Value::String(text) => Json::Text(text.into()),
        Value::Array(items) => Json::List(items.iter().map(to_json).collect()),
        Value::Object(members) => Json::Object(
            members
                .iter()
                .map(|(key, value)| (key.into(), to_json(value)))
                .collect(),
        ),
    }
}

/// One step of a JSON pointer, escaped (RFC 6901 §3).
pub(crate) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The steps of a JSON pointer, unescaped.
pub(crate) fn steps(pointer: &str) -> impl Iterator<Item = String> + use<'_> {
    pointer
        .split('/')
        .skip(1)
        .map(|s| s.replace("~1", "/").replace("~0", "~"))
}

/// Longest name that is compared with known ones.
const NAME_COMPARED_MAX: usize = 64;

/// The known name that is most like a mistyped one.
pub(crate) fn nearest<'n>(wanted: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Likeness costs the product of both lengths; a name this long is no slip of the pen.
    if wanted.len() > NAME_COMPARED_MAX {
        return None;
    }
    known
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
