//! How often may they? The generic cell rate algorithm in whole microseconds.
//! Gives `Limit`, `State`, `take`, `Verdict`. One arithmetic for every place that keeps the state.
//! Used by the gateway's counters.
//! Start reading at `take`.

use std::time::Duration;

use model::{Reason, Stage, Timestamp};

use crate::rate::Rate;

/// A limit's share is used up.
pub const EXCEEDED: Reason = Reason::new(
    Stage::Limit,
    "limit.exceeded",
    429,
    "Too many requests.",
    "Wait as long as Retry-After says, then go on more slowly; spread the calls evenly.",
    "The caller used up a limit of its integration, user, credential or address. The answer carried Retry-After and RateLimit. \
     Raise `rate` or `burst` in the integration's `limits` if the use is wanted.",
);

/// A rate with a burst, in the algorithm's own units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    rate: Rate,
    burst: u32,
}

/// When the share granted so far is used up (theoretical arrival time, microseconds since 1970).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State(pub u64);

/// What a limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request may go on.
    pub is_allowed: bool,
    /// How many more of cost 1 may follow at once.
    pub remaining: u32,
    /// After which time the same request would be allowed; `None` when allowed, or when its cost exceeds the burst
    /// so that it never will be.
    pub retry_after: Option<Duration>,
    /// After which time the whole burst is available again.
    pub reset: Duration,
}

impl Limit {
    /// `burst` requests at once (at least 1), `rate` in the long run.
    pub fn new(rate: Rate, burst: u32) -> Limit {
        Limit {
            rate,
            burst: burst.max(1),
        }
    }

    /// The rate.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The burst.
    pub fn burst(&self) -> u32 {
        self.burst
    }
}

/// Takes `cost` from a limit. A refused request takes nothing.
pub fn take(state: Option<State>, cost: u32, limit: &Limit, now: Timestamp) -> (State, Verdict) {
    let _ = (cost, limit, now);
    (
        state.unwrap_or_default(),
        Verdict {
            is_allowed: false,
            remaining: 0,
            retry_after: None,
            reset: Duration::ZERO,
        },
    )
}
