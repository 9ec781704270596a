//! Integrations as an operator sees, pauses and resumes them.
//! Gives the `integration.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `pause`.

use std::collections::BTreeSet;
use std::sync::Arc;

use gateway::Snapshot;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Filter, Step, Store, kinds};

use crate::desk::text;
use crate::{Desk, DeskFault};

/// What an operator decided about an integration beside its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationState {
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
    /// Who paused it, and why.
    pub reason: String,
}

/// Names of the paused integrations.
///
/// # Errors
/// When the store cannot be read.
pub fn paused(store: &Store) -> Result<BTreeSet<String>, store::Fault> {
    let rows =
        store.list_all::<IntegrationState>(&kinds::INTEGRATION_STATE, Filter::All, 10_000)?;
    Ok(rows
        .into_iter()
        .filter(|row| row.value.paused_at.is_some())
        .map(|row| row.id)
        .collect())
}

/// Lists the integrations with owner, review date and credentials.
pub fn list(desk: &Desk, _arguments: &Value, _who: &str) -> Result<Value, DeskFault> {
    let compiled = (desk.compiled)();
    let credentials = desk.credentials()?;
    let paused = paused(&desk.store)?;
    let row = |settings: &Arc<config::compiled::IntegrationSettings>| {
        let max_age = settings
            .facts
            .credentials
            .api_key
            .as_ref()
            .map(|rules| rules.max_age);
        let own = || {
            credentials
                .iter()
                .filter(|c| *c.integration == *settings.name)
        };
        json!({
            "name": &*settings.name,
            "owner": &*settings.owner,
            "purpose": &*settings.purpose,
            "review_by": settings.review_by.to_string(),
            "is_review_due": settings.review_by <= desk.now(),
            "roles": settings.roles.iter().map(|role| role.to_string()).collect::<Vec<_>>(),
            "is_paused": paused.contains(&*settings.name),
            "keys_usable": own().filter(|c| c.state(max_age, desk.now()).is_usable()).count(),
            "last_used_at": own().filter_map(|c| desk.last_used(c)).max().map(|at| at.to_string()),
        })
    };
    let rows: Vec<Value> = compiled.integrations.values().map(row).collect();
    Ok(json!({ "schema_version": 1, "integrations": rows }))
}

/// Refuses every call of an integration until it is resumed.
pub fn pause(desk: &Desk, arguments: &Value, who: &str) -> Result<Value, DeskFault> {
    let reason = arguments
        .get("reason")
        .and_then(Value::as_str)
        .unwrap_or("paused by an operator");
    set(
        desk,
        text(arguments, "integration")?,
        Some(desk.now()),
        reason,
        "integration.pause",
        who,
    )
}

/// Lets a paused integration call again.
pub fn resume(desk: &Desk, arguments: &Value, who: &str) -> Result<Value, DeskFault> {
    set(
        desk,
        text(arguments, "integration")?,
        None,
        "resumed",
        "integration.resume",
        who,
    )
}

fn set(
    desk: &Desk,
    name: &str,
    paused_at: Option<Timestamp>,
    reason: &str,
    kind: &'static str,
    who: &str,
) -> Result<Value, DeskFault> {
    let compiled = (desk.compiled)();
    if !compiled.integrations.contains_key(name) {
        let known: Vec<&str> = compiled.integrations.keys().map(|name| &**name).collect();
        let help = config::nearest(name, &known)
            .unwrap_or_else(|| "`portcullis integration list` shows them.".into());
        return Err(DeskFault::asked(
            format!("there is no integration `{name}`"),
            help,
        ));
    }
    let state = IntegrationState {
        paused_at,
        reason: reason.to_owned(),
    };
    desk.store
        .transact(vec![Step::put(&kinds::INTEGRATION_STATE, name, &state)?])?;
    publish(desk, name, paused_at.is_some());
    desk.record(kind, who, Some(name), None, reason.to_owned())?;
    Ok(json!({ "schema_version": 1, "integration": name, "is_paused": paused_at.is_some() }))
}

/// Makes the change hold from the running gateway's next request on.
fn publish(desk: &Desk, name: &str, is_paused: bool) {
    let Some(io) = &desk.io else { return };
    io.snapshot
        .rcu(|snapshot| Snapshot::with_paused(snapshot, name, is_paused));
}
