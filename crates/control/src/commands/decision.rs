//! Decisions explained.
//! Exports the `decision.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `explain::ExplainDecision`.

mod explain;

pub use explain::{DecisionExplained, ExplainDecision};
