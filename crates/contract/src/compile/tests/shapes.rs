//! Shapes: names kept, compositions merged, free text found.

use super::*;
use model::shape::{Class, Node};

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
