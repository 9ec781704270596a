//! Why was it decided so? One decision, from the ledger's record and the configuration, off the hot path.
//! Gives `Explanation`: for people as text, for tools as JSON. For the operator only.
//! Used by the command `decision.explain`.
//! Start reading at `Explanation::of`.

mod findings;
mod question;
mod text;
mod to_allow;

use std::sync::Arc;

use config::Compiled;
use model::{Event, Reason, Stage, Timestamp};
use serde_json::{Value, json};

pub use findings::Found;

/// Decisions like this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Similar {
    /// How many in the day before (at most 1,000 are counted).
    pub count: usize,
    /// The first of them.
    pub first: Timestamp,
}

/// One decision explained.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The record.
    pub event: Event,
    /// Its number in the ledger.
    pub seq: u64,
    /// Stages passed, and the one that decided last.
    pub stages: Vec<(Stage, bool)>,
    /// Why, in one or two sentences.
    pub why: String,
    /// What was nearest to a yes: place and sentence.
    pub nearest: Vec<(String, String)>,
    /// What would allow it; empty for allowed requests.
    pub to_allow: String,
    /// What the caller was told.
    pub told: String,
    /// The configuration has changed since.
    pub is_configuration_changed: bool,
    /// Decisions like this one.
    pub similar: Option<Similar>,
    /// What inspection saw.
    pub found: Found,
    /// Blocks in force now that keep out whoever this was about.
    pub blocks: Vec<String>,
}

impl Explanation {
    /// Explains a record with the configuration in force.
    pub fn of(
        event: &Event,
        seq: u64,
        compiled: &Arc<Compiled>,
        similar: Option<Similar>,
        now: Timestamp,
    ) -> Self {
        let hash = crypto::text::hex(&compiled.hash);
        let is_changed = event
            .configuration
            .as_deref()
            .is_some_and(|then| !hash.starts_with(then));
        let reason = event.code.as_deref().and_then(reason);
        let nearest = question::near_misses(event, compiled);
        Explanation {
            event: event.clone(),
            seq,
            stages: stages(event),
            why: why(event, reason, compiled),
            to_allow: to_allow::sentence(
                event,
                reason,
                &nearest,
                &question::grants(event, compiled),
            ),
            nearest,
            told: told(event),
            is_configuration_changed: is_changed,
            similar,
            found: Found::of(event, now),
            blocks: Vec::new(),
        }
    }

    /// For tools.
    pub fn to_json(&self) -> Value {
        json!({
            "seq": self.seq,
            "event": self.event,
            "stages": self.stages.iter().map(|(stage, is_passed)| json!({ "stage": stage.name(), "passed": is_passed })).collect::<Vec<_>>(),
            "why": self.why,
            "nearest": self.nearest.iter().map(|(place, text)| json!({ "rule": place, "text": text })).collect::<Vec<_>>(),
            "to_allow": self.to_allow,
            "told_to_caller": self.told,
            "configuration_changed_since": self.is_configuration_changed,
            "similar_in_24h": self.similar.map(|s| s.count),
            "findings": self.found.to_json(),
            "exclusion": self.found.exclusion,
            "blocks_now": self.blocks,
        })
    }
}

/// The reason with this code.
fn reason(code: &str) -> Option<&'static Reason> {
    gateway::snapshot::reasons()
        .into_iter()
        .find(|reason| reason.code == code)
}

/// Which stages were passed. Stages behind the one that ended the road were never entered.
fn stages(event: &Event) -> Vec<(Stage, bool)> {
    let last = event.stage.as_deref().and_then(Stage::from_name);
    let is_allowed = event.outcome == "allow" || is_pending(event);
    Stage::ALL
        .into_iter()
        .filter(|stage| last.is_some_and(|last| *stage <= last))
        .map(|stage| (stage, is_allowed || Some(stage) != last))
        .collect()
}

/// Whether only the intent of a call is on the record.
fn is_pending(event: &Event) -> bool {
    event.kind == gateway::record::INTENT
}

fn why(event: &Event, reason: Option<&Reason>, compiled: &Compiled) -> String {
    if is_pending(event) {
        return "forwarded; its outcome is not recorded: the call is still under way, or the server was killed (the next start records that)"
            .to_owned();
    }
    let Some(reason) = reason else {
        let rule = event
            .rule
            .as_deref()
            .map(|rule| format!(" by the grant at {rule}"))
            .unwrap_or_default();
        let noted = event.detail.as_deref();
        let noted = noted.map(|noted| format!("; {noted}")).unwrap_or_default();
        return format!("every stage was passed; the operation is granted{rule}{noted}");
    };
    let detail = event.detail.as_deref().unwrap_or_default();
    let mut out = match detail.is_empty() {
        true => reason.say.trim_end_matches('.').to_owned(),
        false => detail.to_owned(),
    };
    if reason.code == "authz.operation_not_granted" {
        let who = event.integration.as_deref().unwrap_or("the integration");
        let operation = event.operation.as_deref().unwrap_or("the operation");
        out = format!("no grant of {who} covers {operation} (deny by default)");
    }
    if let Some(elsewhere) = question::exposed_elsewhere(event, compiled) {
        out.push_str("; ");
        out.push_str(&elsewhere);
    }
    out
}

fn told(event: &Event) -> String {
    match &event.code {
        None if is_pending(event) => "nothing yet".to_owned(),
        Some(code)
            if [gateway::record::CUT.code, gateway::record::UNDECIDED.code].contains(&&**code) =>
        {
            "nothing: the call was cut".to_owned()
        }
        None => "the granted fields of the answer, and the decision id".to_owned(),
        Some(_) if event.kind == "connection" => {
            "nothing: the connection was closed before there was a request".to_owned()
        }
        Some(_) if is_concealed(event) => {
            "status 404, code object.absent and the decision id: the bytes of an absent object"
                .to_owned()
        }
        Some(code) => {
            let status = event
                .status
                .map(|status| format!("status {status}, "))
                .unwrap_or_default();
            let errors = match event.errors.len() {
                0 => String::new(),
                n => format!(", {n} field error(s)"),
            };
            format!("{status}code {code}{errors} and the decision id")
        }
    }
}

/// A refused object that was answered like an absent one.
fn is_concealed(event: &Event) -> bool {
    event.code.as_deref() == Some("object.denied") && event.status == Some(404)
}
