//! How many requests of one key are on the road at once, where that is limited.
//! Gives `Turns` and the `Turn` that gives its place back when dropped.
//! Used by stage `limit`. Holds only keys with a request under way, so it is bounded by the connections.
//! Start reading at `Turns::take`.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 64;

type Shard = Mutex<HashMap<u64, u32>>;

/// Requests under way by key.
#[derive(Clone)]
pub struct Turns(Arc<[Shard]>);

impl Default for Turns {
    fn default() -> Self {
        Turns((0..SHARDS).map(|_| Shard::default()).collect())
    }
}

impl Turns {
    /// Takes a place, unless `most` are taken.
    pub fn take(&self, key: u64, most: u32) -> Option<Turn> {
        let shard = self.shard(key)?;
        let mut places = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = places.entry(key).or_insert(0);
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Turn {
            turns: self.clone(),
            key,
            _on_one_thread: std::marker::PhantomData,
        })
    }

    fn shard(&self, key: u64) -> Option<&Shard> {
        self.0.get(usize::try_from(key % SHARDS as u64).ok()?)
    }

    fn give_back(&self, key: u64) {
        let Some(shard) = self.shard(key) else { return };
        let mut places = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&key) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                places.remove(&key);
            }
        }
    }
}

/// One place; given back when dropped.
pub struct Turn {
    turns: Turns,
    key: u64,
    _on_one_thread: std::marker::PhantomData<Rc<()>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.give_back(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_and_keys_do_not_share() {
        let turns = Turns::default();
        let first = turns.take(7, 2);
        let second = turns.take(7, 2);
        assert!(first.is_some() && second.is_some());
        assert!(turns.take(7, 2).is_none());
        assert!(turns.take(8, 2).is_some());
        drop(first);
        assert!(turns.take(7, 2).is_some());
        drop(second);
        assert!(turns.0.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }
}
