//! What probably names an object, and nothing says so: ids that would be passed on unseen.
//! Exports the part of `Build` that warns of them, with the line to add to the overlay.
//! Used by `Build::check_references`.
//! Start reading at `Build::note_fields`; what looks like a reference is worked out by `model::likeness`.

use std::sync::Arc;

use model::likeness::{self, KindName, Likely};
use model::shape::{NO_KIND, Scalar};
use model::{FieldPath, RuleRef};

use super::super::{Entry, Integration, Operation, OperationRef, parameter_scalar};
use super::Build;
use crate::input::{ParameterPlace, ParameterShape, Source};
use crate::parameters::ParameterNote;
use crate::plan::KindId;

/// The kinds of one api version, as names are compared with them.
#[derive(Debug, Default)]
pub(super) struct Known {
    kinds: Vec<(KindId, Arc<str>, Arc<str>, Scalar)>,
}

impl Known {
    fn names(&self) -> Vec<KindName<'_>> {
        let kinds = self.kinds.iter();
        kinds
            .map(|(_, schema, id, scalar)| KindName {
                schema,
                id,
                scalar: *scalar,
            })
            .collect()
    }

    fn position(&self, kind: KindId) -> Option<usize> {
        self.kinds.iter().position(|(id, ..)| *id == kind)
    }
}

impl Build {
    /// Fields that a grant lets be sent.
    pub(super) fn note_fields(
        &mut self,
        rule: &RuleRef,
        reference: OperationRef,
        path: &FieldPath,
        done: &Integration,
    ) {
        let (known, found) = (self.known(reference), self.likely(reference));
        let Some(operation) = self.rules.op(reference) else {
            return;
        };
        let granted = found.iter().filter(|likely| {
            path.steps.starts_with(&likely.steps) || likely.steps.starts_with(&path.steps)
        });
        let mut notes = Vec::new();
        for likely in granted {
            let Some((kind, schema, ..)) = known.kinds.get(likely.kind) else {
                continue;
            };
            if !sees_all(*kind, done) {
                let name = likely.steps.join(".");
                let said = format!("`{name}` in the body of `{}`", operation.id);
                notes.push(note(rule, &said, schema, likely.target.as_deref()));
            }
        }
        self.noted(notes);
    }

    /// Parameters of a granted operation. Those of a read that are not in its path only ask, and what they may ask is
    /// worked out with the other parameters.
    pub(super) fn note_parameters(
        &mut self,
        rule: &RuleRef,
        reference: OperationRef,
        done: &Integration,
    ) {
        let known = self.known(reference);
        let Some(operation) = self.rules.op(reference) else {
            return;
        };
        let names = known.names();
        let own = operation.subject.as_ref().map(|(kind, _)| *kind);
        let own = own.and_then(|kind| known.position(kind));
        let mut notes = Vec::new();
        for (index, parameter) in operation.parameters.iter().enumerate() {
            let is_known = operation.named.iter().any(|named| named.parameter == index);
            let is_asked = operation.is_write || parameter.place == ParameterPlace::Path;
            if is_known || !is_asked || is_said(operation, parameter) {
                continue;
            }
            let likely = likeness::likely_name(&parameter.name, &names, own);
            let meant = likely.and_then(|kind| known.kinds.get(kind));
            let fitting = meant.filter(|(kind, _, _, scalar)| {
                *scalar == parameter.scalar && !sees_all(*kind, done)
            });
            let Some((_, schema, ..)) = fitting else {
                continue;
            };
            let said = format!("the parameter `{}` of `{}`", parameter.name, operation.id);
            notes.push(match parameter.place {
                ParameterPlace::Header => in_header(rule, &said, schema, parameter),
                _ => note(rule, &said, schema, parameter.at.as_deref()),
            });
        }
        self.noted(notes);
    }

    /// The kinds of the operation's api, worked out once.
    fn known(&mut self, reference: OperationRef) -> Arc<Known> {
        let Some(operation) = self.rules.op(reference) else {
            return Arc::default();
        };
        if let Some(known) = self.known.get(&operation.api) {
            return known.clone();
        }
        let api = operation.api.clone();
        let kinds = self.rules.kinds.iter().enumerate();
        let kinds = kinds.filter(|(_, kind)| kind.api == api);
        let known = kinds.map(|(id, kind)| {
            let (name, scalar) = match &kind.id {
                Source::Path(name) => (name.clone(), scalar_of(&self.rules.operations, &api, name)),
                Source::Body(steps) => (steps.last().cloned().unwrap_or_default(), Scalar::Text),
            };
            (id, kind.schema.clone(), name, scalar)
        });
        let known = Arc::new(Known {
            kinds: known.collect(),
        });
        self.known.insert(api, known.clone());
        known
    }

    /// What looks like a reference in the body of an operation, worked out once.
    fn likely(&mut self, reference: OperationRef) -> Arc<Vec<Likely>> {
        if let Some(found) = self.likely.get(&reference) {
            return found.clone();
        }
        let known = self.known(reference);
        let operation = self.rules.op(reference);
        let found = operation.map(|operation| fields(operation, &known));
        let found = Arc::new(found.unwrap_or_default());
        self.likely.insert(reference, found.clone());
        found
    }

    fn noted(&mut self, notes: Vec<ParameterNote>) {
        for note in notes {
            if !self.rules.parameter_notes.contains(&note) {
                self.rules.parameter_notes.push(note);
            }
        }
    }
}

fn scalar_of(operations: &[Operation], api: &Arc<str>, name: &str) -> Scalar {
    let own = operations.iter().filter(|operation| operation.api == *api);
    let mut found = own.filter_map(|operation| parameter_scalar(&operation.parameters, name));
    found.next().unwrap_or_default()
}

/// Whether the integration sees every object of the kind, so that it can name none that it does not see.
fn sees_all(kind: KindId, done: &Integration) -> bool {
    let readers = done.by_kind.get(&kind).into_iter().flatten();
    let mut entries = readers.filter_map(|reader| done.entries.get(reader));
    entries.any(Entry::is_open)
}

/// Whether the parameter is the object's own id, or something is declared of it.
fn is_said(operation: &Operation, parameter: &ParameterShape) -> bool {
    let is_subject = matches!(
        &operation.subject,
        Some((_, Source::Path(name))) if parameter.place == ParameterPlace::Path && *name == parameter.name
    );
    is_subject || parameter.refers_to.is_some()
}

fn fields(operation: &Operation, known: &Known) -> Vec<Likely> {
    let own = match &operation.subject {
        Some((kind, _)) => Some(*kind).filter(|_| operation.change.is_at_object),
        None => operation.resources.first().copied(),
    };
    let own = own.and_then(|kind| known.position(kind));
    likeness::likely(&operation.request, &known.names(), own)
}

fn note(rule: &RuleRef, said: &str, schema: &str, target: Option<&str>) -> ParameterNote {
    let line = match target {
        Some(target) => format!(
            "Add `- {{ target: \"{target}\", update: {{ x-portcullis-refers-to: {schema} }} }}` to the overlay"
        ),
        None => format!("Write `x-portcullis-refers-to: {schema}` beside it in the contract"),
    };
    ParameterNote {
        rule: rule.clone(),
        message: format!(
            "{said} looks like an id of `{schema}`, and nothing says whether it is one: whatever is sent is passed on"
        ),
        help: format!("{line}, with `{NO_KIND}` for `{schema}` where it names no such object."),
    }
}

fn in_header(
    rule: &RuleRef,
    said: &str,
    schema: &str,
    parameter: &ParameterShape,
) -> ParameterNote {
    let none = note(rule, said, NO_KIND, parameter.at.as_deref());
    ParameterNote {
        message: format!(
            "{said} looks like an id of `{schema}`, and in a header or a cookie no object can be judged: whatever is sent is passed on"
        ),
        help: format!(
            "Let the path, the query or the body name the object, or say that it names none: {}",
            none.help.split(", with").next().unwrap_or_default()
        ),
        rule: rule.clone(),
    }
}
