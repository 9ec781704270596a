//! One schema as it is compiled, by its number.
//! Exports `Definition`.
//! Listed by `lower`, built by `validator`.
//! Start reading at `Definition`.

use serde_json::Value;

use crate::docs::At;

/// One schema as it is compiled.
pub(crate) struct Definition<'a> {
    pub(crate) schema: Value,
    pub(crate) origin: At<'a>,
    pub(crate) refers: Vec<usize>,
}
