//! What all roads share: ledger, credentials, counters, blocks, metrics, signing key, clock.
//! Exports `SharedState`. Everything in it is made for many threads and takes no lock on the ordinary path.
//! Made by the binary once; survives every change of configuration.
//! Start reading at `SharedState`.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use audit::Recorder;
use crypto::{Keys, MacKey, SealKey};
use identity::CredentialTable;
use model::Event;
use net::ResponseBudget;

use crate::blocks::Blocks;
use crate::concurrency::ConcurrencyLimiter;
use crate::counters::Counters;
use crate::metrics::{Metrics, RecordCounts};
use crate::recording::Recordings;
use crate::via::Via;
use crate::{Clock, Snapshot};

/// Most records that are owed at once; beyond it the intent is all there is.
const OWED_MAX: usize = 4096;

/// Records that could not be written yet. Touched only when the ledger fails, and when it is well again.
#[derive(Debug, Default)]
pub struct Owed(Mutex<Vec<Event>>);

impl Owed {
    /// Keeps a record for later.
    pub fn keep(&self, event: Event) {
        let mut owed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if owed.len() < OWED_MAX {
            owed.push(event);
        }
    }

    /// Whether every record was written.
    pub fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    /// Records what is owed, in one group; what the ledger still does not take stays owed.
    pub async fn settle(&self, recorder: &Recorder) {
        let owed = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let pending: Vec<_> = owed
            .into_iter()
            .map(|event| (recorder.record(&event), event))
            .collect();
        for (recorded, event) in pending {
            if recorded.await.is_err() {
                self.keep(event);
            }
        }
    }

    /// The same at the very end, where nobody can try again.
    pub fn settle_at_last(&self, recorder: &Recorder) {
        for event in self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            drop(recorder.record(&event));
        }
    }
}

/// What all roads share.
pub struct SharedState {
    /// The configuration in force; taken once per request.
    pub snapshot: ArcSwap<Snapshot>,
    /// Every credential, replaced whole on each change: a revocation holds from the next request on.
    pub credentials: ArcSwap<CredentialTable>,
    /// One key per purpose: digests of credentials, signatures of `Portcullis-Identity`.
    pub keys: Arc<Keys>,
    /// Hides the upstreams' entity tags; see `etag`.
    pub etags: SealKey,
    /// Binds `Idempotency-Key` to its caller; see `idempotency`.
    pub idempotency: MacKey,
    /// What this gateway is called in `Via`.
    pub via: Via,
    /// The ledger.
    pub recorder: Arc<Recorder>,
    /// The last record could not be written; nothing is forwarded until one can.
    pub is_ledger_down: AtomicBool,
    /// The server was told to stop: what is cut from now on is cut for that.
    pub is_stopping: AtomicBool,
    /// Outcomes of forwarded writes that the ledger could not take; recorded as soon as it can.
    pub owed: Owed,
    /// Words of the limits.
    pub counters: Counters,
    /// Answers in memory.
    pub responses: ResponseBudget,
    /// Requests under way where their number is limited.
    pub turns: ConcurrencyLimiter,
    /// Refusals counted, and blocks.
    pub blocks: Blocks,
    /// Numbers for Prometheus.
    pub metrics: Metrics,
    /// Where the metrics follow the ledger.
    pub record_counts: RecordCounts,
    /// Requests kept for a replay, while an operator asked for it.
    pub recordings: Recordings,
    /// The time.
    pub clock: Clock,
}
