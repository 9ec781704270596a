//! Can what was written be enforced? A grant that nothing can judge is a mistake at its line.
//! Exports the part of `Build` that checks the compiled entries of an integration.
//! Used by `Build::integration`.
//! Start reading at `Build::check_enforced`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::shape::NodeId;
use model::{FieldSet, RuleRef, Shape};

use super::super::{Entry, Integration, Kind, Operation, OperationRef, Rules, Shown};
use super::Build;
use crate::cedar::{Checked, ConditionSet};
use crate::input::{ParameterPlace, Source, Spot};
use crate::plan::{KindId, outermost};

/// What keeps a rule from being enforced: sentence and remedy.
type Fault = (String, String);

impl Build {
    /// Every operation that an integration may use: what its conditions, policies and parameters make necessary has to
    /// be possible.
    pub(super) fn check_enforced(&mut self, done: &Integration) {
        let mut references: Vec<OperationRef> = done.entries.keys().collect();
        references.sort_unstable();
        for reference in references {
            let (Some(operation), Some(entry)) =
                (self.rules.op(reference), done.entries.get(&reference))
            else {
                continue;
            };
            // What is not known of a version may be what makes it possible.
            if self.unsure.contains_key(&operation.api) {
                continue;
            }
            let mut found: Vec<(Arc<str>, Spot, Fault)> = Vec::new();
            if let Some(set) = &entry.at_object {
                let fault = subject(&self.rules, operation, set)
                    .or_else(|| changed(&self.rules, operation, entry, set));
                found.extend(placed(fault, entry, entry.on_object));
            }
            for (index, set) in &entry.at_named {
                let kind = operation.named.get(*index).map(|named| named.kind);
                let fault = kind.and_then(|kind| looked_up(&self.rules, operation, kind, set));
                found.extend(placed(fault, entry, set.grant_bits()));
            }
            if !self.is_partial {
                let fault = references_of(&self.rules, operation, done);
                found.extend(placed(fault, entry, u64::MAX));
            }
            for (file, spot, (message, help)) in found {
                self.mistake_at(&file, spot, message, help);
            }
        }
    }
}

/// A fault at each of the grants with these bits; where a policy alone is why, at the first grant.
fn placed(fault: Option<Fault>, entry: &Entry, bits: u64) -> Vec<(Arc<str>, Spot, Fault)> {
    let Some(fault) = fault else {
        return Vec::new();
    };
    let meant: Vec<_> = entry.held(bits).collect();
    let first = entry.grants.iter().take(1).collect();
    let grants = if meant.is_empty() { first } else { meant };
    let at = grants.into_iter();
    at.map(|grant| (grant.rule.file.clone(), grant.spot, fault.clone()))
        .collect()
}

/// The object that an operation is about.
fn subject(rules: &Rules, operation: &Operation, set: &ConditionSet) -> Option<Fault> {
    match &operation.subject {
        Some((kind, Source::Path(_))) => match operation.shown {
            Shown::Nowhere => looked_up(rules, operation, *kind, set),
            Shown::Root | Shown::Inside { .. } => None,
        },
        None if operation.is_write => created(rules, operation, set),
        // Judged one by one in the answer, or as the body describes it.
        _ if operation.is_write || operation.ground().is_guarded() => None,
        _ => {
            let message = format!(
                "`{}` reads, and nothing it is asked with or answers shows the object that the condition judges",
                operation.id
            );
            let help = "declare the object in the contract's answer, or take the operation out of the grant";
            Some((message, help.to_owned()))
        }
    }
}

/// A new object is judged as the body describes it: what the body cannot hold satisfies nothing.
fn created(rules: &Rules, operation: &Operation, set: &ConditionSet) -> Option<Fault> {
    let lacking = lacking(rules, operation);
    if lacking.iter().any(|(_, lacking)| set.can_hold(lacking)) {
        return None;
    }
    let missing = lacking.iter().find_map(|(kind, lacking)| {
        let (attribute, policy) = asked(set, lacking)?;
        Some((rules.kind(*kind)?, attribute, policy))
    });
    let (kind, attribute, policy) = missing?;
    let (id, schema) = (&operation.id, &kind.schema);
    let (who, way_out) = match policy {
        Some(policy) => (
            format!("the policy {policy}"),
            format!(
                "let the policy leave `{id}` out (`unless {{ action == {} }}`)",
                operation.action
            ),
        ),
        None => ("the condition".to_owned(), about_another(rules, operation)),
    };
    let message = format!(
        "`{id}` makes a `{schema}`, or answers with one, that {who} judges by its `{attribute}`, and the body cannot hold one, so that every call would be refused"
    );
    let help = format!(
        "{way_out}, or declare the field in the contract's body; if the operation only reads, write `operations: {{ {id}: {{ reads: true }} }}` in the file of the api"
    );
    Some((message, help))
}

/// How a condition is written about another object than the one that nothing shows beforehand.
fn about_another(rules: &Rules, operation: &Operation) -> String {
    let in_path = operation.named.iter().filter(|named| {
        let parameter = operation.parameters.get(named.parameter);
        parameter.is_some_and(|p| p.place == ParameterPlace::Path)
    });
    let mut types = in_path.filter_map(|named| Some(&rules.kind(named.kind)?.type_text));
    match types.next() {
        Some(name) => format!(
            "ask for an object that the path names (`resource is {name} && …`), or take the operation out of the grant"
        ),
        None => "take the operation out of the grant".to_owned(),
    }
}

/// The first of these attributes that is asked for, and the policy that asks where no grant does.
fn asked<'s>(
    set: &'s ConditionSet,
    lacking: &BTreeSet<String>,
) -> Option<(String, Option<&'s RuleRef>)> {
    let is_granting = set.members.iter().any(|member| member.grant.is_some());
    let members = set.members.iter().enumerate();
    let mut members = members.filter(|(_, member)| member.grant.is_some() == is_granting);
    members.find_map(|(index, member)| {
        let asked = set.asks(index)?.object_attributes;
        let first = asked.into_iter().find(|name| lacking.contains(name))?;
        Some((first, (!is_granting).then_some(&member.rule)))
    })
}

/// The attributes that the body of a write cannot hold, for each kind that it may make.
fn lacking(rules: &Rules, operation: &Operation) -> Vec<(KindId, BTreeSet<String>)> {
    let (ground, shape) = (operation.request_ground(), &operation.request);
    let mut places: Vec<(KindId, NodeId)> = outermost(ground)
        .into_iter()
        .map(|(node, kind)| (kind, node))
        .collect();
    if let (true, Some(kind)) = (places.is_empty(), operation.resources.first()) {
        // The body itself is the object, or each of its items.
        let root = shape.root();
        let items = root.and_then(|root| root.items.filter(|_| root.fields.is_empty()));
        places.push((*kind, items.unwrap_or(0)));
    }
    let of = |(id, node): (KindId, NodeId)| {
        let attributes = rules.kind(id)?.attributes.iter();
        let lacking = attributes.filter(|attribute| match &attribute.source {
            Source::Body(steps) => !may_hold(shape, node, steps),
            Source::Path(_) => false,
        });
        Some((
            id,
            lacking
                .map(|attribute| attribute.name.to_string())
                .collect(),
        ))
    };
    places.into_iter().filter_map(of).collect()
}

/// Whether a condition about what a write makes could never hold, whatever is sent.
pub(super) fn is_beyond_body(rules: &Rules, operation: &Operation, condition: &Checked) -> bool {
    if !operation.is_write || operation.subject.is_some() {
        return false;
    }
    let lacking = lacking(rules, operation);
    !lacking.is_empty() && !lacking.iter().any(|(_, l)| condition.can_hold_without(l))
}

/// A change whose outcome would never satisfy the condition: a replacement that may not carry what is asked for, or
/// steps of which nobody knows what they make of the object.
fn changed(
    rules: &Rules,
    operation: &Operation,
    entry: &Entry,
    set: &ConditionSet,
) -> Option<Fault> {
    let (kind, change) = match &operation.subject {
        Some((kind, _)) if operation.is_write => (rules.kind(*kind)?, &operation.change),
        _ => return None,
    };
    let root = operation.request.root();
    let only_steps = root.is_some_and(|root| root.items.is_some() && root.fields.is_empty());
    if change.takes_steps && only_steps && !is_told_by_path(kind, set) {
        let message = format!(
            "`{}` takes steps (`application/json-patch+json`), and what they make of a `{}` cannot be judged by the condition",
            operation.id, kind.schema
        );
        let help = "declare `application/merge-patch+json` with the fields, or take the operation out of the grant";
        return Some((message, help.to_owned()));
    }
    if !change.is_replacement() {
        return None;
    }
    let attributes = kind.attributes.iter().zip(&change.places).zip(&change.kept);
    let lacking: BTreeSet<String> = attributes
        .filter(|((attribute, places), is_kept)| {
            let Source::Body(steps) = &attribute.source else {
                return false;
            };
            let mut all = places.iter().chain(&change.objects);
            !**is_kept && !all.any(|at| is_covered(&entry.writes, at.iter().chain(steps)))
        })
        .map(|((attribute, _), _)| attribute.name.to_string())
        .collect();
    let asked = &set.needs.object_attributes;
    let first = asked.iter().find(|name| lacking.contains(*name))?;
    (!set.can_hold(&lacking)).then(|| {
        let message = format!(
            "`{}` replaces a `{}` that the condition judges by its `{first}`, and no grant lets one be sent, so that every call would be refused",
            operation.id, kind.schema
        );
        let help = format!("add the field of `{first}` to `writes`, or fix its value with `set`");
        (message, help)
    })
}

/// Whether a value there, or a part of it, may be sent.
fn is_covered<'s>(set: &FieldSet, steps: impl Iterator<Item = &'s Arc<str>>) -> bool {
    let mut here = set;
    for step in steps {
        if here.is_whole {
            return true;
        }
        match here.fields.get(step).or(here.each.as_deref()) {
            Some(below) => here = below,
            None => return false,
        }
    }
    true
}

/// Whether an object at this place of a body can hold a value there.
pub(super) fn may_hold(shape: &Shape, start: NodeId, steps: &[Arc<str>]) -> bool {
    let mut here = start;
    for step in steps {
        let Some(node) = shape.node(here) else {
            return false;
        };
        let declared = node.fields.get(step);
        match declared.map(|field| field.node).or(node.values) {
            Some(below) if declared.is_none_or(|field| !field.is_read_only) => here = below,
            Some(_) => return false,
            None => return node.is_open,
        }
    }
    true
}

/// An object that has to be fetched before it can be judged.
fn looked_up(
    rules: &Rules,
    operation: &Operation,
    kind: KindId,
    set: &ConditionSet,
) -> Option<Fault> {
    let kind = rules.kind(kind)?;
    if is_told_by_path(kind, set) {
        return None;
    }
    let what = if operation.is_write {
        "changes"
    } else {
        "does not show"
    };
    let doing = format!(
        "`{}` {what} a `{}` that {} judges",
        operation.id,
        kind.schema,
        cause(set)
    );
    unresolved(rules, operation, kind).map(|(why, help)| (format!("{doing}, but {why}"), help))
}

/// Whether everything that is asked of an object stands in the path.
pub(crate) fn is_told_by_path(kind: &Kind, set: &ConditionSet) -> bool {
    let mut asked = kind
        .attributes
        .iter()
        .filter(|a| set.needs.object_attributes.contains(&*a.name));
    asked.all(|attribute| matches!(attribute.source, Source::Path(_)))
}

fn cause(set: &ConditionSet) -> String {
    let grants = set.members.iter().any(|member| member.grant.is_some());
    let forbid = set.members.iter().find(|member| member.grant.is_none());
    match forbid.filter(|_| !grants) {
        Some(forbid) => format!("the policy {}", forbid.rule),
        None => "the condition".to_owned(),
    }
}

/// Why an object of a kind cannot be looked up for a request of this operation.
pub(super) fn unresolved(rules: &Rules, operation: &Operation, kind: &Kind) -> Option<Fault> {
    let schema = &kind.schema;
    let Some((resolve, parameter)) = &kind.resolve else {
        return Some((
            "nothing says how to look it up first".to_owned(),
            format!("add `resolve: OPERATION` to `{schema}` under `objects` of the api"),
        ));
    };
    let resolve = rules.op(*resolve)?;
    let is_in_path = |name: &str| {
        let mut own = operation.parameters.iter();
        own.any(|p| p.place == ParameterPlace::Path && *p.name == *name)
    };
    let mut needed = resolve
        .parameters
        .iter()
        .filter(|p| p.place == ParameterPlace::Path && p.name != *parameter);
    let missing = needed.find(|p| !is_in_path(&p.name))?;
    Some((
        format!(
            "`{}`, which looks it up, needs `{}`, and the path of `{}` does not name one",
            resolve.id, missing.name, operation.id
        ),
        format!("name an operation that needs only the id as `resolve` of `{schema}`"),
    ))
}

/// Other objects that the path names: they are judged by the integration's grants for reading them.
fn references_of(rules: &Rules, operation: &Operation, done: &Integration) -> Option<Fault> {
    let in_path = operation.named.iter().filter_map(|named| {
        let parameter = operation.parameters.get(named.parameter)?;
        (parameter.place == ParameterPlace::Path).then_some((named, &parameter.name))
    });
    for (named, parameter) in in_path {
        let kind = rules.kind(named.kind)?;
        let readers = done.by_kind.get(&named.kind);
        let mut entries = readers
            .into_iter()
            .flatten()
            .filter_map(|r| done.entries.get(r));
        let schema = &kind.schema;
        if readers.is_none() && named.is_outright {
            return Some((
                format!(
                    "the path of `{}` names a `{schema}` (`{parameter}`), and no grant of `{}` reads one, so that every call would be refused",
                    operation.id, done.name
                ),
                format!("grant an operation that answers with a `{schema}`"),
            ));
        }
        if readers.is_none() || entries.any(Entry::is_open) {
            continue;
        }
        if let Some((why, help)) = unresolved(rules, operation, kind) {
            let message = format!(
                "the path of `{}` names a `{schema}` (`{parameter}`) that `{}` may see only in part, but {why}",
                operation.id, done.name
            );
            return Some((message, help));
        }
    }
    None
}
