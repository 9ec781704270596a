//! Which operations a rule about a field means, and whether they have the field.
//! Exports `having`. A name that leads nowhere is a mistake with the nearest one that does.
//! Used by `inspection` for exclusions and for the paranoia of single fields.
//! Start reading at `having`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Operation, Place};
use model::Shape;
use model::shape::{Node, NodeId};

use crate::compile::draft::Apis;
use crate::de::{listed, nearest};
use crate::report::Report;
use crate::spanned::At;

/// Headers that any request may carry, whatever its contract declares. Rules from directories look at them.
const USUAL_HEADERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-type",
    "cookie",
    "from",
    "host",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "prefer",
    "range",
    "referer",
    "traceparent",
    "user-agent",
    "x-requested-with",
];

/// One operation that has the field.
pub(super) struct Having {
    /// Index of the version.
    pub version: usize,
    /// Index of the operation.
    pub operation: usize,
    /// Its full name: `field-service/v2:createWorkOrder`.
    pub scope: Arc<str>,
    /// The field as requests have it.
    pub pointer: String,
}

/// The operations that have the field; none where a mistake was reported, or where a broken api keeps us from knowing.
pub(super) fn having(
    operation: Option<&At<String>>,
    pointer: &At<String>,
    apis: &Apis,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<Vec<Having>> {
    let candidates = match operation.map(|at| (at, apis.named(at))) {
        None => apis.operations().collect(),
        Some((_, Ok(candidates))) => candidates,
        Some((at, Err((message, help)))) => {
            // A version that is broken may be the one that is meant.
            if apis.broken.is_empty() {
                report.wrong(&at.place(file), message, help);
            }
            return None;
        }
    };
    let (mut found, mut problem) = (Vec::new(), None);
    for one in candidates {
        let Some(declared) = one.declared() else {
            continue;
        };
        match lost(declared, pointer) {
            None => found.push(Having {
                version: one.version_index,
                operation: one.operation_index,
                scope: one.plan.inspected.scope.clone(),
                pointer: spelled(pointer, declared),
            }),
            Some(words) => problem = problem.or(Some(words)),
        }
    }
    if !found.is_empty() || !apis.broken.is_empty() {
        return Some(found);
    }
    let (message, help) = match problem {
        Some(words) if operation.is_some() => words,
        _ => (
            format!("no operation has a field `{}`", pointer.value),
            "Name the operation too, to learn what it has instead.".to_owned(),
        ),
    };
    report.wrong(&pointer.place(file), message, help);
    None
}

type Problem = (String, String);

/// The pointer as requests have it: names of headers are in lower case there.
fn spelled(pointer: &str, operation: &Operation) -> String {
    let name = pointer.split('/').next().unwrap_or_default();
    let is_own = |place: fn(Place) -> bool| {
        let mut declared = operation.parameters.iter();
        declared.any(|p| place(p.place) && p.is_named(name))
    };
    if name.is_empty() || is_own(|place| place != Place::Header) {
        pointer.to_owned()
    } else {
        pointer.replacen(name, &name.to_ascii_lowercase(), 1)
    }
}

/// What the operation has instead of the field; none where it has it.
fn lost(operation: &Operation, pointer: &str) -> Option<Problem> {
    if pointer.is_empty() {
        let is_leaf = |node: &Node| node.is_leaf;
        return if operation.request_shape.root().is_some_and(is_leaf) {
            None
        } else {
            Some((
                format!("the request body of `{}` is no single value", operation.id),
                "Write the field's JSON pointer: `/note`.".into(),
            ))
        };
    }
    if let Some(rest) = pointer.strip_prefix('/') {
        if operation.request_shape.is_empty() {
            let message = format!("`{}` has no request body", operation.id);
            return Some((message, parameters_help(operation, rest)));
        }
        return missing(&operation.request_shape, rest, "").map(|(at, help)| {
            (
                format!("the request body of `{}` has no field `{at}`", operation.id),
                help,
            )
        });
    }
    let (name, below) = match pointer.split_once('/') {
        Some((name, below)) => (name, Some(below)),
        None => (pointer, None),
    };
    let mut declared = operation
        .parameters
        .iter()
        .filter(|p| p.is_named(name))
        .peekable();
    if declared.peek().is_some() {
        let below = below?;
        let problems: Vec<_> = declared
            .map(|parameter| missing(&parameter.shape, below, name))
            .collect();
        if problems.iter().any(Option::is_none) {
            return None;
        }
        let (at, help) = problems.into_iter().flatten().next()?;
        return Some((format!("`{}` has no parameter `{at}`", operation.id), help));
    }
    if below.is_none() && USUAL_HEADERS.contains(&&*name.to_ascii_lowercase()) {
        return None;
    }
    Some((
        format!("`{}` has no parameter `{name}`", operation.id),
        parameters_help(operation, name),
    ))
}

fn parameters_help(operation: &Operation, name: &str) -> String {
    let body = operation.request_shape.root();
    if body.is_some_and(|node| node.fields.contains_key(name)) {
        return format!("A field of the body begins with a slash: `/{name}`.");
    }
    let own: Vec<&str> = operation.parameters.iter().map(|p| &*p.name).collect();
    let all: Vec<&str> = own
        .iter()
        .copied()
        .chain(USUAL_HEADERS.iter().copied())
        .collect();
    match nearest(name, &all) {
        Some(help) => help,
        None if own.is_empty() => {
            "It has no parameters. Fields of a body are written as JSON pointers: `/note`.".into()
        }
        None => format!(
            "Its parameters are: {}. Fields of a body are written as JSON pointers: `/note`.",
            listed(&own)
        ),
    }
}

/// The first step that leads nowhere, with its pointer and what is there instead.
fn missing(shape: &Shape, pointer: &str, before: &str) -> Option<(String, String)> {
    let mut here: BTreeSet<NodeId> = BTreeSet::from([0]);
    let mut walked = before.to_owned();
    for step in pointer.split('/') {
        walked.push('/');
        walked.push_str(step);
        let nodes: Vec<&Node> = here.iter().filter_map(|id| shape.node(*id)).collect();
        let name = step.replace("~1", "/").replace("~0", "~");
        let is_item = name == "*" || name.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty();
        let mut next = BTreeSet::new();
        for node in &nodes {
            // What the contract leaves open may be called anything.
            if node.is_open {
                return None;
            }
            next.extend(node.items.filter(|_| is_item));
            match name.as_str() {
                "*" => {
                    next.extend(node.fields.values().map(|field| field.node));
                    next.extend(node.values);
                }
                name => next.extend(node.fields.get(name).map(|f| f.node).or(node.values)),
            }
        }
        if next.is_empty() {
            let above = walked.len().saturating_sub(step.len());
            let help = instead(&nodes, &name, walked.get(..above).unwrap_or_default());
            return Some((walked, help));
        }
        here = next;
    }
    None
}

/// What is there instead, as pointers.
fn instead(nodes: &[&Node], name: &str, above: &str) -> String {
    if nodes.iter().any(|node| node.items.is_some()) {
        return "This is a list; `*` stands for each of its items.".into();
    }
    let fields = nodes.iter().flat_map(|node| node.fields.keys());
    let escaped = |key: &Arc<str>| key.replace('~', "~0").replace('/', "~1");
    let mut known: Vec<String> = fields
        .map(|key| format!("{above}{}", escaped(key)))
        .collect();
    known.sort_unstable();
    known.dedup();
    match nearest(&format!("{above}{name}"), &known) {
        Some(help) => help,
        None if known.is_empty() => "Nothing is declared below this place.".into(),
        None => format!("The fields here are: {}.", listed(&known)),
    }
}
