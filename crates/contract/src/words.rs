//! The facts about data that contracts and overlays state: are the words known, and do the names exist?
//! Exports `check` (the document) and `check_overlay` (where an overlay states them).
//! Used by `compile`.
//! Start reading at `Walk::facts`; examples, defaults and other data are not searched.

use std::sync::Arc;

use model::shape::{Class, NO_KIND};
use model::{FieldPath, Mistake};
use serde_json::Value;

use crate::docs::{At, Docs};
use crate::shape::Names;
use crate::text::nearest;

/// Says of a path parameter that its value may hold escaped `/ \ % ? #` and `;`.
pub(crate) const ALLOW_ENCODED: &str = "x-portcullis-allow-encoded";
/// Every fact that can be stated.
const FACTS: [&str; 5] = [
    ALLOW_ENCODED,
    "x-portcullis-class",
    "x-portcullis-filters",
    "x-portcullis-page",
    "x-portcullis-refers-to",
];
/// What a field or a parameter can say of a page.
const PAGES: [&str; 4] = ["cursor", "count", "plain", "size"];
/// The classes, mildest first.
const CLASSES: [&str; 5] = ["public", "internal", "personal", "sensitive", "secret"];
/// Members whose content is data.
const DATA: [&str; 5] = ["const", "default", "enum", "example", "examples"];
/// Members whose keys are names of the operator's choosing.
const NAMES: [&str; 13] = [
    "$defs",
    "callbacks",
    "content",
    "definitions",
    "dependentSchemas",
    "encoding",
    "headers",
    "parameters",
    "paths",
    "patternProperties",
    "properties",
    "responses",
    "schemas",
];
/// Deepest place that is searched.
const DEPTH_MAX: usize = 200;

/// Every fact of the document and its files that is not one.
pub(crate) fn check(docs: &Docs, names: &Names) -> Vec<Mistake> {
    let known = schema_names(docs, names);
    let mut walk = Walk::new(&known);
    for (index, doc) in docs.files.iter().enumerate() {
        let root = At {
            doc: index,
            pointer: String::new(),
            value: &doc.value,
        };
        walk.file = docs.file(index);
        walk.place(&root, false, 0);
    }
    walk.mistakes
}

/// Every fact that an overlay states and that is not one, at its place in the overlay.
pub(crate) fn check_overlay(docs: &Docs, names: &Names, file: &str, value: &Value) -> Vec<Mistake> {
    let known = schema_names(docs, names);
    let mut walk = Walk::new(&known);
    walk.file = file;
    walk.is_overlay = true;
    let root = At {
        doc: 0,
        pointer: String::new(),
        value,
    };
    for action in root.get("actions").iter().flat_map(At::items) {
        if let Some(update) = action.get("update") {
            walk.place(&update, false, 0);
        }
    }
    walk.mistakes
}

/// What object kinds can be named after: component schemas, and schemas in files of their own.
pub(crate) fn schema_names(docs: &Docs, names: &Names) -> Vec<Arc<str>> {
    let root = docs.root();
    let components = root.get("components").and_then(|c| c.get("schemas"));
    let mut known: Vec<Arc<str>> = components
        .iter()
        .flat_map(At::members)
        .map(|(name, _)| Arc::from(name))
        .collect();
    for (index, doc) in docs.files.iter().enumerate().skip(1) {
        let at = At {
            doc: index,
            pointer: String::new(),
            value: &doc.value,
        };
        let listed = ["$defs", "definitions", "schemas"].map(|key| at.get(key));
        let components = at.get("components").and_then(|c| c.get("schemas"));
        let listed = listed.into_iter().chain([Some(at.clone()), components]);
        let listed = listed.flatten().flat_map(|list| list.members());
        known.extend(listed.filter_map(|(_, at)| names.own(docs, &at)));
        known.extend(names.own(docs, &at));
    }
    known.sort();
    known.dedup();
    known
}

struct Walk<'n> {
    known: &'n [Arc<str>],
    file: &'n str,
    is_overlay: bool,
    mistakes: Vec<Mistake>,
}

impl<'n> Walk<'n> {
    fn new(known: &'n [Arc<str>]) -> Walk<'n> {
        Walk {
            known,
            file: "",
            is_overlay: false,
            mistakes: Vec::new(),
        }
    }

    fn place(&mut self, at: &At<'_>, has_names: bool, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        at.items()
            .for_each(|item| self.place(&item, false, depth + 1));
        for (key, child) in at.members() {
            if has_names {
                self.place(&child, false, depth + 1);
            } else if key.starts_with("x-portcullis-") {
                self.facts(key, &child);
                self.stands_right(key, at, &child);
            } else if !DATA.contains(&key) && !key.starts_with("x-") {
                self.place(&child, NAMES.contains(&key), depth + 1);
            }
        }
    }

    fn facts(&mut self, key: &str, at: &At<'_>) {
        let text = at.value.as_str();
        let shown = match text {
            Some(text) => text.chars().take(64).collect(),
            None => at.value.to_string().chars().take(64).collect::<String>(),
        };
        match key {
            "x-portcullis-class" if text.and_then(Class::parse).is_some() => {}
            "x-portcullis-class" => self.wrong(
                at,
                format!("`{shown}` is not a data class"),
                &CLASSES,
                &shown,
                &format!("write one of: {}", CLASSES.join(", ")),
            ),
            "x-portcullis-refers-to" if text == Some(NO_KIND) => {}
            "x-portcullis-refers-to" if self.known.iter().any(|k| Some(&**k) == text) => {}
            "x-portcullis-refers-to" => {
                let known: Vec<&str> = self.known.iter().map(|k| &**k).collect();
                self.wrong(
                    at,
                    format!("there is no schema `{shown}` to refer to"),
                    &known,
                    &shown,
                    "name a schema of this contract, as under `components.schemas`, or `none` where no object is named",
                );
            }
            "x-portcullis-filters" if at.value.is_array() => self.paths(at),
            "x-portcullis-filters" if at.value.is_object() => {
                for (value, list) in at.members() {
                    self.value(value, &list);
                }
            }
            "x-portcullis-filters" => self.wrong(
                at,
                format!("`{shown}` is not a list of fields"),
                &[],
                &shown,
                "write the fields the parameter asks about, `[status]`; `[]` where it tells nothing",
            ),
            "x-portcullis-page" if text.is_some_and(|t| PAGES.contains(&t)) => {}
            "x-portcullis-page" => self.wrong(
                at,
                format!("`{shown}` says nothing of a page"),
                &PAGES,
                &shown,
                "write `cursor`, `count` or `plain` on a field of the answer, `cursor` or `size` on a parameter or a field of a search's body",
            ),
            ALLOW_ENCODED if at.value.is_boolean() => {}
            ALLOW_ENCODED => self.wrong(
                at,
                format!("`{shown}` is neither `true` nor `false`"),
                &[],
                &shown,
                "write `true` on a path parameter whose value may hold an escaped `/`, `\\`, `%`, `?`, `#` or `;`",
            ),
            _ => self.wrong(
                at,
                format!("`{key}` is not a fact that is known here"),
                &FACTS,
                key,
                "facts are `x-portcullis-allow-encoded`, `x-portcullis-class`, `x-portcullis-filters`, `x-portcullis-page` and `x-portcullis-refers-to`",
            ),
        }
    }

    /// A fact that nobody would read where it stands says something that does not hold.
    fn stands_right(&mut self, key: &str, parent: &At<'_>, at: &At<'_>) {
        // Of an overlay only what it adds is seen here; the document it is added to is searched as well.
        if key == ALLOW_ENCODED && !self.is_overlay && parent.text("in") != Some("path") {
            self.wrong(
                at,
                format!("`{key}` stands at something else than a path parameter"),
                &[],
                "",
                "write it beside `in: path` of the parameter",
            );
        }
    }

    /// The fields that one value of a parameter asks about.
    fn value(&mut self, value: &str, list: &At<'_>) {
        if list.value.is_array() {
            return self.paths(list);
        }
        self.wrong(
            list,
            format!("the value `{value}` has no list of fields"),
            &[],
            "",
            "write the fields it asks about, `[status]`; `[]` where it tells nothing",
        );
    }

    fn paths(&mut self, list: &At<'_>) {
        for entry in list.items() {
            let parsed = match entry.value {
                Value::String(text) => FieldPath::parse(text).map(drop),
                _ => Err("is not a text".to_owned()),
            };
            if let Err(why) = parsed {
                self.wrong(
                    &entry,
                    format!("the field path {} {why}", entry.value),
                    &[],
                    "",
                    "write a path of the resource object, like `status` or `customer.name`",
                );
            }
        }
    }

    fn wrong(&mut self, at: &At<'_>, message: String, known: &[&str], meant: &str, help: &str) {
        let help = match nearest(meant, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => help.to_owned(),
        };
        let mistake = Mistake::new(message, help)
            .in_file(self.file)
            .at_pointer(at.pointer.clone());
        self.mistakes.push(mistake);
    }
}

#[cfg(test)]
mod tests;
