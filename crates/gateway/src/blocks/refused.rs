//! Refusals counted by address, credential and person, and the blocks that follow from them. They end with the process.
//! Exports `Refused`.
//! Used by `Blocks`.
//! Start reading at `Refused::count`. While no block is in force, asking costs one atomic load.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{DecisionId, Monotonic};
use policy::block::{self, BlockSettings, State, Subject};

use super::block::{Block, ChargedTo, Origin};

const SHARDS: usize = 64;
/// States per shard; the one that matters least is dropped for a new one.
const PER_SHARD: usize = 1024;

type Shard = HashMap<u64, Counted>;

/// One address, credential or person that was refused lately.
struct Counted {
    state: State,
    /// The last block, while it lasts.
    block: Option<Box<Block>>,
}

/// States of those who were refused lately.
pub(super) struct Refused {
    shards: Vec<Mutex<Shard>>,
    seed: RandomState,
    /// The latest end of any block so far. Behind it no block is in force, and nobody takes a lock.
    last_end: AtomicU64,
}

impl Default for Refused {
    fn default() -> Self {
        Refused {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            seed: RandomState::new(),
            last_end: AtomicU64::new(0),
        }
    }
}

impl Refused {
    pub(super) fn count(
        &self,
        who: ChargedTo<'_>,
        (code, decision): (&'static str, DecisionId),
        settings: &BlockSettings,
        now: Monotonic,
    ) -> Option<Block> {
        let (key, mut shard) = self.place(who)?;
        let before = shard.get(&key).map(|counted| counted.state);
        let (state, until) = block::count_refusal(before, settings, now);
        let begun = until.map(|ends| Block {
            subject: who.subject(),
            ends,
            origin: Origin::Refusals {
                after: settings.after.to_string(),
                code,
                decision,
            },
        });
        if let Some(begun) = &begun {
            self.last_end
                .fetch_max(begun.ends.micros(), Ordering::AcqRel);
        }
        if before.is_none() && shard.len() >= PER_SHARD {
            drop_least(&mut shard);
        }
        let counted = shard.entry(key).or_insert(Counted { state, block: None });
        counted.state = state;
        if let Some(begun) = &begun {
            counted.block = Some(Box::new(begun.clone()));
        }
        begun
    }

    pub(super) fn block(&self, who: ChargedTo<'_>, now: Monotonic) -> Option<Block> {
        if self.last_end.load(Ordering::Acquire) <= now.micros() {
            return None;
        }
        let (key, mut shard) = self.place(who)?;
        let counted = shard.get_mut(&key)?;
        if block::blocked_until(&counted.state, now).is_none() {
            counted.block = None;
        }
        counted.block.as_deref().cloned()
    }

    pub(super) fn list(&self, now: Monotonic) -> Vec<Block> {
        if self.last_end.load(Ordering::Acquire) <= now.micros() {
            return Vec::new();
        }
        let of_shard = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let blocks = shard.values().filter_map(|one| one.block.as_deref());
            let in_force = blocks.filter(|block| block.ends > now);
            in_force.cloned().collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(of_shard).collect()
    }

    /// Forgets what was counted of this subject, its refusals and its former blocks; gives the blocks that were in force.
    pub(super) fn forget(&self, subject: &Subject, now: Monotonic) -> Vec<Block> {
        let whose = match subject {
            Subject::Address(_) => vec![subject.client_key().map(ChargedTo::Address)],
            Subject::Credential(id) => [ChargedTo::Credential(*id), ChargedTo::People(*id)]
                .map(Some)
                .to_vec(),
            Subject::User { integration, user } => vec![Some(ChargedTo::User(integration, user))],
            Subject::Integration(_) => Vec::new(),
        };
        let forget = |who| {
            let (key, mut shard) = self.place(who)?;
            let block = shard.remove(&key)?.block?;
            (block.ends > now).then_some(*block)
        };
        whose.into_iter().flatten().filter_map(forget).collect()
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn place(&self, who: ChargedTo<'_>) -> Option<(u64, MutexGuard<'_, Shard>)> {
        let key = self.seed.hash_one(who);
        let shard = self
            .shards
            .get(usize::try_from(key % SHARDS as u64).ok()?)?;
        Some((key, shard.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl ChargedTo<'_> {
    fn subject(self) -> Subject {
        match self {
            ChargedTo::Address(client) => Subject::client(IpAddr::V6(Ipv6Addr::from(client))),
            ChargedTo::Credential(id) | ChargedTo::People(id) => Subject::Credential(id),
            ChargedTo::User(integration, user) => Subject::User {
                integration: integration.to_owned(),
                user: user.to_owned(),
            },
        }
    }
}

/// Drops the state whose block ended (or would end) first, fewest refusals first.
fn drop_least(shard: &mut Shard) {
    let least = shard
        .iter()
        .min_by_key(|(_, one)| (one.state.until, one.state.refusals.0))
        .map(|(key, _)| *key);
    if let Some(key) = least {
        shard.remove(&key);
    }
}

#[cfg(test)]
impl Refused {
    /// How many states are kept.
    pub(super) fn kept(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().unwrap().len())
            .sum()
    }
}
