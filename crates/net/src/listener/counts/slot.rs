//! What all workers know of one open connection.
//! Exports `SlotState`.
//! Used by the counts.
//! Start reading at `SlotState::yields`.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::task::AbortHandle;

/// Stands in the place of the number of requests once the connection has given way.
const YIELDED: usize = usize::MAX;
/// Stands beside the number of requests where the connection was asked to give way and could not: whoever ends the last of them
/// says so to the counts.
const ASIDE: usize = 1 << (usize::BITS - 2);

/// One open connection. Its own worker changes it; a worker that needs room for another may end it between two requests.
#[derive(Debug)]
pub(super) struct SlotState {
    /// Its number: older connections have lower ones.
    pub(super) id: u64,
    /// Where it comes from.
    pub(super) address: IpAddr,
    /// Requests that are being answered, with [`ASIDE`] or without, or [`YIELDED`].
    requests: AtomicUsize,
    /// Connections that had been accepted when it began to rest.
    rests_since: AtomicU64,
    /// Whose credential was accepted on it first.
    caller: OnceLock<u128>,
    task: OnceLock<AbortHandle>,
}

impl SlotState {
    pub(super) fn new(id: u64, address: IpAddr) -> SlotState {
        SlotState {
            id,
            address,
            requests: AtomicUsize::new(0),
            rests_since: AtomicU64::new(id),
            caller: OnceLock::new(),
            task: OnceLock::new(),
        }
    }

    /// Gives way to a newer connection, unless it is answering a request. From then on it begins none.
    pub(super) fn yields(&self) -> bool {
        let exchanged =
            self.requests
                .compare_exchange(0, YIELDED, Ordering::AcqRel, Ordering::Acquire);
        exchanged.is_ok()
    }

    /// The same, of one that is not asked again before it rests: `false` sets it aside. The counts' lock is held, and they
    /// move it among those before they let go of the lock.
    pub(super) fn yields_or_is_set_aside(&self) -> bool {
        let asked = |count| Some(if count == 0 { YIELDED } else { count | ASIDE });
        let before = self
            .requests
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, asked);
        before == Ok(0)
    }

    /// Comes back from those that were set aside; the counts' lock is held. `false` when its next request has begun already:
    /// then the end of that one brings it back.
    pub(super) fn comes_back(&self) -> bool {
        let exchanged =
            self.requests
                .compare_exchange(ASIDE, 0, Ordering::AcqRel, Ordering::Acquire);
        exchanged.is_ok()
    }

    /// Is asked like a caller's from now on; the counts' lock is held. A request is under way, so it has not given way.
    pub(super) fn clear_aside(&self) {
        self.requests.fetch_and(!ASIDE, Ordering::AcqRel);
    }

    /// Ends the connection that gave way.
    pub(super) fn end(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    pub(super) fn served_by(&self, task: AbortHandle) {
        let task = self.task.get_or_init(|| task);
        // It may have given way before its task was known.
        if self.requests.load(Ordering::Acquire) == YIELDED {
            task.abort();
        }
    }

    pub(super) fn begin_request(&self) -> bool {
        let one_more = |count| (count != YIELDED).then(|| count + 1);
        let begun = self
            .requests
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        begun.is_ok()
    }

    /// `true` when it was set aside and rests now: the counts have to be told.
    pub(super) fn end_request(&self, accepted: u64) -> bool {
        self.rests_since.store(accepted, Ordering::Relaxed);
        self.requests.fetch_sub(1, Ordering::AcqRel) == ASIDE + 1
    }

    pub(super) fn is_resting(&self) -> bool {
        self.requests.load(Ordering::Acquire) == 0
    }

    /// Orders connections by how long they have rested; of those since the same moment the older one comes first.
    pub(super) fn rests_since(&self) -> (u64, u64) {
        (self.rests_since.load(Ordering::Relaxed), self.id)
    }

    pub(super) fn caller(&self) -> Option<u128> {
        self.caller.get().copied()
    }

    /// Notes whose connection it is; `true` the first time.
    pub(super) fn prove(&self, caller: u128) -> bool {
        self.caller.set(caller).is_ok()
    }
}
