//! Opens JSON that is carried inside a string.
//! Exports `each`: every name and every string of the inner document.
//! Used by `views`. The reader bounds the depth, the length of the text the number.
//! Start reading at `each`.

use crate::part::PartKind;
use serde_json::Value;

/// How many strings are shown one by one; the others are shown joined.
const STRINGS_ALONE: usize = 32;

/// Calls `give` with every name and string when `text` is a JSON object, array or string.
pub(crate) fn each(text: &[u8], give: &mut dyn FnMut(Vec<u8>, PartKind)) {
    let text = text.trim_ascii();
    if !matches!(text.first(), Some(b'{' | b'[' | b'"')) {
        return;
    }
    // The reader refuses documents nested deeper than 128.
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        return;
    };
    let mut all = Strings::default();
    let mut open = vec![&value];
    while let Some(node) = open.pop() {
        match node {
            Value::String(inner) => all.add(inner, PartKind::Value, give),
            Value::Array(items) => open.extend(items.iter()),
            Value::Object(members) => {
                for (name, member) in members {
                    all.add(name, PartKind::Name, give);
                    open.push(member);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    if !all.values.is_empty() {
        give(all.values, PartKind::Value);
    }
    if !all.names.is_empty() {
        give(all.names, PartKind::Name);
    }
}

#[derive(Default)]
struct Strings {
    given: usize,
    values: Vec<u8>,
    names: Vec<u8>,
}

impl Strings {
    fn add(&mut self, text: &str, kind: PartKind, give: &mut dyn FnMut(Vec<u8>, PartKind)) {
        self.given += 1;
        if self.given <= STRINGS_ALONE {
            give(text.as_bytes().to_vec(), kind);
            return;
        }
        // A dot between names keeps an operator at the beginning of one visible.
        let (joined, between) = match kind {
            PartKind::Value => (&mut self.values, b' '),
            PartKind::Name => (&mut self.names, b'.'),
        };
        joined.extend_from_slice(text.as_bytes());
        joined.push(between);
    }
}
