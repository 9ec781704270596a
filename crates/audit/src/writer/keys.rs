//! The keys of persons: on the disk before the records that they seal, destroyed on request, dropped when nothing needs them.
//! Gives the writer's state `keys_first`, `keys_in_place` and `work_on_keys`.
//! Used by the writer's thread alone, so that no key is written while another is destroyed.
//! Start reading at `State::keys_first`.

use std::sync::Arc;

use super::State;
use crate::fault::LedgerFault;
use crate::queue::KeyWork;
use crate::segment;
use crate::settings::Durability;
use crate::subjects::Subject;

impl State {
    /// Puts the keys on the disk that the records of a group are sealed with, and notes that this segment needs them. A record
    /// must never outlive its key, nor a key be dropped that a segment needs.
    pub(super) fn keys_first(&mut self, named: &[Arc<Subject>]) -> Result<(), LedgerFault> {
        let segment = self.segment_start();
        let due = self.subjects.due(named, segment)?;
        let is_flushed = self.settings.durability == Durability::Sync;
        let put = self.subjects.put(&*self.disk, due, segment, is_flushed);
        put.map_err(|error| self.judge(&error))
    }

    /// Has all keys on the disk that records need which a checkpoint is going to cover.
    pub(super) fn keys_flushed(&mut self) -> Result<(), LedgerFault> {
        let flushed = self.subjects.flush(&*self.disk);
        flushed.map_err(|error| self.judge(&error))
    }

    /// Has the files of keys that whoever opens the ledger needs. Gives the names of those that had to be written again.
    pub(super) fn keys_in_place(&mut self) -> Result<Vec<&'static str>, LedgerFault> {
        self.is_whole()?;
        let restored = self.subjects.restore(&*self.disk);
        restored.map_err(|error| self.judge(&error))
    }

    /// Destroys or drops keys. Gives how many.
    pub(super) fn work_on_keys(&mut self, work: &KeyWork) -> Result<usize, LedgerFault> {
        self.is_whole()?;
        match work {
            KeyWork::Erase {
                subject,
                at,
                record,
            } => {
                let segment = self.segment_start();
                let done = self
                    .subjects
                    .erase(&*self.disk, subject, (*at, *record), segment);
                done.map(usize::from)
            }
            KeyWork::Drop => {
                let first = segment::first_readable(&self.dir)?;
                self.subjects.drop_before(&*self.disk, first)
            }
        }
    }
}
