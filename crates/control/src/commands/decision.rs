//! Decisions explained.
//! Exports the `decision.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `explain::ExplainDecision`.

mod answer;
mod explain;

pub use answer::{Decision, NearRule, SeenFinding, StageEntered};
pub use explain::{DecisionExplained, ExplainDecision};
