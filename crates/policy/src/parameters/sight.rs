//! Is a field seen in full, and is everything? The fields of a plan against those of the contract.
//! Exports `FieldView`.
//! Used while the parameters of an entry are worked out.
//! Start reading at `FieldView::sees`.

use std::collections::HashSet;
use std::sync::Arc;

use model::FieldPath;
use model::shape::{Class, NodeId};

use crate::plan::{Ground, Guard, KindId, Plan, Sight, outermost};

/// What some grants together show of one operation's objects.
pub(super) struct FieldView<'a> {
    pub ground: Ground<'a>,
    pub plan: &'a Plan,
    /// Kinds whose objects are judged one by one when they stand inside another object.
    pub is_judged: &'a dyn Fn(KindId) -> bool,
}

/// Whether a field is there and seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldSight {
    Absent,
    Hidden,
    Seen,
}

type Start = (NodeId, Option<usize>);

impl FieldView<'_> {
    /// Whether every field of the objects is seen in full.
    pub fn sees_all(&self) -> bool {
        self.starts(false)
            .into_iter()
            .all(|(node, place)| self.whole(node, place, &mut HashSet::new()))
    }

    /// Whether a field is seen in full wherever an object has it.
    pub fn sees(&self, path: &FieldPath) -> FieldSight {
        let mut best = FieldSight::Absent;
        for start in self.starts(path.is_from_root) {
            match self.at(start, &path.steps) {
                FieldSight::Absent => {}
                FieldSight::Hidden => return FieldSight::Hidden,
                FieldSight::Seen => best = FieldSight::Seen,
            }
        }
        best
    }

    /// The places in the contract that a path counts from.
    pub fn nodes(&self, is_from_root: bool) -> Vec<NodeId> {
        let starts = self.starts(is_from_root).into_iter();
        starts.map(|(node, _)| node).collect()
    }

    /// The objects a path counts from: resource objects; where none is declared, the items of the answer's lists.
    fn starts(&self, is_from_root: bool) -> Vec<Start> {
        let root = (0, self.plan.root);
        if is_from_root {
            return vec![root];
        }
        if self.ground.is_guarded() {
            let found = outermost(self.ground).into_iter();
            return found
                .map(|(node, _)| (node, self.plan.start(node)))
                .collect();
        }
        let Some(node) = self.ground.shape.root() else {
            return Vec::new();
        };
        let here = self.plan.root.and_then(|place| self.plan.place(place));
        if let Some(item) = node.items {
            return vec![(item, here.and_then(|place| place.items))];
        }
        let lists: Vec<Start> = node
            .fields
            .iter()
            .filter_map(|(name, field)| {
                let item = self.ground.shape.node(field.node)?.items?;
                let list = here.and_then(|place| Some(place.member(name)?.0));
                let list = list.and_then(|place| self.plan.place(place));
                Some((item, list.and_then(|place| place.items)))
            })
            .collect();
        if lists.is_empty() { vec![root] } else { lists }
    }

    fn at(&self, (mut node, mut place): Start, steps: &[Arc<str>]) -> FieldSight {
        for step in steps {
            let Some(here) = self.ground.shape.node(node) else {
                return FieldSight::Absent;
            };
            let below = match &**step {
                "*" => here.items.or(here.values),
                name => here.fields.get(name).map(|f| f.node).or(here.values),
            };
            let Some(below) = below else {
                return FieldSight::Absent;
            };
            let shown = place.and_then(|place| self.plan.place(place));
            place = shown.and_then(|shown| match &**step {
                "*" => shown.items.or(shown.values),
                name => shown.member(name).map(|(place, _)| place),
            });
            place = self.entered(place);
            node = below;
        }
        match self.whole(node, place, &mut HashSet::new()) {
            true => FieldSight::Seen,
            false => FieldSight::Hidden,
        }
    }

    /// A place behind its guard.
    fn entered(&self, place: Option<usize>) -> Option<usize> {
        match self.plan.place(place?)?.guard {
            Guard::None => place,
            Guard::Outermost(_, node) => self.plan.start(node),
            Guard::Nested(kind) => place.filter(|_| !(self.is_judged)(kind)),
        }
    }

    /// Whether a place and everything below it is seen in full.
    fn whole(
        &self,
        node: NodeId,
        place: Option<usize>,
        seen: &mut HashSet<(NodeId, usize)>,
    ) -> bool {
        let (Some(here), Some(index)) = (self.ground.shape.node(node), self.entered(place)) else {
            return false;
        };
        let Some(shown) = self.plan.place(index) else {
            return false;
        };
        let is_value = here.fields.is_empty() && here.items.is_none() && here.values.is_none();
        if here.class == Class::Secret || (is_value && shown.leaf != Some(Sight::Full)) {
            return false;
        }
        // Met before: either it is seen, or the walk has ended already.
        if !seen.insert((node, index)) {
            return true;
        }
        here.fields.iter().all(|(name, field)| {
            let below = shown.member(name).map(|(place, _)| place);
            !field.is_write_only && self.whole(field.node, below, seen)
        }) && here
            .items
            .is_none_or(|item| self.whole(item, shown.items, seen))
            && here
                .values
                .is_none_or(|value| self.whole(value, shown.values, seen))
    }
}
