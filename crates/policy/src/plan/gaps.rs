//! Where objects may be left out of an answer: lists and maps of them, and what leads to these. Read where nothing may be
//! seen in them, they have to say the same whether the upstream hides something there or has nothing to say.
//! Exports `Gaps` (of one place) and `mark` (of all places of a plan).
//! Used by plan when one is finished, by release and access when they walk it.
//! Start reading at `mark`.

use std::sync::Arc;

use model::PageField;

use super::{Guard, KindId, Place};

/// What may be missing in a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// One of the operation's own objects that stands alone.
    pub has_one: bool,
    /// One of the operation's own objects, of many.
    pub has_many: bool,
    /// Nested objects of these kinds. What stands inside another object is not counted.
    pub kinds: Vec<KindId>,
    /// Where nothing of it may be seen it reads as an empty list, map or object. Otherwise it is left out with its key.
    pub is_filled: bool,
    /// Positions of the members that are written also where the upstream leaves them out.
    pub filled: Vec<usize>,
    /// Members that are declared to tell of the objects beside them (a count, a cursor), with the kinds of these.
    pub telling: Vec<(Arc<str>, Vec<KindId>)>,
}

impl Gaps {
    fn is_empty(&self) -> bool {
        !self.has_one && !self.has_many && self.kinds.is_empty()
    }

    /// Whether that is new.
    fn add(&mut self, reached: Reached) -> bool {
        match reached {
            Reached::One => !std::mem::replace(&mut self.has_one, true),
            Reached::Many => !std::mem::replace(&mut self.has_many, true),
            Reached::Nested(kind) => {
                let is_new = !self.kinds.contains(&kind);
                if is_new {
                    self.kinds.push(kind);
                }
                is_new
            }
        }
    }
}

/// An object that is reached from a place.
#[derive(Clone, Copy)]
enum Reached {
    One,
    Many,
    Nested(KindId),
}

/// Works out what may be missing in each place of a plan.
pub(crate) fn mark(places: &mut [Place]) {
    let is_silent = |place: &Place| place.guard == Guard::None && place.beside.is_empty();
    if places.iter().all(is_silent) {
        return;
    }
    let mut all = reached(places);
    fill(places, &mut all);
    let told: Vec<_> = places
        .iter()
        .map(|place| telling(place, places, &all))
        .collect();
    for ((place, mut gaps), telling) in places.iter_mut().zip(all).zip(told) {
        gaps.telling = telling;
        let says_nothing = gaps == Gaps::default();
        place.gaps = (!says_nothing).then(|| Box::new(gaps));
    }
}

/// Whether a place leads to objects without being one.
fn is_plain(place: &Place) -> bool {
    place.guard == Guard::None && !place.is_start
}

fn members(place: &Place) -> impl Iterator<Item = usize> {
    place.members.iter().filter_map(|(_, below)| *below)
}

/// The objects that are reached from each place, followed upwards from these.
fn reached(places: &[Place]) -> Vec<Gaps> {
    let mut above: Vec<Vec<(usize, bool)>> = vec![Vec::new(); places.len()];
    for (index, place) in places.iter().enumerate() {
        let many = place.items.into_iter().chain(place.values);
        let below = members(place).map(|below| (below, false));
        for (below, is_many) in below.chain(many.map(|below| (below, true))) {
            if let Some(above) = above.get_mut(below) {
                above.push((index, is_many));
            }
        }
    }
    let mut all = vec![Gaps::default(); places.len()];
    let guarded = places.iter().enumerate();
    let mut open: Vec<(usize, Reached)> = guarded
        .filter_map(|(index, place)| match place.guard {
            Guard::None => None,
            Guard::Outermost(..) => Some((index, Reached::One)),
            Guard::Nested(kind) => Some((index, Reached::Nested(kind))),
        })
        .collect();
    while let Some((below, reached)) = open.pop() {
        for (index, is_many) in above.get(below).into_iter().flatten() {
            let reached = match reached {
                Reached::One if *is_many => Reached::Many,
                other => other,
            };
            let is_plain = places.get(*index).is_some_and(is_plain);
            if is_plain && all.get_mut(*index).is_some_and(|gaps| gaps.add(reached)) {
                open.push((*index, reached));
            }
        }
    }
    all
}

/// Whether the items of a place, or the values of its undeclared keys, are objects or lead to some.
fn is_container(place: &Place, places: &[Place], all: &[Gaps]) -> bool {
    let mut many = place.items.iter().chain(&place.values);
    many.any(|below| leads(*below, places, all))
}

fn leads(index: usize, places: &[Place], all: &[Gaps]) -> bool {
    let is_object = places
        .get(index)
        .is_some_and(|place| place.guard != Guard::None);
    is_object || all.get(index).is_some_and(|gaps| !gaps.is_empty())
}

/// Which places are written also where the upstream leaves them out: lists and maps, and objects that hold some. Objects that
/// lead to themselves have no smallest form and are left out.
fn fill(places: &[Place], all: &mut [Gaps]) {
    let is_waited_for = |index: &usize| all.get(*index).is_some_and(|gaps| !gaps.is_empty());
    let mut waiting: Vec<usize> = Vec::with_capacity(places.len());
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); places.len()];
    for (index, place) in places.iter().enumerate() {
        let below: Vec<usize> = members(place).filter(is_waited_for).collect();
        waiting.push(below.len());
        for below in below {
            if let Some(above) = above.get_mut(below) {
                above.push(index);
            }
        }
    }
    let ready = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
    let mut open: Vec<usize> = ready.map(|(index, _)| index).collect();
    while let Some(index) = open.pop() {
        let Some(place) = places.get(index) else {
            continue;
        };
        let is_list = is_container(place, places, all);
        let filled = filled(place, all);
        if let Some(gaps) = all.get_mut(index) {
            gaps.is_filled = !gaps.is_empty() && (is_list || !filled.is_empty());
        }
        for above in above.get(index).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(*above) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    open.push(*above);
                }
            }
        }
    }
    let filled: Vec<_> = places.iter().map(|place| filled(place, all)).collect();
    for (gaps, filled) in all.iter_mut().zip(filled) {
        gaps.filled = filled;
    }
}

/// Positions of the members that are filled.
fn filled(place: &Place, all: &[Gaps]) -> Vec<usize> {
    let members = place.members.iter().enumerate();
    members
        .filter(|(_, (_, below))| {
            below.is_some_and(|below| all.get(below).is_some_and(|gaps| gaps.is_filled))
        })
        .map(|(position, _)| position)
        .collect()
}

/// Members that are declared to be a count or a cursor beside nested objects.
fn telling(place: &Place, places: &[Place], all: &[Gaps]) -> Vec<(Arc<str>, Vec<KindId>)> {
    let below = members(place).filter_map(|below| all.get(below));
    let granted = below.flat_map(|gaps| gaps.kinds.iter().copied());
    // What is counted is counted whether it is granted or not.
    let mut kinds: Vec<KindId> = granted.chain(place.beside.iter().copied()).collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    kinds.sort_unstable();
    kinds.dedup();
    let is_telling = |below: usize| {
        let page = places.get(below).and_then(|place| place.page);
        matches!(page, Some(PageField::Count | PageField::Cursor))
    };
    let told = place
        .members
        .iter()
        .filter(|(_, below)| below.is_some_and(is_telling));
    told.map(|(name, _)| (name.clone(), kinds.clone()))
        .collect()
}
