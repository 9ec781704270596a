//! `key.create`: a key made and shown, this once.

use identity::credential::{self, CreateKeyRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{entropy, put, rules, within_max_age};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::journal::Change;
use crate::order::CREDENTIALS_MAX;
use crate::order::Effect;
use crate::{AdminError, Control};

/// Makes a key for an integration.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// Integration the key is for.
    #[schemars(length(min = 1, max = 128))]
    pub integration: String,
    /// What tells it from the others: `erp production`. Default `default`.
    #[schemars(length(min = 1, max = 100))]
    pub label: Option<String>,
    /// When it ends: `12h`, `30d`, at most the integration's `max_age`, which is the default.
    #[schemars(length(min = 1, max = 32))]
    pub expires_in: Option<String>,
    /// Whether it is a key for trials, told apart at sight: `pk_test_…`.
    #[serde(default)]
    pub test: bool,
}

/// A key that was made. This is the only time it is shown.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeyCreated {
    /// Its id, which is no secret.
    pub id: String,
    /// Integration it is for.
    pub integration: String,
    /// What tells it from the others.
    pub label: String,
    /// When it ends, UTC.
    pub ends_at: String,
    /// The key itself.
    pub key: String,
}

impl Command for CreateKey {
    const INFO: Info = Info {
        name: "key.create",
        summary: "Make a key for an integration and print it, this once",
        permission: Permission::KeysWrite,
        impact: Impact::Writes,
        records: Some("key.create"),
        example: r#"{"integration":"accounting","label":"erp production","expires_in":"30d"}"#,
        version: 1,
    };
    type Out = KeyCreated;

    fn run(self, control: &Control, actor: &Actor) -> Result<KeyCreated, AdminError> {
        let rules = rules(control, &self.integration)?;
        let label = label(self.label.as_deref().unwrap_or("default"))?;
        let lasts = self.expires_in.as_deref();
        let lasts = lasts
            .map(|text| within_max_age("expires_in", text, &self.integration, &rules))
            .transpose()?;
        let mut turn = control.turn();
        if control.credentials()?.len() >= CREDENTIALS_MAX {
            return Err(AdminError::asked(
                "there are too many keys",
                "Remove integrations that are no longer used.",
            ));
        }
        let request = CreateKeyRequest {
            integration: &self.integration,
            label,
            is_live: !self.test,
            lasts,
        };
        let now = control.now();
        let digest = &control.keys.api_key_digest;
        let issued = credential::create(&request, &rules, &entropy(now), digest, now);
        let record = &issued.record;
        let change = Change {
            integration: Some(self.integration.clone()),
            credential: Some(record.id),
            ..Change::new(
                Self::INFO.name,
                actor,
                format!("label {label}, ends {}", record.expires_at),
            )
        };
        let effect = Effect::Credentials(vec![record.clone()]);
        turn.commit(&change, vec![put(record)?], effect)?;
        Ok(KeyCreated {
            id: record.id.to_string(),
            integration: record.integration.clone(),
            label: record.label.clone(),
            ends_at: record.expires_at.to_string(),
            key: issued.key.expose().clone(),
        })
    }
}

/// What tells a key from the others, in one line.
fn label(label: &str) -> Result<&str, AdminError> {
    if label.chars().any(char::is_control) {
        return Err(AdminError::of_argument(
            "label",
            "the label has control characters",
            "Use at most 100 plain characters.",
        ));
    }
    Ok(label)
}
