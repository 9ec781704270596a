//! Stage `authz`: may this caller use this operation at all.
//! Gives `decide`. The permit carries what is still owed for objects and fields.
//! Used by the pipeline.
//! Start reading at `decide`.

use identity::Caller;
use model::{CanonicalRequest, Stage};
use policy::{Permit, Question};

use crate::context::{Op, Road, Target};
use crate::{Exchange, Stop};

/// Asks policy.
pub fn decide(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    target: &Target,
    asked: &CanonicalRequest,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Permit, Stop> {
    x.enter(Stage::Authz);
    in_scope(caller, op)?;
    let question = Question {
        principal: caller.principal(),
        operation: op.policy,
        listener: &x.peer.listener,
        deny_as: deny_as(x, r),
        address: x.address,
        path: &target.path_values,
        query: asked.query(),
        now: x.now,
    };
    let permit = policy::decide(&question, &r.snapshot.compiled.rules)?;
    x.event.rule = permit.rule_text();
    Ok(permit)
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
fn deny_as(x: &Exchange<'_, '_>, r: &Road<'_>) -> policy::DenyAs {
    r.snapshot
        .listener(&x.peer.listener)
        .map_or(policy::DenyAs::NotFound, |listener| listener.deny_as())
}
