//! `ledger.checkpoint`: everything recorded up to now signed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Signs a checkpoint over everything recorded up to now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignCheckpoint {}

/// A signed checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CheckpointSigned {
    /// Its text, in lines: kept elsewhere, it proves later that nothing before it was changed or taken away.
    pub checkpoint: String,
}

impl Command for SignCheckpoint {
    const INFO: Info = Info {
        name: "ledger.checkpoint",
        summary: "Sign a checkpoint over everything recorded up to now, and print it",
        permission: Permission::LedgerSign,
        impact: Impact::Writes,
        records: Some("ledger.checkpoint"),
        example: "{}",
        version: 1,
    };
    type Out = CheckpointSigned;

    fn run(self, control: &Control, actor: &Actor) -> Result<CheckpointSigned, AdminError> {
        let detail = "asked for a checkpoint".to_owned();
        control.record(Self::INFO.name, actor, detail)?;
        let signed = control.recorder()?.checkpoint()?;
        Ok(CheckpointSigned {
            checkpoint: signed.text.clone(),
        })
    }
}
