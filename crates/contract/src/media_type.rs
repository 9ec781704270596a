//! Which media types are JSON.
//! Exports `is_json` and `may_be_json`.
//! Used when contracts are read, and when answers are.
//! Start reading at `is_json`.

/// `application/json` and every `+json` type.
pub(crate) fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

/// Whether a declared type can be answered in JSON.
pub(crate) fn may_be_json(essence: &str) -> bool {
    is_json(essence) || matches!(essence, "*/*" | "application/*")
}
