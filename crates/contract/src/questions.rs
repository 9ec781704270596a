//! What a parameter, or a place of a request body, asks about: the fields it filters or sorts by, and its part in paging.
//! Exports `reveals` (`x-portcullis-filters`), `page` (`x-portcullis-page`) and `asks` (both, of a place in a body).
//! Used by `parts` and by shapes. What is no list of field paths was refused before (`words`) and counts as undeclared here.
//! Start reading at `reveals`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Asks, FieldPath, PageParameter, Reveals, StatedField};
use serde_json::Value;

use crate::docs::{At, Docs};
use crate::lower::Lowering;

/// Most fields or values of one parameter.
const ENTRIES_MAX: usize = 256;

/// The fields a parameter asks about, `None` where nothing is declared, and where each of them is said.
pub(crate) fn reveals(docs: &Docs, parameter: &At<'_>) -> (Option<Reveals>, Vec<StatedField>) {
    let mut stated = Vec::new();
    let Some(at) = parameter.get("x-portcullis-filters") else {
        return (None, stated);
    };
    if at.value.is_array() {
        let all = Reveals::Fields(paths(docs, &at, &mut stated));
        return (Some(all), stated);
    }
    let mut values = BTreeMap::new();
    for (value, list) in at.members().take(ENTRIES_MAX) {
        values.insert(Arc::from(value), paths(docs, &list, &mut stated));
    }
    (Some(Reveals::ByValue(values)), stated)
}

fn paths(docs: &Docs, list: &At<'_>, stated: &mut Vec<StatedField>) -> Vec<FieldPath> {
    let mut found = Vec::new();
    for entry in list.items().take(ENTRIES_MAX) {
        let text = entry.value.as_str().unwrap_or_default();
        let paths = FieldPath::parse(text).unwrap_or_default();
        let (file, pointer) = docs.stated(&entry);
        let place = (Arc::<str>::from(file), Arc::<str>::from(pointer));
        stated.extend(paths.iter().map(|path| StatedField {
            path: path.clone(),
            file: place.0.clone(),
            pointer: place.1.clone(),
        }));
        found.extend(paths);
    }
    found
}

/// The part a parameter has in paging.
pub(crate) fn page(
    lowering: &mut Lowering<'_>,
    parameter: &At<'_>,
    schema: &At<'_>,
) -> Option<PageParameter> {
    let at = parameter.get("x-portcullis-page")?;
    let schema = lowering
        .docs
        .follow(schema)
        .unwrap_or_else(|_| schema.clone());
    let found = page_of(&at, std::slice::from_ref(&schema));
    if found.is_none() {
        lowering.wrong(
            &at,
            "a parameter is the `cursor` or the `size` of a page",
            "write `x-portcullis-page: cursor` or `size`; what else a parameter asks about is said by `x-portcullis-filters`",
        );
    }
    found
}

fn page_of(word: &At<'_>, schemas: &[At<'_>]) -> Option<PageParameter> {
    let number = |key: &'static str| {
        let values = schemas.iter().filter_map(move |schema| {
            let value = schema.value.get(key).and_then(Value::as_u64)?;
            u32::try_from(value).ok()
        });
        values.min()
    };
    match word.value.as_str() {
        Some("cursor") => Some(PageParameter::Cursor),
        Some("size") => Some(PageParameter::Size {
            usual: number("default"),
            max: number("maximum"),
        }),
        _ => None,
    }
}

/// Whether a schema says something of what its place asks about.
pub(crate) fn is_stated(schema: &At<'_>) -> bool {
    let is_page = |at: &At<'_>| matches!(at.value.as_str(), Some("cursor" | "size"));
    schema.get("x-portcullis-filters").is_some()
        || schema
            .get("x-portcullis-page")
            .is_some_and(|at| is_page(&at))
}

/// What a place of a body asks about, by the schemas that say something of it (`stated`) and all that describe it (`all`).
/// Whichever of them is meant, nothing is asked beyond what is told here. `None` where they contradict each other.
pub(crate) fn asks(docs: &Docs, stated: &[&At<'_>], all: &[At<'_>]) -> Option<Asks> {
    let mut found = Asks::default();
    for schema in stated {
        let (reveals, places) = reveals(docs, schema);
        found.reveals = match (found.reveals.take(), reveals) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        };
        found.stated.extend(places);
        let word = schema.get("x-portcullis-page");
        let page = word.and_then(|word| page_of(&word, all));
        if page.is_some() && found.page.is_some() && page != found.page {
            return None;
        }
        found.page = found.page.or(page);
    }
    Some(found)
}
