//! Decisions as they happen: the newest events in a ring, and a number that grows.
//! Gives `Live`. Costs one atomic load per request while nobody watches.
//! Watched by the demo's first screen and `tap`.
//! Start reading at `Live::offer`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use model::Event;

/// Newest decisions kept while somebody watches.
const KEPT_MAX: usize = 256;

/// A window on the newest decisions.
#[derive(Default)]
pub struct Live {
    is_watched: AtomicBool,
    newest: Mutex<VecDeque<Event>>,
}

impl Live {
    /// Begins to keep decisions.
    pub fn watch(&self) {
        self.is_watched.store(true, Ordering::Release);
    }

    /// Whether an event would be kept.
    pub fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Acquire)
    }

    /// Keeps an event while somebody watches; the oldest goes first.
    pub fn offer(&self, event: &Event) {
        if !self.is_watched() {
            return;
        }
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.len() >= KEPT_MAX {
            newest.pop_front();
        }
        newest.push_back(event.clone());
    }

    /// Takes what happened since the last call.
    pub fn take(&self) -> Vec<Event> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.drain(..).collect()
    }
}
