//! Stage `authz`: may this caller use this operation at all.
//! Exports `decide` and the proof `Granted`, without which nothing is validated, inspected or forwarded.
//! Used by the pipeline.
//! Start reading at `decide`.

use std::sync::Arc;

use identity::Caller;
use model::{CanonicalRequest, Stage};
use policy::{Permit, Question};

use crate::context::{Op, RequestContext, Target};
use crate::{RequestState, Stop};

/// One request's caller, operation and permit, bound to each other. Private fields, made here only: a later stage cannot
/// pair the permit with another caller, another operation or the values of another path.
///
/// Boxed, as the proofs after it are: they are handed on by value from stage to stage, and should not be copied each time.
pub struct Granted<'r>(Box<Parts<'r>>);

struct Parts<'r> {
    permit: Permit<Caller>,
    op: Op<'r>,
    path_values: Vec<(Arc<str>, String)>,
}

impl<'r> Granted<'r> {
    /// Who was accepted.
    pub fn caller(&self) -> &Caller {
        self.0.permit.caller()
    }

    /// What they may use.
    pub fn op(&self) -> &Op<'r> {
        &self.0.op
    }

    /// Decoded path parameters.
    pub fn path_values(&self) -> &[(Arc<str>, String)] {
        &self.0.path_values
    }

    /// The permit, with what is owed for objects and fields.
    pub fn permit(&self) -> &Permit<Caller> {
        &self.0.permit
    }

    /// The permit to be moved on, and the values of the path it was asked for.
    pub(super) fn split(&mut self) -> (&mut Permit<Caller>, &[(Arc<str>, String)]) {
        let parts = &mut *self.0;
        (&mut parts.permit, &parts.path_values)
    }

    /// The permit to be used up, and the values of the path it was asked for.
    pub(super) fn into_parts(self) -> (Permit<Caller>, Vec<(Arc<str>, String)>) {
        (self.0.permit, self.0.path_values)
    }
}

/// Asks policy.
pub fn decide<'r>(
    x: &mut RequestState<'_, '_>,
    caller: &Caller,
    target: Target,
    asked: &CanonicalRequest,
    op: Op<'r>,
    r: &RequestContext<'_>,
) -> Result<Granted<'r>, Stop> {
    x.enter(Stage::Authz);
    in_scope(caller, &op)?;
    let question = Question {
        caller,
        operation: op.policy,
        listener: &x.peer.listener,
        deny_as: deny_as(r),
        address: x.address,
        path: &target.path_values,
        query: asked.query(),
        now: x.now,
    };
    let permit = policy::decide(&question, &r.snapshot.compiled.rules)?;
    x.event.rule = permit.rule().cloned();
    Ok(Granted(Box::new(Parts {
        permit,
        op,
        path_values: target.path_values,
    })))
}

/// Refuses what the credential itself was not issued for, whatever its integration is granted (RFC 6750 §3.1).
fn in_scope(caller: &Caller, op: &Op<'_>) -> Result<(), Stop> {
    let (version, operation) = (op.version_name(), &*op.operation.id);
    if caller.scopes().covers(version, operation) {
        return Ok(());
    }
    let scope = format!("{version}:{operation}");
    let detail = format!("{} is not issued for `{scope}`", caller.credential());
    let mut refusal = policy::OPERATION_NOT_GRANTED.because(detail);
    refusal.scope = Some(scope);
    Err(refusal.into())
}

/// How a refused object reads where its grant does not say: as the listener has it, hidden when in doubt.
fn deny_as(r: &RequestContext<'_>) -> policy::DenyAs {
    r.listener
        .map_or(policy::DenyAs::NotFound, |listener| listener.deny_as())
}
