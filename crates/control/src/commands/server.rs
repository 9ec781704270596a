//! The running server: how it is, and a new configuration.
//! Exports the `server.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `status::ShowStatus`.

mod reload;
mod status;

use crate::AdminError;

pub use reload::{ReloadOutcome, ReloadServer, ServerReloaded};
pub use status::{LedgerStatus, OperationCounts, ServerStatus, ShowStatus};

/// What is asked of a server while none runs.
fn not_running() -> AdminError {
    AdminError::asked(
        "no server is running on this configuration",
        "Start it with `portcullis serve`.",
    )
}
