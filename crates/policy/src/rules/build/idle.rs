//! What is written in conditions and policies and changes nothing: annotations that nobody knows, conditions that never or
//! always hold, values that no integration has, names that two policies share.
//! Exports the part of `Build` that says so.
//! Used by `Build::written` and `Build::condition`.
//! Start reading at `Build::idle_condition`.

use model::RuleRef;
use serde_json::Value;
use std::collections::BTreeSet;

use super::super::OperationRef;
use super::super::check::nearest;
use super::comparisons::contradicted;
use super::domains::{Lines, domain_of_principal};
use super::{Build, Written};
use crate::cedar::Checked;
use crate::input::{CedarFile, Condition, IntegrationGrants, Spot};
use crate::parameters::ParameterNote;

/// Annotations that mean something here; the first two are for people.
const ANNOTATIONS: [&str; 6] = ["id", "description", "fields", "writes", "errors", "deny_as"];

impl Build {
    /// An annotation that nobody knows would leave its fields ungranted without a word.
    pub(super) fn unknown_annotations(
        &mut self,
        file: &CedarFile,
        spot: Spot,
        policy: &cedar_policy::Policy,
    ) {
        let names: Vec<String> = policy
            .annotations()
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in names {
            if ANNOTATIONS.contains(&&*name) {
                continue;
            }
            let help = match nearest(&name, ANNOTATIONS.into_iter()) {
                Some(near) => format!("did you mean `@{near}`?"),
                None => "known are `@id`, `@description`, `@fields`, `@writes`, `@errors` and `@deny_as`".to_owned(),
            };
            let message = format!("`@{name}` is not known");
            self.mistake_at(&file.file, spot, message, help);
        }
    }

    /// Records and explanations name a policy by its `@id`.
    pub(super) fn repeated_names(&mut self, all: &[Written]) {
        let mut known: Vec<(&str, &RuleRef)> = Vec::new();
        let mut found = Vec::new();
        for written in all {
            let Some(id) = written.checked.policy.annotation("id") else {
                continue;
            };
            match known.iter().find(|(other, _)| *other == id) {
                Some((_, first)) => found.push(ParameterNote {
                    rule: written.rule.clone(),
                    message: format!("another policy is called `{id}` as well"),
                    help: format!("give this one another `@id`; the other one is at {first}"),
                }),
                None => known.push((id, &written.rule)),
            }
        }
        found.into_iter().for_each(|note| self.note(note));
    }

    /// Clauses of a hand-written policy that never or always hold, and values in them that nobody has.
    pub(super) fn idle_clauses(&mut self, file: &CedarFile, spot: Spot, checked: &Checked) {
        let rule = RuleRef {
            file: file.file.clone(),
            line: spot.line,
        };
        let tree = checked.policy.to_json().unwrap_or_default();
        let clauses = tree.get("conditions").and_then(Value::as_array);
        let is_trivial = clauses.is_some_and(|clauses| clauses.iter().any(is_constant));
        if !checked.can_hold {
            let message = "the policy can never hold";
            let help = "correct its scope and clauses, or take it out; until then it permits and forbids nothing";
            self.idle(&rule, message.to_owned(), help);
        } else if is_trivial {
            let message = "a clause of the policy asks for nothing";
            let help = "take the clause out: without it the policy says the same";
            self.idle(&rule, message.to_owned(), help);
        }
        let is_unknown = self.unknown_values(&rule, &tree);
        let (start, len) = spot.span.unwrap_or_default();
        let lines = Lines {
            rule: &rule,
            text: file
                .text
                .get(start..start.saturating_add(len))
                .unwrap_or_default(),
            is_verbatim: true,
        };
        let is_foreign = self.foreign_values(checked, &lines, &|build, subject| {
            build.domain_in_policy(subject, &checked.needs)
        });
        let clauses = clauses.map(Vec::as_slice).unwrap_or_default();
        let found = contradicted(clauses, |subject| {
            self.domain_in_policy(subject, &checked.needs)
        });
        if let Some(subject) = found.filter(|_| !is_unknown && !is_foreign && checked.can_hold) {
            let message = "the policy can never hold";
            let help = format!(
                "no value of `{subject}` is all that it asks for; correct its clauses, or take it out"
            );
            self.idle(&rule, message.to_owned(), &help);
        }
    }

    /// A condition of a grant that never or always holds, and values in it that nobody has. `own` is the integration whose
    /// grant it is, where it is not that of a role.
    pub(super) fn idle_condition(
        &mut self,
        condition: &Condition,
        reference: OperationRef,
        checked: &Checked,
        own: Option<&IntegrationGrants>,
    ) {
        if !self.judged.insert((condition.rule.clone(), reference)) {
            return;
        }
        let id = self.rules.operation_id(reference).to_owned();
        let tree = checked.policy.to_json().unwrap_or_default();
        let clauses = tree.get("conditions").and_then(Value::as_array);
        let is_trivial = clauses.is_some_and(|clauses| clauses.iter().any(is_constant));
        if !checked.can_hold {
            let help = "correct the condition, or take the operation out of the grant";
            self.idle(&condition.rule, never_holds(&id), help);
        } else if is_trivial {
            let message = "the condition always holds".to_owned();
            self.idle(
                &condition.rule,
                message,
                "take `when` out: without it the grant says the same",
            );
        }
        let is_unknown = self.unknown_values(&condition.rule, &tree);
        let lines = Lines::of_condition(condition);
        let is_foreign = self.foreign_values(checked, &lines, &|build, subject| {
            build.domain_in_grant(subject, reference, &checked.needs)
        });
        if is_unknown || is_foreign || !checked.can_hold {
            return;
        }
        let found = contradicted(clauses.map(Vec::as_slice).unwrap_or_default(), |subject| {
            let own = own.and_then(|own| domain_of_principal(subject, own));
            own.or_else(|| self.domain_in_grant(subject, reference, &checked.needs))
        });
        if let Some(subject) = found {
            let help = format!(
                "no value of `{subject}` is all that the condition asks for; correct it, or take the operation out of the grant"
            );
            self.idle(&condition.rule, never_holds(&id), &help);
        }
    }

    /// Values that a condition compares an attribute of the integration with, and that no integration has. Whether there was one.
    fn unknown_values(&mut self, rule: &RuleRef, tree: &Value) -> bool {
        let mut is_any = false;
        let mut asked = BTreeSet::new();
        comparisons(tree, &mut asked);
        for (attribute, value) in asked {
            let Some(known) = self.beings.values(&attribute) else {
                continue;
            };
            if known.contains(&value) {
                continue;
            }
            let help = match nearest(&value, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "correct the value, or give it to an integration".to_owned(),
            };
            let message = format!("`{value}` is no integration's `{attribute}`");
            self.idle(rule, message, &help);
            is_any = true;
        }
        is_any
    }

    fn idle(&mut self, rule: &RuleRef, message: String, help: &str) {
        self.note(ParameterNote {
            rule: rule.clone(),
            message,
            help: help.to_owned(),
        });
    }

    /// Roles say the same for each integration that has them.
    pub(super) fn note(&mut self, note: ParameterNote) {
        if !self.rules.parameter_notes.contains(&note) {
            self.rules.parameter_notes.push(note);
        }
    }
}

fn never_holds(id: &str) -> String {
    format!("the condition can never hold, so that the grant allows nothing, for `{id}`")
}

/// Whether a clause is `when { true }` or `unless { false }`.
fn is_constant(clause: &Value) -> bool {
    let body = clause.get("body").and_then(|body| body.get("Value"));
    let is_when = clause.get("kind").and_then(Value::as_str) == Some("when");
    body.and_then(Value::as_bool) == Some(is_when)
}

/// Every `principal.NAME == "value"`, whichever side is which.
fn comparisons(tree: &Value, found: &mut BTreeSet<(String, String)>) {
    match tree {
        Value::Array(items) => items.iter().for_each(|item| comparisons(item, found)),
        Value::Object(members) => {
            if let Some(both) = members.get("==") {
                let sides = [both.get("left"), both.get("right")];
                if let [Some(left), Some(right)] = sides {
                    found.extend(compared(left, right).or_else(|| compared(right, left)));
                }
            }
            members.values().for_each(|value| comparisons(value, found));
        }
        _ => {}
    }
}

fn compared(one: &Value, other: &Value) -> Option<(String, String)> {
    let access = one.get(".")?;
    let variable = access.get("left")?.get("Var")?.as_str()?;
    let attribute = access
        .get("attr")?
        .as_str()
        .filter(|_| variable == "principal")?;
    let value = other.get("Value")?.as_str()?;
    Some((attribute.to_owned(), value.to_owned()))
}
