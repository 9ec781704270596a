//! How strictly something is checked.
//! Exports `Mode`.
//! Written in the configuration (`checks`); asked by contract and by the gateway's stages.
//! Start reading at `Mode`.

use schemars::JsonSchema;
use serde::Deserialize;

/// What a check does.
// In the order of strictness, so that the milder of two modes is the lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is checked.
    Off,
    /// What is found is recorded; nothing is refused.
    Observe,
    /// What is found is refused.
    Enforce,
}
