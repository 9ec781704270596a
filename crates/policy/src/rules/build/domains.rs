//! Values in conditions that the contract never has: `resource.status == "complted"`.
//! Exports the parts of `Build` that know which values an attribute can have, and say which of a condition's it cannot.
//! Used by `Build::attribute`, `Build::idle_condition` and `Build::annotated`.
//! Start reading at `Build::foreign_values`.

use std::sync::Arc;

use model::RuleRef;
use model::shape::Domain;
use serde_json::Value;

use super::super::check::{listed, nearest};
use super::super::{Operation, OperationRef};
use super::Build;
use super::comparisons::{Comparison, Relation, Subject, comparisons};
use super::fields::field_at;
use crate::cedar::{Checked, Needs};
use crate::input::{Condition, IntegrationGrants, ParameterPlace, Source};
use crate::parameters::ParameterNote;
use crate::plan::KindId;

/// A text whose lines are counted, and where it begins.
pub(super) struct Lines<'t> {
    pub rule: &'t RuleRef,
    pub text: &'t str,
    /// Its lines are those of the file.
    pub is_verbatim: bool,
}

impl Lines<'_> {
    /// The line in which a literal stands; the first one where that is not known.
    fn of(&self, value: &Value) -> RuleRef {
        let at = self
            .text
            .find(&value.to_string())
            .filter(|_| self.is_verbatim);
        let before = at.and_then(|at| self.text.get(..at)).unwrap_or_default();
        let lines = u32::try_from(before.matches('\n').count()).unwrap_or(0);
        RuleRef {
            line: self.rule.line.saturating_add(lines),
            ..self.rule.clone()
        }
    }
}

impl<'t> Lines<'t> {
    pub(super) fn of_condition(condition: &'t Condition) -> Lines<'t> {
        Lines {
            rule: &condition.rule,
            text: &condition.text,
            is_verbatim: condition
                .span
                .is_some_and(|(_, len)| len == condition.text.len()),
        }
    }
}

impl Build {
    /// The values that an attribute can have anywhere an object of the kind stands, where all of these places say so.
    pub(super) fn domain(
        &self,
        source: &Source,
        kind: KindId,
        first: usize,
    ) -> Option<Arc<Domain>> {
        let operations = self.rules.operations.iter().skip(first);
        match source {
            Source::Path(name) => united(operations.filter_map(|operation| {
                let mut parameters = operation.parameters.iter();
                let named = parameters.find(|p| p.place == ParameterPlace::Path && p.name == *name);
                named.map(|parameter| parameter.domain.clone())
            })),
            Source::Body(steps) => {
                united(operations.flat_map(|operation| in_bodies(operation, kind, steps)))
            }
        }
    }

    /// Notes every value of a condition that its subject never has by the contract. `domain` says which it has. Whether there was one.
    pub(super) fn foreign_values(
        &mut self,
        checked: &Checked,
        lines: &Lines<'_>,
        domain: &dyn Fn(&Build, &Subject) -> Option<Domain>,
    ) -> bool {
        let tree = checked.policy.to_json().unwrap_or_default();
        let clauses = tree.get("conditions").unwrap_or(&Value::Null);
        let mut is_any = false;
        for comparison in comparisons(clauses) {
            let known = domain(self, &comparison.subject);
            let Some((message, help)) = known.and_then(|known| outside(&known, &comparison)) else {
                continue;
            };
            is_any = true;
            self.note(ParameterNote {
                rule: lines.of(comparison.value),
                message,
                help,
            });
        }
        is_any
    }

    /// What the contract says of a subject, in the condition of a grant.
    pub(super) fn domain_in_grant(
        &self,
        subject: &Subject,
        reference: OperationRef,
        needs: &Needs,
    ) -> Option<Domain> {
        let operation = self.rules.op(reference)?;
        let declared = |place, name: &str| {
            let mut parameters = operation.parameters.iter();
            let found = parameters.find(|p| p.place == place && *p.name == *name)?;
            found.domain.as_deref().cloned()
        };
        match (subject.variable.as_str(), subject.path.split_once('.')) {
            ("resource", None) if needs.scope.is_some() => self.domain_in_policy(subject, needs),
            ("resource", None) => {
                self.domain_of_kinds(&subject.path, |kind| operation.resources.contains(&kind))
            }
            ("context", Some(("path", name))) => declared(ParameterPlace::Path, name),
            ("context", Some(("query", name))) => declared(ParameterPlace::Query, name),
            _ => None,
        }
    }

    /// The same in a hand-written policy, which may be about any kind that its scope does not leave out.
    pub(super) fn domain_in_policy(&self, subject: &Subject, needs: &Needs) -> Option<Domain> {
        let is_meant = |kind: KindId| {
            let kind = self.rules.kind(kind);
            let scope = needs.scope.as_deref();
            scope.is_none_or(|scope| kind.is_some_and(|kind| kind.type_text == scope))
        };
        let is_attribute = subject.variable == "resource" && !subject.path.contains('.');
        is_attribute.then(|| self.domain_of_kinds(&subject.path, is_meant))?
    }

    fn domain_of_kinds(&self, name: &str, is_meant: impl Fn(KindId) -> bool) -> Option<Domain> {
        let kinds = self.rules.kinds.iter().enumerate();
        let kinds = kinds.filter(|(id, _)| is_meant(*id));
        let found = united(kinds.filter_map(|(_, kind)| {
            let attribute = kind.attributes.iter().find(|a| *a.name == *name)?;
            Some(attribute.domain.clone())
        }));
        found.as_deref().cloned()
    }
}

/// What an integration's own grants compare its attributes with: each has one value.
pub(super) fn domain_of_principal(
    subject: &Subject,
    integration: &IntegrationGrants,
) -> Option<Domain> {
    let value = integration.attributes.get(&subject.path)?;
    (subject.variable == "principal").then(|| Domain::Texts(vec![value.as_str().into()]))
}

/// Domains of a field of a kind, in the bodies of one operation.
fn in_bodies(operation: &Operation, kind: KindId, steps: &[Arc<str>]) -> Vec<Option<Arc<Domain>>> {
    let grounds = [
        (&operation.response, &operation.guards),
        (&operation.request, &operation.request_guards),
    ];
    let fields = grounds.into_iter().flat_map(|(shape, guards)| {
        let own = guards.iter().enumerate();
        let own = own.filter(|(_, guard)| **guard == Some(kind));
        own.filter_map(move |(node, _)| Some((shape, shape.node(field_at(shape, node, steps)?)?)))
    });
    let domains = fields.map(|(shape, field)| match field.items {
        Some(item) if !field.is_leaf => shape.node(item)?.domain.clone(),
        _ => field.domain.clone(),
    });
    domains.collect()
}

/// The values of all of them; none where one leaves them open.
fn united(mut domains: impl Iterator<Item = Option<Arc<Domain>>>) -> Option<Arc<Domain>> {
    let first = domains.next()??;
    domains.try_fold(first, |known, other| {
        let other = other?;
        if known == other {
            return Some(known);
        }
        known.or(&other).map(Arc::new)
    })
}

/// What is wrong with a value that the domain does not have, and what may be meant.
fn outside(domain: &Domain, comparison: &Comparison<'_>) -> Option<(String, String)> {
    let (subject, value) = (&comparison.subject, comparison.value);
    match (domain, comparison.relation) {
        (Domain::Texts(texts), Relation::Equal) => {
            let text = value.as_str()?;
            if texts.iter().any(|known| **known == *text) {
                return None;
            }
            let known: Vec<&str> = texts.iter().map(|known| &**known).collect();
            let help = match nearest(text, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the contract declares {}", listed(&known)),
            };
            Some((no_value(text, subject), help))
        }
        (Domain::Whole(least, most), relation) => {
            let number = value.as_i64()?;
            let (least, most) = (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX));
            let can_be = match relation {
                Relation::Equal => (least..=most).contains(&number),
                Relation::Less => least < number,
                Relation::LessOrEqual => least <= number,
                Relation::Greater => most > number,
                Relation::GreaterOrEqual => most >= number,
            };
            let message = match relation {
                Relation::Equal => no_value(&number.to_string(), subject),
                relation => format!("`{subject}` is never {} `{number}`", words(relation)),
            };
            (!can_be).then(|| (message, bounds(least, most)))
        }
        (Domain::Texts(_), _) => None,
    }
}

fn no_value(value: &str, subject: &Subject) -> String {
    format!("`{value}` is no value that the contract declares for `{subject}`")
}

fn words(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "equal to",
        Relation::Less => "less than",
        Relation::LessOrEqual => "at most",
        Relation::Greater => "greater than",
        Relation::GreaterOrEqual => "at least",
    }
}

fn bounds(least: i64, most: i64) -> String {
    match (least, most) {
        (i64::MIN, most) => format!("the contract declares at most {most}"),
        (least, i64::MAX) => format!("the contract declares at least {least}"),
        (least, most) => format!("the contract declares {least} to {most}"),
    }
}
