//! Target lists resolved to values, once per phase and only when a rule needs them.
//! Exports `Lists`. Everything lies in two vectors, so that a phase allocates next to nothing.
//! Used by `run`.
//! Start reading at `Lists::get`.

use super::program::TargetSet;
use super::store::Store;
use super::targets::{Matched, Value, resolve};
use std::ops::Range;

/// The target lists of one phase.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Where the values of each list lie, once resolved.
    places: Vec<Option<(usize, usize)>>,
    values: Vec<Value>,
}

/// Larger memory is given back instead of kept.
const KEPT_MAX: usize = 16 << 10;

impl Lists {
    /// Forgets the last phase.
    pub(super) fn reset(&mut self, sets: usize) {
        self.places.clear();
        self.places.resize(sets, None);
        self.values.clear();
    }

    pub(super) fn is_large(&self) -> bool {
        self.values.capacity() > KEPT_MAX
    }

    /// The values of a target list that stays the same for the whole phase.
    pub(super) fn get(
        &mut self,
        number: usize,
        set: &TargetSet,
        store: &mut Store<'_>,
    ) -> Range<usize> {
        if let Some((from, to)) = self.places.get(number).copied().flatten() {
            return from..to;
        }
        let from = self.values.len();
        resolve(set, store, &Matched::default(), &mut self.values);
        let to = self.values.len();
        if let Some(place) = self.places.get_mut(number) {
            *place = Some((from, to));
        }
        from..to
    }

    /// A value of a list.
    pub(super) fn value(&self, number: usize) -> Option<Value> {
        self.values.get(number).copied()
    }
}
