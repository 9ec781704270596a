//! Listed fields of nested objects that never leave, because no grant for their kind shows them.
//! Exports the part of `Build` that says so at the line of the list.
//! Used by `Build::integration`.
//! Start reading at `Build::note_nested`.

use std::sync::Arc;

use model::{FieldPath, RuleRef};

use super::super::{Entry, Integration, Operation};
use super::Build;
use crate::input::IntegrationGrants;
use crate::nested::{Levels, Within};
use crate::parameters::ParameterNote;
use crate::plan::{Guard, KindId, Plan, Step, outermost};

impl Build {
    /// Every listed field that lies inside a nested object: some grant for that kind has to show it as well.
    pub(super) fn note_nested(&mut self, input: &IntegrationGrants, done: &Integration) {
        for grant in &input.grants {
            for id in &grant.operations {
                let reference = self.rules.operation(&grant.api, &id.value);
                let known =
                    reference.and_then(|r| Some((self.rules.op(r)?, done.entries.get(&r)?)));
                let Some((operation, entry)) = known else {
                    continue;
                };
                let plan = entry.plan(operation, bit_of(entry, &grant.rule));
                let lost = |path: &FieldPath| self.lost(path, &plan, operation, done);
                let found: Vec<_> = grant
                    .fields
                    .iter()
                    .filter_map(|field| Some((field.spot.line, &field.value, lost(&field.value)?)))
                    .map(|(line, path, kind)| {
                        self.nested_note((grant.rule.file.clone(), line), path, operation, kind)
                    })
                    .collect();
                for note in found {
                    if !self.rules.parameter_notes.contains(&note) {
                        self.rules.parameter_notes.push(note);
                    }
                }
            }
        }
    }

    fn nested_note(
        &self,
        (file, line): (Arc<str>, u32),
        path: &FieldPath,
        operation: &Operation,
        kind: KindId,
    ) -> ParameterNote {
        let schema = self.rules.kind(kind).map_or("object", |kind| &*kind.schema);
        ParameterNote {
            rule: RuleRef { file, line },
            message: format!(
                "`{path}` never leaves `{}`: the grants of the integration for `{schema}` do not show it",
                operation.id
            ),
            help: format!("Grant it where a `{schema}` is read, or take it out of `fields`."),
        }
    }

    /// The kind whose grants keep a field back wherever it stands; `None` where it leaves, or what encloses it keeps it back.
    fn lost(
        &self,
        path: &FieldPath,
        plan: &Plan,
        operation: &Operation,
        done: &Integration,
    ) -> Option<KindId> {
        let ground = operation.ground();
        let starts: Vec<usize> = if path.is_from_root || !ground.is_guarded() {
            plan.root.into_iter().collect()
        } else {
            outermost(ground)
                .into_iter()
                .filter_map(|(node, _)| plan.start(node))
                .collect()
        };
        let mut lost = None;
        for start in starts {
            match self.keeper(path, plan, start, done) {
                Ok(()) => return None,
                Err(kind) => lost = lost.or(kind),
            }
        }
        lost
    }

    /// Walks to a field. An error names the kind whose grants do not show it, where it is one of them.
    fn keeper(
        &self,
        path: &FieldPath,
        plan: &Plan,
        start: usize,
        done: &Integration,
    ) -> Result<(), Option<KindId>> {
        let mut levels = Levels::default();
        let (mut place, mut within, mut last) = (start, Within::default(), None);
        for step in &path.steps {
            let here = plan.place(place).ok_or(None)?;
            let step = match &**step {
                "*" if here.items.is_some() => Step::Item,
                "*" => Step::Rest,
                name => Step::Member(name),
            };
            place = here.step(step).ok_or(None)?;
            within = levels.enter(within, step).ok_or(last)?;
            let guard = plan.place(place).map_or(Guard::None, |place| place.guard);
            for kind in levels.kinds(guard, within) {
                if let Some(inner) = done.inner.get(&kind) {
                    let spot = inner.at_most(&self.rules, done).ok_or(Some(kind))?;
                    (within, last) = (levels.add(within, &spot), Some(kind));
                }
            }
        }
        Ok(())
    }
}

fn bit_of(entry: &Entry, rule: &RuleRef) -> u64 {
    let bit = entry.grants.iter().position(|grant| grant.rule == *rule);
    bit.and_then(|bit| 1u64.checked_shl(u32::try_from(bit).ok()?))
        .unwrap_or(0)
}
