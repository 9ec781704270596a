//! Several parts: `multipart/form-data`, judged as the object that its fields and files make.
//! Exports `BODY_KIND`.
//! Listed in `bodies`.
//! Start reading at `read`; which parts there are is told by `parts_of`.

use std::sync::Arc;

use model::{FieldError, Mode, Payload, Refusal};

use super::file::schema_bytes;
use super::{BODY, BodyKind, ReadBody, SentBody, body_problem, judged, whole_body};
use crate::docs::{At, Docs};
use crate::file::{FileBounds, is_file_type};
use crate::findings::Findings;
use crate::media_type::{TEXT, essence};
use crate::multipart;
use crate::parts::{self, PartKind, PartPlan, WrongPart};

/// Longest thing that stands for a file in the object that is judged: a schema that forbids it would refuse every file.
const STAND_IN_MAX: u64 = 255;

/// The line of the list.
pub(super) const BODY_KIND: BodyKind = BodyKind {
    declared: |media| {
        let is_own = media.essence == "multipart/form-data";
        is_own.then(|| parts_of(media.docs, media.media)).flatten()
    },
    takes_parameters: |sent, _| match multipart::boundary(sent) {
        Some(_) => Ok(()),
        None => Err("its one parameter has to be a `boundary` of letters, digits and `-_.+`"),
    },
    read,
};

fn read(sent: &SentBody<'_>, found: &mut Findings) -> Result<ReadBody, Box<Refusal>> {
    let fix = "send parts as RFC 7578 describes them, each with a name";
    let content = sent.content;
    let boundary = multipart::boundary(sent.content_type).unwrap_or_default();
    let mut parts = multipart::parse(sent.bytes, boundary)
        .map_err(|why| whole_body("multipart", &format!("the body {why}"), fix))?;
    let read = parts::read(
        &mut parts,
        &content.parts,
        &content.target,
        sent.operation.bounds,
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
    judged(content, &value, found)?;
    let (bytes, boundary) = multipart::write(&parts);
    Ok(ReadBody {
        payload: Payload::Fields(value),
        bytes,
        content_type: format!("multipart/form-data; boundary={boundary}").into(),
    })
}

fn part_problem(wrong: WrongPart) -> FieldError {
    let name: String = wrong.name.chars().take(64).collect();
    let pointer = format!("/{}", crate::text::step(&name));
    body_problem(pointer, wrong.keyword, &wrong.detail, &wrong.fix)
}

/// The parts that a media type declares: fields of one plain object. `None` where something is said of them that would not
/// be kept.
fn parts_of(docs: &Docs, media: &At<'_>) -> Option<Vec<PartPlan>> {
    let schema = docs.follow(&media.get("schema")?).ok()?;
    let is_composed = ["allOf", "anyOf", "oneOf", "not", "if", "patternProperties"]
        .iter()
        .any(|word| schema.get(word).is_some());
    let is_open = schema
        .get("additionalProperties")
        .is_some_and(|more| more.value != &serde_json::Value::Bool(false));
    if schema.text("type") != Some("object") || is_composed || is_open {
        return None;
    }
    let encodings = media.get("encoding");
    let fields = docs.properties(&schema)?;
    let plans = fields.members().map(|(name, field)| {
        let field = docs.follow(&field).ok()?;
        let is_list = field.text("type") == Some("array");
        let item = match field.get("items").filter(|_| is_list) {
            Some(item) => docs.follow(&item).ok()?,
            None => field,
        };
        let encoding = encodings.as_ref().and_then(|all| all.get(name));
        Some(PartPlan {
            name: name.into(),
            kind: part_kind(docs, &item, encoding.as_ref())?,
            is_list,
        })
    });
    plans.collect()
}

/// How one part is read, by its schema and its `encoding` (OpenAPI 3.1 §4.8.15).
fn part_kind(docs: &Docs, schema: &At<'_>, encoding: Option<&At<'_>>) -> Option<PartKind> {
    let says_more = |at: &At<'_>| at.members().any(|(word, _)| word != "contentType");
    if encoding.is_some_and(says_more) {
        return None;
    }
    let declared = encoding.and_then(|at| at.text("contentType"));
    let is_bytes = schema.text("format") == Some("binary")
        || schema.get("contentMediaType").is_some() && schema.get("contentEncoding").is_none()
        || schema.get("type").is_none();
    match schema.text("type") {
        _ if is_bytes => {
            let stated = declared.or_else(|| schema.text("contentMediaType"));
            let stated = stated.unwrap_or("application/octet-stream");
            let types: Vec<_> = stated.split(',').map(|kind| essence(kind).into()).collect();
            let bounds = file_bounds(docs, schema)?;
            let is_known = types.iter().all(|kind: &Arc<str>| is_file_type(kind));
            is_known.then_some(PartKind::File(types, bounds))
        }
        Some("object") => is_stated(declared, "application/json").then_some(PartKind::Json),
        Some("string" | "integer" | "number" | "boolean") => {
            is_stated(declared, TEXT).then_some(PartKind::Text)
        }
        _ => None,
    }
}

fn is_stated(declared: Option<&str>, kind: &str) -> bool {
    declared.is_none_or(|declared| essence(declared) == kind)
}

/// The bounds of a file among the parts, where what stands for it keeps its schema.
fn file_bounds(docs: &Docs, schema: &At<'_>) -> Option<FileBounds> {
    let bounds = schema_bytes(docs, schema)?;
    let keeps = bounds.min <= 1 && bounds.max.is_none_or(|max| max >= STAND_IN_MAX);
    keeps.then_some(bounds)
}
