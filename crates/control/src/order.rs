//! The order of changes: one after the other, each on the record before it takes effect.
//! Exports `State`, `Turn`, `Effect`. Only a `Turn` can write to the store or publish to the running gateway.
//! Used by every command that changes something, by the reload, and by the maintenance.
//! Start reading at `Turn::commit`.
//!
//! The order is a lock, not a thread with a queue: everybody who changes something waits for the outcome anyway, and a
//! panic costs one change. Whatever is slow (reading files, compiling) happens before a turn is taken.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use gateway::blocks::Added;
use gateway::{SharedState, Snapshot};
use identity::{Credential, CredentialTable};
use model::{DecisionId, Event, Monotonic, Outcome, Timestamp};
use policy::block::Subject;
use store::{Filter, Step, kinds};

use crate::commands::{added_blocks, paused};
use crate::journal::Change;
use crate::{AdminError, Control};

/// Most credentials an installation may hold.
pub const CREDENTIALS_MAX: usize = 100_000;

/// What the running gateway's snapshot is made of, and which load of the configuration it stands for.
#[derive(Default)]
pub(crate) struct State {
    /// The configuration in force, with nobody paused; none while no server runs.
    pub(crate) base: Option<Arc<Snapshot>>,
    /// Integrations that are paused.
    pub(crate) paused: BTreeSet<String>,
    /// Number of the latest load that began.
    pub(crate) begun: u64,
    /// Number of the load that is in force.
    pub(crate) applied: u64,
    /// What the directory looked like when the one in force was read.
    pub(crate) stamp: [u8; 32],
}

/// What a change makes true in the running gateway.
#[derive(Debug)]
pub(crate) enum Effect {
    /// These credentials are as they say.
    Credentials(Vec<Credential>),
    /// This integration is paused, or is no longer.
    Paused(String, bool),
    /// Somebody is blocked.
    Blocked(Added),
    /// Somebody is blocked no longer, and their refusals are forgotten.
    Lifted(Subject),
}

/// The right to change something, held by one at a time.
pub(crate) struct Turn<'d> {
    pub(crate) control: &'d Control,
    pub(crate) state: MutexGuard<'d, State>,
}

impl Control {
    /// Waits for the turn to change something.
    pub(crate) fn turn(&self) -> Turn<'_> {
        // What a panic left behind is repaired by the next change that fails to fit; nothing is half published.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Turn {
            control: self,
            state,
        }
    }

    /// Takes what the store holds as what is in force, at the start.
    pub(crate) fn adopt(&self, base: Arc<Snapshot>, stamp: [u8; 32]) -> Result<(), store::Fault> {
        let mut turn = self.turn();
        turn.state.paused = paused(&self.store)?;
        turn.state.base = Some(base);
        turn.state.stamp = stamp;
        turn.publish_snapshot();
        Ok(())
    }
}

impl Control {
    /// Does something for good that is no change of the running state, and so needs no turn. It is on the record before, with
    /// the number that `work` is given, and afterwards with how it ended.
    ///
    /// # Errors
    /// When a record or the work fails. Only a failure of the last record leaves the work done, and says so.
    pub(crate) fn carry_out<T>(
        &self,
        change: &Change<'_>,
        work: impl FnOnce(u64) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let (id, record) = self.intend(change)?;
        let done = work(record);
        if let Err(error) = &done {
            let mut failed = change.outcome(Outcome::Failed, id, self.now());
            failed.detail = Some(format!("{}; not all of it done: {error}", change.detail).into());
            drop(self.outcome(&failed));
        }
        let done = done?;
        self.done(change, id)?;
        Ok(done)
    }

    /// Records what is going to be done. Gives the id of both records, and the number of this one.
    fn intend(&self, change: &Change<'_>) -> Result<(DecisionId, u64), AdminError> {
        let id = change_id(self.now());
        let record = self.journal()?.record(&change.intent(id, self.now()))?;
        Ok((id, record))
    }

    /// Records that it is done.
    fn done(&self, change: &Change<'_>, id: DecisionId) -> Result<(), AdminError> {
        let done = change.outcome(Outcome::Done, id, self.now());
        self.outcome(&done).map_err(|fault| AdminError {
            message: format!("it is done, but that could not be recorded: {fault}"),
            remedy: "Its intent is in the ledger. The outcome is recorded when the ledger can write again.".into(),
            ..fault.into()
        })
    }

    /// Records an outcome, now or as soon as the ledger can.
    fn outcome(&self, event: &Event) -> Result<(), audit::LedgerFault> {
        let recorded = self.journal.as_ref().map(|journal| journal.record(event));
        let Some(Err(fault)) = recorded else {
            return Ok(());
        };
        if let Some(io) = &self.io {
            io.owed.keep(event.clone());
        }
        Err(fault)
    }
}

impl Turn<'_> {
    /// Records the intent, writes the steps, makes the effect hold, records that it is done. Without a record there is no
    /// effect; an effect that fails leaves a record that says so.
    ///
    /// # Errors
    /// When a record or the store fails. Only a failure of the last record leaves the effect in place, and says so.
    pub(crate) fn commit(
        &mut self,
        change: &Change<'_>,
        steps: Vec<Step>,
        effect: Effect,
    ) -> Result<(), AdminError> {
        let (id, _) = self.control.intend(change)?;
        if let Err(fault) = self.tidy(steps) {
            self.resync();
            let mut failed = change.outcome(Outcome::Failed, id, self.control.now());
            let detail = format!("{}; not done: {fault}", change.detail);
            failed.detail = Some(detail.into());
            drop(self.control.outcome(&failed));
            return Err(fault.into());
        }
        self.publish(effect);
        self.control.done(change, id)
    }

    /// Writes what is no change: uses of keys, blocks that are over. Nothing of it is recorded.
    pub(crate) fn tidy(&mut self, steps: Vec<Step>) -> Result<(), store::Fault> {
        if steps.is_empty() {
            Ok(())
        } else {
            self.control.store.transact(steps).map(drop)
        }
    }

    /// Whether the running gateway is as this effect would make it already; where none runs, the store alone says that.
    pub(crate) fn holds(&self, effect: &Effect) -> bool {
        let Some(io) = &self.control.io else {
            return true;
        };
        match effect {
            Effect::Credentials(records) => {
                let table = io.credentials.load();
                let is_same = |record: &Credential| {
                    let entry = table.get(record.id);
                    entry.is_some_and(|entry| entry.record().revoked_at == record.revoked_at)
                };
                records.iter().all(is_same)
            }
            Effect::Paused(name, is_paused) => self.state.paused.contains(name) == *is_paused,
            Effect::Blocked(_) | Effect::Lifted(_) => false,
        }
    }

    fn publish(&mut self, effect: Effect) {
        if let Effect::Paused(name, is_paused) = &effect {
            if *is_paused {
                self.state.paused.insert(name.clone())
            } else {
                self.state.paused.remove(name)
            };
        }
        let Some(io) = &self.control.io else { return };
        match effect {
            Effect::Credentials(changed) => with_credentials(io, changed),
            Effect::Paused(..) => self.publish_snapshot(),
            Effect::Blocked(added) => io.blocks.add(added),
            Effect::Lifted(subject) => drop(io.blocks.lift(&subject, moment(io))),
        }
    }

    /// The one place where a snapshot is made: the configuration in force, with the pauses in force.
    pub(crate) fn publish_snapshot(&self) {
        if let (Some(io), Some(base)) = (&self.control.io, &self.state.base) {
            let next = base.with_paused(&self.state.paused);
            io.snapshot.store(Arc::new(next));
        }
    }

    /// After a write that failed: it may have reached the disk all the same, so what the store holds is what holds. Where it
    /// cannot be read either, everything stays as it was.
    fn resync(&mut self) {
        if let Ok(paused) = paused(&self.control.store) {
            self.state.paused = paused;
            self.publish_snapshot();
        }
        let Some(io) = &self.control.io else { return };
        let rows = self.control.store.list_all::<Credential>(
            &kinds::CREDENTIAL,
            Filter::All,
            CREDENTIALS_MAX,
        );
        if let Ok(rows) = rows {
            replace_credentials(io, rows.into_iter().map(|row| row.value).collect());
        }
        let moment = moment(io);
        if let Ok(stored) = added_blocks(&self.control.store, io.clock.now(), moment) {
            replace_blocks(io, stored, moment);
        }
    }
}

fn moment(io: &SharedState) -> Monotonic {
    io.clock.monotonic(io.clock.tick())
}

/// Uses that were noted stay noted: a record is replaced only where it differs.
fn with_credentials(io: &SharedState, changed: Vec<Credential>) {
    let table = io.credentials.load_full();
    let next = changed
        .into_iter()
        .fold(CredentialTable::clone(&table), |table, record| {
            table.with(record)
        });
    io.credentials.store(Arc::new(next));
}

fn replace_credentials(io: &SharedState, stored: Vec<Credential>) {
    let table = io.credentials.load_full();
    let kept: BTreeSet<_> = stored.iter().map(|record| record.id).collect();
    let gone = table.iter().map(|entry| entry.record().id);
    let gone: Vec<_> = gone.filter(|id| !kept.contains(id)).collect();
    let differs = |record: &Credential| {
        let entry = table.get(record.id);
        entry.is_none_or(|entry| entry.record() != record)
    };
    let next = gone
        .into_iter()
        .fold(CredentialTable::clone(&table), |table, id| {
            table.without(id)
        });
    let next = stored
        .into_iter()
        .filter(differs)
        .fold(next, |table, record| table.with(record));
    io.credentials.store(Arc::new(next));
}

fn replace_blocks(io: &SharedState, stored: Vec<Added>, moment: Monotonic) {
    let kept: BTreeSet<_> = stored.iter().map(|one| one.subject.clone()).collect();
    let is_gone = |block: &gateway::blocks::Block| {
        let is_added = matches!(block.origin, gateway::blocks::Origin::Person(_));
        is_added && !kept.contains(&block.subject)
    };
    for block in io.blocks.list(moment).into_iter().filter(is_gone) {
        drop(io.blocks.lift(&block.subject, moment));
    }
    stored.into_iter().for_each(|one| io.blocks.add(one));
}

/// Ties the outcome of a change to its intent.
fn change_id(now: Timestamp) -> DecisionId {
    DecisionId::new(now, crypto::random())
}
