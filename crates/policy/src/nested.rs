//! Objects of a declared kind inside others: which grants show them, and what of them leaves.
//! Exports `Inner` (the grants of one integration for one kind), `Inside` (what they say of an object) and `Levels` (places
//! in several plans at once).
//! Used by rules (compile), release, access and parameters.
//! Start reading at `Inner::of`.
//!
//! A grant is *for* a kind where its operation reads, answers with objects of that kind (its outermost ones) and the grant
//! lists fields of them. Fields are compared by their names, step by step: the schema of that answer may be another one
//! than that of the nested object, and what only one of the two declares does not leave.
//! An integration without such grants has said nothing about the fields; what encloses the object governs them.

mod joined;

use std::sync::{Arc, OnceLock};

use model::Json;
use model::shape::NodeId;

use crate::plan::{Guard, KindId, Place, Plan, Step, Visibility, outermost};
use crate::rules::{Entry, Integration, OperationRef, Rules, Seen};
use crate::standing::Standing;

/// Most combinations of grants whose plan is kept as long as the configuration.
const KNOWN_MAX: usize = 32;

/// A place of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub plan: Arc<Plan>,
    pub place: usize,
}

/// What an integration's grants for its kind say of a nested object.
#[derive(Clone, Debug)]
pub(crate) enum Inside {
    /// None of them holds for it.
    Hidden,
    /// None of them lists fields: what encloses it governs.
    Free,
    /// They let no more leave than this.
    Shown(Spot),
}

/// One reading operation that answers with objects of the kind.
#[derive(Debug)]
struct Reader {
    operation: OperationRef,
    /// Where its answer holds them.
    starts: Vec<NodeId>,
    /// Bits of the grants that list fields of them.
    grants: u64,
}

/// The grants of an integration that show objects of one kind.
#[derive(Debug)]
pub(crate) struct Inner {
    readers: Vec<Reader>,
    /// One of them holds for every object.
    pub is_open: bool,
    /// Nothing is asked of any object.
    is_settled: bool,
    known: Known,
}

/// What leaves by the combinations of grants that were met, one after the other. Never emptied, and read without a lock.
#[derive(Debug, Default)]
struct Known(OnceLock<Box<Met>>);

#[derive(Debug)]
struct Met {
    /// In the order of the readers.
    held: Vec<u64>,
    spot: Spot,
    next: Known,
}

impl Known {
    fn all(&self) -> impl Iterator<Item = &Met> {
        let first = self.0.get().map(|met| &**met);
        std::iter::successors(first, |met| met.next.0.get().map(|met| &**met))
    }

    /// Keeps one more, as long as there is room.
    fn add(&self, held: Vec<u64>, spot: Spot) {
        let mut met = Box::new(Met {
            held,
            spot,
            next: Known::default(),
        });
        let mut here = self;
        for _ in 0..KNOWN_MAX {
            match here.0.set(met) {
                Ok(()) => return,
                // Another request was faster.
                Err(back) => met = back,
            }
            let Some(next) = here.0.get() else { return };
            here = &next.next;
        }
    }
}

impl Inner {
    /// The grants for a kind; `None` where no grant for it lists fields.
    pub fn of(rules: &Rules, done: &Integration, kind: KindId) -> Option<Inner> {
        let readers: Vec<Reader> = done
            .by_kind
            .get(&kind)?
            .iter()
            .filter_map(|reference| reader(rules, done, *reference, kind))
            .collect();
        let is_open = readers.iter().any(|reader| {
            let entry = done.entries.get(&reader.operation);
            entry.is_some_and(|entry| entry.is_open() && entry.always & reader.grants != 0)
        });
        let is_settled = readers.iter().all(|reader| {
            let entry = done.entries.get(&reader.operation);
            entry.is_some_and(|entry| entry.sets().next().is_none())
        });
        (!readers.is_empty()).then_some(Inner {
            readers,
            is_open,
            is_settled,
            known: Known::default(),
        })
    }

    /// Whether every object is seen alike.
    pub fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// What the caller may see of an object.
    pub fn judge(&self, permit: &Standing, kind: KindId, seen: &Seen<'_>) -> Inside {
        let held = self.bits(&permit.integration, |reader, entry| {
            permit.held_elsewhere(reader.operation, entry, kind, seen)
        });
        match self.spot(&permit.rules, &permit.integration, held) {
            Some(spot) => Inside::Shown(spot),
            None => Inside::Hidden,
        }
    }

    /// What is seen of objects for which every grant holds.
    pub fn at_most(&self, rules: &Rules, done: &Integration) -> Option<Spot> {
        self.spot(rules, done, self.bits(done, |_, _| u64::MAX))
    }

    /// What is seen of every object, whatever it is like.
    pub fn at_least(&self, rules: &Rules, done: &Integration) -> Option<Spot> {
        let always = |_: &Reader, entry: &Entry| if entry.is_open() { entry.always } else { 0 };
        self.spot(rules, done, self.bits(done, always))
    }

    fn bits(&self, done: &Integration, held: impl Fn(&Reader, &Entry) -> u64) -> Vec<u64> {
        let readers = self.readers.iter().map(|reader| {
            let entry = done.entries.get(&reader.operation);
            entry.map_or(0, |entry| held(reader, entry) & reader.grants)
        });
        readers.collect()
    }

    /// What leaves by these grants together; `None` without any.
    fn spot(&self, rules: &Rules, done: &Integration, held: Vec<u64>) -> Option<Spot> {
        if held.iter().all(|bits| *bits == 0) {
            return None;
        }
        if let Some(met) = self.known.all().find(|met| met.held == held) {
            return Some(met.spot.clone());
        }
        let spot = self.joined(rules, done, &held)?;
        self.known.add(held, spot.clone());
        Some(spot)
    }

    fn joined(&self, rules: &Rules, done: &Integration, held: &[u64]) -> Option<Spot> {
        let mut parts: Vec<Spot> = Vec::new();
        for (reader, held) in self
            .readers
            .iter()
            .zip(held)
            .filter(|(_, held)| **held != 0)
        {
            let (operation, entry) = (
                rules.op(reader.operation)?,
                done.entries.get(&reader.operation)?,
            );
            let plan = entry.plan(operation, *held);
            let places = reader.starts.iter().filter_map(|start| plan.start(*start));
            parts.extend(places.map(|place| Spot {
                plan: plan.clone(),
                place,
            }));
        }
        match parts.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            _ => Some(Spot {
                plan: Arc::new(joined::joined(&parts)),
                place: 0,
            }),
        }
    }
}

fn reader(
    rules: &Rules,
    done: &Integration,
    reference: OperationRef,
    kind: KindId,
) -> Option<Reader> {
    let operation = rules
        .op(reference)
        .filter(|operation| !operation.is_write)?;
    let entry = done.entries.get(&reference)?;
    let starts: Vec<NodeId> = outermost(operation.ground())
        .into_iter()
        .filter(|(_, of)| *of == kind)
        .map(|(node, _)| node)
        .collect();
    let lists = |grants: u64, (bit, grant): (u32, &crate::rules::EntryGrant)| {
        if grant.trees.object.is_empty() {
            grants
        } else {
            grants | 1u64.checked_shl(bit).unwrap_or(0)
        }
    };
    let grants = (0u32..).zip(&entry.grants).fold(0, lists);
    (grants != 0 && !starts.is_empty()).then_some(Reader {
        operation: reference,
        starts,
        grants,
    })
}

impl Standing {
    /// What the integration's grants for its kind say of an object inside another.
    pub(crate) fn inside(&self, kind: KindId, seen: &Seen<'_>) -> Inside {
        match self.integration.inner.get(&kind) {
            Some(inner) => inner.judge(self, kind, seen),
            // The conditions of other grants about the kind still say whether it is shown.
            None => match self.may_see(kind, seen) {
                Some(false) => Inside::Hidden,
                Some(true) | None => Inside::Free,
            },
        }
    }

    /// Whether an object of this kind may be left out where it stands inside another.
    pub(crate) fn may_hide(&self, kind: KindId) -> bool {
        self.integration.may_hide(kind)
    }
}

impl Integration {
    /// Whether an object of this kind may be left out where it stands inside another.
    pub fn may_hide(&self, kind: KindId) -> bool {
        match (self.inner.get(&kind), self.by_kind.get(&kind)) {
            (Some(inner), _) => !inner.is_open,
            (None, Some(references)) => {
                let mut entries = references.iter().filter_map(|r| self.entries.get(r));
                !entries.any(Entry::is_open)
            }
            (None, None) => false,
        }
    }

    /// What is seen of every object of this kind that stands inside another, whatever it is like.
    pub fn always_inside(&self, rules: &Rules, kind: KindId) -> Inside {
        if self.may_hide(kind) {
            return Inside::Hidden;
        }
        let Some(inner) = self.inner.get(&kind) else {
            return Inside::Free;
        };
        let spot = inner.at_least(rules, self);
        spot.map_or(Inside::Hidden, Inside::Shown)
    }
}

/// Where a value stands in the plans of the objects around it, outermost first. A value leaves only by all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Within {
    from: usize,
    count: usize,
}

impl Within {
    fn range(self) -> std::ops::Range<usize> {
        self.from..self.from.saturating_add(self.count)
    }

    /// How many plans speak.
    pub fn count(self) -> usize {
        self.count
    }
}

/// The plans of nested objects during a walk, and a stack of places in them.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    plans: Vec<Arc<Plan>>,
    /// Index of the plan, and of the place in it.
    spots: Vec<(usize, usize)>,
}

impl Levels {
    /// How high the stack is, for [`Levels::leave`].
    pub fn mark(&self) -> usize {
        self.spots.len()
    }

    /// Forgets what was entered since.
    pub fn leave(&mut self, mark: usize) {
        self.spots.truncate(mark);
    }

    /// One step further in; `None` where one of the plans does not go on.
    pub fn enter(&mut self, within: Within, step: Step<'_>) -> Option<Within> {
        let from = self.spots.len();
        for at in within.range() {
            let (plan, place) = self.spots.get(at).copied()?;
            let next = self.plans.get(plan)?.place(place)?.step(step)?;
            self.push(from, (plan, next));
        }
        Some(Within {
            from,
            count: self.spots.len().saturating_sub(from),
        })
    }

    /// Another plan that has to let out what is let out here. Only where nothing was entered since.
    pub fn add(&mut self, within: Within, spot: &Spot) -> Within {
        let from = match within.count {
            0 => self.spots.len(),
            _ => within.from,
        };
        let known = self
            .plans
            .iter()
            .position(|plan| Arc::ptr_eq(plan, &spot.plan));
        let plan = known.unwrap_or_else(|| {
            self.plans.push(spot.plan.clone());
            self.plans.len().saturating_sub(1)
        });
        self.push(from, (plan, spot.place));
        Within {
            from,
            count: self.spots.len().saturating_sub(from),
        }
    }

    fn push(&mut self, from: usize, spot: (usize, usize)) {
        let mut here = self.spots.iter().skip(from);
        if !here.any(|known| *known == spot) {
            self.spots.push(spot);
        }
    }

    /// The places, as they tell one position from another.
    pub fn key(&self, within: Within) -> &[(usize, usize)] {
        self.spots.get(within.range()).unwrap_or_default()
    }

    fn places(&self, within: Within) -> impl Iterator<Item = &Place> {
        self.key(within)
            .iter()
            .filter_map(|(plan, place)| self.plans.get(*plan)?.place(*place))
    }

    /// Whether one of the plans says so of its place.
    pub fn any(&self, within: Within, says: impl FnMut(&Place) -> bool) -> bool {
        self.places(within).any(says)
    }

    /// Whether each place may hold a value of this sort.
    pub fn fit(&self, within: Within, value: &Json) -> bool {
        self.places(within).all(|place| place.fits(value))
    }

    /// How a scalar is seen: as the strictest of all says.
    pub fn sight(&self, within: Within, outer: Option<Visibility>) -> Option<Visibility> {
        let own = self.places(within).map(|place| place.leaf);
        own.fold(outer, Option::min)
    }

    /// The kind one of the plans takes the value for, by whose grants it has to be judged.
    pub fn guard(&self, within: Within, level: usize) -> Option<KindId> {
        nested_kind(self.places(within).nth(level)?.guard)
    }

    /// All of them, that of the place itself first.
    pub fn kinds(&self, guard: Guard, within: Within) -> Vec<KindId> {
        let mut found: Vec<KindId> = nested_kind(guard).into_iter().collect();
        for kind in self
            .places(within)
            .filter_map(|place| nested_kind(place.guard))
        {
            if !found.contains(&kind) {
                found.push(kind);
            }
        }
        found
    }
}

/// The kind of a place inside another object.
pub(crate) fn nested_kind(guard: Guard) -> Option<KindId> {
    match guard {
        Guard::Nested(kind) => Some(kind),
        Guard::None | Guard::Outermost(..) => None,
    }
}
