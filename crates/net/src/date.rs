//! The `date` field, written once per second and thread.
//! Exports `with`.
//! Used by both protocols' replies.
//! Start reading at `with`.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;

thread_local! {
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Calls `use_date` with the current date as RFC 9110 §5.6.7 writes it.
pub(crate) fn with<T>(use_date: impl FnOnce(&[u8]) -> T) -> T {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    DATE.with_borrow_mut(|(second, text)| {
        if *second != now || text.is_empty() {
            *second = now;
            let micros = i64::try_from(now.saturating_mul(1_000_000)).unwrap_or_default();
            *text = Timestamp::from_micros(micros).http_date();
        }
        use_date(text.as_bytes())
    })
}
