//! One record as it stands in the ledger: its number and its exact bytes.
//! Exports `Entry`, and `moment_in` for when it was written.
//! Given by the reader and by the stream of new records.
//! Start reading at `Entry`.

use std::time::Duration;

use model::{Event, Timestamp};
use serde::Deserialize;

use crate::fault::LedgerFault;
use crate::tree::{Hash, leaf_hash};

/// A record whose moment lies further than this before one that came earlier names that one (`Event::latest`), so that a
/// filter by time still knows when to stop.
pub(crate) const SET_BACK_MIN: Duration = Duration::from_secs(1_800);

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 0.
    pub seq: u64,
    /// The exact bytes that are hashed and exported: one line of JSON.
    pub json: String,
    /// The same with what is sealed in it in its place; `None` where nothing is sealed, or where nobody opened it.
    pub(crate) opened: Option<String>,
}

impl Entry {
    pub(crate) fn new(seq: u64, record: &[u8]) -> Self {
        Entry {
            seq,
            json: String::from_utf8_lossy(record).into_owned(),
            opened: None,
        }
    }

    /// The record as it is shown: what it says of persons in its place, and named where it cannot be read.
    pub fn shown(&self) -> &str {
        self.opened.as_deref().unwrap_or(&self.json)
    }

    /// The event in it.
    ///
    /// # Errors
    /// When a later version of the product wrote a form this one does not know.
    pub fn event(&self) -> Result<Event, LedgerFault> {
        serde_json::from_str(self.shown()).map_err(|error| LedgerFault::Unusable {
            what: format!("record {}: {error}", self.seq),
        })
    }

    /// Its leaf hash.
    pub fn leaf(&self) -> Hash {
        leaf_hash(self.json.as_bytes())
    }
}

/// When something happened.
#[derive(Deserialize)]
struct When {
    at: Timestamp,
    #[serde(default)]
    latest: Option<Timestamp>,
}

/// When a record was written.
pub(crate) fn moment_in(record: &[u8]) -> Option<Timestamp> {
    let when = serde_json::from_slice::<When>(record).ok()?;
    Some(when.latest.map_or(when.at, |latest| latest.max(when.at)))
}
