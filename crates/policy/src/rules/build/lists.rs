//! What a grant or a hand-written permit lists, against the contract of an operation: fields, what may be sent, error fields.
//! Exports `Lists` and the part of `Build` that checks them; both kinds of rule mean the same by the same words.
//! Used by `Build::grant` and `Build::written_permit`.
//! Start reading at `check_lists`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{FieldPath, MessageKind, RuleRef};

use super::super::check::{self, listed};
use super::super::{Operation, OperationRef};
use super::Build;
use crate::input::{Grant, Listed, Spot, UNSURE_OBJECTS};

/// The lists of one rule.
pub(super) struct Lists<'r> {
    pub(super) fields: &'r [Listed<FieldPath>],
    pub(super) writes: &'r [Listed<FieldPath>],
    pub(super) errors: &'r [Listed<FieldPath>],
    /// All operations that the rule is about.
    pub(super) operations: Vec<OperationRef>,
}

/// What is wrong, and where.
type Found = (Spot, check::Fault);

impl Build {
    /// Whether one operation has what a rule lists.
    pub(super) fn check_lists(
        &mut self,
        rule: &RuleRef,
        lists: &Lists<'_>,
        reference: OperationRef,
    ) {
        let Some(operation) = self.sure(reference) else {
            return;
        };
        let mut found = self.wrong_fields(lists, operation);
        for field in lists.errors {
            let checked = if field.value.steps.is_empty() {
                let kind = MessageKind::Fields;
                check::whole(&field.value, "an error answer", kind, &operation.id)
            } else {
                check::error_path(&operation.errors, &field.value, &operation.id)
            };
            found.extend(checked.err().map(|fault| (field.spot, fault)));
        }
        found.extend(self.wrong_writes(lists, operation));
        self.told(rule, found);
    }

    /// Whether what a grant masks is there, and granted.
    pub(super) fn check_masks(&mut self, grant: &Grant, reference: OperationRef) {
        let Some(operation) = self.sure(reference) else {
            return;
        };
        let mut found: Vec<Found> = Vec::new();
        for mask in &grant.masks {
            let path = &mask.value.0;
            if !operation.answers_nothing() {
                let checked = check::response_path(operation.ground(), path, &operation.id);
                found.extend(checked.err().map(|fault| (mask.spot, fault)));
            }
            let is_granted = grant.fields.iter().any(|f| {
                f.value.is_from_root == path.is_from_root
                    && (f.value.steps.starts_with(&path.steps)
                        || path.steps.starts_with(&f.value.steps))
            });
            if !is_granted {
                let message = format!("`{path}` is masked but not granted");
                let help = "add it to `fields`, or take the mask away";
                found.push((mask.spot, (message, help.into())));
            }
        }
        self.told(&grant.rule, found);
    }

    fn told(&mut self, rule: &RuleRef, found: Vec<Found>) {
        for (spot, (message, help)) in found {
            self.mistake_at(&rule.file, spot, message, help);
        }
    }

    /// The operation, where it is known what its messages and objects are. Fields count from the object, wherever it stands.
    fn sure(&self, reference: OperationRef) -> Option<&Operation> {
        let operation = self.rules.op(reference)?;
        let is_unsure = |names: &BTreeSet<Arc<str>>| {
            names.contains(UNSURE_OBJECTS) || names.contains(&operation.id)
        };
        let unsure = self.unsure.get(&operation.api);
        (!unsure.is_some_and(is_unsure)).then_some(operation)
    }

    /// What is wrong with the fields for one operation.
    fn wrong_fields(&self, lists: &Lists<'_>, operation: &Operation) -> Vec<Found> {
        // Without an answer that is declared, what is wrong with the first is wrong with all, and with every such operation.
        if operation.answers_nothing() {
            let names = self.lacking(lists, Operation::answers_nothing);
            let fault =
                |field: &Listed<FieldPath>| (field.spot, check::no_response(&field.value, &names));
            return lists.fields.first().map(fault).into_iter().collect();
        }
        let wrong = |field: &Listed<FieldPath>| {
            let (path, id) = (&field.value, &operation.id);
            let checked = if path.steps.is_empty() {
                check::whole(path, "the answer", operation.response_kind, id)
            } else {
                check::response_path(operation.ground(), path, id)
            };
            checked.err().map(|fault| (field.spot, fault))
        };
        lists.fields.iter().filter_map(wrong).collect()
    }

    /// What is wrong with `writes` for one operation.
    fn wrong_writes(&self, lists: &Lists<'_>, operation: &Operation) -> Vec<Found> {
        if operation.takes_nothing() {
            let names = self.lacking(lists, Operation::takes_nothing);
            let fault = |path: &Listed<FieldPath>| {
                let fault = match &operation.lost_body {
                    Some(why) => check::lost_body(&path.value, &operation.id, why),
                    None => check::no_body(&path.value, &names),
                };
                (path.spot, fault)
            };
            return lists.writes.first().map(fault).into_iter().collect();
        }
        let wrong = |field: &Listed<FieldPath>| {
            let (path, id) = (&field.value, &operation.id);
            let checked = if path.steps.is_empty() {
                check::whole(path, "the body", operation.body_kind, id)
            } else {
                check::write_path(&operation.request, path, id)
            };
            checked.err().map(|fault| (field.spot, fault))
        };
        lists.writes.iter().filter_map(wrong).collect()
    }

    /// The operations that a grant names and that there are.
    pub(super) fn operations_of(&self, grant: &Grant) -> Vec<OperationRef> {
        let names = grant.operations.iter();
        names
            .filter_map(|listed| self.rules.operation(&grant.api, &listed.value))
            .collect()
    }

    /// The operations of a rule that lack a body, as a sentence names them. It is the same sentence for each of them, so that
    /// it is said once.
    fn lacking(&self, lists: &Lists<'_>, is_lacking: fn(&Operation) -> bool) -> String {
        let operations = lists.operations.iter();
        let operations = operations.filter_map(|reference| self.rules.op(*reference));
        let names: Vec<&str> = operations
            .filter(|operation| is_lacking(operation))
            .map(|operation| &*operation.id)
            .collect();
        listed(&names)
    }
}
