//! Stage `object`, before the upstream: whose object is it that the request changes or names?
//! Exports `Permit::before` and `Permit::judge`.
//! Used by gateway::pipeline, which fetches what these ask for.
//! Start reading at `Permit::before`.
//!
//! A write to an existing object is judged by the object as it is (looked up first) and as it will be (the body laid
//! over it, or alone where it replaces the object), so that nobody moves an object into or out of another's hands, and
//! by one and the same grant, which also has to let every sent field be sent. A new object is judged as the body
//! describes it, and so is each object that the body lists below the one of the path. A read of an object that its answer does not show is judged by looking the object up (see `reads`).
//! Other objects that a request names are judged in `named`.

use std::ops::ControlFlow;
use std::sync::Arc;

use model::shape::NodeId;
use model::{Cause, FieldError, FieldSet, Json, ObjectRef, Refusal};

use crate::cedar::Held;
use crate::input::{ParameterPlace, Source};
use crate::plan::{KindId, ResponseShape};
use crate::reasons::{ABSENT, CREATE_DENIED, ID_DIFFERS, PATCH_STEPS, TOO_DEEP, TOO_MANY};
use crate::rules::{Operation, OperationRef, Overlay, Rules, Seen, is_told_by_path};
use crate::standing::{Lookup, RequestFacts, Role, Standing};

impl Standing {
    /// Stage `object`, before the upstream: judges what the request alone shows and says which objects have to be
    /// fetched first. A permit with open lookups is not cleared.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`).
    pub(crate) fn before(&mut self, facts: &RequestFacts<'_>) -> Result<Vec<Lookup>, Box<Refusal>> {
        let rules = self.rules.clone();
        let Some(operation) = rules.op(self.operation) else {
            return Err(self.refuse("the operation is not of these rules".into(), None));
        };
        same_id(operation, &rules, facts)?;
        if self.is_asked {
            return Ok(Vec::new());
        }
        if operation.is_write {
            self.before_subject(operation, facts)?
        } else {
            self.before_read(operation, facts)?
        }
        self.before_references(operation, facts)?;
        self.is_asked = true;
        self.settle(facts)?;
        Ok(self.asked())
    }

    /// What has to be fetched, each object once.
    pub(crate) fn asked(&self) -> Vec<Lookup> {
        let mut all: Vec<Lookup> = Vec::new();
        for (lookup, _) in &self.pending {
            if !all.contains(lookup) {
                all.push(lookup.clone());
            }
        }
        all
    }

    fn before_subject(
        &mut self,
        operation: &Operation,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let rules = self.rules.clone();
        let integration = self.integration.clone();
        let entry = integration.entries.get(&self.operation);
        let Some(set) = entry.and_then(|entry| entry.at_object.as_ref()) else {
            return Ok(());
        };
        let named = operation
            .subject
            .as_ref()
            .and_then(|(kind, source)| Some((*kind, subject_id(source, facts)?)));
        let Some((kind, id)) = named else {
            return self.before_create(operation, facts);
        };
        let Some(shape) = rules.kind(kind) else {
            return Err(self.refuse("the kind is not of these rules".into(), None));
        };
        self.name_object(shape, &id);
        let is_told = is_told_by_path(shape, set);
        let is_steps = facts.body.is_some_and(|b| operation.change.is_steps(b));
        if is_steps && !is_told {
            let detail = "what steps make of the object cannot be judged";
            return Err(PATCH_STEPS.because(detail));
        }
        if operation.change.holds_items() {
            self.before_items(operation, facts)?;
        }
        if is_told {
            let seen = Seen {
                id: Some(&id),
                path: facts.path,
                object: None,
                overlay: None,
            };
            return self.judge_change(kind, &seen, facts);
        }
        self.look_up(kind, id, facts, Role::Subject(kind))
    }

    /// Objects that the body lists below the one that the path names: each is a new one, or with an id one that may be
    /// there already.
    fn before_items(
        &mut self,
        operation: &Operation,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let mut found = Vec::new();
        if let Some(body) = facts.body {
            items_in(operation.request_ground(), 0, body, &mut found);
        }
        found.retain(|(kind, _)| operation.resources.contains(kind));
        for (kind, object) in found {
            let seen = as_described(object, facts);
            let held = self.holds(kind, &seen, "as it would be created");
            self.proven &= held.map_err(|refusal| refused_create(&refusal))?.grants;
            self.look_up_item(kind, object, facts)?;
        }
        Ok(())
    }

    /// An object with an id may exist already, whatever the body says it is like.
    fn look_up_item(
        &mut self,
        kind: KindId,
        object: &Json,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let rules = self.rules.clone();
        match rules.kind(kind).and_then(|k| own_id(&k.id, object)) {
            Some(id) => self.look_up(kind, id, facts, Role::Item(kind)),
            None => Ok(()),
        }
    }

    /// A new object, or several, as the body describes them.
    fn before_create(
        &mut self,
        operation: &Operation,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        self.judge_new(operation, facts)
            .map_err(|refusal| refused_create(&refusal))?;
        for (kind, object) in new_objects(operation, facts) {
            self.look_up_item(kind, object, facts)?;
        }
        Ok(())
    }

    fn judge_new(
        &mut self,
        operation: &Operation,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let found = new_objects(operation, facts);
        if found.is_empty() {
            return Err(self.refuse("the request holds no object to judge".into(), None));
        }
        let mut held = self.live;
        for (kind, object) in found {
            let seen = as_described(object, facts);
            held &= self.holds(kind, &seen, "as it would be created")?.grants;
        }
        self.proven &= held;
        self.writes_within(held, facts)
    }

    pub(crate) fn look_up(
        &mut self,
        kind: KindId,
        id: String,
        facts: &RequestFacts<'_>,
        role: Role,
    ) -> Result<(), Box<Refusal>> {
        let rules = self.rules.clone();
        let Some(shape) = rules.kind(kind) else {
            return Err(self.refuse("the kind is not of these rules".into(), None));
        };
        let Some((operation, parameter)) = &shape.resolve else {
            return Err(self.refuse(
                format!(
                    "{}:{id} has to be judged, but the api names no `resolve` operation for it",
                    shape.schema
                ),
                None,
            ));
        };
        // Other parts of the path, such as a site above the object, come from the request itself.
        let mut path = vec![(parameter.clone(), id.clone())];
        let others = rules
            .op(*operation)
            .into_iter()
            .flat_map(|op| &op.parameters);
        for other in others.filter(|p| p.place == ParameterPlace::Path && p.name != *parameter) {
            let Some((name, value)) = facts.path.iter().find(|(name, _)| *name == other.name)
            else {
                let detail = format!(
                    "{}:{id} cannot be looked up: the request does not name `{}`",
                    shape.schema, other.name
                );
                return Err(self.refuse(detail, None));
            };
            path.push((name.clone(), value.clone()));
        }
        let lookup = Lookup {
            kind: shape.schema.clone(),
            id,
            operation: *operation,
            path,
        };
        let is_new = !self.pending.iter().any(|(known, _)| *known == lookup);
        if !self.pending.contains(&(lookup.clone(), role)) {
            self.pending.push((lookup, role));
        }
        self.lookups = self.lookups.saturating_add(usize::from(is_new));
        let most = rules
            .op(self.operation)
            .map_or(0, |operation| operation.lookups_max);
        if self.lookups > most {
            Err(TOO_MANY.because(format!(
                "more than {most} objects to look up; `lookups_max` of the api sets the bound"
            )))
        } else {
            Ok(())
        }
    }

    /// Judges one fetched object. `answer` is the body of the lookup's successful answer; `None` when the upstream
    /// knows no such object (404 or 410). Any other answer is a fault, and the request must not be forwarded.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`).
    pub(crate) fn judge(
        &mut self,
        lookup: &Lookup,
        facts: &RequestFacts<'_>,
        response: Option<&Json>,
    ) -> Result<(), Box<Refusal>> {
        let rules = self.rules.clone();
        let known = self.pending.iter().filter(|(known, _)| known == lookup);
        let roles: Vec<Role> = known.map(|(_, role)| *role).collect();
        let Some(operation) = rules.op(self.operation).filter(|_| !roles.is_empty()) else {
            return Err(self.refuse(
                format!("{}:{} was not asked for", lookup.kind, lookup.id),
                None,
            ));
        };
        for role in roles {
            self.judge_as(role, operation, lookup, facts, response)?;
        }
        self.pending.retain(|(known, _)| known != lookup);
        self.settle(facts)
    }

    /// Once all objects of a write are judged: only grants that held for each of them let anything be sent.
    fn settle(&self, facts: &RequestFacts<'_>) -> Result<(), Box<Refusal>> {
        let operation = self.rules.op(self.operation);
        let is_judged = self
            .entry()
            .is_some_and(|entry| entry.at_object.is_some() || !entry.at_named.is_empty());
        if !is_judged || !self.is_cleared() || !operation.is_some_and(|op| op.is_write) {
            return Ok(());
        }
        let held = self.live & self.proven;
        if held == 0 {
            let detail = "no one grant's condition holds for every object that the request changes";
            return Err(self.refuse(detail.into(), None));
        }
        self.writes_within(held, facts)
    }

    /// Whether a lookup is of the object that the request changes, which its path names.
    pub fn is_changed(&self, lookup: &Lookup) -> bool {
        let operation = self.rules.op(self.operation);
        let is_change = operation.is_some_and(|operation| {
            operation.is_write && matches!(operation.subject, Some((_, Source::Path(_))))
        });
        let is_subject =
            |(known, role): &(Lookup, Role)| known == lookup && matches!(role, Role::Subject(_));
        is_change && self.pending.iter().any(is_subject)
    }

    /// Whether a lookup is of the object that the request is about.
    pub fn is_subject(&self, lookup: &Lookup) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|(known, role)| known == lookup && matches!(role, Role::Subject(_)))
    }

    fn judge_as(
        &mut self,
        role: Role,
        operation: &Operation,
        lookup: &Lookup,
        facts: &RequestFacts<'_>,
        response: Option<&Json>,
    ) -> Result<(), Box<Refusal>> {
        let (Role::Subject(kind)
        | Role::Parent(kind, _)
        | Role::Item(kind)
        | Role::Reference(kind)) = role;
        let object = match response {
            Some(response) => Some(self.asked_for(kind, lookup, response)?),
            None => None,
        };
        let path = match role {
            Role::Subject(_) | Role::Parent(..) | Role::Item(_) => facts.path,
            Role::Reference(_) => &lookup.path,
        };
        let seen = Seen {
            id: Some(&lookup.id),
            path,
            object,
            overlay: None,
        };
        match (role, response) {
            // As it will be, it was judged by the body.
            (Role::Item(_), None) => {}
            (Role::Item(_), Some(_)) => {
                self.proven &= self.holds(kind, &seen, "as it is")?.grants;
            }
            (Role::Subject(_), None) => {
                let is_in_body = operation
                    .subject
                    .as_ref()
                    .is_some_and(|(_, s)| matches!(s, Source::Body(_)));
                // An id in the body that does not exist yet is a new object.
                if is_in_body {
                    self.judge_new(operation, facts)?
                } else {
                    return Err(absent(lookup));
                }
            }
            (Role::Reference(_) | Role::Parent(..), None) => return Err(absent(lookup)),
            (Role::Subject(_), Some(_)) if operation.is_write => {
                self.judge_change(kind, &seen, facts)?;
            }
            (Role::Subject(_), Some(_)) => self.judge_read(kind, &seen)?,
            (Role::Parent(_, index), Some(_)) => self.judge_parent(index, kind, &seen)?,
            (Role::Reference(_), Some(_)) => {
                if self.may_see(kind, &seen) != Some(true) {
                    let detail = format!(
                        "the request names {}:{}, which no grant lets the integration read",
                        lookup.kind, lookup.id
                    );
                    return Err(self.refuse_for(Cause::Reference, detail, None));
                }
            }
        }
        Ok(())
    }

    /// The object that was asked for. An answer that shows another one says nothing of it: an upstream that answers twice,
    /// or one call late, shows what the caller asked for before.
    fn asked_for<'j>(
        &self,
        kind: KindId,
        lookup: &Lookup,
        response: &'j Json,
    ) -> Result<&'j Json, Box<Refusal>> {
        let fetched = self.rules.op(lookup.operation);
        let object = fetched.and_then(|op| object_of(op.ground(), kind, response));
        let source = self.rules.kind(kind).map(|kind| &kind.id);
        let is_it = |object: &&Json| {
            let own = source.and_then(|source| own_id(source, object));
            own.is_none_or(|own| own == lookup.id)
                || (std::ptr::eq(*object, response) && is_named_by(&lookup.id, object))
        };
        object.filter(is_it).ok_or_else(|| {
            let (kind, id) = (&lookup.kind, &lookup.id);
            self.refuse(
                format!("the answer of the look-up does not show {kind}:{id}"),
                None,
            )
        })
    }

    /// An existing object, as it is and as it will be.
    fn judge_change(
        &mut self,
        kind: KindId,
        seen: &Seen<'_>,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let rules = self.rules.clone();
        let Some(operation) = rules.op(self.operation) else {
            return Err(self.refuse("the operation is not of these rules".into(), None));
        };
        let mut held = self.holds(kind, seen, "as it is")?.grants;
        if let Some(body) = facts.body {
            let overlay = Overlay {
                body,
                change: &operation.change,
            };
            let after = Seen {
                overlay: Some(overlay),
                path: facts.path,
                ..*seen
            };
            let after = self.holds(kind, &after, "as the request would make it");
            held &= match after {
                Err(_) if overlay.is_too_deep() => {
                    return Err(TOO_DEEP.because("an undeclared attribute may stand deeper"));
                }
                after => after?.grants,
            };
        }
        self.proven &= held;
        // Where the answer shows no object that could be judged again, only what holds lets anything leave.
        if !operation.ground().is_guarded() {
            self.live &= held;
        }
        Ok(())
    }

    pub(crate) fn holds(
        &self,
        kind: KindId,
        seen: &Seen<'_>,
        when: &str,
    ) -> Result<Held, Box<Refusal>> {
        let held = match self.entry() {
            Some(entry) => self.held(entry, kind, seen),
            None => Held::default(),
        };
        if held.grants != 0 {
            return Ok(held);
        }
        let schema = self.rules.kind(kind).map_or("object", |k| &*k.schema);
        let id = seen.id.unwrap_or("new");
        let detail = match &held.forbidden {
            Some(rule) => format!("{rule} forbids {schema}:{id} {when}"),
            None => format!("no grant's condition holds for {schema}:{id} {when}"),
        };
        Err(self.refuse_for(Cause::Condition, detail, held.forbidden))
    }

    /// Grants that do not hold for the object do not let anything be sent either.
    fn writes_within(&self, held: u64, facts: &RequestFacts<'_>) -> Result<(), Box<Refusal>> {
        let (Some(entry), Some(body)) = (self.entry(), facts.body) else {
            return Ok(());
        };
        // What all of them let be sent was asked of the body before.
        if held == self.decided {
            return Ok(());
        }
        match beyond(body, &entry.writes_of(held)) {
            None => Ok(()),
            Some(pointer) => Err(self.refuse_for(
                Cause::Writes,
                format!("no grant that holds for this object lets `{pointer}` be sent"),
                None,
            )),
        }
    }
}

/// The object that the path of a call names as the one it is about, whether anything has to be evaluated for it or not.
pub fn object_in_path(
    rules: &Rules,
    operation: OperationRef,
    path: &[(Arc<str>, String)],
) -> Option<ObjectRef> {
    let Some((kind, Source::Path(name))) = &rules.op(operation)?.subject else {
        return None;
    };
    let (_, id) = path.iter().find(|(known, _)| known == name)?;
    Some(rules.kind(*kind)?.object(id))
}

/// The refusal of a create says what it is: the request alone decided, and there is no object to hide. A request that
/// names an id reads as it would for a hidden object of that id, so it is not refused like this.
fn refused_create(refusal: &Refusal) -> Box<Refusal> {
    CREATE_DENIED
        .because(refusal.detail.clone())
        .with_cause(refusal.why)
        .with_rule(refusal.rule.clone())
}

fn absent(lookup: &Lookup) -> Box<Refusal> {
    ABSENT.because(format!(
        "the upstream knows no {}:{}",
        lookup.kind, lookup.id
    ))
}

pub(crate) fn subject_id(source: &Source, facts: &RequestFacts<'_>) -> Option<String> {
    match source {
        Source::Path(name) => facts
            .path
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.clone()),
        Source::Body(steps) => {
            let value = steps
                .iter()
                .try_fold(facts.body?, |here, step| here.get(step))?;
            id_text(value)
        }
    }
}

/// An id as text.
pub(crate) fn id_text(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.to_string()),
        Json::Number(digits) => Some(digits.to_string()),
        _ => None,
    }
}

/// A new object, of which only the request tells.
fn as_described<'a>(object: &'a Json, facts: &RequestFacts<'a>) -> Seen<'a> {
    Seen {
        id: None,
        path: facts.path,
        object: Some(object),
        overlay: None,
    }
}

/// The objects a body describes. When its schema has another name than the object's, the body itself is the object.
fn new_objects<'a>(operation: &Operation, facts: &RequestFacts<'a>) -> Vec<(KindId, &'a Json)> {
    let mut found = Vec::new();
    let (Some(body), Some(kind)) = (facts.body, operation.resources.first()) else {
        return found;
    };
    objects_in(operation.request_ground(), 0, body, &mut found);
    if found.is_empty() {
        let items: &[Json] = match body {
            Json::List(items) => items,
            body => std::slice::from_ref(body),
        };
        found.extend(items.iter().map(|item| (*kind, item)));
    }
    found
}

/// The id an object carries in itself: where the kind says, else under the parameter's name, else `id`.
pub(crate) fn own_id(source: &Source, object: &Json) -> Option<String> {
    match source {
        Source::Body(steps) => id_text(steps.iter().try_fold(object, |here, step| here.get(step))?),
        Source::Path(name) => id_text(object.get(name).or_else(|| object.get("id"))?),
    }
}

/// Whether one of an object's own members has this value: some are addressed by a number or a name beside their `id`. Upper
/// and lower case are alike, as in UUIDs.
fn is_named_by(id: &str, object: &Json) -> bool {
    let Json::Object(members) = object else {
        return false;
    };
    let mut values = members.iter().filter_map(|(_, value)| id_text(value));
    values.any(|value| value.eq_ignore_ascii_case(id))
}

/// An id in the body of a request that is sent to one object has to be that object's.
fn same_id(
    operation: &Operation,
    rules: &Rules,
    facts: &RequestFacts<'_>,
) -> Result<(), Box<Refusal>> {
    let is_asked = operation.is_write && operation.change.is_at_id;
    let Some(body) = facts.body.filter(|_| is_asked) else {
        return Ok(());
    };
    let subject = operation.subject.as_ref();
    let named = subject.and_then(|(kind, at)| Some((rules.kind(*kind)?, subject_id(at, facts)?)));
    let Some((kind, id)) = named else {
        return Ok(());
    };
    let objects = operation.change.objects.iter().filter_map(|at| {
        let object = at.iter().try_fold(body, |here, step| here.get(step))?;
        Some((at, object))
    });
    for (at, object) in objects {
        if let Some((steps, own)) = own_member(&kind.id, object)
            && id_text(own).as_ref() != Some(&id)
        {
            let steps = at.iter().map(|step| &**step).chain(steps);
            return Err(id_differs(steps));
        }
    }
    Ok(())
}

fn id_differs<'s>(steps: impl Iterator<Item = &'s str>) -> Box<Refusal> {
    let escaped = steps.map(|step| step.replace('~', "~0").replace('/', "~1"));
    let error = FieldError {
        place: "body",
        pointer: escaped.map(|step| format!("/{step}")).collect(),
        keyword: "idDiffers".into(),
        detail: "this is not the id that the path names".into(),
        fix: "send the id of the path, or leave it out".into(),
    };
    ID_DIFFERS
        .because("the id in the body is not the one in the path")
        .with_errors(vec![error])
}

/// The member that holds the id an object carries in itself, with the steps to it.
fn own_member<'a>(source: &'a Source, object: &'a Json) -> Option<(Vec<&'a str>, &'a Json)> {
    match source {
        Source::Body(steps) => {
            let value = steps.iter().try_fold(object, |here, step| here.get(step))?;
            Some((steps.iter().map(|step| &**step).collect(), value))
        }
        Source::Path(name) => {
            let named = |name: &'a str| Some((vec![name], object.get(name)?));
            named(name).or_else(|| named("id"))
        }
    }
}

/// The objects of a message that stand in lists.
fn items_in<'a>(
    ground: ResponseShape<'_>,
    node: NodeId,
    value: &'a Json,
    out: &mut Vec<(KindId, &'a Json)>,
) {
    let Some(place) = ground.shape.node(node) else {
        return;
    };
    match value {
        Json::List(_) => objects_in(ground, node, value, out),
        Json::Object(members) if ground.guard(node).is_none() => {
            for (key, value) in members {
                let below = place.fields.get(&**key).map(|f| f.node).or(place.values);
                if let Some(below) = below {
                    items_in(ground, below, value, out);
                }
            }
        }
        _ => {}
    }
}

/// The outermost objects of a message.
pub(crate) fn objects_in<'a>(
    ground: ResponseShape<'_>,
    node: NodeId,
    value: &'a Json,
    out: &mut Vec<(KindId, &'a Json)>,
) {
    if !ground.leads.get(node).copied().unwrap_or(false) {
        return;
    }
    let Some(place) = ground.shape.node(node) else {
        return;
    };
    match (value, ground.guard(node), place.items) {
        (Json::List(items), _, Some(item)) => {
            items
                .iter()
                .for_each(|value| objects_in(ground, item, value, out));
        }
        (Json::Object(_), Some(kind), _) => out.push((kind, value)),
        (Json::Object(members), None, _) => {
            for (key, value) in members {
                let below = place.fields.get(&**key).map(|f| f.node).or(place.values);
                if let Some(below) = below {
                    objects_in(ground, below, value, out);
                }
            }
        }
        _ => {}
    }
}

/// The one object of a kind in a lookup's answer.
fn object_of<'a>(ground: ResponseShape<'_>, kind: KindId, response: &'a Json) -> Option<&'a Json> {
    let mut found = Vec::new();
    objects_in(ground, 0, response, &mut found);
    let mut fitting = found.into_iter().filter(|(found, _)| *found == kind);
    match (fitting.next(), fitting.next()) {
        (Some((_, object)), None) => Some(object),
        // Several: which of them was meant cannot be told.
        _ => None,
    }
}

/// The first value of a body outside a set of fields, as a JSON pointer.
fn beyond(body: &Json, set: &FieldSet) -> Option<String> {
    let mut first = None;
    let _ = set.outside(body, &mut |at| {
        first = Some(at.pointer());
        ControlFlow::Break(())
    });
    first
}
