//! How many requests of one name are on the road at once, where that is limited.
//! Exports `ConcurrencyLimiter` and the `ConcurrencyPermit` that gives its place back when dropped.
//! Used by stage `limit`.
//! Start reading at `ConcurrencyLimiter::take`. A name that was seen before costs one atomic word; only a new one takes a lock.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

const SHARDS: usize = 256;
/// Names that a shard keeps. When it is full, those with no request under way are forgotten for a new one.
const PER_SHARD: usize = 256;
/// Stands in a word that was forgotten: nobody takes a place by it any more.
const FORGOTTEN: u32 = u32::MAX;

type Words = HashMap<u64, Arc<AtomicU32>>;

#[derive(Default)]
struct Shard {
    words: ArcSwap<Words>,
    /// Held by whoever changes which names there are.
    change: Mutex<()>,
}

/// Requests under way by number of a name.
pub struct ConcurrencyLimiter(Box<[Shard]>);

impl Default for ConcurrencyLimiter {
    fn default() -> Self {
        ConcurrencyLimiter((0..SHARDS).map(|_| Shard::default()).collect())
    }
}

impl ConcurrencyLimiter {
    /// Takes a place, unless `most` are taken.
    pub fn take(&self, key: u64, most: u32) -> Option<ConcurrencyPermit> {
        let shard = self.0.get(usize::try_from(key % SHARDS as u64).ok()?)?;
        loop {
            let known = shard.words.load().get(&key).map(Arc::clone);
            let word = known.or_else(|| shard.begin(key))?;
            let taken = word.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < most && taken != FORGOTTEN).then(|| taken + 1)
            });
            match taken {
                Ok(_) => {
                    return Some(ConcurrencyPermit {
                        word,
                        _on_one_thread: std::marker::PhantomData,
                    });
                }
                // It was forgotten since it was found; the next look finds none, or its successor.
                Err(FORGOTTEN) => {}
                Err(_) => return None,
            }
        }
    }
}

impl Shard {
    /// The word of a name that has none yet; none where each name of a full shard has a request under way.
    fn begin(&self, key: u64) -> Option<Arc<AtomicU32>> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.words.load();
        if let Some(word) = before.get(&key) {
            return Some(Arc::clone(word));
        }
        let mut words = Words::clone(&before);
        if words.len() >= PER_SHARD {
            // A word is marked before it goes, so that nobody who has found it counts where nobody looks.
            words.retain(|_, word| {
                let is_idle =
                    word.compare_exchange(0, FORGOTTEN, Ordering::AcqRel, Ordering::Acquire);
                is_idle.is_err()
            });
        }
        if words.len() >= PER_SHARD {
            return None;
        }
        let word = Arc::new(AtomicU32::new(0));
        words.insert(key, Arc::clone(&word));
        self.words.store(Arc::new(words));
        Some(word)
    }
}

/// One place; given back when dropped.
pub struct ConcurrencyPermit {
    word: Arc<AtomicU32>,
    _on_one_thread: std::marker::PhantomData<Rc<()>>,
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.word.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl ConcurrencyLimiter {
        fn kept(&self) -> usize {
            self.0.iter().map(|shard| shard.words.load().len()).sum()
        }
    }

    #[test]
    fn places_are_given_back_and_names_do_not_share() {
        let turns = ConcurrencyLimiter::default();
        let first = turns.take(7, 2);
        let second = turns.take(7, 2);
        assert!(first.is_some() && second.is_some());
        assert!(turns.take(7, 2).is_none());
        assert!(turns.take(8, 2).is_some());
        drop(first);
        assert!(turns.take(7, 2).is_some());
        drop(second);
        assert!(turns.take(7, 1).is_some());
    }

    #[test]
    fn many_names_are_forgotten_once_nothing_of_them_is_under_way() {
        let turns = ConcurrencyLimiter::default();
        let held = turns.take(0, 1);
        let names = u64::try_from(4 * PER_SHARD).unwrap();
        for name in 1..names {
            assert!(turns.take(name * SHARDS as u64, 1).is_some(), "{name}");
        }
        assert!(turns.kept() <= PER_SHARD);
        assert!(
            turns.take(0, 1).is_none(),
            "what is under way is not forgotten"
        );
        drop(held);
        assert!(turns.take(0, 1).is_some());
    }

    #[test]
    fn a_shard_whose_names_are_all_under_way_lets_no_other_begin() {
        let turns = ConcurrencyLimiter::default();
        let one_shard = |name: u64| name * SHARDS as u64;
        let full = u64::try_from(PER_SHARD).unwrap();
        let mut held: Vec<_> = (0..full).map(|n| turns.take(one_shard(n), 1)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(turns.take(one_shard(full), 1).is_none());
        held.pop();
        assert!(turns.take(one_shard(full), 1).is_some());
    }

    #[test]
    fn no_more_than_the_most_are_ever_under_way_on_many_threads() {
        const MOST: u32 = 3;
        let (turns, under_way) = (ConcurrencyLimiter::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let (turns, under_way) = (&turns, &under_way);
                scope.spawn(move || {
                    // Other names of the shard come and go, so that words are forgotten meanwhile.
                    for step in 0..1_000u64 {
                        let other = (1 + step + thread * 1_000) * SHARDS as u64;
                        assert!(turns.take(other, 1).is_some());
                        let Some(_turn) = turns.take(0, MOST) else {
                            continue;
                        };
                        let before = under_way.fetch_add(1, Ordering::AcqRel);
                        assert!(before < MOST, "{before}");
                        under_way.fetch_sub(1, Ordering::AcqRel);
                    }
                });
            }
        });
        assert_eq!(under_way.load(Ordering::Acquire), 0);
    }
}
