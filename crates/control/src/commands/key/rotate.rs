//! `key.rotate`: a key replaced; the old one goes on for the overlap.

use identity::credential;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{entropy, put, rules, within_max_age};
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::journal::Change;
use crate::order::Effect;
use crate::{AdminError, Control};

/// Makes a key's replacement; the old one goes on for the overlap.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Id of the key, as `key.list` shows it.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
    /// How long the old key goes on: `10m`, `24h`, at most the integration's `max_age`, and never longer than it would have.
    /// Default: as the integration's file says.
    #[schemars(length(min = 1, max = 32))]
    pub overlap: Option<String>,
}

/// The replacement of a key. This is the only time it is shown.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeyRotated {
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
    /// Id of the key it replaces.
    pub replaces: String,
    /// How long that one works, UTC.
    pub old_key_works_until: String,
}

impl Command for RotateKey {
    const INFO: Info = Info {
        name: "key.rotate",
        summary: "Make a key's replacement; the old key goes on for the overlap",
        permission: Permission::KeysWrite,
        impact: Impact::Writes,
        records: Some("key.rotate"),
        example: r#"{"id":"key_01KA7ZQ4X8M2V5T9B3N6C1R0WY","overlap":"10m"}"#,
        version: 1,
    };
    type Out = KeyRotated;

    fn run(self, control: &Control, actor: &Actor) -> Result<KeyRotated, AdminError> {
        let mut turn = control.turn();
        let old = control.credential(&self.id)?;
        let mut rules = rules(control, &old.integration)?;
        if let Some(overlap) = &self.overlap {
            let overlap = within_max_age("overlap", overlap, &old.integration, &rules)?;
            rules.overlap = Some(overlap);
        }
        let now = control.now();
        let digest = &control.keys.api_key_digest;
        let rotated = credential::rotate(&old, &rules, &entropy(now), digest, now);
        let (issued, replaced) = rotated.map_err(|why| {
            AdminError::of_field(
                "id",
                why.to_string(),
                "`portcullis key list` shows the state of every key.",
            )
        })?;
        let until = replaced.overlap_until.unwrap_or(now);
        let record = &issued.record;
        let change = Change {
            integration: Some(old.integration.clone()),
            credential: Some(old.id),
            replaced: Some((record.id, until)),
            ..Change::new(
                Self::INFO.name,
                actor,
                format!("replaced by {}, works until {until}", record.id),
            )
        };
        let steps = vec![put(record)?, put(&replaced)?];
        let effect = Effect::Credentials(vec![record.clone(), replaced]);
        turn.commit(&change, steps, effect)?;
        Ok(KeyRotated {
            id: record.id.to_string(),
            integration: record.integration.clone(),
            label: record.label.clone(),
            ends_at: record.expires_at.to_string(),
            key: issued.key.expose().clone(),
            replaces: old.id.to_string(),
            old_key_works_until: until.to_string(),
        })
    }
}
