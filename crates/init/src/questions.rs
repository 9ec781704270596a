//! What the parameters of a contract probably ask about, and what stands beside its lists, told by names. Proposals: a
//! person reads and corrects them.
//! Exports `questions` (targets for an overlay, each with what is stated there).
//! Used by `facts`.
//! Start reading at `questions`.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Contract, Operation};
use model::Shape;
use model::shape::Node;
use serde_json::Value;

use crate::names::is_plain;

/// Names of parameters for the number of items.
const SIZES: [&str; 9] = [
    "limit",
    "maxresults",
    "pagelimit",
    "pagesize",
    "perpage",
    "size",
    "take",
    "top",
    "maxitems",
];
/// Names of parameters and fields for the place where a page begins.
const CURSORS: [&str; 13] = [
    "after",
    "continuation",
    "continuationtoken",
    "cursor",
    "marker",
    "next",
    "nextcursor",
    "nextpage",
    "nextpagetoken",
    "nexttoken",
    "pagetoken",
    "startafter",
    "startingafter",
];
/// Names of parameters that count pages or items.
const OFFSETS: [&str; 6] = [
    "offset",
    "page",
    "pagenumber",
    "skip",
    "start",
    "startindex",
];
/// Names of fields that count objects or pages.
const COUNTS: [&str; 10] = [
    "count",
    "pagecount",
    "pages",
    "total",
    "totalcount",
    "totalelements",
    "totalitems",
    "totalpages",
    "totalresults",
    "hits",
];

/// Targets, and what is stated there: `x-portcullis-filters: [status]`.
pub fn questions(document: &Value, contract: &Contract) -> Vec<(String, String)> {
    let mut found: BTreeMap<String, Guess> = BTreeMap::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (template, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let id = operation.get("operationId").and_then(Value::as_str);
            let Some((_, known)) = id.and_then(|id| contract.operation(id)) else {
                continue;
            };
            if !known.method.is_safe() {
                continue;
            }
            let path = format!("$.paths['{template}']");
            let places = [
                (format!("{path}.{method}"), operation),
                (path.clone(), item),
            ];
            for (place, owner) in places {
                parameters(&place, owner, document, known, &mut found);
            }
        }
    }
    let mut out: Vec<(String, String)> = found
        .into_iter()
        .filter_map(|(target, guess)| Some((target, guess.stated()?)))
        .collect();
    out.extend(beside(document, contract));
    // Names that would have to be escaped twice, for YAML and for the target, are left to a person.
    out.retain(|(target, _)| {
        !target.contains(['\\', '"'])
            && target.matches('\'').count() == target.matches("['").count() * 2
    });
    out
}

/// What is guessed of one parameter, which several operations may share.
#[derive(Default)]
struct Guess {
    page: Option<&'static str>,
    is_offset: bool,
    fields: BTreeSet<String>,
}

impl Guess {
    fn stated(self) -> Option<String> {
        let fields: Vec<String> = self.fields.into_iter().collect();
        match (self.page, self.is_offset, fields.as_slice()) {
            (Some(page), _, _) => Some(format!("x-portcullis-page: {page}")),
            (None, true, _) => Some("x-portcullis-filters: []".to_owned()),
            (None, false, []) => None,
            (None, false, fields) => Some(format!("x-portcullis-filters: [{}]", fields.join(", "))),
        }
    }
}

fn parameters(
    place: &str,
    owner: &Value,
    document: &Value,
    operation: &Operation,
    found: &mut BTreeMap<String, Guess>,
) {
    let declared = owner.get("parameters").and_then(Value::as_array);
    for (index, entry) in declared.into_iter().flatten().enumerate() {
        let reference = entry.get("$ref").and_then(Value::as_str);
        let shared = reference.and_then(|text| text.strip_prefix("#/components/parameters/"));
        let (target, parameter) = match shared {
            Some(name) if is_plain(name) => (
                format!("$.components.parameters.{name}"),
                document.pointer(&format!("/components/parameters/{name}")),
            ),
            Some(_) => continue,
            None => (format!("{place}.parameters[{index}]"), Some(entry)),
        };
        let Some(parameter) = parameter.filter(|p| is_open(p)) else {
            continue;
        };
        let Some(name) = parameter.get("name").and_then(Value::as_str) else {
            continue;
        };
        let guess = found.entry(target).or_default();
        let bare = bare(name);
        let is = |names: &[&str]| names.contains(&bare.as_str());
        if is(&SIZES) {
            guess.page = Some("size");
        } else if is(&CURSORS) && has_cursor(operation) {
            guess.page = Some("cursor");
        } else if is(&OFFSETS) {
            guess.is_offset = true;
        } else {
            guess.fields.extend(field(name, operation));
        }
    }
}

/// A query parameter of which nothing is stated yet.
fn is_open(parameter: &Value) -> bool {
    let is_query = parameter.get("in").and_then(Value::as_str) == Some("query");
    let stated = ["x-portcullis-filters", "x-portcullis-page"];
    is_query && stated.iter().all(|key| parameter.get(*key).is_none())
}

/// Letters and digits, small.
fn bare(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// The field with the name of a parameter: `status`, or `customer.id` for `customerId`.
fn field(name: &str, operation: &Operation) -> Option<String> {
    if !is_plain(name) {
        return None;
    }
    let shape = operation.response_shape()?;
    let item = item(shape)?;
    if item.fields.contains_key(name) {
        return Some(name.to_owned());
    }
    let owner = name
        .strip_suffix("Id")
        .or_else(|| name.strip_suffix("_id"))?;
    let nested = shape.node(item.fields.get(owner)?.node)?;
    nested
        .fields
        .contains_key("id")
        .then(|| format!("{owner}.id"))
}

/// An item of the answer's list, or the answer itself.
fn item(shape: &Shape) -> Option<&Node> {
    let root = shape.root()?;
    let in_field = |node: &Node| {
        let mut lists = node.fields.values();
        lists.find_map(|field| shape.node(shape.node(field.node)?.items?))
    };
    match root.items {
        Some(items) => shape.node(items),
        None => in_field(root).or(Some(root)),
    }
}

fn has_cursor(operation: &Operation) -> bool {
    let root = operation.response_shape().and_then(|shape| shape.root());
    root.is_some_and(|root| {
        root.fields
            .keys()
            .any(|name| CURSORS.contains(&bare(name).as_str()))
    })
}

/// Fields beside the lists of component schemas that answers consist of.
fn beside(document: &Value, contract: &Contract) -> Vec<(String, String)> {
    let reads = contract.operations.iter().filter(|o| o.method.is_safe());
    let shapes = reads.filter_map(Operation::response_shape);
    let mut out = BTreeMap::new();
    for shape in shapes {
        let Some(root) = shape.root() else { continue };
        let Some(schema) = root.schema.as_deref().filter(|name| is_plain(name)) else {
            continue;
        };
        let is_list = |id| shape.node(id).is_some_and(|node| node.items.is_some());
        if !root.fields.values().any(|field| is_list(field.node)) {
            continue;
        }
        for name in root.fields.keys().filter(|name| is_plain(name)) {
            let pointer = format!("/components/schemas/{schema}/properties/{name}");
            let stated = document
                .pointer(&pointer)
                .is_none_or(|p| p.get("x-portcullis-page").is_some());
            let bare = bare(name);
            let word = match bare.as_str() {
                name if CURSORS.contains(&name) => "cursor",
                name if COUNTS.contains(&name) => "count",
                _ => continue,
            };
            if !stated {
                let target = format!("$.components.schemas.{schema}.properties.{name}");
                out.insert(target, format!("x-portcullis-page: {word}"));
            }
        }
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_tell_of_parameters_and_pages_is_proposed() {
        let text = r##"{"openapi":"3.1.0","info":{"title":"T","version":"1"},"paths":{"/orders":{"get":{"operationId":"listOrders","parameters":[
            {"$ref":"#/components/parameters/Limit"},{"name":"cursor","in":"query","schema":{"type":"string"}},
            {"name":"status","in":"query","schema":{"type":"string"}},{"name":"customerId","in":"query","schema":{"type":"string"}},
            {"name":"offset","in":"query","schema":{"type":"integer"}},{"name":"q","in":"query","schema":{"type":"string"}}],
            "responses":{"200":{"description":"d","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Page"}}}}}}}},
            "components":{"parameters":{"Limit":{"name":"limit","in":"query","schema":{"type":"integer"}}},
            "schemas":{"Page":{"type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Order"}},
            "next_cursor":{"type":"string"},"total":{"type":"integer"}}},
            "Order":{"type":"object","properties":{"status":{"type":"string"},"customer":{"type":"object","properties":{"id":{"type":"string"}}}}}}}}"##;
        let contract = contract::compile(&contract::Source {
            file: "t.json",
            text,
            overlay: None,
            load: &|_| None,
            unknown_fields: contract::UnknownFields::Refuse,
            bounds: model::json::Bounds::default(),
        })
        .unwrap();
        let found = questions(&serde_json::from_str(text).unwrap(), &contract);
        let lines: Vec<String> = found
            .iter()
            .map(|(at, what)| format!("{at} {what}"))
            .collect();
        assert_eq!(
            lines,
            [
                "$.components.parameters.Limit x-portcullis-page: size",
                "$.paths['/orders'].get.parameters[1] x-portcullis-page: cursor",
                "$.paths['/orders'].get.parameters[2] x-portcullis-filters: [status]",
                "$.paths['/orders'].get.parameters[3] x-portcullis-filters: [customer.id]",
                "$.paths['/orders'].get.parameters[4] x-portcullis-filters: []",
                "$.components.schemas.Page.properties.next_cursor x-portcullis-page: cursor",
                "$.components.schemas.Page.properties.total x-portcullis-page: count",
            ]
        );
    }
}
