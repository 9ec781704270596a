//! A file: bytes of any other type that can be declared for one.
//! Exports `BODY_KIND`; `are_files` and `bytes` (the bounds) for answers too.
//! Listed in `bodies`, behind all others.
//! Start reading at `read`.

use model::{Mode, Payload, Refusal};

use super::{BODY, BodyKind, ReadBody, SentBody, body_problem, takes_charset};
use crate::docs::{At, Docs};
use crate::file::{self, FileBounds, is_file_type};
use crate::findings::Findings;
use crate::media_type::essence;

/// The line of the list.
pub(super) const BODY_KIND: BodyKind = BodyKind {
    declared: |media| media.are_files.then(Vec::new),
    takes_parameters: takes_charset,
    read,
};

fn read(sent: &SentBody<'_>, found: &mut Findings) -> Result<ReadBody, Box<Refusal>> {
    let content = sent.content;
    if found.mode != Mode::Off
        && let Some(wrong) = file::wrong(&content.content_type, content.bytes, sent.bytes)
    {
        found.broken(body_problem(
            String::new(),
            wrong.keyword,
            &wrong.detail,
            &wrong.fix,
        ));
        found.settle(&BODY)?;
    }
    Ok(ReadBody {
        payload: Payload::file(&content.content_type),
        bytes: sent.bytes.to_vec(),
        content_type: content.content_type.clone(),
    })
}

/// Whether a body or an answer is declared as a file in each of its types. A class stands for the one type of a message: of
/// several types one schema describes it, and the class of another would be lost.
pub(crate) fn are_files(docs: &Docs, at: &At<'_>) -> bool {
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
pub(crate) fn bytes(docs: &Docs, media: &At<'_>) -> Option<FileBounds> {
    match media.get("schema") {
        Some(schema) => schema_bytes(docs, &schema),
        None => Some(FileBounds::default()),
    }
}

pub(super) fn schema_bytes(docs: &Docs, schema: &At<'_>) -> Option<FileBounds> {
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
