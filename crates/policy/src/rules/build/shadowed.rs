//! Grants that give nothing, because another one of the same integration gives all of it already.
//! Exports the part of `Build` that says so.
//! Used by `Build::integration`.
//! Start reading at `Build::note_shadowed`.
//!
//! A grant is only compared with another of its own kind: one of the integration with any, one of a role with those of the
//! same role. Two roles may overlap, because other integrations have only one of them.

use std::collections::BTreeMap;

use model::RuleRef;
use serde_json::{Value, json};

use super::super::{EntryGrant, OperationRef};
use super::Build;
use super::comparisons::possible;
use crate::cedar::Checked;
use crate::input::Spot;
use crate::parameters::ParameterNote;

/// The grants of an integration, with their conditions, by operation.
type Drafts = BTreeMap<OperationRef, Vec<(EntryGrant, Option<Checked>)>>;

impl Build {
    /// Notes every grant of which another one covers an operation.
    pub(super) fn note_shadowed(&mut self, drafts: &Drafts) {
        let mut sizes: BTreeMap<Key, usize> = BTreeMap::new();
        let mut found: BTreeMap<(Key, Key), Found<'_>> = BTreeMap::new();
        for (reference, draft) in drafts {
            for (grant, _) in draft {
                *sizes.entry(key(&grant.rule)).or_default() += 1;
            }
            for (grant, shadow) in shadows(draft) {
                let entry = found.entry((key(&grant.rule), key(shadow)));
                let entry = entry.or_insert(Found {
                    grant: &grant.rule,
                    spot: grant.spot,
                    shadow,
                    operations: Vec::new(),
                });
                entry.operations.push(*reference);
            }
        }
        for ((own, _), found) in found {
            let is_whole = sizes.get(&own) == Some(&found.operations.len());
            let note = self.shadow_note(&found, is_whole);
            self.note(note);
        }
    }

    fn shadow_note(&self, found: &Found<'_>, is_whole: bool) -> ParameterNote {
        let names = found.operations.iter();
        let names: Vec<String> = names
            .map(|reference| format!("`{}`", self.rules.operation_id(*reference)))
            .collect();
        let shadow = found.shadow;
        let (line, message) = match (is_whole, names.as_slice()) {
            (true, _) => (
                found.grant.line,
                format!("the grant gives nothing: the one at {shadow} gives all of it already"),
            ),
            (false, [name]) => (
                found.spot.line,
                format!(
                    "{name} is granted here in vain: the grant at {shadow} gives all of it already"
                ),
            ),
            (false, names) => (
                found.grant.line,
                format!(
                    "{} are granted here in vain: the grant at {shadow} gives all of it already",
                    names.join(", ")
                ),
            ),
        };
        ParameterNote {
            rule: RuleRef {
                line,
                ..found.grant.clone()
            },
            message,
            help: "take it out here, or correct what was meant to be different".to_owned(),
        }
    }
}

/// A place in a file, in order.
type Key = (String, u32);

fn key(rule: &RuleRef) -> Key {
    (rule.file.to_string(), rule.line)
}

/// What is said of one grant and one that covers it.
struct Found<'g> {
    grant: &'g RuleRef,
    /// Where its first such operation is named.
    spot: Spot,
    shadow: &'g RuleRef,
    operations: Vec<OperationRef>,
}

/// The grants for one operation that another one covers, each with the first that does.
fn shadows(draft: &[(EntryGrant, Option<Checked>)]) -> Vec<(&EntryGrant, &RuleRef)> {
    if draft.len() < 2 {
        return Vec::new();
    }
    let asked: Vec<Option<Vec<Value>>> = draft
        .iter()
        .map(|(_, checked)| conjuncts(checked.as_ref()))
        .collect();
    let all: Vec<(&EntryGrant, &[Value])> = draft
        .iter()
        .zip(&asked)
        .filter_map(|((grant, _), asked)| Some((grant, asked.as_deref()?)))
        .collect();
    let shadow = |at: usize| {
        let one = all.get(at)?;
        let mut others = all.iter().enumerate().filter(|(other, _)| *other != at);
        let (_, (shadow, _)) = others.find(|(other, it)| {
            let is_kin = one.0.role.is_none() || one.0.role == it.0.role;
            // Of two that say the same, one of the integration's own, or else the later one.
            let is_first = one.0.role == it.0.role && *other > at && covers(*one, **it);
            is_kin && !is_first && covers(**it, *one)
        })?;
        Some((one.0, &shadow.rule))
    };
    (0..all.len()).filter_map(shadow).collect()
}

/// Whether one grant, with what its condition asks for, gives everything that the other one gives.
fn covers(
    (one, asked): (&EntryGrant, &[Value]),
    (other, other_asked): (&EntryGrant, &[Value]),
) -> bool {
    let has_query = match (&one.query, &other.query) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => other.iter().all(|name| one.contains(name)),
    };
    has_query
        // How a refusal reads follows from all grants together.
        && one.deny_as == other.deny_as
        && one.fixed == other.fixed
        && one.trees.covers(&other.trees)
        && one.errors.covers(&other.errors)
        && one.writes.covers(&other.writes)
        && asked.iter().all(|asked| is_implied(asked, other_asked))
}

/// Everything that has to be true for a condition to hold; `None` where it cannot be read.
fn conjuncts(checked: Option<&Checked>) -> Option<Vec<Value>> {
    let mut found = Vec::new();
    let Some(checked) = checked else {
        return Some(found);
    };
    if let Some(scope) = &checked.needs.scope {
        found.push(json!({ "scope": scope }));
    }
    let tree = checked.policy.to_json().ok()?;
    for clause in tree.get("conditions")?.as_array()? {
        let body = clause.get("body")?;
        match clause.get("kind")?.as_str()? {
            "when" => split(body, &mut found),
            _ => found.push(json!({ "unless": body })),
        }
    }
    Some(found)
}

fn split(body: &Value, found: &mut Vec<Value>) {
    let both = body.get("&&");
    let sides = both.and_then(|both| Some((both.get("left")?, both.get("right")?)));
    match sides {
        Some((left, right)) => {
            split(left, found);
            split(right, found);
        }
        None if body.get("Value") == Some(&Value::Bool(true)) => {}
        None => found.push(body.clone()),
    }
}

/// Whether something is true, without an error, wherever all of these are.
fn is_implied(asked: &Value, known: &[Value]) -> bool {
    if known.contains(asked) {
        return true;
    }
    // What stands behind `||` is not looked at where its left side is true.
    let left = asked.get("||").and_then(|either| either.get("left"));
    if left.is_some_and(|left| is_implied(left, known)) {
        return true;
    }
    let Some((subject, wide)) = possible(asked) else {
        return false;
    };
    known
        .iter()
        .filter_map(possible)
        .any(|(other, narrow)| other == subject && narrow.iter().all(|value| wide.contains(value)))
}

#[cfg(test)]
mod tests {
    use cedar_policy::Policy;

    use super::*;

    fn asked(condition: &str) -> Vec<Value> {
        let text = format!("permit(principal, action, resource) when {{ {condition} }};");
        let tree = text.parse::<Policy>().unwrap().to_json().unwrap();
        let mut found = Vec::new();
        split(&tree["conditions"][0]["body"], &mut found);
        found
    }

    fn implies(narrow: &str, wide: &str) -> bool {
        let known = asked(narrow);
        asked(wide).iter().all(|asked| is_implied(asked, &known))
    }

    #[test]
    fn a_wider_condition_holds_where_a_narrower_one_does() {
        for (narrow, wide) in [
            (r#"resource.a == "x""#, "true"),
            (
                r#"resource.a == "x" && resource.b == "y""#,
                r#"resource.b == "y""#,
            ),
            (r#"resource.a == "x""#, r#"["x", "y"].contains(resource.a)"#),
            (
                r#"["y"].contains(resource.a)"#,
                r#"["x", "y"].contains(resource.a)"#,
            ),
            (r#""x" == resource.a"#, r#"resource.a == "x""#),
            (
                r#"resource.a == "x""#,
                r#"resource.a == "x" || resource.b == "y""#,
            ),
        ] {
            assert!(implies(narrow, wide), "{narrow} => {wide}");
            assert!(
                !implies(wide, narrow) || narrow.starts_with('"'),
                "{wide} => {narrow}"
            );
        }
    }

    #[test]
    fn what_may_fail_to_be_answered_is_not_implied() {
        // An object without `b` satisfies the one and makes the other an error.
        assert!(!implies(
            r#"resource.a == "x""#,
            r#"resource.b == "y" || resource.a == "x""#
        ));
        assert!(!implies(
            r#"resource.a == "x""#,
            r#"["y", "z"].contains(resource.a)"#
        ));
        assert!(!implies(
            r#"resource.a == "x""#,
            r#"["x"].contains(resource.b)"#
        ));
    }
}
