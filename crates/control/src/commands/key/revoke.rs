//! `key.revoke`: a key taken back, effective at once.

use identity::credential;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::list::{KeyRow, row};
use super::put;
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::journal::Change;
use crate::order::Effect;
use crate::{AdminError, Control};

/// Takes a key back, effective at once and for good.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// Id of the key, as `key.list` shows it.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
    /// Why, for the ledger.
    #[schemars(length(min = 1, max = 512))]
    pub reason: Option<String>,
}

/// A key that is revoked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyRevoked {
    /// The key as it is now; one that was revoked before has the reason of that time.
    pub key: KeyRow,
    /// Whether it was revoked before, so that nothing had to be done.
    #[serde(skip)]
    pub(crate) was_revoked: bool,
}

impl Command for RevokeKey {
    const INFO: Info = Info {
        name: "key.revoke",
        summary: "Take a key back, effective at once and for good",
        permission: Permission::KeysWrite,
        impact: Impact::Destructive,
        records: Some("key.revoke"),
        example: r#"{"id":"key_01KA7ZQ4X8M2V5T9B3N6C1R0WY","reason":"laptop stolen"}"#,
        version: 1,
    };
    type Out = KeyRevoked;

    fn has_changed(out: &KeyRevoked) -> bool {
        !out.was_revoked
    }

    fn run(self, control: &Control, actor: &Actor) -> Result<KeyRevoked, AdminError> {
        let mut turn = control.turn();
        let old = control.credential(&self.id)?;
        let reason = self.reason.as_deref().unwrap_or("revoked by an operator");
        let revoked = credential::revoke(&old, reason, control.now());
        let effect = Effect::Credentials(vec![revoked.clone()]);
        let was_revoked = old.revoked_at.is_some() && turn.holds(&effect);
        let key = row(control, &revoked);
        if was_revoked {
            return Ok(KeyRevoked { key, was_revoked });
        }
        let change = Change {
            integration: Some(old.integration),
            credential: Some(old.id),
            ..Change::new(Self::INFO.name, actor, reason)
        };
        turn.commit(&change, vec![put(&revoked)?], effect)?;
        Ok(KeyRevoked { key, was_revoked })
    }
}
