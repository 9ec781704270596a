//! What the file of an integration says of its credentials, and the facts that `verify` needs of it.
//! Exports `Settings`, `IntegrationFacts`.
//! Used by config, which reads and makes them, and by the methods.
//! Start reading at `Settings`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{IntegrationId, Principal};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::methods::api_key::settings::ApiKeySettings;

/// Kinds of credential an integration may use, and their rules. A kind that is not listed is not accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename = "Credentials")]
#[schemars(extend("minProperties" = 1))]
pub struct Settings {
    /// API keys: made, rotated and revoked with `portcullis key`.
    pub api_key: Option<ApiKeySettings>,
    /// Whoever shows no credential at all calls as this integration, where it is granted the operation. Only for the integration that is
    /// named `anonymous`, and for no other kind beside it. Default `false`.
    pub none: bool,
}

/// What `verify` needs to know of one integration.
#[derive(Clone, Debug)]
pub struct IntegrationFacts {
    /// Its place in the configuration.
    pub id: IntegrationId,
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

impl IntegrationFacts {
    /// The facts policies may ask for, of a call by this integration for this person.
    pub fn principal(&self, user: Option<Arc<str>>) -> Principal {
        Principal {
            id: self.id,
            integration: Arc::clone(&self.name),
            attributes: Arc::clone(&self.attributes),
            user,
        }
    }
}
