//! Ends the process where going on would be unsafe.
//! Exports `stop`.
//! Used by every primitive that must not fail.
//! Start reading at `stop`.

use std::io::Write;

/// Says why and aborts. Whether it can be said does not matter for ending.
pub(crate) fn stop(why: &str) -> ! {
    drop(writeln!(std::io::stderr(), "portcullis: {why}; stopping"));
    std::process::abort();
}
