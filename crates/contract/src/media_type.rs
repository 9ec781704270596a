//! Which media types are JSON, and which is plain text.
//! Exports `is_json`, `may_be_json`, `essence`, `JSON`, `TEXT`, `FORM` and `PARTS`.
//! Used when contracts are read, and when answers are.
//! Start reading at `is_json`.

/// Plain JSON.
pub(crate) const JSON: &str = "application/json";
/// Plain text, which is judged as one text.
pub(crate) const TEXT: &str = "text/plain";
/// Forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// Fields and files in several parts.
pub(crate) const PARTS: &str = "multipart/form-data";

/// `application/json` and every `+json` type.
pub(crate) fn is_json(essence: &str) -> bool {
    essence == JSON || essence == "text/json" || essence.ends_with("+json")
}

/// Whether a declared type can be answered in JSON.
pub(crate) fn may_be_json(essence: &str) -> bool {
    is_json(essence) || matches!(essence, "*/*" | "application/*")
}

/// Type and subtype in lower case, without parameters.
pub(crate) fn essence(kind: &str) -> String {
    kind.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
