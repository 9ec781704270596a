//! `decision.explain`: why one request was decided as it was.
//! Exports `ExplainDecision`, `DecisionExplained`.
//! Used by `COMMANDS`; the explanation itself is made in `crate::explain`.
//! Start reading at `ExplainDecision::run`.

use audit::Filter;
use model::DecisionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Decision;
use crate::actor::{Actor, Permission};
use crate::commands::block::touching;
use crate::commands::{Command, Impact, Info};
use crate::explain::{Explanation, Similar};
use crate::{AdminError, Control};

/// Similar decisions are counted over this many microseconds before the decision.
const SIMILAR_WINDOW: i64 = 24 * 3600 * 1_000_000;

/// Says why a request was allowed or refused. For the operator alone: it names rules and other integrations.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainDecision {
    /// The decision: `decision_id` of a refusal, or the header Portcullis-Decision of any answer.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
}

/// A decision explained.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DecisionExplained {
    /// For people, in lines.
    pub text: String,
    /// For tools.
    pub decision: Decision,
}

impl Command for ExplainDecision {
    const INFO: Info = Info {
        name: "decision.explain",
        summary: "Say why a request was allowed or refused, by the id in its answer",
        permission: Permission::DecisionsRead,
        impact: Impact::ReadOnly,
        records: Some("decision.explain"),
        example: r#"{"id":"dec_01KA7ZQ4X8M2V5T9B3N6C1R0WY"}"#,
        version: 1,
    };
    type Out = DecisionExplained;

    fn reads(&self) -> Option<String> {
        Some(format!("decision {}", self.id))
    }

    fn run(self, control: &Control, _: &Actor) -> Result<DecisionExplained, AdminError> {
        let given = &self.id;
        let id = DecisionId::parse(given).ok_or_else(|| {
            AdminError::of_argument(
                "id",
                format!("`{given}` is not a decision id"),
                "A decision id looks like dec_01KA7ZQ4… and stands in every answer: `decision_id` and the header Portcullis-Decision.",
            )
        })?;
        let entry = found(control, id)?;
        let event = entry.event()?;
        if !event.is_call() {
            return Err(AdminError::of_field(
                "id",
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
        Ok(DecisionExplained {
            text: explanation.to_string(),
            decision: Decision::new(&explanation),
        })
    }
}

/// The entry of a decision.
fn found(control: &Control, id: DecisionId) -> Result<audit::Entry, AdminError> {
    // The recorder knows the newest decisions without searching the files.
    let found = match &control.recorder {
        Some(recorder) => recorder.find(id)?,
        None => control.ledger.find(id)?,
    };
    match found {
        Some(entry) => Ok(entry),
        None => Err(absent(control, id)?),
    }
}

/// Why there is none: a record of that time may have been destroyed.
fn absent(control: &Control, id: DecisionId) -> Result<AdminError, AdminError> {
    let then = Filter {
        since: Some(id.moment()),
        ..Filter::default()
    };
    let gone = audit::destructions_within(&control.ledger, &then)?;
    let remedy = match (gone.first(), gone.last()) {
        (Some(first), Some(last)) => format!(
            "Records of that time (#{} to #{}) were destroyed, at last at {}{}: if it was among them, nobody can explain it any more. \
             `portcullis ledger verify` says by whom and why.",
            first.first_seq,
            last.last_seq,
            last.at,
            last.record
                .map_or_else(String::new, |seq| format!(" as record #{seq} says")),
        ),
        _ => "Check the id, and that this is the installation that answered.".to_owned(),
    };
    let message = format!("the ledger holds no decision {id}");
    Ok(AdminError::of_field("id", message, remedy))
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
