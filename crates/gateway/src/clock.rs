//! The one place of the data plane that asks the time.
//! Exports `Clock`: wall time for records and expiry, monotonic time for limits, blocks and durations.
//! Used by the service; everything below gets a `Timestamp` or a `Monotonic` as an argument.
//! Start reading at `Clock`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::{Monotonic, Timestamp};

/// The process's clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Clock {
            start: Instant::now(),
        }
    }
}

impl Clock {
    /// Wall time in UTC. It goes wherever somebody sets it.
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

    /// A tick as limits and blocks count: microseconds since this clock was made, and a day, so that zero is long past.
    pub fn monotonic(self, tick: Instant) -> Monotonic {
        const DAY_MICROS: u64 = 86_400_000_000;
        let since = tick.saturating_duration_since(self.start).as_micros();
        Monotonic::from_micros(
            u64::try_from(since)
                .unwrap_or(u64::MAX)
                .saturating_add(DAY_MICROS),
        )
    }
}

/// Microseconds since a tick.
pub fn micros_since(tick: Instant) -> u64 {
    u64::try_from(tick.elapsed().as_micros()).unwrap_or(u64::MAX)
}
