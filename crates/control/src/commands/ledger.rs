//! The ledger as an operator reads it.
//! Gives the `ledger.*` commands that need the recorder. Verification works on the files and needs no server.
//! Used by `COMMANDS`.
//! Start reading at `show`.

use audit::{Entry, Filter};
use model::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{AdminError, Control};

/// The newest records that match.
pub fn show(control: &Control, arguments: &Value, _who: &str) -> Result<Value, AdminError> {
    let wanted = |name: &str| {
        arguments
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let filter = Filter {
        kind: wanted("kind"),
        integration: wanted("integration"),
        code: wanted("code"),
        outcome: wanted("outcome"),
        since: moment(&wanted("since"))?,
        until: moment(&wanted("until"))?,
        before_seq: arguments.get("before").and_then(Value::as_u64),
        limit: arguments
            .get("limit")
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0),
    };
    let entries = control.ledger.newest(&filter)?;
    let records: Vec<Value> = entries.iter().map(shown).collect();
    Ok(json!({ "schema_version": 1, "records": records }))
}

fn shown(entry: &Entry) -> Value {
    let event = serde_json::from_str::<&RawValue>(&entry.json)
        .ok()
        .and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    json!({ "seq": entry.seq, "event": event })
}

fn moment(text: &Option<String>) -> Result<Option<Timestamp>, AdminError> {
    let Some(text) = text else { return Ok(None) };
    let read = Timestamp::parse(text);
    read.map(Some).ok_or_else(|| {
        AdminError::asked(
            format!("`{text}` is not a moment"),
            "Write 2026-11-23 or 2026-11-23T12:00:00Z.",
        )
    })
}

/// Signs a checkpoint over everything recorded up to now.
pub fn checkpoint(control: &Control, _arguments: &Value, who: &str) -> Result<Value, AdminError> {
    control.record(
        "ledger.checkpoint",
        who,
        None,
        None,
        "asked for a checkpoint".into(),
    )?;
    let signed = control.recorder()?.checkpoint()?;
    Ok(json!({ "schema_version": 1, "checkpoint": signed.text.clone() }))
}
