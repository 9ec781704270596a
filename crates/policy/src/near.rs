//! What was nearest to a yes, and what would have made it one. Off the hot path, for the operator only.
//! Gives `near_misses`.
//! Used by `explain`.
//! Start reading at `near_misses`.

use model::{Json, RuleRef};

use crate::access::NearMiss;
use crate::cedar::{ConditionSet, Scene};
use crate::decide::{Question, context};
use crate::fast::Who;
use crate::input::Source;
use crate::plan::KindId;
use crate::rules::{Entry, Integration, Operation, Rules, Seen};

/// Most near misses told.
pub const NEAR_MISSES_MAX: usize = 12;

/// Grants that nearly fit: this integration's for the operation with what failed in their condition, its other
/// grants for the same kind of object, and other integrations' grants for the operation. `object` is the object
/// that was judged, where it is known (the object itself, not the answer around it).
pub fn near_misses(question: &Question<'_>, object: Option<&Json>, rules: &Rules) -> Vec<NearMiss> {
    let Some(operation) = rules.op(question.operation) else {
        return Vec::new();
    };
    let integration = rules.integrations.get(&*question.principal.integration);
    let entry = integration.and_then(|i| Some((i, i.entries.get(&question.operation)?)));
    let mut found = Vec::new();
    match entry {
        Some((integration, entry)) => {
            failed(
                question,
                object,
                rules,
                operation,
                integration,
                entry,
                &mut found,
            );
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

/// Conditions of the grants that cover the operation, and what they were asked about.
fn failed(
    question: &Question<'_>,
    object: Option<&Json>,
    rules: &Rules,
    operation: &Operation,
    integration: &Integration,
    entry: &Entry,
    out: &mut Vec<NearMiss>,
) {
    let scenery = context(question, operation);
    let scene = Scene {
        principal: &integration.being,
        who: Who {
            attributes: &integration.attributes,
            listener: Some(question.listener),
        },
        action: &operation.action,
        context: &scenery,
    };
    let kind = operation.resources.first().copied();
    let seen = Seen {
        id: None,
        path: question.path,
        object,
        overlay: None,
    };
    for (set, on_object) in [(&entry.at_request, false), (&entry.at_object, true)] {
        let Some(set) = set else {
            continue;
        };
        let held = match kind.and_then(|kind| rules.kind(kind)) {
            Some(kind) => kind.judge(set, &scene, &seen),
            None => set.judge(&scene, crate::cedar::Thing::none()),
        };
        if let Some(rule) = &held.forbidden {
            push(
                out,
                rule,
                "this policy forbids it, whatever is granted".into(),
            );
        }
        for member in &set.members {
            let Some(bit) = member.grant else {
                continue;
            };
            let is_held = held.grants.checked_shr(bit).unwrap_or(0) & 1 == 1;
            let grant = usize::try_from(bit)
                .ok()
                .and_then(|bit| entry.grants.get(bit));
            if let (false, Some(grant)) = (is_held, grant) {
                let condition = grant.condition.as_ref().map_or("", |c| &*c.text);
                let facts = match on_object {
                    true => values(rules, kind, set, &seen),
                    false => "it asks only for the request, its network or its time".into(),
                };
                push(
                    out,
                    &member.rule,
                    format!("the condition `{condition}` does not hold: {facts}"),
                );
            }
        }
    }
}

/// `status is "open"; partner is missing`.
fn values(rules: &Rules, kind: Option<KindId>, set: &ConditionSet, seen: &Seen<'_>) -> String {
    let Some(kind) = kind.and_then(|kind| rules.kind(kind)) else {
        return "the answer holds no declared object".into();
    };
    if seen.object.is_none() {
        return "what the object held is not kept; ask `portcullis can` with `--object`".into();
    }
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
        .filter_map(|(reference, entry)| Some((rules.op(*reference)?, entry)))
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
                "it grants `{}` of the same kind of object; adding `{}` to its operations would allow the call",
                other.id, operation.id
            );
            push(out, &grant.rule, text);
        }
    }
}

fn others(question: &Question<'_>, rules: &Rules, operation: &Operation, out: &mut Vec<NearMiss>) {
    let mut near: Vec<_> = rules
        .integrations
        .values()
        .filter_map(|i| Some((i, i.entries.get(&question.operation)?.grants.first()?)))
        .collect();
    near.sort_by_key(|(integration, _)| integration.name.clone());
    for (integration, grant) in near {
        let text = format!(
            "it grants `{}` to `{}`, not to this integration",
            operation.id, integration.name
        );
        push(out, &grant.rule, text);
    }
}

fn push(out: &mut Vec<NearMiss>, rule: &RuleRef, text: String) {
    let miss = NearMiss {
        rule: rule.clone(),
        text,
    };
    if out.len() < NEAR_MISSES_MAX && !out.contains(&miss) {
        out.push(miss);
    }
}
