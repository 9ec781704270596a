//! What is used up of the limits: two atomic words per key in tables of fixed size. No lock, no growth.
//! Exports `Counters`, and `names`, the key of its numbers. The arithmetic is `policy::limit`; this only keeps the states.
//! Used by stages `ip` and `limit` on every thread.
//! Start reading at `Counters::update`.

use std::sync::atomic::{AtomicU64, Ordering};

use crypto::{Keys, ShortHash};
use policy::limit::State;
use policy::{ChosenBy, Counted, Rate};

/// Slots looked at before the least useful of them is taken over.
const PROBES: usize = 8;
/// Slots of each table, by who makes the names up. 32 bytes each. Whoever floods one kind of names pushes none of another
/// kind out: many persons do not make a gateway forget what their integration used up.
const SLOTS: [(ChosenBy, usize); 4] = [
    (ChosenBy::Configuration, 1 << 14),
    (ChosenBy::Credential, 1 << 15),
    (ChosenBy::Stranger, 1 << 16),
    (ChosenBy::Caller, 1 << 16),
];

/// The key of this installation's numbers for what is counted.
pub fn names(keys: &Keys) -> ShortHash {
    keys.store_records.short_subkey("names of what is counted")
}

/// What is counted, as the tables find it: a number, and the kind of table. Nobody reads a name out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterKey {
    chosen_by: ChosenBy,
    number: u64,
}

impl CounterKey {
    /// The number alone; never zero.
    pub fn number(self) -> u64 {
        self.number
    }
}

/// One state. Its moment lies in `word`, with the place of its rate in the lowest bit: a state by another rate is written
/// with the other place, so that moment and rate are never of different states.
///
/// Both places are taken only by three configurations that are used in the same instant; then a state can be read by a wrong
/// rate once, which costs or gives at most one burst.
#[derive(Default)]
struct Slot {
    key: AtomicU64,
    word: AtomicU64,
    rates: [AtomicU64; 2],
}

impl Slot {
    /// The state that a word stands for; none for zero.
    fn state(&self, word: u64) -> Option<State> {
        let rate = self.rate(word)?.load(Ordering::Acquire);
        (word != 0).then(|| State {
            used_until: word >> 1,
            rate: Rate::from_word(rate),
        })
    }

    fn rate(&self, place: u64) -> Option<&AtomicU64> {
        self.rates.get(usize::from(place & 1 == 1))
    }

    /// The word for the next state, its rate written down where the present word does not point.
    fn next(&self, seen: u64, before: Option<State>, next: State) -> u64 {
        let moment = next.used_until << 1;
        if before.is_some_and(|before| before.rate == next.rate) {
            return moment | (seen & 1);
        }
        let other = !seen & 1;
        if let Some(rate) = self.rate(other) {
            rate.store(next.rate.to_word(), Ordering::Release);
        }
        moment | other
    }
}

/// Fixed tables from hashed keys to states.
///
/// When all probed slots belong to other keys, the one whose share was used up longest ago is taken over, so that a takeover
/// forgives only what was (nearly) paid back.
pub struct Counters {
    tables: Box<[(ChosenBy, Box<[Slot]>)]>,
    names: ShortHash,
}

impl Counters {
    /// Empty tables. The key keeps those outside from aiming at a slot.
    pub fn new(names: ShortHash) -> Self {
        let table = |(chosen_by, slots)| {
            let slots = std::iter::repeat_with(Slot::default).take(slots);
            (chosen_by, slots.collect())
        };
        Counters {
            tables: SLOTS.into_iter().map(table).collect(),
            names,
        }
    }

    /// What is counted, the same in each process of this installation.
    pub fn key(&self, what: &Counted<'_>) -> CounterKey {
        CounterKey {
            chosen_by: what.chosen_by(),
            number: self.names.of(|put| what.name(put)).max(1),
        }
    }

    /// Reads the key's state (none when new), lets `step` compute the next one, and stores it atomically.
    /// `step` may run again when another thread was faster; `None` leaves the state as it is.
    pub fn update<T>(
        &self,
        key: CounterKey,
        mut step: impl FnMut(Option<State>) -> (Option<State>, T),
    ) -> T {
        let Some(slot) = self.slot(key) else {
            return step(None).1;
        };
        let mut seen = slot.word.load(Ordering::Acquire);
        loop {
            let before = slot.state(seen);
            let (next, verdict) = step(before);
            let Some(next) = next else {
                return verdict;
            };
            let next = slot.next(seen, before, next);
            match slot
                .word
                .compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return verdict,
                Err(now) => seen = now,
            }
        }
    }

    /// Reads the key's state (none when new), and takes no slot for it.
    pub fn read(&self, key: CounterKey) -> Option<State> {
        let owned = |slot: &&Slot| slot.key.load(Ordering::Acquire) == key.number;
        let slot = self.probed(key).find(owned)?;
        loop {
            let word = slot.word.load(Ordering::Acquire);
            let state = slot.state(word);
            if slot.word.load(Ordering::Acquire) == word {
                return state;
            }
        }
    }

    fn probed(&self, key: CounterKey) -> impl Iterator<Item = &Slot> {
        let mut tables = self.tables.iter();
        let table = tables.find(|(chosen_by, _)| *chosen_by == key.chosen_by);
        let slots = table.map_or(&[][..], |(_, slots)| slots);
        let start = usize::try_from(key.number).unwrap_or(0);
        (0..PROBES)
            .filter_map(move |i| slots.get(start.wrapping_add(i) & slots.len().checked_sub(1)?))
    }

    fn slot(&self, key: CounterKey) -> Option<&Slot> {
        let mut poorest: Option<(&Slot, u64)> = None;
        for slot in self.probed(key) {
            match slot
                .key
                .compare_exchange(0, key.number, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Some(slot),
                Err(owner) if owner == key.number => return Some(slot),
                Err(_) => {
                    let state = slot.state(slot.word.load(Ordering::Acquire));
                    let used_until = state.map_or(0, |state| state.used_until_micros());
                    if poorest.is_none_or(|(_, least)| used_until < least) {
                        poorest = Some((slot, used_until));
                    }
                }
            }
        }
        let (slot, _) = poorest?;
        slot.word.store(0, Ordering::Release);
        slot.key.store(key.number, Ordering::Release);
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::{KeyId, Monotonic};
    use policy::limit::{self, Limit};
    use policy::{CountedPart, OfLimit};

    use super::*;

    fn counters() -> Counters {
        Counters::new(ShortHash::from_secret(&crypto::Secret::new([7; 32])))
    }

    fn key(counters: &Counters, number: u128) -> CounterKey {
        counters.key(&Counted::RefusedCredential(KeyId::from_bits(number)))
    }

    fn rate(count: u32) -> Rate {
        Rate {
            count,
            per: Duration::from_secs(60),
        }
    }

    fn used_until(moment: u64) -> State {
        State {
            used_until: moment,
            rate: rate(1),
        }
    }

    fn take(counters: &Counters, key: CounterKey, limit: &Limit, micros: u64) -> bool {
        counters.update(key, |state| {
            let (next, verdict) = limit::take(state, 1, limit, Monotonic::from_micros(micros));
            (Some(next), verdict.is_allowed)
        })
    }

    #[test]
    fn a_key_keeps_its_state_and_others_do_not_see_it() {
        let counters = counters();
        let [a, b, c] = [1, 2, 3].map(|number| key(&counters, number));
        counters.update(a, |_| (Some(used_until(5)), ()));
        assert_eq!(counters.update(a, |s| (None, s)), Some(used_until(5)));
        assert_eq!(counters.update(b, |s| (None, s)), None);
        assert_eq!(
            [a, b, c].map(|key| counters.read(key)),
            [Some(used_until(5)), None, None]
        );
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
        let one_more = |state: Option<State>| {
            let before = state.map_or(0, |state| state.used_until);
            (Some(used_until(before + 1)), ())
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| counters.update(key, one_more)));
            }
        });
        assert_eq!(counters.read(key), Some(used_until(40_000)));
    }

    #[test]
    fn threads_of_two_configurations_never_let_more_pass_than_the_larger_one() {
        let counters = counters();
        let key = key(&counters, 7);
        let limits = [Limit::new(rate(1), 500), Limit::new(rate(7_919), 500)];
        let passed = std::thread::scope(|scope| {
            let counters = &counters;
            let one = |limit| move || (0..2_000).filter(|_| take(counters, key, limit, 9)).count();
            let all: Vec<_> = limits
                .iter()
                .cycle()
                .take(4)
                .map(|limit| scope.spawn(one(limit)))
                .collect();
            all.into_iter()
                .map(|one| one.join().unwrap())
                .sum::<usize>()
        });
        // Each change of the terms rounds up by less than a millionth of a call.
        assert!((490..=500).contains(&passed), "{passed}");
    }

    #[test]
    fn a_full_table_takes_over_what_was_used_up_longest_ago() {
        let counters = counters();
        for n in 0..200_000u64 {
            counters.update(key(&counters, n.into()), |_| (Some(used_until(n + 1)), ()));
        }
        let last = key(&counters, 199_999);
        assert_eq!(counters.read(last), Some(used_until(200_000)));
    }

    #[test]
    fn a_flood_of_names_makes_it_forget_nothing_of_another_kind() {
        let counters = counters();
        let of = OfLimit {
            integration: "crm",
            limit: 0,
        };
        let limit = Limit::new(rate(600), 3);
        let key = counters.key(&Counted::Integration(of));
        assert_eq!(
            [1, 1, 1, 1].map(|now| take(&counters, key, &limit, now)),
            [true, true, true, false]
        );
        // Each of them uses up far more time than the integration did.
        let slow = Limit::new(rate(1), 1);
        for n in 0..300_000 {
            let parts = [CountedPart::Value(Some(format!("{n}").into()))];
            take(
                &counters,
                counters.key(&Counted::Joint(of, &parts)),
                &slow,
                1,
            );
            take(
                &counters,
                counters.key(&Counted::Strangers("public", n)),
                &slow,
                1,
            );
        }
        assert!(!take(&counters, key, &limit, 1));
    }
}
