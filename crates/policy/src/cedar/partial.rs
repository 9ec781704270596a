//! What can be said of a condition before the object is known, or when the object cannot hold an attribute.
//! Exports `request_part` and `can_hold`. Both err on the side of "perhaps": the whole condition is always judged too.
//! Used by cedar's `Checked` and by the checks at compile.
//! Start reading at `may`.

use std::collections::BTreeSet;

use cedar_policy::{Policy, PolicyId};
use serde_json::{Value, json};

use super::Needs;

/// What has to hold whatever the object is like: the policy with everything that asks for the object taken for granted.
/// `None` where nothing is left to ask.
pub(super) fn request_part(policy: &Policy) -> Option<(Policy, Needs)> {
    let mut tree = policy.to_json().ok()?;
    let members = tree.as_object_mut()?;
    members.insert("resource".into(), json!({ "op": "All" }));
    let clauses = members.get("conditions")?.as_array()?;
    let clauses: Vec<Value> = clauses
        .iter()
        .filter_map(|clause| {
            let (kind, body) = (clause.get("kind")?, clause.get("body")?);
            let is_when = kind == "when";
            let part = if is_when { may(body) } else { must(body) };
            let is_trivial = is_literal(&part, is_when);
            (!is_trivial).then(|| json!({ "kind": kind, "body": part }))
        })
        .collect();
    if clauses.is_empty() {
        return None;
    }
    members.insert("conditions".into(), Value::Array(clauses));
    let part = Policy::from_json(Some(PolicyId::new("request")), tree).ok()?;
    let needs = Needs::of(&part);
    Some((part, needs))
}

/// Holds wherever the expression holds for some object.
fn may(expression: &Value) -> Value {
    bound(expression, true)
}

/// Holds only where the expression holds for every object.
fn must(expression: &Value) -> Value {
    bound(expression, false)
}

/// The expression bounded from above (`true`) or below (`false`): what asks for the object becomes that literal.
fn bound(expression: &Value, is_upper: bool) -> Value {
    if !asks_for_object(expression) {
        return expression.clone();
    }
    let inner = |operator: &str, name: &str| expression.get(operator)?.get(name);
    if let (Some(left), Some(right)) = (inner("&&", "left"), inner("&&", "right")) {
        return joined("&&", bound(left, is_upper), bound(right, is_upper));
    }
    if let (Some(left), Some(right)) = (inner("||", "left"), inner("||", "right")) {
        return joined("||", bound(left, is_upper), bound(right, is_upper));
    }
    if let Some(inner) = inner("!", "arg") {
        let inner = bound(inner, !is_upper);
        return match inner.get("Value").and_then(Value::as_bool) {
            Some(is) => literal(!is),
            None => json!({ "!": { "arg": inner } }),
        };
    }
    let parts = ["if", "then", "else"].map(|name| inner("if-then-else", name));
    if let [Some(condition), Some(then), Some(otherwise)] = parts
        && !asks_for_object(condition)
    {
        return json!({ "if-then-else": {
            "if": condition, "then": bound(then, is_upper), "else": bound(otherwise, is_upper) } });
    }
    literal(is_upper)
}

/// Two parts, without those that say nothing.
fn joined(operator: &str, left: Value, right: Value) -> Value {
    // `true && x` is `x`, `true || x` is `true`.
    let neutral = operator == "&&";
    match () {
        () if is_literal(&left, neutral) => right,
        () if is_literal(&right, neutral) => left,
        () if is_literal(&left, !neutral) || is_literal(&right, !neutral) => literal(!neutral),
        () => json!({ operator: { "left": left, "right": right } }),
    }
}

fn literal(is: bool) -> Value {
    json!({ "Value": is })
}

fn is_literal(expression: &Value, is: bool) -> bool {
    expression.get("Value").and_then(Value::as_bool) == Some(is)
}

fn asks_for_object(expression: &Value) -> bool {
    match expression {
        Value::Array(items) => items.iter().any(asks_for_object),
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| (key == "Var" && value == "resource") || asks_for_object(value)),
        _ => false,
    }
}

/// Whether a policy can hold for an object that lacks these attributes.
pub(super) fn can_hold(policy: &Policy, lacking: &BTreeSet<String>) -> bool {
    let Ok(tree) = policy.to_json() else {
        return true;
    };
    let clauses = tree.get("conditions").and_then(Value::as_array);
    clauses.into_iter().flatten().all(|clause| {
        let body = clause.get("body").unwrap_or(&Value::Null);
        match clause.get("kind").and_then(Value::as_str) {
            Some("when") => can_be_true(body, lacking),
            _ => true,
        }
    })
}

fn can_be_true(expression: &Value, lacking: &BTreeSet<String>) -> bool {
    let inner = |operator: &str, name: &str| expression.get(operator)?.get(name);
    let can = |part: &Value| can_be_true(part, lacking);
    if let (Some(left), Some(right)) = (inner("&&", "left"), inner("&&", "right")) {
        return can(left) && can(right);
    }
    if let (Some(left), Some(right)) = (inner("||", "left"), inner("||", "right")) {
        return can(left) || can(right);
    }
    // Either branch may count, where it can be told which does.
    let parts = ["if", "then", "else"].map(|name| inner("if-then-else", name));
    if let [Some(condition), Some(then), Some(otherwise)] = parts {
        return !needs_one(condition, lacking) && (can(then) || can(otherwise));
    }
    // `has` asks without needing.
    if expression.get("has").is_some() {
        return true;
    }
    if let Some(inner) = inner("!", "arg") {
        return inner.get("||").is_some() || inner.get("&&").is_some() || can(inner);
    }
    !needs_one(expression, lacking)
}

/// Whether an expression reads one of these attributes, and so cannot be evaluated without it.
fn needs_one(expression: &Value, lacking: &BTreeSet<String>) -> bool {
    match expression {
        Value::Array(items) => items.iter().any(|item| needs_one(item, lacking)),
        Value::Object(members) => members.iter().any(|(key, value)| {
            let left = value.get("left").and_then(|left| left.get("Var"));
            let attribute = value.get("attr").and_then(Value::as_str);
            let is_read = key == "." && left.is_some_and(|left| left == "resource");
            let is_lacking = attribute.is_some_and(|name| lacking.contains(name));
            (is_read && is_lacking)
                || (!matches!(key.as_str(), "&&" | "||" | "if-then-else" | "has")
                    && needs_one(value, lacking))
        }),
        _ => false,
    }
}
