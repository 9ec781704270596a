//! What a request body is to the object that the request names, and where it carries the object's attributes: at its
//! root, or in an envelope.
//! Exports `of`. Decided by the shape of the body, once, at compile.
//! Used by `Build::api`; `Seen::value` reads attributes there.
//! Start reading at `of`.

use std::sync::Arc;

use model::shape::NodeId;
use model::{MessageKind, Shape};

use super::super::{Change, EACH, Kind, Operation, Steps};
use super::enforced::may_hold;
use super::fields::field_at;
use crate::input::{BodyMeaning, Source};
use crate::plan::KindId;

/// Deepest envelope that is searched.
const DEPTH_MAX: usize = 6;
/// Most nodes of one depth that are looked at.
const WIDTH_MAX: usize = 2_000;

/// What the bodies of an operation are to the object that its requests name.
pub(super) fn of(operation: &Operation, kinds: &[Kind]) -> Change {
    let mut change = Change {
        meaning: operation.change.meaning,
        has_no_fields: operation.body_kind != MessageKind::Fields,
        takes_steps: operation.change.takes_steps,
        ..Change::default()
    };
    let Some((id, source)) = &operation.subject else {
        return change;
    };
    let (request, guards) = (&*operation.request, &*operation.request_guards);
    let is_own = guards.first().copied().flatten() == Some(*id);
    change.is_at_id =
        matches!(source, Source::Path(name) if operation.ends_in.as_ref() == Some(name));
    change.is_at_object = change.is_at_id
        || matches!(source, Source::Body(_))
        || (is_own && change.meaning != BodyMeaning::Action);
    let Some(kind) = kinds.get(*id) else {
        return change;
    };
    let search = Search {
        id: *id,
        shape: request,
        guards,
        holds_items: change.holds_items(),
    };
    change.places = search.all(kind);
    change.objects = search.objects(&change.places);
    let can_hold = |places: &[Steps], steps: &[Arc<str>]| {
        let mut all = places.iter().chain(&change.objects);
        all.any(|at| field_at(request, 0, at).is_some_and(|node| may_hold(request, node, steps)))
    };
    let attributes = kind.attributes.iter().zip(&change.places);
    change.kept = attributes
        .map(|(attribute, places)| match &attribute.source {
            Source::Body(steps) => !can_hold(places, steps),
            Source::Path(_) => true,
        })
        .collect();
    change
}

struct Search<'s> {
    id: KindId,
    shape: &'s Shape,
    guards: &'s [Option<KindId>],
    /// Lists hold objects of their own, which are judged as that.
    holds_items: bool,
}

impl Search<'_> {
    /// For each attribute of the kind, the objects of the body that may carry it: the outermost ones that declare it,
    /// and every object of the kind itself. An attribute that is declared nowhere has none.
    fn all(&self, kind: &Kind) -> Vec<Vec<Steps>> {
        let attributes = kind.attributes.iter();
        attributes
            .map(|attribute| match &attribute.source {
                Source::Body(steps) => self.run(steps),
                Source::Path(_) => Vec::new(),
            })
            .collect()
    }

    /// Where the object itself may stand: what is declared as one, else the root and whatever carries its attributes.
    fn objects(&self, places: &[Vec<Steps>]) -> Vec<Steps> {
        let mut found = self.own();
        if found.is_empty() {
            let carriers = places.iter().flatten().filter(|at| !is_in_list(at));
            found.extend(carriers.cloned());
            found.push(Vec::new());
        }
        found.sort();
        found.dedup();
        found
    }

    /// The outermost places outside of lists that are declared as the kind.
    fn own(&self) -> Vec<Steps> {
        let mut level: Vec<(NodeId, Steps)> = vec![(0, Vec::new())];
        let mut found = Vec::new();
        for _ in 0..DEPTH_MAX {
            let (own, others): (Vec<_>, Vec<_>) =
                level.into_iter().partition(|(node, _)| self.is_own(*node));
            found.extend(own.into_iter().map(|(_, at)| at));
            level = others
                .iter()
                .flat_map(|(node, at)| self.below(*node, at))
                .filter(|(node, at)| {
                    !is_in_list(at) && self.guard(*node).is_none_or(|kind| kind == self.id)
                })
                .take(WIDTH_MAX)
                .collect();
        }
        found
    }

    fn run(&self, steps: &[Arc<str>]) -> Vec<Steps> {
        let mut level: Vec<(NodeId, Steps)> = vec![(0, Vec::new())];
        let mut found: Vec<Steps> = Vec::new();
        for _ in 0..DEPTH_MAX {
            let is_first = found.is_empty();
            let carriers = level.iter().filter(|(node, at)| {
                let is_near = is_first && (!is_in_list(at) || self.is_envelope());
                let is_item = self.holds_items && is_in_list(at) && self.is_own(*node);
                !is_item
                    && (is_near || self.is_own(*node))
                    && field_at(self.shape, *node, steps).is_some()
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
