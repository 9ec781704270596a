//! Waiting for a group of records to be safe, from threads and from any async runtime.
//! Exports `Pending` (a future, or `wait`) and `Group`, which the writer finishes once for all of them.
//! Used by the recorder; the gateway awaits a `Pending` before it sends an answer.
//! Start reading at `Group::finish`: one wake-up per waiting thread, not one per record.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use crate::fault::LedgerFault;

/// Locks even after another thread panicked: the data is kept consistent by short critical sections.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of the first record of the group, or why none of them is in the ledger.
type Outcome = Result<u64, LedgerFault>;

/// Records that are written and flushed together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    /// Threads that wait without a runtime.
    sleepers: usize,
    lanes: Vec<Lane>,
}

/// The tasks of one thread that wait for the group.
#[derive(Debug)]
struct Lane {
    thread: ThreadId,
    wakers: Vec<Option<Waker>>,
}

impl Group {
    /// Tells everyone. Only the first waiter of each thread is woken from here; when it runs it wakes its
    /// neighbours on its own thread, where a wake-up costs no system call.
    pub(crate) fn finish(&self, outcome: Outcome) {
        let mut leads = Vec::new();
        let mut state = lock(&self.state);
        if state.outcome.is_none() {
            state.outcome = Some(outcome);
        }
        for lane in &mut state.lanes {
            leads.extend(lane.wakers.iter_mut().find_map(Option::take));
        }
        let sleepers = state.sleepers;
        drop(state);
        if sleepers > 0 {
            self.done.notify_all();
        }
        leads.into_iter().for_each(Waker::wake);
    }

    /// Wakes whoever of this lane still sleeps although the outcome is known.
    fn relay(&self, lane: usize) {
        let mut state = lock(&self.state);
        if state.outcome.is_none() {
            return;
        }
        let wakers = state
            .lanes
            .get_mut(lane)
            .map(|lane| std::mem::take(&mut lane.wakers));
        drop(state);
        for waker in wakers.into_iter().flatten().flatten() {
            waker.wake();
        }
    }
}

/// One event on its way into the ledger. Resolves to its number once it is safe.
///
/// It may be dropped: the event is recorded all the same.
#[derive(Debug)]
#[must_use = "an answer may only be given once the event is in the ledger"]
pub struct Pending {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Refused(LedgerFault),
    Queued {
        group: Arc<Group>,
        index: u64,
        /// Lane and place in it, once it was polled.
        place: Option<(usize, usize)>,
    },
}

impl Pending {
    pub(crate) fn refused(fault: LedgerFault) -> Self {
        Pending {
            inner: Inner::Refused(fault),
        }
    }

    pub(crate) fn queued(group: Arc<Group>, index: u64) -> Self {
        Pending {
            inner: Inner::Queued {
                group,
                index,
                place: None,
            },
        }
    }

    /// Blocks until the event is safe; for threads without an async runtime.
    ///
    /// # Errors
    /// Why it is not in the ledger.
    pub fn wait(self) -> Result<u64, LedgerFault> {
        match &self.inner {
            Inner::Refused(fault) => Err(fault.clone()),
            Inner::Queued { group, index, .. } => {
                let mut state = lock(&group.state);
                state.sleepers += 1;
                loop {
                    if let Some(outcome) = &state.outcome {
                        return outcome.clone().map(|first| first.saturating_add(*index));
                    }
                    state = group
                        .done
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl Future for Pending {
    type Output = Result<u64, LedgerFault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (group, index, place) = match &mut self.inner {
            Inner::Refused(fault) => return Poll::Ready(Err(fault.clone())),
            Inner::Queued {
                group,
                index,
                place,
            } => (group, *index, place),
        };
        let mut state = lock(&group.state);
        if let Some(outcome) = &state.outcome {
            let outcome = outcome.clone();
            drop(state);
            if let Some((lane, _)) = place.take() {
                group.relay(lane);
            }
            return Poll::Ready(outcome.map(|first| first.saturating_add(index)));
        }
        *place = Some(register(&mut state, *place, context.waker()));
        Poll::Pending
    }
}

/// Puts the waker into its place, or into a new one of the present thread's lane.
fn register(state: &mut State, place: Option<(usize, usize)>, waker: &Waker) -> (usize, usize) {
    if let Some((lane, slot)) = place {
        let known = state
            .lanes
            .get_mut(lane)
            .and_then(|l| l.wakers.get_mut(slot));
        if let Some(known) = known {
            *known = Some(waker.clone());
            return (lane, slot);
        }
    }
    let thread = thread::current().id();
    let lane = state.lanes.iter().position(|lane| lane.thread == thread);
    let lane = lane.unwrap_or_else(|| {
        state.lanes.push(Lane {
            thread,
            wakers: Vec::new(),
        });
        state.lanes.len() - 1
    });
    let slot = state.lanes.get_mut(lane).map_or(0, |lane| {
        lane.wakers.push(Some(waker.clone()));
        lane.wakers.len() - 1
    });
    (lane, slot)
}

impl Drop for Pending {
    /// A cancelled task may be the one that was to wake its neighbours, or would be woken in vain as their lead.
    fn drop(&mut self) {
        let Inner::Queued {
            group,
            place: Some((lane, slot)),
            ..
        } = &self.inner
        else {
            return;
        };
        let mut state = lock(&group.state);
        let mine = state
            .lanes
            .get_mut(*lane)
            .and_then(|l| l.wakers.get_mut(*slot));
        if let Some(mine) = mine {
            *mine = None;
        }
        drop(state);
        group.relay(*lane);
    }
}

#[cfg(test)]
mod tests;
