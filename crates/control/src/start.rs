//! What the requests of a running gateway share, filled with what the store remembers.
//! Exports `shared`.
//! Used by whoever starts a server, once.
//! Start reading at `shared`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use audit::Recorder;
use crypto::Keys;
use gateway::blocks::Blocks;
use gateway::concurrency::ConcurrencyLimiter;
use gateway::counters::{self, Counters};
use gateway::metrics::{Metrics, RecordCounts};
use gateway::recording::Recordings;
use gateway::shared_state::Owed;
use gateway::via::Via;
use gateway::{Clock, SharedState, Snapshot};
use identity::{Credential, CredentialTable};
use net::ResponseBudget;
use store::{Fault, Filter, Store, kinds};

use crate::commands::added_blocks;
use crate::order::CREDENTIALS_MAX;

/// What all requests share. Nobody is paused in it yet: the owner of the running state sees to that before anything listens.
///
/// # Errors
/// When the store cannot be read.
pub fn shared(
    store: &Store,
    keys: &Arc<Keys>,
    recorder: &Arc<Recorder>,
    base: &Snapshot,
) -> Result<Arc<SharedState>, Fault> {
    let credentials =
        store.list_all::<Credential>(&kinds::CREDENTIAL, Filter::All, CREDENTIALS_MAX)?;
    let clock = Clock::default();
    let added = added_blocks(store, clock.now(), clock.monotonic(clock.tick()))?;
    Ok(Arc::new(SharedState {
        snapshot: ArcSwap::from_pointee(base.with_paused(&BTreeSet::new())),
        credentials: ArcSwap::from_pointee(CredentialTable::of(
            credentials.into_iter().map(|row| row.value),
        )),
        keys: Arc::clone(keys),
        idempotency: gateway::idempotency::key(keys),
        via: Via::of(keys),
        etags: gateway::etag::key(keys),
        recorder: Arc::clone(recorder),
        is_ledger_down: AtomicBool::new(false),
        is_stopping: AtomicBool::new(false),
        owed: Owed::default(),
        counters: Counters::new(counters::names(keys)),
        responses: ResponseBudget::default(),
        turns: ConcurrencyLimiter::default(),
        blocks: Blocks::of(counters::names(keys), added),
        metrics: Metrics::new(),
        record_counts: RecordCounts::new(recorder),
        recordings: Recordings::default(),
        clock,
    }))
}
