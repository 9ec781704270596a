//! Is this request what the contract promised? Parameters, content type and body, all problems at once.
//! Exports `check_request` and `ValidRequest`. What was judged is what is forwarded.
//! Used by gateway's stage validate.
//! Start reading at `check_request`.

use std::sync::Arc;

use model::{CanonicalRequest, FieldError, Json, Mode, Payload, Reason, Refusal, Stage};

use crate::advice::listed;
use crate::bodies::{self, BODY, SentBody, TakesParameters, body_problem, whole_body};
use crate::findings::{Findings, JudgedParameter};
use crate::parameters;
use crate::plan::{BodyPlan, BodyPlanContent, Operation, Place};

/// The content type is not one the contract declares.
pub const CONTENT_TYPE: Reason = Reason::new(
    Stage::Validate,
    "validate.content_type",
    415,
    "The content type of the request is not one this operation accepts.",
    "Send one of the declared content types, without further parameters and without content encoding.",
    "The `Content-Type` is missing, undeclared, carries parameters other than `charset=utf-8`, has no judge in the gateway, \
     or the body is compressed. A type that cannot be judged is never forwarded. The integration has to send a declared type.",
);

/// A header parameter is not what the contract promised.
pub const HEADER: Reason = Reason::new(
    Stage::Validate,
    "validate.header",
    400,
    "A header or cookie of the request does not match the contract.",
    "Correct the headers named in `errors` and send the request again.",
    "A declared header or cookie parameter is missing, repeated or breaks its schema. Undeclared headers are not judged. \
     The errors name each one.",
);

/// A path parameter is not what the contract promised.
pub const PATH: Reason = Reason::new(
    Stage::Validate,
    "validate.path",
    400,
    "A path parameter does not match the contract.",
    "Correct the path parameters named in `errors` and send the request again.",
    "A value in the path breaks the schema of its parameter, for example a text where the contract has an integer. \
     The errors name each parameter and what is expected.",
);

/// A query parameter is not what the contract promised.
pub const QUERY: Reason = Reason::new(
    Stage::Validate,
    "validate.query",
    400,
    "A query parameter does not match the contract.",
    "Correct the query parameters named in `errors` and send the request again.",
    "A query parameter is undeclared, missing, repeated without being an array, or breaks its schema. \
     Undeclared parameters are refused because an upstream may know them although the contract does not.",
);

/// A request whose every declared part was judged.
#[derive(Clone, Debug)]
pub struct ValidRequest {
    /// The body as it was judged.
    pub payload: Payload,
    /// The body to forward, unless the gateway rewrites it: written again from the judged value, so that there is one reading
    /// of it. Empty without a body.
    pub body_bytes: Vec<u8>,
    /// The content type to forward, where there is a body.
    pub content_type: Option<Arc<str>>,
    /// Judged parameters with their typed values.
    pub parameters: Vec<JudgedParameter>,
    /// The query to forward, in its one canonical encoding, without `?`.
    pub query: String,
    /// Some part was let on although the contract does not vouch for it: inspection then looks at every text.
    pub is_unproven: bool,
    /// What breaks the contract and was let on, at most [`Refusal::ERRORS_MAX`]; nothing unless the mode is to observe.
    pub noted: Vec<FieldError>,
}

impl ValidRequest {
    /// The body as a typed value; a form as an object, a text as a text. Of a file its media type.
    pub fn body(&self) -> Option<&Json> {
        self.payload.value()
    }

    /// The typed value of a parameter.
    pub fn parameter(&self, place: Place, name: &str) -> Option<&Json> {
        self.parameters
            .iter()
            .find(|p| p.place == place && &*p.name == name)
            .map(|p| &p.value)
    }
}

/// Judges one request against one operation, as strictly as the mode says. Where that is to observe or off, values pass that
/// can be read and merely break their schema: wrong types and bounds, missing and undeclared fields and parameters. The
/// request is then marked [`ValidRequest::is_unproven`], and they are in [`ValidRequest::noted`] where they are observed.
///
/// # Errors
/// [`PATH`], [`QUERY`], [`HEADER`], [`CONTENT_TYPE`] or [`BODY`] with every problem found in that part (at most 20). In every
/// mode for what leaves in doubt what was sent: broken JSON, duplicate keys, parameters that cannot be split or decoded,
/// bodies nobody declared, content types without a judge.
pub fn check_request(
    operation: &Operation,
    request: &CanonicalRequest,
    path_values: &[(Arc<str>, String)],
    body: &[u8],
    mode: Mode,
) -> Result<ValidRequest, Box<Refusal>> {
    let mut found = Findings::new(mode);
    let mut valid = check(operation, request, path_values, body, &mut found)?;
    valid.is_unproven = found.is_unproven;
    valid.noted = found.errors;
    Ok(valid)
}

fn check(
    operation: &Operation,
    request: &CanonicalRequest,
    path_values: &[(Arc<str>, String)],
    body: &[u8],
    found: &mut Findings,
) -> Result<ValidRequest, Box<Refusal>> {
    let mut judged = Vec::with_capacity(operation.parameters.len());
    for (reason, places) in [
        (&PATH, [Place::Path].as_slice()),
        (&QUERY, &[Place::Query]),
        (&HEADER, &[Place::Header, Place::Cookie]),
    ] {
        for place in places {
            parameters::judge(operation, *place, request, path_values, &mut judged, found);
        }
        found.settle(reason)?;
    }
    let valid = ValidRequest {
        payload: Payload::None,
        body_bytes: Vec::new(),
        content_type: None,
        parameters: judged,
        query: parameters::write_query(operation, request.query()),
        is_unproven: false,
        noted: Vec::new(),
    };
    check_body(operation, request, body, valid, found)
}

fn check_body(
    operation: &Operation,
    request: &CanonicalRequest,
    body: &[u8],
    valid: ValidRequest,
    found: &mut Findings,
) -> Result<ValidRequest, Box<Refusal>> {
    let Some(plan) = &operation.body else {
        if body.is_empty() {
            return Ok(valid);
        }
        return Err(whole_body(
            "unexpected",
            "this operation takes no body",
            "send no body",
        ));
    };
    if body.is_empty() {
        if plan.is_required {
            found.broken(body_problem(
                String::new(),
                "required",
                "the body is missing",
                "send a body of the declared type",
            ));
        }
        return found.settle(&BODY).map(|()| valid);
    }
    let (content, sent_type) = content_of(plan, request)?;
    let sent = SentBody {
        operation,
        content,
        content_type: sent_type,
        bytes: body,
    };
    let read = (bodies::kind(content.format).read)(&sent, found)?;
    Ok(ValidRequest {
        payload: read.payload,
        body_bytes: read.bytes,
        content_type: Some(read.content_type),
        ..valid
    })
}

/// The plan for the content type that was sent. Everything but one plain declared type is refused, because another
/// reader could choose another parser.
fn content_of<'p>(
    plan: &'p BodyPlan,
    request: &'p CanonicalRequest,
) -> Result<(&'p BodyPlanContent, &'p str), Box<Refusal>> {
    let wrong = |detail: &str| {
        let allowed: Vec<&str> = plan.contents.iter().map(|c| &*c.content_type).collect();
        CONTENT_TYPE.because(detail).with_errors(vec![FieldError {
            place: "header",
            pointer: "content-type".into(),
            keyword: "contentType".into(),
            detail: detail.into(),
            fix: if allowed.is_empty() {
                "ask the operator: no body of this operation is carried".into()
            } else {
                format!("send one of: {}", listed(&allowed))
            },
        }])
    };
    let encoding = request.headers().get("content-encoding");
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(wrong("compressed bodies are not accepted"));
    }
    let Some(sent) = request.headers().text("content-type") else {
        return Err(wrong("the content type is missing"));
    };
    let (essence, parameters) = sent.split_once(';').unwrap_or((sent, ""));
    let essence = essence.trim().to_ascii_lowercase();
    let named = plan.contents.iter().find(|c| *c.content_type == *essence);
    let takes = named.map_or(bodies::takes_charset as TakesParameters, |content| {
        bodies::kind(content.format).takes_parameters
    });
    takes(sent, parameters.trim()).map_err(wrong)?;
    if let Some(content) = named {
        return Ok((content, sent));
    }
    let mut declared = plan.not_carried.iter();
    if let Some(known) = declared.find(|known| *known.content_type == *essence) {
        let mut refusal = wrong("this content type is declared, and not carried here");
        let (why, file) = (&known.why.message, &known.why.file);
        refusal.detail = format!("`{essence}` is not carried: {why} ({file})");
        return Err(refusal);
    }
    Err(wrong("this content type is not declared"))
}

#[cfg(test)]
mod tests;
