//! Reads of one object: is the object that the path names judged before a byte of the answer leaves?
//! Exports `Permit::after`, and the steps of `Permit::before` and `Permit::judge` that are about reads and parents.
//! Used by gateway::pipeline, `object` and `release`.
//! Start reading at `Permit::before_read`.
//!
//! Where the answer shows the object, it is judged there, and nothing has to be looked up. Where the shape of the
//! answer cannot show it (a list below it, a part of it, another object, no body at all), it is looked up before the
//! request is forwarded. Where an answer that could show it does not (`null`, left out, another object, another
//! shape), it is looked up afterwards, and nothing leaves until it is judged.

use model::{Cause, Json, Refusal};

use crate::input::Source;
use crate::object::{own_id, subject_id};
use crate::plan::KindId;
use crate::rules::{Entry, Operation, Seen, Shown, is_told_by_path};
use crate::standing::{Lookup, RequestFacts, Role, Standing};

impl Standing {
    /// A read: by what the path says, by looking the object up, or by the answer.
    pub(crate) fn before_read(
        &mut self,
        operation: &Operation,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let (rules, integration) = (self.rules.clone(), self.integration.clone());
        let entry = integration.entries.get(&self.operation);
        let Some(set) = entry.and_then(|entry| entry.at_object.as_ref()) else {
            return Ok(());
        };
        let Some((kind, source @ Source::Path(_))) = &operation.subject else {
            return match operation.ground().is_guarded() {
                // Each object of the answer is judged there.
                true => Ok(()),
                false => Err(self.refuse("nothing shows the object to judge".into(), None)),
            };
        };
        let (Some(id), Some(shape)) = (subject_id(source, facts), rules.kind(*kind)) else {
            return Err(self.refuse("the path names no object".into(), None));
        };
        self.name_object(shape, &id);
        if is_told_by_path(shape, set) {
            let seen = Seen {
                id: Some(&id),
                path: facts.path,
                object: None,
                overlay: None,
            };
            return self.judge_read(*kind, &seen);
        }
        match operation.shown {
            Shown::Nowhere => self.look_up(*kind, id, facts, Role::Subject(*kind)),
            Shown::Root | Shown::Inside { .. } => Ok(()),
        }
    }

    /// After the upstream answered: the objects that still have to be fetched and shown to [`Permit::judge`], because
    /// the answer does not show what it should. `answer` is `None` when it has no body, or none that may be read as
    /// the declared answer.
    ///
    /// # Errors
    /// `object.denied` or `object.absent` (by `deny_as`) when nothing else shows the object either.
    pub(crate) fn after(
        &mut self,
        facts: &RequestFacts<'_>,
        response: Option<&Json>,
    ) -> Result<Vec<Lookup>, Box<Refusal>> {
        let (rules, integration) = (self.rules.clone(), self.integration.clone());
        let known = rules
            .op(self.operation)
            .zip(integration.entries.get(&self.operation));
        let Some((operation, entry)) = known else {
            return Err(self.refuse("the operation is not of these rules".into(), None));
        };
        if !self.owes(operation, entry) || shows(operation, facts, response) {
            return Ok(Vec::new());
        }
        let Some((kind, source)) = &operation.subject else {
            return Ok(Vec::new());
        };
        let resolve = rules.kind(*kind).and_then(|kind| kind.resolve.as_ref());
        let other = resolve.filter(|(resolve, _)| *resolve != self.operation);
        // Asking the same operation again would say the same again.
        let (Some(id), Some(_)) = (subject_id(source, facts), other) else {
            let detail = "the answer does not show the object, and nothing else does";
            return Err(self.refuse(detail.into(), None));
        };
        self.look_up(*kind, id, facts, Role::Subject(*kind))?;
        Ok(self.asked())
    }

    /// Whether the object that the path names has yet to be judged by the answer.
    pub(crate) fn owes(&self, operation: &Operation, entry: &Entry) -> bool {
        let is_named = matches!(operation.subject, Some((_, Source::Path(_))));
        !operation.is_write && is_named && entry.at_object.is_some() && !self.is_judged
    }

    /// The object as it is. Grants that do not hold for it let nothing leave.
    pub(crate) fn judge_read(&mut self, kind: KindId, seen: &Seen<'_>) -> Result<(), Box<Refusal>> {
        let held = self.holds(kind, seen, "as it is")?;
        self.live = held.grants;
        self.is_judged = true;
        Ok(())
    }

    /// Another object that the path names, where conditions or policies are about it.
    pub(crate) fn before_parent(
        &mut self,
        index: usize,
        kind: KindId,
        id: &str,
        facts: &RequestFacts<'_>,
    ) -> Result<(), Box<Refusal>> {
        let (rules, integration) = (self.rules.clone(), self.integration.clone());
        let entry = integration.entries.get(&self.operation);
        let mut sets = entry.into_iter().flat_map(|entry| &entry.at_named);
        let set = sets.find(|(at, _)| *at == index);
        let (Some((_, set)), Some(shape)) = (set, rules.kind(kind)) else {
            return Ok(());
        };
        if is_told_by_path(shape, set) {
            let seen = Seen {
                id: Some(id),
                path: facts.path,
                object: None,
                overlay: None,
            };
            return self.judge_parent(index, kind, &seen);
        }
        self.look_up(kind, id.to_owned(), facts, Role::Parent(kind, index))
    }

    pub(crate) fn judge_parent(
        &mut self,
        index: usize,
        kind: KindId,
        seen: &Seen<'_>,
    ) -> Result<(), Box<Refusal>> {
        let integration = self.integration.clone();
        let entry = integration.entries.get(&self.operation);
        let mut sets = entry.into_iter().flat_map(|entry| &entry.at_named);
        let Some((_, set)) = sets.find(|(at, _)| *at == index) else {
            return Ok(());
        };
        let judged = self.judged(set, self.operation, kind, seen);
        let failed = set.grant_bits() & !judged.grants;
        // A condition about the answer's own objects decides here about the root alone.
        let on_named = entry.map_or(0, |entry| entry.on_named);
        let live = self.live & !(failed & on_named);
        if judged.forbidden.is_none() && live != 0 {
            self.live = live;
            self.roots_closed |= failed;
            return Ok(());
        }
        let schema = self.rules.kind(kind).map_or("object", |k| &*k.schema);
        let id = seen.id.unwrap_or("?");
        let detail = match &judged.forbidden {
            Some(rule) => format!("{rule} forbids {schema}:{id}, which the path names"),
            None => format!("no grant's condition holds for {schema}:{id}, which the path names"),
        };
        Err(self.refuse_for(Cause::ParentCondition, detail, judged.forbidden))
    }
}

/// Whether a read's answer shows the object that the path names.
pub(crate) fn shows(
    operation: &Operation,
    facts: &RequestFacts<'_>,
    response: Option<&Json>,
) -> bool {
    let (Some(response), Some((_, source))) = (response, &operation.subject) else {
        return false;
    };
    match &operation.shown {
        Shown::Nowhere => false,
        Shown::Root => matches!(response, Json::Object(_)),
        Shown::Inside { steps, is_trusted } => {
            let reached = steps.iter().try_fold(response, |here, step| here.get(step));
            let Some(object @ Json::Object(_)) = reached else {
                return false;
            };
            match (own_id(source, object), subject_id(source, facts)) {
                (Some(own), Some(asked)) => own == asked,
                (None, _) => *is_trusted,
                (Some(_), None) => false,
            }
        }
    }
}
