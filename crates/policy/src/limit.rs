//! How often may they? The generic cell rate algorithm in whole parts of a microsecond.
//! Exports `Limit`, `State`, `take`, `give_back`, `Verdict`. One arithmetic for every place that keeps the state.
//! Used by the gateway's counters.
//! Start reading at `take`; what a change of the rate makes of what was used up is decided in `State::by_terms_of`.

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
    "The caller used up a limit of its integration, user, credential or address, or of a value that it sent. The answer carried \
     Retry-After and RateLimit. Raise `rate` or `burst` in the integration's `limits` if the use is wanted.",
);

/// Most ticks of a microsecond. The time between two calls is a whole number of ticks for every rate up to so many per span
/// and for round ones beyond it; others are rounded to a tick, to the stricter side.
const TICKS_MAX: u64 = 1 << 13;

/// Latest moment that is told apart from later ones, in microseconds of the monotonic clock: 17 years.
const MICROS_MAX: u64 = 1 << 49;

/// The longest that a whole burst may take to come back. With it no state leaves 63 bits.
pub const REFILL_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A rate with a burst, and what the algorithm needs of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    rate: Rate,
    burst: u32,
    pace: Pace,
    /// How far the share may be used ahead of time, in ticks.
    tolerance: u64,
}

/// A rate as a whole number of ticks between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pace {
    /// Ticks of a microsecond.
    ticks: u64,
    /// Ticks that one call uses up.
    interval: u64,
}

impl Pace {
    fn new(rate: Rate) -> Pace {
        let count = u64::from(rate.count.max(1));
        let per = u64::try_from(rate.per.as_micros()).unwrap_or(u64::MAX);
        let ticks = (count / common_divisor(count, per.max(1))).min(TICKS_MAX);
        // Rounded up, so that rounding never grants more.
        let interval = per.saturating_mul(ticks).div_ceil(count).max(1);
        Pace { ticks, interval }
    }

    fn at(&self, now: Monotonic) -> u64 {
        now.micros().min(MICROS_MAX) * self.ticks
    }

    fn span(&self, ticks: u64) -> Duration {
        Duration::from_micros(ticks.div_ceil(self.ticks))
    }
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// When the share granted so far is used up (theoretical arrival time), and by which rate that was reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// In ticks of the rate, on the monotonic clock. Below 2^63.
    pub used_until: u64,
    /// The rate.
    pub rate: Rate,
}

impl State {
    /// The same number of calls by the terms of a limit, in its ticks. A rate that was changed holds at once: what was used up
    /// stays used up, and comes back as fast as the new rate says. Rounded up.
    fn by_terms_of(&self, limit: &Limit, now: Monotonic) -> u64 {
        if self.rate == limit.rate {
            return self.used_until;
        }
        let earlier = Pace::new(self.rate);
        let used = u128::from(self.used_until.saturating_sub(earlier.at(now)));
        let used = (used * u128::from(limit.pace.interval)).div_ceil(u128::from(earlier.interval));
        let used = u64::try_from(used).unwrap_or(u64::MAX);
        limit.pace.at(now).saturating_add(used)
    }

    /// When the share is used up, in microseconds of the monotonic clock: comparable across rates.
    pub fn used_until_micros(&self) -> u64 {
        self.used_until / Pace::new(self.rate).ticks
    }
}

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
    /// `burst` requests at once (at least 1), `rate` in the long run. A burst that would take longer than [`REFILL_MAX`] to
    /// come back is cut to what comes back in that time.
    pub fn new(rate: Rate, burst: u32) -> Limit {
        let pace = Pace::new(rate);
        let longest = u64::try_from(REFILL_MAX.as_micros()).unwrap_or(u64::MAX) * pace.ticks;
        let burst = burst.max(1);
        let tolerance = pace.interval.saturating_mul(u64::from(burst));
        Limit {
            rate,
            burst,
            pace,
            tolerance: tolerance.min(longest.max(pace.interval)),
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

    /// How long a burst that is used up takes to come back whole.
    pub fn refill(&self) -> Duration {
        self.pace
            .span(self.pace.interval.saturating_mul(u64::from(self.burst)))
    }

    /// Whether every call that another limit lets pass is let pass by this one as well, where this one counts no other calls.
    pub fn never_refuses_beside(&self, other: &Limit) -> bool {
        let scaled =
            |one: &Limit, by: &Limit| u128::from(one.pace.interval) * u128::from(by.pace.ticks);
        scaled(self, other) <= scaled(other, self) && self.burst >= other.burst
    }
}

/// Takes `cost` from a limit. A refused request takes nothing; keep the state it gives all the same, because one that lay
/// beyond the limit's own reach has been brought back into it.
///
/// In any span of time at most `burst` calls pass and as many more as the rate allows in that span. A caller that never makes
/// more calls than `burst` within the time that `burst` calls take by the rate is never refused.
pub fn take(state: Option<State>, cost: u32, limit: &Limit, now: Monotonic) -> (State, Verdict) {
    let (pace, start) = (limit.pace, limit.pace.at(now));
    let latest = start.saturating_add(limit.tolerance);
    let used_until = state.map_or(start, |state| state.by_terms_of(limit, now));
    // A state beyond `latest` comes from a limit with a larger burst.
    let used_until = used_until.clamp(start, latest);
    let wished = used_until.saturating_add(pace.interval.saturating_mul(u64::from(cost)));
    let is_allowed = wished <= latest;
    let until = if is_allowed { wished } else { used_until };
    let verdict = Verdict {
        is_allowed,
        remaining: u32::try_from((latest - until) / pace.interval).unwrap_or(u32::MAX),
        retry_after: (!is_allowed && cost <= limit.burst)
            .then(|| pace.span(wished.saturating_sub(latest))),
        reset: pace.span(until - start),
    };
    let state = State {
        used_until: until,
        rate: limit.rate,
    };
    (state, verdict)
}

/// Gives back what was taken for a request that in the end does not count.
pub fn give_back(state: State, cost: u32, limit: &Limit, now: Monotonic) -> State {
    let taken = limit.pace.interval.saturating_mul(u64::from(cost));
    State {
        used_until: state.by_terms_of(limit, now).saturating_sub(taken),
        rate: limit.rate,
    }
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

    /// What a limit lets pass at once, and the state behind it.
    fn all_at_once(state: Option<State>, limit: &Limit, now: u64) -> (u32, State) {
        let (mut state, mut count) = (state, 0);
        loop {
            let (next, verdict) = take(state, 1, limit, at(now));
            if !verdict.is_allowed {
                return (count, next);
            }
            (state, count) = (Some(next), count + 1);
        }
    }

    #[test]
    fn a_rate_that_is_raised_holds_at_once_for_what_was_used_up_before() {
        let slow = limit(60, 60, 50);
        let (passed, state) = all_at_once(None, &slow, 0);
        assert_eq!(passed, 50);
        // Fifty seconds at one a second are five at ten a second, and no five hundred calls of debt.
        let quick = limit(600, 60, 500);
        assert_eq!(all_at_once(Some(state), &quick, 0).0, 450);
        // The burst alone is raised: what was used up stays used up.
        assert_eq!(all_at_once(Some(state), &limit(60, 60, 80), 0).0, 30);
        // No longer than the new rate says.
        let (_, verdict) = take(Some(state), 1, &limit(600, 60, 50), at(0));
        assert_eq!(verdict.retry_after, Some(Duration::from_millis(100)));
    }

    #[test]
    fn a_rate_that_is_lowered_holds_at_once_and_locks_out_no_longer_than_its_own_terms() {
        let (_, state) = all_at_once(None, &limit(600, 60, 50), 0);
        // Five seconds of the earlier rate are fifty calls all the same.
        let (_, verdict) = take(Some(state), 1, &limit(10, 60, 50), at(0));
        assert_eq!(verdict.retry_after_s(), Some(6));
        let (_, verdict) = take(Some(state), 1, &limit(10, 60, 5), at(0));
        assert_eq!(verdict.retry_after_s(), Some(6));
        // Half used up is half used up.
        let (half, _) = take(None, 25, &limit(600, 60, 50), at(0));
        assert_eq!(all_at_once(Some(half), &limit(10, 60, 50), 0).0, 25);
    }

    #[test]
    fn a_slow_rate_of_an_earlier_configuration_locks_nobody_out_of_a_quick_one() {
        let (state, _) = take(None, 3, &limit(1, 3_600, 3), at(0));
        let quick = limit(60, 60, 3);
        let (state, verdict) = take(Some(state), 1, &quick, at(0));
        assert_eq!(verdict.retry_after_s(), Some(1));
        assert!(take(Some(state), 1, &quick, at(1_000_000)).1.is_allowed);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let per_minute = |count, burst| limit(count, 60, burst);
        let limit = per_minute(7, 3);
        let (full, _) = take(None, 3, &limit, at(0));
        let back = give_back(full, 1, &limit, at(5));
        assert_eq!(all_at_once(Some(back), &limit, 5).0, 1);
        // Never more than there is.
        let more = give_back(give_back(full, 3, &limit, at(5)), 3, &limit, at(5));
        assert_eq!(all_at_once(Some(more), &limit, 5).0, 3);
        // Behind a change of the rate a call is a call.
        let other = per_minute(70, 3);
        let back = give_back(full, 1, &other, at(0));
        assert_eq!(all_at_once(Some(back), &other, 0).0, 1);
    }

    #[test]
    fn a_batch_each_span_is_the_rate_and_never_refused() {
        for count in [3, 7, 11, 60, 97, 600, 1_000, 4_999] {
            for (per_s, spans) in [(1, 200u64), (60, 50), (86_400, 50)] {
                let limit = limit(count, per_s, count);
                let mut state = None;
                for span in 0..spans {
                    let (next, verdict) = take(state, count, &limit, at(span * per_s * 1_000_000));
                    assert!(verdict.is_allowed, "{count} in {per_s} s, span {span}");
                    state = Some(next);
                }
            }
        }
    }

    #[test]
    fn the_slowest_rate_with_the_largest_burst_stays_within_its_bounds() {
        let limit = limit(1, 86_400, u32::MAX);
        let late = Monotonic::from_micros(u64::MAX);
        let (state, verdict) = take(None, 3_650, &limit, late);
        assert!(verdict.is_allowed && state.used_until < 1 << 63);
        assert!(!take(Some(state), 1, &limit, late).1.is_allowed);
        assert!(limit.refill() > REFILL_MAX);
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
        /// The reference is a token bucket in fractions of a call, without any rounding. Where it refuses, the call passes after
        /// as long as was told, and not a second earlier.
        #[test]
        fn agrees_with_an_exact_token_bucket(
            count in prop_oneof![1u32..60, 1u32..8_000, Just(10_000), Just(1_000_000)],
            per_s in prop::sample::select(vec![1u64, 60, 3_600, 86_400]), burst in 1u32..50,
            steps in prop::collection::vec((0u64..3_000_000, any::<bool>(), 1u32..4), 1..200),
        ) {
            let (limit, per) = (limit(count, per_s, burst), u128::from(per_s) * 1_000_000);
            let full = per * u128::from(burst);
            let refilled = |tokens: u128, wait: u64| full.min(tokens + u128::from(wait) * u128::from(count));
            let (mut tokens, mut state, mut now) = (full, None, 0);
            for (wait, is_slow, cost) in steps {
                // Waits of a few calls, so that the boundary itself is met.
                let wait = if is_slow { wait } else { wait % (8 * per_s * 1_000_000 / u64::from(count)).max(2) };
                now += wait;
                tokens = refilled(tokens, wait);
                let price = per * u128::from(cost);
                let (next, verdict) = take(state, cost, &limit, at(now));
                state = Some(next);
                prop_assert_eq!(verdict.is_allowed, tokens >= price);
                if verdict.is_allowed { tokens -= price; }
                prop_assert_eq!(u128::from(verdict.remaining), tokens / per);
                if let Some(wait) = verdict.retry_after {
                    let wait = u64::try_from(wait.as_micros()).unwrap();
                    prop_assert!(refilled(tokens, wait) >= price && refilled(tokens, wait - 1) < price);
                    let told = u64::from(verdict.retry_after_s().unwrap()) * 1_000_000;
                    prop_assert!(take(state, cost, &limit, at(now + told)).1.is_allowed);
                    let early = told - 1_000_000;
                    prop_assert!(early == 0 || !take(state, cost, &limit, at(now + early)).1.is_allowed);
                }
            }
        }

        /// The reference counts calls in fractions, and goes on with the same number of them whenever the terms change.
        #[test]
        fn a_change_of_the_terms_keeps_the_number_of_calls_that_were_used_up(
            terms in prop::collection::vec((1u32..500, prop::sample::select(vec![1u64, 60, 3_600]), 1u32..100), 1..4),
            steps in prop::collection::vec((0u64..2_000_000, 0usize..4), 1..100),
        ) {
            let (mut used, mut state, mut now) = (0f64, None, 0);
            for (wait, which) in steps {
                // The time in between belongs to the terms that hold at its end, as nobody asked before.
                let (count, per_s, burst) = terms[which % terms.len()];
                let limit = limit(count, per_s, burst);
                let (seen, _) = take(state, 0, &limit, at(now));
                used = used.min(f64::from(burst));
                now += wait;
                let whole = |number: u64| f64::from(u32::try_from(number).unwrap());
                let paid = whole(wait) * f64::from(count) / (whole(per_s) * 1_000_000.0);
                used = (used - paid).max(0.0);
                let left = f64::from(burst) - used;
                let (next, verdict) = take(Some(seen), 1, &limit, at(now));
                // Conversions round by a millionth of a call; whoever stands nearer to the boundary is not compared.
                if (left - 1.0).abs() > 0.001 {
                    prop_assert_eq!(verdict.is_allowed, left >= 1.0, "{} left", left);
                }
                used += f64::from(u8::from(verdict.is_allowed));
                state = Some(next);
            }
        }

        /// Of two limits that are asked together the second counts what both let pass, or a part of it.
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
