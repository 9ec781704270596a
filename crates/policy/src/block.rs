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
    "The address or credential was refused more often than `blocks.after` allows and is blocked until the stated end. \
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

/// Counts one refusal. Gives the end of the block that begins with it, if one does.
pub fn strike(
    state: Option<State>,
    settings: &BlockSettings,
    now: Timestamp,
) -> (State, Option<Timestamp>) {
    let _ = (settings, now);
    (state.unwrap_or_default(), None)
}

/// The end of the present block, if there is one.
pub fn blocked_until(state: &State, now: Timestamp) -> Option<Timestamp> {
    (state.until > now.micros()).then(|| Timestamp::from_micros(state.until))
}
