//! From texts (parameters, form fields) to typed values, as the schema asks for.
//! Exports `Target`. Pure; built at compile time.
//! Used by parameters and form bodies.
//! Start reading at `Target::value`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Json;
use serde_json::Value;

use crate::docs::{At, Docs};
use crate::shape::{Kinds, are_whole, kinds};

/// Deepest structure a text can have.
const DEPTH_MAX: usize = 4;

/// What a text is read as.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    kinds: Kinds,
    /// Every number it admits is an integer.
    is_whole: bool,
    /// It may hold fields that it does not name.
    is_open: bool,
    items: Option<Box<Target>>,
    fields: BTreeMap<Arc<str>, Target>,
    values: Option<Box<Target>>,
}

impl Target {
    /// The target of a schema.
    pub(crate) fn of(docs: &Docs, is_30: bool, at: &At<'_>) -> Target {
        build(docs, is_30, std::slice::from_ref(at), DEPTH_MAX)
    }

    /// Whether the value is read as a list: a list and nothing simpler is admitted.
    pub(crate) fn is_list(&self) -> bool {
        self.kinds.has(Kinds::LIST) && !self.kinds.has(Kinds::TEXT)
    }

    /// Whether the value is read as an object.
    pub(crate) fn is_object(&self) -> bool {
        self.kinds.has(Kinds::OBJECT) && !self.kinds.has(Kinds::TEXT) && !self.is_list()
    }

    /// The target of list items.
    pub(crate) fn item(&self) -> &Target {
        self.items.as_deref().unwrap_or(&ANYTHING)
    }

    /// The target of a field.
    pub(crate) fn field(&self, name: &str) -> &Target {
        self.fields
            .get(name)
            .or(self.values.as_deref())
            .unwrap_or(&ANYTHING)
    }

    /// Whether this field is declared.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether it may hold fields that it does not name.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// One text as a value. Text that is not a number where a number is asked for stays text, and the schema
    /// refuses it with the right words. To a schema `4.0` and `4e0` are the integer 4; as texts they are second spellings of it, which
    /// an upstream may read as something else (`4e1` as 4), and which are forwarded as they were sent.
    pub(crate) fn value(&self, text: &str) -> Json {
        if self.kinds.has(Kinds::NUMBER)
            && let Some(number) = number(text)
            && !(self.is_whole && is_second_spelling(text))
        {
            return number;
        }
        if self.kinds.has(Kinds::BOOL) {
            match text {
                "true" => return Json::Bool(true),
                "false" => return Json::Bool(false),
                _ => {}
            }
        }
        if text.is_empty() && self.kinds.has(Kinds::NULL) && !self.kinds.has(Kinds::TEXT) {
            return Json::Null;
        }
        Json::Text(text.into())
    }

    /// Whether a text that reads as a number or a boolean may also be meant as text.
    pub(crate) fn may_be_text(&self) -> bool {
        self.kinds.has(Kinds::TEXT)
    }
}

static ANYTHING: Target = Target {
    kinds: Kinds::TEXT,
    is_whole: false,
    is_open: false,
    items: None,
    fields: BTreeMap::new(),
    values: None,
};

/// A text that is a JSON number from its first to its last byte.
fn number(text: &str) -> Option<Json> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    match model::json::parse(text.as_bytes(), model::json::Bounds::default()) {
        // White space around a number is allowed in JSON text, but is not part of a parameter.
        Ok(Json::Number(digits)) if digits.len() == text.len() => Some(Json::Number(digits)),
        _ => None,
    }
}

/// Whether a JSON number is not the plain spelling of an integer.
fn is_second_spelling(number: &str) -> bool {
    number.contains(['.', 'e', 'E']) || number == "-0"
}

fn build(docs: &Docs, is_30: bool, places: &[At<'_>], depth: usize) -> Target {
    let kinds = places
        .iter()
        .map(|place| kinds(docs, is_30, place))
        .fold(Kinds::NONE, Kinds::or);
    let mut target = Target {
        kinds,
        is_whole: are_whole(docs, is_30, places),
        ..Target::default()
    };
    if depth == 0 {
        return target;
    }
    let mut parts = Vec::new();
    for place in places {
        expand(docs, place, &mut parts, 8);
    }
    let mut fields: BTreeMap<&str, Vec<At<'_>>> = BTreeMap::new();
    for (name, child) in parts
        .iter()
        .filter_map(|part| docs.properties(part))
        .flat_map(|p| p.members().collect::<Vec<_>>())
    {
        fields.entry(name).or_default().push(child);
    }
    let below = |word: &str| {
        let found: Vec<_> = parts
            .iter()
            .filter_map(|part| part.get(word))
            .filter(|at| at.value.is_object())
            .collect();
        (!found.is_empty()).then(|| Box::new(build(docs, is_30, &found, depth - 1)))
    };
    let says = |word: &str| parts.iter().any(|part| part.value.get(word).is_some());
    let is_refused =
        |part: &At<'_>| part.value.get("additionalProperties") == Some(&Value::Bool(false));
    let names_none = fields.is_empty() && !says("additionalProperties");
    target.is_open = kinds.has(Kinds::OBJECT)
        && !parts.iter().any(is_refused)
        && (names_none || says("additionalProperties") || says("patternProperties"));
    target.items = below("items");
    target.values = below("additionalProperties");
    target.fields = fields
        .into_iter()
        .map(|(name, places)| (Arc::from(name), build(docs, is_30, &places, depth - 1)))
        .collect();
    target
}

fn expand<'a>(docs: &'a Docs, at: &At<'a>, out: &mut Vec<At<'a>>, depth: usize) {
    if depth == 0 || out.len() > 100 {
        return;
    }
    if let Some(reference) = at.value.get("$ref").and_then(Value::as_str)
        && let Ok(target) = docs.resolve(at, reference)
    {
        expand(docs, &target, out, depth - 1);
    }
    out.push(at.clone());
    for word in ["allOf", "anyOf", "oneOf"] {
        for part in at.get(word).iter().flat_map(At::items) {
            expand(docs, &part, out, depth - 1);
        }
    }
}
