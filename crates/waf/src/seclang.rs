//! The rule language of the Core Rule Set, version 4: read, compiled, run.
//! Exports `RuleSet::load` and `Transaction`. An unknown construct refuses the load.
//! Used by `compile` for rule directories, and by the regression suite.
//! Start reading at `RuleSet::load`; a transaction's story is told in `run`.

mod actions;
mod ast;
mod collection;
mod compile;
mod hits;
mod lexer;
mod lists;
mod macros;
mod memory;
mod operator;
mod parse;
mod prefilter_cache;
mod program;
mod proof;
mod run;
mod selection;
mod sides;
mod store;
mod targets;
mod texts;
mod tree;
mod triggers;
mod tx_value;
mod variable;

pub use crate::transform::Transform;
pub use program::RuleSet;
pub use run::{Candidate, Event, Guard, Mode, Source, Transaction};
pub(crate) use store::Head;
pub use store::{Message, Scope};
