//! `server.reload`: the configuration loaded again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::not_running;
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Loads the configuration again. It is swapped whole, or refused whole: then the last good one keeps serving.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReloadServer {}

/// How a load ended. A bad configuration changes nothing, and is an answer as well.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServerReloaded {
    /// How it ended.
    pub outcome: ReloadOutcome,
    /// Hash of the configuration in force now, short.
    pub configuration: String,
    /// What it no longer has, by name, bounded. Absent where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Vec<String>>,
    /// Everything that is wrong with the refused one, in lines. Absent where it was not refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<String>,
}

/// How a load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReloadOutcome {
    /// Another configuration is in force.
    Swapped,
    /// The files are those in force.
    Unchanged,
    /// It has mistakes; the one before keeps serving.
    Refused,
}

impl ReloadOutcome {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            ReloadOutcome::Swapped => "swapped",
            ReloadOutcome::Unchanged => "unchanged",
            ReloadOutcome::Refused => "refused",
        }
    }
}

impl Command for ReloadServer {
    const INFO: Info = Info {
        name: "server.reload",
        summary: "Tell the running server to load its configuration again",
        permission: Permission::ServerReload,
        impact: Impact::Writes,
        records: Some("configuration.applied"),
        example: "{}",
        version: 1,
    };
    type Out = ServerReloaded;

    fn has_changed(out: &ServerReloaded) -> bool {
        out.outcome == ReloadOutcome::Swapped
    }

    fn run(self, control: &Control, actor: &Actor) -> Result<ServerReloaded, AdminError> {
        if control.io.is_none() {
            return Err(not_running());
        }
        Ok(match control.reload(Some(actor)) {
            Ok(loaded) => ServerReloaded {
                outcome: if loaded.is_changed {
                    ReloadOutcome::Swapped
                } else {
                    ReloadOutcome::Unchanged
                },
                configuration: loaded.hash,
                removed: Some(loaded.removed),
                mistakes: None,
            },
            Err(refused) => {
                let hash = crypto::text::hex(&(control.compiled)().hash);
                ServerReloaded {
                    outcome: ReloadOutcome::Refused,
                    configuration: hash.chars().take(12).collect(),
                    removed: None,
                    mistakes: Some(refused.message),
                }
            }
        })
    }
}
