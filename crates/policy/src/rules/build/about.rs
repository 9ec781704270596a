//! What a condition is about: the objects that an operation answers with or makes, or another one that its path names.
//! Exports `checked`.
//! Used by `Build::condition`.
//! Start reading at `checked`.
//!
//! A condition that fits both is about the former, except where it could never be asked of them: a write that answers with
//! another kind of object than it is sent for (`POST /jobs/{jobId}/assign` with a technician) shows nothing of it beforehand. Then it
//! is about the one object that the path names and that it fits, which is looked up before anything is sent.

use super::super::{Operation, Rules};
use super::enforced::is_beyond_body;
use crate::cedar::{Checked, Resources, Types, Wrong};

/// Checks a condition against the types of an operation.
pub(super) fn checked(
    text: &str,
    operation: &Operation,
    resources: Resources<'_>,
    (types, rules): (&Types, &Rules),
) -> Result<Checked, Vec<Wrong>> {
    let found = types.condition(text, &operation.action, resources)?;
    let is_idle = !found.can_hold || is_beyond_body(rules, operation, &found);
    if found.needs.scope.is_some() || !is_idle {
        return Ok(found);
    }
    let about = |parent: &String| {
        let parents = std::slice::from_ref(parent);
        let only = Resources { own: &[], parents };
        let checked = types.condition(text, &operation.action, only).ok()?;
        checked.can_hold.then_some(checked)
    };
    let mut fitting = resources.parents.iter().filter_map(about);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        // Which of them is meant has to be written.
        _ => Ok(found),
    }
}
