//! The values of a record's declared indexes, and how each stands in a backend.
//! Exports `values`, `stored`.
//! Used where records are written.
//! Start reading at `values`.

use serde_json::Value;

use crate::seal::Sealer;
use crate::{Index, IndexForm, Kind};

/// The values of the declared index fields of a record, read from its JSON form.
///
/// # Errors
/// When a field is not a plain value.
pub(crate) fn values(
    kind: &'static Kind,
    json: &Value,
) -> Result<Vec<(&'static Index, String)>, &'static str> {
    let mut found = Vec::with_capacity(kind.indexes.len());
    for index in kind.indexes {
        let text = match json.get(index.field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text.clone(),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err("an index field is not a plain value");
            }
        };
        found.push((index, text));
    }
    Ok(found)
}

/// An index value as it stands in a backend.
pub(crate) fn stored(sealer: &Sealer, kind: &str, index: &Index, text: &str) -> Vec<u8> {
    match index.form {
        IndexForm::Plain => text.as_bytes().to_vec(),
        IndexForm::Blind => sealer.blind(kind, index.field, text),
    }
}
