//! The running server: how it is, and a new configuration.
//! Gives the `server.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `status`.

use serde_json::{Value, json};

use crate::{AdminError, Control};

/// How the server is.
pub fn status(control: &Control, _arguments: &Value, _who: &str) -> Result<Value, AdminError> {
    let compiled = (control.compiled)();
    let ledger = control.recorder()?.status();
    let (exposed, declared) = compiled.operation_counts();
    Ok(json!({
        "schema_version": 1,
        "is_running": control.io.is_some(),
        "process": std::process::id(),
        "configuration": crypto::text::hex(&compiled.hash),
        "operations": { "exposed": exposed, "declared": declared },
        "integrations": compiled.integrations.len(),
        "tasks": control.tasks.status(),
        "ledger": { "records": ledger.records, "waiting": ledger.waiting, "fault": ledger.fault.map(|f| f.to_string()) },
    }))
}

/// Loads the configuration again. A bad one changes nothing, which is an answer as well: `refused`, with everything that
/// is wrong.
pub fn reload(control: &Control, _arguments: &Value, who: &str) -> Result<Value, AdminError> {
    if control.io.is_none() {
        return Err(AdminError::asked(
            "no server is running on this configuration",
            "Start it with `portcullis serve`.",
        ));
    }
    Ok(match control.reload(Some(who)) {
        Ok(loaded) => json!({
            "schema_version": 1,
            "outcome": if loaded.is_changed { "swapped" } else { "unchanged" },
            "configuration": loaded.hash,
            "removed": loaded.removed,
        }),
        Err(refused) => json!({
            "schema_version": 1,
            "outcome": "refused",
            "configuration": crypto::text::hex(&(control.compiled)().hash).chars().take(12).collect::<String>(),
            "mistakes": refused.message,
        }),
    })
}
