//! How much of answers is in memory: read from upstreams, and not yet taken by those who asked.
//! Exports `ResponseBudget`, `ResponseRoom` and `HeldBytes`.
//! Held by the exchange from the first bytes on, then by the gateway, then by the connection that writes the answer.
//! Start reading at `ResponseRoom::admits`.

use std::sync::Arc;

use super::shares::{Place, Shares};

/// Answers up to this size are not counted where each has a connection to itself: a socket takes them at once.
const FREE_BYTES: usize = 16 * 1024;
/// The same where a connection carries many: what its client grants no window for stays here, all of it.
const FREE_STREAM_BYTES: usize = 1024;
/// Room is counted in these.
const UNIT_BYTES: usize = 1024;
/// Room that an answer of unknown length takes at a time.
const STEP_BYTES: usize = 256 * 1024;

/// Bytes of answers in memory, over all upstreams and workers.
#[derive(Debug, Default)]
pub struct ResponseBudget(Arc<Shares>);

/// What a call may use of it.
#[derive(Clone, Copy, Debug)]
pub struct ResponseRoom<'a> {
    /// What is taken.
    pub budget: &'a ResponseBudget,
    /// Most bytes at once, over all callers. No caller holds more than is free.
    pub bytes_max: u64,
    /// Whether whoever asked may have many answers waiting on one connection (HTTP/2).
    pub is_shared: bool,
}

/// Bytes of answers that are in memory; given back when dropped.
#[derive(Debug, Default)]
pub struct HeldBytes {
    place: Option<Place<Arc<Shares>>>,
    /// Answers up to this size need none.
    free_bytes: usize,
}

impl ResponseRoom<'_> {
    /// Whether an answer of so many bytes to this caller may be read. What it needs is held from then on.
    pub(crate) fn admits(self, caller: u128, bytes: usize, held: &mut HeldBytes) -> bool {
        held.free_bytes = self.free_bytes();
        if bytes <= held.free_bytes {
            return true;
        }
        let place = held
            .place
            .get_or_insert_with(|| Place::new(Arc::clone(&self.budget.0), caller));
        let more = units(bytes).saturating_sub(place.weight());
        let max = u32::try_from(self.bytes_max / UNIT_BYTES as u64).unwrap_or(u32::MAX);
        more == 0 || place.add(more, max).is_ok()
    }

    /// The same for an answer whose length is not known: `bytes` have arrived.
    pub(crate) fn admits_so_far(self, caller: u128, bytes: usize, held: &mut HeldBytes) -> bool {
        let step = if bytes <= FREE_BYTES {
            UNIT_BYTES
        } else {
            STEP_BYTES
        };
        let bytes = if bytes <= self.free_bytes() {
            bytes
        } else {
            bytes.next_multiple_of(step)
        };
        self.admits(caller, bytes, held)
    }

    fn free_bytes(self) -> usize {
        if self.is_shared {
            FREE_STREAM_BYTES
        } else {
            FREE_BYTES
        }
    }
}

impl HeldBytes {
    /// Holds what another answer to the same request holds as well.
    pub fn join(&mut self, other: HeldBytes) {
        self.free_bytes = self.free_bytes.max(other.free_bytes);
        match (&mut self.place, other.place) {
            (Some(place), Some(other)) => place.merge(other),
            (place @ None, other) => *place = other,
            (Some(_), None) => {}
        }
    }

    /// Gives back what is beyond so many bytes: of most answers only a part is let out.
    pub fn shrink_to(&mut self, bytes: usize) {
        let Some(place) = &mut self.place else { return };
        let wanted = if bytes <= self.free_bytes {
            0
        } else {
            units(bytes)
        };
        place.give_back(place.weight().saturating_sub(wanted));
        if wanted == 0 {
            self.place = None;
        }
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.place.is_none()
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1024 * 1024;

    /// Whether all of it could be taken by one.
    fn is_given_back(budget: &ResponseBudget) -> bool {
        let mut all = Place::new(Arc::clone(&budget.0), 0);
        all.add(1_000, 1_000).is_ok()
    }

    #[test]
    fn a_caller_who_reads_nothing_leaves_room_for_others() {
        let budget = ResponseBudget::default();
        let room = ResponseRoom {
            budget: &budget,
            bytes_max: 64 * MIB as u64,
            is_shared: false,
        };
        let mut unread = Vec::new();
        for _ in 0..100 {
            let mut held = HeldBytes::default();
            if room.admits(1, 8 * MIB, &mut held) {
                unread.push(held);
            }
        }
        assert_eq!(unread.len(), 4, "half of it");
        let mut other = HeldBytes::default();
        assert!(room.admits(2, 8 * MIB, &mut other));
        let mut small = HeldBytes::default();
        assert!(room.admits(1, FREE_BYTES, &mut small) && small.is_empty());
        unread.iter_mut().for_each(|held| held.shrink_to(10));
        assert!(
            room.admits(1, 8 * MIB, &mut HeldBytes::default()),
            "what was let out is small"
        );
        drop((unread, other));
        assert!(is_given_back(&budget));
    }

    #[test]
    fn small_answers_count_where_a_connection_carries_many() {
        let budget = ResponseBudget::default();
        let room = |is_shared| ResponseRoom {
            budget: &budget,
            bytes_max: 64 * 1024,
            is_shared,
        };
        let admits = |is_shared, bytes| {
            let mut held = HeldBytes::default();
            room(is_shared).admits(1, bytes, &mut held).then_some(held)
        };
        let mut unread = Vec::new();
        unread.extend((0..100).map_while(|_| admits(true, 8 * 1024)));
        assert_eq!(unread.len(), 4, "half of it");
        assert!(admits(true, 8 * 1024).is_none());
        assert!(admits(true, FREE_STREAM_BYTES).is_some_and(|held| held.is_empty()));
        assert!(admits(false, FREE_BYTES).is_some_and(|held| held.is_empty()));
        unread.iter_mut().for_each(|held| held.shrink_to(2 * 1024));
        assert!(admits(true, 8 * 1024).is_some_and(|held| !held.is_empty()));
        drop(unread);
        let mut held = HeldBytes::default();
        for bytes in (0..=FREE_BYTES).step_by(1000) {
            assert!(room(true).admits_so_far(1, bytes, &mut held), "{bytes}");
        }
        assert!(!held.is_empty());
        drop(held);
        assert!(is_given_back(&budget));
    }

    #[test]
    fn a_response_of_unknown_length_fits_where_one_of_known_length_does() {
        let budget = ResponseBudget::default();
        let room = ResponseRoom {
            budget: &budget,
            bytes_max: 64 * MIB as u64,
            is_shared: false,
        };
        let mut held = HeldBytes::default();
        for bytes in (0..=64 * MIB).step_by(100_000) {
            assert!(room.admits_so_far(1, bytes, &mut held), "{bytes}");
        }
        assert!(!room.admits_so_far(1, 65 * MIB, &mut held));
        assert!(
            !room.admits(2, MIB, &mut HeldBytes::default()),
            "all is taken"
        );
    }

    proptest! {
        /// Whatever is read, joined, shrunk and dropped: nothing stays taken.
        #[test]
        fn all_of_it_is_given_back(is_shared in any::<bool>(), steps in prop::collection::vec((0_u128..3, 0_usize..9_000_000, 0_usize..9_000_000), 0..40)) {
            let budget = ResponseBudget::default();
            let room = ResponseRoom { budget: &budget, bytes_max: 64 * MIB as u64, is_shared };
            let mut kept: Vec<HeldBytes> = (0..3).map(|_| HeldBytes::default()).collect();
            for (caller, bytes, left) in steps {
                let mut held = HeldBytes::default();
                if room.admits_so_far(caller, bytes / 2, &mut held) && room.admits_so_far(caller, bytes, &mut held) {
                    held.shrink_to(left);
                    let at = usize::try_from(caller).unwrap();
                    kept[at].join(held);
                }
            }
            drop(kept);
            prop_assert!(is_given_back(&budget));
        }
    }
}
