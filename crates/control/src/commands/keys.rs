//! API keys: made, listed, rotated with overlap, revoked. A key's text is shown once and never stored.
//! Gives the `key.*` commands.
//! Used by `COMMANDS`.
//! Start reading at `create`.

use identity::credential::{self, Chance, Issued, Order};
use identity::{ApiKeySettings, Credential};
use model::time::Span;
use model::{KeyId, Timestamp};
use serde_json::{Value, json};
use store::{Step, kinds};

use crate::journal::Change;
use crate::order::Effect;
use crate::owner::{CREDENTIALS_MAX, text};
use crate::{AdminError, Control, ids};

/// Longest label.
const LABEL_BYTES_MAX: usize = 100;

/// Makes a key for an integration.
pub fn create(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let integration = text(arguments, "integration")?;
    let rules = rules(control, integration)?;
    let label = label(arguments)?;
    let mut turn = control.turn();
    if control.credentials()?.len() >= CREDENTIALS_MAX {
        return Err(AdminError::asked(
            "there are too many keys",
            "Remove integrations that are no longer used.",
        ));
    }
    let order = Order {
        integration,
        label,
        is_live: !arguments
            .get("test")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        lasts: lasts(arguments)?,
    };
    let issued = credential::create(
        &order,
        &rules,
        &chance(control.now()),
        &control.keys.api_key_digest,
        control.now(),
    );
    let change = Change {
        kind: "key.create",
        who,
        integration: Some(integration.to_owned()),
        credential: Some(issued.record.id),
        detail: format!("label {label}, ends {}", issued.record.expires_at),
    };
    turn.commit(
        &change,
        vec![put(&issued.record)?],
        Effect::Credentials(vec![issued.record.clone()]),
    )?;
    Ok(shown_once(&issued))
}

/// What tells a key from the others.
fn label(arguments: &Value) -> Result<&str, AdminError> {
    let label = arguments.get("label").and_then(Value::as_str);
    let label = label.unwrap_or("default");
    if label.len() > LABEL_BYTES_MAX || label.chars().any(char::is_control) {
        return Err(AdminError::asked(
            "the label is too long or has control characters",
            "Use at most 100 plain characters.",
        ));
    }
    Ok(label)
}

/// Makes a key's replacement; the old one goes on for the overlap.
pub fn rotate(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let mut turn = control.turn();
    let old = control.credential(text(arguments, "id")?)?;
    let mut rules = rules(control, &old.integration)?;
    if let Some(overlap) = arguments.get("overlap").and_then(Value::as_str) {
        rules.overlap = Some(span(overlap)?);
    }
    let now = control.now();
    let (issued, replaced) = credential::rotate(
        &old,
        &rules,
        &chance(now),
        &control.keys.api_key_digest,
        now,
    )
    .map_err(|why| {
        AdminError::asked(
            why.to_string(),
            "`portcullis key list` shows the state of every key.",
        )
    })?;
    let until = replaced.overlap_until.unwrap_or(now);
    let change = Change {
        kind: "key.rotate",
        who,
        integration: Some(old.integration.clone()),
        credential: Some(old.id),
        detail: format!("replaced by {}, works until {until}", issued.record.id),
    };
    turn.commit(
        &change,
        vec![put(&issued.record)?, put(&replaced)?],
        Effect::Credentials(vec![issued.record.clone(), replaced]),
    )?;
    let mut out = shown_once(&issued);
    if let Some(members) = out.as_object_mut() {
        members.insert("replaces".into(), json!(old.id.to_string()));
        members.insert("old_key_works_until".into(), json!(until.to_string()));
    }
    Ok(out)
}

/// Takes a key back, effective at once.
pub fn revoke(control: &Control, arguments: &Value, who: &str) -> Result<Value, AdminError> {
    let mut turn = control.turn();
    let old = control.credential(text(arguments, "id")?)?;
    let reason = arguments
        .get("reason")
        .and_then(Value::as_str)
        .unwrap_or("revoked by an operator");
    let revoked = credential::revoke(&old, reason, control.now());
    let change = Change {
        kind: "key.revoke",
        who,
        integration: Some(old.integration),
        credential: Some(old.id),
        detail: reason.to_owned(),
    };
    turn.commit(
        &change,
        vec![put(&revoked)?],
        Effect::Credentials(vec![revoked.clone()]),
    )?;
    Ok(json!({ "schema_version": 1, "key": row(control, &revoked) }))
}

/// Lists keys; never their texts.
pub fn list(control: &Control, arguments: &Value, _who: &str) -> Result<Value, AdminError> {
    let wanted = arguments.get("integration").and_then(Value::as_str);
    let mut rows = control.credentials()?;
    rows.retain(|record| wanted.is_none_or(|name| name == record.integration));
    rows.sort_by(|a, b| (&a.integration, a.created_at).cmp(&(&b.integration, b.created_at)));
    let rows: Vec<Value> = rows.iter().map(|record| row(control, record)).collect();
    Ok(json!({ "schema_version": 1, "keys": rows }))
}

fn row(control: &Control, record: &Credential) -> Value {
    let max_age = rules(control, &record.integration)
        .ok()
        .map(|rules| rules.max_age);
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": record.id.to_string(),
        "integration": record.integration,
        "label": record.label,
        "hint": record.hint,
        "state": record.state(max_age, control.now()).name(),
        "created_at": record.created_at.to_string(),
        "ends_at": record.ends_at(max_age).to_string(),
        "last_used_at": moment(control.last_used(record)),
        "revoked_at": moment(record.revoked_at),
        "reason": record.reason,
        "replaced_by": record.replaced_by.map(|id| id.to_string()),
    })
}

fn put(record: &Credential) -> Result<Step, AdminError> {
    Ok(Step::put(&kinds::CREDENTIAL, record.id, record)?)
}

fn shown_once(issued: &Issued) -> Value {
    json!({
        "schema_version": 1,
        "id": issued.record.id.to_string(),
        "integration": issued.record.integration,
        "label": issued.record.label,
        "ends_at": issued.record.expires_at.to_string(),
        "key": issued.key.expose(),
    })
}

/// The rules for keys of a configured integration.
fn rules(control: &Control, integration: &str) -> Result<ApiKeySettings, AdminError> {
    let settings = control.integration(integration)?;
    settings.facts.credentials.api_key.clone().ok_or_else(|| {
        AdminError::asked(
            format!("`{integration}` has no API keys"),
            format!(
                "Write `credentials: {{ api_key: {{}} }}` into integrations/{integration}.yaml."
            ),
        )
    })
}

fn lasts(arguments: &Value) -> Result<Option<Span>, AdminError> {
    arguments
        .get("expires_in")
        .and_then(Value::as_str)
        .map(span)
        .transpose()
}

fn span(text: &str) -> Result<Span, AdminError> {
    text.parse().map_err(|_| {
        AdminError::asked(
            format!("`{text}` is not a length of time"),
            "Write 15m, 24h or 90d.",
        )
    })
}

fn chance(now: Timestamp) -> Chance {
    Chance {
        id: KeyId::from_bits(ids::fresh(now)),
        random: crypto::random_secret::<32>(),
    }
}
