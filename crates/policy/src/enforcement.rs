//! By what an operation's objects are judged for one integration, and what a question leaves open.
//! Exports `Rules::enforcement`, `Enforcement`, `Judged`, `By`.
//! Used by the command line (`access`, `can`). The facts are those that `Permit::before` and `Permit::after` act by.
//! Start reading at `Rules::enforcement`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cedar::ConditionSet;
use crate::input::{ParameterPlace, Source};
use crate::plan::KindId;
use crate::rules::{
    Entry, Integration, Named, Operation, OperationRef, Rules, Shown, is_told_by_path,
};

/// What is judged besides caller and operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Enforcement {
    /// The objects that are judged, and by what.
    pub judged: Vec<Judged>,
    /// Whether one of them can keep the whole call from being answered: no grant holds without it, or a policy may forbid.
    pub can_refuse: bool,
    /// Hand-written policies that may forbid: `policies/cancelled.cedar:3`.
    pub policies: Vec<String>,
    /// What of the request decides whether any grant holds: `network.address`, `path.siteId`, `query.status`.
    pub asks: BTreeSet<String>,
}

/// One kind of object that is judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Judged {
    /// `WorkOrder`
    pub kind: Arc<str>,
    /// By what.
    pub by: By,
    /// The operation that looks it up: before the call, or after it where the answer unexpectedly lacks it.
    pub look_up: Option<Arc<str>>,
}

/// By what an object is judged.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// What the path says of it.
    Path,
    /// The object as another operation shows it, before anything is forwarded.
    LookUp,
    /// The answer, before it leaves.
    Answer,
    /// The body of the request, which describes it.
    Body,
}

impl Rules {
    /// What is judged when this integration uses this operation; `None` when no grant covers it.
    pub fn enforcement(&self, integration: &str, operation: OperationRef) -> Option<Enforcement> {
        let integration = self.integration_named(integration)?;
        let entry = integration.entries.get(&operation)?;
        let operation = self.op(operation)?;
        let mut judged: Vec<Judged> = Vec::new();
        if let Some(set) = &entry.at_object {
            judged.extend(self.own(operation, set));
        }
        judged.extend(self.others(operation, entry, integration));
        judged.sort();
        judged.dedup();
        let objects = entry.at_object.iter();
        let mut sets = objects.chain(entry.at_named.iter().map(|(_, set)| set));
        let by_set = sets.any(|set| entry.always == 0 || set.has_forbid());
        let by_reader = |named: &Named| is_seen_in_part(named.kind, integration);
        let can_refuse = by_set || in_path(operation).any(|(_, named)| by_reader(named));
        let forbids = entry
            .sets()
            .flat_map(|set| &set.members)
            .filter(|member| member.grant.is_none());
        let mut policies: Vec<String> = forbids.map(|member| member.rule.to_string()).collect();
        policies.sort();
        policies.dedup();
        // Where one grant holds whatever the request is like and nothing forbids, nothing of it decides.
        let deciding = entry
            .at_request
            .iter()
            .filter(|set| entry.always == 0 || set.has_forbid());
        Some(Enforcement {
            judged,
            can_refuse,
            policies,
            asks: deciding
                .flat_map(|set| set.needs.context_attributes.iter().cloned())
                .collect(),
        })
    }

    /// The objects an operation is about.
    fn own(&self, operation: &Operation, set: &ConditionSet) -> Vec<Judged> {
        let by_other = |kind: KindId, by| {
            let kind = self.kind(kind)?;
            let resolve = kind.resolve.as_ref();
            let look_up = resolve.map(|(resolve, _)| Arc::from(self.operation_id(*resolve)));
            Some(Judged {
                kind: kind.schema.clone(),
                by,
                look_up: look_up.filter(|id: &Arc<str>| *id != operation.id && by != By::Path),
            })
        };
        match &operation.subject {
            Some((kind, Source::Path(_))) => {
                let is_shown = !operation.is_write && operation.shown != Shown::Nowhere;
                let is_in_path = self.kind(*kind).is_some_and(|k| is_told_by_path(k, set));
                let by = match (is_in_path, is_shown) {
                    (true, _) => By::Path,
                    (false, true) => By::Answer,
                    (false, false) => By::LookUp,
                };
                by_other(*kind, by).into_iter().collect()
            }
            _ => {
                let by = if operation.is_write {
                    By::Body
                } else {
                    By::Answer
                };
                let kinds = operation.resources.iter();
                let judged = kinds.filter_map(|kind| by_other(*kind, by));
                judged
                    .map(|judged| Judged {
                        look_up: None,
                        ..judged
                    })
                    .collect()
            }
        }
    }

    /// Other objects that the path names.
    fn others(
        &self,
        operation: &Operation,
        entry: &Entry,
        integration: &Integration,
    ) -> Vec<Judged> {
        let mut found = Vec::new();
        for (index, named) in in_path(operation) {
            let mut sets = entry.at_named.iter();
            let set = sets.find(|(at, _)| *at == index).map(|(_, set)| set);
            let is_seen_in_part = is_seen_in_part(named.kind, integration);
            let (Some(kind), true) = (self.kind(named.kind), set.is_some() || is_seen_in_part)
            else {
                continue;
            };
            let is_in_path = !is_seen_in_part && set.is_some_and(|set| is_told_by_path(kind, set));
            let resolve = kind.resolve.as_ref().filter(|_| !is_in_path);
            found.push(Judged {
                kind: kind.schema.clone(),
                by: if is_in_path { By::Path } else { By::LookUp },
                look_up: resolve.map(|(resolve, _)| Arc::from(self.operation_id(*resolve))),
            });
        }
        found
    }
}

/// Other objects that the path names, with their position in [`Operation::named`].
fn in_path(operation: &Operation) -> impl Iterator<Item = (usize, &Named)> {
    operation.named.iter().enumerate().filter(|(_, named)| {
        let parameter = operation.parameters.get(named.parameter);
        parameter.is_some_and(|p| p.place == ParameterPlace::Path)
    })
}

/// Whether an integration reads objects of a kind, and not all of them.
fn is_seen_in_part(kind: KindId, integration: &Integration) -> bool {
    let readers = integration.by_kind.get(&kind);
    let mut entries = readers
        .into_iter()
        .flatten()
        .filter_map(|r| integration.entries.get(r));
    readers.is_some() && !entries.any(Entry::is_open)
}
