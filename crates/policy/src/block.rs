//! Who is refused again and again is blocked for a while. Every block ends by itself.
//! Gives `BlockSettings`, `State`, `strike`, `blocked_until`.
//! Used by the gateway's counters.
//! Start reading at `strike`.

use std::time::Duration;

use model::{Reason, Stage, Timestamp};

use crate::limit;
use crate::rate::{Rate, Span, Strikes};

/// The caller is blocked for a while.
pub const BLOCKED: Reason = Reason::new(
    Stage::Limit,
    "limit.blocked",
    429,
    "Blocked for a while after repeated refusals.",
    "Stop, wait as long as Retry-After says, and mend what was refused before; each further block lasts longer.",
    "The address or integration was refused more often than `blocks.after` allows and is blocked until the stated end. \
     `portcullis explain` of the refusals before it shows what was wrong. The block ends by itself.",
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
        }
    }
}

/// What is remembered of one address or credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The share of refusals used up.
    pub strikes: limit::State,
    /// Blocks so far in a row.
    pub blocks: u32,
    /// End of the present or last block, microseconds since 1970.
    pub until: i64,
}

/// Longest block by escalation. A longer `for` stays as it is.
pub const BLOCK_MAX: Duration = Duration::from_secs(86_400);

/// After so long without a block, the next one is a first one again.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(86_400);

/// Counts one refusal. Gives the end of the block that begins with it, if one does.
///
/// Refusals during a block do not count: otherwise a client that only retries would never get out.
pub fn strike(
    state: Option<State>,
    settings: &BlockSettings,
    now: Timestamp,
) -> (State, Option<Timestamp>) {
    let mut state = state.unwrap_or_default();
    if blocked_until(&state, now).is_some() {
        return (state, None);
    }
    if now.since(Timestamp::from_micros(state.until)) > FORGOTTEN_AFTER {
        state.blocks = 0;
    }
    let limit = limit::Limit::new(settings.after.0, settings.after.0.count);
    let (strikes, verdict) = limit::take(Some(state.strikes), 1, &limit, now);
    state.strikes = strikes;
    if verdict.is_allowed && verdict.remaining > 0 {
        return (state, None);
    }
    let until = now.plus(lasts(settings, state.blocks));
    let state = State {
        strikes: limit::State::default(),
        blocks: state.blocks.saturating_add(1),
        until: until.micros(),
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
pub fn blocked_until(state: &State, now: Timestamp) -> Option<Timestamp> {
    (state.until > now.micros()).then(|| Timestamp::from_micros(state.until))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
    }

    fn strikes(mut state: Option<State>, count: u32, second: i64) -> (State, Option<Timestamp>) {
        let mut begun = None;
        for _ in 0..count {
            let (next, until) = strike(state, &BlockSettings::default(), at(second));
            state = Some(next);
            begun = begun.or(until);
        }
        (state.unwrap_or_default(), begun)
    }

    #[test]
    fn the_twentieth_refusal_blocks_for_fifteen_minutes() {
        let (state, begun) = strikes(None, 19, 0);
        assert_eq!(begun, None);
        let (state, begun) = strikes(Some(state), 1, 1);
        assert_eq!(begun, Some(at(1 + 15 * 60)));
        assert_eq!(blocked_until(&state, at(15 * 60)), Some(at(1 + 15 * 60)));
        assert_eq!(blocked_until(&state, at(1 + 15 * 60)), None);
    }

    #[test]
    fn slow_refusals_never_block() {
        let mut state = None;
        for minute in 0..600 {
            let (next, until) = strike(state, &BlockSettings::default(), at(minute * 4));
            (state, _) = (Some(next), assert_eq!(until, None));
        }
    }

    #[test]
    fn refusals_during_a_block_do_not_lengthen_it() {
        let (blocked, _) = strikes(None, 20, 0);
        let (after, begun) = strikes(Some(blocked), 500, 60);
        assert_eq!((after, begun), (blocked, None));
    }

    #[test]
    fn each_next_block_is_longer_up_to_a_day_and_a_quiet_day_forgets() {
        let (mut state, mut second, mut lengths) = (None, 0, Vec::new());
        for _ in 0..6 {
            let (next, begun) = strikes(state, 20, second);
            let end = begun.unwrap();
            lengths.push(end.since(at(second)).as_secs() / 60);
            (state, second) = (
                Some(next),
                second + i64::try_from(end.since(at(second)).as_secs()).unwrap(),
            );
        }
        assert_eq!(lengths, [15, 60, 240, 960, 1_440, 1_440]);
        let (_, begun) = strikes(state, 20, second + 2 * 86_400);
        assert_eq!(begun, Some(at(second + 2 * 86_400 + 15 * 60)));
    }

    #[test]
    fn settings_read_as_the_operator_writes_them() {
        let text = r#"{"after":"20 refusals/min","for":"15m","escalate":4}"#;
        let settings: BlockSettings = serde_json::from_str(text).unwrap();
        assert_eq!(settings, BlockSettings::default());
        assert_eq!(serde_json::to_string(&settings).unwrap(), text);
    }
}
