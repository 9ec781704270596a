//! What an integration's file says about its credentials, and the facts `verify` needs of an integration.
//! Gives `Settings` (configuration) and `IntegrationFacts` (compiled).
//! Used by config, which reads the one and makes the other.
//! Start reading at `Settings`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use model::time::Span;

/// Kinds of credential an integration may use, and their rules. A kind that is not listed is not accepted.
/// Without this section API keys are accepted with the default rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// API keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKeySettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            api_key: Some(ApiKeySettings::default()),
        }
    }
}

/// Rules for the API keys of one integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeySettings {
    /// Age at which a key stops working. A shorter value reaches existing keys too. Default `90d`.
    #[serde(default = "ApiKeySettings::max_age_default")]
    pub max_age: Span,
    /// How long the old key keeps working after a rotation. Default `24h`.
    #[serde(default = "ApiKeySettings::overlap_default")]
    pub overlap: Span,
}

impl ApiKeySettings {
    const fn max_age_default() -> Span {
        Span::from_days(90)
    }

    const fn overlap_default() -> Span {
        Span::from_hours(24)
    }
}

impl Default for ApiKeySettings {
    fn default() -> Self {
        ApiKeySettings {
            max_age: Self::max_age_default(),
            overlap: Self::overlap_default(),
        }
    }
}

/// What `verify` needs to know of one integration.
#[derive(Clone, Debug)]
pub struct IntegrationFacts {
    /// Name, as the credential records it.
    pub name: Arc<str>,
    /// Attributes for conditions.
    pub attributes: Arc<BTreeMap<String, String>>,
    /// Paused by an operator: its credentials are refused until it is resumed.
    pub is_paused: bool,
    /// Accepted kinds of credential.
    pub credentials: Settings,
    /// Header (lower case) in which the integration names the person behind a call.
    pub user_header: Option<String>,
}

/// Integrations by name.
pub type Integrations = HashMap<Arc<str>, IntegrationFacts>;
