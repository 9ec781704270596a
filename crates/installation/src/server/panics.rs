//! What becomes of a panic: it is said in one line, recorded in the ledger, and the thread goes on with its next piece of work.
//! Exports `install`, `take`.
//! Used by whoever starts the process, and by what runs beside the requests; requests have a guard of their own in `net`.
//! Start reading at `install`.

use std::sync::{Mutex, PoisonError};

use identity::api_key::redacted;
use model::printable;

/// More panics than this between two looks are counted, not kept.
const KEPT_MAX: usize = 32;
/// Longest message that is said and recorded.
const MESSAGE_CHARS_MAX: usize = 300;

/// Panics that were not recorded yet, and how many more there were.
static UNRECORDED: Mutex<(Vec<String>, usize)> = Mutex::new((Vec::new(), 0));

/// From now on a panic of any thread is one line for the operator, and waits to be recorded.
pub fn install(say: fn(&str)) {
    std::panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let place = info.location().map(ToString::to_string);
        let what = redacted(info.payload_as_str().unwrap_or("no message")).into_owned();
        let said = format!(
            "internal error in thread `{}` at {}: {}",
            thread.name().unwrap_or("?"),
            place.unwrap_or_default(),
            printable::cut(&what, MESSAGE_CHARS_MAX),
        );
        say(&printable::line(&format!("portcullis: {said}")));
        let mut unrecorded = UNRECORDED.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, more) = &mut *unrecorded;
        if kept.len() < KEPT_MAX {
            kept.push(printable::line(&said).into_owned())
        } else {
            *more = more.saturating_add(1)
        }
    }));
}

/// What panicked since this was asked last.
pub(super) fn take() -> Vec<String> {
    let mut unrecorded = UNRECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut kept, more) = std::mem::take(&mut *unrecorded);
    if more > 0 {
        kept.push(format!("{more} more internal errors"));
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_panic_is_said_once_recorded_once_and_over() {
        install(|_| {});
        assert!(catch_unwind(|| panic!("evil\x1b[2J\nforged")).is_err());
        let taken = take();
        let own: Vec<_> = taken.iter().filter(|said| said.contains("evil")).collect();
        assert_eq!(own.len(), 1, "{taken:?}");
        assert!(own[0].ends_with("evil\\u{1b}[2J\\nforged"), "{own:?}");
        assert!(!take().iter().any(|said| said.contains("evil")));
    }
}
