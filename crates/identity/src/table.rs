//! Every credential, in memory, found by its keyed digest. Changing one makes a new table that is swapped in whole.
//! Gives `CredentialTable` and `Entry`. Look-ups take no lock; a revocation holds from the swap on.
//! Used by `verify`; the gateway holds the table behind an atomic pointer.
//! Start reading at `CredentialTable::of`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::{KeyId, Timestamp};

use crate::Credential;

/// One credential with the moment of its last use.
#[derive(Debug)]
pub struct Entry {
    record: Credential,
    used: AtomicI64,
    saved: AtomicI64,
}

/// Uses closer together than this are not told apart, so that busy keys do not write on every request.
const USE_RESOLUTION: Duration = Duration::from_secs(10);

impl Entry {
    fn of(record: Credential, before: Option<&Entry>) -> Entry {
        let saved = record.last_used_at.map_or(0, Timestamp::micros);
        let used = before.map_or(0, |entry| entry.used.load(Ordering::Relaxed));
        Entry {
            record,
            used: AtomicI64::new(used.max(saved)),
            saved: AtomicI64::new(saved),
        }
    }

    /// The record.
    pub fn record(&self) -> &Credential {
        &self.record
    }

    /// Last accepted use, including those not written yet.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        (used > 0).then(|| Timestamp::from_micros(used))
    }

    pub(crate) fn touch(&self, now: Timestamp) {
        let before = Timestamp::from_micros(self.used.load(Ordering::Relaxed));
        if now.since(before) >= USE_RESOLUTION {
            self.used.fetch_max(now.micros(), Ordering::Relaxed);
        }
    }
}

/// Digests are random already and cannot be chosen by a caller, so their first bytes are the hash.
#[derive(Clone, Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Every credential at one moment. Cheap to copy with one change.
#[derive(Clone, Debug, Default)]
pub struct CredentialTable {
    by_digest: HashMap<[u8; 32], Arc<Entry>, BuildHasherDefault<DigestHasher>>,
    by_id: BTreeMap<KeyId, Arc<Entry>>,
}

impl CredentialTable {
    /// A table of these records. Of two with the same id the later one counts.
    pub fn of(records: impl IntoIterator<Item = Credential>) -> Self {
        let mut table = CredentialTable::default();
        for record in records {
            table.put(record);
        }
        table
    }

    /// The same table with this record added or replaced.
    #[must_use]
    pub fn with(&self, record: Credential) -> Self {
        let mut table = self.clone();
        table.put(record);
        table
    }

    /// The same table without this credential.
    #[must_use]
    pub fn without(&self, id: KeyId) -> Self {
        let mut table = self.clone();
        table.take(id);
        table
    }

    fn put(&mut self, record: Credential) {
        let before = self.take(record.id);
        let (id, digest) = (record.id, record.digest.0);
        let entry = Arc::new(Entry::of(record, before.as_deref()));
        self.by_digest.insert(digest, Arc::clone(&entry));
        self.by_id.insert(id, entry);
    }

    fn take(&mut self, id: KeyId) -> Option<Arc<Entry>> {
        let before = self.by_id.remove(&id)?;
        self.by_digest.remove(&before.record.digest.0);
        Some(before)
    }

    /// The credential with this digest.
    pub fn find(&self, digest: &[u8; 32]) -> Option<&Arc<Entry>> {
        self.by_digest.get(digest)
    }

    /// The credential with this id.
    pub fn get(&self, id: KeyId) -> Option<&Arc<Entry>> {
        self.by_id.get(&id)
    }

    /// Every credential, by id, which is by age.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_id.values()
    }

    /// Number of credentials.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Uses that are not in the store yet, each told once. Write them with [`crate::credential::used`].
    pub fn take_uses(&self) -> Vec<(KeyId, Timestamp)> {
        let unsaved = |entry: &Arc<Entry>| {
            let used = entry.used.load(Ordering::Relaxed);
            let saved = entry.saved.fetch_max(used, Ordering::Relaxed);
            (used > saved).then(|| (entry.record.id, Timestamp::from_micros(used)))
        };
        self.iter().filter_map(unsaved).collect()
    }
}

#[cfg(test)]
mod tests;
