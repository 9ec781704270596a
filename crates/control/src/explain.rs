//! Why was it decided so? One decision, from the ledger's record and the configuration, off the hot path.
//! Exports `Explanation`, which people read as text. For the operator only.
//! Used by the command `decision.explain`.
//! Start reading at `Explanation::of`.

mod findings;
mod question;
mod remedy;
mod text;
mod to_allow;

use std::sync::Arc;

use config::Compiled;
use model::event::Treatment;
use model::{Event, Kind, Outcome, Reason, Stage, Timestamp};

pub use findings::Found;
pub use question::Near;
use question::Reached;
pub use remedy::{Advice, By};

/// Decisions like this one, before it: the same code, of the same integration where one is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Similar {
    /// How many in the day before, this one not among them (at most 1,000 are counted).
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
    /// What was nearest to a yes.
    pub nearest: Vec<Near>,
    /// What would allow it; `None` for allowed requests.
    pub to_allow: Option<Advice>,
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
        let nearest = question::near_misses(event, compiled, is_changed);
        let grants = question::grants(event, compiled);
        let reached = question::reached(event, compiled);
        let parameters = question::parameters(event, compiled);
        let found = Found::of(event, now);
        let known = to_allow::Known {
            nearest: &nearest,
            grants: &grants,
            reached: reached.as_ref(),
            parameters: &parameters,
            has_exclusion: !found.exclusion.is_empty(),
        };
        Explanation {
            event: event.clone(),
            seq,
            stages: stages(event),
            why: why(event, reason, reached.as_ref(), &grants),
            to_allow: to_allow::advice(event, known),
            nearest,
            told: told(event),
            is_configuration_changed: is_changed,
            similar,
            found,
            blocks: Vec::new(),
        }
    }
}

/// The reason with this code.
fn reason(code: &str) -> Option<&'static Reason> {
    gateway::reasons::reasons()
        .into_iter()
        .find(|reason| reason.code == code)
}

/// Which stages were passed. Stages behind the one that ended the road were never entered; the stage that withheld the
/// body of an allowed call was not passed by it.
fn stages(event: &Event) -> Vec<(Stage, bool)> {
    let last = event.stage.as_ref().and_then(|stage| stage.known());
    let is_allowed = event.outcome == Outcome::Allow && !is_withheld(event) || is_pending(event);
    Stage::ALL
        .into_iter()
        .filter(|stage| last.is_some_and(|last| *stage <= last))
        .map(|stage| (stage, is_allowed || Some(stage) != last))
        .collect()
}

/// Whether only the intent of a call is on the record.
fn is_pending(event: &Event) -> bool {
    event.kind == Kind::Intent
}

fn why(
    event: &Event,
    reason: Option<&Reason>,
    reached: Option<&Reached>,
    grants: &[String],
) -> String {
    if is_pending(event) {
        return "forwarded; its outcome is not recorded: the call is still under way, or the server was killed (the next start records that)"
            .to_owned();
    }
    if event.outcome == Outcome::Allow {
        return why_allowed(event, grants);
    }
    let detail = event.detail.as_deref().unwrap_or_default();
    let mut out = match reason {
        Some(reason) if detail.is_empty() => reason.say.trim_end_matches('.').to_owned(),
        None if detail.is_empty() => "the record says no more".to_owned(),
        _ => detail.to_owned(),
    };
    if event.code.as_deref() == Some("authz.operation_not_granted") {
        let who = event.integration.as_deref().unwrap_or("the integration");
        let operation = event.operation.as_deref().unwrap_or("the operation");
        out = format!("no grant of {who} covers {operation} (deny by default)");
    }
    if let Some(blocked) = &event.blocked {
        // A block that refused the request is explained by the detail; one that began with it stands beside the cause.
        let joint = if event.code.as_deref() == Some(policy::block::BLOCKED.code) {
            ": "
        } else {
            "; "
        };
        out = format!("{blocked}{joint}{out}");
    }
    if let Some(reached) = reached {
        out.push_str("; ");
        out.push_str(&reached.why());
    }
    out
}

fn why_allowed(event: &Event, grants: &[String]) -> String {
    let rule = match (&event.rule, grants) {
        // Which of several let each object and field out, the record does not say.
        (Some(rule), [_, _, ..]) if !is_withheld(event) => {
            format!(" by grants of which the first that held for the request is at {rule}")
        }
        (Some(rule), _) if !is_withheld(event) => format!(" by the grant at {rule}"),
        _ => String::new(),
    };
    let noted = event.detail.as_deref();
    let noted = noted.map(|noted| format!("; {noted}")).unwrap_or_default();
    if is_withheld(event) {
        format!("the operation is granted, and the call was carried out{noted}")
    } else {
        format!("every stage was passed; the operation is granted{rule}{noted}")
    }
}

/// A write that was carried out, and whose answer could not be shown.
fn is_withheld(event: &Event) -> bool {
    event.outcome == Outcome::Allow && event.code.is_some()
}

fn told(event: &Event) -> String {
    let code = match &event.code {
        _ if event.kind == Kind::Connection => {
            return "nothing: the connection was closed before there was a request".to_owned();
        }
        _ if is_pending(event) => return "nothing yet".to_owned(),
        Some(code)
            if [gateway::reasons::CUT.code, gateway::reasons::UNDECIDED.code]
                .contains(&&**code) =>
        {
            return "nothing: the call was cut".to_owned();
        }
        Some(code) if event.outcome != Outcome::Allow => code,
        _ => return told_when_allowed(event),
    };
    let is_head = event.method.as_deref() == Some("HEAD");
    let status = event
        .status
        .map(|status| format!("status {status}"))
        .unwrap_or_else(|| "no status that is recorded".to_owned());
    if is_head {
        return format!("{status} and the decision id; an answer to HEAD has no body");
    }
    if is_concealed(event) {
        return "status 404, code object.absent and the decision id: the bytes of an absent object"
            .to_owned();
    }
    let errors = match event.errors.len() {
        0 => String::new(),
        n => format!(", {n} field error(s)"),
    };
    let stage = stage_told(event, code);
    format!("{status}, code {code}{stage}{errors} and the decision id")
}

/// The stage that the caller was told, where it is not the one in which the request ended: blocks belong to `limit` and are looked
/// at earlier, as soon as it is known who calls.
fn stage_told(event: &Event, code: &str) -> String {
    let ended = event.stage.as_ref().and_then(|stage| stage.known());
    match reason(code) {
        Some(reason) if ended.is_some_and(|ended| ended != reason.stage) => {
            format!(", stage {}", reason.stage.name())
        }
        _ => String::new(),
    }
}

/// By what the record says of the answer.
fn told_when_allowed(event: &Event) -> String {
    let status = event
        .status
        .map(|status| format!("status {status}"))
        .unwrap_or_default();
    let what = match (event.status, event.bytes_out) {
        (Some(304), _) => " without a body: the caller's copy is still good",
        _ if event.method.as_deref() == Some("HEAD") => " and the head of the answer",
        (_, Some(0)) => " without a body",
        (Some(400..), _) => ", the granted fields of the upstream's error",
        _ => ", the granted fields of the answer",
    };
    let masked = match event
        .findings
        .iter()
        .filter(|found| found.what == Treatment::Masked)
        .count()
    {
        0 => String::new(),
        n => format!(" ({n} masked by inspection)"),
    };
    format!("{status}{what}{masked}, and the decision id")
}

/// A refused object that was answered like an absent one.
fn is_concealed(event: &Event) -> bool {
    event.code.as_deref() == Some("object.denied") && event.status == Some(404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_with_the_stage_that_the_caller_read() {
        let event = |stage: Stage| Event {
            code: Some("limit.blocked".into()),
            status: Some(429),
            stage: Some(stage.into()),
            outcome: Outcome::Refuse.into(),
            ..Event::default()
        };
        assert_eq!(
            told(&event(Stage::Authn)),
            "status 429, code limit.blocked, stage limit and the decision id"
        );
        assert_eq!(
            told(&event(Stage::Limit)),
            "status 429, code limit.blocked and the decision id"
        );
    }
}
