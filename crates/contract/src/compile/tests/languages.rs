//! Languages: what a schema says about the texts of a field, and never less than it admits.

use std::sync::Arc;

use super::*;
use crate::language::{BOOLEAN, FREE, INTEGER, Language, NUMBER};

fn document(version: &str, properties: &str, components: &str) -> String {
    format!(
        "openapi: {version}\npaths: {{'/a/{{id}}': {{post: {{operationId: a, parameters: [\
         {{name: id, in: path, required: true, schema: {{type: string, format: uuid}}}},\
         {{name: tags, in: query, schema: {{type: array, items: {{type: string, enum: [b, a, b]}}}}}}],\
         requestBody: {{content: {{application/json: {{schema: {{type: object, properties: {{{properties}}}}}}}}}}},\
         responses: {{}}}}}}}}\ncomponents: {{schemas: {{{components}}}}}\n"
    )
}

/// What the contract says about one schema in a body.
fn said_of(version: &str, schema: &str) -> Language {
    let api = contract(&document(
        version,
        &format!("f: {schema}"),
        "S: {type: string, enum: [x, y], pattern: z}",
    ));
    let number = crate::language_at(&api.operations[0], "body", "/f");
    api.languages[number].clone()
}

fn values(texts: &[&str]) -> Language {
    Language::Values(texts.iter().map(|text| Arc::from(*text)).collect())
}

fn pattern(source: &str, length_max: Option<usize>) -> Language {
    Language::Pattern {
        source: source.into(),
        length_max,
    }
}

#[test]
fn a_field_says_what_it_admits() {
    for (schema, language) in [
        ("{type: string}", Language::Free),
        ("{}", Language::Free),
        ("{type: string, maxLength: 3}", Language::Free),
        ("{type: string, format: email}", Language::Free),
        ("{type: string, format: uri}", Language::Address),
        ("{type: string, format: uri-reference}", Language::Address),
        ("{type: string, format: url}", Language::Address),
        (
            "{type: string, format: uri, pattern: '^https://', maxLength: 80}",
            Language::Address,
        ),
        (
            "{anyOf: [{type: string, format: uri}, {type: 'null'}]}",
            Language::Address,
        ),
        (
            "{type: string, format: uri, enum: ['http://a.example/']}",
            values(&["http://a.example/"]),
        ),
        ("{type: string, format: own-thing}", Language::Free),
        ("{type: integer}", Language::Integer),
        ("{type: number}", Language::Number),
        ("{type: boolean}", Language::Boolean),
        ("{type: string, format: uuid}", Language::Uuid),
        ("{type: string, format: date}", Language::Date),
        ("{type: string, format: date-time}", Language::DateTime),
        (
            "{type: string, enum: [b, a, '1 OR 1=1']}",
            values(&["1 OR 1=1", "a", "b"]),
        ),
        ("{const: on}", values(&["on"])),
        (
            "{type: string, pattern: '^[A-Z]{2}$', maxLength: 9}",
            pattern("^[A-Z]{2}$", Some(9)),
        ),
        ("{type: string, pattern: '[A-Z]'}", pattern("[A-Z]", None)),
        // The narrower of two that hold together.
        ("{type: string, pattern: a, format: uuid}", Language::Uuid),
        (
            "{allOf: [{type: string}, {enum: [a, b]}, {enum: [b, c]}]}",
            values(&["b"]),
        ),
        (
            "{allOf: [{pattern: '^a+$'}], maxLength: 4}",
            pattern("^a+$", Some(4)),
        ),
        // One of several: together they admit what each does.
        ("{anyOf: [{enum: [a]}, {const: b}]}", values(&["a", "b"])),
        (
            "{oneOf: [{type: string, format: date}, {type: 'null'}]}",
            Language::Date,
        ),
        (
            "{anyOf: [{type: string, format: date}, {type: string, format: uuid}]}",
            Language::Free,
        ),
        (
            "{anyOf: [{type: string, format: date}, {type: string}]}",
            Language::Free,
        ),
        ("{$ref: '#/components/schemas/S'}", values(&["x", "y"])),
    ] {
        assert_eq!(said_of("3.1.0", schema), language, "{schema}");
    }
}

#[test]
fn beside_a_reference_3_0_says_nothing() {
    let schema = "{$ref: '#/components/schemas/S', enum: [x]}";
    assert_eq!(said_of("3.1.0", schema), values(&["x"]));
    assert_eq!(said_of("3.0.3", schema), values(&["x", "y"]));
}

#[test]
fn mixed_types_are_what_their_texts_are() {
    assert_eq!(
        said_of("3.1.0", "{type: [string, integer], format: date}"),
        Language::Date
    );
    assert_eq!(
        said_of("3.1.0", "{type: [string, integer]}"),
        Language::Free
    );
    assert_eq!(said_of("3.1.0", "{enum: [a, 1, true]}"), values(&["a"]));
}

#[test]
fn a_list_of_values_that_is_too_long_to_try_is_free() {
    let many: Vec<String> = (0..1_001).map(|n| format!("v{n}")).collect();
    let schema = format!("{{type: string, enum: [{}]}}", many.join(", "));
    assert_eq!(said_of("3.1.0", &schema), Language::Free);
}

#[test]
fn fields_are_listed_with_their_pointers_and_what_contains_itself_once() {
    let properties = "note: {type: string}, n: {type: integer}, f: {type: number}, b: {type: boolean}, \
        'a/b': {type: object, additionalProperties: {type: string, format: date}}, tree: {$ref: '#/components/schemas/T'}";
    let components = "T: {type: object, properties: {name: {type: string}, children: {type: array, items: {$ref: '#/components/schemas/T'}}}}";
    let api = contract(&document("3.1.0", properties, components));
    let fields = crate::fields(&api.operations[0]);
    let shown: Vec<String> = fields
        .iter()
        .map(|f| format!("{} {} {:?}", f.place, f.pointer, api.languages[f.language]))
        .collect();
    assert_eq!(
        shown,
        [
            "path id Uuid",
            "query tags/* Values([\"a\", \"b\"])",
            "body /a~1b/* Date",
            "body /b Boolean",
            "body /f Number",
            "body /n Integer",
            "body /note Free",
            "body /tree/name Free",
        ]
    );
    let at = |place, pointer| crate::language_at(&api.operations[0], place, pointer);
    assert_eq!(at("body", "/a~1b/any"), fields[2].language);
    assert_eq!(at("body", "/tree/children/0/name"), FREE);
    assert_eq!(at("query", "tags/7"), fields[1].language);
    assert_eq!(at("body", "/nowhere"), FREE);
    assert_eq!(at("header", "x-none"), FREE);
    assert_eq!(
        [at("body", "/n"), at("body", "/f"), at("body", "/b")],
        [INTEGER, NUMBER, BOOLEAN]
    );
}

#[test]
fn every_format_that_counts_as_narrow_is_asserted() {
    for format in [
        "date",
        "date-time",
        "duration",
        "ipv4",
        "ipv6",
        "time",
        "uuid",
    ] {
        let schema = format!("{{type: string, format: {format}}}");
        let api = contract(&document("3.1.0", &format!("f: {schema}"), ""));
        let validator = &api.operations[0].body.as_ref().unwrap().contents[0].validator;
        for text in [
            "' OR 1=1--",
            "<script>",
            "",
            "x",
            "1;ls",
            "{{7*7}}",
            "fe80::1%25eth0' OR",
        ] {
            let body = model::Json::Object(vec![("f".into(), model::Json::Text(text.into()))]);
            assert!(!validator.is_valid(&body), "{format}: {text}");
        }
    }
}
