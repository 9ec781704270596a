//! May this caller send these fields? The contract allows them; the grant may not.
//! Exports `check_writes`.
//! Used by gateway's stage validate after `check_request`.
//! Start reading at `check_writes`.

use std::ops::ControlFlow;

use model::field::At;
use model::{FieldError, FieldSet, Json, Refusal};

use crate::advice::listed;
use crate::bodies::BODY;
use crate::plan::Operation;
use crate::text::nearest;

/// Judges that everything the body sends is covered by the granted fields. Paths count from the body's root; `*` is each
/// item of a list, also where the body itself is one.
///
/// # Errors
/// `validate.body` with one error per field that is not granted.
pub fn check_writes(
    operation: &Operation,
    body: &Json,
    allowed: &FieldSet,
) -> Result<(), Box<Refusal>> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut names: Option<Vec<String>> = None;
    let _ = allowed.outside(body, &mut |at| {
        let names = names.get_or_insert_with(|| granted(allowed));
        errors.push(not_granted(at, names));
        if errors.len() < Refusal::ERRORS_MAX {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    if errors.is_empty() {
        return Ok(());
    }
    let detail = format!("{}: {} field(s) not granted", operation.id, errors.len());
    Err(BODY.because(detail).with_errors(errors))
}

fn not_granted(at: &At<'_>, granted: &[String]) -> FieldError {
    let names: Vec<&str> = granted.iter().map(String::as_str).collect();
    let dotted = at.steps().join(".");
    FieldError {
        place: "body",
        pointer: at.pointer(),
        keyword: "notGranted".into(),
        detail: "this field is declared, but you may not send it".into(),
        fix: match nearest(&dotted, names.iter().copied()) {
            Some(near) if near != dotted => format!("did you mean `{near}`?"),
            _ => format!("remove it; you may send: {}", listed(&names)),
        },
    }
}

/// The granted paths, for the sentence to the caller.
fn granted(allowed: &FieldSet) -> Vec<String> {
    fn collect(set: &FieldSet, prefix: &str, out: &mut Vec<String>) {
        if out.len() > 50 {
            return;
        }
        if set.is_whole {
            out.push(prefix.to_owned());
            return;
        }
        let dotted = |name: &str| match prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}.{name}"),
        };
        for (name, below) in &set.fields {
            collect(below, &dotted(name), out);
        }
        if let Some(below) = &set.each {
            collect(below, &dotted("*"), out);
        }
    }
    let mut out = Vec::new();
    collect(allowed, "", &mut out);
    out
}

#[cfg(test)]
mod tests;
