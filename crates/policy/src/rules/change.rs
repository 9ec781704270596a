//! What the body of a write makes of the object that the request names.
//! Exports `Change` (worked out once per operation, in `build::places`) and `Overlay` (one body).
//! Used by object; `Seen::value` reads attributes through it.
//! Start reading at `Overlay::reach`.

use std::sync::Arc;

use model::Json;

use super::{Attribute, Steps};
use crate::input::BodyMeaning;

/// What the bodies of one operation are to the object that its requests name.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub meaning: BodyMeaning,
    /// The request is sent to the object itself, so that the body is about it and not about something below it.
    pub is_at_object: bool,
    /// The path ends with the object's id, so that an id in the body has to be that one.
    pub is_at_id: bool,
    /// The body is one text or a file, as its contract declares it: it says nothing of any attribute.
    pub has_no_fields: bool,
    /// A list may be steps to carry out (RFC 6902).
    pub takes_steps: bool,
    /// Where in the body the object itself may stand.
    pub objects: Vec<Steps>,
    /// For each attribute of its kind, the objects of the body that may carry it.
    pub places: Vec<Vec<Steps>>,
    /// For each attribute, whether no body can hold it: leaving it out removes nothing.
    pub kept: Vec<bool>,
}

impl Change {
    /// Whether the body is all that will be of the object.
    pub fn is_replacement(&self) -> bool {
        self.is_at_object && self.meaning == BodyMeaning::Replacement
    }

    /// Whether lists in the body hold objects of their own.
    pub fn holds_items(&self) -> bool {
        !self.is_at_object || self.meaning == BodyMeaning::Action
    }

    /// Whether a body says what to do with the object, and not what becomes of it.
    pub fn is_steps(&self, body: &Json) -> bool {
        self.takes_steps && matches!(body, Json::List(_))
    }
}

/// A request body that changes an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overlay<'a> {
    pub body: &'a Json,
    pub change: &'a Change,
}

/// Deepest object in which undeclared attributes are looked for.
const DEPTH_MAX: usize = 16;

impl<'a> Overlay<'a> {
    /// What the body makes of an attribute. Said twice, it counts as removed: which of the two the upstream takes
    /// cannot be told. What a replacement leaves out is removed.
    pub(super) fn reach(&self, attribute: &Attribute, steps: &[Arc<str>]) -> Reached<'a> {
        match self.said(attribute, steps) {
            Reached::Nothing if self.removes(attribute) => Reached::Cut,
            said => said,
        }
    }

    fn said(&self, attribute: &Attribute, steps: &[Arc<str>]) -> Reached<'a> {
        if self.change.has_no_fields && matches!(self.body, Json::Text(_)) {
            return Reached::Nothing;
        }
        if matches!(self.body, Json::List(_)) {
            let is_own = self.change.holds_items() && !self.change.takes_steps;
            return if is_own {
                Reached::Nothing
            } else {
                Reached::Cut
            };
        }
        let places = self.change.places.get(attribute.index);
        let Some(places) = places.filter(|places| !places.is_empty()) else {
            return anywhere(self.body, steps, DEPTH_MAX);
        };
        let reached = places.iter().map(|place| match inside(self.body, place) {
            Reached::Value(object) => reach(object, steps),
            other => other,
        });
        only(reached)
    }

    fn removes(&self, attribute: &Attribute) -> bool {
        let kept = self.change.kept.get(attribute.index);
        self.change.is_replacement() && !kept.copied().unwrap_or(false)
    }

    /// Whether an attribute may stand deeper than it is looked for.
    pub fn is_too_deep(&self) -> bool {
        let mut attributes = self.change.places.iter().zip(&self.change.kept);
        attributes.any(|(places, is_kept)| places.is_empty() && !is_kept)
            && is_deeper(self.body, DEPTH_MAX)
    }
}

fn is_deeper(value: &Json, depth: usize) -> bool {
    let Json::Object(members) = value else {
        return false;
    };
    match depth.checked_sub(1) {
        Some(depth) => members.iter().any(|(_, value)| is_deeper(value, depth)),
        None => true,
    }
}

/// What a path leads to.
pub(super) enum Reached<'a> {
    Value(&'a Json),
    /// The body does not speak of it.
    Nothing,
    /// The body removes it, or puts something else in its way.
    Cut,
}

/// The one thing that was reached.
fn only<'a>(all: impl Iterator<Item = Reached<'a>>) -> Reached<'a> {
    let mut all = all.filter(|reached| !matches!(reached, Reached::Nothing));
    match (all.next(), all.next()) {
        (None, _) => Reached::Nothing,
        (Some(one), None) => one,
        (Some(_), Some(_)) => Reached::Cut,
    }
}

/// The object at a place of a body. Lists hide which of their items counts.
pub(super) fn inside<'a>(body: &'a Json, place: &[Arc<str>]) -> Reached<'a> {
    let mut here = body;
    for step in place {
        here = match here {
            Json::Object(_) => match here.get(step) {
                Some(value) => value,
                None => return Reached::Nothing,
            },
            Json::List(items) if items.is_empty() => return Reached::Nothing,
            _ => return Reached::Cut,
        };
    }
    Reached::Value(here)
}

/// An attribute that the contract declares nowhere in the body, wherever undeclared fields carried it.
fn anywhere<'a>(value: &'a Json, steps: &[Arc<str>], depth: usize) -> Reached<'a> {
    let here = match value {
        Json::Object(_) => reach(value, steps),
        // A body that is a plain value says nothing that could be read as the object.
        _ if depth == DEPTH_MAX => Reached::Cut,
        _ => Reached::Nothing,
    };
    let (Reached::Nothing, Json::Object(members)) = (&here, value) else {
        return here;
    };
    match depth.checked_sub(1) {
        Some(depth) => only(members.iter().map(|(_, v)| anywhere(v, steps, depth))),
        None => Reached::Cut,
    }
}

pub(super) fn reach<'a>(body: &'a Json, steps: &[Arc<str>]) -> Reached<'a> {
    let mut here = body;
    for step in steps {
        here = match here {
            Json::Object(_) => match here.get(step) {
                Some(value) => value,
                None => return Reached::Nothing,
            },
            _ => return Reached::Cut,
        };
    }
    match here {
        Json::Null => Reached::Cut,
        value => Reached::Value(value),
    }
}
