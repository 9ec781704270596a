//! How many refused commands are recorded: somebody who may nothing must not fill the ledger.
//! Exports `Refusals`.
//! Used by `Control::call`.
//! Start reading at `Refusals::admit`.

use std::sync::{Mutex, PoisonError};

use model::Timestamp;

/// Refused commands that are recorded within a minute. More are counted, and the next record says how many.
const RECORDED_MAX: u32 = 60;
/// A minute, in microseconds.
const WINDOW_US: i64 = 60_000_000;

/// What is remembered of refused commands.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    begun: Timestamp,
    recorded: u32,
    left_out: u64,
}

impl Refusals {
    /// Whether one more is recorded, and then how many were not since the last record.
    pub(crate) fn admit(&self, now: Timestamp) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.micros().saturating_sub(window.begun.micros());
        // A clock that was set back begins a new minute as well.
        if !(0..WINDOW_US).contains(&age) {
            window.begun = now;
            window.recorded = 0;
        }
        if window.recorded >= RECORDED_MAX {
            window.left_out = window.left_out.saturating_add(1);
            return None;
        }
        window.recorded += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_records_and_the_next_one_says_what_was_left_out() {
        let refusals = Refusals::default();
        let at = |seconds: i64| Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000);
        for _ in 0..RECORDED_MAX {
            assert_eq!(refusals.admit(at(0)), Some(0));
        }
        for _ in 0..1_000 {
            assert_eq!(refusals.admit(at(59)), None);
        }
        assert_eq!(refusals.admit(at(60)), Some(1_000));
        assert_eq!(refusals.admit(at(60)), Some(0));
        // Set back by an hour.
        assert_eq!(refusals.admit(at(-3_600)), Some(0));
    }
}
