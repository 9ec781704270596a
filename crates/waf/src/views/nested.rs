//! Opens JSON that is carried inside a string.
//! Gives `each`: every name and every string of the inner document.
//! Used by `views`. Depth and number are bounded by the reader and by the caller.
//! Start reading at `each`.

use crate::part::PartKind;
use serde_json::Value;

const NODES_MAX: usize = 512;

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
    let mut open = vec![&value];
    let mut seen = 0;
    while let Some(node) = open.pop() {
        seen += 1;
        if seen > NODES_MAX {
            return;
        }
        match node {
            Value::String(inner) => give(inner.clone().into_bytes(), PartKind::Value),
            Value::Array(items) => open.extend(items.iter()),
            Value::Object(members) => {
                for (name, member) in members {
                    give(name.clone().into_bytes(), PartKind::Name);
                    open.push(member);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
