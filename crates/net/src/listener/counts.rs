//! How many connections a listener and an address have, over all workers, and which of them ends when one more comes.
//! Exports `Counts`, `ConnectionSlot`, `Evicted`. Its lock is taken at accept, at close, when a credential is first proven, and
//! when a stranger's request ends during which its connection was asked to give way.
//! Used by the listener. Who gives way to whom: docs/decisions/044.
//! Start reading at `Counts::take`.

mod slot;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::DescriptorShare;
use crate::network::network;
use slot::SlotState;

/// Most connections that are asked to give way before the lock is let go of. Those that refuse are answering a request.
const ASKED_MAX: usize = 64;

/// Connections that each listener may have however many descriptors the others have taken: health and the way in for operators must not
/// depend on how busy the public side is.
pub const KEPT_CONNECTIONS: usize = 16;

/// Open connections of one listener.
#[derive(Debug)]
pub(crate) struct Counts {
    descriptors: Arc<DescriptorShare>,
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
    /// Those of all addresses on which no credential was proven, and that were not set aside.
    unproven: Slots,
}

/// The connections of one address.
#[derive(Debug, Default)]
struct AddressSlots {
    /// On which no credential was proven.
    unproven: Slots,
    /// The same, set aside: they were answering a request when they were asked to give way, and are asked no more until that has
    /// ended. So each request costs at most one question, and however many are under way, all others are found.
    under_way: Slots,
    proven: Slots,
}

/// What can be done for a newcomer.
enum Room {
    /// There is a place.
    Free,
    /// There is one since this connection has given way, and why it was this one.
    Made(Arc<SlotState>, &'static str),
    /// As many as are asked at once were answering a request; others have not been asked yet.
    AskOn,
    /// There is none.
    None,
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

const UNPROVEN: &str = "closed for a newer one, because there were more connections at once than the listener's bounds or the limit of open files allow: it was the \
     oldest on which no credential had been accepted";
const RESTED: &str = "closed for a newer one, because there were more connections at once than the listener's bounds or the limit of open files allow: its credential \
     had most of them at this address, and it had rested longest";

impl Counts {
    pub(crate) fn new(
        total_max: usize,
        per_address_max: usize,
        descriptors: Arc<DescriptorShare>,
    ) -> Arc<Counts> {
        Arc::new(Counts {
            descriptors,
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
        let id = counts.accepted.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(SlotState::new(id, address));
        let key = network(address);
        // Every round but the last sets aside as many as are asked in one, and lets others have the lock.
        for _ in 0..=counts.total_max / ASKED_MAX {
            let mut open = counts.lock();
            let gave_way = match counts.room(&mut open, key) {
                Room::AskOn => continue,
                Room::None => return None,
                Room::Free => None,
                Room::Made(slot, detail) => Some((slot, detail)),
            };
            open.insert(key, &state);
            counts.descriptors.add();
            drop(open);
            let evicted = gave_way.map(|(slot, detail)| {
                slot.end();
                Evicted {
                    address: slot.address,
                    detail,
                }
            });
            let counts = Arc::clone(counts);
            return Some((ConnectionSlot { counts, state }, evicted));
        }
        None
    }

    /// Finds or makes a place at this address.
    fn room(&self, open: &mut Open, key: IpAddr) -> Room {
        let mine = open.by_address.get(&key).map_or(0, AddressSlots::len);
        let is_full = open.total >= self.total_max
            || (open.total >= KEPT_CONNECTIONS && self.descriptors.is_full());
        let room = if mine >= self.per_address_max {
            open.make_room_at(key)
        } else if is_full {
            open.make_room()
        } else {
            Room::Free
        };
        if let Room::Made(..) = room {
            self.descriptors.remove();
        }
        room
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
        if self.state.end_request(accepted) {
            self.counts.lock().come_back(&self.state);
        }
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
        if self.counts.lock().remove(&self.state) {
            self.counts.descriptors.remove();
        }
    }
}

impl AddressSlots {
    fn len(&self) -> usize {
        self.unproven.len() + self.under_way.len() + self.proven.len()
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
        let mut asked = resting.into_iter().take(ASKED_MAX);
        asked.find(|slot| slot.yields()).map(Arc::clone)
    }
}

impl Open {
    fn insert(&mut self, key: IpAddr, state: &Arc<SlotState>) {
        self.total += 1;
        self.unproven.insert(state.id, Arc::clone(state));
        let here = self.by_address.entry(key).or_default();
        here.unproven.insert(state.id, Arc::clone(state));
    }

    /// Takes a slot out, wherever it is; `false` for one that gave way and is out already.
    fn remove(&mut self, state: &SlotState) -> bool {
        self.unproven.remove(&state.id);
        let key = network(state.address);
        let Some(here) = self.by_address.get_mut(&key) else {
            return false;
        };
        let places = [&mut here.unproven, &mut here.under_way, &mut here.proven];
        let was_there = places
            .map(|slots| slots.remove(&state.id))
            .iter()
            .any(Option::is_some);
        self.total -= usize::from(was_there);
        if here.len() == 0 {
            self.by_address.remove(&key);
        }
        was_there
    }

    fn prove(&mut self, state: &SlotState) {
        self.unproven.remove(&state.id);
        let Some(here) = self.by_address.get_mut(&network(state.address)) else {
            return;
        };
        let slot = here.unproven.remove(&state.id);
        if let Some(slot) = slot.or_else(|| here.under_way.remove(&state.id)) {
            slot.clear_aside();
            here.proven.insert(slot.id, slot);
        }
    }

    /// A stranger's connection that was set aside rests again, at its age.
    fn come_back(&mut self, state: &SlotState) {
        let Some(here) = self.by_address.get_mut(&network(state.address)) else {
            return;
        };
        if here.under_way.contains_key(&state.id)
            && state.comes_back()
            && let Some(slot) = here.under_way.remove(&state.id)
        {
            here.unproven.insert(slot.id, Arc::clone(&slot));
            self.unproven.insert(slot.id, slot);
        }
    }

    /// Makes room at this address: the oldest stranger first. Where every stranger is answering a request, callers give way
    /// as long as more of the places are theirs: what looks like a stranger may be a caller at its first request.
    fn make_room_at(&mut self, key: IpAddr) -> Room {
        let Some(here) = self.by_address.get(&key) else {
            return Room::None;
        };
        let asked = Asked::oldest_of(&here.unproven);
        let room = self.settle(asked);
        let Some(here) = self.by_address.get(&key) else {
            return room;
        };
        if !matches!(room, Room::None) || here.under_way.len() >= here.proven.len() {
            return room;
        }
        let Some(caller) = here.evict_proven() else {
            return Room::None;
        };
        self.remove(&caller);
        Room::Made(caller, RESTED)
    }

    /// Makes room at the listener. Connections of callers do not give way here: whoever comes from another address could
    /// take them from everybody.
    fn make_room(&mut self) -> Room {
        let asked = Asked::oldest_of(&self.unproven);
        self.settle(asked)
    }

    /// Takes out who has given way, and sets aside who could not.
    fn settle(&mut self, asked: Asked) -> Room {
        for slot in &asked.under_way {
            self.unproven.remove(&slot.id);
            if let Some(here) = self.by_address.get_mut(&network(slot.address)) {
                here.unproven.remove(&slot.id);
                here.under_way.insert(slot.id, Arc::clone(slot));
            }
        }
        match asked.gave_way {
            Some(slot) => {
                self.remove(&slot);
                Room::Made(slot, UNPROVEN)
            }
            None if asked.under_way.len() == ASKED_MAX => Room::AskOn,
            None => Room::None,
        }
    }
}

/// What strangers' connections said that were asked to give way.
struct Asked {
    gave_way: Option<Arc<SlotState>>,
    under_way: Vec<Arc<SlotState>>,
}

impl Asked {
    /// Asks them in the order of their age until one gives way, and at most [`ASKED_MAX`].
    fn oldest_of(strangers: &Slots) -> Asked {
        let mut under_way = Vec::new();
        for slot in strangers.values().take(ASKED_MAX) {
            if slot.yields_or_is_set_aside() {
                let gave_way = Some(Arc::clone(slot));
                return Asked {
                    gave_way,
                    under_way,
                };
            }
            under_way.push(Arc::clone(slot));
        }
        Asked {
            gave_way: None,
            under_way,
        }
    }
}

#[cfg(test)]
mod tests;
