//! Shared counters of the limits: one atomic word per key in a fixed table. No lock, no growth.
//! Exports `Counters`, and `names`, the key of its numbers. The arithmetic is `policy::limit`; this only keeps the words.
//! Used by stages `ip` and `limit` on every thread.
//! Start reading at `Counters::update`.

use std::sync::atomic::{AtomicU64, Ordering};

use crypto::{Keys, ShortHash};
use policy::Counted;

/// Slots looked at before the least useful of them is taken over.
const PROBES: usize = 8;
/// Slots in the table. 16 bytes each.
const SLOTS: usize = 1 << 16;

/// The key of this installation's numbers for what is counted.
pub fn names(keys: &Keys) -> ShortHash {
    keys.store_records.short_subkey("names of what is counted")
}

struct Slot {
    key: AtomicU64,
    word: AtomicU64,
}

/// A fixed table from hashed keys to words.
///
/// When all probed slots belong to other keys, the one with the smallest word is taken over: for limits
/// that is the key whose debt ended longest ago, so a takeover forgives only what was (nearly) paid back.
pub struct Counters {
    slots: Box<[Slot]>,
    names: ShortHash,
}

impl Counters {
    /// An empty table. The key keeps those outside from aiming at a slot.
    pub fn new(names: ShortHash) -> Self {
        let slot = || Slot {
            key: AtomicU64::new(0),
            word: AtomicU64::new(0),
        };
        Counters {
            slots: std::iter::repeat_with(slot).take(SLOTS).collect(),
            names,
        }
    }

    /// The number of what is counted, the same in each process of this installation. Never zero.
    pub fn key(&self, what: &Counted<'_>) -> u64 {
        self.names.of(|put| what.name(put)).max(1)
    }

    /// Reads the key's word (zero when new), lets `step` compute the next one, and stores it atomically.
    /// `step` may run again when another thread was faster; `None` leaves the word as it is.
    pub fn update<T>(&self, key: u64, mut step: impl FnMut(u64) -> (Option<u64>, T)) -> T {
        let Some(slot) = self.slot(key) else {
            return step(0).1;
        };
        let mut seen = slot.word.load(Ordering::Acquire);
        loop {
            let (next, verdict) = step(seen);
            let Some(next) = next else {
                return verdict;
            };
            match slot
                .word
                .compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return verdict,
                Err(now) => seen = now,
            }
        }
    }

    /// Reads the key's word (zero when new), and takes no slot for it.
    pub fn read(&self, key: u64) -> u64 {
        let owned = |slot: &&Slot| slot.key.load(Ordering::Acquire) == key;
        let slot = self.probed(key).find(owned);
        slot.map_or(0, |slot| slot.word.load(Ordering::Acquire))
    }

    fn probed(&self, key: u64) -> impl Iterator<Item = &Slot> {
        let start = usize::try_from(key % SLOTS as u64).unwrap_or(0);
        (0..PROBES).filter_map(move |i| self.slots.get((start + i) % SLOTS))
    }

    fn slot(&self, key: u64) -> Option<&Slot> {
        let mut poorest: Option<(&Slot, u64)> = None;
        for slot in self.probed(key) {
            match slot
                .key
                .compare_exchange(0, key, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Some(slot),
                Err(owner) if owner == key => return Some(slot),
                Err(_) => {
                    let word = slot.word.load(Ordering::Acquire);
                    if poorest.is_none_or(|(_, least)| word < least) {
                        poorest = Some((slot, word));
                    }
                }
            }
        }
        let (slot, _) = poorest?;
        slot.word.store(0, Ordering::Release);
        slot.key.store(key, Ordering::Release);
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use model::KeyId;

    use super::*;

    fn counters() -> Counters {
        Counters::new(ShortHash::from_secret(&crypto::Secret::new([7; 32])))
    }

    fn key(counters: &Counters, number: u128) -> u64 {
        counters.key(&Counted::RefusedCredential(KeyId::from_bits(number)))
    }

    #[test]
    fn a_key_keeps_its_word_and_others_do_not_see_it() {
        let counters = counters();
        let [a, b, c] = [1, 2, 3].map(|number| key(&counters, number));
        counters.update(a, |w| (Some(w + 5), ()));
        assert_eq!(counters.update(a, |w| (None, w)), 5);
        assert_eq!(counters.update(b, |w| (None, w)), 0);
        assert_eq!([a, b, c].map(|key| counters.read(key)), [5, 0, 0]);
    }

    #[test]
    fn what_is_counted_has_one_number_in_each_process_and_another_in_each_installation() {
        let what = Counted::Strangers("public", 7);
        let ours = counters().key(&what);
        assert_eq!(counters().key(&what), ours);
        let others = Counters::new(ShortHash::from_secret(&crypto::Secret::new([8; 32])));
        assert_ne!(others.key(&what), ours);
    }

    #[test]
    fn threads_never_lose_an_update() {
        let counters = counters();
        let key = key(&counters, 7);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..10_000).for_each(|_| counters.update(key, |w| (Some(w + 1), ())))
                });
            }
        });
        assert_eq!(counters.update(key, |w| (None, w)), 40_000);
    }

    #[test]
    fn a_full_table_takes_over_the_smallest_word() {
        let counters = counters();
        for n in 0..200_000u64 {
            counters.update(key(&counters, n.into()), |_| (Some(n + 1), ()));
        }
        let last = key(&counters, 199_999);
        assert_eq!(counters.update(last, |w| (None, w)), 200_000);
    }
}
