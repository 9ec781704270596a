//! Which kinds of values a schema admits, as far as its types tell.
//! Exports `Kinds`, `kinds`, `scalar` and `are_whole`. Never too narrow: what is not known counts as possible.
//! Used by shapes and by the typing of texts.
//! Start reading at `kinds`.

use model::shape::Scalar;
use serde_json::Value;

use crate::docs::{At, Docs};

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const NONE: Kinds = Kinds(0);
    pub(crate) const TEXT: Kinds = Kinds(1);
    pub(crate) const NUMBER: Kinds = Kinds(2);
    pub(crate) const BOOL: Kinds = Kinds(4);
    pub(crate) const NULL: Kinds = Kinds(8);
    pub(crate) const LIST: Kinds = Kinds(16);
    pub(crate) const OBJECT: Kinds = Kinds(32);
    pub(crate) const ALL: Kinds = Kinds(63);

    pub(crate) const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(crate) const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    pub(crate) const fn has(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a string, number, boolean or null is possible.
    pub(crate) const fn has_leaf(self) -> bool {
        self.0 & 15 != 0
    }

    fn of_word(word: &str) -> Kinds {
        match word {
            "string" => Kinds::TEXT,
            "number" | "integer" => Kinds::NUMBER,
            "boolean" => Kinds::BOOL,
            "null" => Kinds::NULL,
            "array" => Kinds::LIST,
            "object" => Kinds::OBJECT,
            _ => Kinds::NONE,
        }
    }
}

/// The kinds a schema admits. A schema without any type counts as what its other keywords describe.
pub(crate) fn kinds(docs: &Docs, is_30: bool, at: &At<'_>) -> Kinds {
    let found = admitted(docs, is_30, at, 12);
    if found != Kinds::ALL {
        return found;
    }
    described(docs, at, 6).unwrap_or(Kinds::ALL)
}

fn admitted(docs: &Docs, is_30: bool, at: &At<'_>, depth: usize) -> Kinds {
    if at.value == &Value::Bool(false) {
        return Kinds::NONE;
    }
    if depth == 0 {
        return Kinds::ALL;
    }
    let mut found = Kinds::ALL;
    if let Some(reference) = at.text("$ref") {
        if let Ok(target) = docs.resolve(at, reference) {
            found = admitted(docs, is_30, &target, depth - 1);
        }
        if is_30 {
            return found;
        }
    }
    match at.value.get("type") {
        Some(Value::String(word)) => found = found.and(Kinds::of_word(word)),
        Some(Value::Array(words)) => {
            let words = words.iter().filter_map(Value::as_str).map(Kinds::of_word);
            found = found.and(words.fold(Kinds::NONE, Kinds::or));
        }
        _ => {}
    }
    if let Some(values) = at.value.get("enum").and_then(Value::as_array) {
        let kinds = values.iter().map(of_value).fold(Kinds::NONE, Kinds::or);
        found = found.and(kinds);
    }
    if let Some(value) = at.value.get("const") {
        found = found.and(of_value(value));
    }
    for part in at.get("allOf").iter().flat_map(At::items) {
        found = found.and(admitted(docs, is_30, &part, depth - 1));
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(list) = at.get(word) {
            let united = list
                .items()
                .map(|branch| admitted(docs, is_30, &branch, depth - 1))
                .fold(Kinds::NONE, Kinds::or);
            found = found.and(united);
        }
    }
    if is_30 && at.is_true("nullable") {
        found = found.or(Kinds::NULL);
    }
    found
}

fn of_value(value: &Value) -> Kinds {
    match value {
        Value::Null => Kinds::NULL,
        Value::Bool(_) => Kinds::BOOL,
        Value::Number(_) => Kinds::NUMBER,
        Value::String(_) => Kinds::TEXT,
        Value::Array(_) => Kinds::LIST,
        Value::Object(_) => Kinds::OBJECT,
    }
}

/// What the keywords of a schema without a type speak about.
fn described(docs: &Docs, at: &At<'_>, depth: usize) -> Option<Kinds> {
    let object = at.object()?;
    let has = |words: &[&str]| words.iter().any(|word| object.contains_key(*word));
    let mut found = Kinds::NONE;
    if has(&[
        "properties",
        "additionalProperties",
        "patternProperties",
        "required",
    ]) {
        found = found.or(Kinds::OBJECT);
    }
    if has(&["items", "prefixItems", "minItems", "maxItems"]) {
        found = found.or(Kinds::LIST);
    }
    if has(&["pattern", "minLength", "maxLength"]) {
        found = found.or(Kinds::TEXT);
    }
    if has(&["minimum", "maximum", "multipleOf"]) {
        found = found.or(Kinds::NUMBER);
    }
    if depth > 0 {
        let target = at.text("$ref").and_then(|r| docs.resolve(at, r).ok());
        let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|w| at.get(w));
        let parts: Vec<_> = parts
            .flat_map(|l| l.items().collect::<Vec<_>>())
            .chain(target)
            .collect();
        for part in parts {
            found = found.or(described(docs, &part, depth - 1).unwrap_or_default());
        }
    }
    (found != Kinds::NONE).then_some(found)
}

/// The type of the leaf these schemas describe together; text where they leave it open or mix.
pub(crate) fn scalar(docs: &Docs, is_30: bool, places: &[At<'_>]) -> Scalar {
    let found = places
        .iter()
        .map(|place| kinds(docs, is_30, place))
        .fold(Kinds::NONE, Kinds::or);
    let leaf = found.and(Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::BOOL));
    if leaf == Kinds::BOOL {
        return Scalar::Boolean;
    }
    if leaf != Kinds::NUMBER {
        return Scalar::Text;
    }
    if are_whole(docs, is_30, places) {
        Scalar::Integer
    } else {
        Scalar::Number
    }
}

/// Whether every number that these schemas admit is declared an integer.
pub(crate) fn are_whole(docs: &Docs, is_30: bool, places: &[At<'_>]) -> bool {
    places.iter().all(|place| is_whole(docs, is_30, place, 12))
}

/// Whether every number a schema admits is declared an integer.
fn is_whole(docs: &Docs, is_30: bool, at: &At<'_>, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let target = at.text("$ref").and_then(|r| docs.resolve(at, r).ok());
    if target.is_some_and(|target| is_whole(docs, is_30, &target, depth - 1)) {
        return true;
    }
    if is_30 && at.text("$ref").is_some() {
        return false;
    }
    let is_declared = match at.value.get("type") {
        Some(Value::String(word)) => word != "number",
        Some(Value::Array(words)) => words.iter().all(|word| word != "number"),
        _ => false,
    };
    let is_listed = |values: &Value| {
        let mut values = values.as_array().into_iter().flatten();
        values.all(|v| !v.is_number() || v.is_i64() || v.is_u64())
    };
    let is_constant = |value: &Value| value.is_i64() || value.is_u64();
    if is_declared
        || at.value.get("enum").is_some_and(is_listed)
        || at.value.get("const").is_some_and(is_constant)
    {
        return true;
    }
    let mut parts = at.get("allOf").into_iter().flat_map(|list| list.items());
    if parts.any(|part| is_whole(docs, is_30, &part, depth - 1)) {
        return true;
    }
    ["anyOf", "oneOf"]
        .iter()
        .filter_map(|word| at.get(word))
        .any(|list| {
            let mut branches = list.items().peekable();
            branches.peek().is_some() && branches.all(|b| is_whole(docs, is_30, &b, depth - 1))
        })
}
