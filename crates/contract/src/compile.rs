//! From the text of an OpenAPI document to a contract, or to mistakes that say where and how to mend.
//! Exports `compile` and its `Source`. Pure: referenced files come through `Source::load`.
//! Used by config.
//! Start reading at `compile`; `operations` reads the paths.

mod operations;

use std::collections::{BTreeSet, HashMap};

use model::Mistake;
use model::json::Bounds;
use serde_json::Value;
use yaml::Node;

use crate::docs::{At, Docs};
use crate::language::Languages;
use crate::lower::Lowering;
use crate::plan::{Contract, Operation};
use crate::shape::Names;
use crate::template;
use crate::template::TemplateSegment;
use crate::text;
use crate::validator::Built;
use crate::words;

/// What `compile` reads.
pub struct Source<'a> {
    /// File name of the document relative to the configuration directory; references are resolved against it.
    pub file: &'a str,
    /// Its text, YAML or JSON.
    pub text: &'a str,
    /// File name and text of an OpenAPI Overlay 1.0 document.
    pub overlay: Option<(&'a str, &'a str)>,
    /// Text of a referenced file by its path relative to the configuration directory; `None` when absent or outside.
    pub load: &'a dyn Fn(&str) -> Option<String>,
    /// What happens to fields of a request body that the contract does not declare.
    pub unknown_fields: UnknownFields,
    /// What a request body may cost.
    pub bounds: Bounds,
}

/// What happens to undeclared fields of a request body where the schema says nothing about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are refused.
    #[default]
    Refuse,
    /// They pass, as plain JSON Schema has it.
    Allow,
}

/// Compiles a document.
///
/// # Errors
/// Every mistake found (at most 50), each with its file and, where known, its place.
pub fn compile(source: &Source<'_>) -> Result<Contract, Vec<Mistake>> {
    read(source).map_err(|mistakes| placed(source, mistakes))
}

fn read(source: &Source<'_>) -> Result<Contract, Vec<Mistake>> {
    let mut value =
        text::to_value(source.text).map_err(|mistake| vec![mistake.in_file(source.file)])?;
    let mut declared = declared_paths(&value);
    let mut applied = None;
    if let Some((file, overlay)) = source.overlay {
        applied = Some(crate::overlay::apply(&mut value, file, overlay)?);
        declared.extend(declared_paths(&value));
    }
    let mut docs = Docs::load(source.file, value, source.load)
        .map_err(|mistake| vec![mistake.in_file(source.file)])?;
    docs.overlay = applied;
    let root = docs.root();
    let is_30 = version(&docs, &root).map_err(|mistake| vec![mistake])?;
    let names = Names::of(&docs);
    facts(source, &docs, &names)?;
    let mut lowering = Lowering::new(&docs, is_30, source.unknown_fields == UnknownFields::Refuse);
    let drafts = operations::read(&mut lowering, &root, source.bounds);
    if !lowering.mistakes.is_empty() {
        return Err(lowering.mistakes);
    }
    let (mut built, mut languages) = (Built::default(), Languages::default());
    let mut operations = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let made = (&mut built, &mut languages);
        match draft.finish((&docs, &names), &lowering.definitions, made) {
            Ok(operation) => operations.push(operation),
            Err(mistake) => lowering.report(mistake),
        }
    }
    if !lowering.mistakes.is_empty() {
        return Err(lowering.mistakes);
    }
    let all = lowering.definitions.into_iter().map(|d| d.schema).collect();
    // Set once: nobody else holds this cell before the contract leaves this function.
    let _ = built.definitions.set(all);
    Ok(Contract {
        title: info(&root, "title"),
        version: info(&root, "version"),
        idle_paths: idle_paths(declared, &operations),
        operations,
        schemas: words::schema_names(&docs, &names).into_iter().collect(),
        languages: languages.all,
        notes: notes(&root),
    })
}

/// The templates under `paths`, as written.
fn declared_paths(document: &Value) -> BTreeSet<String> {
    let paths = document.get("paths").and_then(Value::as_object);
    let names = paths.into_iter().flat_map(|paths| paths.keys());
    names
        .filter(|name| name.starts_with('/'))
        .cloned()
        .collect()
}

/// The declared paths without an operation. A template that cannot be read was taken away by the overlay for that reason.
fn idle_paths(declared: BTreeSet<String>, operations: &[Operation]) -> Vec<Vec<TemplateSegment>> {
    let used: BTreeSet<&str> = operations.iter().map(|o| &*o.template).collect();
    let idle = declared.iter().filter(|path| !used.contains(path.as_str()));
    idle.filter_map(|path| template::segments(path).ok())
        .collect()
}

/// Facts about the data that nobody here understands would protect nothing, so they are refused.
fn facts(source: &Source<'_>, docs: &Docs, names: &Names) -> Result<(), Vec<Mistake>> {
    // What the overlay states is shown there; in the document it has no place.
    if let Some((file, overlay)) = source.overlay
        && let Ok(value) = text::to_value(overlay)
    {
        let mistakes = words::check_overlay(docs, names, file, &value);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
    }
    let mistakes = words::check(docs, names);
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes)
    }
}

fn info(root: &At<'_>, key: &str) -> String {
    match root.value.pointer(&format!("/info/{key}")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Whether the document is 3.0; refuses what is neither 3.0, 3.1 nor 3.2.
fn version(docs: &Docs, root: &At<'_>) -> Result<bool, Mistake> {
    if let Some(old) = root.get("swagger") {
        return Err(docs.mistake(
            &old,
            "this is a Swagger 2.0 document; contracts are OpenAPI 3.0 or 3.1",
            "convert it once, for example with `swagger2openapi`, and keep the result",
        ));
    }
    let Some(version) = root.get("openapi") else {
        return Err(docs.mistake(
            root,
            "this is not an OpenAPI document: `openapi` is missing",
            "begin it with `openapi: 3.1.0`",
        ));
    };
    if let Some(dialect) = root.get("jsonSchemaDialect") {
        const KNOWN: [&str; 3] = [
            "https://spec.openapis.org/oas/3.1/dialect/base",
            "https://spec.openapis.org/oas/3.1/dialect/2024-11-10",
            "https://json-schema.org/draft/2020-12/schema",
        ];
        let is_known = dialect
            .value
            .as_str()
            .is_some_and(|d| KNOWN.contains(&d.trim_end_matches('#')));
        if !is_known {
            return Err(docs.mistake(
                &dialect,
                "this dialect of JSON Schema is not supported",
                "remove `jsonSchemaDialect`; schemas are read as JSON Schema 2020-12",
            ));
        }
    }
    let text = version.value.as_str().unwrap_or_default();
    match text.split('.').take(2).collect::<Vec<_>>().as_slice() {
        ["3", "0"] => Ok(true),
        ["3", "1" | "2"] => Ok(false),
        _ => Err(docs.mistake(
            &version,
            "this version of OpenAPI is not supported",
            "write `openapi: 3.0.3` or `openapi: 3.1.0`, in quotes if it has only one point",
        )),
    }
}

/// What is declared but plays no part here.
fn notes(root: &At<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let servers = root.get("servers");
    let count = servers.iter().flat_map(At::items).count();
    if count > 0 {
        notes.push(format!(
            "{count} `servers` are not used: base path and upstream come from the configuration"
        ));
    }
    if let Some(hooks) = root.get("webhooks") {
        notes.push(format!(
            "{} webhooks are not used: they are calls of the upstream, not of integrations",
            hooks.members().count()
        ));
    }
    notes
}

/// Turns pointers into spans, where the text of the file is at hand.
fn placed(source: &Source<'_>, mut mistakes: Vec<Mistake>) -> Vec<Mistake> {
    let mut trees: HashMap<String, Option<Node>> = HashMap::new();
    for mistake in &mut mistakes {
        let (None, Some(pointer)) = (mistake.span, mistake.pointer.as_deref()) else {
            continue;
        };
        let tree = trees
            .entry(mistake.file.clone())
            .or_insert_with_key(|file| {
                let text = match source.overlay {
                    _ if file == source.file => Some(source.text.to_owned()),
                    Some((name, text)) if name == file => Some(text.to_owned()),
                    _ => (source.load)(file),
                };
                text.and_then(|text| text::tree(&text).ok())
            });
        mistake.span = tree.as_ref().map(|tree| text::locate_in(tree, pointer));
    }
    mistakes
}

#[cfg(test)]
pub(crate) mod tests;
