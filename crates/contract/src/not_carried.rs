//! A declared media type of a body or an answer that is not carried here, and why.
//! Exports `NotCarried`.
//! Made by `compile` with the kinds of `bodies`; told by config's `check`, and by a refusal of such a body to the record.
//! Start reading at `NotCarried`.

use std::sync::Arc;

use model::Mistake;

/// A declared media type that is not carried.
#[derive(Clone, Debug)]
pub struct NotCarried {
    /// Essence in lower case.
    pub content_type: Arc<str>,
    /// Why not, with the place in the contract that decides it, and what would change that.
    pub why: Mistake,
}
