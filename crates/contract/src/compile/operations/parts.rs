//! Parameters, request bodies and answers of one operation.
//! Exports drafts and their `finish`.
//! Used by `operations`.
//! Start reading at `parameters`, `body` and `answers`.

use std::sync::Arc;

use model::shape::NO_KIND;
use model::{Mistake, PageParameter, Reveals, StatedField};

use super::formats::format_of;
use super::workshop::Workshop;
use crate::bodies::file::{bytes, not_files};
use crate::bodies::multipart::idle_encodings;
use crate::bodies::{self, DeclaredMedia};
use crate::body_format::BodyFormat;
use crate::docs::{At, Docs};
use crate::file::FileBounds;
use crate::lower::{Direction, Lowering};
use crate::media_type::{essence, is_json};
use crate::not_carried::NotCarried;
use crate::parts::PartPlan;
use crate::plan::{BodyPlan, BodyPlanContent, Parameter, Place, Style};
use crate::questions;
use crate::response_plan::{ResponsePlan, StatusRange};
use crate::shape::target;
use crate::template;
use crate::template::TemplateSegment;
use crate::typing::Target;
use crate::words::ALLOW_ENCODED;

/// A parameter whose schema has a number.
pub(super) struct ParameterDraft<'a> {
    name: Arc<str>,
    place: Place,
    is_required: bool,
    style: Style,
    is_exploded: bool,
    may_be_empty: bool,
    may_be_encoded: bool,
    refers_to: Option<Arc<str>>,
    at: Option<Arc<str>>,
    reveals: Option<Reveals>,
    stated: Vec<StatedField>,
    page: Option<PageParameter>,
    schema: At<'a>,
    id: usize,
}

/// Parameters of the path item and of the operation; the operation's win.
pub(super) fn parameters<'a>(
    lowering: &mut Lowering<'a>,
    item: &At<'a>,
    operation: &At<'a>,
    segments: &[TemplateSegment],
) -> Vec<ParameterDraft<'a>> {
    let mut out: Vec<ParameterDraft<'a>> = Vec::new();
    for (owner, is_own) in [(operation, true), (item, false)] {
        for entry in owner.get("parameters").iter().flat_map(At::items) {
            let at = match lowering.docs.follow(&entry) {
                Ok(at) => at,
                Err(mistake) => {
                    lowering.report(mistake);
                    continue;
                }
            };
            let Some(parameter) = parameter(lowering, &at) else {
                continue;
            };
            let same =
                |p: &ParameterDraft<'_>| p.place == parameter.place && p.name == parameter.name;
            match out.iter().any(same) {
                true if is_own => lowering.wrong(
                    &entry,
                    format!(
                        "the {} parameter `{}` is declared twice",
                        parameter.place.name(),
                        parameter.name
                    ),
                    "keep one of the two",
                ),
                true => {}
                false => out.push(parameter),
            }
        }
    }
    for name in template::names(segments) {
        if !out
            .iter()
            .any(|p| p.place == Place::Path && &*p.name == name)
        {
            lowering.wrong(
                operation,
                format!("the path parameter `{name}` is in the template but not declared"),
                format!("add `- {{ name: {name}, in: path, required: true, schema: {{ type: string }} }}`"),
            );
        }
    }
    for segment in segments {
        let TemplateSegment::Mixed { names, .. } = segment else {
            continue;
        };
        if out
            .iter()
            .any(|p| p.may_be_encoded && names.contains(&p.name))
        {
            lowering.wrong(
                operation,
                format!("`{ALLOW_ENCODED}` stands at a parameter that shares its segment with other text"),
                "give the parameter a whole segment, or take the fact out",
            );
        }
    }
    // A path parameter without a place in this template can never be sent.
    out.retain(|p| {
        p.place != Place::Path || template::names(segments).any(|name| name == &*p.name)
    });
    out
}

fn parameter<'a>(lowering: &mut Lowering<'a>, at: &At<'a>) -> Option<ParameterDraft<'a>> {
    let name = at.text("name").unwrap_or_default();
    let place = match at.text("in") {
        Some("path") => Place::Path,
        Some("query") => Place::Query,
        Some("header") => Place::Header,
        Some("cookie") => Place::Cookie,
        _ => {
            lowering.wrong(
                at,
                "a parameter needs `in`: path, query, header or cookie",
                "add `in: query`",
            );
            return None;
        }
    };
    if name.is_empty() {
        lowering.wrong(at, "a parameter needs a `name`", "add `name: …`");
        return None;
    }
    // OpenAPI 3.0 §4.7.12.1: these three are described elsewhere and ignored as parameters.
    let folded = name.to_ascii_lowercase();
    if place == Place::Header
        && matches!(folded.as_str(), "accept" | "content-type" | "authorization")
    {
        return None;
    }
    let (schema, style) = schema_and_style(lowering, at, place)?;
    let is_exploded = match at.value.get("explode") {
        Some(explode) => explode == &serde_json::Value::Bool(true),
        None => style == Style::Form,
    };
    let refers_to = at.text("x-portcullis-refers-to").map(Arc::from);
    let (reveals, stated) = questions::reveals(lowering.docs, at);
    Some(ParameterDraft {
        name: if place == Place::Header {
            Arc::from(folded)
        } else {
            Arc::from(name)
        },
        place,
        is_required: at.is_true("required") || place == Place::Path,
        style,
        is_exploded,
        may_be_empty: at.is_true("allowEmptyValue"),
        may_be_encoded: place == Place::Path && at.is_true(ALLOW_ENCODED),
        refers_to,
        at: target(at),
        reveals,
        stated,
        page: questions::page(lowering, at, &schema),
        id: lowering.schema(&schema, Direction::Request),
        schema,
    })
}

fn schema_and_style<'a>(
    lowering: &mut Lowering<'a>,
    at: &At<'a>,
    place: Place,
) -> Option<(At<'a>, Style)> {
    if let Some(content) = at.get("content") {
        let media = content.members().next();
        let Some((_, media)) = media.filter(|(kind, _)| is_json(&essence(kind))) else {
            lowering.wrong(
                &content,
                "parameters with `content` must be JSON",
                "use `application/json`, or `schema` with a style",
            );
            return None;
        };
        let media = match lowering.docs.follow(&media) {
            Ok(media) => media,
            Err(mistake) => {
                lowering.report(mistake);
                return None;
            }
        };
        return Some((schema_or_any(&media), Style::Json));
    }
    let Some(schema) = at.get("schema") else {
        lowering.wrong(
            at,
            "this parameter has no `schema`",
            "add one, for example `schema: { type: string }`",
        );
        return None;
    };
    let style = match (at.text("style"), place) {
        (None | Some("simple"), Place::Path | Place::Header) => Style::Simple,
        (None | Some("form"), Place::Query | Place::Cookie) => Style::Form,
        (Some("cookie"), Place::Cookie) => Style::Form,
        (Some("spaceDelimited"), Place::Query) => Style::SpaceDelimited,
        (Some("pipeDelimited"), Place::Query) => Style::PipeDelimited,
        (Some("deepObject"), Place::Query) => Style::DeepObject,
        (Some(other), _) => {
            lowering.wrong(
                &at.get("style").unwrap_or_else(|| at.clone()),
                format!("the style `{other}` is not supported for {} parameters", place.name()),
                "path and header: simple · query: form, spaceDelimited, pipeDelimited, deepObject · cookie: form",
            );
            return None;
        }
    };
    Some((schema, style))
}

impl ParameterDraft<'_> {
    pub(super) fn finish(self, shop: &mut Workshop<'_, '_>) -> Result<Parameter, Mistake> {
        let shape = shop.shape(std::slice::from_ref(&self.schema), Direction::Request);
        let refers_to = self.reference(&shape, shop)?;
        Ok(Parameter {
            validator: shop.validator(self.id)?,
            target: Target::of(shop.docs, shop.is_30, &self.schema),
            name: self.name,
            place: self.place,
            is_required: self.is_required,
            style: self.style,
            is_exploded: self.is_exploded,
            may_be_empty: self.may_be_empty,
            may_be_encoded: self.may_be_encoded,
            shape,
            refers_to,
            at: self.at,
            reveals: self.reveals,
            stated: self.stated,
            page: self.page,
        })
    }
}

impl ParameterDraft<'_> {
    /// The kind of object the parameter names. Where it cannot be judged later, it is a mistake now.
    fn reference(
        &self,
        shape: &model::Shape,
        shop: &Workshop<'_, '_>,
    ) -> Result<Option<Arc<str>>, Mistake> {
        let root = shape.root();
        let items = root
            .and_then(|node| node.items)
            .and_then(|id| shape.node(id));
        let of = |node: Option<&model::shape::Node>| node.and_then(|node| node.refers_to.clone());
        // The query is split at commas before it is judged, so a list there may name several objects.
        let in_list = of(items).filter(|_| self.place == Place::Query && self.style == Style::Form);
        let found = self.refers_to.clone().or_else(|| of(root)).or(in_list);
        let wrong =
            |message: String, help: &str| Err(shop.docs.mistake(&self.schema, message, help));
        match (&found, self.place) {
            (Some(kind), Place::Header | Place::Cookie) if &**kind != NO_KIND => wrong(
                format!(
                    "`{}` names an object in a {} (`{kind}`), where it cannot be judged",
                    self.name,
                    self.place.name()
                ),
                "let the path, the query or the body name the object, or take `x-portcullis-refers-to` away",
            ),
            (None, _) if shape.nodes.iter().any(model::shape::Node::names_objects) => wrong(
                format!(
                    "`{}` names objects inside a list or an object, where they cannot be judged",
                    self.name
                ),
                "give each object a parameter of its own, or a list in the query with commas",
            ),
            _ => Ok(found),
        }
    }
}

/// A request body whose schemas have numbers.
pub(super) struct BodyDraft<'a> {
    is_required: bool,
    contents: Vec<ContentDraft<'a>>,
    not_carried: Vec<NotCarried>,
}

/// One of its content types.
struct ContentDraft<'a> {
    content_type: Arc<str>,
    format: BodyFormat,
    parts: Vec<PartPlan>,
    bytes: FileBounds,
    schema: At<'a>,
    /// The schema's number.
    id: usize,
}

/// The request body.
pub(super) fn body<'a>(lowering: &mut Lowering<'a>, operation: &At<'a>) -> Option<BodyDraft<'a>> {
    let at = operation.get("requestBody")?;
    let at = lowering
        .docs
        .follow(&at)
        .map_err(|m| lowering.report(m))
        .ok()?;
    let mut draft = BodyDraft {
        is_required: at.is_true("required"),
        contents: Vec::new(),
        not_carried: Vec::new(),
    };
    let Some(content) = at.get("content") else {
        lowering.wrong(
            &at,
            "this request body has no `content`",
            "add `content: { application/json: { schema: … } }`",
        );
        return None;
    };
    // A text or a file beside other kinds of body would be one of two readings.
    let all: Vec<_> = content.members().collect();
    for (kind, media) in &all {
        let essence = essence(kind);
        let media = match lowering.docs.follow(media) {
            Ok(media) => media,
            Err(mistake) => {
                lowering.report(mistake);
                continue;
            }
        };
        let declared = DeclaredMedia {
            docs: lowering.docs,
            essence: &essence,
            media: &media,
            all: &all,
        };
        let idle = idle_encodings(lowering.docs, &essence, &media);
        idle.into_iter()
            .for_each(|mistake| lowering.report(mistake));
        let (format, parts) = match bodies::declared(&declared) {
            Ok(declared) => declared,
            Err(why) => {
                draft.not_carried.push(NotCarried {
                    content_type: Arc::from(essence),
                    why: *why,
                });
                continue;
            }
        };
        let schema = schema_or_any(&media);
        let id = lowering.schema(&schema, Direction::Request);
        draft.contents.push(ContentDraft {
            content_type: Arc::from(essence),
            format,
            parts,
            bytes: bytes(lowering.docs, &media).unwrap_or_default(),
            schema,
            id,
        });
    }
    Some(draft)
}

impl<'a> BodyDraft<'a> {
    /// The schemas of all judged content types.
    pub(super) fn places(&self) -> Vec<At<'a>> {
        let each = self.contents.iter();
        each.map(|content| content.schema.clone()).collect()
    }

    pub(super) fn finish(self, shop: &mut Workshop<'_, '_>) -> Result<BodyPlan, Mistake> {
        let mut contents = Vec::with_capacity(self.contents.len());
        for content in self.contents {
            let schema = std::slice::from_ref(&content.schema);
            contents.push(BodyPlanContent {
                content_type: content.content_type,
                format: content.format,
                validator: shop.validator(content.id)?,
                shape: shop.shape(schema, Direction::Request),
                parts: content.parts,
                bytes: content.bytes,
                target: Target::of(shop.docs, shop.is_30, &content.schema),
            });
        }
        Ok(BodyPlan {
            is_required: self.is_required,
            contents,
            not_carried: self.not_carried,
        })
    }
}

/// An answer whose schema has a number.
pub(super) struct ResponseDraft<'a> {
    status: StatusRange,
    content_types: Vec<Arc<str>>,
    format: BodyFormat,
    bytes: Vec<FileBounds>,
    not_carried: Vec<NotCarried>,
    schema: Option<(At<'a>, usize)>,
}

/// The declared answers.
pub(super) fn answers<'a>(
    lowering: &mut Lowering<'a>,
    operation: &At<'a>,
) -> Vec<ResponseDraft<'a>> {
    let mut out = Vec::new();
    for (status, entry) in operation.get("responses").iter().flat_map(At::members) {
        if status.starts_with("x-") {
            continue;
        }
        let Some(range) = status_range(status) else {
            lowering.wrong(
                &entry,
                format!("`{status}` is not a status"),
                "write `200`, `2XX` or `default`",
            );
            continue;
        };
        let at = match lowering.docs.follow(&entry) {
            Ok(at) => at,
            Err(mistake) => {
                lowering.report(mistake);
                continue;
            }
        };
        let (mut content_types, mut schema) = (Vec::new(), None);
        let content = at.get("content");
        let all: Vec<_> = content.iter().flat_map(At::members).collect();
        let format = format_of(lowering.docs, &all);
        let mut not_carried = Vec::new();
        for (kind, media) in &all {
            let essence = essence(kind);
            // One schema per answer; the first declared one describes it.
            let is_read = format.answers_in(&essence);
            if is_read && schema.is_none() {
                match lowering.docs.follow(media) {
                    Ok(media) => {
                        let is_file = format == BodyFormat::File;
                        let declared = media.get("schema");
                        let declared = declared.or_else(|| is_file.then(|| schema_or_any(&media)));
                        schema = declared.map(|schema| {
                            let id = lowering.schema(&schema, Direction::Response);
                            (schema, id)
                        });
                    }
                    Err(mistake) => lowering.report(mistake),
                }
            }
            if !is_read && let Some(why) = unread(lowering.docs, &essence, media, &all) {
                not_carried.push(why);
            }
            content_types.push(Arc::from(essence));
        }
        out.push(ResponseDraft {
            status: range,
            content_types,
            format,
            bytes: file_bounds(lowering.docs, &all, format),
            not_carried,
            schema,
        });
    }
    out
}

/// Why an answer of this type is not read.
fn unread(
    docs: &Docs,
    essence: &str,
    media: &At<'_>,
    all: &[(&str, At<'_>)],
) -> Option<NotCarried> {
    let media = docs.follow(media).ok()?;
    let why = not_files(docs, essence, &media, all)?;
    Some(NotCarried {
        content_type: Arc::from(essence),
        why: *why,
    })
}

/// The bounds of a file answer in each of its types.
fn file_bounds(docs: &Docs, all: &[(&str, At<'_>)], format: BodyFormat) -> Vec<FileBounds> {
    if format != BodyFormat::File {
        return Vec::new();
    }
    let bounds = |media: &At<'_>| {
        let media = docs.follow(media).ok()?;
        bytes(docs, &media).ok()
    };
    let each = all.iter();
    each.map(|(_, media)| bounds(media).unwrap_or_default())
        .collect()
}

/// The schemas of the answers that mean success, each once.
pub(super) fn success_places<'a>(responses: &[ResponseDraft<'a>]) -> Vec<At<'a>> {
    let is_success = |status| {
        matches!(
            status,
            StatusRange::Exactly(200..=299) | StatusRange::Family(2)
        )
    };
    let has_success = responses.iter().any(|response| is_success(response.status));
    let wanted = responses.iter().filter(|response| {
        if has_success {
            is_success(response.status)
        } else {
            response.status == StatusRange::Default
        }
    });
    let mut known = Vec::new();
    let mut places = Vec::new();
    for (at, id) in wanted.filter_map(|response| response.schema.as_ref()) {
        if !known.contains(id) {
            known.push(*id);
            places.push(at.clone());
        }
    }
    places
}

impl ResponseDraft<'_> {
    pub(super) fn finish(self, shop: &mut Workshop<'_, '_>) -> Result<ResponsePlan, Mistake> {
        let mut plan = ResponsePlan {
            status: self.status,
            content_types: self.content_types,
            format: self.format,
            bytes: self.bytes,
            not_carried: self.not_carried,
            validator: None,
            shape: model::Shape::default(),
        };
        if let Some((schema, id)) = self.schema {
            // What stands for a file is not what its schema is about.
            if self.format != BodyFormat::File {
                plan.validator = Some(shop.validator(id)?);
            }
            plan.shape = shop.shape(std::slice::from_ref(&schema), Direction::Response);
        }
        Ok(plan)
    }
}

fn status_range(text: &str) -> Option<StatusRange> {
    if text == "default" {
        return Some(StatusRange::Default);
    }
    let family = text.strip_suffix("XX").or_else(|| text.strip_suffix("xx"));
    if let Some(family) = family.and_then(|f| f.parse().ok()) {
        return (1..=5)
            .contains(&family)
            .then_some(StatusRange::Family(family));
    }
    let status: u16 = text.parse().ok()?;
    (100..=599)
        .contains(&status)
        .then_some(StatusRange::Exactly(status))
}

/// A media type without a schema admits any value.
fn schema_or_any<'a>(media: &At<'a>) -> At<'a> {
    static ANY: serde_json::Value = serde_json::Value::Bool(true);
    media
        .get("schema")
        .unwrap_or_else(|| media.child("schema", &ANY))
}
