//! Wakes those who wait for a commit, and takes the locks of this folder.
//! Exports `News` and `lock`.
//! Used by the backend and its writer's thread.
//! Start reading at `News`.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wakes watchers after a commit.
#[derive(Debug, Default)]
pub(crate) struct News {
    commits: Mutex<u64>,
    told: Condvar,
}

impl News {
    /// Tells every watcher to look again.
    pub(crate) fn tell(&self) {
        let mut commits = lock(&self.commits);
        *commits = commits.wrapping_add(1);
        self.told.notify_all();
    }

    /// How many commits were told so far, for [`News::wait`].
    pub(crate) fn seen(&self) -> u64 {
        *lock(&self.commits)
    }

    /// Waits until a commit is told beyond those that were seen, at most so long.
    pub(crate) fn wait(&self, seen: u64, at_most: Duration) {
        let nothing_new = |commits: &mut u64| *commits == seen;
        let commits = lock(&self.commits);
        let waited = self.told.wait_timeout_while(commits, at_most, nothing_new);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// A panic elsewhere cannot leave a connection half-changed: SQLite rolls back what was not committed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
