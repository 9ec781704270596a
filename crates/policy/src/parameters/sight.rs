//! Is a field seen in full, and is everything? The fields of a plan against those of the contract.
//! Exports `FieldView`.
//! Used while the parameters of an entry are worked out.
//! Start reading at `FieldView::sees`.

use std::collections::HashSet;
use std::sync::Arc;

use model::FieldPath;
use model::shape::{Class, NodeId};

use crate::nested::{Inside, Levels, Within};
use crate::plan::{Guard, KindId, Plan, ResponseShape, Step, Visibility, outermost};

/// What some grants together show of one operation's objects.
pub(super) struct FieldView<'a> {
    pub ground: ResponseShape<'a>,
    pub plan: &'a Plan,
    /// What is seen of every object of a kind that stands inside another; hidden where some may be left out.
    pub inside: &'a dyn Fn(KindId) -> Inside,
}

/// Whether a field is there and seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldSight {
    Absent,
    Hidden,
    Seen,
}

type Start = (NodeId, Option<usize>);

/// A place that was entered, and what the nested objects around it let out.
type Entered = (usize, Within);

/// Positions of the walk over shape and plans.
type Met = HashSet<(NodeId, usize, Vec<(usize, usize)>)>;

impl FieldView<'_> {
    /// Whether every field of the objects is seen in full.
    pub fn sees_all(&self) -> bool {
        self.starts(false).into_iter().all(|(node, place)| {
            let mut levels = Levels::default();
            let entered =
                place.and_then(|place| self.entered(place, Within::default(), &mut levels));
            self.whole(node, entered, &mut levels, &mut Met::new())
        })
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

    fn at(&self, (mut node, place): Start, steps: &[Arc<str>]) -> FieldSight {
        let mut levels = Levels::default();
        let mut entered = place.map(|place| (place, Within::default()));
        for step in steps {
            let Some(here) = self.ground.shape.node(node) else {
                return FieldSight::Absent;
            };
            let (step, below) = match &**step {
                "*" if here.items.is_some() => (Step::Item, here.items),
                "*" => (Step::Rest, here.values),
                name => {
                    let field = here.fields.get(name).map(|f| f.node);
                    (Step::Member(name), field.or(here.values))
                }
            };
            let Some(below) = below else {
                return FieldSight::Absent;
            };
            entered = self.below(entered, step, &mut levels);
            node = below;
        }
        if steps.is_empty() {
            entered = entered.and_then(|(place, within)| self.entered(place, within, &mut levels));
        }
        if self.whole(node, entered, &mut levels, &mut Met::new()) {
            FieldSight::Seen
        } else {
            FieldSight::Hidden
        }
    }

    /// One step further in, behind whatever guards that place.
    fn below(&self, from: Option<Entered>, step: Step<'_>, levels: &mut Levels) -> Option<Entered> {
        let (place, within) = from?;
        let place = self.plan.place(place)?.step(step)?;
        let within = levels.enter(within, step)?;
        self.entered(place, within, levels)
    }

    /// A place behind its guards.
    fn entered(&self, place: usize, mut within: Within, levels: &mut Levels) -> Option<Entered> {
        let guard = self.plan.place(place)?.guard;
        if let Guard::Outermost(_, node) = guard {
            return Some((self.plan.start(node)?, within));
        }
        for kind in levels.kinds(guard, within) {
            within = match (self.inside)(kind) {
                Inside::Hidden => return None,
                Inside::Free => within,
                Inside::Shown(spot) => levels.add(within, &spot),
            };
        }
        Some((place, within))
    }

    /// Whether a place that was entered and everything below it is seen in full.
    fn whole(
        &self,
        node: NodeId,
        entered: Option<Entered>,
        levels: &mut Levels,
        met: &mut Met,
    ) -> bool {
        let (Some(here), Some((index, within))) = (self.ground.shape.node(node), entered) else {
            return false;
        };
        let Some(shown) = self.plan.place(index) else {
            return false;
        };
        let is_value = here.fields.is_empty() && here.items.is_none() && here.values.is_none();
        let sight = levels.sight(within, shown.leaf);
        if here.class == Class::Secret || (is_value && sight != Some(Visibility::Full)) {
            return false;
        }
        // Met before: either it is seen, or the walk has ended already.
        if !met.insert((node, index, levels.key(within).to_vec())) {
            return true;
        }
        if here.fields.values().any(|field| field.is_write_only) {
            return false;
        }
        let fields = here.fields.iter();
        let fields = fields.map(|(name, field)| (Step::Member(name), field.node));
        let items = here.items.map(|item| (Step::Item, item));
        let values = here.values.map(|value| (Step::Rest, value));
        fields.chain(items).chain(values).all(|(step, node)| {
            let mark = levels.mark();
            let below = self.below(entered, step, levels);
            let is_whole = self.whole(node, below, levels, met);
            levels.leave(mark);
            is_whole
        })
    }
}
