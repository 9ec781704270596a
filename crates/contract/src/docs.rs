//! The document with every file it refers to, and the one way a reference is followed.
//! Exports `Docs`, `At`. Files come through `Source::load`; nothing is fetched.
//! Used by `compile`, `lower` and `shape`.
//! Start reading at `Docs::resolve`.

use std::collections::HashMap;

use model::Mistake;
use serde_json::{Map, Value};

use crate::overlay::Applied;
use crate::text::{self, nearest};

/// Most referenced files.
const FILES_MAX: usize = 10_000;
/// Longest chain of references.
const CHAIN_MAX: usize = 32;

/// One file.
pub(crate) struct Doc {
    pub(crate) file: String,
    pub(crate) value: Value,
}

/// All files; the first is the document itself.
pub(crate) struct Docs {
    pub(crate) files: Vec<Doc>,
    by_name: HashMap<String, usize>,
    broken: HashMap<String, Mistake>,
    /// What the overlay stated, for places of its facts.
    pub(crate) overlay: Option<Applied>,
}

/// One place in one file.
#[derive(Clone)]
pub(crate) struct At<'a> {
    pub(crate) doc: usize,
    pub(crate) pointer: String,
    pub(crate) value: &'a Value,
}

impl<'a> At<'a> {
    /// The member of an object.
    pub(crate) fn get(&self, key: &str) -> Option<At<'a>> {
        let value = self.value.get(key)?;
        Some(self.child(key, value))
    }

    /// A child whose value is already known.
    pub(crate) fn child(&self, key: &str, value: &'a Value) -> At<'a> {
        At {
            doc: self.doc,
            pointer: format!("{}/{}", self.pointer, text::step(key)),
            value,
        }
    }

    /// The members of an object; none for anything else.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a str, At<'a>)> + use<'a> {
        let here = self.clone();
        self.value
            .as_object()
            .into_iter()
            .flatten()
            .map(move |(key, value)| (key.as_str(), here.child(key, value)))
    }

    /// The items of an array; none for anything else.
    pub(crate) fn items(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        let here = self.clone();
        self.value
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
            .map(move |(index, value)| here.child(&index.to_string(), value))
    }

    /// A text member.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key).and_then(Value::as_str)
    }

    /// A member that is `true`.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.value.get(key) == Some(&Value::Bool(true))
    }

    /// The object's members.
    pub(crate) fn object(&self) -> Option<&'a Map<String, Value>> {
        self.value.as_object()
    }

    /// What tells this place from every other.
    pub(crate) fn key(&self) -> (usize, String) {
        (self.doc, self.pointer.clone())
    }
}

impl Docs {
    /// Loads every file that is referred to, directly or not. A file that is missing or broken becomes a mistake
    /// only when a used reference leads there.
    pub(crate) fn load(
        file: &str,
        value: Value,
        load: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Docs, Mistake> {
        let mut docs = Docs {
            files: vec![Doc {
                file: file.to_owned(),
                value,
            }],
            by_name: HashMap::from([(file.to_owned(), 0)]),
            broken: HashMap::new(),
            overlay: None,
        };
        let mut next = 0;
        while let Some(doc) = docs.files.get(next) {
            next += 1;
            let mut names = Vec::new();
            file_references(&doc.value, &mut names);
            let here = doc.file.clone();
            for name in names {
                let Some(path) = beside(&here, &name) else {
                    continue;
                };
                docs.add(path, load)?;
            }
        }
        Ok(docs)
    }

    fn add(&mut self, path: String, load: &dyn Fn(&str) -> Option<String>) -> Result<(), Mistake> {
        if self.by_name.contains_key(&path) || self.broken.contains_key(&path) {
            return Ok(());
        }
        if self.files.len() >= FILES_MAX {
            return Err(Mistake::new(
                format!("the document refers to more than {FILES_MAX} files"),
                "bundle the document into fewer files",
            ));
        }
        let Some(text) = load(&path) else {
            return Ok(());
        };
        match text::to_value(&text) {
            Ok(value) => {
                self.by_name.insert(path.clone(), self.files.len());
                self.files.push(Doc { file: path, value });
            }
            Err(mistake) => {
                self.broken.insert(path.clone(), mistake.in_file(path));
            }
        }
        Ok(())
    }

    /// The root of the document.
    pub(crate) fn root(&self) -> At<'_> {
        static NOTHING: Value = Value::Null;
        At {
            doc: 0,
            pointer: String::new(),
            value: self.files.first().map_or(&NOTHING, |doc| &doc.value),
        }
    }

    /// The file name of a place.
    pub(crate) fn file(&self, doc: usize) -> &str {
        self.files.get(doc).map_or("", |doc| &doc.file)
    }

    /// A mistake at a place.
    pub(crate) fn mistake(
        &self,
        at: &At<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Mistake {
        let (file, pointer) = self.stated(at);
        Mistake::new(message, help)
            .in_file(file)
            .at_pointer(pointer)
    }

    /// File and pointer of a place; of a fact that the overlay states, its place there.
    pub(crate) fn stated(&self, at: &At<'_>) -> (&str, String) {
        let overlay = self.overlay.as_ref().filter(|_| at.doc == 0);
        overlay
            .and_then(|overlay| overlay.fact(&at.pointer, at.value))
            .unwrap_or_else(|| (self.file(at.doc), at.pointer.clone()))
    }

    /// Follows `$ref` until something else stands there.
    pub(crate) fn follow<'a>(&'a self, at: &At<'a>) -> Result<At<'a>, Mistake> {
        let mut here = at.clone();
        for _ in 0..CHAIN_MAX {
            let Some(reference) = here.text("$ref") else {
                return Ok(here);
            };
            here = self.resolve(&here, reference)?;
        }
        Err(self.mistake(
            at,
            "this reference leads in a circle and never to a definition",
            "point `$ref` at the definition itself",
        ))
    }

    /// The declared fields of a schema. Strictly `$ref` below `properties` names a field, but a field is never a
    /// text, and published documents share whole lists of fields this way; so it is followed.
    pub(crate) fn properties<'a>(&'a self, at: &At<'a>) -> Option<At<'a>> {
        let own = at.get("properties")?;
        match own.object() {
            Some(members) if members.len() == 1 && own.text("$ref").is_some() => {
                self.follow(&own).ok()
            }
            _ => Some(own),
        }
    }

    /// The place one reference leads to.
    pub(crate) fn resolve<'a>(&'a self, at: &At<'a>, reference: &str) -> Result<At<'a>, Mistake> {
        let here = at.child("$ref", &Value::Null);
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let doc = if file.is_empty() {
            at.doc
        } else {
            self.file_index(&here, at.doc, file)?
        };
        let Some(root) = self.files.get(doc).map(|doc| &doc.value) else {
            return Err(self.mistake(&here, "this file is not loaded", "check the path"));
        };
        let start = At {
            doc,
            pointer: String::new(),
            value: root,
        };
        let fragment = percent_decoded(fragment);
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return Err(self.mistake(
                &here,
                format!("`{reference}` names an anchor; only JSON pointers are followed"),
                "write the reference as `#/components/schemas/NAME`",
            ));
        }
        self.descend(&here, start, &fragment, reference)
    }

    fn descend<'a>(
        &'a self,
        here: &At<'_>,
        start: At<'a>,
        fragment: &str,
        reference: &str,
    ) -> Result<At<'a>, Mistake> {
        let mut place = start;
        for step in text::steps(fragment) {
            let mut hops = 0;
            let next = loop {
                let found = match place.value {
                    Value::Array(items) => step.parse().ok().and_then(|n: usize| items.get(n)),
                    other => other.get(&step),
                };
                if let Some(value) = found {
                    break place.child(&step, value);
                }
                // A pointer may lead through another reference.
                match place.text("$ref") {
                    Some(through) if hops < CHAIN_MAX => {
                        place = self.resolve(&place.clone(), through)?;
                        hops += 1;
                    }
                    _ => return Err(self.dangling(here, &place, &step, reference)),
                }
            };
            place = next;
        }
        Ok(place)
    }

    fn dangling(&self, here: &At<'_>, place: &At<'_>, step: &str, reference: &str) -> Mistake {
        let names = place.members().map(|(name, _)| name);
        let help = match nearest(step, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "define it, or correct the reference".to_owned(),
        };
        self.mistake(
            here,
            format!("`{reference}` leads nowhere: there is no `{step}`"),
            help,
        )
    }

    fn file_index(&self, here: &At<'_>, from: usize, file: &str) -> Result<usize, Mistake> {
        if file.contains("://") {
            return Err(self.mistake(
                here,
                format!("`{file}` is on the network; contracts are never fetched"),
                "download it beside the contract and refer to the file",
            ));
        }
        let Some(path) = beside(self.file(from), file) else {
            return Err(self.mistake(
                here,
                format!("`{file}` leaves the configuration directory"),
                "keep every file of the contract inside the configuration directory",
            ));
        };
        if let Some(mistake) = self.broken.get(&path) {
            return Err(mistake.clone());
        }
        self.by_name.get(&path).copied().ok_or_else(|| {
            let near = nearest(&path, self.by_name.keys().map(String::as_str));
            let help = near.map_or(
                "check the path; it counts from the file it stands in".into(),
                |n| format!("did you mean `{n}`?"),
            );
            self.mistake(here, format!("the file `{path}` is not there"), help)
        })
    }
}

/// Collects the file part of every reference. Examples may hold such keys as data; a file that is then missing
/// is no mistake, because nothing used leads there.
fn file_references(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let file = reference.split('#').next().unwrap_or_default();
                if !file.is_empty() && !file.contains("://") {
                    out.push(file.to_owned());
                }
            }
            members.values().for_each(|v| file_references(v, out));
        }
        Value::Array(items) => items.iter().for_each(|v| file_references(v, out)),
        _ => {}
    }
}

/// The path of `name` as seen from `file`; `None` when it leaves the root or is absolute.
fn beside(file: &str, name: &str) -> Option<String> {
    let name = percent_decoded(name);
    if name.starts_with('/') || name.contains('\\') || name.contains('\0') {
        return None;
    }
    let mut steps: Vec<&str> = file.split('/').collect();
    steps.pop();
    for step in name.split('/') {
        match step {
            "" | "." => {}
            // The document itself may be named from above (`../apis/x.yaml`); its own `..` are kept.
            ".." if matches!(steps.last(), None | Some(&"..")) => return None,
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let digit = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            out.push(high * 16 + low);
            rest = after;
        } else {
            out.push(*first);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
