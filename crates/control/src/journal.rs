//! Where a change is recorded before it takes effect, and how it ended.
//! Exports `Journal`, `Change`; `lost` and `finished` for what a killed process left open.
//! Used by `order`; the simulator has a journal of its own.
//! Start reading at `Change`.

use audit::{DESTROY, ERASE, LedgerFault, Recorder};
use crypto::Keys;
use model::event::Blocked;
use model::{DecisionId, Event, KeyId, Kind, Outcome, Text, Timestamp, Word};

use crate::actor::Actor;

/// A ledger that changes are recorded in.
pub trait Journal: Send + Sync {
    /// Returns the record's number once it is durable.
    ///
    /// # Errors
    /// When it is not.
    fn record(&self, event: &Event) -> Result<u64, LedgerFault>;
}

impl Journal for Recorder {
    fn record(&self, event: &Event) -> Result<u64, LedgerFault> {
        Recorder::record(self, event).wait()
    }
}

/// What is recorded of one change.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The command, which is also the kind of its record: `key.revoke`.
    pub kind: &'static str,
    /// Who makes it.
    pub actor: &'a Actor,
    /// The integration it is about.
    pub integration: Option<String>,
    /// The credential it is about.
    pub credential: Option<KeyId>,
    /// The person of that integration whom it is about: what is recorded of them is sealed.
    pub person: Option<String>,
    /// The subject of sealed values whose key is destroyed.
    pub erases: Option<String>,
    /// Number behind the last record whose key is destroyed.
    pub destroys: Option<u64>,
    /// The key that takes the place of `credential`, and until when that one works.
    pub replaced: Option<(KeyId, Timestamp)>,
    /// The block that it adds or lifts.
    pub blocked: Option<Blocked>,
    /// What changes, and why.
    pub detail: String,
}

impl<'a> Change<'a> {
    /// A change that is about nothing yet.
    pub(crate) fn new(kind: &'static str, actor: &'a Actor, detail: impl Into<String>) -> Self {
        Change {
            kind,
            actor,
            integration: None,
            credential: None,
            person: None,
            erases: None,
            destroys: None,
            replaced: None,
            blocked: None,
            detail: detail.into(),
        }
    }
}

impl Change<'_> {
    /// The record made before anything is changed.
    pub(crate) fn intent(&self, id: DecisionId, at: Timestamp) -> Event {
        Event {
            kind: Kind::Intent.into(),
            operation: Some(Text::new_static(self.kind)),
            ..self.event(Outcome::Pending, id, at)
        }
    }

    /// The record of how it ended. It has the intent's id.
    pub(crate) fn outcome(&self, outcome: Outcome, id: DecisionId, at: Timestamp) -> Event {
        self.event(outcome, id, at)
    }

    fn event(&self, outcome: Outcome, id: DecisionId, at: Timestamp) -> Event {
        Event {
            at,
            kind: Word::new(Text::new_static(self.kind)),
            id: Some(id),
            outcome: outcome.into(),
            user: Some(Text::new(&self.actor.name)),
            integration: self.integration.as_deref().map(Text::new),
            credential: self.credential.map(|id| id.text()),
            person: self.person.as_deref().map(Text::new),
            erases: self.erases.as_deref().map(Text::new),
            destroys: self.destroys,
            replaced_by: self.replaced.map(|(id, _)| id.text()),
            works_until: self.replaced.map(|(_, until)| until),
            blocked: self.blocked.clone(),
            actor: Some(self.actor.recorded()),
            detail: Some(self.detail.as_str().into()),
            ..Event::default()
        }
    }
}

/// Finishes an erasure or a destruction that a process began which was killed, and gives its outcome; `None` when the intent is
/// none of one. What was said to become unreadable does, whether or not anybody runs the command again.
///
/// # Errors
/// When a key cannot be destroyed.
pub fn finished(
    intent: &Event,
    recorder: &Recorder,
    keys: &Keys,
    now: Timestamp,
) -> Result<Option<Event>, LedgerFault> {
    let (Some(id), false) = (intent.id, intent.is_call()) else {
        return Ok(None);
    };
    // Its outcome is missing, so what has this id is the intent itself.
    let record =
        || -> Result<u64, LedgerFault> { Ok(recorder.find(id)?.map_or(0, |entry| entry.seq)) };
    match (intent.operation.as_deref(), &intent.erases, intent.destroys) {
        (Some(ERASE), Some(subject), _) => drop(recorder.erase(subject, record()?, now)?),
        (Some(DESTROY), _, Some(before)) => {
            audit::destroy(recorder.ledger().dir(), keys, before, record()?, now)?;
        }
        _ => return Ok(None),
    }
    let detail = intent.detail.as_deref().unwrap_or_default();
    Ok(Some(Event {
        at: now,
        kind: Word::new(intent.operation.clone().unwrap_or_default()),
        latest: None,
        operation: None,
        outcome: Outcome::Done.into(),
        detail: Some(format!("{detail}; finished at the start after a crash").into()),
        ..intent.clone()
    }))
}

/// The outcome of a change whose intent was recorded by a process that was killed before it could record more; `None` when
/// the intent is not one of a change.
pub fn lost(intent: &Event) -> Option<Event> {
    let kind = intent.operation.clone().filter(|_| !intent.is_call())?;
    let detail = intent.detail.as_deref().unwrap_or_default();
    Some(Event {
        kind: Word::new(kind),
        latest: None,
        operation: None,
        outcome: Outcome::Unknown.into(),
        detail: Some(format!("{detail}; outcome not recorded (crash)").into()),
        ..intent.clone()
    })
}

#[cfg(test)]
mod tests;
