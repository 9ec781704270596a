//! Bodies and answers that a contract declares and nothing here carries: why not, and where the contract says so.
//! Exports `bodies`, `lost_body` and `why_unjudged`.
//! Used by apis, for what is exposed, and by objects, for grants that let such a body be sent.
//! Start reading at `bodies`.

use std::sync::Arc;

use contract::{NotCarried, Operation};

use super::placed::placed;
use crate::Files;
use crate::report::Report;

/// Warns of each declared body of an exposed operation that is not carried.
pub(super) fn bodies(operation: &Operation, files: &Files, report: &mut Report) {
    let declared = operation.body.iter().flat_map(|body| &body.not_carried);
    for lost in declared {
        let mut warning = lost.why.clone();
        let (id, kind) = (&operation.id, &lost.content_type);
        warning.message = format!(
            "the body of `{id}` in `{kind}` is not carried: {}",
            warning.message
        );
        warning.help = format!("{}; until then callers get 415", warning.help);
        let file = warning.file.clone();
        report.note(placed(warning, &file, files));
    }
}

/// Why no body that this operation declares is carried, where that is so.
pub(super) fn lost_body(operation: &Operation, files: &Files) -> Option<Arc<str>> {
    let body = operation.body.as_ref()?;
    let first = body.not_carried.first()?;
    body.contents
        .is_empty()
        .then(|| sentence(first, files).into())
}

/// Why the first of these types of an answer cannot be judged.
pub(super) fn why_unjudged(operation: &Operation, files: &Files) -> Option<String> {
    let unjudged = operation.media.unjudged();
    let mut declared = operation
        .responses
        .iter()
        .flat_map(|plan| &plan.not_carried);
    let first = declared.find(|lost| unjudged.contains(&lost.content_type))?;
    Some(sentence(first, files))
}

/// Why, with the place.
fn sentence(lost: &NotCarried, files: &Files) -> String {
    let file = lost.why.file.clone();
    let why = placed(lost.why.clone(), &file, files);
    match why.line {
        Some(line) => format!("{} ({file}:{line})", why.message),
        None => format!("{} ({file})", why.message),
    }
}
