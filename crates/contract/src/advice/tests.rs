use serde_json::json;

use super::*;
use crate::definition::Definition;
use crate::docs::At;
use crate::validator::{Definitions, Validator};

/// What is said of the first error of a value under a schema.
fn said(schema: &Value, value: &str) -> (String, String) {
    let definitions = Definitions::default();
    definitions.set(vec![schema.clone()]).unwrap();
    let definition = Definition {
        schema: schema.clone(),
        origin: At {
            doc: 0,
            pointer: String::new(),
            value: &Value::Null,
        },
        refers: Vec::new(),
    };
    let validator = Validator::build(0, &[definition], &definitions).unwrap();
    let bounds = model::json::Bounds {
        depth: 20,
        values: 100,
        digits: 40,
    };
    let value = model::json::parse(value.as_bytes(), bounds).unwrap();
    let errors = validator.errors(&value);
    let first = errors.first().expect("the value breaks its schema");
    words(first.kind(), "value", validator.schema_of(first))
}

/// A schema, a value that breaks it, what is wrong, and what to send.
const TABLE: &str = r#"
{"type": ["null", "string"], "format": "date"} | 7 | value, expected null or string | send a string such as "2026-03-31"
{"type": "integer"} | null | value, expected integer | send a whole number such as 42
{"enum": ["a", 1]} | 2 | not one of the allowed values | send one of: "a", 1
{"const": "x"} | 2 | not the one allowed value | send "x"
{"format": "email"} | "x" | not in the format `email` | send a string such as "a@b.example"
{"pattern": "^a+$"} | "b" | does not match the pattern of the contract | send a text that matches ^a+$
{"anyOf": [{"type": "string"}, {"type": "null"}]} | 1 | matches none of the 2 allowed forms | send one of the forms the contract declares
{"oneOf": [{"type": "string"}, {"type": "null"}]} | 1 | matches none of the 2 allowed forms | send one of the forms the contract declares
{"oneOf": [{"type": "integer"}, {"minimum": 1}]} | 2 | matches more than one of the allowed forms | send fields of exactly one form
{"minLength": 2} | "b" | too short | send at least 2 characters
{"maxLength": 2} | "bbb" | too long | send at most 2 characters
{"minItems": 2} | [1] | too few items | send at least 2 items
{"maxItems": 2} | [1,2,3] | too many items | send at most 2 items
{"minProperties": 1} | {} | too few fields | send at least 1 fields
{"maxProperties": 0} | {"a":1} | too many fields | send at most 0 fields
{"minimum": 2} | 1 | too small | send 2 or more
{"maximum": 2.5} | 3 | too large | send 2.5 or less
{"exclusiveMinimum": 2} | 2 | too small | send more than 2
{"exclusiveMaximum": 2} | 2 | too large | send less than 2
{"multipleOf": 5} | 2 | not a multiple of the declared step | send a multiple of 5
{"uniqueItems": true} | [1,1] | an item occurs twice | send each item once
{"properties": {"a": false}} | {"a":1} | this field is not accepted in this direction | remove it; the other side sets it
{"not": {"type": "null"}} | null | excluded by the contract | send another value
{"propertyNames": {"maxLength": 1}} | {"ab":1} | a field name breaks the contract | rename the field
{"contains": {"type": "string"}} | [1] | does not match the contract | compare it with the contract
"#;

#[test]
fn each_keyword_says_what_is_wrong_and_what_to_send() {
    for line in TABLE.trim().lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [schema, value, detail, fix] = cells[..] else {
            panic!("four cells in `{line}`");
        };
        let schema = serde_json::from_str(schema).unwrap();
        let told = said(&schema, value);
        assert_eq!(told, (detail.to_owned(), fix.to_owned()), "{line}");
    }
}

#[test]
fn what_the_contract_says_is_told_in_part_where_it_is_long() {
    let long = "x".repeat(60);
    let (_, fix) = said(&json!({ "const": long }), "1");
    assert_eq!(fix, format!("send \"{}…", "x".repeat(VALUE_SHOWN_MAX - 1)));
    let names: Vec<String> = (0..20).map(|name| format!("\"{name}\"")).collect();
    let options: Vec<String> = (0..20).map(|name: u8| name.to_string()).collect();
    let (_, fix) = said(&json!({ "enum": options }), "1");
    let shown = names.get(..NAMES_SHOWN_MAX).unwrap_or_default().join(", ");
    assert_eq!(fix, format!("send one of: {shown}, …"));
    assert_eq!(listed(&[]), "nothing");
}
