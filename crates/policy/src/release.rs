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

mod blank;

use std::sync::Arc;

use model::json::{write, write_string};
use model::{Cause, Json, Refusal, Text};

use crate::cedar::Held;
use crate::input::{Mask, Source};
use crate::nested::{Inner, Inside, Levels, Within, nested_kind};
use crate::object::own_id;
use crate::plan::{Guard, KindId, Place, Plan, Step, Visibility};
use crate::reads::shows;
use crate::rules::{Entry, Operation, Seen, Shown};
use crate::standing::{Released, RequestFacts, Standing};

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
        response: Option<&Json>,
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
        if self.owes(operation, entry) && !shows(operation, facts, response) {
            let detail = "the answer does not show the object, and it was not looked up";
            return Err(self.refuse(detail.into(), None));
        }
        let objects = std::mem::take(&mut self.objects);
        let mut walk = Walk::new(&self, operation, entry, facts);
        walk.out.objects = objects;
        walk.is_gapped = !self.sees_each(entry);
        walk.leaves_out = operation.has_several && self.conceals(operation, entry);
        walk.released(response)
    }

    /// The same by another plan, of an answer without a resource object; `None` when it must not leave at all.
    pub(crate) fn release_by(
        &self,
        plan: &Arc<Plan>,
        facts: &RequestFacts<'_>,
        response: &Json,
    ) -> Option<Released> {
        let mut walk = Walk::new(self, self.rules.op(self.operation)?, self.entry()?, facts);
        walk.root(plan, response).ok()?;
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
    pub(crate) out: Released,
    /// Plans for combinations of grants, kept for the next object.
    plans: Vec<(u64, Arc<Plan>)>,
    /// What the nested objects around a value let out of it.
    pub(crate) levels: Levels,
    verdicts: Vec<(Vec<u8>, Verdict)>,
    /// Whether objects of the answer may be hidden.
    pub(crate) is_gapped: bool,
    /// Whether a hidden object of its own place is left out, as none is.
    pub(crate) leaves_out: bool,
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
    /// It is one of many: an item of a list, or the value of an undeclared key.
    is_item: bool,
    /// The same of it, or of something that holds it.
    is_many: bool,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(crate) struct At<'p> {
    pub place: &'p Place,
    pub index: usize,
    pub within: Within,
    pub is_many: bool,
}

/// What was written before a value, for taking the value back.
struct Before {
    length: usize,
    fields_out: u32,
    is_first: bool,
    has_shown: bool,
}

impl<'a> Walk<'a> {
    fn new(
        permit: &'a Standing,
        operation: &'a Operation,
        entry: &'a Entry,
        facts: &'a RequestFacts<'a>,
    ) -> Walk<'a> {
        Walk {
            permit,
            operation,
            entry,
            facts,
            out: Released::default(),
            plans: Vec::new(),
            levels: Levels::default(),
            verdicts: Vec::new(),
            is_gapped: false,
            leaves_out: false,
            has_shown: false,
        }
    }
}

impl Walk<'_> {
    /// What leaves of an answer. Where nothing of a list may be seen, it reads the same whatever the upstream said.
    fn released(mut self, response: Option<&Json>) -> Result<Released, Box<Refusal>> {
        let operation = self.operation;
        if self.lacks_its_object(response) {
            return Err(self.shows_nothing());
        }
        let has_list = self.is_gapped && operation.pages.is_many;
        let is_hidden = operation.is_write && self.permit.conceals(operation, self.entry);
        let response = match response {
            Some(response) => response,
            None if has_list && is_hidden => return Err(self.shows_nothing()),
            None if has_list && !operation.is_write => &Json::Null,
            None => return Ok(self.out),
        };
        self.out.body.reserve(1024);
        let plan = self.entry.plan(operation, self.root_grants(response));
        self.root(&plan, response)?;
        if self.has_shown || !(has_list || self.leaves_out) {
            return Ok(self.out);
        }
        if is_hidden || operation.is_single {
            return Err(self.shows_nothing());
        }
        if has_list && !operation.is_write {
            self.without_objects(response)?;
        }
        Ok(self.out)
    }

    /// Writes an answer none of whose objects may be seen, in the one form for it.
    fn without_objects(&mut self, response: &Json) -> Result<(), Box<Refusal>> {
        let seen = self.out.fields_seen;
        self.out.body.clear();
        (self.out.fields_out, self.out.is_blank) = (0, true);
        let rest = blank::rest(response, self.operation.pages.cursor.as_ref());
        let plan = self.entry.plan(self.operation, self.root_grants(&rest));
        self.root(&plan, &rest)?;
        self.out.fields_seen = seen;
        Ok(())
    }

    /// The refusal of an answer that shows no object, where one that is hidden has to read the same.
    fn shows_nothing(&self) -> Box<Refusal> {
        let detail = "the answer holds no object, and one that is hidden must read the same";
        self.permit.refuse(detail.into(), None)
    }

    fn root(&mut self, plan: &Arc<Plan>, response: &Json) -> Result<(), Box<Refusal>> {
        let here = Self::at(plan, plan.root, Some(Within::default()), false);
        let gate = match here {
            Some(at) => self.gate(at, response)?,
            None => Gate::Hidden,
        };
        let blank = here.filter(|at| self.has_gaps(*at));
        match (gate, blank) {
            (Gate::Open(other, place, within), blank) => {
                let inner = other.as_ref().unwrap_or(plan);
                let at = Self::at(inner, Some(place), Some(within), false);
                let is_blank = self.value(inner, at, response)?;
                if let Some(at) = blank.filter(|_| is_blank) {
                    self.out.body.clear();
                    self.blank(plan, at);
                }
            }
            (_, Some(at)) => {
                self.out.fields_seen += leaves(response);
                self.blank(plan, at);
            }
            // Nothing of it leaves; what is left is still JSON.
            (_, None) => {
                self.out.fields_seen += leaves(response);
                self.out.body.extend_from_slice(match response {
                    Json::Object(_) => b"{}",
                    Json::List(_) => b"[]",
                    _ => b"null",
                });
            }
        }
        Ok(())
    }

    pub(crate) fn at(
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
                let (held, inside) = self.sight(kind, value, at.is_many);
                if held.grants == 0 {
                    return if at.is_many || self.leaves_out {
                        Ok(Gate::Withheld)
                    } else {
                        Err(self.refused(kind, value, held))
                    };
                }
                self.has_shown = true;
                self.name(kind, value, at.is_many);
                let within = match inside {
                    Inside::Shown(spot) => self.levels.add(at.within, &spot),
                    Inside::Free | Inside::Hidden => at.within,
                };
                let inner = self.plan(held.grants);
                Ok(match inner.start(node) {
                    Some(start) => Gate::Open(Some(inner), start, within),
                    None => Gate::Hidden,
                })
            }
            // None reads like one that is left out.
            (Guard::Outermost(..), Json::Null)
                if self.leaves_out || self.is_gapped && at.is_many =>
            {
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

    /// Writes a value. Whether nothing was written that says anything: an empty list or object, or `null`.
    fn value(
        &mut self,
        plan: &Plan,
        at: Option<At<'_>>,
        value: &Json,
    ) -> Result<bool, Box<Refusal>> {
        let Some(at) = at else {
            return Ok(true);
        };
        match value {
            Json::Object(members) => self.object(plan, at, members),
            Json::List(items) => self.list(plan, at, items),
            leaf => {
                self.out.fields_seen += 1;
                self.out.fields_out += 1;
                self.leaf(self.levels.sight(at.within, at.place.leaf), leaf);
                Ok(matches!(leaf, Json::Null))
            }
        }
    }

    fn object(
        &mut self,
        plan: &Plan,
        at: At<'_>,
        members: &[(Text, Json)],
    ) -> Result<bool, Box<Refusal>> {
        self.out.body.push(b'{');
        let is_filled = at.place.gaps.is_some();
        let (mut is_first, mut written) = (true, Vec::new());
        for (key, value) in members {
            if self.tells(at, key) {
                self.hold_back(&Gate::Hidden, value);
                continue;
            }
            // The values of undeclared keys are many, like the items of a list.
            let found = at.place.member(key);
            let is_rest = found.is_some_and(|(_, is_value)| is_value);
            let below = Below {
                place: found.map(|(place, _)| place),
                step: Step::Member(key),
                is_item: is_rest,
                is_many: at.is_many || is_rest,
            };
            if self.below(plan, at.within, below, value, &mut is_first)? && is_filled {
                written.push(key);
            }
        }
        let is_blank = is_first;
        self.fill(plan, at, &written, &mut is_first);
        self.out.body.push(b'}');
        Ok(is_blank)
    }

    fn list(&mut self, plan: &Plan, at: At<'_>, items: &[Json]) -> Result<bool, Box<Refusal>> {
        self.out.body.push(b'[');
        let mut is_first = true;
        for value in items {
            let below = Below {
                place: at.place.items,
                step: Step::Item,
                is_item: true,
                is_many: true,
            };
            self.below(plan, at.within, below, value, &mut is_first)?;
        }
        self.out.body.push(b']');
        Ok(is_first)
    }

    /// A member with its key, or an item. Whether it was written.
    fn below(
        &mut self,
        plan: &Plan,
        within: Within,
        below: Below<'_>,
        value: &Json,
        is_first: &mut bool,
    ) -> Result<bool, Box<Refusal>> {
        let mark = self.levels.mark();
        let within = below
            .place
            .and_then(|_| self.levels.enter(within, below.step));
        let gate = match Self::at(plan, below.place, within, below.is_many) {
            Some(at) => self.gate(at, value)?,
            None => Gate::Hidden,
        };
        let is_written = if let Gate::Open(other, place, within) = gate {
            let plan = other.as_deref().unwrap_or(plan);
            let at = Self::at(plan, Some(place), Some(within), below.is_many);
            self.passed(plan, at, below, value, is_first)?
        } else {
            self.hold_back(&gate, value);
            false
        };
        self.levels.leave(mark);
        Ok(is_written)
    }

    /// Writes what has passed its gate, and takes it back where it could tell that something was left out of it.
    fn passed(
        &mut self,
        plan: &Plan,
        at: Option<At<'_>>,
        below: Below<'_>,
        value: &Json,
        is_first: &mut bool,
    ) -> Result<bool, Box<Refusal>> {
        let before = Before {
            length: self.out.body.len(),
            fields_out: self.out.fields_out,
            is_first: *is_first,
            has_shown: self.has_shown,
        };
        let is_own = below.is_item && at.is_some_and(|at| self.is_about_own(at));
        self.has_shown &= !is_own;
        match below.step {
            Step::Member(key) => self.member_key(key, is_first),
            Step::Item | Step::Rest => self.comma(is_first),
        }
        let is_blank = self.value(plan, at, value)? && at.is_some_and(|at| self.has_gaps(at));
        let is_kept = !is_blank && (!is_own || self.has_shown);
        self.has_shown |= before.has_shown;
        if !is_kept {
            self.out.body.truncate(before.length);
            self.out.fields_out = before.fields_out;
            *is_first = before.is_first;
        }
        Ok(is_kept)
    }

    fn comma(&mut self, is_first: &mut bool) {
        if !*is_first {
            self.out.body.push(b',');
        }
        *is_first = false;
    }

    pub(crate) fn member_key(&mut self, key: &str, is_first: &mut bool) {
        self.comma(is_first);
        write_string(key, &mut self.out.body);
        self.out.body.push(b':');
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

    /// What may be seen of an object of the operation's own. Where only a condition about another object carries a write, the
    /// integration's own grants for the kind of the answer say that (see `nested`).
    pub(crate) fn sight(&mut self, kind: KindId, object: &Json, is_many: bool) -> (Held, Inside) {
        let held = self.outermost(kind, object, is_many);
        let permit = self.permit;
        if held.grants == 0 || !permit.is_limited(self.operation, self.entry, held.grants) {
            return (held, Inside::Free);
        }
        match self.nested(kind, object) {
            Inside::Hidden => (Held::default(), Inside::Hidden),
            inside => (held, inside),
        }
    }

    fn outermost(&mut self, kind: KindId, object: &Json, is_many: bool) -> Held {
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
            let object = kind_.object(&id);
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
