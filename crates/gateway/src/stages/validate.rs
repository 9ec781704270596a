//! Stage `validate`: parameters, headers and body against the contract; sent fields against the grant.
//! Gives `request`. The body is read here, after the caller was accepted: strangers do not get our memory.
//! Used by the pipeline.
//! Start reading at `request`.

use config::api::Mode;
use contract::{Leniency, ValidRequest};
use identity::Caller;
use model::{CanonicalRequest, Stage};
use policy::Permit;

use crate::context::{Op, Road, Target};
use crate::stages::{pages, parameters};
use crate::{Exchange, Stop, request_fields};

/// Judges the request against its operation.
pub async fn request(
    x: &mut Exchange<'_, '_>,
    asked: &CanonicalRequest,
    target: &Target,
    caller: &Caller,
    op: &Op<'_>,
    permit: &mut Permit,
    r: &Road<'_>,
) -> Result<ValidRequest, Stop> {
    x.enter(Stage::Validate);
    // Neither depends on the body, and nothing was sent yet.
    request_fields::judge(op.operation, op.plan.is_read, asked)?;
    let media = &op.operation.media;
    x.accept = Some(match media.agree(asked.headers().all("accept")) {
        Err(refusal) if op.plan.request == Mode::Enforce => return Err(refusal.into()),
        // A contract that is not enforced is not what the caller's `Accept` is held against.
        agreed => agreed.unwrap_or_else(|_| media.accept().clone()),
    });
    let most = r
        .snapshot
        .listener(x.listener())
        .map_or(0, |listener| listener.body_bytes_max);
    let body = x
        .body
        .read(most)
        .await
        .map_err(net::BodyFault::into_refusal)?;
    x.event.bytes_in = u64::try_from(body.len()).ok();
    let fixed = parameters::fix_body(&body, permit.fixed(), op.operation.bounds)?;
    let body = fixed.as_deref().unwrap_or(&body);
    let opened = pages::open_body(x, body, permit, caller, op, r)?;
    let valid = judge(x, asked, target, op, opened.as_deref().unwrap_or(body))?;
    // Which parameters may be used is authorization too.
    parameters::admit(permit, &valid, &x.resume)?;
    // What may be sent is authorization, not contract: enforced in every mode.
    if let Some(sent) = &valid.body {
        contract::check_writes(op.operation, sent, permit.writes())?;
    }
    Ok(valid)
}

/// Holds the request against its contract, as strictly as the operation's mode says.
fn judge(
    x: &mut Exchange<'_, '_>,
    asked: &CanonicalRequest,
    target: &Target,
    op: &Op<'_>,
    body: &[u8],
) -> Result<ValidRequest, Stop> {
    let leniency = match op.plan.request {
        Mode::Enforce => {
            let valid = contract::check_request(op.operation, asked, &target.path_values, body)?;
            return Ok(valid);
        }
        Mode::Observe => Leniency::Observe,
        Mode::Off => Leniency::Skip,
    };
    let (valid, noted) = contract::check_request_leniently(
        op.operation,
        asked,
        &target.path_values,
        body,
        leniency,
    )?;
    x.event.errors = noted
        .iter()
        .map(|e| format!("{} {} {}", e.place, e.pointer, e.keyword))
        .collect();
    Ok(valid)
}
