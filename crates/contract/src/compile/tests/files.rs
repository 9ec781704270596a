//! Which bodies and answers are files.

use model::MessageKind;

use super::{contract, tried};
use crate::body_format::BodyFormat;
use crate::compile::UnknownFields;
use crate::parts::{PartKind, PartPlan};
use crate::plan::Operation;

/// The operation of a contract whose body and answer have this `content`.
fn operation(content: &str) -> Operation {
    let text = format!(
        "openapi: 3.1.0\npaths:\n  /f:\n    post:\n      operationId: f\n      requestBody: {{ content: {content} }}\n      responses: {{ '200': {{ description: d, content: {content} }}, '404': {{ description: d, content: {{ application/json: {{}} }} }} }}\n"
    );
    contract(&text).operations.remove(0)
}

#[test]
fn what_is_declared_as_bytes_alone_is_a_file_in_both_directions() {
    for content in [
        "{ application/pdf: {} }",
        "{ image/png: { schema: { type: string, format: binary, x-portcullis-class: personal } } }",
        "{ image/png: { schema: {} }, image/jpeg: { schema: { description: d } } }",
        "{ text/csv: { schema: { contentMediaType: text/csv, maxLength: 9, minLength: 2 } } }",
        "{ text/plain: {}, application/pdf: {} }",
    ] {
        let operation = operation(content);
        assert_eq!(operation.body_kind(), MessageKind::File, "{content}");
        assert_eq!(operation.response_kind(), MessageKind::File, "{content}");
        let body = operation.body.unwrap();
        assert!(body.not_carried.is_empty(), "{content}");
        assert!(!operation.media.has_unjudged_only(), "{content}");
    }
}

#[test]
fn what_stands_beside_values_or_says_more_of_its_bytes_is_no_file() {
    for content in [
        "{ application/json: {}, application/pdf: {} }",
        "{ application/x-www-form-urlencoded: {}, image/png: {} }",
        "{ 'image/*': {} }",
        "{ image/png: {}, image/jpeg: { schema: { x-portcullis-class: personal } } }",
        "{ image/svg+xml: {} }",
        "{ multipart/form-data: {} }",
        "{ multipart/form-data: { schema: { type: object, properties: { a: { type: string } } } } }",
        "{ application/pdf: { schema: { type: object } } }",
        "{ text/csv: { schema: { type: string, pattern: '^a' } } }",
        "{ application/pdf: { schema: { type: string, format: byte } } }",
        "{ application/pdf: { schema: { type: string, contentEncoding: base64 } } }",
        "{ application/pdf: {}, text/csv: { schema: { enum: [a] } } }",
        "{ text/plain: { schema: { type: string } } }",
    ] {
        let operation = operation(content);
        assert_ne!(operation.body_kind(), MessageKind::File, "{content}");
        assert_ne!(operation.response_kind(), MessageKind::File, "{content}");
        let formats = operation.body.into_iter().flat_map(|body| body.contents);
        let is_file = |format| format == BodyFormat::File;
        assert!(
            !formats.map(|content| content.format).any(is_file),
            "{content}"
        );
    }
}

/// Why the body of this `content` is not carried in each of its types, and where that is said.
fn lost(content: &str) -> Vec<String> {
    let body = operation(content).body.unwrap();
    let told = body.not_carried.iter().map(|lost| {
        let pointer = lost.why.pointer.as_deref().unwrap_or_default();
        let place = pointer.rsplit('/').next().unwrap_or_default();
        format!("{} {place}: {}", lost.content_type, lost.why.message)
    });
    told.collect()
}

#[test]
fn what_is_not_carried_says_why_and_where() {
    for (content, told) in [
        (
            "{ 'image/*': {} }",
            "image/* image~1*: `image/*` is a range",
        ),
        (
            "{ image/svg+xml: {} }",
            "image/svg+xml image~1svg+xml: XML is not read here",
        ),
        (
            "{ application/json: {}, application/pdf: {} }",
            "application/pdf application~1pdf: it is a file, and `application/json` beside it is none",
        ),
        (
            "{ text/csv: { schema: { type: string, pattern: '^a' } } }",
            "text/csv pattern: `pattern` is said of the bytes",
        ),
        (
            "{ application/pdf: { schema: { type: object } } }",
            "application/pdf type: the schema of a file is of type `string`",
        ),
        (
            "{ application/pdf: { schema: { type: string, format: byte } } }",
            "application/pdf format: `format: byte`",
        ),
        (
            "{ application/pdf: { schema: false } }",
            "application/pdf schema: its schema is `false`",
        ),
        (
            "{ application/pdf: { schema: { maxLength: 2.5 } } }",
            "application/pdf maxLength: `maxLength` of a file is no whole number",
        ),
        (
            "{ application/pdf: { schema: { $ref: '#/paths/~1f/post/responses/404', maxLength: 9 } } }",
            "application/pdf maxLength: `maxLength` beside `$ref`",
        ),
        (
            "{ image/png: {}, image/jpeg: { schema: { x-portcullis-class: personal } } }",
            "image/jpeg x-portcullis-class: `x-portcullis-class` of one of several types",
        ),
        (
            "{ multipart/form-data: {} }",
            "multipart/form-data multipart~1form-data: a body of several parts says",
        ),
        (
            "{ multipart/form-data: { schema: { type: object, properties: { a: { type: array, items: { type: string, format: binary } } } }, encoding: { a: { contentType: image/png, headers: { X: {} } } } } }",
            "multipart/form-data headers: `headers` is said of the part `a`",
        ),
        (
            "{ multipart/form-data: { schema: { type: object, properties: { a: { type: [string, integer] } } } } }",
            "multipart/form-data a: the part `a` has no one type",
        ),
    ] {
        let found = lost(content);
        assert!(
            found.iter().any(|one| one.starts_with(told)),
            "{content}: {found:?}"
        );
    }
    assert_eq!(lost("{ application/pdf: {} }"), Vec::<String>::new());
    // Of an answer the same is known.
    let answers = operation("{ 'image/*': {} }").responses;
    assert!(answers[0].not_carried[0].why.message.contains("range"));
}

#[test]
fn what_encoding_names_and_there_is_not_is_a_mistake() {
    let mistakes = |kind: &str, encoding: &str| -> Vec<String> {
        let text = format!(
            "openapi: 3.1.0\npaths:\n  /f:\n    post:\n      operationId: f\n      requestBody: {{ content: {{ {kind}: {{ schema: {{ type: object, properties: {{ photo: {{ type: string, format: binary }} }} }}, encoding: {encoding} }} }} }}\n      responses: {{ '204': {{ description: d }} }}\n"
        );
        let found = tried(&text, UnknownFields::Refuse)
            .err()
            .unwrap_or_default();
        found
            .iter()
            .map(|one| format!("{} | {}", one.message, one.help))
            .collect()
    };
    for kind in ["multipart/form-data", "application/x-www-form-urlencoded"] {
        assert_eq!(
            mistakes(kind, "{ phto: { contentType: image/png } }"),
            ["`encoding` names `phto`, which is no field of this body | did you mean `photo`?"]
        );
        assert_eq!(
            mistakes(kind, "{ photo: { contentTyp: image/png } }"),
            ["`contentTyp` is no word of `encoding` | did you mean `contentType`?"]
        );
        assert!(mistakes(kind, "{ photo: { contentType: image/png, x-note: a } }").is_empty());
    }
}

/// The parts of a body whose schema has these properties and this `encoding`.
fn parts(properties: &str, encoding: &str) -> Option<Vec<PartPlan>> {
    let content = format!(
        "{{ multipart/form-data: {{ schema: {{ type: object, properties: {properties} }}, encoding: {encoding} }} }}"
    );
    let body = operation(&content).body.unwrap();
    body.contents
        .into_iter()
        .next()
        .map(|content| content.parts)
}

#[test]
fn parts_are_read_by_their_schema_and_their_encoding() {
    let found = parts(
        "{ a: { type: integer }, b: { type: object }, c: { type: string, format: binary }, d: { type: array, items: { type: string, contentMediaType: image/png } }, e: {} }",
        "{ c: { contentType: 'image/png, Image/JPEG' }, a: { contentType: text/plain } }",
    );
    let found: Vec<_> = found
        .unwrap()
        .into_iter()
        .map(|part| {
            let kind = match part.kind {
                PartKind::Text => "text".to_owned(),
                PartKind::Json => "json".to_owned(),
                PartKind::File(types, _) => types.join(" "),
            };
            (part.name.to_string(), kind, part.is_list)
        })
        .collect();
    let expected = [
        ("a", "text", false),
        ("b", "json", false),
        ("c", "image/png image/jpeg", false),
        ("d", "image/png", true),
        ("e", "application/octet-stream", false),
    ];
    assert_eq!(
        found,
        expected.map(|(name, kind, is_list)| (name.to_owned(), kind.to_owned(), is_list))
    );
}

#[test]
fn parts_of_which_more_is_said_than_is_kept_are_not_offered() {
    for (properties, encoding) in [
        (
            "{ a: { type: string, format: binary, minLength: 9 } }",
            "{}",
        ),
        (
            "{ a: { type: string, format: binary, maxLength: 9 } }",
            "{}",
        ),
        (
            "{ a: { type: string, format: binary } }",
            "{ a: { contentType: 'image/*' } }",
        ),
        (
            "{ a: { type: string, format: binary } }",
            "{ a: { headers: { X: {} } } }",
        ),
        (
            "{ a: { type: string } }",
            "{ a: { contentType: text/html } }",
        ),
        (
            "{ a: { type: object } }",
            "{ a: { contentType: application/xml } }",
        ),
        ("{ a: { type: [string, integer] } }", "{}"),
        ("{ a: { type: string } }, additionalProperties: true", "{}"),
        ("{ a: { type: string } }, allOf: [{ type: object }]", "{}"),
    ] {
        assert_eq!(parts(properties, encoding), None, "{properties} {encoding}");
    }
}
