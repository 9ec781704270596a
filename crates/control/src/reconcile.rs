//! Store and ledger held against each other when an installation is opened: the stricter of both holds.
//! Exports `reconcile`, `Reconciled`, `ReconcileError`.
//! Used by whoever opens an installation to write to it, before anything else is done with it.
//! Start reading at `reconcile`; what the ledger says is gathered in `recorded`, the comparison is in `differences`.
//!
//! A database that was put back from before a revocation, a pause or a block is in order by itself, and says that what was
//! taken back still holds. The ledger knows better. And where a process was killed between the record of a change and its
//! outcome, the store says whether it was done.

mod differences;
mod held;
mod recorded;

use std::sync::Arc;

use audit::{LedgerFault, Recorder};
use identity::Credential;
use model::{Event, Outcome, Text, Timestamp, Word};
use store::{Fault, Filter, Step, Store, kinds};

use self::differences::{Difference, differences};
use self::held::Held;
use self::recorded::{Recorded, is_candidate};
use crate::actor::Actor;
use crate::commands::{kept_blocks, pauses};
use crate::maintenance::{SETTLED, settled};
use crate::order::CREDENTIALS_MAX;

/// Kind of the records about differences.
pub const KIND: &str = "store.reconciled";
/// Steps of one transaction; a difference takes a few.
const STEPS_MAX: usize = 500;

/// What was found and put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Differences between store and ledger.
    pub differences: usize,
    /// Changes whose outcome was not recorded and is now.
    pub outcomes: usize,
}

impl Reconciled {
    /// One line for the operator, where there is something to say.
    pub fn said(&self) -> Option<String> {
        (self.differences > 0).then(|| {
            format!(
                "portcullis: store and ledger did not agree ({}); the stricter of both holds. See `portcullis ledger show --kind {KIND}`",
                model::printable::counted(self.differences, "difference"),
            )
        })
    }
}

/// Store and ledger cannot be held against each other.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The store.
    #[error(transparent)]
    Store(#[from] Fault),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// The ledger is shorter than the store knows it.
    #[error(
        "the ledger has {found} records, and the database has seen {seen}: the ledger's directory is from before the database. \
         Put back both from the same backup, or the newer ledger"
    )]
    LedgerBehind {
        /// Records that are there.
        found: u64,
        /// Records that the database has seen.
        seen: u64,
    },
    /// The ledger does not say any more what happened since the store was as it is.
    #[error(
        "the database is from before record {settled}, and the records up to {readable} were destroyed since: nothing says any \
         more which keys were revoked in between. Restore a newer backup of the data directory, or give `store: {{ dir }}` \
         another directory and make new keys"
    )]
    Destroyed {
        /// Number of the first record that the store does not know.
        settled: u64,
        /// Number of the first record that can be read.
        readable: u64,
    },
}

impl ReconcileError {
    /// Whether store or ledger do not hold what they should.
    pub const fn is_integrity(&self) -> bool {
        matches!(
            self,
            ReconcileError::LedgerBehind { .. } | ReconcileError::Destroyed { .. }
        )
    }
}

/// Holds the store against what the ledger says of keys, pauses and blocks since the two were last known to agree, and makes the
/// stricter of both hold. Each difference is recorded before it is put right, so a kill in between costs nothing but the
/// same again. Closes the changes that a killed process left without an outcome.
///
/// # Errors
/// [`ReconcileError`]; nothing may be done with the installation then.
pub fn reconcile(
    store: &Store,
    recorder: &Arc<Recorder>,
    now: Timestamp,
) -> Result<Reconciled, ReconcileError> {
    let end = recorder.status().records;
    let known = settled(store)?;
    let from = begin(recorder, known, end)?;
    let mut recorded = gather(recorder, from)?;
    let held = held(store)?;
    let outcomes = recorded.close(&held, now);
    let found = differences(&recorded, &held, now)?;
    for difference in &found {
        recorder.record(&difference.event(now)).wait()?;
    }
    let reconciled = Reconciled {
        differences: found.len(),
        outcomes: outcomes.len(),
    };
    put_right(store, found)?;
    for outcome in &outcomes {
        recorder.record(outcome).wait()?;
    }
    if known != Some(end) {
        store.transact(vec![Step::put(&kinds::LEDGER_WITNESS, SETTLED, &end)?])?;
    }
    Ok(reconciled)
}

/// Number of the first record that may say something which the store does not know.
fn begin(recorder: &Recorder, known: Option<u64>, end: u64) -> Result<u64, ReconcileError> {
    let readable = recorder.ledger().first_readable()?;
    match known {
        Some(seen) if seen > end => Err(ReconcileError::LedgerBehind { found: end, seen }),
        Some(settled) if settled < readable => Err(ReconcileError::Destroyed { settled, readable }),
        Some(settled) => Ok(settled),
        // A store of before this was noted: everything that can be read counts.
        None => Ok(readable),
    }
}

fn gather(recorder: &Recorder, from: u64) -> Result<Recorded, ReconcileError> {
    let ledger = recorder.ledger();
    let mut recorded = Recorded::default();
    for entry in ledger.from_seq(from)? {
        let entry = entry?;
        if is_candidate(&entry.json) {
            let entry = ledger.opened(entry)?;
            recorded.take(entry.seq, entry.event()?);
        }
    }
    Ok(recorded)
}

fn held(store: &Store) -> Result<Held, Fault> {
    let credentials =
        store.list_all::<Credential>(&kinds::CREDENTIAL, Filter::All, CREDENTIALS_MAX)?;
    Ok(Held {
        credentials: credentials
            .into_iter()
            .map(|row| (row.value.id, row.value))
            .collect(),
        pauses: pauses(store)?,
        blocks: kept_blocks(store)?,
    })
}

fn put_right(store: &Store, found: Vec<Difference>) -> Result<(), Fault> {
    let mut steps = Vec::new();
    for difference in found {
        steps.extend(difference.steps);
        if steps.len() >= STEPS_MAX {
            store.transact(std::mem::take(&mut steps))?;
        }
    }
    if !steps.is_empty() {
        store.transact(steps)?;
    }
    Ok(())
}

impl Difference {
    /// The record that names it.
    fn event(&self, now: Timestamp) -> Event {
        let actor = Actor::server("start");
        Event {
            at: now,
            kind: Word::new(KIND),
            outcome: Outcome::Done.into(),
            integration: self.integration.as_deref().map(Text::new),
            credential: self.credential.map(|id| id.text()),
            person: self.person.as_deref().map(Text::new),
            blocked: self.blocked.clone(),
            user: Some(Text::new(&actor.name)),
            actor: Some(actor.recorded()),
            detail: Some(self.detail.as_str().into()),
            ..Event::default()
        }
    }
}

#[cfg(test)]
mod tests;
