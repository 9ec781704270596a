//! A file: bytes of any other type that can be declared for one.
//! Exports `BODY_KIND`; `are_files`, `not_files` (why not) and `bytes` (the bounds) for answers too.
//! Listed in `bodies`, behind all others.
//! Start reading at `read`.

use model::{Mistake, Mode, Payload, Refusal};

use super::{BODY, BodyKind, ReadBody, Reading, SentBody, body_problem, takes_charset};
use crate::docs::{At, Docs};
use crate::file::{self, FileBounds, WrongFile, is_file_type};
use crate::findings::Findings;
use crate::media_type::essence;

/// The line of the list.
pub(super) const BODY_KIND: BodyKind = BodyKind {
    declared: |media| match not_files(media.docs, media.essence, media.media, media.all) {
        None => Reading::Read(Vec::new()),
        Some(why) => Reading::NotCarried(why),
    },
    takes_parameters: takes_charset,
    read,
};

fn read(sent: &SentBody<'_>, found: &mut Findings) -> Result<ReadBody, Box<Refusal>> {
    let content = sent.content;
    let problem =
        |wrong: WrongFile| body_problem(String::new(), wrong.keyword, &wrong.detail, &wrong.fix);
    // What the file is has to be certain in every mode, as its content type has.
    if let Some(wrong) = file::wrong_beginning(&content.content_type, sent.bytes) {
        let private = wrong.detail.clone();
        return Err(BODY.because(private).with_errors(vec![problem(wrong)]));
    }
    if found.mode != Mode::Off
        && let Some(wrong) = file::wrong_length(content.bytes, sent.bytes)
    {
        found.broken(problem(wrong));
        found.settle(&BODY)?;
    }
    Ok(ReadBody {
        payload: Payload::file(&content.content_type),
        bytes: sent.bytes.to_vec(),
        content_type: content.content_type.clone(),
    })
}

/// Whether a body or an answer is declared as a file in each of its types.
pub(crate) fn are_files(docs: &Docs, all: &[(&str, At<'_>)]) -> bool {
    !all.is_empty() && all.iter().all(|one| not_a_file(docs, one, all).is_none())
}

/// Why this type among all those of a message is not read as a file; `None` where each of them is.
pub(crate) fn not_files(
    docs: &Docs,
    essence: &str,
    media: &At<'_>,
    all: &[(&str, At<'_>)],
) -> Option<Box<Mistake>> {
    if let Some(why) = own_fault(docs, essence, media, all.len()) {
        return Some(why);
    }
    let (other, _) = all
        .iter()
        .find(|one| not_a_file(docs, one, all).is_some())?;
    let message = format!(
        "it is a file, and `{other}` beside it is none: whoever sends it would choose which grant is asked"
    );
    let help = "give one of the two an operation of its own, or take it out with an overlay";
    Some(Box::new(docs.mistake(media, message, help)))
}

fn not_a_file(
    docs: &Docs,
    (kind, media): &(&str, At<'_>),
    all: &[(&str, At<'_>)],
) -> Option<Box<Mistake>> {
    match docs.follow(media) {
        Ok(media) => own_fault(docs, &essence(kind), &media, all.len()),
        Err(mistake) => Some(Box::new(mistake)),
    }
}

/// Why a media type is no file's, whatever stands beside it.
fn own_fault(docs: &Docs, essence: &str, media: &At<'_>, count: usize) -> Option<Box<Mistake>> {
    if let Some((message, help)) = other_than_file(essence) {
        return Some(Box::new(docs.mistake(media, message, help)));
    }
    if let Err(mistake) = bytes(docs, media) {
        return Some(mistake);
    }
    // A class stands for the one type of a message: of several types one schema describes it, and the class of another would be
    // lost.
    let schema = media.get("schema");
    let schema = schema.and_then(|schema| docs.follow(&schema).ok())?;
    let class = schema.get(CLASS).filter(|_| count > 1)?;
    let message = format!("`{CLASS}` of one of several types would be lost");
    let help = "give this type an operation of its own, or state no class";
    Some(Box::new(docs.mistake(&class, message, help)))
}

/// The fact that gives a file a class.
const CLASS: &str = "x-portcullis-class";

/// Why bytes of a type are no file, in a sentence, and what to do.
fn other_than_file(essence: &str) -> Option<(String, &'static str)> {
    if is_file_type(essence) {
        return None;
    }
    let (family, name) = essence.split_once('/').unwrap_or_default();
    Some(if essence.contains('*') {
        (
            format!("`{essence}` is a range, which says nothing of how a body is read"),
            "declare the types one by one",
        )
    } else if name == "xml" || name.ends_with("+xml") {
        (
            "XML is not read here: a reader of it follows what the text names".to_owned(),
            "declare the body in JSON, or as a file of another type",
        )
    } else if matches!(family, "multipart" | "message") {
        (
            format!("`{essence}` is not taken apart here"),
            "several parts are carried in requests, as `multipart/form-data`",
        )
    } else if essence == "text/event-stream" {
        (
            "a stream of events has no end at which it could be judged".to_owned(),
            "declare an answer in JSON",
        )
    } else {
        (
            format!("`{essence}` has values in it that are not read here"),
            "declare the body in JSON",
        )
    })
}

/// The bounds of the bytes that a media type declares.
///
/// # Errors
/// Its schema says more of them than their number: that would be promised and not kept.
pub(crate) fn bytes(docs: &Docs, media: &At<'_>) -> Result<FileBounds, Box<Mistake>> {
    match media.get("schema") {
        Some(schema) => schema_bytes(docs, &schema),
        None => Ok(FileBounds::default()),
    }
}

/// What a schema may say of bytes.
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

/// The same of a schema.
pub(super) fn schema_bytes(docs: &Docs, schema: &At<'_>) -> Result<FileBounds, Box<Mistake>> {
    let wrong =
        |at: &At<'_>, message: String, help: &str| Box::new(docs.mistake(at, message, help));
    // Checked first, so that the steps below have an end.
    let whole = docs.follow(schema)?;
    let mut here = schema.clone();
    while let Some(reference) = here.text("$ref") {
        const NO_BOUNDS: [&str; 5] = ["$comment", "$ref", "description", "summary", "title"];
        let says = |word: &str| !NO_BOUNDS.contains(&word) && !word.starts_with("x-");
        if let Some((word, at)) = here.members().find(|(word, _)| says(word)) {
            let message = format!("`{word}` beside `$ref` would not be kept for a file");
            return Err(wrong(
                &at,
                message,
                "write it into the schema that is referred to",
            ));
        }
        here = docs.resolve(&here, reference)?;
    }
    if whole.value == &serde_json::Value::Bool(false) {
        let help = "describe the file, or take the type out of the contract";
        return Err(wrong(
            &whole,
            "its schema is `false`, which no file keeps".into(),
            help,
        ));
    }
    let is_text = whole.get("type").is_none() || whole.text("type") == Some("string");
    if !is_text {
        let at = whole.get("type").unwrap_or_else(|| whole.clone());
        let message = "the schema of a file is of type `string`, or says no type".to_owned();
        return Err(wrong(
            &at,
            message,
            "declare the body in JSON, or write `type: string`",
        ));
    }
    if whole.text("format") == Some("byte") {
        let at = whole.get("format").unwrap_or_else(|| whole.clone());
        let message = "`format: byte` is a text in base64 and no file".to_owned();
        return Err(wrong(
            &at,
            message,
            "write `format: binary` for the bytes themselves",
        ));
    }
    let says = |word: &str| !SAID_OF_BYTES.contains(&word) && !word.starts_with("x-");
    if let Some((word, at)) = whole.members().find(|(word, _)| says(word)) {
        let message =
            format!("`{word}` is said of the bytes of a file, and nothing here would keep it");
        let help = "take it out, with an overlay where the contract must stay; `minLength` and `maxLength` are kept";
        return Err(wrong(&at, message, help));
    }
    let length = |word| match whole.get(word) {
        None => Ok(None),
        Some(at) => at.value.as_u64().map(Some).ok_or_else(|| {
            let message = format!("`{word}` of a file is no whole number");
            wrong(&at, message, "write the number of bytes in digits")
        }),
    };
    Ok(FileBounds {
        min: length("minLength")?.unwrap_or(0),
        max: length("maxLength")?,
    })
}
