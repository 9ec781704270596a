//! Whether the sealed values of records can be read, or were erased by a record that says so.
//! Exports `Persons`.
//! Used by the verifier of directories.
//! Start reading at `Persons::pass`.

use std::collections::BTreeMap;
use std::path::Path;

use crypto::Keys;
use model::event::Personal;
use model::{Event, Kind};
use serde::Deserialize;

use crate::fault::LedgerFault;
use crate::segment;
use crate::subjects::{self, ErasedSubject, State, Subjects, sealed};

/// What is needed of a record.
#[derive(Deserialize)]
struct Brief {
    #[serde(default)]
    personal: Vec<Personal>,
}

/// The keys of persons, as their file has them.
#[derive(Default)]
pub(super) struct Persons {
    known: Option<Subjects>,
    is_read: bool,
    /// Who was erased, by the number of the record that has to say so.
    erased: BTreeMap<u64, Vec<ErasedSubject>>,
    /// Records of which a part was erased.
    pub records: u64,
}

/// What is wrong with a record, or why that cannot be told.
pub(super) enum Wrong {
    Bad(String),
    Fault(LedgerFault),
}

impl Persons {
    /// The erasures, in the order of their records.
    pub(super) fn erasures(&self) -> Vec<ErasedSubject> {
        self.erased.values().flatten().cloned().collect()
    }

    /// Reads the file, at first and where a record names somebody who was not known then.
    fn read(&mut self, dir: &Path, keys: &Keys) -> Result<(), Wrong> {
        self.known = Subjects::read(dir, keys).map_err(|fault| match fault {
            LedgerFault::Integrity { what, .. } => Wrong::Bad(what),
            fault => Wrong::Fault(fault),
        })?;
        self.is_read = true;
        self.erased.clear();
        let erased = self.known.as_ref().map(Subjects::erased);
        for one in erased.unwrap_or_default() {
            self.erased.entry(one.record).or_default().push(one);
        }
        Ok(())
    }

    /// Passes one record.
    pub(super) fn pass(
        &mut self,
        dir: &Path,
        keys: &Keys,
        seq: u64,
        record: Option<&[u8]>,
    ) -> Result<(), Wrong> {
        if !self.is_read {
            self.read(dir, keys)?;
        }
        let Some(record) = record else { return Ok(()) };
        self.pass_eraser(seq, record)?;
        if !sealed::holds_values(record) {
            return Ok(());
        }
        let mut states = self.states(record)?;
        if states.contains(&State::Damaged) {
            // Beside a running recorder they may have been met since the file was read.
            self.read(dir, keys)?;
            states = self.states(record)?;
            let first = segment::first_readable(dir).map_err(Wrong::Fault)?;
            if first <= seq && states.contains(&State::Damaged) {
                let what = "the key of a person is missing or damaged, and nothing says that they were erased";
                return Err(Wrong::Bad(what.into()));
            }
        }
        self.records += u64::from(states.contains(&State::Erased));
        Ok(())
    }

    /// How each of the persons is whose values a record holds.
    fn states(&self, record: &[u8]) -> Result<Vec<State>, Wrong> {
        let brief: Brief = serde_json::from_slice(record)
            .map_err(|error| Wrong::Bad(format!("it cannot be read: {error}")))?;
        let subjects = brief.personal.iter().flat_map(|one| &one.subjects);
        let states = subjects.map(|subject| match &self.known {
            Some(known) => known.state(subject),
            None => State::Damaged,
        });
        Ok(states.collect())
    }

    /// The record that an erased key names says whom it erases.
    fn pass_eraser(&self, seq: u64, record: &[u8]) -> Result<(), Wrong> {
        let Some(erased) = self.erased.get(&seq) else {
            return Ok(());
        };
        let event: Option<Event> = serde_json::from_slice(record).ok();
        let says = |one: &ErasedSubject| {
            event.as_ref().is_some_and(|event| {
                event.kind == Kind::Intent
                    && event.operation.as_deref() == Some(subjects::COMMAND)
                    && event.erases.as_deref() == Some(one.subject.as_str())
            })
        };
        if erased.iter().all(says) {
            return Ok(());
        }
        let what =
            "an erased key names this record as the one that says so, and it says nothing of it";
        Err(Wrong::Bad(what.into()))
    }
}
