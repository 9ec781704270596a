//! Does the answer of a read show the object that its path names? Decided by the shape of the answer, once.
//! Exports `of`.
//! Used by `Build::api`; `Permit::before` looks up what no answer shows.
//! Start reading at `of`.

use std::sync::Arc;

use model::shape::{Class, Node, NodeId};

use super::super::{Operation, OperationRef, Rules, Shown, Steps};
use crate::input::Source;
use crate::plan::KindId;

/// Most places of one answer that are looked at. Beyond it the object is looked up.
const PLACES_MAX: usize = 10_000;

/// Where the answer of an operation shows the object that the path names: at the only place that holds one object of
/// its kind. Lists hold others.
pub(super) fn of(rules: &Rules, reference: OperationRef) -> Shown {
    let Some(operation) = rules.op(reference) else {
        return Shown::Nowhere;
    };
    let Some((kind, source @ Source::Path(name))) = &operation.subject else {
        return Shown::Nowhere;
    };
    let mut search = Search {
        operation,
        kind: *kind,
        found: Vec::new(),
        rest: PLACES_MAX,
    };
    search.enter(0, &mut Vec::new(), &mut Vec::new());
    let (false, [(node, steps)]) = (operation.is_write || search.rest == 0, &*search.found) else {
        return Shown::Nowhere;
    };
    let resolve = rules.kind(*kind).and_then(|kind| kind.resolve.as_ref());
    let is_trusted = operation.ends_in.as_ref() == Some(name)
        || resolve.is_some_and(|(resolve, _)| *resolve == reference);
    let place = operation.response.node(*node);
    match (is_trusted, place) {
        (true, _) if steps.is_empty() => Shown::Root,
        (true, _) => Shown::Inside {
            steps: steps.clone(),
            is_trusted,
        },
        (false, Some(place)) if has_id(place, source) => Shown::Inside {
            steps: steps.clone(),
            is_trusted,
        },
        _ => Shown::Nowhere,
    }
}

/// Whether an object at this place carries its id.
fn has_id(place: &Node, source: &Source) -> bool {
    match source {
        Source::Path(name) => place.fields.contains_key(name) || place.fields.contains_key("id"),
        Source::Body(_) => true,
    }
}

struct Search<'a> {
    operation: &'a Operation,
    kind: KindId,
    found: Vec<(NodeId, Steps)>,
    rest: usize,
}

impl Search<'_> {
    fn enter(&mut self, node: NodeId, at: &mut Steps, open: &mut Vec<NodeId>) {
        let ground = self.operation.ground();
        let leads = ground.leads.get(node).copied().unwrap_or(false);
        let Some(place) = ground.shape.node(node).filter(|_| leads) else {
            return;
        };
        if self.rest == 0 || self.found.len() > 1 || open.contains(&node) {
            return;
        }
        self.rest = self.rest.saturating_sub(1);
        match ground.guard(node) {
            Some(kind) if kind == self.kind => self.found.push((node, at.clone())),
            Some(_) => {}
            None => {
                open.push(node);
                for (name, field) in &place.fields {
                    let class = ground.shape.node(field.node).map(|below| below.class);
                    if !field.is_write_only && class != Some(Class::Secret) {
                        at.push(Arc::clone(name));
                        self.enter(field.node, at, open);
                        at.pop();
                    }
                }
                open.pop();
            }
        }
    }
}
