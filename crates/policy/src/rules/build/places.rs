//! Where a request body that changes an object carries the object's attributes: at its root, or in an envelope.
//! Gives `of`. Decided by the shape of the body, once, at compile.
//! Used by `Build::api`; `Seen::value` reads attributes there.
//! Start reading at `of`.

use std::sync::Arc;

use model::Shape;
use model::shape::NodeId;

use super::super::{EACH, Kind, Steps};
use super::kinds::field_at;
use crate::input::Source;
use crate::plan::KindId;

/// Deepest envelope that is searched.
const DEPTH_MAX: usize = 6;
/// Most nodes of one depth that are looked at.
const WIDTH_MAX: usize = 2_000;

/// For each attribute of the kind, the objects of the body that may carry it: the outermost ones that declare it, and
/// every object of the kind itself. An attribute that is declared nowhere has none.
pub(super) fn of(
    id: KindId,
    kind: &Kind,
    shape: &Shape,
    guards: &[Option<KindId>],
) -> Vec<Vec<Steps>> {
    kind.attributes
        .iter()
        .map(|attribute| match &attribute.source {
            Source::Body(steps) => Search { id, shape, guards }.run(steps),
            Source::Path(_) => Vec::new(),
        })
        .collect()
}

struct Search<'s> {
    id: KindId,
    shape: &'s Shape,
    guards: &'s [Option<KindId>],
}

impl Search<'_> {
    fn run(&self, steps: &[Arc<str>]) -> Vec<Steps> {
        let mut level: Vec<(NodeId, Steps)> = vec![(0, Vec::new())];
        let mut found: Vec<Steps> = Vec::new();
        for _ in 0..DEPTH_MAX {
            let is_first = found.is_empty();
            let carriers = level.iter().filter(|(node, at)| {
                let is_near = is_first && (!is_in_list(at) || self.is_envelope());
                (is_near || self.is_own(*node)) && field_at(self.shape, *node, steps).is_some()
            });
            found.extend(carriers.map(|(_, at)| at.clone()));
            level = level
                .iter()
                // What stands inside an object of the kind is another object.
                .filter(|(node, _)| !self.is_own(*node))
                .flat_map(|(node, at)| self.below(*node, at))
                .filter(|(node, _)| self.guard(*node).is_none_or(|kind| kind == self.id))
                .take(WIDTH_MAX)
                .collect();
        }
        found
    }

    fn guard(&self, node: NodeId) -> Option<KindId> {
        self.guards.get(node).copied().flatten()
    }

    fn is_own(&self, node: NodeId) -> bool {
        self.guard(node) == Some(self.id)
    }

    /// Whether the body is nothing but one list, so that its items are what the request is about. Items of other
    /// lists, such as the lines of an order, are things of their own.
    fn is_envelope(&self) -> bool {
        self.shape.root().is_some_and(|root| {
            let mut fields = root.fields.values();
            match (fields.next(), fields.next()) {
                (Some(only), None) => self
                    .shape
                    .node(only.node)
                    .is_some_and(|node| node.items.is_some()),
                _ => false,
            }
        })
    }

    fn below(&self, node: NodeId, at: &[Arc<str>]) -> Vec<(NodeId, Steps)> {
        let Some(place) = self.shape.node(node) else {
            return Vec::new();
        };
        let step = |name: Arc<str>, node| {
            let mut at = at.to_vec();
            at.push(name);
            (node, at)
        };
        let fields = place.fields.iter();
        let fields = fields.map(|(name, field)| step(name.clone(), field.node));
        let items = place.items.map(|item| step(Arc::from(EACH), item));
        fields.chain(items).collect()
    }
}

fn is_in_list(at: &[Arc<str>]) -> bool {
    at.iter().any(|step| &**step == EACH)
}
