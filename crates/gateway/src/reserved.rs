//! What a limit that counts failures alone holds of a call while it is under way.
//! Exports `Reserved`.
//! Kept with the request; made and settled by stage `limit`.
//! Start reading at `Reserved`.

use policy::limit::Limit;

use crate::counters::CounterKey;

/// A share that was taken for a call that may fail, until it is known whether it did.
#[derive(Debug)]
pub struct Reserved {
    /// Where it is counted.
    pub key: CounterKey,
    /// By which limit.
    pub limit: Limit,
    /// Which limit of the integration it is, by the order in its file.
    pub index: usize,
    /// The answer says that the call failed.
    pub has_failed: bool,
}
