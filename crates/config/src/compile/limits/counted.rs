//! What a limit counts, held against the contracts: do the operations declare the values, and the outcome?
//! Exports `parts`, `operations`, `outcome` and `reference`.
//! Used by `limits`.
//! Start reading at `operations`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Shape;
use policy::OperationRef;

use super::{Surroundings, references};
use crate::compile::draft::Meant;
use crate::compiled::FailedOutcome;
use crate::field_paths::node_at;
use crate::integration::{Integration, Limit};
use crate::per::{Failed, PARTS_MAX, Per, PerPart};
use crate::read::Named;
use crate::report::Report;
use crate::spanned::At;

/// The operation as the rules know it.
pub(super) fn reference(meant: &Meant<'_>, rules: &policy::Rules) -> Option<OperationRef> {
    rules.operation(&meant.version.name, &meant.plan.id)
}

/// Says what is wrong with a list of parts by itself.
pub(super) fn parts(per: &At<Per>, file: &Arc<str>, report: &mut Report) {
    let parts = &per.0;
    let mut wrong = |message: &str, help: &str| report.wrong(&per.place(file), message, help);
    if parts.is_empty() {
        wrong(
            "the limit counts nothing",
            "Write what is counted together, such as `per: integration`.",
        );
    }
    if parts.len() > PARTS_MAX {
        wrong(
            "these are too many parts",
            "Count at most four parts together.",
        );
    }
    let is_twice =
        |index: usize, part: &PerPart| parts.iter().take(index).any(|other| other == part);
    if parts
        .iter()
        .enumerate()
        .any(|(index, part)| is_twice(index, part))
    {
        wrong("a part is listed twice", "Keep one of the two.");
    }
    if parts.len() > 1 && parts.contains(&PerPart::Integration) {
        wrong(
            "`integration` adds nothing to other parts: a limit counts the calls of its integration only",
            "Take `integration` out of the list.",
        );
    }
}

/// The operations that a limit counts; none for all. Where a part is a value or an object, those that have it.
pub(super) fn operations(
    named: &Named<Integration>,
    limit: &Limit,
    listed: Option<Vec<Meant<'_>>>,
    around: Surroundings<'_>,
    report: &mut Report,
) -> Option<BTreeSet<OperationRef>> {
    let needed: Vec<&PerPart> = limit
        .per
        .0
        .iter()
        .filter(|part| part.is_value() || **part == PerPart::Object)
        .collect();
    let Some(rules) = around.rules.filter(|_| !needed.is_empty()) else {
        return listed.map(|listed| references(&listed, around));
    };
    let place = limit.per.place(&named.file);
    let is_listed = listed.is_some();
    let meant = listed.unwrap_or_else(|| granted(named, rules, around));
    let mut having = meant;
    for part in needed {
        let before: Vec<Arc<str>> = having.iter().map(|one| one.plan.id.clone()).collect();
        having.retain(|one| has(part, one, rules));
        let lost = before
            .iter()
            .find(|id| !having.iter().any(|one| one.plan.id == **id));
        let is_all = having.is_empty();
        if let Some(id) = lost.filter(|_| is_listed || is_all) {
            let message = match part {
                PerPart::Object => format!("the path of `{id}` names no declared object"),
                part => format!("`{id}` declares no `{part}` with one plain value"),
            };
            let help = "Name what the contract declares for each operation that is counted, or list other `operations`.";
            report.wrong(&place, message, help);
            break;
        }
    }
    Some(references(&having, around))
}

/// Every operation that the integration is granted.
fn granted<'a>(
    named: &Named<Integration>,
    rules: &policy::Rules,
    around: Surroundings<'a>,
) -> Vec<Meant<'a>> {
    let is_granted = |one: &Meant<'_>| {
        reference(one, rules).is_some_and(|operation| rules.is_granted(&named.name, operation))
    };
    around.apis.operations().filter(is_granted).collect()
}

/// Whether requests of an operation have such a part: one plain value, or the object that the path names.
fn has(part: &PerPart, one: &Meant<'_>, rules: &policy::Rules) -> bool {
    let Some(declared) = one.declared() else {
        return false;
    };
    match part {
        PerPart::Parameter(place, name) => {
            let parameter = declared.parameter(*place, name);
            parameter.is_some_and(|parameter| is_plain(&parameter.shape, &[]))
        }
        PerPart::Body(steps) => is_plain(&declared.request_shape, steps),
        PerPart::Object => {
            reference(one, rules).is_some_and(|operation| rules.names_object_in_path(operation))
        }
        _ => true,
    }
}

/// Whether a place of a message holds one plain value: a list or an object could be written in many ways.
fn is_plain(shape: &Shape, steps: &[Arc<str>]) -> bool {
    let node = node_at(shape, steps).and_then(|node| shape.node(node));
    node.is_some_and(|node| node.is_leaf && node.items.is_none() && node.fields.is_empty())
}

/// The outcome that counts, as the contracts declare it.
pub(super) fn outcome(
    named: &Named<Integration>,
    limit: &Limit,
    listed: Option<&[Meant<'_>]>,
    around: Surroundings<'_>,
    report: &mut Report,
) -> Option<FailedOutcome> {
    let at = limit.failed.as_ref()?;
    let (written, file): (&Failed, _) = (&at.value, &named.file);
    if written.status.is_empty() && written.body.is_empty() {
        report.wrong(
            &at.place(file),
            "no outcome is named",
            "Write `failed: { status: [401] }`, or `failed: { body: { success: false } }`.",
        );
    }
    let own = around
        .rules
        .filter(|_| listed.is_none())
        .map(|rules| granted(named, rules, around));
    let counted = listed.or(own.as_deref()).unwrap_or_default();
    let declared: Vec<&contract::Operation> = counted.iter().filter_map(Meant::declared).collect();
    for status in &written.status {
        let is_declared = declared
            .iter()
            .any(|operation| operation.response(status.value).is_some());
        if !is_declared && !declared.is_empty() {
            let message = format!(
                "no operation that is counted declares the answer {}",
                status.value
            );
            let help = "Name a status that the contract declares for it.";
            report.wrong(&status.place(file), message, help);
        }
    }
    for (path, _) in written.body.iter() {
        let steps: Vec<Arc<str>> = path.split('.').map(Arc::from).collect();
        let is_known = |operation: &&contract::Operation| {
            let mut answers = operation.responses.iter();
            answers.any(|answer| is_plain(&answer.shape, &steps))
        };
        if !declared.iter().any(is_known) && !declared.is_empty() {
            let message = format!(
                "no operation that is counted declares an answer with one plain value at `{}`",
                path.value
            );
            let help =
                "Name a field of an answer by its names from the root, such as `result.code`.";
            report.wrong(&path.place(file), message, help);
        }
    }
    let fields = written.body.iter();
    Some(FailedOutcome {
        statuses: written.status.iter().map(|status| status.value).collect(),
        fields: fields
            .map(|(path, value)| (path.value.clone(), value.0.clone()))
            .collect(),
    })
}
