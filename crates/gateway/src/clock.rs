//! The one place on the road that asks the time.
//! Gives `Clock`: wall time for records and expiry, a monotonic one for durations.
//! Used by the service; everything below gets a `Timestamp` as an argument.
//! Start reading at `Clock`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// The process's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// Wall time in UTC.
    pub fn now(self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// A moment for measuring durations.
    pub fn tick(self) -> Instant {
        Instant::now()
    }
}

/// Microseconds since a tick.
pub fn micros_since(tick: Instant) -> u64 {
    u64::try_from(tick.elapsed().as_micros()).unwrap_or(u64::MAX)
}
