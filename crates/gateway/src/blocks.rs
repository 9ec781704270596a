//! Who is refused again and again: strikes by address before a caller is known, by integration after.
//! Gives `Blocks`. The rule is `policy::block`; this only keeps the states, bounded.
//! Read by stages `ip` and `limit`, written by the service when a refusal was decided.
//! Start reading at `Blocks::strike`.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use model::Timestamp;
use policy::block::{self, BlockSettings, State};
use policy::client_key;

const SHARDS: usize = 64;
/// States per shard; the one that matters least is dropped for a new one.
const PER_SHARD: usize = 1024;

/// States of those who were refused lately.
pub struct Blocks {
    shards: Vec<Mutex<HashMap<u64, State>>>,
    seed: RandomState,
    /// How many states are kept. Zero in peace, and then nobody takes a lock.
    kept: AtomicUsize,
}

impl Default for Blocks {
    fn default() -> Self {
        Blocks {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            seed: RandomState::new(),
            kept: AtomicUsize::new(0),
        }
    }
}

/// Who is charged.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Accused<'a> {
    /// An address, nobody known behind it yet.
    Address(u128),
    /// An integration.
    Integration(&'a str),
}

impl Blocks {
    /// The end of the block of this address, while it lasts.
    pub fn of_address(&self, address: IpAddr, now: Timestamp) -> Option<Timestamp> {
        self.until(Accused::Address(client_key(address)), now)
    }

    /// The end of the block of this integration, while it lasts.
    pub fn of_integration(&self, integration: &str, now: Timestamp) -> Option<Timestamp> {
        self.until(Accused::Integration(integration), now)
    }

    fn until(&self, who: Accused<'_>, now: Timestamp) -> Option<Timestamp> {
        if self.kept.load(Ordering::Acquire) == 0 {
            return None;
        }
        let (key, shard) = self.place(who)?;
        let states = shard.lock().unwrap_or_else(PoisonError::into_inner);
        block::blocked_until(states.get(&key)?, now)
    }

    /// Counts a refusal; gives the end of the block that begins with it, if one does.
    pub fn strike(
        &self,
        who: Accused<'_>,
        settings: &BlockSettings,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let (key, shard) = self.place(who)?;
        let mut states = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, until) = block::strike(states.get(&key).copied(), settings, now);
        if states.len() >= PER_SHARD && !states.contains_key(&key) {
            drop_least(&mut states);
        } else if !states.contains_key(&key) {
            self.kept.fetch_add(1, Ordering::AcqRel);
        }
        states.insert(key, next);
        until
    }

    /// Ends every block of this integration; for the operator who mended the cause.
    pub fn forgive(&self, integration: &str) -> bool {
        let Some((key, shard)) = self.place(Accused::Integration(integration)) else {
            return false;
        };
        let was = shard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key)
            .is_some();
        if was {
            self.kept.fetch_sub(1, Ordering::AcqRel);
        }
        was
    }

    fn place(&self, who: Accused<'_>) -> Option<(u64, &Mutex<HashMap<u64, State>>)> {
        let key = self.seed.hash_one(who);
        let index = usize::try_from(key % SHARDS as u64).ok()?;
        Some((key, self.shards.get(index)?))
    }
}

/// Drops the state whose block ended (or would end) first, fewest strikes first.
fn drop_least(states: &mut HashMap<u64, State>) {
    let least = states
        .iter()
        .min_by_key(|(_, s)| (s.until, s.strikes.0))
        .map(|(key, _)| *key);
    if let Some(key) = least {
        states.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_is_refused_too_often_is_blocked_and_others_are_not() {
        let blocks = Blocks::default();
        let settings = BlockSettings::default();
        let now = Timestamp::from_micros(1_000_000_000);
        let mut until = None;
        for _ in 0..100 {
            until = until.or(blocks.strike(Accused::Integration("noisy"), &settings, now));
        }
        assert_eq!(blocks.of_integration("noisy", now), until);
        assert!(until.is_some());
        assert_eq!(blocks.of_integration("quiet", now), None);
        assert!(blocks.forgive("noisy"));
        assert_eq!(blocks.of_integration("noisy", now), None);
    }

    #[test]
    fn the_table_stays_bounded() {
        let blocks = Blocks::default();
        let settings = BlockSettings::default();
        for n in 0..200_000u128 {
            blocks.strike(Accused::Address(n), &settings, Timestamp::from_micros(5));
        }
        assert!(blocks.kept.load(Ordering::Acquire) <= SHARDS * PER_SHARD);
    }
}
