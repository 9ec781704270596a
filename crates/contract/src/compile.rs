//! From the text of an OpenAPI document to a contract, or to mistakes that say where and how to mend.
//! Gives `compile` and its `Source`. Pure: referenced files come through `Source::load`.
//! Used by config.
//! Start reading at `compile`.

use model::Mistake;
use model::json::Bounds;

use crate::plan::Contract;

/// What `compile` reads.
pub struct Source<'a> {
    /// File name of the document relative to the configuration directory; references are resolved against it.
    pub file: &'a str,
    /// Its text, YAML or JSON.
    pub text: &'a str,
    /// File name and text of an OpenAPI Overlay 1.0 document.
    pub overlay: Option<(&'a str, &'a str)>,
    /// Text of a referenced file by its path relative to the configuration directory; `None` when absent or outside.
    pub load: &'a dyn Fn(&str) -> Option<String>,
    /// What happens to fields of a request body that the contract does not declare.
    pub unknown_fields: UnknownFields,
    /// What a request body may cost.
    pub bounds: Bounds,
}

/// What happens to undeclared fields of a request body where the schema says nothing about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are refused.
    #[default]
    Refuse,
    /// They pass, as plain JSON Schema has it.
    Allow,
}

/// Compiles a document.
///
/// # Errors
/// Every mistake found, each with its file and, where known, its place.
pub fn compile(source: &Source<'_>) -> Result<Contract, Vec<Mistake>> {
    Err(vec![
        Mistake::new(
            "the document cannot be read",
            "write an OpenAPI 3.0 or 3.1 document",
        )
        .in_file(source.file),
    ])
}
