//! A backend that fails on purpose, for tests of everything that must survive a full disk or a lost answer.
//! Exports `Faulty`, which wraps any backend.
//! Used by the tests of this room and of the rooms above; no product code makes one.
//! Start reading at `Faulty`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Timestamp;

use crate::Fault;
use crate::backend::{Backend, Change, Everything, Outcome, RawStep, Row, Ticket, Window};

/// When the failure comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before anything is written: a full disk.
    Before,
    /// After all is written, before it is acknowledged: a lost answer.
    After,
}

/// Fails the Nth write, and every later one until [`Faulty::mend`].
pub struct Faulty {
    inner: Arc<dyn Backend>,
    when: When,
    left: AtomicU64,
}

impl Faulty {
    /// Lets `good_writes` pass, then fails.
    pub fn new(inner: Arc<dyn Backend>, good_writes: u64, when: When) -> Self {
        Faulty {
            inner,
            when,
            left: AtomicU64::new(good_writes),
        }
    }

    /// Lets everything pass from now on.
    pub fn mend(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
    }

    fn write<R>(&self, verb: impl FnOnce() -> Result<R, Fault>) -> Result<R, Fault> {
        let full = || Fault::Full {
            path: PathBuf::from("test"),
        };
        let one_less = |left: u64| left.checked_sub(u64::from(left != u64::MAX));
        let is_good = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok();
        match (is_good, self.when) {
            (true, _) => verb(),
            (false, When::Before) => Err(full()),
            (false, When::After) => verb().and_then(|_| Err(full())),
        }
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl Backend for Faulty {
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.inner.meta(name)
    }

    fn set_meta(&self, name: &str, before: Option<&[u8]>, after: &[u8]) -> Result<(), Fault> {
        self.write(|| self.inner.set_meta(name, before, after))
    }

    fn get(&self, kind: &str, id: &str) -> Result<Option<Row>, Fault> {
        self.inner.get(kind, id)
    }

    fn list(
        &self,
        kind: &str,
        index: Option<(&str, &[u8])>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Row>, Fault> {
        self.inner.list(kind, index, after, limit)
    }

    fn everything(&self, name: &str, limit: usize) -> Result<Everything, Fault> {
        self.inner.everything(name, limit)
    }

    fn entries_and_jobs(&self) -> Result<u64, Fault> {
        self.inner.entries_and_jobs()
    }

    fn transact(&self, steps: Vec<RawStep>) -> Result<u64, Fault> {
        self.write(|| self.inner.transact(steps))
    }

    fn stream_end(&self, stream: &str) -> Result<u64, Fault> {
        self.inner.stream_end(stream)
    }

    fn append(&self, stream: &str, first: u64, entries: Vec<Vec<u8>>) -> Result<(), Fault> {
        self.write(|| self.inner.append(stream, first, entries))
    }

    fn read_stream(
        &self,
        stream: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        self.inner.read_stream(stream, from, limit)
    }

    fn claim(
        &self,
        queue: &str,
        lease: Duration,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<(Ticket, Vec<u8>)>, Fault> {
        self.write(|| self.inner.claim(queue, lease, limit, now))
    }

    fn settle(&self, ticket: &Ticket, outcome: Outcome) -> Result<bool, Fault> {
        self.write(|| self.inner.settle(ticket, outcome))
    }

    fn bump(&self, counter: &str, window: Window, by: u32) -> Result<u64, Fault> {
        self.write(|| self.inner.bump(counter, window, by))
    }

    fn position(&self) -> Result<u64, Fault> {
        self.inner.position()
    }

    fn watch(&self, after: u64, limit: usize, wait: Duration) -> Result<Vec<Change>, Fault> {
        self.inner.watch(after, limit, wait)
    }
}
