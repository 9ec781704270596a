//! YAML 1.2 texts as trees that know where everything was written.
//! Exports `read` and `read_on` (which goes on after single refused values), the tree (`Node`, `Value`, `Entries`, `Span`),
//! and `Rules`: what our own files may not use is more than what a contract may not.
//! Used by config for its files, and by contract for OpenAPI documents and overlays.
//! Start reading at `read`.

mod composer;
mod node;
mod rules;
mod scalar;

pub use composer::{read, read_on};
pub use node::{ANY_KEY, Entries, Node, Span, Value};
pub use rules::Rules;

/// Most mistakes reported for one text.
pub const MISTAKES_MAX: usize = 20;
