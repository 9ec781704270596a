//! The running server: how it is, and a new configuration.
//! Gives the `server.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `status`.

use serde_json::{Value, json};

use crate::{Desk, DeskFault};

/// How the server is.
pub fn status(desk: &Desk, _arguments: &Value, _who: &str) -> Result<Value, DeskFault> {
    let compiled = (desk.compiled)();
    let ledger = desk.recorder()?.status();
    let (exposed, declared) = compiled.operation_counts();
    Ok(json!({
        "schema_version": 1,
        "is_running": desk.io.is_some(),
        "process": std::process::id(),
        "configuration": crypto::text::hex(&compiled.hash),
        "operations": { "exposed": exposed, "declared": declared },
        "integrations": compiled.integrations.len(),
        "tasks": desk.tasks.status(),
        "ledger": { "records": ledger.records, "waiting": ledger.waiting, "fault": ledger.fault.map(|f| f.to_string()) },
    }))
}

/// Loads the configuration again. A bad one changes nothing, which is an answer as well: `refused`, with everything that
/// is wrong.
pub fn reload(desk: &Desk, _arguments: &Value, who: &str) -> Result<Value, DeskFault> {
    if desk.io.is_none() {
        return Err(DeskFault::asked(
            "no server is running on this configuration",
            "Start it with `portcullis serve`.",
        ));
    }
    Ok(match desk.reload(Some(who)) {
        Ok(loaded) => json!({
            "schema_version": 1,
            "outcome": if loaded.is_changed { "swapped" } else { "unchanged" },
            "configuration": loaded.hash,
            "removed": loaded.removed,
        }),
        Err(refused) => json!({
            "schema_version": 1,
            "outcome": "refused",
            "configuration": crypto::text::hex(&(desk.compiled)().hash).chars().take(12).collect::<String>(),
            "mistakes": refused.message,
        }),
    })
}
