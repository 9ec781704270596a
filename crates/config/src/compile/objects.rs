//! The objects of a version: are the schema, the id, the look-up and the attributes really there?
//! Exports `compile` (one version) and `shapes` (all versions, as policy wants them).
//! Used by apis and foreign.
//! Start reading at `compile`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Contract, Operation, Parameter, Place as ParameterPlace, TemplateSegment};
use model::shape::Node;
use model::{Method, Shape};
use policy::{
    ApiShape, BodyMeaning, ErrorShape, ObjectKind, OperationShape, ParameterShape, Source,
};

use super::carried;
use super::draft::{Apis, operation};
use crate::Files;
use crate::api::{Object, Version};
use crate::de::{listed, nearest};
use crate::report::Report;
use crate::spanned::{At, Place};

/// Checks the objects of a version and hands on those that are right, with the names of what is not.
pub(super) fn compile(
    full: &str,
    version: &Version,
    contract: Option<&Contract>,
    file: &Arc<str>,
    report: &mut Report,
) -> (Vec<ObjectKind>, BTreeSet<Arc<str>>) {
    let (mut kinds, mut unsure) = (Vec::new(), BTreeSet::new());
    let Some(contract) = contract else {
        return (kinds, unsure);
    };
    for (name, object) in version.objects.iter() {
        let known = report.len();
        let found = kind(full, name, object, contract, file, report);
        if report.len() > known {
            let declared = object.attributes.names();
            let has = |name: &&str| match &found {
                Some(kind) => kind.attributes.iter().any(|(known, _)| **known == **name),
                None => false,
            };
            unsure.extend(declared.filter(|name| !has(name)).map(Arc::from));
            unsure.insert(name.value.as_str().into());
            // Without the kind nobody knows what an operation is about.
            unsure.extend(found.is_none().then(|| Arc::from(policy::UNSURE_OBJECTS)));
        }
        kinds.extend(found);
    }
    (kinds, unsure)
}

fn kind(
    full: &str,
    name: &At<String>,
    object: &Object,
    contract: &Contract,
    file: &Arc<str>,
    report: &mut Report,
) -> Option<ObjectKind> {
    let place = name.place(file);
    let known: Vec<&str> = contract.schemas.iter().map(|s| &**s).collect();
    if !known.contains(&name.as_str()) {
        let help = nearest(name, &known)
            .unwrap_or_else(|| format!("Its schemas are: {}.", listed(&known)));
        report.wrong(
            &place,
            format!("the contract of `{full}` has no schema `{}`", name.value),
            help,
        );
        return None;
    }
    let nodes = nodes_of(contract, name);
    if nodes.is_empty() {
        let help = "Refer to the schema (`$ref`) where the object appears, or take the entry out.";
        report.wrong(
            &place,
            format!("no message of `{full}` carries a `{}`", name.value),
            help,
        );
        return None;
    }
    let id = source(&object.id, contract, &nodes, file, report)?;
    let resolve = object
        .resolve
        .as_ref()
        .and_then(|at| resolve(full, at, name, contract, &at.place(file), report));
    let attributes: Vec<(Arc<str>, Source)> = object
        .attributes
        .iter()
        .filter_map(|(name, at)| {
            attribute_name(name, file, report);
            Some((
                name.value.as_str().into(),
                source(at, contract, &nodes, file, report)?,
            ))
        })
        .collect();
    Some(ObjectKind {
        rule: place.rule_ref(),
        schema: name.value.as_str().into(),
        id,
        resolve,
        attributes,
        is_person: object.person.as_ref().is_some_and(|at| at.value),
    })
}

/// Attributes become names in Cedar, so they are plain words.
fn attribute_name(name: &At<String>, file: &Arc<str>, report: &mut Report) {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_plain = name.bytes().all(is_word) && name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !is_plain || name.len() > 63 {
        let help = "Names of attributes are letters, digits and `_`, beginning with a letter.";
        report.wrong(
            &name.place(file),
            format!("`{}` is not a valid name", name.value),
            help,
        );
    }
}

/// Where an id or attribute is read, checked against parameters and fields.
fn source(
    at: &At<String>,
    contract: &Contract,
    nodes: &[(&Shape, &Node)],
    file: &Arc<str>,
    report: &mut Report,
) -> Option<Source> {
    let place = at.place(file);
    let read = Source::parse(at).map_err(|why| {
        let (message, help) = why
            .split_once("; ")
            .unwrap_or((&why, "write `path.NAME` or `body.FIELD.FIELD`"));
        report.wrong(&place, message, crate::de::sentence(help));
    });
    let read = read.ok()?;
    let problem = match &read {
        Source::Path(name) => parameter_problem(name, contract),
        Source::Body(steps) => field_problem(steps, nodes),
    };
    if let Some((message, help)) = problem {
        report.wrong(&place, message, help);
        return None;
    }
    Some(read)
}

fn parameter_problem(name: &str, contract: &Contract) -> Option<(String, String)> {
    let all = contract.operations.iter().flat_map(|o| &o.parameters);
    let mut known: Vec<&str> = all
        .filter(|p| p.place == ParameterPlace::Path)
        .map(|p| &*p.name)
        .collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&name) {
        return None;
    }
    let help = nearest(name, &known)
        .unwrap_or_else(|| format!("Path parameters are: {}.", listed(&known)));
    Some((format!("no operation has a path parameter `{name}`"), help))
}

/// The first step that none of the places where the schema appears has.
fn field_problem(steps: &[Arc<str>], nodes: &[(&Shape, &Node)]) -> Option<(String, String)> {
    let mut worst = None;
    for (shape, start) in nodes {
        match missing_step(shape, start, steps) {
            None => return None,
            Some(problem) => worst = worst.or(Some(problem)),
        }
    }
    worst
}

fn missing_step(shape: &Shape, start: &Node, steps: &[Arc<str>]) -> Option<(String, String)> {
    let mut node = start;
    for step in steps {
        let next = node
            .fields
            .get(step)
            .map(|field| field.node)
            .or(node.values);
        let Some(next) = next.and_then(|id| shape.node(id)) else {
            let known: Vec<&str> = node.fields.keys().map(|k| &**k).collect();
            let help = match nearest(step, &known) {
                Some(help) => help,
                None if known.is_empty() => "Nothing is declared below this place.".into(),
                None => format!("The fields here are: {}.", listed(&known)),
            };
            return Some((format!("the object has no field `{step}`"), help));
        };
        node = next;
    }
    None
}

fn resolve(
    full: &str,
    at: &At<String>,
    schema: &str,
    contract: &Contract,
    place: &Place,
    report: &mut Report,
) -> Option<Arc<str>> {
    let id = operation(full, at, contract, place, report)?;
    let (_, operation) = contract.operation(&id)?;
    if operation.method != Method::Get {
        let help = "Name the operation that reads one object; looking up must not change anything.";
        report.wrong(
            place,
            format!("`{id}` is a {}, not a GET", operation.method),
            help,
        );
        return None;
    }
    let answers = |o: &Operation| {
        o.response_shape()
            .is_some_and(|shape| carries(shape, schema))
    };
    if !answers(operation) {
        let message = format!("the answer of `{id}` holds no `{schema}`");
        report.wrong(
            place,
            message,
            format!("Name the operation whose answer is the `{schema}`."),
        );
        return None;
    }
    Some(id)
}

fn carries(shape: &Shape, schema: &str) -> bool {
    shape.nodes.iter().any(|node| node.may_be(schema))
}

/// Every place of a schema in the messages of a contract.
fn nodes_of<'c>(contract: &'c Contract, schema: &str) -> Vec<(&'c Shape, &'c Node)> {
    let shapes = contract.operations.iter().flat_map(|operation| {
        let answers = operation.responses.iter().map(|response| &response.shape);
        answers.chain(std::iter::once(&operation.request_shape))
    });
    let nodes = shapes.flat_map(|shape| shape.nodes.iter().map(move |node| (shape, node)));
    nodes.filter(|(_, node)| node.may_be(schema)).collect()
}

/// All versions with a contract, as policy wants them.
pub(super) fn shapes(apis: &Apis, files: &Files) -> Vec<ApiShape> {
    let versions = apis.versions.iter().zip(&apis.objects);
    versions
        .filter_map(|(version, (objects, unsure))| {
            let contract = version.contract.as_deref()?;
            Some(ApiShape {
                name: version.name.clone(),
                operations: contract
                    .operations
                    .iter()
                    .zip(&version.operations)
                    .map(|(operation, plan)| operation_shape(operation, plan.is_read, files))
                    .collect(),
                objects: objects.clone(),
                lookups_max: version.lookups_max,
                unsure: unsure.clone(),
            })
        })
        .collect()
}

/// The declared parameters; those of the path come first and stand as they do there, whatever the document's order.
fn in_path_order(operation: &Operation) -> Vec<&Parameter> {
    let names = operation.segments.iter().flat_map(|segment| match segment {
        TemplateSegment::Static(_) => &[],
        TemplateSegment::Parameter(name) => std::slice::from_ref(name),
        TemplateSegment::Mixed { names, .. } => names.as_slice(),
    });
    let is_in_path = |parameter: &&Parameter| parameter.place == ParameterPlace::Path;
    let in_path = names.filter_map(|name| operation.parameter(ParameterPlace::Path, name));
    let mut all: Vec<&Parameter> = in_path.collect();
    let rest = operation.parameters.iter();
    all.extend(rest.filter(|parameter| !is_in_path(parameter)));
    all
}

/// The parameter the path ends with: `{workOrderId}`, also in `{workOrderId}.json`.
fn ends_in(operation: &Operation) -> Option<Arc<str>> {
    match operation.segments.last()? {
        TemplateSegment::Static(_) => None,
        TemplateSegment::Parameter(name) => Some(name.clone()),
        TemplateSegment::Mixed { names, texts } => match (names.as_slice(), texts.first()) {
            ([name], Some(before)) if before.is_empty() => Some(name.clone()),
            _ => None,
        },
    }
}

/// Whether a body may be a list of steps (RFC 6902), which says nothing of the object but what to do with it.
fn takes_steps(operation: &Operation) -> bool {
    let contents = operation.body.iter().flat_map(|body| &body.contents);
    contents
        .into_iter()
        .any(|content| &*content.content_type == "application/json-patch+json")
}

fn operation_shape(operation: &Operation, is_read: bool, files: &Files) -> OperationShape {
    OperationShape {
        id: operation.id.clone(),
        is_write: !is_read,
        response: Arc::new(operation.response_shape().cloned().unwrap_or_default()),
        errors: operation
            .error_responses()
            .map(|(response, plan)| ErrorShape {
                response,
                shape: Arc::new(plan.shape.clone()),
            })
            .collect(),
        request: Arc::new(operation.request_shape.clone()),
        takes_forms: operation.takes_forms(),
        body_kind: operation.body_kind(),
        response_kind: operation.response_kind(),
        lost_body: carried::lost_body(operation, files),
        ends_in: ends_in(operation),
        body: match operation.method {
            Method::Put => BodyMeaning::Replacement,
            Method::Patch => BodyMeaning::Change,
            _ => BodyMeaning::Action,
        },
        takes_steps: takes_steps(operation),
        parameters: in_path_order(operation)
            .into_iter()
            .map(|parameter| ParameterShape {
                name: parameter.name.clone(),
                place: match parameter.place {
                    ParameterPlace::Path => policy::ParameterPlace::Path,
                    ParameterPlace::Query => policy::ParameterPlace::Query,
                    ParameterPlace::Header | ParameterPlace::Cookie => {
                        policy::ParameterPlace::Header
                    }
                },
                scalar: parameter
                    .shape
                    .root()
                    .map(|node| node.scalar)
                    .unwrap_or_default(),
                domain: parameter.shape.root().and_then(|node| node.domain.clone()),
                refers_to: parameter.refers_to.clone(),
                at: parameter.at.clone(),
                reveals: parameter.reveals.clone(),
                stated: parameter.stated.clone(),
                page: parameter.page,
            })
            .collect(),
    }
}
