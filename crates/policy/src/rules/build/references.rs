//! May the objects that a body names be judged at all? What would refuse every request is a mistake at its line.
//! Exports the part of `Build` that checks granted writes against the kinds they refer to.
//! Used by `Build::integration`.
//! Start reading at `Build::check_references`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::shape::NodeId;
use model::{FieldPath, RuleRef, Shape};

use super::super::{Entry, Integration, OperationRef};
use super::enforced::unresolved;
use super::{Build, Written};
use crate::cedar;
use crate::input::{IntegrationGrants, Spot};

impl Build {
    /// Every field an integration may send that names an object: some grant has to read that kind, and there has to be
    /// a way to look the object up where not all of them are visible.
    pub(super) fn check_references(&mut self, input: &IntegrationGrants, done: &Integration) {
        for grant in &input.grants {
            for id in &grant.operations {
                let Some(reference) = self.rules.operation(&grant.api, &id.value) else {
                    continue;
                };
                for path in &grant.writes {
                    let place = (&*grant.rule.file, path.spot);
                    self.check_reference(place, reference, &path.value, done);
                    let rule = RuleRef {
                        file: grant.rule.file.clone(),
                        line: path.spot.line,
                    };
                    self.note_fields(&rule, reference, &path.value, done);
                }
                self.note_parameters(&grant.rule, reference, done);
            }
        }
    }

    /// The same of what hand-written permits let be sent.
    pub(super) fn check_written_references(
        &mut self,
        written: &[Written],
        input: &IntegrationGrants,
        done: &Integration,
    ) {
        let permits = written
            .iter()
            .filter(|w| cedar::is_permit(&w.checked.policy));
        for permit in permits {
            for reference in self.concerned(permit, &done.being, input) {
                for path in &permit.writes {
                    let place = (&*permit.rule.file, path.spot);
                    self.check_reference(place, reference, &path.value, done);
                    self.note_fields(&permit.rule, reference, &path.value, done);
                }
                self.note_parameters(&permit.rule, reference, done);
            }
        }
    }

    fn check_reference(
        &mut self,
        (file, spot): (&str, Spot),
        reference: OperationRef,
        path: &FieldPath,
        done: &Integration,
    ) {
        let Some(operation) = self.rules.op(reference) else {
            return;
        };
        let api = operation.api.clone();
        let mut found: Vec<(String, String)> = Vec::new();
        for name in named_at(&operation.request, path) {
            let kinds = self.rules.kinds.iter();
            let Some(id) = kinds.clone().position(|k| k.schema == name && k.api == api) else {
                continue;
            };
            let readers = done.by_kind.get(&id).map(Vec::as_slice).unwrap_or_default();
            let mut entries = readers.iter().filter_map(|r| done.entries.get(r));
            let kind = self.rules.kind(id);
            let fault = kind.and_then(|kind| unresolved(&self.rules, operation, kind));
            if readers.is_empty() {
                found.push((
                    format!("`{path}` names a `{name}`, but no grant of `{}` reads one, so that every such request would be refused", done.name),
                    format!("grant an operation that answers with a `{name}`, or take `{path}` out of `writes`"),
                ));
            } else if let Some((why, help)) = fault
                && !entries.any(Entry::is_open)
            {
                let message = format!("`{path}` names a `{name}` that has to be judged, but {why}");
                found.push((message, help));
            }
        }
        for (message, help) in found {
            self.mistake_at(file, spot, message, help);
        }
    }
}

/// The kinds named at a path of a body or below it.
fn named_at(shape: &Shape, path: &FieldPath) -> BTreeSet<Arc<str>> {
    let start = path.steps.iter().try_fold(0, |node, step| {
        let place = shape.node(node)?;
        match &**step {
            "*" => place.items.or(place.values),
            name => place.fields.get(name).map(|f| f.node).or(place.values),
        }
    });
    let mut names = BTreeSet::new();
    let mut seen = vec![false; shape.nodes.len()];
    let mut open: Vec<NodeId> = start.into_iter().collect();
    while let Some(node) = open.pop() {
        match seen.get_mut(node) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let Some(place) = shape.node(node) else {
            continue;
        };
        names.extend(place.refers_to.clone());
        let fields = place.fields.values().filter(|f| !f.is_read_only);
        open.extend(fields.map(|f| f.node));
        open.extend(place.items.into_iter().chain(place.values));
    }
    names
}
