//! Who is known, found by a digest without a lock: parts of a map, of which a change replaces one.
//! Exports `Subject` and `Table`.
//! Used by `subjects`.
//! Start reading at `Table`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crypto::Secret;

use super::row::{Kept, SubjectId};

/// Parts of the table. A new subject costs a copy of one of them.
const PARTS: usize = 256;
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

    pub(crate) fn set_dropped(&self) {
        self.set_used(DROPPED);
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.used() == DROPPED
    }
}

/// Everybody who has a key.
#[derive(Clone)]
pub(crate) struct Table(Vec<Arc<HashMap<[u8; 16], Arc<Subject>>>>);

impl Table {
    pub(crate) fn new(all: impl IntoIterator<Item = Arc<Subject>>) -> Self {
        let mut parts = vec![HashMap::new(); PARTS];
        for subject in all {
            if let Some(part) = parts.get_mut(part_of(&subject.who)) {
                part.insert(subject.who, subject);
            }
        }
        Table(parts.into_iter().map(Arc::new).collect())
    }

    /// The subject with this digest of integration and name.
    pub(crate) fn get(&self, who: &[u8; 16]) -> Option<&Arc<Subject>> {
        self.0.get(part_of(who))?.get(who)
    }

    pub(crate) fn with(&self, subject: Arc<Subject>) -> Table {
        let who = subject.who;
        self.changed(&who, |part| {
            part.insert(who, subject);
        })
    }

    /// The same without this subject; another one of the same person stays.
    pub(crate) fn without(&self, subject: &Subject) -> Table {
        self.changed(&subject.who, |part| {
            part.retain(|_, known| known.id != subject.id);
        })
    }

    fn changed(
        &self,
        who: &[u8; 16],
        change: impl FnOnce(&mut HashMap<[u8; 16], Arc<Subject>>),
    ) -> Table {
        let mut next = self.clone();
        if let Some(part) = next.0.get_mut(part_of(who)) {
            change(Arc::make_mut(part));
        }
        next
    }
}

fn part_of(who: &[u8; 16]) -> usize {
    usize::from(who.first().copied().unwrap_or_default())
}
