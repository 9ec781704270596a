//! `inspection.fetch`: what was recorded since the last call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::running;
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Takes what was recorded since the last call out of the running server, sealed. `inspect record` does this until it is over.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchRecording {
    /// The recording, as its heading names it.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
}

/// What was recorded since the last call.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecordedLines {
    /// Sealed lines, in order.
    pub lines: Vec<String>,
    /// Whether the recording has ended; then these are its last lines.
    pub is_over: bool,
    /// Requests recorded so far.
    pub requests: u64,
    /// Requests left out so far for their size.
    pub left_out: u64,
}

impl Command for FetchRecording {
    const INFO: Info = Info {
        name: "inspection.fetch",
        summary: "Take what was recorded since the last call, sealed",
        permission: Permission::InspectionRecord,
        impact: Impact::Writes,
        records: Some("inspection.recorded"),
        example: r#"{"id":"rec_5f0c7e21b9a4d683"}"#,
        version: 1,
    };
    type Out = RecordedLines;

    fn run(self, control: &Control, actor: &Actor) -> Result<RecordedLines, AdminError> {
        let io = running(control)?;
        let moment = io.clock.monotonic(io.clock.tick());
        let fetched = io.recordings.fetch(&self.id, moment).ok_or_else(|| {
            AdminError::of_field(
                "id",
                format!("no recording `{}` runs", self.id.escape_debug()),
                "It has ended. Begin another one with `portcullis inspect record`.",
            )
        })?;
        if fetched.is_over {
            let detail = format!(
                "{}: {} requests, {} left out for their size",
                self.id, fetched.requests, fetched.left_out
            );
            control.record("inspection.recorded", actor, detail)?;
        }
        Ok(RecordedLines {
            lines: fetched.lines,
            is_over: fetched.is_over,
            requests: fetched.requests,
            left_out: fetched.left_out,
        })
    }
}
