//! Refusals counted by address, credential and person, and the blocks that follow from them. They end with the process.
//! Exports `Refused`.
//! Used by `Blocks`.
//! Start reading at `Refused::count`. To count takes a lock; to ask whether somebody is blocked never does.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use crypto::ShortHash;
use model::{DecisionId, Monotonic};
use policy::Counted;
use policy::block::{self, BlockSettings, State, Subject};

use super::block::{Block, ChargedTo, Origin};

const SHARDS: usize = 64;
/// States per shard; the one that matters least is dropped for a new one.
const PER_SHARD: usize = 1024;

/// Some of those who were refused lately, by the number of their name.
#[derive(Default)]
struct Shard {
    states: Mutex<HashMap<u64, State>>,
    /// The last block of each of them, while it lasts. Replaced whole, under the lock of the states.
    blocks: ArcSwap<HashMap<u64, Arc<Block>>>,
}

/// States of those who were refused lately.
pub(super) struct Refused {
    shards: Box<[Shard]>,
    names: ShortHash,
    /// The latest end of any block so far. Behind it no block is in force, and there is nothing to look up.
    last_end: AtomicU64,
}

impl Refused {
    pub(super) fn new(names: ShortHash) -> Refused {
        Refused {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            names,
            last_end: AtomicU64::new(0),
        }
    }

    pub(super) fn count(
        &self,
        who: ChargedTo<'_>,
        (code, decision): (&'static str, DecisionId),
        settings: &BlockSettings,
        now: Monotonic,
    ) -> Option<Block> {
        let (key, shard) = self.place(who)?;
        let mut states = shard.states.lock().unwrap_or_else(PoisonError::into_inner);
        let before = states.get(&key).copied();
        let (state, until) = block::count_refusal(before, settings, now);
        if before.is_none() && states.len() >= PER_SHARD {
            shard.drop_least(&mut states);
        }
        states.insert(key, state);
        let begun = Arc::new(Block {
            subject: who.subject(),
            ends: until?,
            origin: Origin::Refusals {
                after: settings.after.to_string(),
                code,
                decision,
            },
        });
        self.last_end
            .fetch_max(begun.ends.micros(), Ordering::AcqRel);
        shard.change(|blocks| {
            blocks.retain(|_, block| block.ends > now);
            blocks.insert(key, Arc::clone(&begun));
        });
        Some(Block::clone(&begun))
    }

    pub(super) fn block(&self, who: ChargedTo<'_>, now: Monotonic) -> Option<Block> {
        if self.last_end.load(Ordering::Acquire) <= now.micros() {
            return None;
        }
        let (key, shard) = self.place(who)?;
        let blocks = shard.blocks.load();
        let block = blocks.get(&key).filter(|block| block.ends > now)?;
        Some(Block::clone(block))
    }

    pub(super) fn list(&self, now: Monotonic) -> Vec<Block> {
        let of_shard = |shard: &Shard| {
            let blocks = shard.blocks.load();
            let in_force = blocks.values().filter(|block| block.ends > now);
            in_force
                .map(|block| Block::clone(block))
                .collect::<Vec<_>>()
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
            let (key, shard) = self.place(who)?;
            let mut states = shard.states.lock().unwrap_or_else(PoisonError::into_inner);
            states.remove(&key);
            let block = shard.blocks.load().get(&key).map(Arc::clone)?;
            shard.change(|blocks| drop(blocks.remove(&key)));
            (block.ends > now).then(|| Block::clone(&block))
        };
        whose.into_iter().flatten().filter_map(forget).collect()
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut states = shard.states.lock().unwrap_or_else(PoisonError::into_inner);
            states.clear();
            shard.blocks.store(Arc::default());
        }
    }

    fn place(&self, who: ChargedTo<'_>) -> Option<(u64, &Shard)> {
        let key = self.names.of(|put| who.counted().name(put));
        let shard = self
            .shards
            .get(usize::try_from(key % SHARDS as u64).ok()?)?;
        Some((key, shard))
    }
}

impl Shard {
    /// Replaces the blocks. Only under the lock of the states, so that no change is lost.
    fn change(&self, change: impl FnOnce(&mut HashMap<u64, Arc<Block>>)) {
        let mut blocks = HashMap::clone(&self.blocks.load());
        change(&mut blocks);
        self.blocks.store(Arc::new(blocks));
    }

    /// Drops the state whose block ended (or would end) first, fewest refusals first, and the block with it.
    fn drop_least(&self, states: &mut HashMap<u64, State>) {
        let least = states
            .iter()
            .min_by_key(|(_, state)| {
                (
                    state.until,
                    state.refusals.map(|state| state.used_until_micros()),
                )
            })
            .map(|(key, _)| *key);
        let Some(key) = least else { return };
        states.remove(&key);
        if self.blocks.load().contains_key(&key) {
            self.change(|blocks| drop(blocks.remove(&key)));
        }
    }
}

impl ChargedTo<'_> {
    fn counted(&self) -> Counted<'_> {
        match self {
            ChargedTo::Address(client) => Counted::RefusedAddress(*client),
            ChargedTo::Credential(id) => Counted::RefusedCredential(*id),
            ChargedTo::User(integration, user) => Counted::RefusedPerson(integration, user),
            ChargedTo::People(id) => Counted::RefusedPeople(*id),
        }
    }

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

#[cfg(test)]
impl Refused {
    /// How many states are kept.
    pub(super) fn kept(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.states.lock().unwrap().len())
            .sum()
    }

    /// Whether to ask this needs the lock that counting holds: it is asked while that is held.
    pub(super) fn block_while_counting(&self, who: ChargedTo<'_>, now: Monotonic) -> Option<Block> {
        let held: Vec<_> = self
            .shards
            .iter()
            .map(|shard| shard.states.lock().unwrap())
            .collect();
        let block = self.block(who, now);
        drop(held);
        block
    }
}
