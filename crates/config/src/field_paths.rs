//! Fields as people name them: relative to the object an operation is about, as in grants.
//! Exports `leaves`, `node_at`, `relative`, `is_within`, `is_below`, and `nest`, `peel`, `holds` for one object in an answer.
//! Used by `review`, and by whoever writes a first configuration.
//! Start reading at `relative`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::shape::NodeId;
use model::{Json, Shape};

/// More leaves than any schema is shown with.
const LEAVES_MAX: usize = 10_000;

/// Paths of all values below a place of a message.
pub fn leaves(shape: &Shape, from: NodeId) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    walk(shape, from, "", &mut Vec::new(), &mut out);
    out
}

fn walk(shape: &Shape, id: NodeId, path: &str, open: &mut Vec<NodeId>, out: &mut BTreeSet<String>) {
    let Some(node) = shape.node(id) else { return };
    // Schemas may contain themselves; one round is counted.
    if open.contains(&id) || out.len() >= LEAVES_MAX {
        return;
    }
    if node.is_leaf && !path.is_empty() {
        out.insert(path.to_owned());
    }
    open.push(id);
    for (name, field) in &node.fields {
        walk(shape, field.node, &joined(path, name), open, out);
    }
    for below in node.items.iter().chain(&node.values) {
        walk(shape, *below, &joined(path, "*"), open, out);
    }
    open.pop();
}

fn joined(path: &str, step: &str) -> String {
    if path.is_empty() {
        step.to_owned()
    } else {
        format!("{path}.{step}")
    }
}

/// The place these steps lead to.
pub fn node_at(shape: &Shape, steps: &[Arc<str>]) -> Option<NodeId> {
    steps.iter().try_fold(0, |here, step| {
        let node = shape.node(here)?;
        match &**step {
            "*" => node.items.or(node.values),
            name => node.fields.get(name).map(|field| field.node),
        }
    })
}

/// A path from the answer's root as a grant writes it: `items.*.id` is `id`, and what stands beside the object is `$.nextCursor`.
pub fn relative(path: &str, steps: &[Arc<str>]) -> String {
    let mut rest = path.split('.');
    let is_below = steps.iter().all(|step| rest.next() == Some(step));
    if is_below {
        rest.collect::<Vec<_>>().join(".")
    } else {
        format!("$.{path}")
    }
}

/// Whether a path is the wanted one or lies below it, wherever it stands: `taxId` and `customer` both find `customer.taxId`.
pub fn is_within(path: &str, wanted: &str) -> bool {
    let (path, wanted): (Vec<&str>, Vec<&str>) =
        (path.split('.').collect(), wanted.split('.').collect());
    path.windows(wanted.len()).any(|part| part == wanted)
}

/// Whether a path is the wanted one or lies below it, counted from the same place.
pub fn is_below(path: &str, wanted: &str) -> bool {
    path.strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// An answer that holds this one object.
pub fn nest(steps: &[Arc<str>], object: Json) -> Json {
    steps
        .iter()
        .rev()
        .fold(object, |inner, step| match &**step {
            "*" => Json::List(vec![inner]),
            name => Json::Object(vec![(name.into(), inner)]),
        })
}

/// The one object in an answer made by [`nest`].
pub fn peel<'a>(steps: &[Arc<str>], response: &'a Json) -> Option<&'a Json> {
    steps
        .iter()
        .try_fold(response, |here, step| match (here, &**step) {
            (Json::List(items), "*") => items.first(),
            (here, name) => here.get(name),
        })
}

/// Whether a value stands at this path; `*` is any item.
pub fn holds(value: &Json, path: &str) -> bool {
    let (step, rest) = path
        .split_once('.')
        .map_or((path, None), |(step, rest)| (step, Some(rest)));
    let goes_on = |below: &Json| rest.is_none_or(|rest| holds(below, rest));
    match (value, step) {
        (Json::List(items), "*") => items.iter().any(goes_on),
        (Json::Object(members), "*") => members.iter().any(|(_, below)| goes_on(below)),
        (value, name) => value.get(name).is_some_and(goes_on),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(path: &str) -> Vec<Arc<str>> {
        path.split('.')
            .filter(|step| !step.is_empty())
            .map(Arc::from)
            .collect()
    }

    #[test]
    fn paths_are_counted_from_the_object() {
        assert_eq!(
            relative("items.*.customer.id", &steps("items.*")),
            "customer.id"
        );
        assert_eq!(relative("nextCursor", &steps("items.*")), "$.nextCursor");
        assert_eq!(relative("customer.id", &[]), "customer.id");
    }

    #[test]
    fn a_field_is_found_by_its_end_its_middle_and_the_object_around_it() {
        for wanted in ["taxId", "customer.taxId", "customer"] {
            assert!(is_within("items.*.customer.taxId", wanted), "{wanted}");
        }
        assert!(!is_within("customer.taxIds", "taxId"));
        assert!(is_below("customer.taxId", "customer") && !is_below("customers", "customer"));
    }

    #[test]
    fn an_object_comes_out_of_the_answer_it_was_put_into() {
        let object = Json::Object(vec![("id".into(), Json::Text("4711".into()))]);
        let response = nest(&steps("items.*"), object.clone());
        assert_eq!(peel(&steps("items.*"), &response), Some(&object));
        assert!(holds(&response, "items.*.id") && !holds(&response, "items.*.no"));
        assert_eq!(
            peel(
                &steps("items.*"),
                &Json::Object(vec![("items".into(), Json::List(vec![]))])
            ),
            None
        );
    }
}
