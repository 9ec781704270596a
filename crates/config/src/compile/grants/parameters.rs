//! What a grant says of parameters: which may be used (`query`), which values are fixed (`set`).
//! Exports `query` and `set`.
//! Used by `grant`. Whether a parameter may be used at all is policy's to say.
//! Start reading at `query`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{BodyFormat, Operation, Place};
use model::Json;
use model::json::{self, Bounds};
use policy::{FixedSource, FixedTarget, FixedValue, Listed};

use super::Apis;
use crate::de::{listed, nearest};
use crate::integration::Grant;
use crate::report::Report;
use crate::spanned::At;

/// The operations of a grant that exist.
fn operations<'a>(grant: &Grant, apis: &'a Apis) -> Vec<&'a Operation> {
    let contract = apis.find(&grant.api).and_then(|v| v.contract.as_deref());
    let names = grant.operations.iter();
    let found = names.filter_map(|id| Some(contract?.operation(id)?.1));
    found.collect()
}

/// The query parameters that may be used; each is one of at least one of the operations.
pub(super) fn query(
    grant: &At<Grant>,
    file: &Arc<str>,
    apis: &Apis,
    report: &mut Report,
) -> Option<Vec<Listed<Arc<str>>>> {
    let written = grant.query.as_ref()?;
    let operations = operations(grant, apis);
    let declared = operations.iter().flat_map(|o| &o.parameters);
    let known: BTreeSet<&str> = declared
        .filter(|p| p.place == Place::Query)
        .map(|p| &*p.name)
        .collect();
    let known: Vec<&str> = known.into_iter().collect();
    for at in written {
        if !operations.is_empty() && !known.contains(&at.as_str()) {
            let help = match nearest(at, &known) {
                Some(help) => help,
                None if known.is_empty() => "Its operations have no query parameters.".into(),
                None => format!("Their query parameters are: {}.", listed(&known)),
            };
            let message = format!(
                "no operation of the grant has a query parameter `{}`",
                at.value
            );
            report.wrong(&at.place(file), message, help);
        }
    }
    let names = written.iter().map(|at| Listed {
        value: at.value.as_str().into(),
        spot: super::spot(at),
    });
    Some(names.collect())
}

/// The values a grant fixes.
pub(super) fn set(
    grant: &At<Grant>,
    file: &Arc<str>,
    apis: &Apis,
    report: &mut Report,
) -> Vec<Listed<FixedValue>> {
    let operations = operations(grant, apis);
    let mut found = Vec::new();
    for (key, at) in grant.set.iter() {
        let target = FixedTarget::parse(key).map_err(|why| {
            let help =
                "Write `query.NAME` for a query parameter, `body.FIELD` for a field of the body.";
            report.wrong(&key.place(file), why, help);
        });
        let source = FixedSource::parse(at).map_err(|why| {
            let help = "Write an attribute of the integration, `principal.partner`, or a literal: `'\"open\"'`.";
            report.wrong(&at.place(file), why, help);
        });
        let (Ok(target), Ok(source)) = (target, source) else {
            continue;
        };
        for operation in &operations {
            if let Some((message, help)) = problem(&target, operation) {
                report.wrong(&key.place(file), message, help);
            } else if let Some((message, help)) = wrong_value(&target, &source, operation) {
                report.wrong(&at.place(file), message, help);
            }
        }
        found.push(Listed {
            value: FixedValue { target, source },
            spot: super::spot(key),
        });
    }
    found
}

/// What keeps the gateway from writing a value into a request.
fn problem(target: &FixedTarget, operation: &Operation) -> Option<(String, &'static str)> {
    match target {
        FixedTarget::Query(name) => {
            let parameter = operation.parameter(Place::Query, name)?;
            let is_value = parameter.shape.root().is_none_or(|node| node.is_leaf);
            (!is_value).then(|| {
                (
                    format!(
                        "`{name}` of `{}` is a list or an object, which cannot be fixed",
                        operation.id
                    ),
                    "Fix a parameter that takes one plain value.",
                )
            })
        }
        FixedTarget::Body(_) => {
            let contents = operation.body.iter().flat_map(|body| &body.contents);
            let mut forms = contents.filter(|content| content.format != BodyFormat::Json);
            forms.next().map(|content| {
                (
                    format!("the body of `{}` may be `{}`, in which no value can be fixed", operation.id, content.content_type),
                    "Fields are fixed in JSON bodies; take that content type out of the contract by an overlay.",
                )
            })
        }
    }
}

/// Whether a literal for the query is none that the parameter takes: every call would be refused.
fn wrong_value(
    target: &FixedTarget,
    source: &FixedSource,
    operation: &Operation,
) -> Option<(String, &'static str)> {
    let (FixedTarget::Query(name), FixedSource::Literal(value)) = (target, source) else {
        return None;
    };
    let parameter = operation.parameter(Place::Query, name)?;
    // It is sent as a text and read again as what the schema asks for.
    let is_taken = |value: &Json| parameter.validator.is_valid(value);
    let other = match value {
        Json::Text(text) => json::parse(text.as_bytes(), Bounds::default()).ok(),
        other => {
            let mut text = Vec::new();
            json::write(other, &mut text);
            Some(Json::Text(
                String::from_utf8_lossy(&text).into_owned().into(),
            ))
        }
    };
    let is_one = is_taken(value) || other.as_ref().is_some_and(is_taken);
    (!is_one).then(|| {
        (
            format!("`{name}` of `{}` does not take this value", operation.id),
            "Write a value that the contract admits, or correct the contract.",
        )
    })
}
