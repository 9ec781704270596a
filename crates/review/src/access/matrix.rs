//! The rows of an effective matrix, counted and grouped.
//! Exports `summaries` (so many fields of a schema), `grants`, `is_same_grant`, `is_about`, `declared`.
//! Used by `access` and `can`.
//! Start reading at `summaries`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use config::{Compiled, field_paths};
use contract::Operation;
use policy::{AccessRow, How};
use schemars::JsonSchema;
use serde::Serialize;

use super::{field_of, steps_of};

/// What an integration may see and send of one kind of object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// `field-service/v2`
    pub api: Arc<str>,
    /// `WorkOrder`, or the operation where the schema has no name.
    pub schema: String,
    /// Fields it may see in at least one answer.
    pub seen: usize,
    /// Fields there are in those answers.
    pub declared: usize,
    /// Fields it may send.
    pub sent: usize,
    /// Conditions of the grants; empty when one of them has none.
    pub conditions: Vec<Arc<str>>,
}

#[derive(Default)]
struct Tally {
    seen: BTreeSet<String>,
    declared: BTreeSet<String>,
    sent: BTreeSet<String>,
    conditions: BTreeSet<Option<Arc<str>>>,
}

/// How many fields of each kind of object.
pub fn summaries(rows: &[AccessRow], compiled: &Compiled) -> Vec<Summary> {
    let mut tallies: BTreeMap<(Arc<str>, String), Tally> = BTreeMap::new();
    for row in rows {
        let Some(operation) = operation(row, compiled) else {
            continue;
        };
        let steps = steps_of(row, compiled);
        let shape = operation.response_shape();
        let start =
            shape.and_then(|shape| field_paths::node_at(shape, &steps).map(|node| (shape, node)));
        let schema = start
            .and_then(|(shape, node)| shape.node(node)?.schema.as_deref())
            .unwrap_or(&operation.id);
        let tally = tallies
            .entry((row.api.clone(), schema.to_owned()))
            .or_default();
        let field = field_of(row, compiled);
        match row.how {
            How::Call => {
                tally.declared.extend(
                    start
                        .into_iter()
                        .flat_map(|(shape, node)| field_paths::leaves(shape, node)),
                );
            }
            // No field of the object: what is told when something goes wrong.
            How::Error => {}
            How::Write => drop(tally.sent.insert(field)),
            How::Full | How::Masked(_) if field.starts_with("$.") => {}
            How::Full | How::Masked(_) => {
                tally.seen.insert(field);
                tally.conditions.insert(row.condition.clone());
            }
        }
    }
    tallies
        .into_iter()
        .map(|((api, schema), tally)| summary(api, schema, tally))
        .collect()
}

fn summary(api: Arc<str>, schema: String, tally: Tally) -> Summary {
    let is_free = tally.conditions.contains(&None);
    Summary {
        api,
        schema,
        seen: tally.seen.len(),
        declared: tally.declared.len().max(tally.seen.len()),
        sent: tally.sent.len(),
        conditions: tally
            .conditions
            .into_iter()
            .flatten()
            .filter(|_| !is_free)
            .collect(),
    }
}

/// One row for each grant of each operation: what it may call.
pub fn grants(rows: &[AccessRow]) -> Vec<&AccessRow> {
    rows.iter().filter(|row| row.how == How::Call).collect()
}

/// Whether two rows come from the same grant for the same operation.
pub fn is_same_grant(a: &AccessRow, b: &AccessRow) -> bool {
    (&a.api, &a.operation, &a.rule, &a.role, &a.condition)
        == (&b.api, &b.operation, &b.rule, &b.role, &b.condition)
}

/// The contract's operation a row is about.
pub fn operation<'a>(row: &AccessRow, compiled: &'a Compiled) -> Option<&'a Operation> {
    let (_, version) = compiled.version(&row.api)?;
    version
        .contract
        .as_ref()?
        .operation(&row.operation)
        .map(|(_, operation)| operation)
}

/// Whether a row is about a field or something below it.
pub fn is_about(row: &AccessRow, field: &str, compiled: &Compiled) -> bool {
    if field.starts_with("$.") {
        field_paths::is_below(&field_of(row, compiled), field)
    } else {
        field_paths::is_within(&row.field, field)
    }
}

/// Every field the contracts declare, in answers as grants write them and in request bodies.
pub fn declared(compiled: &Compiled) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for version in &compiled.versions {
        for operation in version
            .contract
            .iter()
            .flat_map(|contract| &contract.operations)
        {
            let steps = compiled
                .rules
                .operation(&version.name, &operation.id)
                .map(|op| compiled.rules.object_steps(op))
                .unwrap_or_default();
            let seen = operation
                .response_shape()
                .into_iter()
                .flat_map(|shape| field_paths::leaves(shape, 0));
            out.extend(seen.map(|path| field_paths::relative(&path, &steps)));
            out.extend(field_paths::leaves(&operation.request_shape, 0));
        }
    }
    out
}

/// Whether any contract declares a field.
pub fn is_declared(field: &str, compiled: &Compiled) -> bool {
    declared(compiled).iter().any(|known| {
        if field.starts_with("$.") {
            field_paths::is_below(known, field)
        } else {
            field_paths::is_within(known, field)
        }
    })
}
