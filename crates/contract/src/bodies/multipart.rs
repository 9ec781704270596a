//! Several parts: `multipart/form-data`, judged as the object that its fields and files make.
//! Exports `BODY_KIND`, and `idle_encodings` for contracts.
//! Listed in `bodies`.
//! Start reading at `read`; which parts there are is told by `parts_of`.

use std::sync::Arc;

use model::{FieldError, Mistake, Mode, Payload, Refusal};

use super::file::schema_bytes;
use super::{BODY, BodyKind, ReadBody, Reading, SentBody, body_problem, judged, whole_body};
use crate::docs::{At, Docs};
use crate::file::{FileBounds, is_file_type};
use crate::findings::Findings;
use crate::media_type::{FORM, PARTS, TEXT, essence};
use crate::multipart;
use crate::parts::{self, PartKind, PartPlan, WrongPart};
use crate::text::nearest;

/// Longest thing that stands for a file in the object that is judged: a schema that forbids it would refuse every file.
const STAND_IN_MAX: u64 = 255;

/// The line of the list.
pub(super) const BODY_KIND: BodyKind = BodyKind {
    declared: |media| match media.essence {
        PARTS => match parts_of(media.docs, media.media) {
            Ok(parts) => Reading::Read(parts),
            Err(why) => Reading::NotCarried(why),
        },
        _ => Reading::Other,
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

/// The parts that a media type declares: fields of one plain object.
///
/// # Errors
/// Something is said of them that would not be kept.
fn parts_of(docs: &Docs, media: &At<'_>) -> Result<Vec<PartPlan>, Box<Mistake>> {
    const HELP: &str = "write `type: object` and its `properties`, each of them a part";
    let wrong = |at: &At<'_>, message: &str, help: &str| Box::new(docs.mistake(at, message, help));
    let Some(schema) = media.get("schema") else {
        return Err(wrong(
            media,
            "a body of several parts says in a `schema` which parts it has",
            HELP,
        ));
    };
    let schema = docs.follow(&schema)?;
    let composed = ["allOf", "anyOf", "oneOf", "not", "if", "patternProperties"];
    if let Some(at) = composed.iter().find_map(|word| schema.get(word)) {
        return Err(wrong(
            &at,
            "the parts of a body are not put together from several schemas here",
            HELP,
        ));
    }
    if schema.text("type") != Some("object") {
        return Err(wrong(
            &schema,
            "the schema of several parts is one plain object",
            HELP,
        ));
    }
    let more = schema.get("additionalProperties");
    if let Some(at) = more.filter(|more| more.value != &serde_json::Value::Bool(false)) {
        let help = "declare each part under `properties`, and take `additionalProperties` out";
        return Err(wrong(
            &at,
            "parts that nobody declared cannot be judged",
            help,
        ));
    }
    let Some(fields) = docs.properties(&schema) else {
        return Err(wrong(
            &schema,
            "the schema of several parts declares none",
            HELP,
        ));
    };
    let encodings = media.get("encoding");
    let plans = fields
        .members()
        .map(|(name, field)| -> Result<PartPlan, Box<Mistake>> {
            let field = docs.follow(&field)?;
            let is_list = field.text("type") == Some("array");
            let item = match field.get("items").filter(|_| is_list) {
                Some(item) => docs.follow(&item)?,
                None => field,
            };
            let encoding = encodings.as_ref().and_then(|all| all.get(name));
            Ok(PartPlan {
                name: name.into(),
                kind: part_kind(docs, (name, &item), encoding.as_ref())?,
                is_list,
            })
        });
    plans.collect()
}

/// How one part is read, by its schema and its `encoding` (OpenAPI 3.1 §4.8.15).
fn part_kind(
    docs: &Docs,
    (name, schema): (&str, &At<'_>),
    encoding: Option<&At<'_>>,
) -> Result<PartKind, Box<Mistake>> {
    let wrong =
        |at: &At<'_>, message: String, help: &str| Box::new(docs.mistake(at, message, help));
    let said = encoding.and_then(|at| {
        let mut words = at.members();
        words.find(|(word, _)| *word != "contentType" && !word.starts_with("x-"))
    });
    if let Some((word, at)) = said {
        let message =
            format!("`{word}` is said of the part `{name}`, and nothing here would keep it");
        let help = "take it out of `encoding`, with an overlay where the contract must stay";
        return Err(wrong(&at, message, help));
    }
    let declared = encoding.and_then(|at| at.text("contentType"));
    let stands_at = encoding.and_then(|at| at.get("contentType"));
    let stands_at = stands_at.unwrap_or_else(|| schema.clone());
    let is_bytes = schema.text("format") == Some("binary")
        || schema.get("contentMediaType").is_some() && schema.get("contentEncoding").is_none()
        || schema.get("type").is_none();
    let is_stated = |kind: &str| declared.is_none_or(|declared| essence(declared) == kind);
    match schema.text("type") {
        _ if is_bytes => {
            let stated = declared.or_else(|| schema.text("contentMediaType"));
            let stated = stated.unwrap_or("application/octet-stream");
            let types: Vec<_> = stated.split(',').map(|kind| essence(kind).into()).collect();
            let bounds = file_bounds(docs, (name, schema))?;
            match types.iter().find(|kind: &&Arc<str>| !is_file_type(kind)) {
                None => Ok(PartKind::File(types, bounds)),
                Some(other) => {
                    let message =
                        format!("the part `{name}` is a file, and `{other}` is no type of one");
                    let help = "name the types of the file one by one, in `contentType`";
                    Err(wrong(&stands_at, message, help))
                }
            }
        }
        Some("object") if is_stated("application/json") => Ok(PartKind::Json),
        Some("object") => {
            let message = format!("the part `{name}` is an object, which is read as JSON alone");
            Err(wrong(
                &stands_at,
                message,
                "write `contentType: application/json`, or none",
            ))
        }
        Some("string" | "integer" | "number" | "boolean") if is_stated(TEXT) => Ok(PartKind::Text),
        Some("string" | "integer" | "number" | "boolean") => {
            let message =
                format!("the part `{name}` is one value, which is read as plain text alone");
            let help = "write `contentType: text/plain`, or none; a file has `format: binary`";
            Err(wrong(&stands_at, message, help))
        }
        _ => {
            let message = format!("the part `{name}` has no one type that a part can have");
            let help = "give it `type` string, integer, number, boolean or object, or a list of one of them";
            Err(wrong(schema, message, help))
        }
    }
}

/// The bounds of a file among the parts, where what stands for it keeps its schema.
fn file_bounds(docs: &Docs, (name, schema): (&str, &At<'_>)) -> Result<FileBounds, Box<Mistake>> {
    let bounds = schema_bytes(docs, schema)?;
    if bounds.min <= 1 && bounds.max.is_none_or(|max| max >= STAND_IN_MAX) {
        return Ok(bounds);
    }
    let message = format!(
        "the part `{name}` has bounds that its name would be held against: a `minLength` above 1, or a `maxLength` below {STAND_IN_MAX}"
    );
    let help = "take these bounds out, with an overlay where the contract must stay";
    Err(Box::new(docs.mistake(schema, message, help)))
}

/// What `encoding` names and there is not: a field that the schema lacks, or a word that nobody knows. Without a word it would
/// leave a part with the types that it has by default.
pub(crate) fn idle_encodings(docs: &Docs, essence: &str, media: &At<'_>) -> Vec<Mistake> {
    const WORDS: [&str; 8] = [
        "allowReserved",
        "contentType",
        "encoding",
        "explode",
        "headers",
        "itemEncoding",
        "prefixEncoding",
        "style",
    ];
    let schema = media.get("schema").and_then(|at| docs.follow(&at).ok());
    let (Some(encodings), Some(schema)) = (media.get("encoding"), schema) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut add = |at: &At<'_>, message: String, near: Option<&str>, help: &str| {
        let help = near.map_or_else(|| help.to_owned(), |near| format!("did you mean `{near}`?"));
        found.push(docs.mistake(at, message, help));
    };
    // The fields of a composition are told by all of its parts.
    let is_plain = schema.text("type") == Some("object")
        && ["$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties"]
            .iter()
            .all(|word| schema.get(word).is_none())
        && !schema
            .get("additionalProperties")
            .is_some_and(|more| more.value.is_object());
    let fields = docs
        .properties(&schema)
        .filter(|_| is_plain && matches!(essence, PARTS | FORM));
    for (name, entry) in encodings.members() {
        if let Some(fields) = fields.as_ref().filter(|fields| fields.get(name).is_none()) {
            let near = nearest(name, fields.members().map(|(known, _)| known));
            let message = format!("`encoding` names `{name}`, which is no field of this body");
            add(
                &entry,
                message,
                near,
                "take it out, or declare the field under `properties`",
            );
        }
        for (word, at) in entry.members() {
            if !WORDS.contains(&word) && !word.starts_with("x-") {
                let message = format!("`{word}` is no word of `encoding`");
                add(
                    &at,
                    message,
                    nearest(word, WORDS.into_iter()),
                    "OpenAPI knows `contentType`, `headers`, `style`, `explode` and `allowReserved` here",
                );
            }
        }
    }
    found
}
