//! Which values of bodies and paths probably name other objects, told by names. Proposals: a person reads and corrects
//! them.
//! Exports `references` (targets for an overlay, each with the kind that is probably named).
//! Used by `facts`.
//! Start reading at `references`; what looks like a reference is worked out by `model::likeness`.

use std::collections::BTreeMap;

use contract::{Contract, Operation, Place, TemplateSegment};
use model::likeness::{self, KindName};

use crate::objects::Object;

/// Every place that probably names an object, once, with the kind. One that two operations read differently is left to a
/// person, who is asked by `check`.
pub fn references(contract: &Contract, objects: &[Object]) -> Vec<(String, String)> {
    let kinds: Vec<KindName<'_>> = objects
        .iter()
        .map(|object| KindName {
            schema: &object.schema,
            id: &object.parameter,
            scalar: object.scalar,
        })
        .collect();
    let mut found: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for operation in contract.operations.iter().filter(|o| !o.method.is_safe()) {
        let own = own(operation, objects);
        let places = likeness::likely(&operation.request_shape, &kinds, own);
        let places = places
            .into_iter()
            .map(|likely| (likely.target, likely.kind));
        for (target, kind) in places.chain(in_path(operation, &kinds)) {
            let Some(target) = target else { continue };
            let known = found.entry(target.to_string()).or_insert(Some(kind));
            *known = known.filter(|known| *known == kind);
        }
    }
    let named = found.into_iter();
    named
        .filter_map(|(target, kind)| Some((target, objects.get(kind?)?.schema.clone())))
        .collect()
}

/// The kind of object a body is: what is sent to the path of one, or what comes back where nothing is named.
fn own(operation: &Operation, objects: &[Object]) -> Option<usize> {
    let is_at_object = matches!(
        operation.segments.last(),
        Some(TemplateSegment::Parameter(_))
    );
    if !is_at_object && has_parameter(operation) {
        return None;
    }
    let schema = operation.response_shape()?.root()?.schema.as_deref()?;
    objects.iter().position(|object| object.schema == schema)
}

fn has_parameter(operation: &Operation) -> bool {
    let mut segments = operation.segments.iter();
    segments.any(|segment| !matches!(segment, TemplateSegment::Static(_)))
}

/// Parameters of the path that name an object under another name than its own.
fn in_path(
    operation: &Operation,
    kinds: &[KindName<'_>],
) -> Vec<(Option<std::sync::Arc<str>>, usize)> {
    let in_path = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.place == Place::Path && parameter.refers_to.is_none());
    let others = in_path.filter(|parameter| kinds.iter().all(|kind| *kind.id != *parameter.name));
    others
        .filter_map(|parameter| {
            let kind = likeness::likely_name(&parameter.name, kinds, None)?;
            let scalar = parameter.shape.root().map(|root| root.scalar)?;
            let is_fit = kinds.get(kind).is_some_and(|kind| kind.scalar == scalar);
            is_fit.then(|| (parameter.at.clone(), kind))
        })
        .collect()
}
