//! YAML and JSON texts as values with places.
//! Exports `to_value` and `locate` (JSON pointer to byte span).
//! Used by `compile`, and by config for its own files.
//! Start reading at `to_value`.

use model::json::Bounds;
use model::{Json, Mistake};
use serde_json::Value;
use yaml::{Node, Rules};

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
    Ok(tree(text)?.to_json())
}

/// Byte offset and length of the node at a JSON pointer. For a member of a mapping this is the key together with
/// a scalar value, or the key alone in front of a collection. A pointer to something absent gives its nearest ancestor.
pub fn locate(text: &str, pointer: &str) -> Option<(usize, usize)> {
    Some(locate_in(&tree(text).ok()?, pointer))
}

/// The document with the place of everything in it.
pub(crate) fn tree(text: &str) -> Result<Node, Mistake> {
    let root = yaml::read(text, Rules::DOCUMENT).map_err(|mut all| all.swap_remove(0))?;
    if root.span.len == 0 && root.is_scalar() {
        let help = "write a mapping, for example `openapi: 3.1.0`";
        return Err(Mistake::new("the file is empty", help).at(0, 0));
    }
    Ok(root)
}

/// See [`locate`].
pub(crate) fn locate_in(root: &Node, pointer: &str) -> (usize, usize) {
    let (mut here, mut found) = (root, None);
    for step in steps(pointer) {
        let next = match &here.value {
            yaml::Value::Map(entries) => {
                let mut pairs = entries.pairs.iter();
                let entry = pairs.find(|(key, _)| key.as_text() == Some(&step));
                entry.map(|(key, value)| (value, of_member(key, value)))
            }
            yaml::Value::List(items) => {
                let index = step.parse::<usize>().ok();
                let item = index.and_then(|index| items.get(index));
                item.map(|item| (item, beginning(item)))
            }
            _ => None,
        };
        let Some((value, place)) = next else { break };
        (here, found) = (value, Some(place));
    }
    found.unwrap_or_else(|| match &root.value {
        // The first key, where the document begins with it.
        yaml::Value::Map(entries) => match entries.pairs.first() {
            Some((key, _)) if key.span.start == root.span.start => (key.span.start, key.span.len),
            _ => beginning(root),
        },
        _ => beginning(root),
    })
}

/// A key together with a scalar behind it, or the key alone. An alias stands elsewhere.
fn of_member(key: &Node, value: &Node) -> (usize, usize) {
    let start = key.span.start;
    let end = if value.is_scalar() && value.span.start >= start {
        value.span.start + value.span.len
    } else {
        start + key.span.len
    };
    (start, end - start)
}

/// A scalar whole, a collection by its first byte; never half of a letter, as both begin with an indicator or a key.
fn beginning(node: &Node) -> (usize, usize) {
    let len = node.span.len;
    (
        node.span.start,
        if node.is_scalar() { len } else { len.min(1) },
    )
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

/// Whether a text reads the same everywhere: no byte order mark, no control characters but tab and line ends.
pub(crate) fn is_plain(text: &str) -> bool {
    let is_odd = |c: char| c == '\u{feff}' || c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    !text.contains(is_odd)
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
