//! How many connections a listener and an address have, over all workers, and which of them ends when one more comes.
//! Exports `Counts`, `ConnectionSlot`, `Evicted`. Its lock is taken at accept, at close and when a credential is first proven.
//! Used by the listener. Who gives way to whom: docs/decisions/044.
//! Start reading at `Counts::take`.

mod slot;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::network::network;
use slot::SlotState;

/// Most connections that are asked to give way to one newcomer. Those that refuse are answering a request.
const ASKED_MAX: usize = 64;

/// Open connections of one listener.
#[derive(Debug)]
pub(crate) struct Counts {
    total_max: usize,
    per_address_max: usize,
    /// Connections accepted so far. It also tells how long a connection has rested: the clock that counts where places are
    /// short is how many wanted one since, and reading it costs nothing.
    accepted: AtomicU64,
    open: Mutex<Open>,
}

/// Slots by their number, oldest first.
type Slots = BTreeMap<u64, Arc<SlotState>>;

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, AddressSlots>,
    /// Those of all addresses on which no credential was proven.
    unproven: Slots,
}

/// The connections of one address.
#[derive(Debug, Default)]
struct AddressSlots {
    unproven: Slots,
    proven: Slots,
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    counts: Arc<Counts>,
    state: Arc<SlotState>,
}

/// A connection that ended so that a newer one could be taken in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Evicted {
    /// Where it came from.
    pub(crate) address: IpAddr,
    /// Why it was this one, for the record.
    pub(crate) detail: &'static str,
}

const UNPROVEN: &str = "closed for a newer one, because there were more connections at once than the listener's bounds allow: it was the \
     oldest on which no credential had been accepted";
const RESTED: &str = "closed for a newer one, because there were more connections at once than the listener's bounds allow: its credential \
     had most of them at this address, and it had rested longest";

impl Counts {
    pub(crate) fn new(total_max: usize, per_address_max: usize) -> Arc<Counts> {
        Arc::new(Counts {
            total_max,
            per_address_max,
            accepted: AtomicU64::new(0),
            open: Mutex::default(),
        })
    }

    /// A place for one more connection. Where listener or address have enough, one that serves nobody at the moment gives
    /// way; `None` when there is no such connection.
    pub(crate) fn take(
        counts: &Arc<Counts>,
        address: IpAddr,
    ) -> Option<(ConnectionSlot, Option<Evicted>)> {
        let key = network(address);
        let mut open = counts.lock();
        let mine = open.by_address.get(&key).map_or(0, AddressSlots::len);
        let gives_way = if mine >= counts.per_address_max {
            Some(open.evict_at(key)?)
        } else if open.total >= counts.total_max {
            Some(open.evict_stranger()?)
        } else {
            None
        };
        let id = counts.accepted.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(SlotState::new(id, address));
        open.insert(key, &state);
        drop(open);
        let evicted = gives_way.map(|(state, detail)| {
            state.end();
            Evicted {
                address: state.address,
                detail,
            }
        });
        let slot = ConnectionSlot {
            counts: Arc::clone(counts),
            state,
        };
        Some((slot, evicted))
    }

    /// Connections open now.
    pub(crate) fn total(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSlot {
    /// Says which task serves the connection, so that it can be ended.
    pub(crate) fn served_by(&self, task: tokio::task::AbortHandle) {
        self.state.served_by(task);
    }

    /// A request begins: until [`ConnectionSlot::end_request`] the connection gives way to none. `false` when it has just
    /// done so, and must not answer any more.
    pub(crate) fn begin_request(&self) -> bool {
        self.state.begin_request()
    }

    /// A request has been answered.
    pub(crate) fn end_request(&self) {
        let accepted = self.counts.accepted.load(Ordering::Relaxed);
        self.state.end_request(accepted);
    }

    /// A credential was accepted on the connection: from now on it gives way to strangers only after their own.
    pub(crate) fn prove(&self, caller: u128) {
        if self.state.prove(caller) {
            self.counts.lock().prove(&self.state);
        }
    }

    /// Whether a credential was accepted.
    pub(crate) fn is_proven(&self) -> bool {
        self.state.caller().is_some()
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.counts.lock().remove(&self.state);
    }
}

impl AddressSlots {
    fn len(&self) -> usize {
        self.unproven.len() + self.proven.len()
    }

    /// The one that has rested longest, of the caller that has most connections here: nobody's share shrinks below that
    /// of another.
    fn evict_proven(&self) -> Option<Arc<SlotState>> {
        let mut shares: HashMap<u128, usize> = HashMap::new();
        for caller in self.proven.values().filter_map(|slot| slot.caller()) {
            *shares.entry(caller).or_default() += 1;
        }
        let share = |slot: &SlotState| {
            slot.caller()
                .and_then(|caller| shares.get(&caller).copied())
        };
        let mut resting: Vec<_> = self
            .proven
            .values()
            .filter(|slot| slot.is_resting())
            .collect();
        resting.sort_by_key(|slot| (std::cmp::Reverse(share(slot)), slot.rests_since()));
        first_to_yield(resting.into_iter())
    }
}

impl Open {
    fn insert(&mut self, key: IpAddr, state: &Arc<SlotState>) {
        self.total += 1;
        self.unproven.insert(state.id, Arc::clone(state));
        let here = self.by_address.entry(key).or_default();
        here.unproven.insert(state.id, Arc::clone(state));
    }

    /// Takes a slot out, wherever it is; one that gave way is out already.
    fn remove(&mut self, state: &SlotState) {
        self.unproven.remove(&state.id);
        let key = network(state.address);
        let Some(here) = self.by_address.get_mut(&key) else {
            return;
        };
        let found = here.unproven.remove(&state.id);
        if found.or_else(|| here.proven.remove(&state.id)).is_some() {
            self.total -= 1;
        }
        if here.len() == 0 {
            self.by_address.remove(&key);
        }
    }

    fn prove(&mut self, state: &SlotState) {
        self.unproven.remove(&state.id);
        if let Some(here) = self.by_address.get_mut(&network(state.address))
            && let Some(slot) = here.unproven.remove(&state.id)
        {
            here.proven.insert(state.id, slot);
        }
    }

    /// Makes room at this address: the oldest stranger first.
    fn evict_at(&mut self, key: IpAddr) -> Option<(Arc<SlotState>, &'static str)> {
        let here = self.by_address.get(&key)?;
        let (state, detail) = match first_to_yield(here.unproven.values()) {
            Some(stranger) => (stranger, UNPROVEN),
            None => (here.evict_proven()?, RESTED),
        };
        self.remove(&state);
        Some((state, detail))
    }

    /// Makes room at the listener. Connections of callers do not give way here: whoever comes from another address could
    /// take them from everybody.
    fn evict_stranger(&mut self) -> Option<(Arc<SlotState>, &'static str)> {
        let state = first_to_yield(self.unproven.values())?;
        self.remove(&state);
        Some((state, UNPROVEN))
    }
}

/// The first that is not answering a request at this moment.
fn first_to_yield<'s>(
    candidates: impl Iterator<Item = &'s Arc<SlotState>>,
) -> Option<Arc<SlotState>> {
    let mut asked = candidates.take(ASKED_MAX);
    asked.find(|slot| slot.yields()).map(Arc::clone)
}

#[cfg(test)]
mod tests;
