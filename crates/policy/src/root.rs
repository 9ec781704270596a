//! By which grants anything of an answer's root leaves (`$.nextCursor`), beside the objects it holds.
//! Exports `Walk::root_grants`, and whether an answer without objects could tell that some are hidden.
//! Used by release.
//! Start reading at `Walk::root_grants`.
//!
//! A grant whose condition is about the object lets its root fields leave when it held for one of the objects, or when
//! there was none: an empty list is the whole answer to whoever may ask for it. When all were withheld, what stands
//! beside them tells of them.

use model::Json;
use model::shape::NodeId;

use crate::input::DenyAs;
use crate::plan::ResponseShape;
use crate::release::Walk;
use crate::rules::{Entry, Operation, Shown};
use crate::standing::Standing;

/// What an answer holds.
#[derive(Default)]
struct Survey {
    /// Bits of the grants that held for an object.
    held: u64,
    /// Bits that matter.
    wanted: u64,
    /// There is an object, or something that stands in the place of one.
    is_any: bool,
}

impl Walk<'_> {
    /// Bits of the grants by which the root leaves.
    pub(crate) fn root_grants(&mut self, response: &Json) -> u64 {
        let live = self.permit.live;
        if !self.operation.ground().is_guarded() {
            return live;
        }
        let live = live & self.entry.roots & !self.permit.roots_closed;
        let wanted = live & self.entry.on_object;
        // Without a condition on the object nothing has to be known of the objects.
        if wanted == 0 {
            return live;
        }
        let mut survey = Survey {
            wanted,
            ..Survey::default()
        };
        self.survey(0, response, false, &mut survey);
        if survey.is_any {
            live & (survey.held | !self.entry.on_object)
        } else {
            live
        }
    }

    /// Whether the one object that the answer could hold is not there, where it could have been one that is hidden: then both
    /// read the same.
    pub(crate) fn lacks_its_object(&self, response: Option<&Json>) -> bool {
        if !self.permit.may_lack_another(self.operation, self.entry) {
            return false;
        }
        let ground = self.operation.ground();
        !response.is_some_and(|response| holds_any(ground, 0, response))
    }

    fn survey(&mut self, node: NodeId, value: &Json, is_many: bool, out: &mut Survey) {
        let operation = self.operation;
        let ground = operation.ground();
        let leads = ground.leads.get(node).copied().unwrap_or(false);
        let Some(place) = ground.shape.node(node).filter(|_| leads) else {
            return;
        };
        match (ground.guard(node), value) {
            (_, Json::Null) => {}
            (Some(kind), Json::Object(_)) => {
                let held = self.sight(kind, value, is_many).0.grants;
                // One that is left out like none must not be told by what stands beside it.
                out.is_any |= held != 0 || is_many || !self.leaves_out;
                out.held |= held;
            }
            (None, Json::Object(members)) if place.values.is_some() || !place.fields.is_empty() => {
                for (key, value) in members {
                    let field = place.fields.get(&**key);
                    let below = field.map(|field| field.node).or(place.values);
                    if let Some(below) = below {
                        let is_many = is_many || field.is_none();
                        self.survey(below, value, is_many, out);
                    }
                }
            }
            (None, Json::List(items)) if place.items.is_some() => {
                let item = place.items.unwrap_or_default();
                for value in items {
                    if out.held & out.wanted == out.wanted {
                        return;
                    }
                    self.survey(item, value, true, out);
                }
            }
            // Something else stands where objects should.
            _ => out.is_any = true,
        }
    }
}

impl Standing {
    /// Whether every object of the answer may be seen, as far as conditions on it can tell.
    pub(crate) fn sees_each(&self, entry: &Entry) -> bool {
        match &entry.at_object {
            Some(set) => self.live & !entry.on_object != 0 && !set.has_forbid(),
            None => true,
        }
    }

    /// Whether the answer may have objects that the caller must not tell from none. The object that a write makes or changes
    /// was judged before: only others count.
    pub(crate) fn conceals(&self, operation: &Operation, entry: &Entry) -> bool {
        let is_hiding = self.deny_as() == DenyAs::NotFound;
        let is_limited = || {
            let mut kinds = operation.resources.iter();
            self.is_limited(operation, entry, self.live) && kinds.any(|kind| self.may_hide(*kind))
        };
        is_hiding
            && (!operation.is_write || operation.answers_other)
            && (!self.sees_each(entry) || is_limited())
    }

    /// Whether the answer is one object that may be another than the one the path names, and that may be hidden. Where only
    /// the object that the path names can stand there, it is judged by itself (see `reads`).
    pub(crate) fn may_lack_another(&self, operation: &Operation, entry: &Entry) -> bool {
        operation.is_single && !operation.shows_named() && self.conceals(operation, entry)
    }

    /// Kinds of the one object that a read answers with and that decides whether it is answered at all; none where it is the
    /// object that the path names, or where each may be seen.
    pub fn decided_by_answer(&self) -> Vec<&str> {
        let known = self.rules.op(self.operation).zip(self.entry());
        let decided = known.filter(|(operation, entry)| {
            let is_other = !operation.is_write && operation.shown == Shown::Nowhere;
            is_other && operation.is_single && !self.sees_each(entry)
        });
        let kinds = decided.into_iter().flat_map(|(op, _)| &op.resources);
        kinds
            .filter_map(|kind| Some(&*self.rules.kind(*kind)?.schema))
            .collect()
    }

    /// Whether the answer may hold other objects than the one that the path names.
    pub fn answers_with_others(&self) -> bool {
        let operation = self.rules.op(self.operation);
        operation.is_some_and(|operation| {
            let is_other = operation.answers_other || !operation.is_write;
            is_other && operation.ground().is_guarded() && operation.shown == Shown::Nowhere
        })
    }

    /// Whether these grants show of a write's answer only what the integration's own grants for its kind show: conditions
    /// about another object carry them.
    pub(crate) fn is_limited(&self, operation: &Operation, entry: &Entry, grants: u64) -> bool {
        operation.answers_other && grants & !entry.on_named == 0
    }
}

/// Whether an answer holds an object in one of the places for them. What is no object there says no more than `null`.
fn holds_any(ground: ResponseShape<'_>, node: NodeId, value: &Json) -> bool {
    let leads = ground.leads.get(node).copied().unwrap_or(false);
    let Some(place) = ground.shape.node(node).filter(|_| leads) else {
        return false;
    };
    let Json::Object(members) = value else {
        return false;
    };
    ground.guard(node).is_some()
        || members.iter().any(|(key, value)| {
            let field = place.fields.get(&**key);
            field.is_some_and(|field| holds_any(ground, field.node, value))
        })
}
