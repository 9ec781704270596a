//! JSON: `application/json` and `+json` types.
//! Exports `BODY_KIND`.
//! Listed in `bodies`.
//! Start reading at `read`.

use model::json::{Problem, ProblemKind};
use model::{Payload, Refusal};

use super::{BodyKind, ReadBody, Reading, SentBody, body_error, judged, takes_charset};
use crate::findings::Findings;
use crate::media_type::is_json;

/// The line of the list.
pub(super) const BODY_KIND: BodyKind = BodyKind {
    declared: |media| Reading::own(is_json(media.essence)),
    takes_parameters: takes_charset,
    read,
};

fn read(sent: &SentBody<'_>, found: &mut Findings) -> Result<ReadBody, Box<Refusal>> {
    let value = model::json::parse(sent.bytes, sent.operation.bounds)
        .map_err(|problem| unreadable(&problem))?;
    judged(sent.content, &value, found)?;
    let mut bytes = Vec::with_capacity(sent.bytes.len());
    model::json::write(&value, &mut bytes);
    Ok(ReadBody {
        payload: Payload::Fields(value),
        bytes,
        content_type: sent.content.content_type.clone(),
    })
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
