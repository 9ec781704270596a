//! What the contracts say: operations, object kinds, which operation is about which object.
//! Exports the part of `Build` that registers an api.
//! Used by `Build::run`.
//! Start reading at `Build::api`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Shape;
use model::shape::{Node, NodeId};

use super::super::check::{self, listed, nearest};
use super::super::{
    Attribute, Change, Kind, Named, Operation, OperationRef, Shown, parameter_scalar,
};
use super::fields::field_at;
use super::{Build, places, shown};
use crate::cedar::{self, AttributeType};
use crate::errors::ErrorGround;
use crate::input::{ApiShape, ErrorShape, ObjectKind, OperationShape, ParameterPlace, Source};
use crate::pages::Pages;
use crate::parameters::BodyAsks;
use crate::plan::{KindId, is_single, leads, outermost};

impl Build {
    pub(super) fn api(&mut self, api: &ApiShape) {
        let kinds = self.kinds(api);
        let first = self.rules.operations.len();
        for shape in &api.operations {
            let operation = self.operation(api, shape, &kinds);
            let reference =
                OperationRef(u32::try_from(self.rules.operations.len()).unwrap_or(u32::MAX));
            self.rules
                .by_name
                .entry(api.name.clone())
                .or_default()
                .insert(shape.id.clone(), reference);
            self.rules.operations.extend(operation);
        }
        for object in &api.objects {
            self.kind_details(api, object, first, &kinds);
        }
        let references = (first..self.rules.operations.len())
            .filter_map(|index| u32::try_from(index).ok().map(OperationRef));
        let shown: Vec<Shown> = references.map(|r| shown::of(&self.rules, r)).collect();
        let operations = self.rules.operations.iter_mut().skip(first);
        for (operation, shown) in operations.zip(shown) {
            operation.shown = shown;
            operation.subject = written(operation, &self.rules.kinds);
            operation.change = places::of(operation, &self.rules.kinds);
            operation.answers_other = operation.is_write && answers_other(operation);
        }
    }

    /// Registers the kinds; their attributes are typed once the operations are known.
    fn kinds(&mut self, api: &ApiShape) -> BTreeMap<Arc<str>, KindId> {
        let mut kinds = BTreeMap::new();
        let mut taken: Vec<String> = Vec::new();
        for object in &api.objects {
            let mut name = cedar::identifier(&object.schema);
            while taken.contains(&name) || name == "Action" {
                name.push('_');
            }
            let type_text = format!("{}::{name}", cedar::namespace(&api.name));
            taken.push(name);
            let Ok(type_name) = type_text.parse() else {
                self.mistake(
                    &object.rule,
                    format!("`{}` cannot be the name of an object kind", object.schema),
                    "use a schema whose name is made of letters, digits and `_`",
                );
                continue;
            };
            kinds.insert(object.schema.clone(), self.rules.kinds.len());
            self.rules.kinds.push(Kind {
                api: api.name.clone(),
                schema: object.schema.clone(),
                type_name,
                type_text,
                id: object.id.clone(),
                resolve: None,
                attributes: Vec::new(),
                is_person: object.is_person,
            });
        }
        kinds
    }

    fn operation(
        &mut self,
        api: &ApiShape,
        shape: &OperationShape,
        kinds: &BTreeMap<Arc<str>, KindId>,
    ) -> Option<Operation> {
        let mut ambiguous = None;
        let mut guards_of = |shape: &Shape| -> Vec<Option<KindId>> {
            let nodes = shape.nodes.iter();
            nodes
                .map(|node| {
                    guard(node, kinds).unwrap_or_else(|both| {
                        ambiguous.get_or_insert(both);
                        None
                    })
                })
                .collect()
        };
        let (guards, request_guards) = (guards_of(&shape.response), guards_of(&shape.request));
        let errors = errors(shape, kinds);
        let mut operation = Operation {
            errors,
            api: api.name.clone(),
            id: shape.id.clone(),
            is_write: shape.is_write,
            action: cedar::action(&cedar::namespace(&api.name), &shape.id)?,
            leads: leads(&shape.response, &guards),
            is_single: false,
            has_several: false,
            answers_other: false,
            request_leads: leads(&shape.request, &request_guards),
            response: shape.response.clone(),
            request: shape.request.clone(),
            asks: if shape.is_write {
                BodyAsks::default()
            } else {
                BodyAsks::new(&shape.request, shape.takes_forms)
            },
            parameters: shape.parameters.clone(),
            guards,
            request_guards,
            resources: Vec::new(),
            subject: None,
            named: Vec::new(),
            body_kind: shape.body_kind,
            response_kind: shape.response_kind,
            lost_body: shape.lost_body.clone(),
            lookups_max: api.lookups_max,
            ends_in: shape.ends_in.clone(),
            shown: Shown::Nowhere,
            has_body_references: shape.request.nodes.iter().any(Node::names_objects),
            ambiguous,
            change: Change {
                meaning: shape.body,
                takes_steps: shape.takes_steps,
                ..Change::default()
            },
            pages: Pages::default(),
        };
        operation.is_single = is_single(operation.ground());
        operation.has_several = outermost(operation.ground()).len() > 1;
        operation.pages = Pages::new(operation.ground(), &operation.parameters, &operation.asks);
        operation.resources = self.resources(&operation, kinds);
        operation.subject = self.subject(&operation);
        operation.named = self.named(&operation, kinds);
        Some(operation)
    }

    /// Kinds an operation is about: outermost in the answer, else in the body, else the last one named by the path.
    fn resources(&self, operation: &Operation, kinds: &BTreeMap<Arc<str>, KindId>) -> Vec<KindId> {
        let of = |ground| -> Vec<KindId> {
            let mut found: Vec<KindId> = outermost(ground)
                .into_iter()
                .map(|(_, kind)| kind)
                .collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let found = of(operation.ground());
        if !found.is_empty() {
            return found;
        }
        let found = match operation.is_write {
            true => of(operation.request_ground()),
            // What a read is asked with is no object, only a description of one.
            false => Vec::new(),
        };
        if !found.is_empty() {
            return found;
        }
        let in_path = |parameter: &crate::input::ParameterShape| {
            kinds.values().copied().find(|kind| {
                let id = self.rules.kind(*kind).map(|k| &k.id);
                parameter.place == ParameterPlace::Path
                    && id == Some(&Source::Path(parameter.name.clone()))
            })
        };
        operation
            .parameters
            .iter()
            .rev()
            .find_map(in_path)
            .into_iter()
            .collect()
    }

    fn subject(&self, operation: &Operation) -> Option<(KindId, Source)> {
        operation.resources.iter().find_map(|id| {
            let kind = self.rules.kind(*id)?;
            let is_named = match &kind.id {
                Source::Path(name) => operation
                    .parameters
                    .iter()
                    .any(|p| p.place == ParameterPlace::Path && p.name == *name),
                Source::Body(steps) => {
                    operation.is_write && field_at(&operation.request, 0, steps).is_some()
                }
            };
            is_named.then(|| (*id, kind.id.clone()))
        })
    }

    /// Parameters that name objects other than the one the operation is about.
    fn named(&self, operation: &Operation, kinds: &BTreeMap<Arc<str>, KindId>) -> Vec<Named> {
        let mut found = Vec::new();
        for (index, parameter) in operation.parameters.iter().enumerate() {
            let outright = parameter
                .refers_to
                .as_ref()
                .and_then(|name| kinds.get(name).copied());
            let by_path = kinds.values().copied().find(|kind| {
                let id = self.rules.kind(*kind).map(|k| &k.id);
                parameter.place == ParameterPlace::Path
                    && id == Some(&Source::Path(parameter.name.clone()))
            });
            let is_subject = |kind: KindId| {
                operation.subject.as_ref().is_some_and(|(subject, source)| {
                    *subject == kind && *source == Source::Path(parameter.name.clone())
                })
            };
            if let Some(kind) = outright.or(by_path).filter(|kind| !is_subject(*kind)) {
                found.push(Named {
                    kind,
                    parameter: index,
                    is_outright: outright.is_some(),
                });
            }
        }
        found
    }

    fn kind_details(
        &mut self,
        api: &ApiShape,
        object: &ObjectKind,
        first: usize,
        kinds: &BTreeMap<Arc<str>, KindId>,
    ) {
        let Some(id) = kinds.get(&object.schema).copied() else {
            return;
        };
        let places = self.places(first, id);
        let is_named = self
            .rules
            .operations
            .iter()
            .skip(first)
            .any(|op| op.resources.contains(&id));
        if places.is_empty() && !is_named {
            let schemas = self.schema_names(first);
            let names: Vec<&str> = schemas.iter().map(|s| &**s).collect();
            let help = match nearest(&object.schema, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("the contract's schemas in use are {}", listed(&names)),
            };
            self.mistake(
                &object.rule,
                format!(
                    "no operation of `{}` answers or takes a `{}`",
                    api.name, object.schema
                ),
                help,
            );
            return;
        }
        let attributes: Vec<Attribute> = object
            .attributes
            .iter()
            .filter_map(|(name, source)| self.attribute(object, name, source, &places, (id, first)))
            .enumerate()
            .map(|(index, attribute)| Attribute { index, ..attribute })
            .collect();
        let resolve = self.resolve(api, object);
        if let Some(kind) = self.rules.kinds.get_mut(id) {
            (kind.attributes, kind.resolve) = (attributes, resolve);
        }
    }

    /// Where objects of a kind stand, in answers and bodies.
    fn places(&self, first: usize, kind: KindId) -> Vec<(Arc<Shape>, NodeId)> {
        let mut found = Vec::new();
        for operation in self.rules.operations.iter().skip(first) {
            for (shape, guards) in [
                (&operation.response, &operation.guards),
                (&operation.request, &operation.request_guards),
            ] {
                let at = guards.iter().position(|guard| *guard == Some(kind));
                found.extend(at.map(|node| (shape.clone(), node)));
            }
        }
        found
    }

    fn schema_names(&self, first: usize) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self
            .rules
            .operations
            .iter()
            .skip(first)
            .flat_map(|op| op.response.nodes.iter().chain(&op.request.nodes))
            .filter_map(|node| node.schema.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn attribute(
        &mut self,
        object: &ObjectKind,
        name: &Arc<str>,
        source: &Source,
        places: &[(Arc<Shape>, NodeId)],
        (id, first): (KindId, usize),
    ) -> Option<Attribute> {
        let kind = match source {
            Source::Path(parameter) => self
                .rules
                .operations
                .iter()
                .skip(first)
                .find_map(|op| parameter_scalar(&op.parameters, parameter))
                .map(|scalar| AttributeType {
                    scalar,
                    is_list: false,
                })
                .ok_or_else(|| {
                    (
                        format!("no path of the contract has a parameter `{parameter}`"),
                        String::new(),
                    )
                }),
            Source::Body(steps) => places
                .iter()
                .find_map(|(shape, node)| field_at(shape, *node, steps).map(|at| (shape, at)))
                .map(|(shape, at)| attribute_type(shape, at))
                .unwrap_or_else(|| Err(missing_field(object, steps, places))),
        };
        match kind {
            Ok(kind) => Some(Attribute {
                index: 0,
                name: name.clone(),
                source: source.clone(),
                kind,
                domain: self.domain(source, id, first),
            }),
            Err((message, help)) => {
                self.mistake(
                    &object.rule,
                    format!("attribute `{name}` of `{}`: {message}", object.schema),
                    help,
                );
                None
            }
        }
    }

    fn resolve(&mut self, api: &ApiShape, object: &ObjectKind) -> Option<(OperationRef, Arc<str>)> {
        let asked = object.resolve.as_ref()?;
        let Some(reference) = self.rules.operation(&api.name, asked) else {
            let ids: Vec<&str> = api.operations.iter().map(|o| &*o.id).collect();
            let help = match nearest(asked, ids.iter().copied()) {
                Some(id) => format!("did you mean `{id}`?"),
                None => format!("the operations of `{}` are {}", api.name, listed(&ids)),
            };
            self.mistake(
                &object.rule,
                format!("`resolve` names `{asked}`, which is no operation"),
                help,
            );
            return None;
        };
        let operation = self.rules.op(reference)?;
        let in_path: Vec<Arc<str>> = operation
            .parameters
            .iter()
            .filter(|p| p.place == ParameterPlace::Path)
            .map(|p| p.name.clone())
            .collect();
        let parameter = match &object.id {
            Source::Path(name) => in_path
                .iter()
                .find(|p| *p == name)
                .or(in_path.last())
                .cloned(),
            Source::Body(_) => in_path.last().cloned(),
        };
        let is_fit = !operation.is_write
            && operation.guards.iter().flatten().any(|kind| {
                self.rules
                    .kind(*kind)
                    .is_some_and(|k| k.schema == object.schema && k.api == api.name)
            });
        match parameter.filter(|_| is_fit) {
            Some(parameter) => Some((reference, parameter)),
            None => {
                self.mistake(
                    &object.rule,
                    format!("`{asked}` cannot fetch one `{}`", object.schema),
                    "name a GET operation with the id in its path that answers with this schema",
                );
                None
            }
        }
    }
}

/// The object that a write is about. Where the kind's id stands in the object, the path still names which one is changed
/// when it carries the parameter that the look-up asks for: what the body says is no more than what it will be.
fn written(operation: &Operation, kinds: &[Kind]) -> Option<(KindId, Source)> {
    let by_path = operation.resources.iter().find_map(|id| {
        let kind = kinds.get(*id)?;
        let (_, parameter) = kind.resolve.as_ref()?;
        let mut own = operation.parameters.iter();
        let is_named = own.any(|p| p.place == ParameterPlace::Path && p.name == *parameter);
        let is_in_body = matches!(kind.id, Source::Body(_));
        (is_named && is_in_body).then(|| (*id, Source::Path(parameter.clone())))
    });
    match by_path {
        Some(subject) if operation.is_write => Some(subject),
        _ => operation.subject.clone(),
    }
}

/// Whether a write may answer with another object than the one that its path names or its body describes.
fn answers_other(operation: &Operation) -> bool {
    let described = outermost(operation.request_ground());
    let in_path =
        |parameter: &crate::input::ParameterShape| parameter.place == ParameterPlace::Path;
    let is_collection = !operation.parameters.iter().any(in_path);
    let is_changed = |kind: KindId| {
        let subject = operation.subject.as_ref();
        operation.change.is_at_id && subject.is_some_and(|(subject, _)| *subject == kind)
    };
    // A body that is declared as no kind describes what is made of it.
    let is_made = |kind: KindId| match described.as_slice() {
        [] => is_collection && !operation.request.is_empty(),
        described => described.iter().any(|(_, own)| *own == kind),
    };
    let mut answered = outermost(operation.ground()).into_iter();
    answered.any(|(_, kind)| !is_changed(kind) && !is_made(kind))
}

/// The kind a place is judged as: the one its own schema is, else the only one it is or may be through composition.
/// What merely may be that kind is judged as if it were: what it lacks satisfies no condition.
fn guard(
    node: &model::shape::Node,
    kinds: &BTreeMap<Arc<str>, KindId>,
) -> Result<Option<KindId>, (Arc<str>, Arc<str>)> {
    let own = node.schema.as_ref().and_then(|name| kinds.get(name));
    if own.is_some() {
        return Ok(own.copied());
    }
    let mut also = node.also.iter().filter(|name| kinds.contains_key(*name));
    match (also.next(), also.next()) {
        (Some(one), Some(other)) => Err((one.clone(), other.clone())),
        (one, _) => Ok(one.and_then(|name| kinds.get(name)).copied()),
    }
}

fn attribute_type(shape: &Shape, node: NodeId) -> Result<AttributeType, check::Fault> {
    let nothing = || {
        (
            "it leads to an object, not to a value".to_owned(),
            "name a string, number or boolean, or a list of them".to_owned(),
        )
    };
    let place = shape.node(node).ok_or_else(nothing)?;
    if place.is_leaf {
        return Ok(AttributeType {
            scalar: place.scalar,
            is_list: false,
        });
    }
    let item = place
        .items
        .and_then(|item| shape.node(item))
        .ok_or_else(nothing)?;
    if item.is_leaf {
        Ok(AttributeType {
            scalar: item.scalar,
            is_list: true,
        })
    } else {
        Err(nothing())
    }
}

fn missing_field(
    object: &ObjectKind,
    steps: &[Arc<str>],
    places: &[(Arc<Shape>, NodeId)],
) -> check::Fault {
    let message = format!(
        "there is no field `{}` in `{}`",
        steps.join("."),
        object.schema
    );
    let Some((shape, start)) = places.first() else {
        return (message, String::new());
    };
    let mut here = *start;
    for step in steps {
        let Some(node) = shape.node(here) else {
            break;
        };
        match node.fields.get(step) {
            Some(field) => here = field.node,
            None => {
                let names: Vec<&str> = node.fields.keys().map(|k| &**k).collect();
                let help = match nearest(step, names.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("the fields here are {}", listed(&names)),
                };
                return (message, help);
            }
        }
    }
    (message, String::new())
}

/// Error answers with the kinds in them. One in which a place may hold either of two kinds shows nothing.
fn errors(shape: &OperationShape, kinds: &BTreeMap<Arc<str>, KindId>) -> Vec<ErrorGround> {
    let ground = |error: &ErrorShape| {
        let guards: Result<Vec<_>, _> = error.shape.nodes.iter().map(|n| guard(n, kinds)).collect();
        Some(ErrorGround {
            response: error.response,
            shape: error.shape.clone(),
            guards: guards.ok()?,
        })
    };
    shape.errors.iter().filter_map(ground).collect()
}
