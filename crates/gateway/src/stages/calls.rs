//! Calls to the company's system: how path and fields are written, one call, and what a call that failed means.
//! Exports `call`, `path`, `ours`, `fault_stop`, `read_failed`; and `Came`, what comes of a call.
//! Used by stages `object` (look-ups) and `upstream` (the request itself).
//! Start reading at `call`.

use std::sync::Arc;

use contract::{Operation, TemplateSegment};
use model::canonical::encode_segment;
use model::text::shown;
use model::{Headers, Method, Protocol, ProxyCause};
use net::{ResponseRoom, UpstreamCall, UpstreamFault, UpstreamResponse};

use crate::clock::micros_since;
use crate::context::{Op, RequestContext};
use crate::reasons::{BUSY, DENIED, FAILED, OUTCOME_UNKNOWN};
use crate::stages::authz::Granted;
use crate::{RequestState, Stop, retry_after};

/// What became of the call.
pub enum Came {
    /// A whole answer.
    Whole(UpstreamResponse),
    /// The head of an answer that says that a write was carried out, and no body that could be read.
    Carried {
        /// Its status.
        status: u16,
        /// What was wrong with the rest.
        why: String,
    },
}

/// One call to the upstream of the granted operation; how long it took is noted.
pub async fn call(
    x: &mut RequestState<'_, '_>,
    granted: &Granted<'_>,
    (method, target): (Method, &str),
    headers: &Headers,
    body: &[u8],
    r: &RequestContext<'_>,
) -> Result<UpstreamResponse, UpstreamFault> {
    let op = granted.op();
    let (Some(upstream), Some(settings)) = (&op.runtime.upstream, &op.version.upstream) else {
        return Err(UpstreamFault::unconfigured());
    };
    let started = r.io.clock.tick();
    let call = UpstreamCall {
        method,
        caller: granted.caller().credential().bits(),
        user: granted.caller().principal().user.as_deref(),
        path_and_query: target,
        authority: None,
        headers,
        body,
        begun: started,
        timeout: settings.timeout,
        room: Some(ResponseRoom {
            budget: &r.io.responses,
            bytes_max: r.snapshot.compiled.server.answers_bytes_max,
            is_shared: x.event.protocol.as_deref() == Some(Protocol::Http2.as_str()),
        }),
        is_retryable: true,
    };
    let mut outcome = r.pools.send(upstream, call).await;
    if let Ok(response) = &mut outcome {
        x.held.join(std::mem::take(&mut response.held));
    }
    let waited = match &outcome {
        Ok(response) => u64::from(response.response_us),
        Err(_) => micros_since(started),
    };
    x.event.upstream_us = Some(x.event.upstream_us.unwrap_or(0).saturating_add(waited));
    outcome
}

/// What the caller is told of a call without an answer. One that may have been carried out is not to be sent again.
pub fn fault_stop(fault: UpstreamFault, may_repeat: bool) -> Stop {
    let cause = Some(ProxyCause::Error(fault.proxy_error()));
    let mut refusal = if fault.is_sent && !may_repeat {
        OUTCOME_UNKNOWN.because(&*fault.detail)
    } else {
        fault.reason().because(&*fault.detail)
    };
    // RFC 9110 §15.6.5 keeps its meaning: nothing came in time.
    refusal.status = fault.reason().status;
    refusal.cause = cause;
    Stop::Failed(refusal)
}

/// Nothing was sent but a read, so that the caller's own call was certainly not carried out.
pub fn read_failed(x: &RequestState<'_, '_>, what: &str, status: u16, headers: &Headers) -> Stop {
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

/// The upstream's path is built from the matched template and the decoded parameters, never from the text received.
pub fn path(op: &Op<'_>, by: &Operation, values: &[(Arc<str>, String)]) -> String {
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

/// The fields that [`ours`] sets.
const OURS: [&str; 6] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "accept-encoding",
    "via",
    "portcullis-decision",
    "portcullis-identity",
];

/// The fields that only the gateway sets: whose call it is, and where it came from. Added last, in place of every copy.
pub fn ours(
    x: &RequestState<'_, '_>,
    granted: &Granted<'_>,
    r: &RequestContext<'_>,
    headers: &mut Headers,
) {
    let [address, scheme, coding, via, decision, identity] = OURS;
    headers.remove_all(&OURS);
    match &x.event.address {
        Some(noted) => headers.push(address, noted.as_bytes()),
        None => headers.push(address, shown(&x.address).as_bytes()),
    }
    let is_tls = x.peer.tls.is_some();
    headers.push(scheme, if is_tls { "https" } else { "http" });
    // RFC 9110 §12.5.3: without it any coding may be sent, and what is encoded cannot be judged.
    headers.push(coding, "identity");
    headers.push(via, &*x.via);
    headers.push(decision, x.id.ascii());
    let (caller, op) = (granted.caller(), granted.op());
    let token = r
        .tokens
        .identity(caller, op.version_name(), x.now, &r.io.keys.identity);
    headers.push(identity, token.as_bytes());
}
