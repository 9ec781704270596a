//! What several plans let out of one object together, as one plan.
//! Exports `joined`.
//! Used by nested: a nested object shows the union of what the grants for its kind show.
//! Start reading at `joined`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Spot;
use crate::plan::{Guard, Place, Plan, Step};

/// Most places of a joined plan. What lies beyond does not leave.
const PLACES_MAX: usize = 20_000;

/// A place in each of the plans, where they have one.
type Places = Vec<Option<usize>>;

struct Joining<'p> {
    parts: &'p [Spot],
    places: Vec<Place>,
    known: HashMap<Places, Option<usize>>,
    /// Places that are reserved and have yet to be filled.
    open: Vec<(usize, Places)>,
}

/// The plan whose place 0 lets out what any of these lets out. Shapes may contain themselves, so places are joined when
/// they are first met.
pub(crate) fn joined(parts: &[Spot]) -> Plan {
    let mut joining = Joining {
        parts,
        places: Vec::new(),
        known: HashMap::new(),
        open: Vec::new(),
    };
    joining.place(parts.iter().map(|part| Some(part.place)).collect());
    while let Some((index, at)) = joining.open.pop() {
        joining.fill(index, &at);
    }
    Plan::of_places(joining.places)
}

impl<'p> Joining<'p> {
    /// Those of the plans that have the place.
    fn present(&self, at: &Places) -> Vec<&'p Place> {
        let pairs = self.parts.iter().zip(at);
        pairs
            .filter_map(|(part, place)| part.plan.place((*place)?))
            .collect()
    }

    fn place(&mut self, at: Places) -> Option<usize> {
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let here = self.present(&at);
        let guard = guard(&here);
        let index = self.places.len();
        let (Some(first), Some(guard), true) = (here.first(), guard, index < PLACES_MAX) else {
            self.known.insert(at, None);
            return None;
        };
        self.places.push(Place {
            guard,
            members: Vec::new(),
            values: None,
            items: None,
            leaf: here.iter().filter_map(|place| place.leaf).max(),
            is_start: here.iter().any(|place| place.is_start),
            class: here
                .iter()
                .map(|place| place.class)
                .max()
                .unwrap_or(first.class),
            page: here.iter().find_map(|place| place.page),
            beside: {
                let all = here.iter().flat_map(|place| &place.beside);
                all.copied().collect::<BTreeSet<_>>().into_iter().collect()
            },
            gaps: None,
        });
        self.known.insert(at.clone(), Some(index));
        self.open.push((index, at));
        Some(index)
    }

    fn fill(&mut self, index: usize, at: &Places) {
        let here = self.present(at);
        let names: BTreeSet<Arc<str>> = here
            .iter()
            .flat_map(|place| place.members.iter().map(|(name, _)| name.clone()))
            .collect();
        let items = self.below(at, Step::Item);
        let values = self.below(at, Step::Rest);
        let mut members = Vec::new();
        for name in names {
            let place = self.below(at, Step::Member(&name));
            // Listed, so that it is not taken for an undeclared key.
            if place.is_some() || values.is_some() {
                members.push((name, place));
            }
        }
        if let Some(place) = self.places.get_mut(index) {
            (place.members, place.items, place.values) = (members, items, values);
        }
    }

    fn below(&mut self, at: &Places, step: Step<'_>) -> Option<usize> {
        let pairs = self.parts.iter().zip(at);
        let below: Places = pairs
            .map(|(part, place)| part.plan.place((*place)?)?.step(step))
            .collect();
        if below.iter().all(Option::is_none) {
            None
        } else {
            self.place(below)
        }
    }
}

/// What has to be asked before a joined place is entered: whatever one of them asks. `None` where they ask about different
/// kinds; then nothing leaves.
fn guard(here: &[&Place]) -> Option<Guard> {
    let mut asked = here
        .iter()
        .map(|place| place.guard)
        .filter(|guard| *guard != Guard::None);
    let first = asked.next().unwrap_or(Guard::None);
    asked.all(|guard| guard == first).then_some(first)
}
