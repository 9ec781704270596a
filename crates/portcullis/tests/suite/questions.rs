//! Questions: filters, search, sort, cursors and totals tell nothing of objects and fields outside a grant.
//! The generator holds two worlds against each other that differ only in what the caller may not see; beside it stand
//! the single cases, and what `check`, `access` and the demo say.

mod cases;
pub(crate) mod interference;
pub(crate) mod jobs;
mod searches;
pub(crate) mod searching;
mod told;
