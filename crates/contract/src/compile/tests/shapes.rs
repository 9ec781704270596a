//! Shapes: names kept, compositions merged, free text found.

use super::*;
use model::shape::{Class, Domain, Node};
use proptest::prelude::*;

fn answer(schema: &str, components: &str) -> model::Shape {
    let text = format!(
        "openapi: 3.1.0\npaths: {{/a: {{get: {{operationId: a, responses: {{200: {{content: {{application/json: {{schema: {schema}}}}}}}}}}}}}}}\n\
         components: {{schemas: {{{components}}}}}\n"
    );
    contract(&text).operations[0]
        .response_shape()
        .unwrap()
        .clone()
}

fn at<'s>(shape: &'s model::Shape, pointer: &str) -> &'s Node {
    crate::errors::node_at(shape, pointer).unwrap()
}

const COMPONENTS: &str = "Order: {type: object, required: [id], properties: {id: {type: integer}, note: {type: string}, \
    state: {type: string, enum: [open]}, ref: {type: string, pattern: '^[A-Z]{2}$'}, at: {type: string, format: date}}}, \
    Extra: {type: object, properties: {mail: {type: string, x-portcullis-class: personal}}}";

#[test]
fn names_survive_references_and_single_compositions() {
    let shape = answer(
        "{type: object, properties: {list: {type: array, items: {$ref: '#/components/schemas/Order'}}, \
          one: {allOf: [{$ref: '#/components/schemas/Order'}], description: d}, \
          maybe: {anyOf: [{$ref: '#/components/schemas/Order'}, {type: 'null'}]}, \
          either: {oneOf: [{$ref: '#/components/schemas/Order'}, {$ref: '#/components/schemas/Extra'}]}}}",
        COMPONENTS,
    );
    let name = |pointer: &str| at(&shape, pointer).schema.as_deref().map(str::to_owned);
    assert_eq!(name("/list/0").as_deref(), Some("Order"));
    assert_eq!(name("/one").as_deref(), Some("Order"));
    assert_eq!(name("/maybe").as_deref(), Some("Order"));
    assert_eq!(name("/either"), None);
    assert_eq!(name(""), None);
    let either = at(&shape, "/either");
    assert_eq!(either.fields.len(), 6);
    assert!(!either.fields["id"].is_required && at(&shape, "/one").fields["id"].is_required);
    assert_eq!(at(&shape, "/either/mail").class, Class::Personal);
    assert!(at(&shape, "/maybe").is_leaf && !at(&shape, "/one").is_leaf);
}

#[test]
fn free_text_is_what_no_closed_set_bounds() {
    let shape = answer("{$ref: '#/components/schemas/Order'}", COMPONENTS);
    let is_free = |pointer: &str| at(&shape, pointer).is_free_text;
    assert!(is_free("/note"));
    for bound in ["/id", "/state", "/ref", "/at"] {
        assert!(!is_free(bound), "{bound}");
    }
}

#[test]
fn maps_and_open_objects_are_told_apart() {
    let shape = answer(
        "{type: object, properties: {map: {type: object, additionalProperties: {type: integer}}, \
          open: {type: object, properties: {a: {}}}, shut: {type: object, additionalProperties: false}}}",
        "",
    );
    assert!(at(&shape, "/map").values.is_some() && !at(&shape, "/map").is_open);
    assert!(at(&shape, "/open").is_open);
    assert!(!at(&shape, "/shut").is_open);
    assert!(at(&shape, "/open/a").is_open && at(&shape, "/open/a").is_free_text);
}

#[test]
fn what_a_leaf_can_be_is_what_is_listed_or_bounded() {
    let shape = answer(
        "{type: object, properties: {state: {type: string, enum: [open, done]}, one: {const: x, type: string}, \
          rank: {type: integer, minimum: 1, maximum: 5}, most: {type: integer, exclusiveMaximum: 3}, \
          level: {type: integer, enum: [2, 9, 4]}, free: {type: string}, any: {type: integer}, \
          or: {anyOf: [{type: string, enum: [a]}, {type: string}]}, mixed: {enum: [a, 1]}, \
          none: {anyOf: [{type: string, enum: [a]}, {type: 'null'}]}}}",
        "",
    );
    let domain = |pointer: &str| at(&shape, pointer).domain.as_deref().cloned();
    let texts = |all: &[&str]| {
        Some(Domain::Texts(
            all.iter().map(|text| (*text).into()).collect(),
        ))
    };
    assert_eq!(domain("/state"), texts(&["done", "open"]));
    assert_eq!(domain("/one"), texts(&["x"]));
    assert_eq!(domain("/none"), texts(&["a"]));
    assert_eq!(domain("/rank"), Some(Domain::Whole(Some(1), Some(5))));
    assert_eq!(domain("/most"), Some(Domain::Whole(None, Some(2))));
    assert_eq!(domain("/level"), Some(Domain::Whole(Some(2), Some(9))));
    for open in ["/free", "/any", "/or", "/mixed"] {
        assert_eq!(domain(open), None, "{open}");
    }
}

/// Schemas of whole numbers and texts, composed.
fn schema() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-9i64..9).prop_map(|n| format!("{{type: integer, minimum: {n}}}")),
        (-9i64..9).prop_map(|n| format!("{{type: integer, maximum: {n}}}")),
        (-9i64..9).prop_map(|n| format!("{{type: integer, exclusiveMinimum: {n}.5}}")),
        (-9i64..9).prop_map(|n| format!("{{type: [integer, 'null'], exclusiveMaximum: {n}}}")),
        (-9i64..9, -9i64..9).prop_map(|(a, b)| format!("{{type: integer, enum: [{a}, {b}]}}")),
        (-9i64..9).prop_map(|n| format!("{{const: {n}}}")),
        Just("{type: string, enum: [a, b]}".to_owned()),
        Just("{type: string, enum: [b, c], maxLength: 4}".to_owned()),
        Just("{type: string}".to_owned()),
        Just("{type: 'null'}".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let word = prop::sample::select(vec!["allOf", "anyOf", "oneOf"]);
        (word, prop::collection::vec(inner, 1..4))
            .prop_map(|(word, parts)| format!("{{{word}: [{}]}}", parts.join(", ")))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_value_that_the_contract_admits_is_outside(schema in schema()) {
        let text = format!(
            "openapi: 3.1.0\npaths: {{/a: {{get: {{operationId: a, responses: {{200: {{content: {{application/json: \
             {{schema: {{type: object, properties: {{v: {schema}}}}}}}}}}}}}}}}}}}\n"
        );
        let contract = contract(&text);
        let operation = &contract.operations[0];
        let shape = operation.response_shape().unwrap();
        let Some(domain) = at(shape, "/v").domain.as_deref() else { return Ok(()) };
        let is_admitted = |value: &str| {
            let body = model::json::parse(format!(r#"{{"v":{value}}}"#).as_bytes(), Default::default()).unwrap();
            crate::check_response(operation, 200, None, Some(&body), b"").is_empty()
        };
        for n in -12i64..=12 {
            let is_inside = match domain {
                Domain::Whole(least, most) => least.is_none_or(|l| l <= n) && most.is_none_or(|m| n <= m),
                Domain::Texts(_) => false,
            };
            prop_assert!(is_inside || !is_admitted(&n.to_string()), "{n} in {domain:?}");
        }
        for word in ["a", "b", "c", "d"] {
            let is_inside = matches!(domain, Domain::Texts(texts) if texts.iter().any(|text| **text == *word));
            prop_assert!(is_inside || !is_admitted(&format!("\"{word}\"")), "{word} in {domain:?}");
        }
    }
}
