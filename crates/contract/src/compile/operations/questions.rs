//! What a parameter asks about: the fields it filters or sorts by, and its part in paging.
//! Gives `reveals` (`x-portcullis-filters`) and `page` (`x-portcullis-page`).
//! Used by `parts`.
//! Start reading at `reveals`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{FieldPath, PageParameter, Reveals, StatedField};
use serde_json::Value;

use crate::docs::At;
use crate::lower::Lowering;

/// Most fields or values of one parameter.
const ENTRIES_MAX: usize = 256;

/// The fields a parameter asks about, `None` where nothing is declared, and where each of them is said.
pub(super) fn reveals(
    lowering: &mut Lowering<'_>,
    parameter: &At<'_>,
) -> (Option<Reveals>, Vec<StatedField>) {
    let mut stated = Vec::new();
    let Some(at) = parameter.get("x-portcullis-filters") else {
        return (None, stated);
    };
    if at.value.is_array() {
        let all = Reveals::Fields(paths(lowering, &at, &mut stated));
        return (Some(all), stated);
    }
    let mut values = BTreeMap::new();
    for (value, list) in at.members().take(ENTRIES_MAX) {
        if !list.value.is_array() {
            lowering.wrong(
                &list,
                format!("the value `{value}` has no list of fields"),
                "write the fields it asks about, `[status]`; `[]` where it tells nothing",
            );
        }
        values.insert(Arc::from(value), paths(lowering, &list, &mut stated));
    }
    (Some(Reveals::ByValue(values)), stated)
}

fn paths(
    lowering: &mut Lowering<'_>,
    list: &At<'_>,
    stated: &mut Vec<StatedField>,
) -> Vec<FieldPath> {
    let mut found = Vec::new();
    for entry in list.items().take(ENTRIES_MAX) {
        let parsed = match entry.value {
            Value::String(text) => FieldPath::parse(text),
            _ => Err("is not a text".to_owned()),
        };
        match parsed {
            Ok(paths) => {
                let (file, pointer) = lowering.docs.stated(&entry);
                let place = (Arc::<str>::from(file), Arc::<str>::from(pointer));
                stated.extend(paths.iter().map(|path| StatedField {
                    path: path.clone(),
                    file: place.0.clone(),
                    pointer: place.1.clone(),
                }));
                found.extend(paths);
            }
            Err(why) => lowering.wrong(
                &entry,
                format!("the field path {} {why}", entry.value),
                "write a path of the resource object, like `status` or `customer.name`",
            ),
        }
    }
    found
}

/// The part a parameter has in paging.
pub(super) fn page(
    lowering: &mut Lowering<'_>,
    parameter: &At<'_>,
    schema: &At<'_>,
) -> Option<PageParameter> {
    let at = parameter.get("x-portcullis-page")?;
    match at.value.as_str() {
        Some("cursor") => Some(PageParameter::Cursor),
        Some("size") => {
            let schema = lowering
                .docs
                .follow(schema)
                .unwrap_or_else(|_| schema.clone());
            let number = |key: &str| {
                let value = schema.value.get(key).and_then(Value::as_u64);
                value.and_then(|value| u32::try_from(value).ok())
            };
            Some(PageParameter::Size {
                usual: number("default"),
                max: number("maximum"),
            })
        }
        _ => {
            lowering.wrong(
                &at,
                "a parameter is the `cursor` or the `size` of a page",
                "write `x-portcullis-page: cursor` or `size`; what else a parameter asks about is said by `x-portcullis-filters`",
            );
            None
        }
    }
}
