//! Values that grants fix, and parameters that may not be used.
//! Exports `fix_query` (before anything is decided), `fix_body` (before the body is judged) and `admit`.
//! Used by the pipeline and by stage `validate`. The rules are policy's.
//! Start reading at `fix_query`.

use std::sync::Arc;

use contract::{JudgedParameter, Place, ValidRequest};
use identity::Caller;
use model::json::Bounds;
use model::{CanonicalRequest, FieldError, Json, Refusal, Stage, Text};
use policy::{Fixed, FixedTarget, PagePlace, ParameterPlace, Permit, Sent, VALUE_FIXED};

use crate::context::{Op, RequestContext};
use crate::cursor::Resume;
use crate::{RequestState, Stop};

/// Writes the query parameters that the caller's grants fix. What is decided afterwards is decided on what is forwarded.
pub fn fix_query(
    x: &mut RequestState<'_, '_>,
    caller: &Caller,
    asked: &mut CanonicalRequest,
    op: &Op<'_>,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    x.enter(Stage::Authz);
    let rules = &r.snapshot.compiled.rules;
    for fixed in rules.fixed(caller.principal(), op.policy) {
        let FixedTarget::Query(name) = &fixed.target else {
            continue;
        };
        let wanted = fixed.text();
        if asked
            .query()
            .iter()
            .filter(|(sent, _)| **sent == **name)
            .count()
            > 1
        {
            return Err(repeated(name).into());
        }
        let is_other = |(sent, value): &&(String, String)| **sent == **name && *value != wanted;
        if asked.query().iter().any(|pair| is_other(&pair)) {
            return Err(refused("query", name.to_string()).into());
        }
        asked.set_query(name, &wanted);
    }
    Ok(())
}

/// A value that is fixed is one value: sent twice it is refused as the contract would refuse it.
fn repeated(name: &str) -> Box<Refusal> {
    let why = format!("{name} is fixed and was sent more than once");
    contract::QUERY.because(why).with_errors(vec![FieldError {
        place: "query",
        pointer: name.to_owned(),
        keyword: "repeated".into(),
        detail: "sent more than once".into(),
        fix: "send it once".into(),
    }])
}

/// Writes the body's fields that the caller's grants fix. `None` where there is nothing to write.
///
/// # Errors
/// [`VALUE_FIXED`] where another value was sent.
pub fn fix_body(body: &[u8], fixed: &[Fixed], bounds: Bounds) -> Result<Option<Vec<u8>>, Stop> {
    let wanted = || {
        fixed.iter().filter_map(|fixed| match &fixed.target {
            FixedTarget::Body(steps) => Some((steps.as_slice(), &fixed.value)),
            FixedTarget::Query(_) => None,
        })
    };
    if body.is_empty() && wanted().next().is_some() {
        return Err(nowhere(String::new(), "send a body, `{}` at least").into());
    }
    // What is no JSON is refused when it is judged, and forms cannot be fixed (the configuration says so).
    let parsed = wanted().next().map(|_| model::json::parse(body, bounds));
    let Some(Ok(mut value)) = parsed else {
        return Ok(None);
    };
    if matches!(&value, Json::List(items) if items.is_empty()) {
        return Err(nowhere(String::new(), "send at least one item").into());
    }
    for (steps, what) in wanted() {
        let places: Vec<(String, &mut Json)> = match &mut value {
            Json::List(items) => items
                .iter_mut()
                .enumerate()
                .map(|(index, item)| (format!("/{index}"), item))
                .collect(),
            one => vec![(String::new(), one)],
        };
        for (pointer, place) in places {
            if !write(place, steps, what) {
                return Err(refused("body", format!("{pointer}/{}", steps.join("/"))).into());
            }
        }
    }
    let mut out = Vec::with_capacity(body.len() + 64);
    model::json::write(&value, &mut out);
    Ok(Some(out))
}

/// Puts a value at some steps. Whether it stands there now; not where the caller sent another one.
fn write(place: &mut Json, steps: &[Arc<str>], what: &Json) -> bool {
    let Some((first, rest)) = steps.split_first() else {
        return place == what;
    };
    let Json::Object(members) = place else {
        return false;
    };
    if let Some((_, child)) = members.iter_mut().find(|(key, _)| **key == **first) {
        return write(child, rest, what);
    }
    let mut value = what.clone();
    for step in rest.iter().rev() {
        value = Json::Object(vec![(Text::new(step), value)]);
    }
    members.push((Text::new(first), value));
    true
}

/// Without a body the values could not be written, and the upstream would do without them.
fn nowhere(pointer: String, fix: &str) -> Box<Refusal> {
    let why = "values of the body are fixed, and there is none";
    contract::BODY.because(why).with_errors(vec![FieldError {
        place: "body",
        pointer,
        keyword: "required".into(),
        detail: "values of the body are fixed for you, and there is nothing to write them into"
            .into(),
        fix: fix.into(),
    }])
}

fn refused(place: &'static str, pointer: String) -> Box<Refusal> {
    let detail =
        format!("{place} {pointer} is fixed by the grant, and the caller sent another value");
    VALUE_FIXED.because(detail).with_errors(vec![FieldError {
        place,
        pointer,
        keyword: "fixed".into(),
        detail: "this value is fixed for you and cannot be another one".into(),
        fix: "leave it out; the gateway fills it in".into(),
    }])
}

/// Parameters as policy asks about them.
pub fn sent(parameters: &[JudgedParameter]) -> impl Iterator<Item = Sent<'_>> + Clone {
    parameters.iter().map(|parameter| Sent {
        place: match parameter.place {
            Place::Path => ParameterPlace::Path,
            Place::Query => ParameterPlace::Query,
            Place::Header | Place::Cookie => ParameterPlace::Header,
        },
        name: &parameter.name,
        value: &parameter.value,
    })
}

/// Refuses parameters that would tell the caller what its grants hide, those in a body that is a question included.
pub fn admit(
    permit: &mut Permit<Caller>,
    valid: &ValidRequest,
    resume: &Resume,
) -> Result<(), Stop> {
    // A cursor that leads back to the upstream's first page is no longer in the request, but it was sent.
    let pages = permit.pages().filter(|_| *resume != Resume::default());
    let cursor = match pages.and_then(|pages| pages.cursor_sent.as_ref()) {
        Some(PagePlace::Query(name)) => Some(name.clone()),
        // In a body it asks about nothing, or it is none (`Pages`).
        Some(PagePlace::Body { .. }) | None => None,
    };
    let is_cursor = |sent: &Sent<'_>| {
        sent.place == ParameterPlace::Query && Some(sent.name) == cursor.as_deref()
    };
    let sent = sent(&valid.parameters);
    let opened = cursor.as_deref().map(|name| Sent {
        place: ParameterPlace::Query,
        name,
        value: &Json::Null,
    });
    let sent = sent.filter(|sent| !is_cursor(sent)).chain(opened);
    Ok(permit.admit(sent, valid.body())?)
}
