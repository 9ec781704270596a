//! `key.list`: keys, never their texts.

use identity::Credential;
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Lists keys; never their texts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListKeys {
    /// Only keys of this integration.
    #[schemars(length(min = 1, max = 128))]
    pub integration: Option<String>,
}

/// The keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyList {
    /// By integration, then by age.
    pub keys: Vec<KeyRow>,
}

/// One key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyRow {
    /// Its id, which is no secret.
    pub id: String,
    /// Integration it is for.
    pub integration: String,
    /// What tells it from the others.
    pub label: String,
    /// Beginning and end of its text, to recognise it by.
    pub hint: String,
    /// `active`, `replaced` (until its overlap ends), `expired` or `revoked`.
    pub state: String,
    /// When it was made, UTC.
    pub created_at: String,
    /// When it ends, UTC.
    pub ends_at: String,
    /// When it was used last, UTC.
    pub last_used_at: Option<String>,
    /// When it was revoked, UTC.
    pub revoked_at: Option<String>,
    /// Why it was revoked.
    pub reason: Option<String>,
    /// Id of the key that replaces it.
    pub replaced_by: Option<String>,
}

impl Command for ListKeys {
    const INFO: Info = Info {
        name: "key.list",
        summary: "List keys, never their texts",
        permission: Permission::KeysRead,
        impact: Impact::ReadOnly,
        records: None,
        example: r#"{"integration":"accounting"}"#,
        version: 1,
    };
    type Out = KeyList;

    fn run(self, control: &Control, _: &Actor) -> Result<KeyList, AdminError> {
        let mut rows = control.credentials()?;
        let wanted = self.integration.as_deref();
        rows.retain(|record| wanted.is_none_or(|name| name == record.integration));
        // Keys outlive the file of their integration; a name that has neither is a slip.
        if let Some(name) = wanted.filter(|_| rows.is_empty()) {
            control.integration(name)?;
        }
        rows.sort_by(|a, b| (&a.integration, a.created_at).cmp(&(&b.integration, b.created_at)));
        Ok(KeyList {
            keys: rows.iter().map(|record| row(control, record)).collect(),
        })
    }
}

/// A key as commands show it.
pub(super) fn row(control: &Control, record: &Credential) -> KeyRow {
    let rules = rules(control, &record.integration).ok();
    let max_age = rules.map(|rules| rules.max_age);
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    KeyRow {
        id: record.id.to_string(),
        integration: record.integration.clone(),
        label: record.label.clone(),
        hint: record.hint.clone(),
        state: record.state(max_age, control.now()).name().to_owned(),
        created_at: record.created_at.to_string(),
        ends_at: record.ends_at(max_age).to_string(),
        last_used_at: moment(control.last_used(record)),
        revoked_at: moment(record.revoked_at),
        reason: record.reason.clone(),
        replaced_by: record.replaced_by.map(|id| id.to_string()),
    }
}
