//! Every way to prove who is calling: one file per method, registered here.
//! Gives `METHODS` and `Settings`. To add one: write `methods/NAME.rs`, then add its line and its settings here, in order.
//! Used by `verify`, by config (which reads `Settings` from the files of integrations) and by the reference page.
//! Start reading at `METHODS`.

mod api_key;

use schemars::JsonSchema;
use serde::Deserialize;

pub use api_key::ApiKeySettings;

use crate::Method;

/// All methods, sorted by name.
pub const METHODS: &[Method] = &[api_key::METHOD];

/// Kinds of credential an integration may use, and their rules. A kind that is not listed is not accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename = "Credentials")]
#[schemars(extend("minProperties" = 1))]
pub struct Settings {
    /// API keys: made, rotated and revoked with `portcullis key`.
    pub api_key: Option<ApiKeySettings>,
}

/// Header fields that may carry a credential, so that no later stage sees, records or forwards one.
pub fn credential_headers() -> impl Iterator<Item = &'static str> {
    METHODS
        .iter()
        .flat_map(|method| method.headers.iter().copied())
}

/// Whether a field may carry a credential. An upstream gets it only where its api says `pass_credential: true`.
pub fn is_credential(name: &str) -> bool {
    credential_headers().any(|known| known == name)
}
