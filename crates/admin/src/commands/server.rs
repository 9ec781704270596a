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
        "ledger": { "records": ledger.records, "waiting": ledger.waiting, "fault": ledger.fault.map(|f| f.to_string()) },
    }))
}

/// Loads the configuration again. A bad one changes nothing.
pub fn reload(desk: &Desk, _arguments: &Value, _who: &str) -> Result<Value, DeskFault> {
    match (desk.reload)() {
        Ok(hash) => Ok(json!({ "schema_version": 1, "configuration": hash })),
        Err(mistakes) => Err(DeskFault::asked(
            mistakes,
            "The last good configuration goes on serving.",
        )),
    }
}
