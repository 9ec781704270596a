//! How a body or an answer is read, by its media types and what their schemas say: JSON, one text, or files.
//! Exports `format_of`, `are_files`, `bytes`, `parts_of`, `is_text`, `essence`.
//! Used by `parts`.
//! Start reading at `format_of`.

use crate::body_format::BodyFormat;
use crate::docs::{At, Docs};
use crate::file::{FileBounds, is_file_type};
use crate::media_type::{TEXT, may_be_json};
use crate::parts::{PartKind, PartPlan};

/// Several parts.
pub(super) const MULTIPART: &str = "multipart/form-data";

/// Longest thing that stands for a file in the object that is judged: a schema that forbids it would refuse every file.
const STAND_IN_MAX: u64 = 255;

/// How an answer is read: files and nothing else, one text, or JSON.
pub(super) fn format_of(docs: &Docs, response: &At<'_>) -> BodyFormat {
    if is_text_response(docs, response) {
        return BodyFormat::Text;
    }
    if are_files(docs, response) {
        BodyFormat::File
    } else {
        BodyFormat::Json
    }
}

/// Whether a body or an answer is declared as a file in each of its types. A class stands for the one type of a message: of
/// several types one schema describes it, and the class of another would be lost.
pub(super) fn are_files(docs: &Docs, at: &At<'_>) -> bool {
    let content = at.get("content");
    let all: Vec<_> = content.iter().flat_map(At::members).collect();
    let has_class = |media: &At<'_>| {
        let schema = media.get("schema");
        let schema = schema.and_then(|schema| docs.follow(&schema).ok());
        schema.is_some_and(|schema| schema.get("x-portcullis-class").is_some())
    };
    let is_file = |(kind, media): &(&str, At<'_>)| {
        let Ok(media) = docs.follow(media) else {
            return false;
        };
        is_file_type(&essence(kind))
            && bytes(docs, &media).is_some()
            && (all.len() == 1 || !has_class(&media))
    };
    !all.is_empty() && all.iter().all(is_file)
}

/// The bounds of the bytes that a media type declares. `None` where its schema says more of them than their number: that
/// would be promised and not kept.
pub(super) fn bytes(docs: &Docs, media: &At<'_>) -> Option<FileBounds> {
    match media.get("schema") {
        Some(schema) => schema_bytes(docs, &schema),
        None => Some(FileBounds::default()),
    }
}

fn schema_bytes(docs: &Docs, schema: &At<'_>) -> Option<FileBounds> {
    const SAID_OF_BYTES: [&str; 11] = [
        "$comment",
        "contentMediaType",
        "deprecated",
        "description",
        "example",
        "examples",
        "format",
        "maxLength",
        "minLength",
        "title",
        "type",
    ];
    let schema = docs.follow(schema).ok()?;
    let is_text = schema.get("type").is_none() || schema.text("type") == Some("string");
    let says_more = schema
        .members()
        .any(|(word, _)| !SAID_OF_BYTES.contains(&word) && !word.starts_with("x-"));
    let length = |word| schema.get(word).and_then(|at| at.value.as_u64());
    (is_text && !says_more && schema.text("format") != Some("byte")).then(|| FileBounds {
        min: length("minLength").unwrap_or(0),
        max: length("maxLength"),
    })
}

/// The parts that a media type declares: fields of one plain object. `None` where something is said of them that would not
/// be kept.
pub(super) fn parts_of(docs: &Docs, media: &At<'_>) -> Option<Vec<PartPlan>> {
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
            let is_known = types
                .iter()
                .all(|kind: &std::sync::Arc<str>| is_file_type(kind));
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

/// Whether an answer is one text: `text/plain`, and nothing that could be JSON beside it.
fn is_text_response(docs: &Docs, response: &At<'_>) -> bool {
    let declared = || {
        response
            .get("content")
            .into_iter()
            .flat_map(|all| all.members())
    };
    let has_json = declared().any(|(kind, _)| may_be_json(&essence(kind)));
    let mut texts = declared().filter(|(kind, _)| essence(kind) == TEXT);
    let is_one = |media: At<'_>| docs.follow(&media).is_ok_and(|media| is_text(docs, &media));
    !has_json && texts.next().is_some_and(|(_, media)| is_one(media))
}

/// Whether the schema of a media type says that it is a text, and not bytes written as one.
pub(super) fn is_text(docs: &Docs, media: &At<'_>) -> bool {
    let schema = media
        .get("schema")
        .and_then(|schema| docs.follow(&schema).ok());
    schema.is_some_and(|schema| {
        schema.text("type") == Some("string")
            && !matches!(schema.text("format"), Some("binary" | "byte"))
            && schema.text("contentEncoding").is_none()
            && schema.text("contentMediaType").is_none()
    })
}

/// Type and subtype in lower case, without parameters.
pub(super) fn essence(kind: &str) -> String {
    kind.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
