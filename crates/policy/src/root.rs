//! By which grants anything of an answer's root leaves (`$.nextCursor`), beside the objects it holds.
//! Exports `Walk::root_grants`.
//! Used by release.
//! Start reading at `Walk::root_grants`.
//!
//! A grant whose condition is about the object lets its root fields leave when it held for one of the objects, or when
//! there was none: an empty list is the whole answer to whoever may ask for it. When all were withheld, what stands
//! beside them tells of them.

use model::Json;
use model::shape::NodeId;

use crate::input::DenyAs;
use crate::plan::AnswerShape;
use crate::release::Walk;
use crate::rules::Shown;

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
    pub(crate) fn root_grants(&mut self, answer: &Json) -> u64 {
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
        self.survey(0, answer, false, &mut survey);
        if survey.is_any {
            live & (survey.held | !self.entry.on_object)
        } else {
            live
        }
    }

    /// Whether the one object that a read answers with is not there, where it could have been one that is hidden: then both
    /// read as absent. Where only the object that the path names can stand there, it was judged by itself (see `reads`).
    pub(crate) fn lacks_its_object(&self, answer: Option<&Json>) -> bool {
        let operation = self.operation;
        let is_named = match operation.shown {
            Shown::Root => true,
            Shown::Inside { is_trusted, .. } => is_trusted,
            Shown::Nowhere => false,
        };
        if !operation.is_single || is_named || !self.conceals() {
            return false;
        }
        let ground = operation.ground();
        !answer.is_some_and(|answer| holds_any(ground, 0, answer))
    }

    /// Whether a read may have objects that the caller must not tell from none.
    fn conceals(&self) -> bool {
        let Some(set) = &self.entry.at_object else {
            return false;
        };
        let is_free = self.permit.live & !self.entry.on_object != 0 && !set.has_forbid();
        let is_hiding = self.permit.deny_as() == DenyAs::NotFound;
        is_hiding && !is_free && !self.operation.is_write
    }

    /// Whether an object of its own place that is hidden is left out, as none is: the answer has other places, which say what
    /// they hold all the same.
    pub(crate) fn leaves_out(&self) -> bool {
        self.operation.has_several && self.conceals()
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
                let held = self.outermost(kind, value, is_many).grants;
                // One that is left out like none must not be told by what stands beside it.
                out.is_any |= held != 0 || is_many || !self.leaves_out();
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

/// Whether an answer holds an object in one of the places for them. What is no object there says no more than `null`.
fn holds_any(ground: AnswerShape<'_>, node: NodeId, value: &Json) -> bool {
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
