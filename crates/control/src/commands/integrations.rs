//! Integrations as an operator sees, pauses and resumes them.
//! Exports the `integration.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `pause`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Filter, Step, Store, kinds};

use crate::journal::Change;
use crate::order::Effect;
use crate::owner::text;
use crate::{AdminError, Control};

/// What an operator decided about an integration beside its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationState {
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
    /// Who paused or resumed it. Versions before did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    pub reason: String,
}

/// Names of the paused integrations.
///
/// # Errors
/// When the store cannot be read.
pub fn paused(store: &Store) -> Result<BTreeSet<String>, store::Fault> {
    Ok(pauses(store)?.into_keys().collect())
}

/// The pauses in force, by the name of their integration.
fn pauses(store: &Store) -> Result<BTreeMap<String, IntegrationState>, store::Fault> {
    let rows =
        store.list_all::<IntegrationState>(&kinds::INTEGRATION_STATE, Filter::All, 10_000)?;
    let paused = rows.into_iter().filter(|row| row.value.paused_at.is_some());
    Ok(paused.map(|row| (row.id, row.value)).collect())
}

/// Lists the integrations with owner, review date, credentials, and who paused them when and why.
pub fn list(control: &Control, _arguments: &Value, _who: &str) -> Result<Value, AdminError> {
    let compiled = (control.compiled)();
    let credentials = control.credentials()?;
    let pauses = pauses(&control.store)?;
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
        let pause = pauses.get(&*settings.name);
        json!({
            "name": &*settings.name,
            "owner": &*settings.owner,
            "purpose": &*settings.purpose,
            "review_by": settings.review_by.to_string(),
            "is_review_due": settings.review_by <= control.now(),
            "roles": settings.roles.iter().map(|role| role.to_string()).collect::<Vec<_>>(),
            "is_paused": pause.is_some(),
            "paused": pause.map(|state| json!({
                "at": state.paused_at.map(|at| at.to_string()), "by": state.by, "reason": state.reason,
            })),
            "keys_usable": own().filter(|c| c.state(max_age, control.now()).is_usable()).count(),
            "last_used_at": own().filter_map(|c| control.last_used(c)).max().map(|at| at.to_string()),
        })
    };
    let rows: Vec<Value> = compiled.integrations.values().map(row).collect();
    Ok(json!({ "schema_version": 1, "integrations": rows }))
}

/// Refuses every call of an integration until it is resumed.
pub fn pause(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let reason = arguments
        .get("reason")
        .and_then(Value::as_str)
        .unwrap_or("paused by an operator");
    set(
        control,
        text(arguments, "integration")?,
        Some(control.now()),
        reason,
        "integration.pause",
        who,
    )
}

/// Lets a paused integration call again.
pub fn resume(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    set(
        control,
        text(arguments, "integration")?,
        None,
        "resumed",
        "integration.resume",
        who,
    )
}

fn set(
    control: &Control,
    name: &str,
    paused_at: Option<Timestamp>,
    reason: &str,
    kind: &'static str,
    who: &str,
) -> Result<Value, AdminError> {
    control.integration(name)?;
    let state = IntegrationState {
        paused_at,
        by: Some(who.to_owned()),
        reason: reason.to_owned(),
    };
    let change = Change {
        kind,
        who,
        integration: Some(name.to_owned()),
        credential: None,
        detail: reason.to_owned(),
    };
    let steps = vec![Step::put(&kinds::INTEGRATION_STATE, name, &state)?];
    let effect = Effect::Paused(name.to_owned(), paused_at.is_some());
    control.turn().commit(&change, steps, effect)?;
    Ok(json!({ "schema_version": 1, "integration": name, "is_paused": paused_at.is_some() }))
}
