//! What the parts of a body mean: fields as text or JSON, files with the types and lengths that are declared for them.
//! Exports `PartPlan`, `PartKind` and `read`, which makes the object that is judged.
//! Made by `compile`; used by `check_request`.
//! Start reading at `read`.

use std::borrow::Cow;
use std::sync::Arc;

use model::json::Bounds;
use model::{Json, Text};

use crate::file::{self, FileBounds, WrongFile};
use crate::multipart::Part;
use crate::typing::Target;

/// A declared part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPlan {
    /// Its name: the field of the object.
    pub name: Arc<str>,
    /// How it is read.
    pub kind: PartKind,
    /// It may come several times.
    pub is_list: bool,
}

/// How a part is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// A text that is read as its schema asks for, as the field of a form.
    Text,
    /// JSON.
    Json,
    /// A file of one of these types. In the object its name stands for it, or its type where it has none.
    File(Vec<Arc<str>>, FileBounds),
}

/// The name that a file without one is forwarded with.
const NAMELESS: &str = "file";

/// What is wrong with a part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongPart {
    pub(crate) name: String,
    pub(crate) keyword: &'static str,
    pub(crate) detail: String,
    pub(crate) fix: String,
}

/// Reads the parts into the object that is judged, and writes JSON again from what was read. Files that break their bounds
/// are told beside it; the error is for what leaves in doubt what was sent.
pub(crate) fn read(
    parts: &mut [Part<'_>],
    plans: &[PartPlan],
    target: &Target,
    bounds: Bounds,
) -> Result<(Json, Vec<WrongPart>), WrongPart> {
    let (mut members, mut wrong): (Vec<(Text, Json)>, _) = (Vec::new(), Vec::new());
    for part in parts {
        let plan = plans.iter().find(|plan| *plan.name == *part.name);
        let value = match plan.map(|plan| &plan.kind) {
            Some(PartKind::File(types, bounds)) => {
                wrong.extend(file(part, types, *bounds)?);
                let name = part.file_name.as_deref().or(part.kind.as_deref());
                let value = Json::Text(Text::new(name.unwrap_or_default()));
                // Without one most readers take the part for a text, and nobody has looked at this one as at a text.
                part.file_name.get_or_insert_with(|| NAMELESS.to_owned());
                value
            }
            Some(PartKind::Json) => json(part, bounds)?,
            Some(PartKind::Text) | None => text(part, plan, target)?,
        };
        let is_list = plan.is_some_and(|plan| plan.is_list);
        let known = members.iter_mut().find(|(known, _)| *known == *part.name);
        match (known, is_list) {
            (Some((_, Json::List(items))), true) => items.push(value),
            (Some(_), _) => {
                return Err(unreadable(
                    part,
                    "repeated",
                    "sent more than once",
                    "send it once",
                ));
            }
            (None, true) => members.push((Text::new(&part.name), Json::List(vec![value]))),
            (None, false) => members.push((Text::new(&part.name), value)),
        }
    }
    Ok((Json::Object(members), wrong))
}

fn unreadable(part: &Part<'_>, keyword: &'static str, detail: &str, fix: &str) -> WrongPart {
    WrongPart {
        name: part.name.clone(),
        keyword,
        detail: detail.to_owned(),
        fix: fix.to_owned(),
    }
}

/// What is wrong with a file. One of another type, or that begins like one, leaves in doubt what it is; of one that breaks its
/// bounds that is known.
fn file(
    part: &Part<'_>,
    types: &[Arc<str>],
    bounds: FileBounds,
) -> Result<Option<WrongPart>, WrongPart> {
    // RFC 7578 §4.4: without a type it is text, which a file is only where that is declared.
    let kind = part.kind.as_deref().unwrap_or("text/plain");
    if !types.iter().any(|declared| **declared == *kind) {
        let names: Vec<&str> = types.iter().map(|kind| &**kind).collect();
        let fix = format!("send one of: {}", crate::advice::listed(&names));
        return Err(unreadable(
            part,
            "contentType",
            "a file of another type",
            &fix,
        ));
    }
    let wrong_part = |wrong: WrongFile| WrongPart {
        name: part.name.clone(),
        keyword: wrong.keyword,
        detail: wrong.detail,
        fix: wrong.fix,
    };
    if let Some(wrong) = file::wrong_beginning(kind, &part.bytes) {
        return Err(wrong_part(wrong));
    }
    Ok(file::wrong_length(bounds, &part.bytes).map(wrong_part))
}

fn json(part: &mut Part<'_>, bounds: Bounds) -> Result<Json, WrongPart> {
    const FIX: &str = "send it as `application/json`, without a file name";
    if part.kind.as_deref() != Some("application/json") || part.file_name.is_some() {
        return Err(unreadable(part, "contentType", "this part is JSON", FIX));
    }
    let value = model::json::parse(&part.bytes, bounds).map_err(|problem| {
        let detail = format!(
            "not strict JSON: {} at byte {}",
            problem.kind, problem.offset
        );
        unreadable(part, "json", &detail, "send one JSON value (RFC 8259)")
    })?;
    let mut written = Vec::with_capacity(part.bytes.len());
    model::json::write(&value, &mut written);
    part.bytes = Cow::Owned(written);
    Ok(value)
}

/// A field. What no part is declared for is one as well: the schema says what is to become of it.
fn text(part: &Part<'_>, plan: Option<&PartPlan>, target: &Target) -> Result<Json, WrongPart> {
    const FIX: &str = "send it as plain UTF-8 text, without a file name";
    let is_text = part.kind.as_deref().is_none_or(|kind| kind == "text/plain");
    if !is_text || part.file_name.is_some() {
        return Err(unreadable(part, "contentType", "this part is no file", FIX));
    }
    let text = std::str::from_utf8(&part.bytes).ok();
    let text = text.filter(|text| crate::text::is_plain(text));
    let text = text.ok_or_else(|| unreadable(part, "encoding", "not plain UTF-8", FIX))?;
    let field = target.field(&part.name);
    let is_list = plan.is_some_and(|plan| plan.is_list);
    Ok(if is_list { field.item() } else { field }.value(text))
}
