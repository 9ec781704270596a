//! Decisions explained.
//! Gives `decision.explain`.
//! Used by `COMMANDS`.
//! Start reading at `explain`.

use audit::Filter;
use model::DecisionId;
use serde_json::{Value, json};

use crate::commands::blocks::touching;
use crate::explain::{Explanation, Similar};
use crate::owner::text;
use crate::{AdminError, Control};

/// Similar decisions are counted over this many microseconds before the decision.
const SIMILAR_WINDOW: i64 = 24 * 3600 * 1_000_000;

/// Why a decision was made as it was.
pub fn explain(control: &Control, arguments: &Value, _who: &str) -> Result<Value, AdminError> {
    let given = text(arguments, "id")?;
    let id = DecisionId::parse(given).ok_or_else(|| {
        AdminError::asked(
            format!("`{given}` is not a decision id"),
            "A decision id looks like dec_01KA7ZQ4… and stands in every answer: `decision_id` and the header Portcullis-Decision.",
        )
    })?;
    // The recorder knows the newest decisions without searching the files.
    let found = match &control.recorder {
        Some(recorder) => recorder.find(id)?,
        None => control.ledger.find(id)?,
    };
    let entry = found.ok_or_else(|| {
        AdminError::asked(
            format!("the ledger holds no decision {id}"),
            "Check the id, and that this is the installation that answered.",
        )
    })?;
    let event = entry.event()?;
    if is_change(&event) {
        return Err(AdminError::asked(
            format!(
                "{id} is a change by an operator, not a decision: record #{}",
                entry.seq
            ),
            format!("`portcullis ledger show --kind {}` has it.", event.kind),
        ));
    }
    let similar = similar(control, &event, entry.seq)?;
    let mut explanation = Explanation::of(
        &event,
        entry.seq,
        &(control.compiled)(),
        similar,
        control.now(),
    );
    if let Some(io) = &control.io {
        explanation.blocks = touching(io, &event);
    }
    Ok(
        json!({ "schema_version": 1, "text": explanation.to_string(), "decision": explanation.to_json() }),
    )
}

/// Whether a record is one of a change, which has an id for its intent and its outcome.
fn is_change(event: &model::Event) -> bool {
    let is_call = event.kind == "request" || event.kind == "connection" || event.method.is_some();
    !is_call
}

fn similar(
    control: &Control,
    event: &model::Event,
    seq: u64,
) -> Result<Option<Similar>, AdminError> {
    let Some(code) = &event.code else {
        return Ok(None);
    };
    let filter = Filter {
        code: Some(code.to_string()),
        integration: event.integration.as_ref().map(ToString::to_string),
        since: Some(model::Timestamp::from_micros(
            event.at.micros().saturating_sub(SIMILAR_WINDOW),
        )),
        before_seq: Some(seq),
        limit: 1000,
        ..Filter::default()
    };
    let found = control.ledger.newest(&filter)?;
    let first = found
        .last()
        .and_then(|entry| entry.event().ok())
        .map(|event| event.at);
    Ok(first.map(|first| Similar {
        count: found.len(),
        first,
    }))
}
