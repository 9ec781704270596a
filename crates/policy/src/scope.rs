//! Conditions that only compare attributes with fixed values: a filter with the same value keeps them too.
//! Exports `terms` and `Term`.
//! Used while grants are compiled, to know whether a fixed filter leaves nothing to leave out.
//! Start reading at `terms`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cedar::Checked;

/// Deepest condition that is looked into.
const DEPTH_MAX: usize = 16;

/// `resource.partner == "north"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub attribute: Box<str>,
    /// The value as text.
    pub value: String,
}

/// The comparisons a condition consists of; `None` where it is anything else than comparisons joined by `&&`.
pub(crate) fn terms(checked: &Checked, attributes: &BTreeMap<String, String>) -> Option<Vec<Term>> {
    let tree = checked.policy.to_json().ok()?;
    let is_any = |part: &str| {
        tree.get(part)?
            .get("op")?
            .as_str()
            .filter(|op| *op == "All")
    };
    is_any("principal")?;
    is_any("action")?;
    is_any("resource")?;
    let mut found = Vec::new();
    for condition in tree.get("conditions")?.as_array()? {
        condition
            .get("kind")?
            .as_str()
            .filter(|kind| *kind == "when")?;
        collect(condition.get("body")?, attributes, DEPTH_MAX, &mut found)?;
    }
    Some(found)
}

fn collect(
    tree: &Value,
    attributes: &BTreeMap<String, String>,
    depth: usize,
    found: &mut Vec<Term>,
) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    if let Some(both) = tree.get("&&") {
        collect(both.get("left")?, attributes, depth, found)?;
        return collect(both.get("right")?, attributes, depth, found);
    }
    let equal = tree.get("==")?;
    let (left, right) = (equal.get("left")?, equal.get("right")?);
    let term = |resource: &Value, value: &Value| {
        Some(Term {
            attribute: attribute(resource, "resource")?.into(),
            value: value_of(value, attributes)?,
        })
    };
    found.push(term(left, right).or_else(|| term(right, left))?);
    Some(())
}

/// The attribute of a variable: `resource.partner`.
fn attribute<'t>(tree: &'t Value, variable: &str) -> Option<&'t str> {
    let access = tree.get(".")?;
    let name = access.get("left")?.get("Var")?.as_str()?;
    access.get("attr")?.as_str().filter(|_| name == variable)
}

fn value_of(tree: &Value, attributes: &BTreeMap<String, String>) -> Option<String> {
    if let Some(name) = attribute(tree, "principal") {
        return attributes.get(name).cloned();
    }
    match tree.get("Value")? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
