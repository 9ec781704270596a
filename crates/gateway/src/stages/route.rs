//! Stage `route`: which operation is meant, and is it exposed on this listener.
//! Exports `find`, which makes the `Target`.
//! Used by the pipeline.
//! Start reading at `find`.

use contract::Found;
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
    match s
        .compiled
        .router
        .find(r.listener_id, asked.method(), asked.segments())
    {
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
        Found::MethodNotAllowed { allowed } => {
            let allowed: Vec<&str> = allowed.iter().map(|m| m.as_str()).collect();
            x.response_headers.push("allow", allowed.join(", "));
            Err(METHOD_NOT_ALLOWED
                .because(format!("offered: {}", allowed.join(", ")))
                .into())
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

fn ambiguous(rival: Option<&str>) -> String {
    match rival {
        Some(rival) => format!("with this value an upstream could read the path as `{rival}`"),
        None => "with this blank value an upstream could read a shorter path".to_owned(),
    }
}
