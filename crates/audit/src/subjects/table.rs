//! Who is known, found by a digest without a lock: parts of a map, each of which a change replaces for itself.
//! Exports `Subject` and `Table`.
//! Used by `subjects`.
//! Start reading at `Table`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use crypto::Secret;

use super::row::{Kept, SubjectId};

/// Parts of the table. A new subject costs a copy of one of them: a hundred entries where there are as many as can be.
const PARTS: usize = 1024;
/// Not written yet.
const NEW: u64 = u64::MAX;
/// Its key was dropped, because no record named it any more.
const DROPPED: u64 = u64::MAX - 1;

/// A person whose values are sealed under a key of their own.
#[derive(Debug)]
pub(crate) struct Subject {
    pub id: SubjectId,
    pub who: [u8; 16],
    pub name: [u8; 16],
    pub key: Secret<[u8; 32]>,
    /// Number of its row.
    pub row: usize,
    /// First record of the segment that names it last, as its row says.
    used: AtomicU64,
}

impl Subject {
    pub(crate) fn new(kept: Kept, row: usize) -> Self {
        Subject {
            id: kept.id,
            who: kept.who,
            name: kept.name,
            key: kept.key,
            row,
            used: AtomicU64::new(kept.used),
        }
    }

    /// One that has no row on the disk yet.
    pub(crate) fn met(kept: Kept, row: usize) -> Self {
        let subject = Subject::new(kept, row);
        subject.set_used(NEW);
        subject
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    pub(crate) fn set_used(&self, segment: u64) {
        self.used.store(segment, Ordering::Release);
    }

    /// Whether it has no row on the disk yet.
    pub(crate) fn is_new(&self) -> bool {
        self.used() == NEW
    }

    /// As its row has it.
    pub(crate) fn kept(&self) -> Kept {
        Kept {
            id: self.id,
            who: self.who,
            name: self.name,
            used: self.used(),
            key: self.key.clone(),
        }
    }

    pub(crate) fn set_dropped(&self) {
        self.set_used(DROPPED);
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.used() == DROPPED
    }
}

type Part = HashMap<[u8; 16], Arc<Subject>>;

/// Everybody who has a key. Whoever changes it holds a lock of their own; nobody who reads it waits.
pub(crate) struct Table(Vec<ArcSwap<Part>>);

impl Table {
    pub(crate) fn new(all: impl IntoIterator<Item = Arc<Subject>>) -> Self {
        let table = Table((0..PARTS).map(|_| ArcSwap::default()).collect());
        table.replace(all);
        table
    }

    /// The subject with this digest of what tells them apart.
    pub(crate) fn get(&self, who: &[u8; 16]) -> Option<Arc<Subject>> {
        self.0.get(part_of(who))?.load().get(who).cloned()
    }

    pub(crate) fn add(&self, subject: &Arc<Subject>) {
        self.change(&subject.who, |part| {
            part.insert(subject.who, Arc::clone(subject));
        });
    }

    /// Takes this subject out; another one of the same person stays.
    pub(crate) fn remove(&self, subject: &Subject) {
        self.change(&subject.who, |part| {
            part.retain(|_, known| known.id != subject.id);
        });
    }

    /// These and nobody else.
    pub(crate) fn replace(&self, all: impl IntoIterator<Item = Arc<Subject>>) {
        let mut parts: Vec<Part> = vec![HashMap::new(); PARTS];
        for subject in all {
            if let Some(part) = parts.get_mut(part_of(&subject.who)) {
                part.insert(subject.who, subject);
            }
        }
        for (place, part) in self.0.iter().zip(parts) {
            place.store(Arc::new(part));
        }
    }

    /// Entries of its largest part: what it costs at most to meet somebody.
    #[cfg(test)]
    pub(crate) fn largest(&self) -> usize {
        let parts = self.0.iter().map(|part| part.load().len());
        parts.max().unwrap_or_default()
    }

    fn change(&self, who: &[u8; 16], change: impl FnOnce(&mut Part)) {
        if let Some(place) = self.0.get(part_of(who)) {
            let mut part = Part::clone(&place.load());
            change(&mut part);
            place.store(Arc::new(part));
        }
    }
}

fn part_of(who: &[u8; 16]) -> usize {
    let [low, high, ..] = *who;
    usize::from(u16::from_le_bytes([low, high])) % PARTS
}
