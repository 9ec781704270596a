//! What leaves: objects judged one by one, fields by the union of the grants that hold, masks, straight into bytes.
//! Exports `Permit::release`.
//! Used by gateway::pipeline, on successful answers only; answers that report an error are replaced by the gateway.
//! Start reading at `Permit::release`.
//!
//! - Field lists are relative to the *resource object*: the outermost places of the answer whose schema is a declared
//!   object kind (one object, the items of a list). When the operation has none, they are relative to the root, or to
//!   the items when the root is a list. Entries that begin with `$.` are relative to the root.
//! - Containers on the way to resource objects are implied. Nothing else leaves: default deny, field by field.
//!   Keys that the contract does not declare are dropped. Class `secret` and `writeOnly` never leave.
//! - For each object, what leaves is the union of the fields of the grants whose condition holds for that object. When
//!   none holds, one object is refused (`deny_as`), an item of a list is left out. Where refusing conceals, a read that
//!   answers with no object where one could be is refused alike; of several places for objects, what is hidden and what
//!   is none are left out (see `root`).
//! - An object of a declared kind inside another must satisfy one of the integration's grants for that kind, and shows
//!   only fields that both what encloses it and those of them that hold let leave (see `nested`); of two masks the
//!   stricter one. That goes for each object around a value. When the integration has no such grant, what encloses the
//!   object governs alone. A refused one is left out, with its key; so is a `null` where one could be refused.
//! - What `$.` lets leave of the root leaves by the grants that held for an object of the answer, or, where the
//!   answer holds none, by those that may hold for some object (see `root`).
//! - An attribute that is missing in the answer satisfies nothing.

use std::sync::Arc;

use model::json::{write, write_string};
use model::text::shared;
use model::{Cause, Json, ObjectRef, Refusal, Text};

use crate::cedar::Held;
use crate::decide::{Released, RequestFacts, Standing};
use crate::input::{Mask, Source};
use crate::nested::{Inner, Inside, Levels, Within, nested_kind};
use crate::object::own_id;
use crate::plan::{Guard, KindId, Place, Plan, Step, Visibility};
use crate::reads::shows;
use crate::rules::{Entry, Operation, Seen, Shown};

/// Most verdicts remembered during one answer: lists repeat the same few attribute values.
const REMEMBERED_MAX: usize = 32;

impl Standing {
    /// Lets out of a successful answer what may leave. `answer` is `None` when the upstream sent no body.
    /// Consumes the permit: it is good for one answer.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`) when the answer is an object the caller may not have, when it
    /// does not show the object that the path names and [`Permit::after`] was not asked for it, or when a lookup is
    /// still waited for.
    pub(crate) fn release(
        mut self,
        facts: &RequestFacts<'_>,
        answer: Option<&Json>,
    ) -> Result<Released, Box<Refusal>> {
        let rules = self.rules.clone();
        let integration = self.integration.clone();
        let known = rules
            .op(self.operation)
            .zip(integration.entries.get(&self.operation));
        let Some((operation, entry)) = known.filter(|_| self.is_cleared()) else {
            return Err(self.refuse("the object was never judged before the answer".into(), None));
        };
        // A write was judged before it was sent. A read that nothing can be judged by stays here.
        if self.owes(operation, entry) && !shows(operation, facts, answer) {
            let detail = "the answer does not show the object, and it was not looked up";
            return Err(self.refuse(detail.into(), None));
        }
        let objects = std::mem::take(&mut self.objects);
        let mut walk = Walk {
            permit: &self,
            operation,
            entry,
            facts,
            out: Released {
                objects,
                ..Released::default()
            },
            plans: Vec::new(),
            levels: Levels::default(),
            verdicts: Vec::new(),
            leaves_out: false,
            has_shown: false,
        };
        let nothing = "the answer holds no object, and one that is hidden must read the same";
        if walk.lacks_its_object(answer) {
            return Err(self.refuse(nothing.into(), None));
        }
        walk.leaves_out = walk.leaves_out();
        let Some(answer) = answer else {
            return Ok(walk.out);
        };
        walk.out.body.reserve(1024);
        let plan = entry.plan(operation, walk.root_grants(answer));
        walk.root(&plan, answer)?;
        if walk.leaves_out && operation.is_single && !walk.has_shown {
            return Err(self.refuse(nothing.into(), None));
        }
        Ok(walk.out)
    }
}

impl Standing {
    /// The same by another plan, of an answer without a resource object; `None` when it must not leave at all.
    pub(crate) fn release_by(
        &self,
        plan: &Arc<Plan>,
        facts: &RequestFacts<'_>,
        answer: &Json,
    ) -> Option<Released> {
        let mut walk = Walk {
            permit: self,
            operation: self.rules.op(self.operation)?,
            entry: self.entry()?,
            facts,
            out: Released::default(),
            plans: Vec::new(),
            levels: Levels::default(),
            verdicts: Vec::new(),
            leaves_out: false,
            has_shown: false,
        };
        walk.root(plan, answer).ok()?;
        Some(walk.out)
    }
}

/// What was found out about an object.
#[derive(Clone, Debug)]
enum Verdict {
    /// Bits of the grants that hold.
    Outermost(Held),
    Nested(Inside),
}

pub(crate) struct Walk<'a> {
    pub(crate) permit: &'a Standing,
    pub(crate) operation: &'a Operation,
    pub(crate) entry: &'a Entry,
    facts: &'a RequestFacts<'a>,
    out: Released,
    /// Plans for combinations of grants, kept for the next object.
    plans: Vec<(u64, Arc<Plan>)>,
    /// What the nested objects around a value let out of it.
    levels: Levels,
    verdicts: Vec<(Vec<u8>, Verdict)>,
    /// Whether a hidden object of its own place is left out, as none is.
    leaves_out: bool,
    /// Whether an object was let out.
    has_shown: bool,
}

/// Whether a value goes out.
enum Gate {
    /// It does not; it was a value the plan has no place for.
    Hidden,
    /// It does not; it was an object that was judged.
    Withheld,
    /// It does, by this place of this plan (the same plan when `None`) and what the objects around it let out.
    Open(Option<Arc<Plan>>, usize, Within),
}

/// A value below another.
#[derive(Clone, Copy)]
struct Below<'k> {
    place: Option<usize>,
    step: Step<'k>,
    is_many: bool,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct At<'p> {
    place: &'p Place,
    index: usize,
    within: Within,
    is_many: bool,
}

impl Walk<'_> {
    fn root(&mut self, plan: &Arc<Plan>, answer: &Json) -> Result<(), Box<Refusal>> {
        let gate = match Self::at(plan, plan.root, Some(Within::default()), false) {
            Some(at) => self.gate(at, answer)?,
            None => Gate::Hidden,
        };
        match gate {
            // Nothing of it leaves; what is left is still JSON.
            Gate::Hidden | Gate::Withheld => {
                self.out.fields_seen += leaves(answer);
                self.out.body.extend_from_slice(match answer {
                    Json::Object(_) => b"{}",
                    Json::List(_) => b"[]",
                    _ => b"null",
                });
                Ok(())
            }
            Gate::Open(other, place, within) => {
                let plan = other.as_ref().unwrap_or(plan);
                self.value(
                    plan,
                    Self::at(plan, Some(place), Some(within), false),
                    answer,
                )
            }
        }
    }

    fn at(
        plan: &Plan,
        place: Option<usize>,
        within: Option<Within>,
        is_many: bool,
    ) -> Option<At<'_>> {
        Some(At {
            place: plan.place(place?)?,
            index: place?,
            within: within?,
            is_many,
        })
    }

    /// Asks whatever has to be asked before a value goes out.
    fn gate(&mut self, at: At<'_>, value: &Json) -> Result<Gate, Box<Refusal>> {
        match (at.place.guard, value) {
            (Guard::Outermost(kind, node), Json::Object(_)) => {
                let held = self.outermost(kind, value, at.is_many);
                if held.grants == 0 {
                    return if at.is_many || self.leaves_out {
                        Ok(Gate::Withheld)
                    } else {
                        Err(self.refused(kind, value, held))
                    };
                }
                self.has_shown = true;
                self.name(kind, value, at.is_many);
                let inner = self.plan(held.grants);
                Ok(match inner.start(node) {
                    Some(start) => Gate::Open(Some(inner), start, at.within),
                    None => Gate::Hidden,
                })
            }
            (Guard::Outermost(..), Json::Null) if self.leaves_out && !at.is_many => {
                Ok(Gate::Hidden)
            }
            // `null` in place of an object says only that there is none.
            (Guard::Outermost(..), Json::Null) => Ok(Gate::Open(None, at.index, at.within)),
            (Guard::Outermost(..), _) => Ok(Gate::Hidden),
            _ => Ok(self.inner_gate(at, value)),
        }
    }

    /// The same inside an object: its kind is judged by the integration's own grants for it, and again where one of the
    /// objects around it takes it for another kind.
    fn inner_gate(&mut self, at: At<'_>, value: &Json) -> Gate {
        let own = nested_kind(at.place.guard);
        let is_object = matches!(value, Json::Object(_));
        let fits = (own.is_some() && is_object) || at.place.fits(value);
        if !fits || !self.levels.fit(at.within, value) {
            return Gate::Hidden;
        }
        let mut within = at.within;
        let around = (0..at.within.count()).map(Some);
        for level in std::iter::once(None).chain(around) {
            let kind = match level {
                None => own,
                Some(level) => self
                    .levels
                    .guard(at.within, level)
                    .filter(|k| Some(*k) != own),
            };
            let Some(kind) = kind else { continue };
            within = match (value, is_object) {
                (_, true) => match self.nested(kind, value) {
                    Inside::Hidden => return Gate::Withheld,
                    Inside::Free => within,
                    Inside::Shown(spot) => self.levels.add(within, &spot),
                },
                // None at all reads like one that is left out.
                (Json::Null, _) if self.permit.may_hide(kind) => return Gate::Hidden,
                _ => within,
            };
        }
        Gate::Open(None, at.index, within)
    }

    fn value(&mut self, plan: &Plan, at: Option<At<'_>>, value: &Json) -> Result<(), Box<Refusal>> {
        let Some(at) = at else {
            return Ok(());
        };
        match value {
            Json::Object(members) => self.object(plan, at, members),
            Json::List(items) => self.list(plan, at, items),
            leaf => {
                self.out.fields_seen += 1;
                self.out.fields_out += 1;
                self.leaf(self.levels.sight(at.within, at.place.leaf), leaf);
                Ok(())
            }
        }
    }

    fn object(
        &mut self,
        plan: &Plan,
        at: At<'_>,
        members: &[(Text, Json)],
    ) -> Result<(), Box<Refusal>> {
        self.out.body.push(b'{');
        let mut is_first = true;
        for (key, value) in members {
            // The values of undeclared keys are many, like the items of a list.
            let found = at.place.member(key);
            let is_many = at.is_many || found.is_some_and(|(_, is_value)| is_value);
            let below = Below {
                place: found.map(|(place, _)| place),
                step: Step::Member(key),
                is_many,
            };
            self.below(plan, at.within, below, value, &mut is_first)?;
        }
        self.out.body.push(b'}');
        Ok(())
    }

    fn list(&mut self, plan: &Plan, at: At<'_>, items: &[Json]) -> Result<(), Box<Refusal>> {
        self.out.body.push(b'[');
        let mut is_first = true;
        for value in items {
            let below = Below {
                place: at.place.items,
                step: Step::Item,
                is_many: true,
            };
            self.below(plan, at.within, below, value, &mut is_first)?;
        }
        self.out.body.push(b']');
        Ok(())
    }

    /// A member with its key, or an item.
    fn below(
        &mut self,
        plan: &Plan,
        within: Within,
        below: Below<'_>,
        value: &Json,
        is_first: &mut bool,
    ) -> Result<(), Box<Refusal>> {
        let mark = self.levels.mark();
        let within = below
            .place
            .and_then(|_| self.levels.enter(within, below.step));
        let gate = match Self::at(plan, below.place, within, below.is_many) {
            Some(at) => self.gate(at, value)?,
            None => Gate::Hidden,
        };
        if let Gate::Open(other, place, within) = gate {
            if !*is_first {
                self.out.body.push(b',');
            }
            *is_first = false;
            if let Step::Member(key) = below.step {
                write_string(key, &mut self.out.body);
                self.out.body.push(b':');
            }
            let plan = other.as_deref().unwrap_or(plan);
            let at = Self::at(plan, Some(place), Some(within), below.is_many);
            self.value(plan, at, value)?;
        } else {
            self.hold_back(&gate, value);
        }
        self.levels.leave(mark);
        Ok(())
    }

    fn hold_back(&mut self, gate: &Gate, value: &Json) {
        self.out.fields_seen += leaves(value);
        if matches!(gate, Gate::Withheld) {
            self.out.withheld += 1;
        }
    }

    fn leaf(&mut self, sight: Option<Visibility>, value: &Json) {
        let body = &mut self.out.body;
        match (sight, value) {
            (Some(Visibility::Full), value) => write(value, body),
            (Some(Visibility::Masked(mask)), Json::Text(text)) => masked(text, mask, body),
            _ => body.extend_from_slice(b"null"),
        }
    }

    fn plan(&mut self, held: u64) -> Arc<Plan> {
        if let Some((_, plan)) = self.plans.iter().find(|(bits, _)| *bits == held) {
            return plan.clone();
        }
        let plan = self.entry.plan(self.operation, held);
        self.plans.push((held, plan.clone()));
        plan
    }

    pub(crate) fn outermost(&mut self, kind: KindId, object: &Json, is_many: bool) -> Held {
        let Some(set) = &self.entry.at_object else {
            return Held {
                grants: self.permit.live,
                forbidden: None,
            };
        };
        let id = if set.needs.is_on_identity {
            self.id(kind, object, is_many)
        } else {
            None
        };
        let seen = Seen {
            id: id.as_deref(),
            path: self.facts.path,
            object: Some(object),
            overlay: None,
        };
        // Plain conditions are cheaper than remembering.
        let is_worth = is_many && !set.needs.is_on_identity && !set.is_plain();
        let key = if is_worth {
            self.key(0, kind, &seen)
        } else {
            None
        };
        if let Some(Verdict::Outermost(held)) = self.remembered(key.as_deref()) {
            return held.clone();
        }
        let held = self.permit.held(self.entry, kind, &seen);
        self.remember(key, Verdict::Outermost(held.clone()));
        held
    }

    fn nested(&mut self, kind: KindId, object: &Json) -> Inside {
        let known = self.permit.integration.inner.get(&kind);
        if known.is_none() && self.permit.sees_all(kind) != Some(false) {
            // No grant says anything of such objects: what encloses them governs.
            return Inside::Free;
        }
        let id = self.id(kind, object, true);
        // The request's path names the outer object, not this one.
        let seen = Seen {
            id: id.as_deref(),
            path: &[],
            object: Some(object),
            overlay: None,
        };
        let key = if known.is_some_and(Inner::is_settled) {
            Some(Self::kind_key(1, kind))
        } else {
            self.key(2, kind, &seen)
                .filter(|_| self.permit.is_repeatable(kind))
        };
        if let Some(Verdict::Nested(inside)) = self.remembered(key.as_deref()) {
            return inside.clone();
        }
        let inside = self.permit.inside(kind, &seen);
        self.remember(key, Verdict::Nested(inside.clone()));
        inside
    }

    fn key(&self, role: u8, kind: KindId, seen: &Seen<'_>) -> Option<Vec<u8>> {
        let mut key = Self::kind_key(role, kind);
        seen.key(self.permit.rules.kind(kind)?, &mut key);
        Some(key)
    }

    fn kind_key(role: u8, kind: KindId) -> Vec<u8> {
        let mut key = vec![role];
        key.extend_from_slice(&kind.to_le_bytes());
        key
    }

    fn remembered(&self, key: Option<&[u8]>) -> Option<&Verdict> {
        let key = key?;
        self.verdicts
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, verdict)| verdict)
    }

    fn remember(&mut self, key: Option<Vec<u8>>, verdict: Verdict) {
        if let Some(key) = key.filter(|_| self.verdicts.len() < REMEMBERED_MAX) {
            self.verdicts.push((key, verdict));
        }
    }

    /// The id of an object: by the path for the one object the operation is about, otherwise by what it carries.
    fn id(&self, kind: KindId, object: &Json, is_many: bool) -> Option<String> {
        let source = &self.permit.rules.kind(kind)?.id;
        let subject = self
            .operation
            .subject
            .as_ref()
            .filter(|(subject, _)| *subject == kind && !is_many);
        let Some((_, Source::Path(name))) = subject else {
            return own_id(source, object);
        };
        let in_path = || {
            let mut path = self.facts.path.iter();
            path.find(|(n, _)| n == name).map(|(_, v)| v.clone())
        };
        // Where the answer may hold another object than the one the path names, only its own id counts.
        match (&self.operation.shown, self.operation.is_write) {
            (Shown::Root, _) => in_path(),
            (Shown::Nowhere, false) => own_id(source, object),
            _ => own_id(source, object).or_else(in_path),
        }
    }

    fn name(&mut self, kind: KindId, object: &Json, is_many: bool) {
        if self.out.objects.len() >= Released::OBJECTS_MAX {
            return;
        }
        if let (Some(kind_), Some(id)) =
            (self.permit.rules.kind(kind), self.id(kind, object, is_many))
        {
            let object = ObjectRef {
                kind: shared(&kind_.schema),
                id: id.into(),
            };
            if !self.out.objects.contains(&object) {
                self.out.objects.push(object);
            }
        }
    }

    fn refused(&self, kind: KindId, object: &Json, held: Held) -> Box<Refusal> {
        let schema = self
            .permit
            .rules
            .kind(kind)
            .map_or("object", |k| &*k.schema);
        let id = self.id(kind, object, false).unwrap_or_else(|| "?".into());
        let detail = match &held.forbidden {
            Some(rule) => format!("{rule} forbids {schema}:{id}"),
            None => format!("no grant's condition holds for {schema}:{id}"),
        };
        self.permit
            .refuse_for(Cause::Condition, detail, held.forbidden)
    }
}

/// Appends a masked string.
fn masked(text: &str, mask: Mask, out: &mut Vec<u8>) {
    let count = text.chars().count();
    match mask {
        Mask::Last4 if count >= 8 => {
            let tail: String = text.chars().skip(count.saturating_sub(4)).collect();
            write_string(&format!("***{tail}"), out);
        }
        _ => write_string("***", out),
    }
}

/// Number of scalars in a value.
fn leaves(value: &Json) -> u32 {
    match value {
        Json::Object(members) => members
            .iter()
            .map(|(_, v)| leaves(v))
            .fold(0, u32::saturating_add),
        Json::List(items) => items.iter().map(leaves).fold(0, u32::saturating_add),
        _ => 1,
    }
}
