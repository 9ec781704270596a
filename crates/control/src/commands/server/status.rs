//! `server.status`: how the server is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::not_running;
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::supervisor::TaskStatus;
use crate::{AdminError, Control};

/// Says how the server is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowStatus {}

/// How the server is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServerStatus {
    /// Always true: without a server there is no answer.
    pub is_running: bool,
    /// Its process.
    pub process: u32,
    /// Hash of the configuration in force.
    pub configuration: String,
    /// Operations of its apis.
    pub operations: OperationCounts,
    /// Integrations of the configuration in force.
    pub integrations: usize,
    /// Threads beside the requests.
    pub tasks: Vec<TaskStatus>,
    /// The ledger.
    pub ledger: LedgerStatus,
}

/// Operations of the apis.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OperationCounts {
    /// Those that can be called.
    pub exposed: usize,
    /// Those the contracts declare.
    pub declared: usize,
}

/// How the ledger is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LedgerStatus {
    /// Records that are durable.
    pub records: u64,
    /// Records that wait to be.
    pub waiting: usize,
    /// Why it cannot write, where it cannot.
    pub fault: Option<String>,
}

impl Command for ShowStatus {
    const INFO: Info = Info {
        name: "server.status",
        summary: "Say how the running server is",
        permission: Permission::ServerRead,
        impact: Impact::ReadOnly,
        records: None,
        example: "{}",
        version: 1,
    };
    type Out = ServerStatus;

    fn run(self, control: &Control, _: &Actor) -> Result<ServerStatus, AdminError> {
        if control.io.is_none() {
            return Err(not_running());
        }
        let compiled = (control.compiled)();
        let ledger = control.recorder()?.status();
        let (exposed, declared) = compiled.operation_counts();
        Ok(ServerStatus {
            is_running: true,
            process: std::process::id(),
            configuration: crypto::text::hex(&compiled.hash),
            operations: OperationCounts { exposed, declared },
            integrations: compiled.integrations.len(),
            tasks: control.tasks.status(),
            ledger: LedgerStatus {
                records: ledger.records,
                waiting: ledger.waiting,
                fault: ledger.fault.map(|fault| fault.to_string()),
            },
        })
    }
}
