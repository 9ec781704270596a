//! The newest records as they become durable, for whoever follows them, each at a pace of their own.
//! Exports `EventBus`, `Subscription`, `Followed`.
//! Fed by the writer's thread, once per group; read by the live view. Requests never touch it.
//! Start reading at `Subscription::take`; docs/decisions/025 says why it hangs behind the ledger.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crate::pending::lock;
use crate::reader::Entry;
use crate::segment::records;

/// Records kept for subscribers that have not taken them yet. One that falls further behind misses the oldest.
const RECORDS_MAX: usize = 8_192;
/// Bytes of these records; at least the newest group is kept, however large it is.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// The newest records, and who follows them. Holds nothing while nobody does.
#[derive(Debug)]
pub struct EventBus {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    groups: VecDeque<Arc<Published>>,
    /// Number of the next record.
    next_seq: u64,
    records: usize,
    bytes: usize,
    subscribers: Vec<Subscriber>,
    /// Distinguishes subscribers of the same name.
    subscribed: u64,
}

/// One that follows.
#[derive(Debug)]
struct Subscriber {
    id: u64,
    name: &'static str,
    missed: u64,
}

/// Records that became durable together, each after its length.
#[derive(Debug)]
struct Published {
    first_seq: u64,
    count: usize,
    payload: Vec<u8>,
}

/// How a subscriber keeps up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// What it is called.
    pub name: &'static str,
    /// Records it was too slow for. They are in the ledger, from where they can be read.
    pub missed: u64,
}

impl EventBus {
    pub(crate) fn new(next_seq: u64) -> Self {
        EventBus {
            state: Mutex::new(State {
                groups: VecDeque::new(),
                next_seq,
                records: 0,
                bytes: 0,
                subscribers: Vec::new(),
                subscribed: 0,
            }),
        }
    }

    /// Who follows now, and how many records each of them missed.
    pub fn followed(&self) -> Vec<Followed> {
        let state = lock(&self.state);
        let all = state.subscribers.iter();
        all.map(|one| Followed {
            name: one.name,
            missed: one.missed,
        })
        .collect()
    }

    /// A group is durable. Takes its payload only where somebody follows.
    pub(crate) fn publish(&self, first_seq: u64, count: usize, payload: &mut Vec<u8>) {
        let mut state = lock(&self.state);
        state.next_seq = first_seq.saturating_add(count as u64);
        if state.subscribers.is_empty() {
            return;
        }
        let payload = std::mem::take(payload);
        state.records += count;
        state.bytes += payload.len();
        state.groups.push_back(Arc::new(Published {
            first_seq,
            count,
            payload,
        }));
        while state.groups.len() > 1 && (state.records > RECORDS_MAX || state.bytes > BYTES_MAX) {
            let gone = state.groups.pop_front();
            state.forget(gone.as_deref());
        }
    }
}

impl State {
    fn forget(&mut self, gone: Option<&Published>) {
        if let Some(gone) = gone {
            self.records = self.records.saturating_sub(gone.count);
            self.bytes = self.bytes.saturating_sub(gone.payload.len());
        }
    }
}

/// A place in the stream of records. What becomes durable from its making on is taken once, in order.
#[derive(Debug)]
pub struct Subscription {
    bus: Arc<EventBus>,
    id: u64,
    next_seq: u64,
    missed: u64,
}

impl Subscription {
    pub(crate) fn new(bus: Arc<EventBus>, name: &'static str) -> Self {
        let mut state = lock(&bus.state);
        state.subscribed += 1;
        let id = state.subscribed;
        state.subscribers.push(Subscriber {
            id,
            name,
            missed: 0,
        });
        let next_seq = state.next_seq;
        drop(state);
        Subscription {
            bus,
            id,
            next_seq,
            missed: 0,
        }
    }

    /// What became durable since the last call. Records that it was too slow for are counted in [`Subscription::missed`];
    /// the numbers of those that are left say where they were.
    pub fn take(&mut self) -> Vec<Entry> {
        let groups: Vec<Arc<Published>> = {
            let mut state = lock(&self.bus.state);
            let first = state.groups.front().map(|group| group.first_seq);
            let lost = first.map_or(0, |first| first.saturating_sub(self.next_seq));
            self.missed = self.missed.saturating_add(lost);
            let (id, missed) = (self.id, self.missed);
            if let Some(own) = state.subscribers.iter_mut().find(|one| one.id == id) {
                own.missed = missed;
            }
            let new = state.groups.iter();
            let new = new.filter(|group| group.first_seq >= self.next_seq);
            let new = new.map(Arc::clone).collect();
            self.next_seq = state.next_seq;
            new
        };
        // Taken apart without the lock: the writer waits for nobody's reading.
        groups.iter().flat_map(|group| group.entries()).collect()
    }

    /// Records it was too slow for.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = lock(&self.bus.state);
        state.subscribers.retain(|one| one.id != self.id);
        if state.subscribers.is_empty() {
            state.groups.clear();
            (state.records, state.bytes) = (0, 0);
        }
    }
}

impl Published {
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let numbered = (self.first_seq..).zip(records(&self.payload));
        numbered.map(|(seq, record)| Entry {
            seq,
            json: String::from_utf8_lossy(record).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
