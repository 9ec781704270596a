//! The newest records as they become durable, for whoever follows them, each at a pace of their own.
//! Exports `EventBus`, `Subscription`, `Followed`, `Label`.
//! Fed by the writer's thread, once per group; read by the live view and by the metrics. Requests never touch it.
//! Start reading at `Subscription::take`; docs/decisions/025 says why it hangs behind the ledger.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use model::{Kind, Outcome, Word};

use crate::entry::Entry;
use crate::pending::lock;
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
    name: Arc<str>,
    next_seq: u64,
    missed: u64,
}

/// What a record is about and how it ended, for whoever counts records and reads none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What happened.
    pub kind: Word<Kind>,
    /// How it ended.
    pub outcome: Word<Outcome>,
}

/// Records that became durable together, each after its length.
#[derive(Debug)]
struct Published {
    first_seq: u64,
    labels: Vec<Label>,
    payload: Vec<u8>,
}

/// How a subscriber keeps up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// What it is called.
    pub name: Arc<str>,
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
            name: Arc::clone(&one.name),
            missed: one.missed,
        })
        .collect()
    }

    /// A group is durable. Takes its buffers only where somebody follows.
    pub(crate) fn publish(&self, first_seq: u64, labels: &mut Vec<Label>, payload: &mut Vec<u8>) {
        let mut state = lock(&self.state);
        state.next_seq = first_seq.saturating_add(labels.len() as u64);
        if state.subscribers.is_empty() {
            return;
        }
        let (labels, payload) = (std::mem::take(labels), std::mem::take(payload));
        state.records += labels.len();
        state.bytes += payload.len();
        state.groups.push_back(Arc::new(Published {
            first_seq,
            labels,
            payload,
        }));
        while state.groups.len() > 1 && (state.records > RECORDS_MAX || state.bytes > BYTES_MAX) {
            state.drop_oldest();
        }
    }
}

impl State {
    fn drop_oldest(&mut self) {
        if let Some(gone) = self.groups.pop_front() {
            self.records = self.records.saturating_sub(gone.labels.len());
            self.bytes = self.bytes.saturating_sub(gone.payload.len());
        }
    }

    /// Lets go of what everybody has taken.
    fn trim(&mut self) {
        let taken = self.subscribers.iter().map(|one| one.next_seq).min();
        let taken = taken.unwrap_or(u64::MAX);
        while self
            .groups
            .front()
            .is_some_and(|group| group.first_seq < taken)
        {
            self.drop_oldest();
        }
    }
}

/// A place in the stream of records. What becomes durable from its making on is taken once, in order.
#[derive(Debug)]
pub struct Subscription {
    bus: Arc<EventBus>,
    id: u64,
    missed: u64,
}

impl Subscription {
    pub(crate) fn new(bus: Arc<EventBus>, name: &str) -> Self {
        let mut state = lock(&bus.state);
        state.subscribed += 1;
        let id = state.subscribed;
        let next_seq = state.next_seq;
        state.subscribers.push(Subscriber {
            id,
            name: name.into(),
            next_seq,
            missed: 0,
        });
        drop(state);
        Subscription { bus, id, missed: 0 }
    }

    /// What became durable since the last call. Records that it was too slow for are counted in [`Subscription::missed`];
    /// the numbers of those that are left say where they were.
    pub fn take(&mut self) -> Vec<Entry> {
        let groups = self.groups();
        groups.iter().flat_map(|group| group.entries()).collect()
    }

    /// The same, for whoever only counts: what the records are about, without reading them.
    pub fn take_labels(&mut self, mut each: impl FnMut(&Label)) {
        let groups = self.groups();
        groups
            .iter()
            .flat_map(|group| &group.labels)
            .for_each(&mut each);
    }

    /// The groups since the last call. They are taken apart without the lock: the writer waits for nobody's reading.
    fn groups(&mut self) -> Vec<Arc<Published>> {
        let mut state = lock(&self.bus.state);
        let state = &mut *state;
        let Some(own) = state.subscribers.iter_mut().find(|one| one.id == self.id) else {
            return Vec::new();
        };
        let first = state.groups.front().map(|group| group.first_seq);
        let lost = first.map_or(0, |first| first.saturating_sub(own.next_seq));
        own.missed = own.missed.saturating_add(lost);
        self.missed = own.missed;
        let new = state.groups.iter();
        let new = new.filter(|group| group.first_seq >= own.next_seq);
        let new = new.map(Arc::clone).collect();
        own.next_seq = state.next_seq;
        state.trim();
        new
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
        state.trim();
    }
}

impl Published {
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let numbered = (self.first_seq..).zip(records(&self.payload));
        numbered.map(|(seq, record)| Entry::new(seq, record))
    }
}

#[cfg(test)]
mod tests;
