//! What has to be written beside the requests: uses of keys, the end of blocks, the ledger's witness, internal errors.
//! Exports `Maintenance`; each round of it is for a supervised task.
//! Used by whoever starts and stops a server.
//! Start reading at `Maintenance::work`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit::SignedCheckpoint;
use identity::{Credential, credential};
use model::{Event, Outcome, Word};
use store::{Expected, Fault, Step, Store, kinds};

use crate::Control;
use crate::supervisor::Stop;

/// How often the witness is renewed and internal errors are recorded.
const TICK: Duration = Duration::from_millis(250);
/// Uses of keys are written every so many ticks.
const USES_TICKS: u64 = 120;
/// The newest checkpoint, among what the database knows of the ledger.
const NEWEST: &str = "newest";
/// The number of records whose changes the database has, among the same.
pub(crate) const SETTLED: &str = "settled";

/// The newest checkpoint that the database has not witnessed.
pub type Witness = Arc<Mutex<Option<SignedCheckpoint>>>;

/// What has to be written beside the requests.
pub struct Maintenance {
    /// The owner of what is written.
    pub control: Arc<Control>,
    /// The newest checkpoint.
    pub witness: Witness,
    /// Takes the internal errors that were not recorded yet.
    pub panics: fn() -> Vec<String>,
    /// Prints a line for the operator.
    pub say: fn(&str),
}

impl Maintenance {
    /// Rounds until it is time to stop, and a last one then.
    pub fn work(&self, stop: &Stop) {
        for tick in 1u64.. {
            let is_last = stop.wait(TICK);
            // Each for itself: what goes wrong in one must not hinder the others.
            guarded(|| self.keep_witness());
            if tick.is_multiple_of(USES_TICKS) || is_last {
                guarded(|| self.keep_uses());
                guarded(|| self.forget_ended());
            }
            guarded(|| self.keep_panics());
            guarded(|| self.count_records());
            if is_last {
                return;
            }
        }
    }

    /// Has the database witness the newest checkpoint. In turn with whoever changes something: every change that the checkpoint
    /// covers is in the store then.
    fn keep_witness(&self) {
        let is_new = self
            .witness
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        if is_new {
            let turn = self.control.turn();
            let owed = self.control.io.as_ref().map(|io| io.owed.is_empty());
            let is_settled = owed.unwrap_or(true);
            keep_witness(&turn.control.store, &self.witness, is_settled, self.say);
        }
    }

    /// Takes blocks that are over out of the store, so that no later start counts them again. What cannot be taken out now
    /// stays, and ends by its own time.
    fn forget_ended(&self) {
        let Some(io) = &self.control.io else { return };
        let mut turn = self.control.turn();
        let ended = io.blocks.take_ended(io.clock.monotonic(io.clock.tick()));
        let steps = ended.iter().map(|one| Step::delete(&kinds::BLOCK, &one.id));
        if let Err(fault) = turn.tidy(steps.collect()) {
            (self.say)(&format!(
                "portcullis: a block that is over could not be taken out of the store: {fault}"
            ));
        }
    }

    /// Writes when keys were used last, in turn with whoever changes keys.
    fn keep_uses(&self) {
        let Some(io) = &self.control.io else { return };
        for (id, at) in io.credentials.load().take_uses() {
            let mut turn = self.control.turn();
            let Ok(Some(stored)) = self.control.store.get::<Credential>(&kinds::CREDENTIAL, id)
            else {
                continue;
            };
            let used = credential::used(&stored.value, at);
            let Ok(put) = Step::put(&kinds::CREDENTIAL, id, &used) else {
                continue;
            };
            // Put with the version that was read, whoever else may write: a revocation is never undone.
            let expected = Step::expect(&kinds::CREDENTIAL, id, Expected::Version(stored.version));
            drop(turn.tidy(vec![expected, put]));
        }
    }

    /// Takes from the stream of records what nobody has asked the metrics for yet, before it is too much to be kept.
    fn count_records(&self) {
        let Some(io) = &self.control.io else { return };
        io.metrics.count_records(&io.record_counts, &io.recorder);
    }

    /// Records what panicked, in whatever thread: it was said when it happened.
    fn keep_panics(&self) {
        for detail in (self.panics)() {
            let event = Event {
                at: self.control.now(),
                kind: Word::new("internal.error"),
                outcome: Outcome::Failed.into(),
                detail: Some(detail.into()),
                ..Event::default()
            };
            if !self.control.has_recorded(&event) {
                (self.say)("portcullis: an internal error could not be recorded");
            }
        }
    }
}

/// Notes the newest checkpoint in the database: a ledger rolled back behind it is noticed at the next start. `is_settled`: no change
/// is under way, and the outcome of each is recorded; so the store is known to have what the ledger says up to there.
pub fn keep_witness(store: &Store, witness: &Witness, is_settled: bool, say: fn(&str)) {
    let newest = witness
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(newest) = newest else { return };
    let put = || {
        let mut steps = vec![Step::put(&kinds::LEDGER_WITNESS, NEWEST, &newest.text)?];
        if is_settled {
            let size = newest.checkpoint.size;
            steps.push(Step::put(&kinds::LEDGER_WITNESS, SETTLED, &size)?);
        }
        store.transact(steps)
    };
    if let Err(fault) = put() {
        say(&format!(
            "portcullis: the database could not witness the ledger's checkpoint: {fault}"
        ));
    }
}

/// The checkpoint the database witnessed last.
///
/// # Errors
/// When the store cannot be read.
pub fn witnessed(store: &Store) -> Result<Option<String>, Fault> {
    Ok(store
        .get::<String>(&kinds::LEDGER_WITNESS, NEWEST)?
        .map(|stored| stored.value))
}

/// Of how many records of the ledger the store is known to have what they say.
///
/// # Errors
/// When the store cannot be read.
pub fn settled(store: &Store) -> Result<Option<u64>, Fault> {
    Ok(store
        .get::<u64>(&kinds::LEDGER_WITNESS, SETTLED)?
        .map(|stored| stored.value))
}

fn guarded(work: impl FnOnce()) {
    // The panic is said by the hook and recorded by the next round.
    drop(catch_unwind(AssertUnwindSafe(work)));
}
