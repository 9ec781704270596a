//! Undeclared fields of requests are refused where the schema says nothing about them.
//! Exports `close`. A composition is closed around all its parts, never inside one of them.
//! Used by `Lowering`.
//! Start reading at `close`.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::docs::{At, Docs};

/// What a schema and the parts of its composition declare about an object.
#[derive(Default)]
struct Declared {
    names: BTreeSet<String>,
    has_patterns: bool,
    /// Some part itself says what happens to other fields.
    is_decided: bool,
    /// Fields are declared inside oneOf, anyOf or conditions: which ones count is known with the value only.
    is_conditional: bool,
}

/// Adds the keyword that refuses undeclared fields.
pub(super) fn close(docs: &Docs, is_30: bool, at: &At<'_>, out: &mut Map<String, Value>) {
    let mut declared = Declared::default();
    survey(docs, is_30, at, &mut declared, &mut HashSet::new(), false);
    if declared.is_decided || (declared.names.is_empty() && !declared.has_patterns) {
        return;
    }
    let is_composed = at.get("allOf").is_some() || at.text("$ref").is_some();
    if declared.is_conditional || declared.has_patterns && is_composed {
        out.insert("unevaluatedProperties".into(), Value::Bool(false));
        return;
    }
    // `additionalProperties` sees only its neighbours, so the names of all parts are repeated beside it.
    // It is several times cheaper than `unevaluatedProperties`.
    let own = out
        .entry("properties")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(own) = own.as_object_mut() {
        for name in declared.names {
            own.entry(name).or_insert(Value::Bool(true));
        }
    }
    out.insert("additionalProperties".into(), Value::Bool(false));
}

fn survey(
    docs: &Docs,
    is_30: bool,
    at: &At<'_>,
    declared: &mut Declared,
    seen: &mut HashSet<(usize, String)>,
    is_conditional: bool,
) {
    if !seen.insert(at.key()) {
        return;
    }
    if let Some(reference) = at.text("$ref") {
        if let Ok(target) = docs.resolve(at, reference) {
            survey(docs, is_30, &target, declared, seen, is_conditional);
        }
        if is_30 {
            return;
        }
    }
    let names = docs.properties(at);
    for (name, _) in names.iter().flat_map(At::members) {
        declared.names.insert(name.to_owned());
        declared.is_conditional |= is_conditional;
    }
    declared.has_patterns |= at.get("patternProperties").is_some();
    // Inside a branch the decision belongs to the branch; `unevaluatedProperties` respects it.
    if at.get("additionalProperties").is_some() || at.get("unevaluatedProperties").is_some() {
        declared.is_decided |= !is_conditional;
        declared.is_conditional |= is_conditional;
    }
    for part in at.get("allOf").iter().flat_map(At::items) {
        survey(docs, is_30, &part, declared, seen, is_conditional);
    }
    for word in ["anyOf", "oneOf"] {
        for branch in at.get(word).iter().flat_map(At::items) {
            survey(docs, is_30, &branch, declared, seen, true);
        }
    }
    for word in ["then", "else"] {
        if let Some(branch) = at.get(word) {
            survey(docs, is_30, &branch, declared, seen, true);
        }
    }
    for (_, branch) in at.get("dependentSchemas").iter().flat_map(At::members) {
        survey(docs, is_30, &branch, declared, seen, true);
    }
}
