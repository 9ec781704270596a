//! Recordings for a replay, as an operator begins and fetches them. Both edges of a recording are on the ledger.
//! Exports the `inspection.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `record::BeginRecording`.

mod fetch;
mod record;

use gateway::SharedState;

use crate::{AdminError, Control};

pub use fetch::{FetchRecording, RecordedLines};
pub use record::{BeginRecording, RecordingBegun};

fn running(control: &Control) -> Result<&SharedState, AdminError> {
    control.io.as_deref().ok_or_else(|| {
        AdminError::asked(
            "no server is running",
            "Requests are recorded in the running server: start it with `portcullis serve`.",
        )
    })
}
