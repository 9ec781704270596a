//! The list of pattern rules. A new file of rules is one line here.
//! Gives `all`.
//! Used by `Pack::compile`.
//! Start reading at `all`.

use super::Rule;

mod sqli;
mod traversal;

/// Every pattern rule of the pack.
pub(crate) fn all() -> Vec<Rule> {
    [sqli::RULES, traversal::RULES].concat()
}
