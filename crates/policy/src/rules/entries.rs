//! What one integration may do, by operation.
//! Exports `Entries`, a small sorted table: it is asked several times for each request, and is never long.
//! Used by `Integration`.
//! Start reading at `Entries::get`.

use crate::rules::{Entry, OperationRef};

/// Entries in the order of their operations.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    operations: Vec<OperationRef>,
    /// At the places of their operations.
    entries: Vec<Entry>,
}

impl Entries {
    pub fn get(&self, operation: &OperationRef) -> Option<&Entry> {
        let place = self.operations.binary_search(operation).ok()?;
        self.entries.get(place)
    }

    pub fn get_mut(&mut self, operation: &OperationRef) -> Option<&mut Entry> {
        let place = self.operations.binary_search(operation).ok()?;
        self.entries.get_mut(place)
    }

    /// Adds an entry, or replaces the one of this operation.
    pub fn insert(&mut self, operation: OperationRef, entry: Entry) {
        match self.operations.binary_search(&operation) {
            Ok(place) => {
                if let Some(known) = self.entries.get_mut(place) {
                    *known = entry;
                }
            }
            Err(place) => {
                self.operations.insert(place, operation);
                self.entries.insert(place, entry);
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (OperationRef, &Entry)> {
        self.operations.iter().copied().zip(&self.entries)
    }

    pub fn keys(&self) -> impl Iterator<Item = OperationRef> + '_ {
        self.operations.iter().copied()
    }
}
