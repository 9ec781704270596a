//! Stage `upstream`: carries the judged request to the company's system, and nothing else.
//! Gives `forward` (asks for every proof) and `look_up` (one object, for the object rules).
//! Used by the pipeline and by stage `object`.
//! Start reading at `forward`.

use std::sync::Arc;

use contract::{Forwarded, Operation, TemplateSegment};
use identity::Caller;
use model::canonical::encode_segment;
use model::json;
use model::text::{shared, shown};
use model::{Headers, Json, Method, Reason, Stage};
use net::{UpstreamAnswer, UpstreamCall};
use policy::Permit;

use crate::clock::micros_since;
use crate::service::Road;
use crate::stages::authn;
use crate::stages::inspect::CheckedRequest;
use crate::stages::lifecycle::Op;
use crate::stages::response::ANSWER_BOUNDS;
use crate::{Exchange, Stop};

/// The upstream answered with an error of its own.
pub const FAILED: Reason = Reason::new(
    Stage::Upstream,
    "upstream.failed",
    502,
    "The system behind this API failed to handle the request.",
    "Try again later; give the decision id to the operator if it happens again.",
    "The upstream answered with a status of the 5xx class, with a redirect, or refused the gateway itself (401, 403). Its body was not \
     passed on, because error bodies disclose stacks and addresses. The ledger entry holds the status and the target.",
);

/// The upstream refused what the contract allows.
pub const REJECTED: Reason = Reason::new(
    Stage::Upstream,
    "upstream.rejected",
    409,
    "The system behind this API did not accept the request.",
    "Check the state of the object and the values sent.",
    "The upstream answered with a status of the 4xx class to a request that met the contract: a conflict, a failed precondition, a \
     business rule. The status is passed on, the body is not. The ledger entry holds status and target.",
);

/// What came back, with the timing noted.
pub type Answered = UpstreamAnswer;

/// Carries the request. The signature asks for the proofs: no call without caller, permit and checked request.
pub async fn forward(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    permit: &Permit,
    checked: &CheckedRequest,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Answered, Stop> {
    x.enter(Stage::Upstream);
    if !permit.is_cleared() {
        return Err(policy::OBJECT_DENIED
            .because("an object rule is still open")
            .into());
    }
    let mut target = path(op, op.operation, checked.path_values());
    if !checked.valid().query.is_empty() {
        target.push('?');
        target.push_str(&checked.valid().query);
    }
    let headers = fields(x, caller, checked, op, r);
    // A HEAD is judged on the body a GET would have: without it no object rule could be kept.
    let method = match checked.asked().method() {
        Method::Head => Method::Get,
        method => method,
    };
    call(
        x,
        method,
        &target,
        &headers,
        &checked.valid().body_bytes,
        op,
        r,
    )
    .await
}

/// Fetches one object with the operation the catalogue names for it.
pub async fn look_up(
    x: &mut Exchange<'_, '_>,
    caller: &Caller,
    op: &Op<'_>,
    by: &Operation,
    path_values: &[(Arc<str>, String)],
    r: &Road<'_>,
) -> Result<Option<Json>, Stop> {
    x.enter(Stage::Upstream);
    let target = path(op, by, path_values);
    let mut headers = Headers::with_room(6, 512);
    headers.push("accept", "application/json");
    ours(x, caller, op, r, &mut headers);
    let answer = call(x, by.method, &target, &headers, &[], op, r).await?;
    match answer.status {
        404 | 410 => Ok(None),
        200..=299 => json::parse(&answer.body, ANSWER_BOUNDS)
            .map(Some)
            .map_err(|problem| {
                Stop::Failed(FAILED.because(format!(
                    "look-up: {:?} at byte {}",
                    problem.kind, problem.offset
                )))
            }),
        status => Err(Stop::Failed(
            FAILED.because(format!("look-up answered {status}")),
        )),
    }
}

async fn call(
    x: &mut Exchange<'_, '_>,
    method: Method,
    target: &str,
    headers: &Headers,
    body: &[u8],
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Answered, Stop> {
    let (Some(upstream), Some(settings)) = (&op.runtime.upstream, &op.version.upstream) else {
        return Err(Stop::Failed(FAILED.because("no upstream is configured")));
    };
    let started = r.io.clock.tick();
    let call = UpstreamCall {
        method,
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
    match outcome {
        Ok(answer) => {
            x.event.upstream = Some(shared(&answer.target));
            x.event.upstream_status = Some(answer.status);
            Ok(answer)
        }
        Err(fault) => Err(Stop::Failed(fault.reason().because(fault.detail))),
    }
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
    let is_guarded = r.snapshot.compiled.rules.is_guarded(op.policy);
    // A 304 has no body to judge, and would tell that a hidden object is unchanged.
    let is_kept = |name: &str| !(is_guarded && name == "if-none-match");
    let sent = checked.asked().headers();
    for (name, value) in sent.iter().filter(|(name, _)| is_kept(name)) {
        let is_declared = || {
            op.operation
                .parameter(contract::Place::Header, name)
                .is_some()
        };
        // A credential is still here only where the api says `pass_credential: true`.
        if authn::is_credential(name) || is_declared() {
            headers.push(name, value);
        }
    }
    for (_, field, value) in Forwarded::of(sent, op.operation).iter() {
        if is_kept(field.name) {
            headers.push(field.name, value);
        }
    }
    if let Some(kind) = &checked.valid().content_type {
        headers.push("content-type", kind.as_bytes());
    }
    ours(x, caller, op, r, &mut headers);
    headers
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

/// What the caller is told when the upstream says no.
pub fn error_answer(status: u16, is_guarded: bool) -> Stop {
    match status {
        404 if is_guarded => Stop::Refused(policy::ABSENT.because("the upstream answered 404")),
        429 => {
            let mut refusal =
                net::reasons::UPSTREAM_OVERLOADED.because("the upstream answered 429");
            refusal.retry_after_s = Some(1);
            Stop::Failed(refusal)
        }
        400 | 404..=499 if status != 407 => {
            let mut refusal = REJECTED.because(format!("the upstream answered {status}"));
            refusal.status = status;
            Stop::Refused(refusal)
        }
        _ => Stop::Failed(FAILED.because(format!("the upstream answered {status}"))),
    }
}
