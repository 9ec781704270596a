//! What is known of one target, as a pure state machine: events and the time in, the next state out.
//! Exports `Condition`, `Event`, `Outcome`. No clock, no lock: a condition fits one atomic word.
//! Used by `target`, and by the simulation that tries it under random schedules.
//! Start reading at `Condition::after`; which outcome of an attempt teaches something is decided in `Outcome::event`.

/// How long a target that took no connection gets no further attempt while another target can take the call: after
/// the first failure, the second, and every later one. The longest bounds how late a target that is back is noticed.
const REST_US: [u64; 3] = [100_000, 200_000, 400_000];

/// Moments take so many bits: 142 years of microseconds.
const MOMENT_BITS: u32 = 52;

/// What is known of one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Connection attempts in a row that failed, at most one per rest. 0: the last one succeeded, or none was made.
    failures: u8,
    /// When something was learned last. An attempt that began before then knows nothing newer.
    learned_us: u64,
    /// Taken out by health checks.
    is_out: bool,
    /// Health checks in a row that spoke against `is_out`.
    streak: u8,
}

/// Something that happened to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A connection was made, TLS included.
    Connected,
    /// A connection attempt that began then failed, and the target is to blame.
    NotConnected {
        /// When the attempt began.
        began_us: u64,
    },
    /// A rest is over and somebody is about to try. Counts as a failure until it has succeeded.
    Probed,
    /// A health check.
    Checked {
        /// Whether it was good.
        is_good: bool,
        /// Bad checks in a row that take the target out.
        unhealthy_after: u32,
        /// Good checks in a row that bring it back.
        healthy_after: u32,
    },
}

/// How an attempt of one call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Connected; what comes of the call afterwards is the call's own affair.
    Connected,
    /// The target refused the connection, or did not answer within the whole time for connecting.
    TargetFailed,
    /// The call's own time was over before connecting could be.
    CallTimedOut,
    /// This machine had no descriptor, port or memory left.
    OutOfResources,
    /// A call that was sent got no answer in time, none at all, or one that makes no sense.
    CallFailed,
}

impl Outcome {
    /// What the outcome of an attempt says about the target. Only connecting does: every caller connects in the same way,
    /// while what follows depends on what was asked, and one caller's question must not decide for the others.
    pub(crate) fn event(self, began_us: u64) -> Option<Event> {
        match self {
            Outcome::Connected => Some(Event::Connected),
            Outcome::TargetFailed => Some(Event::NotConnected { began_us }),
            Outcome::CallTimedOut | Outcome::OutOfResources | Outcome::CallFailed => None,
        }
    }
}

impl Condition {
    /// The condition after an event.
    #[must_use]
    pub(crate) fn after(self, event: Event, now_us: u64) -> Condition {
        match event {
            Event::Connected => Condition {
                failures: 0,
                learned_us: now_us,
                ..self
            },
            // Attempts that ran side by side learned of one outage: the first to come back speaks for all.
            Event::NotConnected { began_us } if began_us <= self.learned_us => self,
            Event::NotConnected { .. } | Event::Probed => Condition {
                failures: next(self.failures),
                learned_us: now_us,
                ..self
            },
            Event::Checked {
                is_good,
                unhealthy_after,
                healthy_after,
            } => self.checked(is_good, (unhealthy_after, healthy_after), now_us),
        }
    }

    /// A good check ends a rest at once; a streak of checks takes a target out or brings it back.
    fn checked(
        self,
        is_good: bool,
        (unhealthy_after, healthy_after): (u32, u32),
        now_us: u64,
    ) -> Condition {
        let known = if is_good {
            self.after(Event::Connected, now_us)
        } else {
            self
        };
        if is_good != self.is_out {
            return Condition { streak: 0, ..known };
        }
        let needed = if self.is_out {
            healthy_after
        } else {
            unhealthy_after
        };
        let streak = self.streak.saturating_add(1);
        let is_turned = u32::from(streak) >= needed.min(u32::from(u8::MAX));
        Condition {
            streak: if is_turned { 0 } else { streak },
            is_out: self.is_out != is_turned,
            ..known
        }
    }

    /// Whether the last connection attempt failed and none has succeeded since.
    pub(crate) fn is_resting(self) -> bool {
        self.failures > 0
    }

    /// Whether the rest is over and one attempt is due.
    pub(crate) fn is_probe_due(self, now_us: u64) -> bool {
        self.is_resting() && now_us >= self.learned_us.saturating_add(self.rest_us())
    }

    /// Whether health checks have taken it out.
    pub(crate) fn is_out(self) -> bool {
        self.is_out
    }

    fn rest_us(self) -> u64 {
        let index = usize::from(self.failures).saturating_sub(1);
        REST_US.get(index).copied().unwrap_or_default()
    }

    /// As one word.
    pub(crate) fn pack(self) -> u64 {
        let moment = self.learned_us & ((1 << MOMENT_BITS) - 1);
        moment << 12
            | u64::from(self.streak) << 4
            | u64::from(self.is_out) << 3
            | u64::from(self.failures)
    }

    /// From one word.
    pub(crate) fn unpack(word: u64) -> Condition {
        let low = |shift: u32, mask: u64| u8::try_from((word >> shift) & mask).unwrap_or_default();
        Condition {
            failures: low(0, 7),
            is_out: low(3, 1) == 1,
            streak: low(4, 255),
            learned_us: word >> 12,
        }
    }
}

fn next(failures: u8) -> u8 {
    let most = u8::try_from(REST_US.len()).unwrap_or(u8::MAX);
    failures.saturating_add(1).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(began_us: u64) -> Event {
        Event::NotConnected { began_us }
    }

    #[test]
    fn failures_side_by_side_count_once_and_a_rest_is_short() {
        let mut condition = Condition::default();
        for _ in 0..12 {
            condition = condition.after(bad(10), 1_000);
        }
        assert!(condition.is_resting());
        assert_eq!(condition.failures, 1);
        assert!(!condition.is_probe_due(100_999));
        assert!(condition.is_probe_due(101_000));
        let probed = condition.after(Event::Probed, 101_000);
        assert_eq!(
            probed.after(bad(101_000), 101_050),
            probed,
            "counted already"
        );
        assert!(!probed.is_probe_due(300_999) && probed.is_probe_due(301_000));
        let mut worst = probed;
        for now in (1..100).map(|n| n * 1_000_000) {
            worst = worst.after(Event::Probed, now);
            assert!(worst.is_probe_due(now + 400_000), "never longer than that");
        }
        assert!(!worst.after(Event::Connected, 1).is_resting());
    }

    #[test]
    fn an_attempt_from_before_the_last_success_says_nothing() {
        let condition = Condition::default().after(Event::Connected, 500);
        assert!(!condition.after(bad(400), 2_000_500).is_resting());
        assert!(condition.after(bad(501), 2_000_500).is_resting());
    }

    #[test]
    fn checks_take_out_and_bring_back_after_their_streaks_and_a_good_one_ends_a_rest() {
        let check = |condition: Condition, is_good| {
            let event = Event::Checked {
                is_good,
                unhealthy_after: 3,
                healthy_after: 2,
            };
            condition.after(event, 1)
        };
        let run = |checks: &[bool]| {
            checks
                .iter()
                .fold(Condition::default(), |c, g| check(c, *g))
        };
        assert!(!run(&[false, false, true, false, false]).is_out());
        assert!(run(&[false, false, true, false, false, false]).is_out());
        assert!(run(&[false, false, false, true]).is_out());
        assert!(run(&[false, false, false, true, false, true]).is_out());
        assert!(!run(&[false, false, false, true, true]).is_out());
        let resting = Condition::default().after(bad(1), 1);
        assert!(!check(resting, true).is_resting());
        assert!(check(resting, false).is_resting());
    }

    #[test]
    fn only_connecting_says_something_about_a_target() {
        for outcome in [
            Outcome::CallTimedOut,
            Outcome::OutOfResources,
            Outcome::CallFailed,
        ] {
            assert_eq!(outcome.event(7), None, "{outcome:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_condition_survives_its_word(failures in 0u8..8, learned_us in 0u64..1 << 52, is_out: bool, streak: u8) {
            let condition = Condition { failures, learned_us, is_out, streak };
            proptest::prop_assert_eq!(Condition::unpack(condition.pack()), condition);
        }
    }
}
