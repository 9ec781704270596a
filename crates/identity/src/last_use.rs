//! When a credential was last used, noted in memory without a lock.
//! Exports `LastUse`.
//! Used by `table` and `Caller::touch`.
//! Start reading at `LastUse::touch`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::Timestamp;

/// Uses closer together than this are not told apart, so that busy credentials do not write on every request.
const RESOLUTION: Duration = Duration::from_secs(10);

/// The last accepted use, and the one that the store knows. Microseconds since 1970; 0 is never.
#[derive(Debug, Default)]
pub struct LastUse {
    used: AtomicI64,
    saved: AtomicI64,
}

impl LastUse {
    /// As the store has it, or later where one that this replaces was used since.
    pub(crate) fn new(saved: Option<Timestamp>, before: Option<&LastUse>) -> Self {
        let saved = saved.map_or(0, Timestamp::micros);
        let used = before.map_or(0, |before| before.used.load(Ordering::Relaxed));
        LastUse {
            used: AtomicI64::new(used.max(saved)),
            saved: AtomicI64::new(saved),
        }
    }

    /// The last accepted use, including one that is not stored yet.
    pub fn at(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        (used > 0).then(|| Timestamp::from_micros(used))
    }

    /// Notes a use.
    pub(crate) fn touch(&self, now: Timestamp) {
        let before = Timestamp::from_micros(self.used.load(Ordering::Relaxed));
        if now.since(before) >= RESOLUTION {
            self.used.fetch_max(now.micros(), Ordering::Relaxed);
        }
    }

    /// The use that is not in the store yet; given out once.
    pub(crate) fn take_unsaved(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        let saved = self.saved.fetch_max(used, Ordering::Relaxed);
        (used > saved).then(|| Timestamp::from_micros(used))
    }
}
