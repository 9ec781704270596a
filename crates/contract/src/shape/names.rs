//! What a schema is called, so that object rules can be attached to it.
//! Exports `Names`. A name under `components.schemas` comes first; a schema in a file of its own is called like the file.
//! Used by shapes.
//! Start reading at `Names::own`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::likeness;
use serde_json::{Map, Value};

use crate::docs::{At, Docs};
use crate::text;

/// Where the component schemas of an OpenAPI document stand.
const COMPONENTS: &str = "/components/schemas/";

/// Names of the component schemas that merely refer to another file.
#[derive(Debug, Default)]
pub(crate) struct Names {
    elsewhere: HashMap<(usize, String), Arc<str>>,
    /// Component schemas by the words of their names.
    spoken: HashMap<String, Arc<str>>,
    /// Parameters of paths, in words.
    in_paths: HashSet<String>,
}

impl Names {
    pub(crate) fn of(docs: &Docs) -> Names {
        let root = docs.root();
        let components = root.get("components").and_then(|c| c.get("schemas"));
        let mut elsewhere = HashMap::new();
        let mut spoken = HashMap::new();
        for (name, at) in components.iter().flat_map(At::members) {
            spoken.insert(likeness::words(name).join(" "), Arc::from(name));
            if let Ok(target) = docs.follow(&at)
                && target.doc != 0
            {
                elsewhere
                    .entry(target.key())
                    .or_insert_with(|| Arc::from(name));
            }
        }
        let paths = root.get("paths");
        let templates = paths.iter().flat_map(At::members);
        let in_paths = templates
            .flat_map(|(template, _)| template.split('{').skip(1))
            .filter_map(|rest| rest.split('}').next())
            .map(|name| likeness::words(name).join(" "))
            .collect();
        Names {
            elsewhere,
            spoken,
            in_paths,
        }
    }

    /// The component schema that these words name.
    pub(crate) fn spoken(&self, words: &[String]) -> Option<&Arc<str>> {
        self.spoken.get(&words.join(" "))
    }

    /// Whether a path has a parameter of this name.
    pub(crate) fn is_in_path(&self, words: &[String]) -> bool {
        self.in_paths.contains(&words.join(" "))
    }

    /// The name of the schema that is written at this very place.
    pub(crate) fn own(&self, docs: &Docs, at: &At<'_>) -> Option<Arc<str>> {
        let component = at.pointer.strip_prefix(COMPONENTS);
        if let Some(name) = component.filter(|name| !name.contains('/')) {
            return text::steps(&format!("/{name}")).next().map(Arc::from);
        }
        if at.doc == 0 {
            return None;
        }
        if let Some(name) = self.elsewhere.get(&at.key()) {
            return Some(name.clone());
        }
        let file = docs.files.get(at.doc)?.value.as_object()?;
        if at.pointer.is_empty() {
            return stem(docs.file(at.doc))
                .filter(|_| is_schema(file))
                .map(Arc::from);
        }
        one_of_many(file, at)
    }
}

/// `models/WorkOrder.schema.yml` is called `WorkOrder`.
fn stem(file: &str) -> Option<&str> {
    let name = file.rsplit('/').next()?;
    name.split('.').next().filter(|stem| !stem.is_empty())
}

/// Whether a file is one schema, as far as its members tell.
fn is_schema(file: &Map<String, Value>) -> bool {
    const WORDS: [&str; 11] = [
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "enum",
        "items",
        "oneOf",
        "properties",
        "required",
        "type",
    ];
    WORDS.iter().any(|word| file.contains_key(*word))
}

/// In a file that is a plain list of schemas (`schemas.yml#/WorkOrder`) the key is the name.
fn one_of_many(file: &Map<String, Value>, at: &At<'_>) -> Option<Arc<str>> {
    let mut steps = text::steps(&at.pointer);
    let (first, second) = (steps.next()?, steps.next());
    if steps.next().is_some() {
        return None;
    }
    match second {
        Some(name) if matches!(first.as_str(), "$defs" | "definitions" | "schemas") => {
            Some(Arc::from(name))
        }
        None if !is_schema(file) && first != "schema" => Some(Arc::from(first)),
        _ => None,
    }
}
