//! What was nearest to a yes, and what would have made it one. Off the hot path, for the operator only.
//! Exports `near_misses` and what it may go by (`Evidence`).
//! Used by `explain` and `can`.
//! Start reading at `near_misses`. It says of a condition that it does not hold only after evaluating it, or where the
//! record of the decision says so.

use model::{Json, RuleRef};

use crate::access::{NearMiss, Nearness};
use crate::cedar::{CedarContext, ConditionSet, EvalInput, ResourceEntity};
use crate::decide::{Question, context};
use crate::fast::PrincipalFacts;
use crate::input::Source;
use crate::plan::KindId;
use crate::rules::{Entry, EntryGrant, Integration, Operation, Rules, Seen};

/// Most near misses told.
pub const NEAR_MISSES_MAX: usize = 12;

/// What is known of a refused request.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Whether the question holds the query as it was sent. Records do not keep it.
    pub is_query_known: bool,
    /// What is known of the object.
    pub object: ObjectEvidence<'a>,
}

/// What is known of the object that was asked for.
#[derive(Clone, Copy, Debug)]
pub enum ObjectEvidence<'a> {
    /// Nothing: no condition on an object was evaluated, and none is.
    NotEvaluated,
    /// The object itself (not the answer around it): conditions are evaluated with it.
    Given(&'a Json),
    /// The record says that no condition held for the object, or for another one that the path names.
    Unmet {
        /// It is about another object that the path names.
        is_parent: bool,
    },
}

/// Grants that nearly fit: this integration's for the operation with what failed in their condition, its other
/// grants for the same kind of object, and other integrations' grants for the operation.
pub fn near_misses(
    question: &Question<'_>,
    evidence: Evidence<'_>,
    rules: &Rules,
) -> Vec<NearMiss> {
    let Some(operation) = rules.op(question.operation) else {
        return Vec::new();
    };
    let integration = rules.integration_of(question.caller);
    let entry = integration.and_then(|i| Some((i, i.entries.get(&question.operation)?)));
    let mut found = Vec::new();
    match entry {
        Some((integration, entry)) => {
            let scenery = context(question, operation);
            let again = Again {
                question,
                evidence,
                rules,
                operation,
                integration,
                entry,
                scenery: &scenery,
            };
            again.failed(&mut found);
        }
        None => {
            if let Some(integration) = integration {
                same_kind(rules, operation, integration, &mut found);
            }
            others(question, rules, operation, &mut found);
        }
    }
    found.truncate(NEAR_MISSES_MAX);
    found
}

/// The conditions of the grants that cover the operation, evaluated again as far as there is evidence.
struct Again<'a> {
    question: &'a Question<'a>,
    evidence: Evidence<'a>,
    rules: &'a Rules,
    operation: &'a Operation,
    integration: &'a Integration,
    entry: &'a Entry,
    scenery: &'a CedarContext,
}

impl Again<'_> {
    fn failed(&self, out: &mut Vec<NearMiss>) {
        // A grant that the request already ruled out is not asked for the object.
        let ruled_out = match &self.entry.at_request {
            Some(set) => self.by_request(set, out),
            None => 0,
        };
        match self.evidence.object {
            ObjectEvidence::NotEvaluated => {}
            ObjectEvidence::Given(object) => {
                if let Some(set) = &self.entry.at_object {
                    self.by_object(set, object, ruled_out, out);
                }
            }
            ObjectEvidence::Unmet { is_parent: false } => {
                let set = self.entry.at_object.as_ref();
                set.into_iter()
                    .for_each(|set| self.recorded(set, ruled_out, out));
            }
            ObjectEvidence::Unmet { is_parent: true } => {
                let sets = self.entry.at_named.iter();
                sets.for_each(|(_, set)| self.recorded(set, ruled_out, out));
            }
        }
    }

    fn scene(&self) -> EvalInput<'_> {
        EvalInput {
            principal: &self.integration.being,
            who: PrincipalFacts {
                attributes: &self.integration.attributes,
                listener: Some(self.question.listener),
            },
            action: &self.operation.action,
            context: self.scenery,
        }
    }

    /// What the request alone decides. Gives the bits of the grants that do not hold for it.
    fn by_request(&self, set: &ConditionSet, out: &mut Vec<NearMiss>) -> u64 {
        let scene = self.scene();
        let judged = set.judge(&scene, ResourceEntity::none());
        if let Some(rule) = judged.forbidden.filter(|rule| !self.is_unknown(set, rule)) {
            push(out, &rule, Nearness::Forbidden, FORBIDDEN.into());
        }
        // With a policy that forbids, no condition would be said to hold.
        let held = set.permits().judge(&scene, ResourceEntity::none()).grants;
        let mut failed = 0;
        for (index, member) in set.members.iter().enumerate() {
            let Some((bit, grant)) = self.grant(member.grant) else {
                continue;
            };
            if held & bit != 0 {
                continue;
            }
            failed |= bit;
            let condition = condition(grant);
            if let Some(unknown) = self.unknown(set, index) {
                let text = format!(
                    "the condition `{condition}` asks for {unknown}, which the record does not hold; `portcullis can` with \
                     `--query` evaluates it"
                );
                push(out, &member.rule, Nearness::NotEvaluated, text);
                continue;
            }
            let text = match self.entry.waits() & bit {
                0 => format!("the condition `{condition}` does not hold for this request"),
                _ => format!(
                    "what the condition `{condition}` asks of the request does not hold; it was not asked for the object"
                ),
            };
            push(out, &member.rule, Nearness::Unmet, text);
        }
        failed
    }

    /// What of the request a condition asks for and the evidence does not hold.
    fn unknown(&self, set: &ConditionSet, index: usize) -> Option<String> {
        if self.evidence.is_query_known {
            return None;
        }
        let asked = set.asks(index)?.context_attributes;
        let names: Vec<String> = asked
            .into_iter()
            .filter(|name| name.split('.').next() == Some("query"))
            .map(|name| format!("`{name}`"))
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    fn is_unknown(&self, set: &ConditionSet, rule: &RuleRef) -> bool {
        let members = set.members.iter().enumerate();
        let mut own = members.filter(|(_, member)| member.rule == *rule);
        own.any(|(index, _)| self.unknown(set, index).is_some())
    }

    fn by_object(
        &self,
        set: &ConditionSet,
        object: &Json,
        ruled_out: u64,
        out: &mut Vec<NearMiss>,
    ) {
        let found = self.operation.resources.first().copied();
        let Some(kind) = found.and_then(|kind| self.rules.kind(kind)) else {
            return;
        };
        let seen = Seen {
            id: None,
            path: self.question.path,
            object: Some(object),
            overlay: None,
        };
        let scene = self.scene();
        if let Some(rule) = kind.judge(set, &scene, &seen).forbidden {
            push(out, &rule, Nearness::Forbidden, FORBIDDEN.into());
        }
        let held = kind.judge(&set.permits(), &scene, &seen).grants;
        for member in &set.members {
            let Some((bit, grant)) = self.grant(member.grant) else {
                continue;
            };
            if (held | ruled_out) & bit == 0 {
                let facts = values(self.rules, found, set, &seen);
                let condition = condition(grant);
                let text = format!("the condition `{condition}` does not hold: {facts}");
                push(out, &member.rule, Nearness::Unmet, text);
            }
        }
    }

    /// Conditions that did not hold when it was decided: the record says so, and nothing is evaluated.
    fn recorded(&self, set: &ConditionSet, ruled_out: u64, out: &mut Vec<NearMiss>) {
        for member in &set.members {
            let Some((bit, grant)) = self.grant(member.grant) else {
                continue;
            };
            if ruled_out & bit == 0 {
                let kept = if self.evidence.is_query_known {
                    ""
                } else {
                    "; what the object held is not kept, `portcullis can` with `--object` evaluates it"
                };
                let condition = condition(grant);
                let text = format!("its condition `{condition}` did not hold for the object{kept}");
                push(out, &member.rule, Nearness::Unmet, text);
            }
        }
    }

    /// A grant and its bit.
    fn grant(&self, bit: Option<u32>) -> Option<(u64, &EntryGrant)> {
        let bit = bit?;
        let grant = self.entry.grants.get(usize::try_from(bit).ok()?)?;
        Some((1u64.checked_shl(bit)?, grant))
    }
}

/// Said of a policy that forbids the request.
const FORBIDDEN: &str = "this policy forbids it, whatever is granted";

fn condition(grant: &EntryGrant) -> &str {
    grant.condition.as_ref().map_or("", |c| &*c.text)
}

/// `status is "open"; partner is missing`.
fn values(rules: &Rules, kind: Option<KindId>, set: &ConditionSet, seen: &Seen<'_>) -> String {
    let Some(kind) = kind.and_then(|kind| rules.kind(kind)) else {
        return "the answer holds no declared object".into();
    };
    let asked = kind
        .attributes
        .iter()
        .filter(|a| set.needs.object_attributes.contains(&*a.name));
    let texts: Vec<String> = asked
        .map(|attribute| {
            let value = match &attribute.source {
                Source::Body(steps) => seen.value(attribute, steps).map(text_of),
                Source::Path(name) => {
                    let mut path = seen.path.iter();
                    path.find(|(n, _)| n == name)
                        .map(|(_, v)| format!("\"{v}\""))
                }
            };
            match value {
                Some(value) => format!("{} is {value}", attribute.name),
                None => format!("{} is missing", attribute.name),
            }
        })
        .collect();
    texts.join("; ")
}

fn text_of(value: &Json) -> String {
    let mut bytes = Vec::new();
    model::json::write(value, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

fn same_kind(
    rules: &Rules,
    operation: &Operation,
    integration: &Integration,
    out: &mut Vec<NearMiss>,
) {
    let mut near: Vec<_> = integration
        .entries
        .iter()
        .filter_map(|(reference, entry)| Some((rules.op(reference)?, entry)))
        .filter(|(other, _)| {
            other
                .resources
                .iter()
                .any(|kind| operation.resources.contains(kind))
        })
        .collect();
    near.sort_by_key(|(other, _)| other.id.clone());
    for (other, entry) in near {
        if let Some(grant) = entry.grants.first() {
            let text = format!(
                "it grants `{}` of the same kind of object, and not `{}`",
                other.id, operation.id
            );
            push(out, &grant.rule, Nearness::SameKind, text);
        }
    }
}

fn others(question: &Question<'_>, rules: &Rules, operation: &Operation, out: &mut Vec<NearMiss>) {
    let mut near: Vec<_> = rules
        .integrations
        .iter()
        .filter_map(|i| Some((i, i.entries.get(&question.operation)?.grants.first()?)))
        .collect();
    near.sort_by_key(|(integration, _)| integration.name.clone());
    for (integration, grant) in near {
        let text = format!(
            "it grants `{}` to `{}`, not to this integration",
            operation.id, integration.name
        );
        push(out, &grant.rule, Nearness::OtherIntegration, text);
    }
}

fn push(out: &mut Vec<NearMiss>, rule: &RuleRef, nearness: Nearness, text: String) {
    let miss = NearMiss {
        rule: rule.clone(),
        nearness,
        text,
    };
    if out.len() < NEAR_MISSES_MAX && !out.contains(&miss) {
        out.push(miss);
    }
}
