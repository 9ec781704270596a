//! Field lists of a grant whose operations have no such body: one mistake for all of them.
//! Exports the part of `Build` that looks at `writes`, and `lacking`.
//! Used by `Build::check_lists`.
//! Start reading at `wrong_writes`.

use model::FieldPath;

use super::super::Operation;
use super::super::check::{self, listed};
use super::Build;
use crate::input::{Grant, Listed, Spot};

impl Build {
    /// What is wrong with `writes` for one operation.
    pub(super) fn wrong_writes(
        &self,
        grant: &Grant,
        operation: &Operation,
    ) -> Vec<(Spot, check::Fault)> {
        let mut found = Vec::new();
        let writes = if operation.takes_nothing() {
            let names = self.lacking(grant, Operation::takes_nothing);
            let fault = |path: &Listed<FieldPath>| (path.spot, check::no_body(&path.value, &names));
            found.extend(grant.writes.first().map(fault));
            &[]
        } else {
            grant.writes.as_slice()
        };
        for path in writes {
            let checked = if path.value.steps.is_empty() {
                check::whole(&path.value, "the body", operation.body_kind, &operation.id)
            } else {
                check::write_path(&operation.request, &path.value, &operation.id)
            };
            found.extend(checked.err().map(|fault| (path.spot, fault)));
        }
        found
    }

    /// The operations of a grant that lack a body, as a sentence names them. It is the same sentence for each of them, so that
    /// it is said once.
    pub(super) fn lacking(&self, grant: &Grant, is_lacking: fn(&Operation) -> bool) -> String {
        let names: Vec<&str> = grant
            .operations
            .iter()
            .filter(|listed| {
                let reference = self.rules.operation(&grant.api, &listed.value);
                let operation = reference.and_then(|reference| self.rules.op(reference));
                operation.is_some_and(is_lacking)
            })
            .map(|listed| &*listed.value)
            .collect();
        listed(&names)
    }
}
