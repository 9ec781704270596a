//! Stage `route`: which operation is meant, and is it exposed on this listener.
//! Gives `find` and the `Target` it found.
//! Used by the pipeline.
//! Start reading at `find`.

use std::sync::Arc;

use contract::Found;
use model::http::METHOD_NOT_ALLOWED;
use model::{CanonicalRequest, Reason, Stage};

use crate::{Exchange, Snapshot, Stop};

/// No such operation here.
pub const NOT_FOUND: Reason = Reason::new(
    Stage::Route,
    "route.not_found",
    404,
    "There is no such operation here.",
    "Check host, version and path against the API's description.",
    "No exposed operation of any contract matches this path on this listener. An operation that no listener's `expose` \
     names is unreachable by design; `explain` says when the path exists on another listener.",
);

/// The operation a request is for.
#[derive(Clone, Debug)]
pub struct Target {
    /// Index of the version in the snapshot.
    pub version: usize,
    /// Index of the operation in its contract; `None` for a retired version, which has none.
    pub operation: Option<usize>,
    /// Path parameters with their decoded texts.
    pub path_values: Vec<(Arc<str>, String)>,
}

/// Finds the operation.
pub fn find(
    x: &mut Exchange<'_, '_>,
    asked: &CanonicalRequest,
    s: &Snapshot,
) -> Result<Target, Stop> {
    x.enter(Stage::Route);
    match s
        .compiled
        .router
        .find(x.listener(), asked.method(), asked.segments())
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
            x.reply_headers.push("allow", allowed.join(", "));
            Err(METHOD_NOT_ALLOWED
                .because(format!("offered: {}", allowed.join(", ")))
                .into())
        }
        Found::NotFound => retired(x, asked, s),
    }
}

/// A retired version has no operations; its base path still answers, with 410.
fn retired(
    x: &mut Exchange<'_, '_>,
    asked: &CanonicalRequest,
    s: &Snapshot,
) -> Result<Target, Stop> {
    let Some(version) = s.compiled.retired_at(asked.segments()) else {
        return Err(NOT_FOUND.because("no exposed operation matches").into());
    };
    s.note_operation(&mut x.event, version, None);
    Ok(Target {
        version,
        operation: None,
        path_values: Vec::new(),
    })
}
