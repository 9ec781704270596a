//! Every credential, in memory, found by its keyed digest. Changing one makes a new table that is swapped in whole.
//! Exports `CredentialTable` and `Entry`. Look-ups take no lock; a revocation holds from the swap on.
//! Used by `verify`; the gateway holds the table behind an atomic pointer.
//! Start reading at `CredentialTable::of`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use model::{KeyId, Timestamp};

use crate::Credential;
use crate::last_use::LastUse;
use crate::verified::{CredentialRef, Place};

/// A credential of the store.
#[derive(Debug)]
pub struct Entry {
    record: Credential,
    reference: Arc<CredentialRef>,
}

impl Entry {
    fn new(record: Credential, before: Option<&Entry>) -> Entry {
        let before = before.map(|entry| &entry.reference.last_use);
        let reference = Arc::new(CredentialRef {
            id: record.id,
            kind: record.method.clone(),
            integration: Arc::from(record.integration.as_str()),
            hint: record.hint.clone(),
            is_live: record.is_live,
            last_use: LastUse::new(record.last_used_at, before),
            place: Place::default(),
        });
        Entry { record, reference }
    }

    /// The record.
    pub fn record(&self) -> &Credential {
        &self.record
    }

    /// The credential by name.
    pub fn reference(&self) -> &Arc<CredentialRef> {
        &self.reference
    }

    /// Last accepted use, including those not written yet.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        self.reference.last_use.at()
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
        let entry = Arc::new(Entry::new(record, before.as_deref()));
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
        let unsaved =
            |entry: &Arc<Entry>| Some((entry.record.id, entry.reference.last_use.take_unsaved()?));
        self.iter().filter_map(unsaved).collect()
    }
}

#[cfg(test)]
mod tests;
