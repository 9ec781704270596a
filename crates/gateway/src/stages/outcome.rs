//! What the upstream's answer means for the caller: passed on, cut down, explained, or a fault.
//! Exports `settle`. What was carried out is never told as failed.
//! Used by the pipeline, after stage `upstream`; calls stages `response` and `object` for an answer that means success.
//! Start reading at `settle`.

use contract::{Operation, StatusRange};
use model::json;
use model::{Headers, ProxyCause, Reason, Refusal, Response, Stage, Text};

use crate::bounds::{DETAIL_BYTES_MAX, RESPONSE_BOUNDS, bounded};
use crate::context::RequestContext;
use crate::meanings::{Asked, Meaning, meaning};
use crate::reasons::CONTRACT;
use crate::stages::calls::Came;
use crate::stages::object::{self, Cleared};
use crate::stages::response::Read;
use crate::stages::transform::Ready;
use crate::stages::{drifted, pages, response, upstream};
use crate::{RequestState, Stop, retry_after};
use net::UpstreamResponse;

/// Settles what the caller gets.
///
/// # Errors
/// The [`Stop`] that explains why it is not the upstream's answer.
pub async fn settle(
    x: &mut RequestState<'_, '_>,
    ready: Ready<'_>,
    came: Came,
    r: &RequestContext<'_>,
) -> Result<Response, Stop> {
    x.enter(Stage::Response);
    let (permit, op) = (ready.permit(), ready.op());
    let is_read = !permit.changes();
    let response = match came {
        Came::Whole(response) => response,
        Came::Carried { status, why } => {
            return Ok(without_body(x, status, &CONTRACT.because(why)));
        }
    };
    let asked = Asked {
        method: ready.asked().method(),
        is_read,
        is_conditional: upstream::sends_condition(&ready, r),
        concealment: permit.concealment(),
        names_object: permit.names_object(),
        declares_403: op.operation.declares(403),
    };
    let status = response.status;
    match meaning(status, &asked) {
        Meaning::Done | Meaning::Unchanged => {
            let operation = op.operation;
            match success(x, ready, response, r).await {
                Err(stop) if !is_read => {
                    let status = withheld(status, stop.refusal(), operation);
                    Ok(without_body(x, status, stop.refusal()))
                }
                settled => settled,
            }
        }
        Meaning::Empty => {
            let detail = format!("the upstream answered {status}, which reads as an empty list");
            x.event.detail = Some(bounded(&detail, DETAIL_BYTES_MAX));
            shown(x, ready, Read::nothing(), r).await
        }
        Meaning::Part => {
            let refusal = CONTRACT.because(format!(
                "a part was answered ({status}) and none was asked for"
            ));
            if is_read {
                return Err(Stop::Failed(refusal));
            }
            // Without its body the status would say something that is not there.
            Ok(without_body(x, 200, &refusal))
        }
        Meaning::Passed {
            reason,
            status,
            needs_own,
        } => {
            let told = told(x, &ready, &response, needs_own, r);
            told.ok_or_else(|| stop(x, reason, status, &response))
        }
        Meaning::Ours(reason) => Err(stop(x, reason, reason.status, &response)),
    }
}

async fn success(
    x: &mut RequestState<'_, '_>,
    ready: Ready<'_>,
    response: UpstreamResponse,
    r: &RequestContext<'_>,
) -> Result<Response, Stop> {
    let op = *ready.op();
    // Strict JSON or nothing; drift from the contract is seen here.
    let read = response::read(x, response, &op, r)?;
    shown(x, ready, read, r).await
}

/// What the caller may see of what was read.
async fn shown(
    x: &mut RequestState<'_, '_>,
    ready: Ready<'_>,
    mut read: Read,
    r: &RequestContext<'_>,
) -> Result<Response, Stop> {
    let op = *ready.op();
    // What breaks the contract is told of what the caller may see, and of nothing else.
    let broken = drifted::of_shown(&mut read, &ready)?;
    // Pages from which objects are left out are filled again, so that they do not tell of them.
    let mut read = pages::complete(x, read, &ready, r).await?;
    let own = response::own_origin(ready.asked(), r);
    // The rest of "whose is it", from what the upstream returned; only granted fields become bytes.
    let released = object::after(x, ready.into_cleared(), read.payload.value(), r).await?;
    if released.is_blank {
        read.say_no_more(op.operation);
    } else if let Some(broken) = broken {
        x.enter(Stage::Response);
        return Err(broken);
    }
    // What got into a granted field by mistake is held back.
    response::release(x, read, released, &op, &own, r)
}

/// The status of a write whose body is withheld. Where the object in it may be a hidden one, a status that says that there is no
/// body would tell that there was none.
fn withheld(status: u16, why: &Refusal, operation: &Operation) -> u16 {
    let is_hidden = why.reason == &policy::OBJECT_DENIED;
    match status {
        204 | 205 if is_hidden => operation.media.first().status,
        status => status,
    }
}

/// The answer to a write that was carried out, where nothing of the upstream's body may be shown. The record says why.
fn without_body(x: &mut RequestState<'_, '_>, status: u16, why: &Refusal) -> Response {
    let detail = format!("the body was withheld: {}: {}", why.reason.code, why.detail);
    x.event.detail = Some(bounded(&detail, DETAIL_BYTES_MAX));
    x.code = why.reason.code;
    x.event.code = Some(Text::new_static(x.code));
    x.event.rule = why.rule.clone().or(x.event.rule.take());
    x.event.cause = why.why.map(Into::into);
    x.event.fields = None;
    response::compose(x, status, Vec::new(), Headers::new(), "")
}

/// Our own document in place of the upstream's answer.
fn stop(
    x: &mut RequestState<'_, '_>,
    reason: &'static Reason,
    status: u16,
    response: &UpstreamResponse,
) -> Stop {
    x.enter(reason.stage);
    let mut refusal = reason.because(format!("the upstream answered {}", response.status));
    refusal.status = status;
    if reason == &policy::ABSENT {
        // Like a hidden object in everything.
        return Stop::Refused(refusal);
    }
    refusal.cause = match reason.code {
        "upstream.denied" => Some(ProxyCause::Error("proxy_configuration_error")),
        _ => Some(ProxyCause::Received(response.status)),
    };
    if matches!(response.status, 429 | 503) {
        refusal.retry_after_s = retry_after::seconds(&response.headers, x.now);
    }
    match reason.code {
        "upstream.rejected" => Stop::Refused(refusal),
        _ => Stop::Failed(refusal),
    }
}

/// The upstream's own error with the granted fields of its declared body; `None` when nothing of it may leave.
fn told(
    x: &mut RequestState<'_, '_>,
    cleared: &Cleared<'_>,
    response: &UpstreamResponse,
    needs_own: bool,
    r: &RequestContext<'_>,
) -> Option<Response> {
    let (permit, op) = (cleared.permit(), cleared.op());
    if !permit.tells_errors() {
        return None;
    }
    let index = op.operation.response_index(response.status)?;
    let plan = op.operation.responses.get(index)?;
    if needs_own && plan.status == StatusRange::Default {
        return None;
    }
    let kind = response::json_type(response, plan)?;
    let body = json::parse(&response.body, RESPONSE_BOUNDS).ok()?;
    response::drift(x, response.status, response, Some(&body), op).ok()?;
    let mut released = permit.release_error(&cleared.facts(), index, &body)?;
    // A leak that blocks costs the caller the body, not the status.
    let own = response::own_origin(cleared.asked(), r);
    response::own_urls(x, &mut released.body, op, &own);
    response::guard(x, &mut released.body, response.status, op, r).ok()?;
    response::note(x, &mut released);
    let headers = response::passed_on(x, &response.headers, None);
    Some(response::compose(
        x,
        response.status,
        released.body,
        headers,
        &kind,
    ))
}
