//! How often may they? The generic cell rate algorithm in whole microseconds.
//! Exports `Limit`, `State`, `take`, `Verdict`. One arithmetic for every place that keeps the state.
//! Used by the gateway's counters.
//! Start reading at `take`.

use std::time::Duration;

use model::{Monotonic, Reason, Stage};

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

/// When the share granted so far is used up (theoretical arrival time, microseconds of the monotonic clock).
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

impl Limit {
    /// Whether every call that another limit lets pass is let pass by this one as well, where this one counts no other calls.
    pub fn never_refuses_beside(&self, other: &Limit) -> bool {
        self.interval() <= other.interval() && self.burst >= other.burst
    }

    /// Microseconds that one request uses up. Rounded up, so that rounding never grants more.
    fn interval(&self) -> u64 {
        let per = u64::try_from(self.rate.per.as_micros()).unwrap_or(u64::MAX);
        per.div_ceil(u64::from(self.rate.count.max(1))).max(1)
    }

    /// How far the share may be used ahead of time.
    fn tolerance(&self) -> u64 {
        self.interval().saturating_mul(u64::from(self.burst))
    }
}

/// Takes `cost` from a limit. A refused request takes nothing; keep the state it gives all the same, because one that lay
/// beyond the limit's own reach has been brought back into it.
///
/// Rates above one per microsecond count as one per microsecond.
pub fn take(state: Option<State>, cost: u32, limit: &Limit, now: Monotonic) -> (State, Verdict) {
    let now = now.micros();
    let (interval, tolerance) = (limit.interval(), limit.tolerance());
    let latest = now.saturating_add(tolerance);
    // A state beyond `latest` comes from a slower limit of an earlier configuration.
    let used_until = state.unwrap_or_default().0.clamp(now, latest);
    let wished = used_until.saturating_add(interval.saturating_mul(u64::from(cost)));
    let is_allowed = wished <= latest;
    let until = if is_allowed { wished } else { used_until };
    let verdict = Verdict {
        is_allowed,
        remaining: u32::try_from((latest - until) / interval).unwrap_or(u32::MAX),
        retry_after: (!is_allowed && cost <= limit.burst)
            .then(|| Duration::from_micros(wished.saturating_sub(latest))),
        reset: Duration::from_micros(until - now),
    };
    (State(until), verdict)
}

impl Verdict {
    /// Whole seconds for `Retry-After`, at least 1.
    pub fn retry_after_s(&self) -> Option<u32> {
        let wait = self.retry_after?;
        let seconds = wait.as_micros().div_ceil(1_000_000).max(1);
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(count: u32, per_s: u64, burst: u32) -> Limit {
        let rate = Rate {
            count,
            per: Duration::from_secs(per_s),
        };
        Limit::new(rate, burst)
    }

    fn at(micros: u64) -> Monotonic {
        Monotonic::from_micros(1_000_000 + micros)
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let limit = limit(60, 60, 3);
        let mut state = None;
        let mut seen = Vec::new();
        for micros in [0, 0, 0, 0, 1_000_000, 1_000_000] {
            let (next, verdict) = take(state, 1, &limit, at(micros));
            state = Some(next);
            seen.push((
                verdict.is_allowed,
                verdict.remaining,
                verdict.retry_after_s(),
            ));
        }
        assert_eq!(
            seen,
            [
                (true, 2, None),
                (true, 1, None),
                (true, 0, None),
                (false, 0, Some(1)),
                (true, 0, None),
                (false, 0, Some(1))
            ]
        );
    }

    #[test]
    fn what_costs_more_than_the_burst_is_never_allowed_and_says_so() {
        let (state, verdict) = take(None, 4, &limit(60, 60, 3), at(0));
        assert!(!verdict.is_allowed && verdict.retry_after.is_none());
        assert_eq!(verdict.remaining, 3);
        assert!(take(Some(state), 3, &limit(60, 60, 3), at(0)).1.is_allowed);
    }

    #[test]
    fn a_debt_of_an_earlier_configuration_is_held_to_the_terms_of_this_one() {
        let slow = limit(1, 3_600, 3);
        let (state, _) = take(None, 3, &slow, at(0));
        let quick = limit(60, 60, 3);
        let (state, verdict) = take(Some(state), 1, &quick, at(0));
        assert_eq!(verdict.retry_after_s(), Some(1));
        assert!(take(Some(state), 1, &quick, at(1_000_000)).1.is_allowed);
    }

    #[test]
    fn waiting_as_long_as_told_is_enough() {
        let limit = limit(7, 1, 2);
        let (state, _) = take(None, 2, &limit, at(0));
        let (state, verdict) = take(Some(state), 1, &limit, at(10));
        let wait = u64::try_from(verdict.retry_after.unwrap().as_micros()).unwrap();
        assert!(!take(Some(state), 1, &limit, at(10 + wait - 1)).1.is_allowed);
        assert!(take(Some(state), 1, &limit, at(10 + wait)).1.is_allowed);
    }

    proptest! {
        /// The reference is a token bucket in whole token-microseconds, without any rounding.
        #[test]
        fn agrees_with_an_exact_token_bucket(
            // Rates whose interval is a whole number of microseconds: there the two agree exactly.
            count in prop::sample::select(vec![1u32, 2, 4, 5, 8, 10, 20, 25, 40, 64, 100, 125, 500, 1_000, 10_000]),
            per_s in 1u64..100, burst in 1u32..50,
            steps in prop::collection::vec((0u64..3_000_000, 1u32..4), 1..200),
        ) {
            let limit = limit(count, per_s, burst);
            let interval = per_s * 1_000_000 / u64::from(count);
            let full = interval * u64::from(burst);
            let (mut tokens, mut state, mut now) = (full, None, 0);
            for (wait, cost) in steps {
                now += wait;
                tokens = (tokens + wait).min(full);
                let price = interval * u64::from(cost);
                let (next, verdict) = take(state, cost, &limit, at(now));
                state = Some(next);
                prop_assert_eq!(verdict.is_allowed, tokens >= price);
                if verdict.is_allowed { tokens -= price; }
                prop_assert_eq!(u64::from(verdict.remaining), tokens / interval);
            }
        }

        /// Of two limits in a row the second counts what the first let pass, or a part of it.
        #[test]
        fn a_limit_that_never_refuses_beside_another_never_does(
            counts in (1u32..50, 1u32..50), pers in (1u64..5, 1u64..5), bursts in (1u32..20, 1u32..20),
            steps in prop::collection::vec((0u64..400_000, any::<bool>()), 1..200),
        ) {
            let (first, second) = (limit(counts.0, pers.0, bursts.0), limit(counts.1, pers.1, bursts.1));
            let (mut states, mut now, mut refused) = ((None, None), 0u64, 0);
            for (wait, is_counted) in steps {
                now += wait;
                let (next, verdict) = take(states.0, 1, &first, at(now));
                states.0 = Some(next);
                if verdict.is_allowed && is_counted {
                    let (next, verdict) = take(states.1, 1, &second, at(now));
                    states.1 = Some(next);
                    refused += usize::from(!verdict.is_allowed);
                }
            }
            if second.never_refuses_beside(&first) {
                prop_assert_eq!(refused, 0);
            }
        }

        #[test]
        fn no_window_holds_more_than_burst_and_rate(
            count in 1u32..5_000_000, per_s in 1u64..100, burst in 1u32..50,
            waits in prop::collection::vec(0u64..400_000, 1..150),
        ) {
            let limit = limit(count, per_s, burst);
            let (mut state, mut now, mut passed) = (None, 0u64, Vec::new());
            for wait in waits {
                now += wait;
                let (next, verdict) = take(state, 1, &limit, at(now));
                state = Some(next);
                if verdict.is_allowed { passed.push(now); }
            }
            for (first, start) in passed.iter().enumerate() {
                for (last, end) in passed.iter().enumerate().skip(first) {
                    let held = u128::try_from(last - first + 1).unwrap();
                    let span = u128::from(end - start);
                    let per = u128::from(per_s) * 1_000_000;
                    prop_assert!(held * per <= u128::from(burst) * per + span * u128::from(count));
                }
            }
        }
    }
}
