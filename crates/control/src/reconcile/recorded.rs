//! What the ledger says of keys, pauses and blocks.
//! Exports `Recorded`, `is_candidate`.
//! Used by `reconcile`.
//! Start reading at `Recorded::take`, then at `Recorded::close`.

use std::collections::BTreeMap;

use model::event::Blocked;
use model::{DecisionId, Event, KeyId, Kind, Outcome, Text, Timestamp, Word};

use super::held::Held;
use crate::commands::{AddedBlock, IntegrationState};

/// Outcome of a change that a killed process did not record.
const AT_START: &str = "at the start after a crash";

/// A change of a key, a pause or a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Create,
    Revoke,
    Rotate,
    Pause,
    Resume,
    Block,
    Lift,
}

impl Act {
    fn named(name: &str) -> Option<Act> {
        Some(match name {
            "key.create" => Act::Create,
            "key.revoke" => Act::Revoke,
            "key.rotate" => Act::Rotate,
            "integration.pause" => Act::Pause,
            "integration.resume" => Act::Resume,
            "block.add" => Act::Block,
            "block.lift" => Act::Lift,
            _ => return None,
        })
    }

    /// Whether it takes something away from somebody.
    const fn is_strict(self) -> bool {
        matches!(self, Act::Revoke | Act::Rotate | Act::Pause | Act::Block)
    }

    /// What it is about: a later change of the same says how that is.
    fn subject(self, event: &Event) -> String {
        let of = |text: Option<&Text>| text.map(|text| text.to_string()).unwrap_or_default();
        match self {
            Act::Create | Act::Revoke | Act::Rotate => of(event.credential.as_ref()),
            Act::Pause | Act::Resume => of(event.integration.as_ref()),
            Act::Block | Act::Lift => of(event.blocked.as_ref().map(|block| &block.subject)),
        }
    }
}

/// Whether a record can be one of these; most are of calls, and are not taken apart.
pub(super) fn is_candidate(json: &str) -> bool {
    ["\"key.", "\"integration.", "\"block."]
        .iter()
        .any(|word| json.contains(word))
}

/// What the ledger says of one key.
#[derive(Debug, Default)]
pub(super) struct Key {
    pub integration: Option<String>,
    /// Whether it was made and handed out.
    pub is_given_out: Option<bool>,
    /// When it was revoked, and why.
    pub revoked: Option<(Timestamp, String)>,
    /// The key that took its place, where that is known, and until when it works beside it.
    pub replaced: Option<(Option<KeyId>, Timestamp)>,
}

/// What the ledger says from one record on.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub keys: BTreeMap<KeyId, Key>,
    /// How each integration was left: paused, or resumed.
    pub pauses: BTreeMap<String, Option<IntegrationState>>,
    /// How each subject was left: blocked, or not any more. With the record that says so.
    pub blocks: BTreeMap<String, (Option<AddedBlock>, Event)>,
    /// Intents without an outcome, by the number of their record.
    open: BTreeMap<u64, (Act, Event)>,
    numbers: BTreeMap<DecisionId, u64>,
    /// The last change of each subject that has an outcome.
    last: BTreeMap<(bool, String), u64>,
}

impl Recorded {
    /// Takes the next record.
    pub(super) fn take(&mut self, seq: u64, event: Event) {
        if event.kind == Kind::Intent {
            let name = event.operation.as_deref().filter(|_| !event.is_call());
            if let (Some(act), Some(id)) = (name.and_then(Act::named), event.id) {
                self.numbers.insert(id, seq);
                self.open.insert(seq, (act, event));
            }
            return;
        }
        let Some(act) = Act::named(event.kind.name()) else {
            return;
        };
        if let Some(intent) = event.id.and_then(|id| self.numbers.remove(&id)) {
            self.open.remove(&intent);
        }
        self.last.insert(subject(act, &event), seq);
        if event.outcome == Outcome::Done {
            self.hold(act, event);
        } else if event.outcome == Outcome::Unknown && act.is_strict() {
            // Versions before left it open; then it counts as done, as nobody is let in by it.
            self.hold(act, event);
        } else if event.outcome == Outcome::Failed && act == Act::Create {
            self.not_given_out(event.credential.as_ref());
        }
    }

    /// What the change makes true.
    fn hold(&mut self, act: Act, event: Event) {
        let (at, detail) = (event.at, event.detail.as_deref().unwrap_or_default());
        match act {
            Act::Create | Act::Revoke | Act::Rotate => {
                let Some(id) = id(event.credential.as_ref()) else {
                    return;
                };
                let new = id_of_replacement(&event);
                if let Some(new) = new {
                    self.key(new, &event).is_given_out = Some(true);
                }
                let key = self.key(id, &event);
                match act {
                    Act::Create => key.is_given_out = Some(true),
                    Act::Revoke => key.revoked = Some((at, detail.to_owned())),
                    // Records of versions before do not say until when; then it ends with them.
                    _ => key.replaced = Some((new, event.works_until.unwrap_or(at))),
                }
            }
            Act::Pause | Act::Resume => {
                let Some(name) = event.integration.as_deref() else {
                    return;
                };
                let state = (act == Act::Pause).then(|| IntegrationState {
                    paused_at: Some(at),
                    by: event.user.as_deref().map(ToOwned::to_owned),
                    reason: detail.to_owned(),
                });
                self.pauses.insert(name.to_owned(), state);
            }
            Act::Block | Act::Lift => {
                // Records of versions before, and those of persons who were erased, do not say whom.
                let Some(blocked) = &event.blocked else {
                    return;
                };
                let block = (act == Act::Block).then(|| added(&event, blocked));
                self.blocks
                    .insert(blocked.subject.to_string(), (block, event));
            }
        }
    }

    fn key(&mut self, id: KeyId, event: &Event) -> &mut Key {
        let key = self.keys.entry(id).or_default();
        if key.integration.is_none() {
            key.integration = event.integration.as_deref().map(ToOwned::to_owned);
        }
        key
    }

    /// Whoever asked for a key heard of none: nobody has its text.
    fn not_given_out(&mut self, credential: Option<&Text>) {
        if let Some(id) = id(credential) {
            self.keys.entry(id).or_default().is_given_out = Some(false);
        }
    }

    /// Decides what became of the changes that have no outcome, and gives the outcomes. What takes something away is carried
    /// out; of what gives something, the store says whether it was.
    pub(super) fn close(&mut self, held: &Held, now: Timestamp) -> Vec<Event> {
        self.numbers.clear();
        let open = std::mem::take(&mut self.open);
        let mut outcomes = Vec::with_capacity(open.len());
        for (seq, (act, intent)) in open {
            let last = self.last.get(&subject(act, &intent));
            let (outcome, words) = if last.is_some_and(|last| *last > seq) {
                (
                    Outcome::Unknown,
                    "changed again before its outcome was recorded",
                )
            } else {
                self.decide(act, &intent, held, now)
            };
            let detail = intent.detail.as_deref().unwrap_or_default();
            outcomes.push(Event {
                at: now,
                kind: Word::new(intent.operation.clone().unwrap_or_default()),
                latest: None,
                operation: None,
                outcome: outcome.into(),
                detail: Some(format!("{detail}; {words} {AT_START}").into()),
                personal: Vec::new(),
                schema: model::event::Schema::default(),
                ..intent
            });
        }
        outcomes
    }

    fn decide(
        &mut self,
        act: Act,
        intent: &Event,
        held: &Held,
        now: Timestamp,
    ) -> (Outcome, &'static str) {
        match act {
            Act::Create => {
                self.not_given_out(intent.credential.as_ref());
                (Outcome::Failed, "not handed out, as found")
            }
            Act::Rotate => {
                let old = id(intent.credential.as_ref()).and_then(|id| held.credentials.get(&id));
                let new = old.and_then(|old| old.replaced_by);
                let is_this = |new: &KeyId| {
                    let meant = id_of_replacement(intent);
                    meant.is_none_or(|meant| meant == *new)
                };
                match new.filter(is_this) {
                    None => (Outcome::Failed, "not done, as found"),
                    Some(new) => {
                        self.not_given_out(Some(&new.text()));
                        (
                            Outcome::Done,
                            "the new key was not handed out and is revoked; make another with `portcullis key create`;",
                        )
                    }
                }
            }
            Act::Resume if held.is_paused(intent.integration.as_deref()) => {
                (Outcome::Failed, "still paused, as found")
            }
            Act::Lift if held.is_blocked(intent.blocked.as_ref(), now) => {
                (Outcome::Failed, "still blocked, as found")
            }
            Act::Block | Act::Lift if intent.blocked.is_none() => {
                (Outcome::Unknown, "outcome not recorded (crash), found")
            }
            Act::Revoke | Act::Pause | Act::Block => {
                self.hold(act, intent.clone());
                (Outcome::Done, "finished")
            }
            Act::Resume | Act::Lift => (Outcome::Done, "done, as found"),
        }
    }
}

fn subject(act: Act, event: &Event) -> (bool, String) {
    // Names of keys and of subjects of blocks begin differently; an integration may be called like either.
    let is_pause = matches!(act, Act::Pause | Act::Resume);
    (is_pause, act.subject(event))
}

fn id(text: Option<&Text>) -> Option<KeyId> {
    text.and_then(|text| KeyId::parse(text))
}

fn id_of_replacement(event: &Event) -> Option<KeyId> {
    id(event.replaced_by.as_ref())
}

/// A block as its record has it.
fn added(event: &Event, blocked: &Blocked) -> AddedBlock {
    let detail = event.detail.as_deref().unwrap_or_default();
    let begins = format!("{} until {}: ", blocked.subject, blocked.until);
    AddedBlock {
        subject: blocked.subject.to_string(),
        reason: detail.strip_prefix(&begins).unwrap_or(detail).to_owned(),
        by: event.user.as_deref().unwrap_or_default().to_owned(),
        added_at: event.at,
        until: blocked.until,
    }
}
