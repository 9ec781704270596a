//! Stage `upstream`: carries the judged request to the company's system, and nothing else.
//! Gives `forward` (asks for every proof) and `look_up` (one object, for the object rules).
//! Used by the pipeline and by stage `object`.
//! Start reading at `forward`.

use std::sync::Arc;

use config::server::Intent;
use contract::{Forwarded, Operation, TemplateSegment};
use identity::Caller;
use identity::methods::is_credential;
use model::canonical::encode_segment;
use model::json;
use model::text::{shared, shown};
use model::{Headers, Json, Method, ProxyCause, Stage};
use net::{UpstreamAnswer, UpstreamCall, UpstreamFault};
use policy::Permit;

use crate::answers::{leaves_the_object_open, may_repeat};
use crate::bounds::ANSWER_BOUNDS;
use crate::clock::micros_since;
use crate::context::{Op, Road};
use crate::exchange::Sent;
use crate::reasons::{
    BUSY, CHANGED, DENIED, FAILED, LEDGER_UNAVAILABLE, OUTCOME_UNKNOWN, REJECTED,
};
use crate::stages::inspect::CheckedRequest;
use crate::stages::unchanged::{self, LookedUp, On};
use crate::{Exchange, Stop, idempotency, record, request_fields, retry_after};

/// What came back, with the timing noted.
pub type Answered = UpstreamAnswer;

/// What became of the call.
pub enum Came {
    /// A whole answer.
    Whole(Answered),
    /// The head of an answer that says that a write was carried out, and no body that could be read.
    Carried {
        /// Its status.
        status: u16,
        /// What was wrong with the rest.
        why: String,
    },
}

/// Carries the request. The signature asks for the proofs: no call without caller, permit and checked request.
pub async fn forward(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    permit: &Permit,
    checked: &CheckedRequest,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Came, Stop> {
    let valid = checked.valid();
    let sent = (valid.query.as_str(), valid.body_bytes.as_slice());
    carry(x, caller, permit, checked, sent, op, r).await
}

/// Carries the request with another query and body: a further page of the same list.
pub async fn forward_page(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    permit: &Permit,
    checked: &CheckedRequest,
    (query, body): &(String, Vec<u8>),
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Came, Stop> {
    carry(x, caller, permit, checked, (query, body), op, r).await
}

async fn carry(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    permit: &Permit,
    checked: &CheckedRequest,
    (query, body): (&str, &[u8]),
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Came, Stop> {
    x.enter(Stage::Upstream);
    if !permit.is_cleared() {
        return Err(policy::OBJECT_DENIED
            .because("an object rule is still open")
            .into());
    }
    let mut target = path(op, op.operation, checked.path_values());
    if !query.is_empty() {
        target.push('?');
        target.push_str(query);
    }
    let mut headers = fields(x, caller, checked, op, r);
    let plain = target.split('?').next().unwrap_or_default();
    let on = unchanged::condition(x.looked_up.as_ref(), plain, &headers);
    match on {
        On::Any => {}
        On::Judged(tag) | On::Agreed(tag) => headers.set("if-match", tag),
        On::None => return Err(not_this_state()),
    }
    let is_held = matches!(on, On::Judged(_));
    // A HEAD is judged on the body a GET would have: without it no object rule could be kept.
    let method = match checked.asked().method() {
        Method::Head => Method::Get,
        method => method,
    };
    let is_read = !permit.changes();
    if is_read {
        x.sent = Sent::Read;
    } else {
        intend(x, r).await?;
        x.sent = Sent::Write;
    }
    let outcome = call(x, caller, (method, &target), &headers, body, op, r).await;
    note_answer(x, &outcome);
    match outcome {
        // The first attempt may be what changed the state that the second one asked for.
        Ok(answer) if answer.status == 412 && answer.is_second && !is_read => {
            let detail = "sent twice, because the first attempt went unanswered; the second was answered 412";
            Err(Stop::Failed(OUTCOME_UNKNOWN.because(detail)))
        }
        Ok(answer) if answer.status == 412 && is_held => Err(CHANGED
            .because("the upstream answered 412 to the tag of the look-up")
            .into()),
        Ok(answer) => Ok(Came::Whole(answer)),
        Err(fault) => match fault.status {
            Some(status @ 200..=299) if !is_read => Ok(Came::Carried {
                status,
                why: fault.detail,
            }),
            _ => Err(fault_stop(fault, may_repeat(method, is_read))),
        },
    }
}

/// The record holds what was answered to the call itself, never to a look-up made for it.
fn note_answer(x: &mut Exchange<'_, '_>, outcome: &Result<Answered, UpstreamFault>) {
    let (status, target) = match outcome {
        Ok(answer) => (Some(answer.status), Some(shared(&answer.target))),
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
async fn intend(x: &mut Exchange<'_, '_>, r: &Road<'_>) -> Result<(), Stop> {
    if r.snapshot.compiled.server.intent == Intent::Off {
        return Ok(());
    }
    let recorded = r.io.recorder.record(&record::intent(x)).await;
    recorded.map(|_| ()).map_err(|fault| {
        let detail = format!("not forwarded, because that could not be recorded: {fault}");
        Stop::Failed(LEDGER_UNAVAILABLE.because(detail))
    })
}

/// What the caller is told of a call without an answer. One that may have been carried out is not to be sent again.
fn fault_stop(fault: UpstreamFault, may_repeat: bool) -> Stop {
    let cause = Some(ProxyCause::Error(fault.proxy_error()));
    let mut refusal = match fault.is_sent && !may_repeat {
        true => OUTCOME_UNKNOWN.because(&*fault.detail),
        false => fault.reason().because(&*fault.detail),
    };
    // RFC 9110 §15.6.5 keeps its meaning: nothing came in time.
    refusal.status = fault.reason().status;
    refusal.cause = cause;
    Stop::Failed(refusal)
}

/// Fetches one object with the operation the catalogue names for it.
pub async fn look_up(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    op: &Op<'_>,
    by: &Operation,
    path_values: &[(Arc<str>, String)],
    r: &Road<'_>,
) -> Result<(Option<Json>, Option<LookedUp>), Stop> {
    x.enter(Stage::Upstream);
    let target = path(op, by, path_values);
    let mut headers = Headers::with_room(6, 512);
    headers.push("accept", by.media.accept().as_bytes());
    ours(x, caller, op, r, &mut headers);
    if x.sent == Sent::Nothing {
        x.sent = Sent::LookUp;
    }
    let answer = call(x, caller, (by.method, &target), &headers, &[], op, r).await;
    let answer = answer.map_err(|fault| fault_stop(fault, true))?;
    match answer.status {
        404 | 410 => Ok((None, None)),
        200..=299 => json::parse(&answer.body, ANSWER_BOUNDS)
            .map(|body| (Some(body), LookedUp::of(&target, &answer.headers)))
            .map_err(|problem| {
                Stop::Failed(FAILED.because(format!(
                    "the look-up's answer is no JSON: {} at byte {}",
                    problem.kind, problem.offset
                )))
            }),
        status if leaves_the_object_open(status, by.declares(403)) => Err(policy::ABSENT
            .because(format!("the look-up was answered with {status}"))
            .into()),
        status => Err(read_failed(x, "the look-up", status, &answer.headers)),
    }
}

/// Nothing was sent but a read, so that the caller's own call was certainly not carried out.
pub fn read_failed(x: &Exchange<'_, '_>, what: &str, status: u16, headers: &Headers) -> Stop {
    let reason = match status {
        401 | 403 | 407 | 511 => &DENIED,
        429 | 503 => &BUSY,
        _ => &FAILED,
    };
    let mut refusal = reason.because(format!("{what} was answered with {status}"));
    if reason == &BUSY {
        (refusal.status, refusal.retry_after_s) = (status, retry_after::seconds(headers, x.now));
    }
    Stop::Failed(refusal)
}

async fn call(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    (method, target): (Method, &str),
    headers: &Headers,
    body: &[u8],
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Answered, UpstreamFault> {
    let (Some(upstream), Some(settings)) = (&op.runtime.upstream, &op.version.upstream) else {
        return Err(UpstreamFault::unconfigured());
    };
    let started = r.io.clock.tick();
    let call = UpstreamCall {
        method,
        caller: caller.credential().bits(),
        path_and_query: target,
        authority: None,
        headers,
        body,
        begun: started,
        timeout: settings.timeout,
        is_retryable: true,
    };
    let outcome = r.pools.send(upstream, call).await;
    let waited = match &outcome {
        Ok(answer) => u64::from(answer.answer_us),
        Err(_) => micros_since(started),
    };
    x.event.upstream_us = Some(x.event.upstream_us.unwrap_or(0).saturating_add(waited));
    outcome
}

/// The upstream's path is built from the matched template and the decoded parameters, never from the text received.
fn path(op: &Op<'_>, by: &Operation, values: &[(Arc<str>, String)]) -> String {
    let mut out = String::with_capacity(96);
    out.push_str(&op.version.base_path);
    for segment in &by.segments {
        out.push('/');
        write_segment(segment, values, &mut out);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

fn write_segment(segment: &TemplateSegment, values: &[(Arc<str>, String)], out: &mut String) {
    match segment {
        TemplateSegment::Static(text) => encode_segment(text, out),
        TemplateSegment::Parameter(name) => write_value(name, values, out),
        TemplateSegment::Mixed { texts, names } => {
            let mut names = names.iter();
            for text in texts {
                encode_segment(text, out);
                if let Some(name) = names.next() {
                    write_value(name, values, out);
                }
            }
        }
    }
}

fn write_value(name: &Arc<str>, values: &[(Arc<str>, String)], out: &mut String) {
    if let Some((_, value)) = values.iter().find(|(n, _)| n == name) {
        encode_segment(value, out);
    }
}

/// The fields the upstream gets: declared ones and those of [`contract::forwarded`] from the client, then ours.
fn fields(
    x: &Exchange<'_, '_>,
    caller: &Caller,
    checked: &CheckedRequest,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Headers {
    let mut headers = Headers::with_room(16, 1024);
    let is_conditional = sends_condition(checked, op, r);
    let is_read = op.plan.is_read;
    let is_kept = |name: &str| name != "if-none-match" || is_conditional || !is_read;
    let sent = checked.asked().headers();
    for (name, value) in sent.iter().filter(|(name, _)| is_kept(name)) {
        let is_declared = || {
            op.operation
                .parameter(contract::Place::Header, name)
                .is_some()
        };
        // A credential is still here only where the api says `pass_credential: true`.
        if is_credential(name) || is_declared() {
            headers.push(name, value);
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
        let scoped = idempotency::scoped(&r.io.idempotency, caller.principal(), key);
        headers.set("idempotency-key", scoped);
    }
    let accept = x.accept.as_ref().unwrap_or(op.operation.media.accept());
    headers.set("accept", accept.as_bytes());
    if let Some(kind) = &checked.valid().content_type {
        headers.push("content-type", kind.as_bytes());
    }
    ours(x, caller, op, r, &mut headers);
    headers
}

/// Whether the caller's condition on its copy goes along. A 304 has no body to judge, and would tell that a hidden object
/// is unchanged: such reads get a whole answer (RFC 9110 §13.1.2 leaves that to the server). Writes keep their condition.
pub fn sends_condition(checked: &CheckedRequest, op: &Op<'_>, r: &Road<'_>) -> bool {
    op.plan.is_read
        && !r.snapshot.compiled.rules.is_guarded(op.policy)
        && checked.asked().headers().get("if-none-match").is_some()
}

fn preferred(headers: &mut Headers, value: &[u8]) {
    let sent = std::str::from_utf8(value).unwrap_or_default();
    if let Some(kept) = request_fields::preferences(sent) {
        headers.push("prefer", kept);
    }
}

/// Added last, after every client copy was dropped.
fn ours(x: &Exchange<'_, '_>, caller: &Caller, op: &Op<'_>, r: &Road<'_>, headers: &mut Headers) {
    match &x.event.address {
        Some(noted) => headers.set("x-forwarded-for", noted.as_bytes()),
        None => headers.set("x-forwarded-for", shown(&x.address).as_bytes()),
    }
    headers.set(
        "x-forwarded-proto",
        if x.peer.tls.is_some() {
            "https"
        } else {
            "http"
        },
    );
    headers.set("portcullis-decision", x.id.ascii());
    headers.set(
        "portcullis-identity",
        r.tokens
            .identity(caller, op.version_name(), x.now, &r.io.keys.identity)
            .as_bytes(),
    );
}
