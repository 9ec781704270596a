//! By which grants anything of an answer's root leaves (`$.nextCursor`), beside the objects it holds.
//! Gives `Walk::root_grants`.
//! Used by release.
//! Start reading at `Walk::root_grants`.
//!
//! A grant whose condition is about the object lets its root fields leave when it held for one of the objects, or when
//! there was none: an empty list is the whole answer to whoever may ask for it. When all were withheld, what stands
//! beside them tells of them.

use model::Json;
use model::shape::NodeId;

use crate::release::Walk;

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
        match survey.is_any {
            true => live & (survey.held | !self.entry.on_object),
            false => live,
        }
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
                out.is_any = true;
                out.held |= self.outermost(kind, value, is_many).grants;
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
