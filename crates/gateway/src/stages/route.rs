//! Stage `route`: which operation is meant, and is it exposed on this listener.
//! Exports `find`, which makes the `Target`, and `tell_allowed`.
//! Used by the pipeline.
//! Start reading at `find`.

use contract::{Found, Offered};
use identity::Caller;
use model::http::METHOD_NOT_ALLOWED;
use model::{CanonicalRequest, Stage};

use crate::context::{RequestContext, Target};
use crate::reasons::NOT_FOUND;
use crate::{RequestState, Stop};

/// Finds the operation. Whatever is not exposed reads the same to the caller: declared elsewhere, hidden behind a value
/// that the upstream could read as another path, or nowhere.
pub fn find(
    x: &mut RequestState<'_, '_>,
    asked: &CanonicalRequest,
    r: &RequestContext<'_>,
) -> Result<Target, Stop> {
    x.enter(Stage::Route);
    let s = r.snapshot;
    match meant(asked, r) {
        Found::Operation {
            api,
            operation,
            path_values,
        } => {
            s.note_operation(&mut x.event, api, Some(operation));
            Ok(Target {
                version: api,
                operation: Some(operation),
                path_values,
            })
        }
        Found::MethodNotAllowed { .. } if asked.encoded() != 0 => Err(encoded(x, asked)),
        Found::MethodNotAllowed { offered } => {
            let offered: Vec<&str> = offered.iter().map(|one| one.method.name()).collect();
            Err(METHOD_NOT_ALLOWED
                .because(format!("offered: {}", offered.join(", ")))
                .into())
        }
        // Whether such characters may stand in a path is for its contract to say; where there is none, it has not said so.
        Found::Encoded => Err(encoded(x, asked)),
        Found::Retired { .. } | Found::NotExposed { .. } | Found::NotFound
            if asked.encoded() != 0 =>
        {
            Err(encoded(x, asked))
        }
        // A retired version has no operations; its paths still answer, with 410.
        Found::Retired { api } => {
            s.note_operation(&mut x.event, api, None);
            Ok(Target {
                version: api,
                operation: None,
                path_values: Vec::new(),
            })
        }
        Found::NotExposed { .. } => Err(NOT_FOUND
            .because("the path is declared, and nothing of it is exposed on this listener")
            .into()),
        Found::Ambiguous { rival, .. } => {
            Err(NOT_FOUND.because(ambiguous(rival.as_deref())).into())
        }
        Found::NotFound => Err(NOT_FOUND.because("no contract declares this path").into()),
    }
}

fn meant(asked: &CanonicalRequest, r: &RequestContext<'_>) -> Found {
    let (method, segments) = (asked.method(), asked.segments());
    let router = &r.snapshot.compiled.router;
    router.find_encoded(r.listener_id, method, segments, asked.encoded())
}

fn encoded(x: &mut RequestState<'_, '_>, asked: &CanonicalRequest) -> Stop {
    x.enter(Stage::Http);
    asked.encoded_refusal().into()
}

/// Names the methods that this caller may use on the path they asked for (RFC 9110 §10.2.1, §15.5.6). What others may use is not said.
pub fn tell_allowed(
    x: &mut RequestState<'_, '_>,
    asked: &CanonicalRequest,
    caller: &Caller,
    r: &RequestContext<'_>,
) {
    let compiled = &r.snapshot.compiled;
    let Found::MethodNotAllowed { offered } = meant(asked, r) else {
        return;
    };
    let may_use = |one: &&Offered| {
        let version = compiled.versions.get(one.api);
        let plan =
            version.and_then(|version| Some((version, version.operations.get(one.operation)?)));
        plan.is_some_and(|(version, plan)| {
            let is_granted = |policy| compiled.rules.grants(caller.principal(), policy);
            plan.policy.is_some_and(is_granted) && caller.scopes().covers(&version.name, &plan.id)
        })
    };
    let allowed = offered.iter().filter(may_use);
    let allowed: Vec<&str> = allowed.map(|one| one.method.name()).collect();
    x.response_headers.set("allow", allowed.join(", "));
}

fn ambiguous(rival: Option<&str>) -> String {
    match rival {
        Some(rival) => format!("with this value an upstream could read the path as `{rival}`"),
        None => "with this blank value an upstream could read a shorter path".to_owned(),
    }
}
