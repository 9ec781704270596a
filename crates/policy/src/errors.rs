//! Answers by which the upstream reports an error: what of them may leave, and what they must not tell.
//! Exports `Concealment`; gives `Permit::concealment`, `Permit::release_error` and `Permit::changes`.
//! Used by gateway's stage response.
//! Start reading at `Permit::concealment`.
//!
//! The fields of `errors` are relative to the root of the error answer. An error answer shows no resource object, so it
//! proves no condition: fields leave by grants that are known to hold, that is without a condition on objects, or with one that
//! the object was judged by before the call. A declared object inside an error answer is judged as inside any other.

use std::sync::Arc;

use model::{Json, Shape};

use crate::input::DenyAs;
use crate::plan::{KindId, Plan, ResponseShape};
use crate::rules::{Entry, Operation};
use crate::standing::{Released, RequestFacts, Standing};

/// What the grants hide from a caller, as far as the status of an upstream's answer could tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concealment {
    /// Nothing: every object is the caller's, or a refused one reads as forbidden anyhow.
    Nothing,
    /// That an object exists: one that does not must read like one that is hidden.
    Absence,
    /// That a list holds objects: without any it must read like one of which nothing may be seen.
    Members,
    /// The same, and the object was not judged before the call: whatever the upstream says of it may be about a hidden one.
    Everything,
}

/// One declared error answer of an operation.
#[derive(Debug)]
pub(crate) struct ErrorGround {
    /// Which of the operation's declared answers it is.
    pub response: usize,
    pub shape: Arc<Shape>,
    pub guards: Vec<Option<KindId>>,
}

impl ErrorGround {
    /// Nothing in it leads to a resource object: field lists are relative to the root.
    pub fn ground(&self) -> ResponseShape<'_> {
        ResponseShape {
            shape: &self.shape,
            guards: &self.guards,
            leads: &[],
        }
    }
}

/// What leaves of one error answer under the combinations of grants that are worth preparing.
#[derive(Debug)]
pub(crate) struct ErrorPlans {
    pub response: usize,
    pub plans: Vec<(u64, Arc<Plan>)>,
}

impl ErrorPlans {
    /// What leaves when these grants hold.
    pub fn plan(&self, operation: &Operation, entry: &Entry, held: u64) -> Option<Arc<Plan>> {
        if let Some((_, plan)) = self.plans.iter().find(|(bits, _)| *bits == held) {
            return Some(plan.clone());
        }
        let error = operation
            .errors
            .iter()
            .find(|e| e.response == self.response)?;
        let trees: Vec<_> = entry.held(held).map(|grant| &*grant.errors).collect();
        Some(Arc::new(Plan::build(error.ground(), &trees)))
    }
}

impl Standing {
    /// What an answer that reports an error must not tell.
    pub fn concealment(&self) -> Concealment {
        let known = self.rules.op(self.operation).zip(self.entry());
        let Some((operation, entry)) = known else {
            return Concealment::Everything;
        };
        if self.deny_as() != DenyAs::NotFound {
            return Concealment::Nothing;
        }
        let is_read = !operation.is_write;
        let is_judged = operation.subject.is_some() && entry.at_object.is_some();
        if is_judged && self.owes(operation, entry) {
            Concealment::Everything
        } else if is_read && self.may_lack_another(operation, entry) {
            // The object that the path names was judged. The one that is answered was not.
            Concealment::Everything
        } else if is_read && operation.pages.is_many && !self.sees_each(entry) {
            Concealment::Members
        } else if is_judged || operation.has_references() {
            Concealment::Absence
        } else {
            Concealment::Nothing
        }
    }

    /// Whether the request names the one object it is about.
    pub fn names_object(&self) -> bool {
        self.rules
            .op(self.operation)
            .is_some_and(|operation| operation.subject.is_some())
    }

    /// Whether the operation may change something.
    pub fn changes(&self) -> bool {
        self.rules
            .op(self.operation)
            .is_none_or(|operation| operation.is_write)
    }

    /// Lets out of an error answer what `errors` grants. `answer` is the number of the declared answer it is.
    /// `None` when nothing of it may leave.
    pub fn release_error(
        &self,
        facts: &RequestFacts<'_>,
        response: usize,
        body: &Json,
    ) -> Option<Released> {
        let operation = self.rules.op(self.operation)?;
        let entry = self.entry()?;
        let prepared = entry
            .errors
            .iter()
            .find(|plans| plans.response == response)?;
        let held = self.proven_for_errors(operation, entry);
        let plan = prepared.plan(operation, entry, held)?;
        let released = self.release_by(&plan, facts, body)?;
        (released.fields_out > 0).then_some(released)
    }

    /// Whether any grant lists error fields for this operation.
    pub fn tells_errors(&self) -> bool {
        self.entry().is_some_and(|entry| !entry.errors.is_empty())
    }

    /// The grants that are known to hold.
    fn proven_for_errors(&self, operation: &Operation, entry: &Entry) -> u64 {
        let known = self.live & self.proven;
        match &entry.at_object {
            Some(set) if self.owes(operation, entry) && set.has_forbid() => 0,
            Some(_) if self.owes(operation, entry) => known & !entry.on_object,
            _ => known,
        }
    }
}
