//! Numbers that tell one set of rules from every other one of the process.
//! Exports `next`.
//! Used where something is kept of a set of rules, and must not be taken for something of another one.
//! Start reading at `next`.

use std::sync::atomic::{AtomicU64, Ordering};

/// 0 is no set.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that nothing else of this process has.
pub(crate) fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}
