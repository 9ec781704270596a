//! Who is refused again and again is blocked for a while, and people may block as well. Every block ends by itself.
//! Exports `BlockSettings`, `State`, `count_refusal`, `blocked_until`, `Subject`, `shell_quoted`, `remaining`.
//! Used by the gateway's table of blocks, by admin and the command line.
//! Start reading at `count_refusal`.

mod subject;

use std::time::Duration;

use model::{Monotonic, Reason, Stage, Timestamp};

use crate::limit;
use crate::rate::{Rate, Span, Strikes};

pub use subject::{Subject, shell_quoted};

/// The caller is blocked for a while.
pub const BLOCKED: Reason = Reason::new(
    Stage::Limit,
    "limit.blocked",
    429,
    "Blocked for a while.",
    "Stop, wait as long as Retry-After says, and fix what was refused before; each further block lasts longer.",
    "A block is in force. Either the credential, the person it named, or (as long as no credential proves a caller) the address was \
     refused more often than `blocks.after` allows; a credential also when the persons it named were, all together, ten times as \
     often. `portcullis explain` of the refusals before it shows what was wrong. Or an operator \
     added it. The ledger entry says which, and until when. `portcullis block list` shows all of them, `portcullis block lift` ends one; \
     otherwise it ends by itself.",
);

/// When repeated refusals lead to a block.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct BlockSettings {
    /// How many refusals are borne, e.g. `20 refusals/min`.
    pub after: Strikes,
    /// How long the first block lasts, e.g. `15m`.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// Each next block lasts this many times longer, up to a day. 1 keeps it the same.
    #[serde(default = "one")]
    pub escalate: u32,
    /// Whether refusals by a limit count as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub count_limits: bool,
}

const fn one() -> u32 {
    1
}

impl Default for BlockSettings {
    fn default() -> Self {
        BlockSettings {
            after: Strikes(Rate {
                count: 20,
                per: Duration::from_secs(60),
            }),
            lasts: Span(Duration::from_secs(15 * 60)),
            escalate: 4,
            count_limits: false,
        }
    }
}

impl BlockSettings {
    /// The rule for all persons that one credential names together. Each of them may be refused as often as the rule for one
    /// says, so that only many names, all of them refused, come to this.
    #[must_use]
    pub fn of_people(&self) -> BlockSettings {
        let Rate { count, per } = self.after.0;
        let count = count.saturating_mul(PEOPLE);
        BlockSettings {
            after: Strikes(Rate { count, per }),
            ..*self
        }
    }
}

/// What is remembered of one address, credential or person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The share of refusals used up; none while nothing is counted.
    pub refusals: Option<limit::State>,
    /// Blocks so far in a row.
    pub blocks: u32,
    /// End of the present or last block.
    pub until: Monotonic,
}

/// A credential that names persons is blocked itself after so many times the refusals that are borne of one.
pub const PEOPLE: u32 = 10;

/// Longest block by escalation. A longer `for` stays as it is.
pub const BLOCK_MAX: Duration = Duration::from_secs(86_400);

/// After so long without a block, the next one is a first one again.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(86_400);

/// Counts one refusal. Gives the end of the block that begins with it, if one does.
///
/// Refusals during a block do not count: otherwise a client that only retries would never get out.
pub fn count_refusal(
    state: Option<State>,
    settings: &BlockSettings,
    now: Monotonic,
) -> (State, Option<Monotonic>) {
    let mut state = state.unwrap_or_default();
    if blocked_until(&state, now).is_some() {
        return (state, None);
    }
    if now.since(state.until) > FORGOTTEN_AFTER {
        state.blocks = 0;
    }
    let limit = limit::Limit::new(settings.after.0, settings.after.0.count);
    let (refusals, verdict) = limit::take(state.refusals, 1, &limit, now);
    state.refusals = Some(refusals);
    if verdict.is_allowed && verdict.remaining > 0 {
        return (state, None);
    }
    let until = now.plus(lasts(settings, state.blocks));
    let state = State {
        refusals: None,
        blocks: state.blocks.saturating_add(1),
        until,
    };
    (state, Some(until))
}

/// How long the block after so many blocks lasts.
fn lasts(settings: &BlockSettings, blocks: u32) -> Duration {
    let first = settings.lasts.0;
    let factor = settings.escalate.max(1).saturating_pow(blocks);
    first.saturating_mul(factor).min(BLOCK_MAX.max(first))
}

/// The end of the present block, if there is one.
pub fn blocked_until(state: &State, now: Monotonic) -> Option<Monotonic> {
    (state.until > now).then_some(state.until)
}

/// What is left of a block that was stored. A clock that was set in between does not make it longer than it was meant to be.
pub fn remaining(added_at: Timestamp, until: Timestamp, now: Timestamp) -> Duration {
    until.since(now).min(until.since(added_at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_micros(seconds * 1_000_000)
    }

    fn refusals(mut state: Option<State>, count: u32, second: u64) -> (State, Option<Monotonic>) {
        let mut begun = None;
        for _ in 0..count {
            let (next, until) = count_refusal(state, &BlockSettings::default(), at(second));
            state = Some(next);
            begun = begun.or(until);
        }
        (state.unwrap_or_default(), begun)
    }

    #[test]
    fn the_twentieth_refusal_blocks_for_fifteen_minutes() {
        let (state, begun) = refusals(None, 19, 0);
        assert_eq!(begun, None);
        let (state, begun) = refusals(Some(state), 1, 1);
        assert_eq!(begun, Some(at(1 + 15 * 60)));
        assert_eq!(blocked_until(&state, at(15 * 60)), Some(at(1 + 15 * 60)));
        assert_eq!(blocked_until(&state, at(1 + 15 * 60)), None);
    }

    #[test]
    fn slow_refusals_never_block() {
        let mut state = None;
        for minute in 0..600 {
            let (next, until) = count_refusal(state, &BlockSettings::default(), at(minute * 4));
            (state, _) = (Some(next), assert_eq!(until, None));
        }
    }

    #[test]
    fn refusals_during_a_block_do_not_lengthen_it() {
        let (blocked, _) = refusals(None, 20, 0);
        let (after, begun) = refusals(Some(blocked), 500, 60);
        assert_eq!((after, begun), (blocked, None));
    }

    #[test]
    fn each_next_block_is_longer_up_to_a_day_and_a_quiet_day_forgets() {
        let (mut state, mut second, mut lengths) = (None, 0, Vec::new());
        for _ in 0..6 {
            let (next, begun) = refusals(state, 20, second);
            let lasts = begun.unwrap().since(at(second)).as_secs();
            lengths.push(lasts / 60);
            (state, second) = (Some(next), second + lasts);
        }
        assert_eq!(lengths, [15, 60, 240, 960, 1_440, 1_440]);
        let (_, begun) = refusals(state, 20, second + 2 * 86_400);
        assert_eq!(begun, Some(at(second + 2 * 86_400 + 15 * 60)));
    }

    #[test]
    fn settings_read_as_the_operator_writes_them() {
        let text = r#"{"after":"20 refusals/min","for":"15m","escalate":4}"#;
        let settings: BlockSettings = serde_json::from_str(text).unwrap();
        assert_eq!(settings, BlockSettings::default());
        assert_eq!(serde_json::to_string(&settings).unwrap(), text);
    }

    proptest! {
        /// Whatever the clock shows later: no stored block lasts longer than it was meant to, and one that ended by a right
        /// clock is over.
        #[test]
        fn a_stored_block_never_lasts_longer_than_its_own_duration(
            added in -4_000_000_000_000_000i64..4_000_000_000_000_000, lasts in 0u64..40 * 86_400,
            now in any::<i64>(),
        ) {
            let added = Timestamp::from_micros(added);
            let until = added.plus(Duration::from_secs(lasts));
            let left = remaining(added, until, Timestamp::from_micros(now));
            prop_assert!(left <= Duration::from_secs(lasts));
            prop_assert_eq!(left.is_zero(), now >= until.micros() || lasts == 0);
        }
    }
}
