//! Which operations of a version name persons, and where.
//! Exports `mark` (kinds that are persons although nobody said so) and `find`.
//! Used by apis.
//! Start reading at `find`.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Contract, Operation, Parameter, Place, TemplateSegment};
use model::Shape;
use model::shape::{Class, NO_KIND};
use policy::{ObjectKind, Source};

use crate::api::Version;
use crate::compiled::{OperationPersons, PersonPath};
use crate::report::Report;

/// A kind whose id a parameter holds that is classed personal, or stricter, is one of persons: what stands in the path is not to be
/// read in `objects` beside it.
pub(super) fn mark(
    kinds: &mut [ObjectKind],
    contract: &Contract,
    (written, file): (&Version, &Arc<str>),
    report: &mut Report,
) {
    let parameters = || {
        let operations = contract.operations.iter();
        operations.flat_map(|operation| &operation.parameters)
    };
    for kind in kinds {
        let is_id = |parameter: &&Parameter| names(parameter, kind) && is_personal(parameter);
        let Some(parameter) = parameters().find(is_id) else {
            continue;
        };
        kind.is_person = true;
        let mut objects = written.objects.iter();
        let object = objects.find(|(name, _)| *name.value == *kind.schema);
        let said = object.and_then(|(_, object)| object.person.as_ref());
        if let Some(denied) = said.filter(|said| !said.value) {
            report.wrong(
                &denied.place(file),
                format!(
                    "`{}` is said to be no person, and `{}`, which names it, is classed as personal",
                    kind.schema, parameter.name
                ),
                "Take `person: false` out, or the class of the parameter.",
            );
        }
    }
}

/// What each operation of the contract says of persons, and the paths that name them.
pub(super) fn find(
    kinds: &[ObjectKind],
    contract: &Contract,
    base_path: &str,
) -> (Vec<OperationPersons>, Vec<PersonPath>) {
    let persons: BTreeSet<&str> = kinds
        .iter()
        .filter(|kind| kind.is_person)
        .map(|kind| &*kind.schema)
        .collect();
    let (mut all, mut paths) = (Vec::new(), Vec::new());
    for operation in &contract.operations {
        let in_path = in_path(operation, kinds);
        if let Some(path) = path(operation, &in_path, base_path)
            && !paths.contains(&path)
        {
            paths.push(path);
        }
        let may_be_named = !in_path.is_empty() || says(operation, &persons);
        all.push(OperationPersons {
            in_path,
            may_be_named,
        });
    }
    (all, paths)
}

/// Whether a parameter holds the id of this kind.
fn names(parameter: &Parameter, kind: &ObjectKind) -> bool {
    let is_own = parameter.place == Place::Path && kind.id == Source::Path(parameter.name.clone());
    is_own || parameter.refers_to.as_ref() == Some(&kind.schema)
}

fn is_personal(parameter: &Parameter) -> bool {
    let root = parameter.shape.root();
    root.is_some_and(|node| node.class >= Class::Personal)
}

/// Path parameters that name persons. One that is classed personal and names no object is the person itself.
fn in_path(operation: &Operation, kinds: &[ObjectKind]) -> Vec<(Arc<str>, Arc<str>)> {
    let mut found = Vec::new();
    let parameters = operation.parameters.iter();
    for parameter in parameters.filter(|parameter| parameter.place == Place::Path) {
        let named = kinds.iter().filter(|kind| names(parameter, kind));
        let persons = named.filter(|kind| kind.is_person);
        let before = found.len();
        found.extend(persons.map(|kind| (parameter.name.clone(), kind.schema.clone())));
        if found.len() == before && is_personal(parameter) {
            let referred = parameter
                .refers_to
                .clone()
                .filter(|kind| **kind != *NO_KIND);
            let kind = referred.unwrap_or_else(|| parameter.name.clone());
            found.push((parameter.name.clone(), kind));
        }
    }
    found
}

/// Whether a parameter, a body or an answer may hold a person, or a value that is personal and stands in a sentence of a refusal.
fn says(operation: &Operation, persons: &BTreeSet<&str>) -> bool {
    let is_person =
        |kind: &Option<Arc<str>>| kind.as_deref().is_some_and(|kind| persons.contains(kind));
    let mut parameters = operation.parameters.iter();
    let in_parameters =
        parameters.any(|parameter| is_person(&parameter.refers_to) || is_personal(parameter));
    let holds = |shape: &Shape| {
        shape.nodes.iter().any(|node| {
            is_person(&node.refers_to) || persons.iter().any(|person| node.may_be(person))
        })
    };
    let mut answers = operation.responses.iter();
    in_parameters || holds(&operation.request_shape) || answers.any(|answer| holds(&answer.shape))
}

fn path(
    operation: &Operation,
    in_path: &[(Arc<str>, Arc<str>)],
    base_path: &str,
) -> Option<PersonPath> {
    let names_one = |segment: &TemplateSegment| {
        let mut persons = in_path.iter();
        persons.any(|(name, _)| segment.names().contains(name))
    };
    let last = operation.segments.iter().rposition(names_one)?;
    let base = base_path.split('/').filter(|text| !text.is_empty());
    let base = base.map(|text| TemplateSegment::Static(text.into()));
    let template = operation.segments.iter().take(last + 1).cloned();
    Some(PersonPath {
        segments: base.chain(template).collect(),
        persons: in_path.to_vec(),
    })
}
