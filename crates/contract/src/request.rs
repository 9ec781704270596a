//! Is this request what the contract promised? Parameters, content type and body, all problems at once.
//! Exports `check_request` and `ValidRequest`. What was judged is what is forwarded.
//! Used by gateway's stage validate.
//! Start reading at `check_request`.

use std::sync::Arc;

use model::json::{Problem, ProblemKind};
use model::{CanonicalRequest, FieldError, Json, Mode, Payload, Reason, Refusal, Stage};

use crate::advice::listed;
use crate::body_format::BodyFormat;
use crate::errors::{Subject, explain};
use crate::file;
use crate::findings::{Findings, JudgedParameter};
use crate::form;
use crate::multipart;
use crate::parameters;
use crate::parts::{self, WrongPart};
use crate::plan::{BodyPlan, BodyPlanContent, Operation, Place};

/// The body is not what the contract promised.
pub const BODY: Reason = Reason::new(
    Stage::Validate,
    "validate.body",
    400,
    "The request body does not match the contract.",
    "Correct the fields named in `errors` and send the request again.",
    "The body is not strict JSON, form data or plain text as declared, is missing or unexpected, or a field breaks the schema of the contract \
     (unknown fields are refused unless the schema or `unknown_fields: allow` admits them). The errors name each field; \
     the integration has to send what the contract declares, or the contract has to be corrected.",
);

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
    let content = content_of(plan, request)?;
    match content.format {
        BodyFormat::Json => json_body(operation, content, body, valid, found),
        BodyFormat::Form => form_body(operation, content, body, valid, found),
        BodyFormat::Text => text_body(content, body, valid, found),
        BodyFormat::File => file_body(content, body, valid, found),
        BodyFormat::Multipart => multipart_body(operation, content, (request, body), valid, found),
    }
}

fn whole_body(keyword: &str, detail: &str, fix: &str) -> Box<Refusal> {
    body_error(String::new(), keyword, detail, fix)
}

fn body_error(pointer: String, keyword: &str, detail: &str, fix: &str) -> Box<Refusal> {
    let private = format!("{keyword}: {detail}");
    BODY.because(private)
        .with_errors(vec![body_problem(pointer, keyword, detail, fix)])
}

fn body_problem(pointer: String, keyword: &str, detail: &str, fix: &str) -> FieldError {
    FieldError {
        place: "body",
        pointer,
        keyword: keyword.into(),
        detail: detail.into(),
        fix: fix.into(),
    }
}

/// The plan for the content type that was sent. Everything but one plain declared type is refused, because another
/// reader could choose another parser.
fn content_of<'p>(
    plan: &'p BodyPlan,
    request: &CanonicalRequest,
) -> Result<&'p BodyPlanContent, Box<Refusal>> {
    let wrong = |detail: &str| {
        let allowed: Vec<&str> = plan.contents.iter().map(|c| &*c.content_type).collect();
        CONTENT_TYPE.because(detail).with_errors(vec![FieldError {
            place: "header",
            pointer: "content-type".into(),
            keyword: "contentType".into(),
            detail: detail.into(),
            fix: format!("send one of: {}", listed(&allowed)),
        }])
    };
    let encoding = request.headers().get("content-encoding");
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(wrong("compressed bodies are not accepted"));
    }
    let Some(sent) = request.headers().text("content-type") else {
        return Err(wrong("the content type is missing"));
    };
    let mut pieces = sent.split(';').map(str::trim);
    let essence = pieces.next().unwrap_or_default().to_ascii_lowercase();
    // RFC 9110 §5.6.6: between semicolons a parameter may be missing.
    let mut pieces = pieces.filter(|piece| !piece.is_empty());
    let named = plan.contents.iter().find(|c| *c.content_type == *essence);
    if let Some(content) = named.filter(|c| c.format == BodyFormat::Multipart) {
        return multipart::boundary(sent).map(|_| content).ok_or_else(|| {
            wrong("its one parameter has to be a `boundary` of letters, digits and `-_.+`")
        });
    }
    if let Some(parameter) = pieces.next() {
        let is_utf8 = ["charset=utf-8", "charset=\"utf-8\""]
            .iter()
            .any(|known| parameter.eq_ignore_ascii_case(known));
        if !is_utf8 || pieces.next().is_some() {
            return Err(wrong("only the parameter `charset=utf-8` is accepted"));
        }
    }
    if let Some(content) = named {
        return Ok(content);
    }
    if plan.unsupported.iter().any(|kind| **kind == *essence) {
        return Err(wrong("this content type cannot be judged here"));
    }
    Err(wrong("this content type is not declared"))
}

fn json_body(
    operation: &Operation,
    content: &BodyPlanContent,
    body: &[u8],
    mut valid: ValidRequest,
    found: &mut Findings,
) -> Result<ValidRequest, Box<Refusal>> {
    let value =
        model::json::parse(body, operation.bounds).map_err(|problem| unreadable(&problem))?;
    judged_body(content, &value, found)?;
    let mut bytes = Vec::with_capacity(body.len());
    model::json::write(&value, &mut bytes);
    valid.payload = Payload::Json(value);
    valid.body_bytes = bytes;
    valid.content_type = Some(content.content_type.clone());
    Ok(valid)
}

fn form_body(
    operation: &Operation,
    content: &BodyPlanContent,
    body: &[u8],
    mut valid: ValidRequest,
    found: &mut Findings,
) -> Result<ValidRequest, Box<Refusal>> {
    let fix = "send `name=value` pairs, percent-encoded, joined by `&`";
    let pairs =
        form::pairs(body).map_err(|why| whole_body("form", &format!("the form {why}"), fix))?;
    if pairs.len() > operation.bounds.values {
        return Err(whole_body(
            "form",
            "the form has too many pairs",
            "send fewer fields",
        ));
    }
    let value = form::read(&pairs, &content.target).map_err(|name| {
        let name: String = name.chars().take(64).collect();
        let pointer = format!("/{}", crate::text::step(&name));
        body_error(pointer, "repeated", "sent more than once", "send it once")
    })?;
    judged_body(content, &value, found)?;
    valid.payload = Payload::Form(value);
    valid.body_bytes = form::write(&pairs).into_bytes();
    valid.content_type = Some(content.content_type.clone());
    Ok(valid)
}

fn text_body(
    content: &BodyPlanContent,
    body: &[u8],
    mut valid: ValidRequest,
    found: &mut Findings,
) -> Result<ValidRequest, Box<Refusal>> {
    let fix =
        "send UTF-8 without a byte order mark and without control characters but tab and line ends";
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| crate::text::is_plain(text));
    let text = text.ok_or_else(|| whole_body("encoding", "not plain UTF-8", fix))?;
    let payload = Payload::text(text);
    if let Some(value) = payload.value() {
        judged_body(content, value, found)?;
    }
    valid.payload = payload;
    valid.body_bytes = body.to_vec();
    valid.content_type = Some(content.content_type.clone());
    Ok(valid)
}

fn file_body(
    content: &BodyPlanContent,
    body: &[u8],
    mut valid: ValidRequest,
    found: &mut Findings,
) -> Result<ValidRequest, Box<Refusal>> {
    if found.mode != Mode::Off
        && let Some(wrong) = file::wrong(&content.content_type, content.bytes, body)
    {
        found.broken(body_problem(
            String::new(),
            wrong.keyword,
            &wrong.detail,
            &wrong.fix,
        ));
        found.settle(&BODY)?;
    }
    valid.payload = Payload::file(&content.content_type);
    valid.body_bytes = body.to_vec();
    valid.content_type = Some(content.content_type.clone());
    Ok(valid)
}

fn multipart_body(
    operation: &Operation,
    content: &BodyPlanContent,
    (request, body): (&CanonicalRequest, &[u8]),
    mut valid: ValidRequest,
    found: &mut Findings,
) -> Result<ValidRequest, Box<Refusal>> {
    let fix = "send parts as RFC 7578 describes them, each with a name";
    let sent = request.headers().text("content-type").unwrap_or_default();
    let boundary = multipart::boundary(sent).unwrap_or_default();
    let mut parts = multipart::parse(body, boundary)
        .map_err(|why| whole_body("multipart", &format!("the body {why}"), fix))?;
    let read = parts::read(
        &mut parts,
        &content.parts,
        &content.target,
        operation.bounds,
    );
    let (value, wrong) = read.map_err(|wrong| {
        BODY.because(wrong.keyword)
            .with_errors(vec![part_problem(wrong)])
    })?;
    if found.mode != Mode::Off {
        wrong
            .into_iter()
            .for_each(|wrong| found.broken(part_problem(wrong)));
        found.settle(&BODY)?;
    }
    judged_body(content, &value, found)?;
    valid.payload = Payload::Multipart(value);
    let (bytes, boundary) = multipart::write(&parts);
    valid.body_bytes = bytes;
    valid.content_type = Some(format!("multipart/form-data; boundary={boundary}").into());
    Ok(valid)
}

fn part_problem(wrong: WrongPart) -> FieldError {
    let name: String = wrong.name.chars().take(64).collect();
    let pointer = format!("/{}", crate::text::step(&name));
    body_problem(pointer, wrong.keyword, &wrong.detail, &wrong.fix)
}

fn judged_body(
    content: &BodyPlanContent,
    value: &Json,
    found: &mut Findings,
) -> Result<(), Box<Refusal>> {
    if found.mode == Mode::Off || content.validator.is_valid(value) {
        return Ok(());
    }
    let subject = Subject {
        place: "body",
        name: "",
        validator: &content.validator,
        value,
        shape: &content.shape,
    };
    explain(&subject).into_iter().for_each(|e| found.broken(e));
    found.settle(&BODY)
}

fn unreadable(problem: &Problem) -> Box<Refusal> {
    let (keyword, detail, fix) = match problem.kind {
        ProblemKind::Syntax => ("json", "not valid JSON", "send one JSON value (RFC 8259)"),
        ProblemKind::DuplicateKey => ("duplicateKey", "the key occurs twice", "send each key once"),
        ProblemKind::TooDeep => ("depth", "nested too deeply", "send a flatter value"),
        ProblemKind::TooLarge => ("size", "too many values", "send fewer values at once"),
        ProblemKind::Number => (
            "number",
            "the number is too long or too large",
            "send a smaller number",
        ),
        ProblemKind::Encoding => (
            "encoding",
            "not plain UTF-8",
            "send UTF-8 without a byte order mark",
        ),
    };
    let shown: String = problem.pointer.chars().take(200).collect();
    let mut refusal = body_error(shown, keyword, detail, fix);
    refusal.detail = format!("{keyword} at byte {}", problem.offset);
    refusal
}

#[cfg(test)]
mod tests;
