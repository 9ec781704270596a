//! The manual of all settings, as a page of Markdown, from the doc comments of the structs that read them.
//! Exports `reference_markdown`. A test compares it with docs/configuration.md.
//! Used by `cargo xtask gen`.
//! Start reading at `reference_markdown`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use crate::entries::{CERTIFICATES, IGNORED, KINDS as KINDS_OF_DIRECTORIES};
use crate::schema::{KINDS, schema};

const HEAD: &str = "# Configuration reference\n\n\
    Generated from the structs that read the files; `cargo xtask gen` writes it again.\n\n\
    A configuration is one directory. It is read strictly (YAML 1.2: unknown keys, duplicate keys, anchors and `${…}` are\n\
    refused), compiled whole and swapped whole. `portcullis check DIR` says everything that is wrong with one;\n\
    `portcullis schema KIND` prints the JSON Schema of a kind for editors.\n\n\
    Written forms: lengths of time `250ms`, `30s`, `15m`, `24h`, `90d`; sizes `512B`, `64KiB`, `1MiB`; rates `10/s`,\n\
    `600/min`; days `2027-03-31`; addresses `10.0.0.0/8` or `192.0.2.7`; secrets `env:NAME`, `file:PATH`, `cred:NAME`.\n";

/// The whole page.
pub fn reference_markdown() -> String {
    let mut page = Page {
        text: HEAD.into(),
        root: Value::Null,
        done: BTreeSet::new(),
    };
    for kind in KINDS {
        page.root = schema(kind.name).unwrap_or_default();
        page.done.clear();
        let _ = write!(page.text, "\n## `{}`\n\n", kind.file);
        let root = page.root.clone();
        page.object("", &root);
    }
    entries_of_the_directory(&mut page.text);
    page.text
}

/// What lies in the directory and is not read.
fn entries_of_the_directory(text: &mut String) {
    text.push_str(
        "\n## What is not read\n\n\
         Every entry of the directory is read, refused, or ignored by one of these names, at any depth (`*` stands for any\n\
         text; a pattern with one never ignores a name that ends in `.yaml`, `.yml`, `.json` or `.cedar`, except `.#*`):\n\n",
    );
    let mut by_what: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (pattern, what) in IGNORED {
        by_what
            .entry(what)
            .or_default()
            .push(format!("`{pattern}`"));
    }
    for (what, patterns) in by_what {
        let _ = writeln!(text, "- {what}: {}", patterns.join(", "));
    }
    let _ = write!(
        text,
        "\nNot looked into are the directory of the store and the top directory that holds directories of `inspection.rules`; of those,\n\
         `*.conf` and `*.data` are read. In {}, certificates and keys are read where the configuration names them. A link that\n\
         leads nowhere, a pipe, a name that is not UTF-8, another spelling of a name that counts (`f.CEDAR`, `f.cedar.txt`, `Policies/`)\n\
         and anything else in `{}/` is refused. `check` warns of whatever else nothing refers to, and `check -v` lists what is ignored.\n",
        CERTIFICATES.map(|name| format!("`{name}/`")).join(", "),
        KINDS_OF_DIRECTORIES.join("/`, `"),
    );
}

struct Page {
    text: String,
    /// The schema of the kind, to look references up in.
    root: Value,
    /// Paths already written.
    done: BTreeSet<String>,
}

impl Page {
    /// Writes the table of one object, then those of the objects below it.
    fn object(&mut self, path: &str, schema: &Value) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        if !path.is_empty() {
            let _ = write!(self.text, "\n### `{path}`\n\n");
        }
        let _ = write!(
            self.text,
            "{}\n\n| key | value | meaning |\n|---|---|---|\n",
            described(schema)
        );
        let required: Vec<&str> = strings(schema.get("required"));
        let mut below = Vec::new();
        for (name, property) in properties {
            let full = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            let (value, inner) = self.value(&full, property);
            let star = if required.contains(&name.as_str()) {
                " (required)"
            } else {
                ""
            };
            let meaning = described(property).replace('|', "\\|");
            let _ = writeln!(self.text, "| `{name}`{star} | {value} | {meaning} |");
            below.extend(inner);
        }
        for (path, schema) in below {
            if self.done.insert(path.clone()) {
                self.object(&path, &schema);
            }
        }
    }

    /// How a value is written, and the objects it leads to.
    fn value(&self, path: &str, property: &Value) -> (String, Vec<(String, Value)>) {
        let schema = self.resolved(property);
        if let Some(choices) = alternatives(&schema) {
            let read: Vec<_> = choices
                .iter()
                .map(|choice| self.value(path, choice))
                .collect();
            let words: Vec<String> = read
                .iter()
                .map(|(word, _)| word.clone())
                .filter(|w| !w.is_empty())
                .collect();
            return (
                words.join(", "),
                read.into_iter().flat_map(|(_, below)| below).collect(),
            );
        }
        if let Some(word) = schema.get("const").and_then(Value::as_str) {
            return (format!("`{word}`"), Vec::new());
        }
        let words = strings(schema.get("enum"));
        if !words.is_empty() {
            let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            return (quoted.join(", "), Vec::new());
        }
        if schema.get("properties").is_some() {
            return ("map".into(), vec![(path.to_owned(), schema)]);
        }
        if let Some(each) = schema.get("additionalProperties").filter(|v| v.is_object()) {
            let (value, below) = self.value(&format!("{path}.NAME"), each);
            return (format!("names with {value}"), below);
        }
        if let Some(each) = schema.get("items") {
            let (value, below) = self.value(&format!("{path}[]"), each);
            return (format!("list of {value}"), below);
        }
        (type_word(&schema), Vec::new())
    }

    /// The schema a reference leads to; itself where there is none.
    fn resolved(&self, schema: &Value) -> Value {
        let Some(pointer) = schema.get("$ref").and_then(Value::as_str) else {
            return schema.clone();
        };
        let found = self.root.pointer(pointer.trim_start_matches('#'));
        found.cloned().unwrap_or_default()
    }
}

/// The branches of a choice, without `null`: an absent key is how nothing is written.
fn alternatives(schema: &Value) -> Option<Vec<Value>> {
    let choices = schema
        .get("anyOf")
        .or_else(|| schema.get("oneOf"))?
        .as_array()?;
    let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
    Some(
        choices
            .iter()
            .filter(|choice| !is_null(choice))
            .cloned()
            .collect(),
    )
}

fn type_word(schema: &Value) -> String {
    if let Some(form) = schema.get("format").and_then(Value::as_str)
        && !form.starts_with("uint")
    {
        return form.replace('-', " ");
    }
    let kinds = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        other => strings(other),
    };
    let pattern = schema
        .get("pattern")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match kinds.into_iter().find(|kind| *kind != "null") {
        Some("string") if pattern == model::time::Span::PATTERN => "length of time".into(),
        Some("string") if pattern.contains("refusals") => "refusals per span".into(),
        Some("string") if pattern.contains("min") => "rate".into(),
        Some("string") => "text".into(),
        Some("integer") => "number".into(),
        Some("boolean") => "`true`, `false`".into(),
        other => other.unwrap_or_default().into(),
    }
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(word)) => vec![word],
        _ => Vec::new(),
    }
}

fn described(schema: &Value) -> String {
    let text = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
