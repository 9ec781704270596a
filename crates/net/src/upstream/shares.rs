//! How much of something is taken, in all and by each caller, and who may take more: calls under way, answers in memory.
//! Exports `Shares` and `Place`. No lock and no growth: callers are counted in two tables of fixed size.
//! Used by the pools and by `room`.
//! Start reading at `Place::add`.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

/// Places per table. Two callers that meet in both count as one: for any two, one chance in a million.
const SLOTS: usize = 1024;

/// What is taken.
#[derive(Debug)]
pub(crate) struct Shares {
    all: AtomicU32,
    tables: [Box<[AtomicU32]>; 2],
}

/// What one caller has taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place<S: Deref<Target = Shares>> {
    shares: S,
    caller: u128,
    weight: u32,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// No more is left.
    Full,
    /// The caller has this much, and no more than that is left for everybody else.
    Share { mine: u32, free: u32 },
}

impl Default for Shares {
    fn default() -> Self {
        let table = || (0..SLOTS).map(|_| AtomicU32::new(0)).collect();
        Shares {
            all: AtomicU32::new(0),
            tables: [table(), table()],
        }
    }
}

impl Shares {
    /// A place for one more call of this caller, where `max` may be under way at once.
    pub(crate) fn take(&self, caller: u128, max: u32) -> Result<Place<&Shares>, NoPlace> {
        let mut place = Place::new(self, caller);
        place.add(1, max)?;
        Ok(place)
    }

    /// The caller's slot in each table. An id's low bits are random, and chosen by this server.
    fn slots(&self, caller: u128) -> impl Iterator<Item = &AtomicU32> {
        let at =
            |shift: u32| usize::try_from((caller >> shift) % SLOTS as u128).unwrap_or_default();
        let slots = [at(0), at(SLOTS.ilog2())];
        let both = self.tables.iter().zip(slots);
        both.filter_map(|(table, slot)| table.get(slot))
    }
}

impl<S: Deref<Target = Shares>> Place<S> {
    /// Nothing yet.
    pub(crate) fn new(shares: S, caller: u128) -> Self {
        Place {
            shares,
            caller,
            weight: 0,
        }
    }

    /// How much it is.
    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }

    /// Takes more: while no more than `max` is taken by all, and while the caller holds no more than is free. So one caller alone
    /// gets half of everything, two get a third each, and a caller who holds nothing always finds a place, however greedy the others are.
    /// What grows bit by bit fits where it would have fitted as a whole.
    pub(crate) fn add(&mut self, weight: u32, max: u32) -> Result<(), NoPlace> {
        let (own, taken) = (
            self.weight,
            self.shares.all.fetch_add(weight, Ordering::Relaxed),
        );
        let of_slot = |slot: &AtomicU32| slot.fetch_add(weight, Ordering::Relaxed);
        let mine = self.shares.slots(self.caller).map(of_slot).min();
        self.weight = self.weight.saturating_add(weight);
        let mine = mine.unwrap_or_default();
        let free = max.saturating_sub(taken.saturating_sub(own));
        let no_place = match mine.saturating_add(weight) {
            _ if free < own.saturating_add(weight) => NoPlace::Full,
            wanted if wanted > free => NoPlace::Share { mine, free },
            _ => return Ok(()),
        };
        self.give_back(weight);
        Err(no_place)
    }

    /// Gives some of it back.
    pub(crate) fn give_back(&mut self, weight: u32) {
        let weight = weight.min(self.weight);
        self.weight -= weight;
        self.shares.all.fetch_sub(weight, Ordering::Relaxed);
        for slot in self.shares.slots(self.caller) {
            slot.fetch_sub(weight, Ordering::Relaxed);
        }
    }

    /// Puts what the same caller has taken elsewhere to it.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.weight = self
            .weight
            .saturating_add(std::mem::take(&mut other.weight));
    }
}

impl<S: Deref<Target = Shares>> Drop for Place<S> {
    fn drop(&mut self) {
        self.give_back(self.weight);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes as many as there are.
    fn fill(shares: &Shares, caller: u128, max: u32) -> (Vec<Place<&Shares>>, NoPlace) {
        let mut places = Vec::new();
        loop {
            match shares.take(caller, max) {
                Ok(place) => places.push(place),
                Err(no_place) => return (places, no_place),
            }
        }
    }

    #[test]
    fn one_caller_gets_half_two_greedy_ones_leave_a_third() {
        let shares = Shares::default();
        let (first, why) = fill(&shares, 1, 12);
        assert_eq!((first.len(), why), (6, NoPlace::Share { mine: 6, free: 6 }));
        let (second, _) = fill(&shares, 2, 12);
        assert_eq!(second.len(), 3);
        let (third, _) = fill(&shares, 3, 12);
        assert_eq!(third.len(), 2);
        drop((first, second, third));
        assert_eq!(shares.all.load(Ordering::Relaxed), 0);
        let left = shares.tables.iter().flatten();
        assert!(
            left.map(|slot| slot.load(Ordering::Relaxed))
                .all(|count| count == 0)
        );
    }

    #[test]
    fn a_single_place_is_given_and_none_means_none() {
        let shares = Shares::default();
        assert_eq!(shares.take(1, 0).unwrap_err(), NoPlace::Full);
        let only = shares.take(1, 1).unwrap();
        assert_eq!(shares.take(2, 1).unwrap_err(), NoPlace::Full);
        drop(only);
        assert!(shares.take(2, 1).is_ok());
    }

    #[test]
    fn a_caller_in_one_slot_with_a_greedy_one_is_not_counted_with_it() {
        let shares = Shares::default();
        let (greedy, _) = fill(&shares, 5, 16);
        assert_eq!(greedy.len(), 8);
        // The same slot in the first table, another in the second.
        let (other, _) = fill(&shares, 5 + SLOTS as u128, 16);
        assert_eq!(other.len(), 4);
    }

    proptest! {
        /// Some callers take all they can get, and whoever holds nothing still finds a place.
        #[test]
        fn greedy_callers_leave_a_place_for_the_next(max in 64_u32..2_000, greedy in 1_u128..6) {
            let shares = Shares::default();
            let held: Vec<_> = (0..greedy).map(|caller| fill(&shares, caller, max).0).collect();
            prop_assert!(held.iter().all(|places| !places.is_empty()));
            prop_assert!(shares.take(99, max).is_ok());
        }
    }
}
