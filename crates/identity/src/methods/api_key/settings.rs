//! The rules for API keys, as an integration's file says them.
//! Exports `ApiKeySettings`.
//! Used by `settings::Settings`, which lists the settings of every method.
//! Start reading at `ApiKeySettings`.

use model::time::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// Rules for API keys.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiKeySettings {
    /// How long a key may be used after it was made. From `1m` to `730d`. A shorter value reaches existing keys too.
    /// Default `90d`.
    pub max_age: Span,
    /// How long the old key goes on after a rotation. Not longer than `max_age`. Default `24h`.
    pub overlap: Option<Span>,
    /// Header in which the integration names the person behind a call. It separates limits and shows in the ledger; it
    /// never grants anything. Default: none is read.
    pub user_header: Option<String>,
}

impl Default for ApiKeySettings {
    fn default() -> Self {
        ApiKeySettings {
            max_age: Span::from_days(90),
            overlap: None,
            user_header: None,
        }
    }
}

impl ApiKeySettings {
    /// How long the old key goes on after a rotation; never longer than keys live.
    pub fn overlap(&self) -> Span {
        let overlap = self.overlap.unwrap_or(Span::from_hours(24));
        overlap.min(self.max_age)
    }
}
