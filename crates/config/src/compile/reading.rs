//! Operations that only read: by their method, or although it is POST.
//! Exports `compile` (what the api says of its POSTs) and `all`.
//! Used by apis.
//! Start reading at `compile`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Contract, Operation, StatusRange};
use model::Method;

use super::draft::operation;
use crate::api::Version;
use crate::report::Report;

/// The operations that `reads: true` is rightly said of.
pub(super) fn compile(
    full: &str,
    version: &Version,
    contract: &Contract,
    file: &Arc<str>,
    report: &mut Report,
) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    for (name, facts) in version.operations.iter() {
        let Some(id) = operation(full, name, contract, &name.place(file), report) else {
            continue;
        };
        let Some(reads) = facts.reads.as_ref() else {
            continue;
        };
        let declared = contract.operation(&id).map(|(_, operation)| operation);
        match declared.map(|operation| operation.method) {
            Some(Method::Post) if reads.value && declared.is_some_and(only_changes) => report
                .wrong(
                    &reads.place(file),
                    format!("`{id}` declares no 200, only successes by which a change is answered"),
                    "Take `reads` out, or declare in the contract the 200 with which a search answers.",
                ),
            Some(Method::Post) if reads.value => drop(found.insert(id)),
            Some(method) if reads.value && !method.is_safe() => report.wrong(
                &reads.place(file),
                format!("`{id}` is a {method}, which changes something by its meaning"),
                "Only a POST can be said to read; take `reads` out.",
            ),
            Some(method) if !reads.value && method.is_safe() => report.wrong(
                &reads.place(file),
                format!("`{id}` is a {method}, which only reads by its meaning"),
                "Take `reads` out.",
            ),
            _ => {}
        }
    }
    found
}

/// Every operation that only reads: those with a safe method, and the POSTs of which it was rightly said.
pub(super) fn all(contract: &Contract, said: BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
    let safe = contract.operations.iter().filter(|o| o.method.is_safe());
    safe.map(|operation| operation.id.clone())
        .chain(said)
        .collect()
}

/// Whether every success that is declared says that something was made, taken on or done (RFC 9110 §15.3.2 to §15.3.6,
/// without 203). Such a call would be carried out first, and its answer refused.
fn only_changes(operation: &Operation) -> bool {
    let mut successes = operation
        .responses
        .iter()
        .filter(|response| match response.status {
            StatusRange::Exactly(status) => (200..300).contains(&status),
            StatusRange::Family(family) => family == 2,
            StatusRange::Default => false,
        })
        .peekable();
    let is_change = |status| matches!(status, StatusRange::Exactly(201 | 202 | 204 | 205));
    successes.peek().is_some() && successes.all(|response| is_change(response.status))
}
