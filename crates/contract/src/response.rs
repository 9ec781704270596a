//! Did the upstream answer what the contract promised?
//! Exports `check_response`: a list of drifts, bounded; the gateway decides what they mean.
//! Used by gateway's stage response.
//! Start reading at `check_response`.

use model::Json;

use crate::errors::{Subject, explain};
use crate::file;
use crate::media_type::is_json;
use crate::plan::Operation;
use crate::response_plan::ResponsePlan;

/// One difference between an answer and the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// JSON pointer in the body; empty for status and content type.
    pub pointer: String,
    /// Keyword of the schema, or `status`, `contentType`, `body`.
    pub keyword: String,
    /// What was found and what was declared. Never echoes the value.
    pub detail: String,
}

impl Drift {
    /// At most this many are reported.
    pub const MAX: usize = 20;

    fn of(keyword: &str, detail: impl Into<String>) -> Drift {
        Drift {
            pointer: String::new(),
            keyword: keyword.into(),
            detail: detail.into(),
        }
    }
}

/// Compares an answer with the contract. `body` is the parsed JSON body, `None` when the body is empty or not JSON; `bytes`
/// are those it was read from.
pub fn check_response(
    operation: &Operation,
    status: u16,
    content_type: Option<&str>,
    body: Option<&Json>,
    bytes: &[u8],
) -> Vec<Drift> {
    let Some(plan) = operation.response(status) else {
        return vec![Drift::of(
            "status",
            format!("the status {status} is not declared"),
        )];
    };
    let essence = content_type
        .and_then(|kind| kind.split(';').next())
        .map(|kind| kind.trim().to_ascii_lowercase());
    let mut drifts = Vec::new();
    drifts.extend(content_drift(plan, essence.as_deref()));
    if let (Some(essence), Some(_)) = (&essence, body)
        && let Some(bounds) = plan.file_bounds(essence)
    {
        let wrong = file::wrong_length(bounds, bytes);
        drifts.extend(wrong.map(|wrong| Drift::of(wrong.keyword, wrong.detail)));
    }
    match (&plan.validator, body) {
        (Some(validator), Some(value)) if !validator.is_valid(value) => {
            let subject = Subject {
                place: "body",
                name: "",
                validator,
                value,
                shape: &plan.shape,
            };
            drifts.extend(explain(&subject).into_iter().map(|error| Drift {
                pointer: error.pointer,
                keyword: match error.keyword.as_str() {
                    // The word for a field that never travels in this direction.
                    "readOnly" => "writeOnly".into(),
                    _ => error.keyword,
                },
                detail: error.detail,
            }));
        }
        // RFC 9110 §6.4.1: these never have a body, whatever the contract says.
        (Some(_), None) if !matches!(status, 204 | 205 | 304) && only_json(plan) => {
            drifts.push(Drift::of(
                "body",
                "a JSON body is declared, but there is none",
            ));
        }
        (None, Some(_)) if plan.content_types.is_empty() => {
            drifts.push(Drift::of("body", "no body is declared, but there is one"));
        }
        _ => {}
    }
    drifts.truncate(Drift::MAX);
    drifts
}

fn only_json(plan: &ResponsePlan) -> bool {
    plan.content_types.iter().all(|kind| is_json(kind))
}

fn content_drift(plan: &ResponsePlan, essence: Option<&str>) -> Option<Drift> {
    let essence = essence?;
    let is_declared = plan.content_types.is_empty()
        || plan
            .content_types
            .iter()
            .any(|declared| match declared.strip_suffix("/*") {
                Some("*") => true,
                Some(family) => essence.split('/').next() == Some(family),
                None => **declared == *essence,
            });
    (!is_declared).then(|| {
        let shown: String = essence.chars().take(64).collect();
        Drift::of(
            "contentType",
            format!("`{shown}` is not declared for this status"),
        )
    })
}
