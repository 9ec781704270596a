//! Recordings for a replay, as an operator begins and fetches them.
//! Gives `inspection.record`, `inspection.fetch`. Both edges of a recording are on the ledger.
//! Used by `COMMANDS`.
//! Start reading at `record`.

use std::time::Duration;

use gateway::Io;
use gateway::recording::{KEEP_DAYS_MAX, REQUESTS_MAX, SECONDS_MAX, Wanted};
use serde_json::{Value, json};

use crate::owner::text;
use crate::{AdminError, Control};

/// Begins a recording.
pub fn record(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let io = running(control)?;
    let seconds = number(arguments, "seconds", SECONDS_MAX)?;
    let requests_max = number(arguments, "requests_max", REQUESTS_MAX)?;
    let keep_days = number(arguments, "keep_days", KEEP_DAYS_MAX)?;
    let wanted = Wanted {
        lasting: Duration::from_secs(seconds),
        requests_max,
        keep_days: u32::try_from(keep_days).unwrap_or(1),
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
        "inspection.record",
        who,
        None,
        None,
        format!("{seconds} s, at most {requests_max} requests, kept for {keep_days} days"),
    )?;
    let moment = io.clock.monotonic(io.clock.tick());
    let begun = io
        .recordings
        .begin(&wanted, who, &io.keys, (control.now(), moment));
    let heading = begun.ok_or_else(other)?;
    Ok(json!({ "schema_version": 1, "heading": heading }))
}

/// Gives what was recorded since the last call, sealed.
pub fn fetch(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let io = running(control)?;
    let id = text(arguments, "id")?;
    let moment = io.clock.monotonic(io.clock.tick());
    let fetched = io.recordings.fetch(id, moment).ok_or_else(|| {
        AdminError::asked(
            format!("no recording `{}` runs", id.escape_debug()),
            "It has ended. Begin another one with `portcullis inspect record`.",
        )
    })?;
    if fetched.is_over {
        let detail = format!(
            "{id}: {} requests, {} left out for their size",
            fetched.requests, fetched.left_out
        );
        control.record("inspection.recorded", who, None, None, detail)?;
    }
    Ok(json!({
        "schema_version": 1, "lines": fetched.lines, "is_over": fetched.is_over,
        "requests": fetched.requests, "left_out": fetched.left_out,
    }))
}

fn running(control: &Control) -> Result<&Io, AdminError> {
    control.io.as_deref().ok_or_else(|| {
        AdminError::asked(
            "no server is running",
            "Requests are recorded in the running server: start it with `portcullis serve`.",
        )
    })
}

fn number(arguments: &Value, name: &str, most: u64) -> Result<u64, AdminError> {
    let given = arguments.get(name).and_then(Value::as_u64);
    given.filter(|n| (1..=most).contains(n)).ok_or_else(|| {
        AdminError::asked(
            format!("`{name}` is not from 1 to {most}"),
            "See --help of the command.",
        )
    })
}
