//! `ledger.export`: that somebody takes records out of the ledger, on the record before they do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Records that records are going to be exported. The export itself reads the files.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteExport {
    /// Number of the first record.
    #[serde(default)]
    pub from: u64,
    /// Number of the last record. Default: the newest.
    pub to: Option<u64>,
    /// Whether what the records say of persons is written as well, opened.
    #[serde(default)]
    pub opened: bool,
}

/// An export that is on the record.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExportNoted {
    /// Records there are at this moment.
    pub records: u64,
}

impl Command for NoteExport {
    const INFO: Info = Info {
        name: "ledger.export",
        summary: "Record that records are exported, before they are",
        permission: Permission::LedgerRead,
        impact: Impact::ReadOnly,
        records: Some("ledger.export"),
        example: r#"{"from":0,"to":999}"#,
        version: 1,
    };
    type Out = ExportNoted;

    fn reads(&self) -> Option<String> {
        let to = self
            .to
            .map_or_else(|| "the newest".to_owned(), |to| to.to_string());
        let opened = if self.opened {
            ", with what they say of persons"
        } else {
            ""
        };
        Some(format!("records {} to {to}{opened}", self.from))
    }

    fn run(self, control: &Control, _: &Actor) -> Result<ExportNoted, AdminError> {
        let records = control.recorder()?.status().records;
        Ok(ExportNoted { records })
    }
}
