//! How many objects one request may have looked up, and whether the contract lets callers name more.
//! Exports `compile`.
//! Used by apis.
//! Start reading at `check`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Contract, Operation};
use model::Shape;
use model::shape::NodeId;
use policy::ObjectKind;

use super::bounds::filled;
use crate::api::Version;
use crate::compiled::OperationPlan;
use crate::report::Report;
use crate::spanned::Place;

/// The bound of a version, checked against its contract.
pub(super) fn compile(
    version: &Version,
    plans: &[OperationPlan],
    contract: Option<&Contract>,
    kinds: &[ObjectKind],
    place: &Place,
    report: &mut Report,
) -> usize {
    let most = most(version, &place.file, report);
    if let Some(contract) = contract {
        check(most, plans, contract, kinds, place, report);
    }
    most
}

fn most(version: &Version, file: &Arc<str>, report: &mut Report) -> usize {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let bounds = (1, number(policy::LOOKUPS_MOST));
    let default = number(policy::LOOKUPS_DEFAULT);
    let most = filled(version.lookups_max.as_ref(), default, bounds, file, report);
    usize::try_from(most).unwrap_or(policy::LOOKUPS_DEFAULT)
}

/// Warns of exposed operations whose lists may name more objects than are looked up: a caller who keeps to the contract
/// would be refused.
fn check(
    most: usize,
    plans: &[OperationPlan],
    contract: &Contract,
    kinds: &[ObjectKind],
    place: &Place,
    report: &mut Report,
) {
    let declared: BTreeSet<&str> = kinds.iter().map(|kind| &*kind.schema).collect();
    let operations = contract.operations.iter().zip(plans);
    for (operation, _) in operations.filter(|(_, plan)| !plan.listeners.is_empty()) {
        let Some(items) = named(operation, &declared) else {
            continue;
        };
        if usize::try_from(items).is_ok_and(|items| items <= most) {
            continue;
        }
        let message = format!(
            "`{}` may name {items} objects at once (`maxItems`), and `lookups_max` is {most}: a longer list is refused with \
             `object.too_many` where the objects have to be judged",
            operation.id
        );
        let help = format!(
            "Write `lookups_max: {}` here, or lower `maxItems` in the contract or its overlay.",
            items.min(policy::LOOKUPS_MOST as u64)
        );
        report.warn(place, message, help);
    }
}

/// The longest list of references to declared objects in a request.
fn named(operation: &Operation, declared: &BTreeSet<&str>) -> Option<u64> {
    let in_body = lists(&operation.request_shape, declared);
    let parameters = operation.parameters.iter().filter(|parameter| {
        let named = parameter.refers_to.as_deref();
        named.is_some_and(|name| declared.contains(name))
    });
    let in_parameters = parameters.filter_map(|parameter| parameter.shape.root()?.items_max);
    in_body.into_iter().chain(in_parameters).max()
}

/// The bounds of all lists whose items name declared objects, themselves or in one of their fields.
fn lists(shape: &Shape, declared: &BTreeSet<&str>) -> Vec<u64> {
    let nodes = shape.nodes.iter();
    nodes
        .filter_map(|node| {
            let items_max = node.items_max?;
            names_one(shape, node.items?, declared).then_some(items_max)
        })
        .collect()
}

fn names_one(shape: &Shape, start: NodeId, declared: &BTreeSet<&str>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        let Some(node) = shape.node(id).filter(|_| seen.insert(id)) else {
            continue;
        };
        let named = node.refers_to.as_deref();
        if named.is_some_and(|name| declared.contains(name)) {
            return true;
        }
        open.extend(node.fields.values().map(|field| field.node));
        open.extend(node.values);
    }
    false
}
