//! Keys that were destroyed and are there again: a file from a backup makes readable what nobody was to read any more.
//! Exports `DestroyedKeys` (what is known to be destroyed), `Returned` and `returned`.
//! Used by the verifier, by `doctor`, and by a start, which destroys them again.
//! Start reading at `returned`; who remembers what was destroyed, docs/decisions/055 says.

use std::collections::BTreeSet;
use std::path::Path;

use crypto::Keys;
use model::{Event, Outcome};

use crate::destruction::{self, Closed};
use crate::fault::LedgerFault;
use crate::segment::{self, key};
use crate::subjects::{self, State, Subjects};

/// Keys that are known to be destroyed, whatever stands in their place now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestroyedKeys {
    /// Those of all segments whose records have a smaller number, where a segment has a key of its own.
    pub before_seq: u64,
    /// Those of these persons, as records name them.
    pub subjects: BTreeSet<String>,
}

impl DestroyedKeys {
    /// What the ledger's directory says itself, by notes that nobody can write who does not have the root. Records are
    /// destroyed from the beginning on, so a note in the place of one key speaks of all in front of it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn noted_in(dir: &Path, keys: &Keys) -> Result<DestroyedKeys, LedgerFault> {
        let erased = persons(dir, keys)?.map(|known| known.erased());
        let erased = erased.unwrap_or_default();
        Ok(DestroyedKeys {
            before_seq: noted_before(dir, keys)?,
            subjects: erased.into_iter().map(|one| one.subject).collect(),
        })
    }

    /// Adds what is known from elsewhere.
    #[must_use]
    pub fn and(mut self, other: &DestroyedKeys) -> DestroyedKeys {
        self.before_seq = self.before_seq.max(other.before_seq);
        self.subjects.extend(other.subjects.iter().cloned());
        self
    }

    /// Adds what a record says was destroyed: that it was done, and not only meant to be.
    pub(crate) fn learn_from(&mut self, record: &[u8]) {
        let text = std::str::from_utf8(record).unwrap_or_default();
        // Few records speak of it, and reading one takes longer than looking for a word.
        if !text.contains(destruction::COMMAND) && !text.contains(subjects::COMMAND) {
            return;
        }
        let Ok(event) = serde_json::from_str::<Event>(text) else {
            return;
        };
        if event.outcome != Outcome::Done {
            return;
        }
        match event.kind.name() {
            destruction::COMMAND => {
                self.before_seq = self.before_seq.max(event.destroys.unwrap_or_default());
            }
            subjects::COMMAND => self
                .subjects
                .extend(event.erases.map(|text| text.to_string())),
            _ => {}
        }
    }
}

/// Keys that were destroyed and are there again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// First and last record of each segment that can be read again.
    pub segments: Vec<(u64, u64)>,
    /// Persons of whom can be read again what the ledger says of them, as records name them.
    pub subjects: Vec<String>,
}

impl Returned {
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.subjects.is_empty()
    }

    /// Records that can be read again, those of the persons not among them.
    pub fn records(&self) -> u64 {
        let records = self.segments.iter().map(|(first, last)| last - first + 1);
        records.sum()
    }
}

/// The keys that are there again, of those that are known to be destroyed and of those in front of one that is. Looks at the
/// files of keys alone, however long the ledger is.
///
/// # Errors
/// When a file cannot be read.
pub fn returned(dir: &Path, keys: &Keys, known: &DestroyedKeys) -> Result<Returned, LedgerFault> {
    let before = known.before_seq.max(noted_before(dir, keys)?);
    let live = destruction::closed(dir, before)?;
    let range = |one: &Closed| (one.segment.first_seq, one.end_seq.saturating_sub(1));
    let persons = if known.subjects.is_empty() {
        None
    } else {
        persons(dir, keys)?
    };
    let is_kept = |subject: &&String| {
        let state = persons.as_ref().map(|persons| persons.state(subject));
        state == Some(State::Kept)
    };
    Ok(Returned {
        segments: live.iter().map(range).collect(),
        subjects: known.subjects.iter().filter(is_kept).cloned().collect(),
    })
}

/// The keys of persons. Where their files are damaged no key is there, which the verifier finds.
fn persons(dir: &Path, keys: &Keys) -> Result<Option<Subjects>, LedgerFault> {
    match Subjects::read(dir, keys) {
        Err(fault) if fault.is_integrity() => Ok(None),
        read => read,
    }
}

/// The number behind the last record whose key has a note in its place.
fn noted_before(dir: &Path, keys: &Keys) -> Result<u64, LedgerFault> {
    let segments = segment::list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    for pair in segments.windows(2).rev() {
        let [(_, path), (end_seq, _)] = pair else {
            continue;
        };
        // Keys are destroyed by what this says: a note that is not ours says nothing.
        if key::note_beside(path, keys)?.is_some() {
            return Ok(*end_seq);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests;
