//! What several grants, each around a value, let be seen of it together.
//! Exports `Ring`, `step`, `covered`, `filtered`.
//! Used by the oracle.
//! Start reading at `covered`.

use serde_json::{Value, json};

use super::model::Grant;

/// The grants of one object around a value, and the path from there.
#[derive(Clone)]
pub struct Ring<'g> {
    pub grants: Vec<&'g Grant>,
    pub path: String,
}

/// The same rings, one step further in.
pub fn step<'g>(rings: &[Ring<'g>], name: &str) -> Vec<Ring<'g>> {
    let further = |ring: &Ring<'g>| Ring {
        grants: ring.grants.clone(),
        path: match ring.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        },
    };
    rings.iter().map(further).collect()
}

/// Whether each of the rings names a value, or something inside it; `Some(true)` where one of them masks it.
pub fn covered(rings: &[Ring<'_>], is_leaf: bool) -> Option<bool> {
    let one = |ring: &Ring<'_>| -> Option<bool> {
        let path = ring.path.as_str();
        let inside = format!("{path}.");
        let masks = |grant: &&Grant| -> Option<bool> {
            let mut fields = grant.fields.iter();
            let named = fields.any(|f| *f == path || (!is_leaf && f.starts_with(&inside)));
            named.then(|| grant.masked.contains(path))
        };
        // Unmasked by one of them is unmasked.
        ring.grants.iter().filter_map(masks).min()
    };
    rings
        .iter()
        .map(one)
        .collect::<Option<Vec<bool>>>()
        .map(|all| all.contains(&true))
}

/// What is left of a value when only what each ring names may be seen.
pub fn filtered(value: &Value, rings: &[Ring<'_>]) -> Option<Value> {
    let is_root = rings.iter().any(|ring| ring.path.is_empty());
    let is_leaf = !(value.is_object() || value.is_array());
    let is_masked = if is_root {
        false
    } else {
        covered(rings, is_leaf)?
    };
    Some(match value {
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| {
                Some((name.clone(), filtered(value, &step(rings, name))?))
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => {
            let each = step(rings, "*");
            items
                .iter()
                .filter_map(|item| filtered(item, &each))
                .collect()
        }
        _ if is_masked => json!("***"),
        leaf => leaf.clone(),
    })
}
