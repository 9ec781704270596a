//! `inspection.record`: a recording begun.

use std::time::Duration;

use gateway::recording::{Heading, KEEP_DAYS_MAX, REQUESTS_MAX, SECONDS_MAX, Wanted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::running;
use crate::actor::{Actor, Permission};
use crate::commands::{Command, Impact, Info};
use crate::{AdminError, Control};

/// Records what inspection looks at in the requests of the running server. One recording runs at a time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginRecording {
    /// How long, in seconds.
    #[schemars(range(min = 1, max = SECONDS_MAX))]
    pub seconds: u64,
    /// At most so many requests.
    #[schemars(range(min = 1, max = REQUESTS_MAX))]
    pub requests_max: u64,
    /// For so many days it may be replayed.
    #[schemars(range(min = 1, max = KEEP_DAYS_MAX))]
    pub keep_days: u64,
}

/// A recording that has begun.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecordingBegun {
    /// First line of the recording's file; its `id` fetches what follows.
    #[schemars(with = "Map<String, Value>")]
    pub heading: Heading,
}

impl Command for BeginRecording {
    const INFO: Info = Info {
        name: "inspection.record",
        summary: "Record requests of the running server, for a replay",
        permission: Permission::InspectionRecord,
        impact: Impact::Writes,
        records: Some("inspection.record"),
        example: r#"{"seconds":600,"requests_max":1000,"keep_days":7}"#,
        version: 1,
    };
    type Out = RecordingBegun;

    fn run(self, control: &Control, actor: &Actor) -> Result<RecordingBegun, AdminError> {
        let io = running(control)?;
        let wanted = Wanted {
            lasting: Duration::from_secs(self.seconds),
            requests_max: self.requests_max,
            keep_days: u32::try_from(self.keep_days).unwrap_or(1),
        };
        let other = || {
            AdminError::asked(
                "another recording runs",
                "Wait until it ends; `portcullis ledger show --kind inspection.record` says who began it.",
            )
        };
        if !io.recordings.is_free(io.clock.monotonic(io.clock.tick())) {
            return Err(other());
        }
        // On the record first: there is no recording nobody knows of.
        control.record(
            Self::INFO.name,
            actor,
            format!(
                "{} s, at most {} requests, kept for {} days",
                self.seconds, self.requests_max, self.keep_days
            ),
        )?;
        let moment = io.clock.monotonic(io.clock.tick());
        let begun = io
            .recordings
            .begin(&wanted, &actor.name, &io.keys, (control.now(), moment));
        Ok(RecordingBegun {
            heading: begun.ok_or_else(other)?,
        })
    }
}
