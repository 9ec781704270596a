//! What all roads share: ledger, credentials, counters, blocks, metrics, signing key, clock.
//! Gives `Io`. Everything in it is made for many threads and takes no lock on the ordinary path.
//! Made by the binary once; survives every change of configuration.
//! Start reading at `Io`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use audit::Recorder;
use crypto::{Keys, MacKey, SealKey};
use identity::CredentialTable;

use crate::blocks::Blocks;
use crate::counters::Counters;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::recording::Recordings;
use crate::turns::Turns;
use crate::{Clock, Snapshot};

/// What all roads share.
pub struct Io {
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
    /// The ledger.
    pub recorder: Arc<Recorder>,
    /// The last record could not be written; nothing is forwarded until one can.
    pub is_ledger_down: AtomicBool,
    /// Words of the limits.
    pub counters: Counters,
    /// Requests under way where their number is limited.
    pub turns: Turns,
    /// Refusals counted, and blocks.
    pub blocks: Blocks,
    /// Numbers for Prometheus.
    pub metrics: Metrics,
    /// Decisions as they happen, for whoever watches.
    pub live: Live,
    /// Requests kept for a replay, while an operator asked for it.
    pub recordings: Recordings,
    /// The time.
    pub clock: Clock,
}
