//! Stage `response`: the upstream's answer read strictly, compared with its contract, and released.
//! Exports `read` (bytes to JSON, drift) and `release` (leaks held back, the reply scrubbed).
//! Used by the pipeline, around the object rules.
//! Start reading at `read`.

use std::sync::Arc;

use contract::{BodyFormat, Operation, ResponsePlan};
use model::event::{Drift, Treatment};
use model::json;
use model::{CanonicalRequest, Headers, Json, Mode, Payload, Response, Stage, Text};
use policy::Released;

use crate::bounds::RESPONSE_BOUNDS;
use crate::context::{Op, RequestContext};
use crate::reasons::{CONTRACT, LEAK};

use crate::{RequestState, Stop, etag, finding, leaks, record, retry_after};
use crypto::SealKey;
use net::UpstreamResponse;

/// An answer's body as the rules see it.
pub struct Read {
    /// Status of the upstream.
    pub status: u16,
    /// Body.
    pub payload: Payload,
    /// The bytes of a file; none of any other body.
    pub file: Vec<u8>,
    /// Fields that may be passed on.
    pub headers: Headers,
    /// Media type to answer with.
    pub kind: Arc<str>,
    /// It breaks the contract where that is enforced; whoever shows it fails with this.
    pub broken: Option<Broken>,
}

/// An answer that breaks the contract where that is enforced.
pub struct Broken {
    /// What it is refused with.
    pub stop: Stop,
    /// The media type that was sent.
    pub sent_kind: Option<String>,
}

impl Read {
    /// An answer that says nothing, in place of one by which the upstream says that there is nothing.
    pub fn nothing() -> Read {
        Read {
            status: 200,
            payload: Payload::None,
            file: Vec::new(),
            headers: Headers::new(),
            kind: Arc::from(JSON),
            broken: None,
        }
    }

    /// Forgets everything by which an answer that shows no object could say whether there are some.
    pub fn say_no_more(&mut self, operation: &Operation) {
        let first = operation.media.first();
        *self = Read {
            status: first.status,
            kind: Arc::clone(&first.content_type),
            ..Read::nothing()
        };
    }
}

/// What answers are written in where the contract names no other type.
const JSON: &str = "application/json";
/// What one text is written in.
const TEXT: &str = "text/plain; charset=utf-8";

/// Whether a byte may stand in a field's value.
type Form = fn(u8) -> bool;

/// Fields of an upstream's answer that reach the caller, and the form they must have. Every other field says more about
/// the upstream, or about fields that were not granted, than the contract does. `etag` goes sealed.
const PASSED_ON: [(&str, Form); 1] = [("content-language", |byte| {
    byte.is_ascii_alphanumeric() || b"-, ".contains(&byte)
})];
/// Most lines of drift on one record.
const DRIFT_MAX: usize = 20;
/// Longest value passed on.
const PASSED_ON_BYTES_MAX: usize = 64;

/// What of the upstream's fields may be passed on to this caller. An error has no entity tag to seal.
pub fn passed_on(x: &RequestState<'_, '_>, from: &Headers, key: Option<&SealKey>) -> Headers {
    let mut headers = Headers::with_room(8, 256);
    for (name, is_form) in PASSED_ON {
        let value = from
            .get(name)
            .filter(|value| value.len() <= PASSED_ON_BYTES_MAX);
        if let Some(value) = value.filter(|value| value.iter().all(|byte| is_form(*byte))) {
            headers.push(name, value);
        }
    }
    if let Some(seconds) = retry_after::seconds(from, x.now) {
        headers.push("retry-after", seconds.to_string());
    }
    let caller = x.charged_to.as_ref();
    let integration = caller.map_or("", |caller| &caller.integration);
    let tag = key.zip(from.get("etag"));
    if let Some(tag) = tag.and_then(|(key, tag)| etag::hide(key, tag, integration)) {
        headers.push("etag", tag);
    }
    headers
}

/// Reads the answer: strict JSON, one text or a file, as its contract declares it, or nothing. One that breaks an enforced contract is
/// read all the same, with what it is refused with ([`Read::broken`]).
pub fn read(
    x: &mut RequestState<'_, '_>,
    response: UpstreamResponse,
    op: &Op<'_>,
    r: &RequestContext<'_>,
) -> Result<Read, Stop> {
    x.enter(Stage::Response);
    let status = response.status;
    let plan = op.operation.response(status);
    let payload = match plan.map(|plan| (plan.format, plan)) {
        // RFC 9110 §15.3.6: what stands behind the head of a 205 is no content.
        _ if response.body.is_empty() || status == 205 => Payload::None,
        Some((BodyFormat::Text, _)) => text(&response)?,
        Some((BodyFormat::File, plan)) => file(&response, plan)?,
        _ => Payload::Fields(parse(&response)?),
    };
    let drifted = drift(x, status, &response, payload.value(), op);
    let broken = drifted.err().map(|stop| Broken {
        stop,
        sent_kind: response.headers.text("content-type").map(str::to_owned),
    });
    let mut headers = passed_on(x, &response.headers, Some(&r.io.etags));
    let kind = match &payload {
        Payload::Text(_) => Arc::from(TEXT),
        Payload::File(Json::Text(kind)) => {
            // Nobody has read it: no page of a browser is to be made of it.
            headers.push("content-disposition", "attachment");
            Arc::from(kind.as_str())
        }
        _ => plan
            .and_then(|plan| json_type(&response, plan))
            .unwrap_or_else(|| Arc::from(JSON)),
    };
    Ok(Read {
        status,
        kind,
        file: match payload {
            Payload::File(_) => response.body,
            _ => Vec::new(),
        },
        payload,
        headers,
        broken,
    })
}

fn parse(response: &UpstreamResponse) -> Result<Json, Stop> {
    let kind = stated_type(response)?;
    if !is_json(kind) {
        return Err(other_type(kind));
    }
    json::parse(&response.body, RESPONSE_BOUNDS).map_err(|problem| {
        failed(format!(
            "the upstream's JSON is broken: {} at byte {}",
            problem.kind, problem.offset
        ))
    })
}

/// One text, where the contract declares one.
fn text(response: &UpstreamResponse) -> Result<Payload, Stop> {
    let kind = stated_type(response)?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/plain") {
        return Err(other_type(kind));
    }
    let text = std::str::from_utf8(&response.body);
    let text = text.map_err(|_| failed("the upstream's text is not UTF-8".to_owned()))?;
    Ok(Payload::text(text))
}

/// A file of a type that the contract declares, and that begins like it. What is packed, or begins otherwise, is another file than
/// the one that was declared and granted: like its type, that is no question of how strictly the contract is held.
fn file(response: &UpstreamResponse, plan: &ResponsePlan) -> Result<Payload, Stop> {
    let mut codings = response.headers.all("content-encoding");
    if codings.any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(failed("the upstream's file is compressed".to_owned()));
    }
    let kind = stated_type(response)?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let mut declared = plan.content_types.iter();
    let Some(declared) = declared.find(|declared| declared.eq_ignore_ascii_case(essence)) else {
        return Err(other_type(kind));
    };
    if !contract::begins_like(declared, &response.body) {
        let detail = format!("the upstream's file does not begin like `{declared}`");
        return Err(failed(detail));
    }
    Ok(Payload::file(declared))
}

/// The type that an answer states; empty where it states none. Of two, one reader takes the first and another one the last
/// (RFC 9110 §8.3: the field is no list).
fn stated_type(response: &UpstreamResponse) -> Result<&str, Stop> {
    if response.headers.count("content-type") > 1 {
        let detail = "the upstream's answer states two content types";
        return Err(failed(detail.to_owned()));
    }
    Ok(response.headers.text("content-type").unwrap_or_default())
}

fn other_type(kind: &str) -> Stop {
    failed(format!(
        "the upstream answered with content type `{}`",
        kind.escape_debug()
    ))
}

fn failed(detail: String) -> Stop {
    Stop::Failed(CONTRACT.because(detail))
}

/// `application/json` or a `+json` type.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(JSON) || essence.to_ascii_lowercase().ends_with("+json")
}

/// The type to answer with: the upstream's own where the contract declares it, else plain JSON. `None` when it is no JSON.
pub fn json_type(response: &UpstreamResponse, plan: &ResponsePlan) -> Option<Arc<str>> {
    let sent = stated_type(response).ok().filter(|kind| is_json(kind))?;
    let essence = sent.split(';').next().unwrap_or_default().trim();
    let mut declared = plan.content_types.iter();
    let own = declared.find(|kind| kind.eq_ignore_ascii_case(essence));
    Some(own.map_or_else(|| Arc::from(JSON), Arc::clone))
}

/// Compares an answer with the contract, as strictly as the operation's mode says.
pub fn drift(
    x: &mut RequestState<'_, '_>,
    status: u16,
    response: &UpstreamResponse,
    body: Option<&Json>,
    op: &Op<'_>,
) -> Result<(), Stop> {
    let mode = op.plan.response;
    if mode == Mode::Off {
        return Ok(());
    }
    let kind = response.headers.text("content-type");
    let found = contract::check_response(op.operation, status, kind, body, &response.body);
    for drift in &found {
        let one = Drift {
            pointer: drift.pointer.as_str().into(),
            keyword: Text::new(&drift.keyword),
        };
        // A list may be read page by page; each page adds what it shows.
        if x.event.drift.len() < DRIFT_MAX && !x.event.drift.contains(&one) {
            x.event.drift.push(one);
        }
    }
    match found.first() {
        Some(first) if mode == Mode::Enforce => Err(failed(format!(
            "contract drift: {} {}",
            first.pointer, first.detail
        ))),
        _ => Ok(()),
    }
}

/// Builds the reply from what the object rules released.
pub fn release(
    x: &mut RequestState<'_, '_>,
    read: Read,
    mut released: Released,
    op: &Op<'_>,
    own: &str,
    r: &RequestContext<'_>,
) -> Result<Response, Stop> {
    x.enter(Stage::Response);
    // Noted first: the record of an answer that is held back says whose it was.
    note(x, &mut released);
    own_urls(x, &mut released.body, op, own);
    guard(x, &mut released.body, read.status, op, r)?;
    let mut body = read.payload.written(released.body, read.file);
    if matches!(read.payload, Payload::File(_)) {
        let found = leaks::guard_file(&body, &read.kind, &r.snapshot.compiled.responses);
        hold_back(x, found, &mut body)?;
    }
    Ok(compose(x, read.status, body, read.headers, &read.kind))
}

/// Scheme and host by which this caller reaches us; nothing on a plain listener, behind which another server may speak TLS.
pub fn own_origin(asked: &CanonicalRequest, r: &RequestContext<'_>) -> String {
    let has_tls = r.listener.is_some_and(|listener| listener.tls.is_some());
    if has_tls {
        format!("https://{}", asked.authority())
    } else {
        String::new()
    }
}

/// Writes URLs of the upstream as ours, and withholds those that lead elsewhere than to the api.
pub fn own_urls(x: &mut RequestState<'_, '_>, body: &mut Vec<u8>, op: &Op<'_>, own: &str) {
    let Some(upstream) = &op.version.upstream else {
        return;
    };
    let done = crate::own_urls::rewritten(body, &upstream.targets, &op.version.base_path, own);
    if let Some(done) = done {
        *body = done.body;
        if done.is_withheld {
            finding::note(&mut x.event, std::iter::once(leaks::upstream_url()));
        }
    }
}

/// Notes what leaves.
pub fn note(x: &mut RequestState<'_, '_>, released: &mut Released) {
    record::note_objects(&mut x.event, &released.objects);
    x.event.fields = Some((released.fields_out, released.fields_seen));
    // Objects that were left out of a list before are counted already.
    let before = x.event.withheld.unwrap_or(0);
    x.event.withheld = Some(before.saturating_add(released.withheld)).filter(|n| *n > 0);
}

/// The upstream's answer as the caller gets it.
pub fn compose(
    x: &RequestState<'_, '_>,
    status: u16,
    body: Vec<u8>,
    headers: Headers,
    kind: &str,
) -> Response {
    let mut response = Response::new(status, body);
    response.headers = headers;
    if !response.body.is_empty() {
        response.headers.push("content-type", kind);
        response.headers.push("x-content-type-options", "nosniff");
    }
    // What one caller may see is nobody's to keep.
    response.headers.push("cache-control", "no-store");
    for (name, value) in x.response_headers.iter() {
        response.headers.push(name, value);
    }
    response
}

/// Holds back data that must not leave, whoever asks: a grant is about fields, not about what got into them by mistake.
pub fn guard(
    x: &mut RequestState<'_, '_>,
    body: &mut Vec<u8>,
    status: u16,
    op: &Op<'_>,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    let found = leaks::guard(body, op.operation, status, &r.snapshot.compiled.responses);
    hold_back(x, found, body)
}

/// Notes what was found, and sends no body, a changed one, or the one there is.
fn hold_back(
    x: &mut RequestState<'_, '_>,
    found: leaks::Guarded,
    body: &mut Vec<u8>,
) -> Result<(), Stop> {
    let first = found
        .seen
        .iter()
        .find(|seen| seen.what == Treatment::Blocked)
        .cloned();
    finding::note(&mut x.event, found.seen.into_iter());
    if found.is_blocked {
        let detail = first.map(|seen| format!("{} at answer {}", seen.rule, seen.pointer));
        return Err(Stop::Failed(LEAK.because(detail.unwrap_or_default())));
    }
    if let Some(masked) = found.body {
        *body = masked;
    }
    Ok(())
}
