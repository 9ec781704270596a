//! The request that `can` is asked about, read as the gateway would read it: routed, completed and held against the contract.
//! Exports `route`, `read`, `ReadRequest`.
//! Used by `ask`, where a request would pass the stages route and validate.
//! Start reading at `read`.

use std::sync::Arc;

use config::Compiled;
use contract::{BodyFormat, Found, JudgedParameter, TemplateSegment};
use model::canonical::encode_segment;
use model::http::{BodyLength, Protocol};
use model::{CanonicalRequest, FieldError, Head, Headers, Json, Mode, Refusal};
use policy::{PagePlace, Permit};

use super::question::{AccessQuestion, Context, Evaluation, UNKNOWN};

/// Stands in a path for an id that was not given.
const ANY: &str = "any";

/// A request as far as it was given.
#[derive(Debug, Default)]
pub struct ReadRequest {
    /// The body as it would be forwarded.
    pub body: Option<Json>,
    /// Its parameters.
    pub parameters: Vec<JudgedParameter>,
    /// Query parameters that the contract demands and that were not given.
    pub missing: Vec<String>,
}

/// Whether the path leads to the operation that was asked about, with these values.
///
/// # Errors
/// When it leads elsewhere, or an upstream could read it as another path.
pub fn route(context: &Context<'_>) -> Result<(), Box<Evaluation>> {
    if context.path.iter().any(|(_, value)| value == UNKNOWN) {
        return Ok(());
    }
    let target = target(context);
    let asked = head(context, &target, None);
    let request =
        CanonicalRequest::of_encoded(asked).map_err(|refusal| not_found(&refusal.detail))?;
    let router = &context.compiled.router;
    let listener = router.listener(context.listener);
    let (method, segments) = (request.method(), request.segments());
    match router.find_encoded(listener, method, segments, request.encoded()) {
        Found::Operation { api, operation, .. } => {
            let version = context.compiled.versions.get(api);
            let plan = version.and_then(|version| version.operations.get(operation));
            if plan.is_some_and(|plan| plan.policy == Some(context.operation)) {
                Ok(())
            } else {
                Err(Evaluation::no(format!(
                    "with these values the path {target} means {}, not {}",
                    plan.map_or("another operation", |plan| &plan.id),
                    context.asked.plan.id
                )))
            }
        }
        Found::Ambiguous {
            rival: Some(rival), ..
        } => Err(not_found(&format!(
            "with this value an upstream could read the path as `{rival}`"
        ))),
        Found::Ambiguous { rival: None, .. } => Err(not_found(
            "with a blank value an upstream could read a shorter path",
        )),
        _ => Err(not_found(&format!(
            "the path {target} leads nowhere on listener {}",
            context.listener
        ))),
    }
}

fn not_found(why: &str) -> Box<Evaluation> {
    Box::new(Evaluation {
        code: Some("route.not_found"),
        ..*Evaluation::no(why)
    })
}

/// The path as a client would write it.
fn target(context: &Context<'_>) -> String {
    let mut out = context.asked.version.base_path.to_string();
    let value = |name: &Arc<str>, out: &mut String| {
        let known = context.path.iter().find(|(known, _)| known == name);
        let known = known
            .map(|(_, value)| &**value)
            .filter(|value| *value != UNKNOWN);
        encode_segment(known.unwrap_or(ANY), out);
    };
    for segment in &context.contract.segments {
        out.push('/');
        match segment {
            TemplateSegment::Static(text) => encode_segment(text, &mut out),
            TemplateSegment::Parameter(name) => value(name, &mut out),
            TemplateSegment::Mixed { texts, names } => {
                let mut names = names.iter();
                for text in texts {
                    encode_segment(text, &mut out);
                    names
                        .next()
                        .into_iter()
                        .for_each(|name| value(name, &mut out));
                }
            }
        }
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

fn head(context: &Context<'_>, target: &str, content_type: Option<&str>) -> Head {
    let mut headers = Headers::new();
    if let Some(kind) = content_type {
        headers.set("content-type", kind.as_bytes());
    }
    Head {
        protocol: Protocol::Http11,
        method: context.contract.method,
        target: target.to_owned(),
        authority: String::new(),
        headers,
        body: BodyLength::None,
    }
}

/// Completes the request with what the grants fix and holds it against the contract, as strictly as the gateway is set to.
/// What was not given is not asked about: the body of a change, headers, ids in the path.
///
/// # Errors
/// The refusal that the caller would get.
pub fn read(context: &Context<'_>, permit: &Permit) -> Result<ReadRequest, Box<Refusal>> {
    let body = match context.body() {
        Some(body) => completed(context, body, permit)?,
        None => Vec::new(),
    };
    let contents = context.contract.body.iter().flat_map(|plan| &plan.contents);
    let kind = contents
        .filter(|content| content.format == BodyFormat::Json)
        .map(|content| &*content.content_type)
        .next();
    // A form is asked about as JSON; what it holds is judged by the grants alone.
    let is_form = context.contract.body.is_some() && kind.is_none();
    let sent: &[u8] = if is_form { &[] } else { &body };
    let query = contract::write_query(context.contract, &context.query);
    let target = format!("{}?{query}", target(context));
    let asked =
        CanonicalRequest::of_encoded(head(context, &target, kind.filter(|_| !sent.is_empty())))?;
    let mode = context.asked.plan.request;
    // What is enforced is observed here: what is wrong is told apart from what was merely not given.
    let noting = mode.min(Mode::Observe);
    let valid = contract::check_request(context.contract, &asked, &context.path, sent, noting)?;
    let (missing, wrong) = sorted(valid.noted, context);
    if mode == Mode::Enforce {
        refuse(wrong)?;
    }
    let body = if is_form {
        model::json::parse(&body, context.contract.bounds).ok()
    } else {
        valid.payload.into_value()
    };
    Ok(ReadRequest {
        body,
        parameters: valid.parameters,
        missing,
    })
}

/// The body with the values that the grants fix in it.
fn completed(context: &Context<'_>, body: &Json, permit: &Permit) -> Result<Vec<u8>, Box<Refusal>> {
    let mut bytes = Vec::new();
    model::json::write(body, &mut bytes);
    let fixed = gateway::fix_body(&bytes, permit.fixed(), context.contract.bounds);
    let fixed = fixed.map_err(|stop| Box::new(stop.refusal().clone()))?;
    Ok(fixed.unwrap_or(bytes))
}

/// Query parameters that are missing, and what is wrong with what was given.
fn sorted(errors: Vec<FieldError>, context: &Context<'_>) -> (Vec<String>, Vec<FieldError>) {
    let (mut missing, mut wrong) = (Vec::new(), Vec::new());
    for error in errors {
        let is_missing = error.keyword == "required";
        match error.place {
            "query" if is_missing => missing.push(error.pointer),
            "header" | "cookie" if is_missing => {}
            "body" if is_missing && context.body().is_none() => {}
            // The id of an object that was made up need not be one of the contract's.
            "path" if !is_given(context, &error.pointer) => {}
            _ => wrong.push(error),
        }
    }
    (missing, wrong)
}

fn is_given(context: &Context<'_>, name: &str) -> bool {
    context.asked.path.iter().any(|(known, _)| known == name)
}

fn refuse(wrong: Vec<FieldError>) -> Result<(), Box<Refusal>> {
    let Some(first) = wrong.first() else {
        return Ok(());
    };
    let reason = match first.place {
        "path" => &contract::PATH,
        "query" => &contract::QUERY,
        "body" => &contract::BODY,
        _ => &contract::HEADER,
    };
    Err(reason.because("it breaks the contract").with_errors(wrong))
}

/// Judges the parameters and the body as the gateway judges those of a request.
///
/// # Errors
/// [`policy::PARAMETER_NOT_GRANTED`].
pub fn admit(permit: &mut Permit, read: &ReadRequest) -> Result<(), Box<Refusal>> {
    permit.admit(gateway::sent(&read.parameters), read.body.as_ref())
}

/// The cursor of the request, which only an answer can have given.
pub fn cursor(asked: &AccessQuestion<'_>, permit: &Permit) -> Option<String> {
    match permit.pages()?.cursor_sent.as_ref()? {
        PagePlace::Query(name) => {
            let mut sent = asked.query.iter();
            sent.find(|(known, _)| **known == **name)
                .map(|(known, _)| known.clone())
        }
        PagePlace::Body { steps, .. } => {
            let mut value = asked.body.as_ref()?;
            for step in steps.iter() {
                value = value.get(step)?;
            }
            (*value != Json::Null).then(|| steps.join("."))
        }
    }
}

/// Whether a look-up's path leads to the operation that looks up, and to no other.
pub fn leads(compiled: &Compiled, asked: &AccessQuestion<'_>, lookup: &policy::Lookup) -> bool {
    let versions = &compiled.versions;
    let version = versions.iter().position(|v| v.name == asked.version.name);
    let plans = &asked.version.operations;
    let operation = plans
        .iter()
        .position(|p| p.policy == Some(lookup.operation));
    let found = version.zip(operation);
    found.is_some_and(|(version, operation)| {
        compiled.router.leads_to(version, operation, &lookup.path)
    })
}
