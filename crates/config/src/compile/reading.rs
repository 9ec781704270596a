//! Operations that only read although their method is POST.
//! Gives `compile`.
//! Used by apis.
//! Start reading at `compile`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::Contract;
use model::Method;

use super::apis::operation;
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
        let method = contract
            .operation(&id)
            .map(|(_, operation)| operation.method);
        match method {
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
