//! Stage `upstream`: carries the judged request to the company's system, and nothing else.
//! Exports `forward` and `forward_page`, which ask for the proof of every stage before, and `sends_condition`.
//! Used by the pipeline and by stage `pages`.
//! Start reading at `forward`.

use config::server::Intent;
use contract::Forwarded;
use identity::Caller;
use identity::methods::is_credential;
use model::text::shared;
use model::{Headers, Method, Principal, Stage};
use net::UpstreamFault;
use policy::client_key;

use crate::context::RequestContext;
use crate::meanings::may_repeat;
use crate::reasons::{CHANGED, LEDGER_UNAVAILABLE, OUTCOME_UNKNOWN, REJECTED};
use crate::request_state::Sent;
use crate::stages::authn::ON_TAGS;
use crate::stages::calls::{self, Came};
use crate::stages::object::Cleared;
use crate::stages::transform::Ready;
use crate::stages::unchanged::{self, On};
use crate::{RequestState, Stop, idempotency, record, request_fields};
use net::UpstreamResponse;

/// Carries the request. The signature asks for the proof: a caller's permit for this operation with nothing owed before
/// the call, and the request that was checked under it.
pub async fn forward(
    x: &mut RequestState<'_, '_>,
    ready: &Ready<'_>,
    r: &RequestContext<'_>,
) -> Result<Came, Stop> {
    carry(x, ready, (ready.query(), ready.body()), r).await
}

/// Carries the request with another query and body: a further page of the same list.
pub async fn forward_page(
    x: &mut RequestState<'_, '_>,
    ready: &Ready<'_>,
    (query, body): &(String, Vec<u8>),
    r: &RequestContext<'_>,
) -> Result<Came, Stop> {
    carry(x, ready, (query, body), r).await
}

async fn carry(
    x: &mut RequestState<'_, '_>,
    ready: &Ready<'_>,
    (query, body): (&str, &[u8]),
    r: &RequestContext<'_>,
) -> Result<Came, Stop> {
    let op = ready.op();
    x.enter(Stage::Upstream);
    let mut target = calls::path(op, op.operation, ready.path_values());
    if !query.is_empty() {
        target.push('?');
        target.push_str(query);
    }
    let mut headers = fields(x, ready, r);
    let plain = target.split('?').next().unwrap_or_default();
    let on = unchanged::condition(x.looked_up.as_ref(), plain, &headers);
    match on {
        On::Any => {}
        On::Judged(tag) | On::Agreed(tag) => headers.set("if-match", tag),
        On::None => return Err(not_this_state()),
    }
    let is_held = matches!(on, On::Judged(_));
    // A HEAD is judged on the body a GET would have: without it no object rule could be kept.
    let method = match ready.asked().method() {
        Method::Head => Method::Get,
        method => method,
    };
    let is_read = !ready.permit().changes();
    if is_read {
        x.sent = Sent::Read;
    } else {
        intend(x, r).await?;
        x.sent = Sent::Write;
    }
    let outcome = calls::call(x, ready, (method, &target), &headers, body, r).await;
    note_response(x, &outcome);
    match outcome {
        // The first attempt may be what changed the state that the second one asked for.
        Ok(response) if response.status == 412 && response.is_second && !is_read => {
            let detail = "sent twice, because the first attempt went unanswered; the second was answered 412";
            Err(Stop::Failed(OUTCOME_UNKNOWN.because(detail)))
        }
        Ok(response) if response.status == 412 && is_held => Err(CHANGED
            .because("the upstream answered 412 to the tag of the look-up")
            .into()),
        Ok(response) => Ok(Came::Whole(response)),
        Err(fault) => match fault.status {
            Some(status @ 200..=299) if !is_read => Ok(Came::Carried {
                status,
                why: fault.detail,
            }),
            _ => Err(calls::fault_stop(fault, may_repeat(method, is_read))),
        },
    }
}

/// The record holds what was answered to the call itself, never to a look-up made for it.
fn note_response(x: &mut RequestState<'_, '_>, outcome: &Result<UpstreamResponse, UpstreamFault>) {
    let (status, target) = match outcome {
        Ok(response) => (Some(response.status), Some(shared(&response.target))),
        Err(fault) => (fault.status, None),
    };
    x.answered = status;
    (x.event.upstream_status, x.event.upstream) = (status, target);
}

/// The caller asks for a change of another state than the one that was judged: as the upstream would answer.
fn not_this_state() -> Stop {
    let mut refusal = REJECTED.because("`If-Match` names another state than the look-up found");
    refusal.status = 412;
    Stop::Failed(refusal)
}

/// Puts on the record that a write is about to be forwarded: whatever happens to this process, no upstream is changed
/// without a trace. Records of all writes at that moment share one flush.
async fn intend(x: &mut RequestState<'_, '_>, r: &RequestContext<'_>) -> Result<(), Stop> {
    if r.snapshot.compiled.server.intent == Intent::Off {
        return Ok(());
    }
    let recorded = r.io.recorder.record(&record::intent(x)).await;
    recorded.map(|_| ()).map_err(|fault| {
        let detail = format!("not forwarded, because that could not be recorded: {fault}");
        Stop::Failed(LEDGER_UNAVAILABLE.because(detail))
    })
}

/// The fields the upstream gets: declared ones and those of [`contract::forwarded`] from the client, then ours.
fn fields(x: &RequestState<'_, '_>, ready: &Ready<'_>, r: &RequestContext<'_>) -> Headers {
    let op = ready.op();
    let mut headers = Headers::with_room(16, 1024);
    let is_guarded = r.snapshot.compiled.rules.is_guarded(op.policy);
    let is_unconditional = op.plan.is_read && is_guarded;
    let is_kept = |name: &str| !(is_unconditional && ON_TAGS.contains(&name));
    let sent = ready.asked().headers();
    for (name, value) in sent.iter().filter(|(name, _)| is_kept(name)) {
        let declared = op.operation.parameter(contract::Place::Header, name);
        // A credential is still here only where the api says `pass_credential: true`. Of cookies those are left that are declared.
        let is_passed = is_credential(name) || name == "cookie";
        match declared.map(|declared| contract::list_field(declared, sent)) {
            Some(Some(list)) => headers.set(name, list),
            Some(None) => headers.push(name, value),
            None if is_passed => headers.push(name, value),
            None => {}
        }
    }
    for (_, field, value) in Forwarded::of(sent, op.operation).iter() {
        match field.name {
            "prefer" => preferred(&mut headers, value),
            name if is_kept(name) => headers.push(name, value),
            _ => {}
        }
    }
    if let Some(key) = sent.get("idempotency-key") {
        let scoped = idempotency::scoped(&r.io.idempotency, &sender(x, ready.caller()), key);
        headers.set("idempotency-key", scoped);
    }
    let accept = x.accept.as_ref().unwrap_or(op.operation.media.accept());
    headers.set("accept", accept.as_bytes());
    if let Some(kind) = ready.kind() {
        headers.push("content-type", kind.as_bytes());
    }
    calls::ours(x, ready, r, &mut headers);
    headers
}

/// Whether the caller's condition on its copy goes along. A 304 or 412 has no body to judge, and would tell of a hidden object
/// that it is unchanged or changed: such reads get a whole answer (RFC 9110 §13.1.2 leaves that to the server). Writes keep their conditions.
pub fn sends_condition(cleared: &Cleared<'_>, r: &RequestContext<'_>) -> bool {
    let op = cleared.op();
    op.plan.is_read
        && !r.snapshot.compiled.rules.is_guarded(op.policy)
        && cleared.asked().headers().get("if-none-match").is_some()
}

/// Whose key it is. Of those who show no credential each address is one of its own: what one of them did is not another's to ask for.
fn sender(x: &RequestState<'_, '_>, caller: &Caller) -> Principal {
    let mut sender = caller.principal().clone();
    if caller.is_anonymous() {
        sender.user = Some(format!("{:x}", client_key(x.address)).into());
    }
    sender
}

fn preferred(headers: &mut Headers, value: &[u8]) {
    let sent = std::str::from_utf8(value).unwrap_or_default();
    if let Some(kept) = request_fields::preferences(sent) {
        headers.push("prefer", kept);
    }
}
