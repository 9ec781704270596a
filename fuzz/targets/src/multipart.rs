//! Bodies of several parts: nothing panics; what is accepted is accepted again as it is forwarded, with the same meaning; and
//! another reader finds as many fields and files in it as were judged.

use std::sync::LazyLock;

use contract::{Contract, Source, UnknownFields, ValidRequest};
use model::http::{BodyLength, Head, Protocol};
use model::json::Bounds;
use model::{CanonicalRequest, Headers, Json, Mode};
use waf::body::Processor;

const API: &str = "
openapi: 3.1.0
paths:
  /parts:
    post:
      operationId: sendParts
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              properties:
                note: {type: string}
                count: {type: integer}
                tags: {type: array, items: {type: string}}
                meta: {type: object, properties: {a: {type: integer}}}
                photo: {type: string, contentMediaType: image/png}
                photos: {type: array, items: {type: string, format: binary}}
            encoding: {photos: {contentType: 'image/png, text/csv'}}
      responses: {200: {description: ok}}
";

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let source = Source {
        file: "parts.yaml",
        text: API,
        overlay: None,
        load: &|_| None,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    };
    contract::compile(&source).expect("the contract is right")
});

/// One input: the boundary, and a body in which `@` stands for it.
pub fn run(input: (&str, &[u8])) {
    let (boundary, body) = input;
    let sent = format!("multipart/form-data; boundary={boundary}");
    let body: Vec<u8> = body
        .iter()
        .flat_map(|byte| match byte {
            b'@' => boundary.as_bytes(),
            other => std::slice::from_ref(other),
        })
        .copied()
        .collect();
    for mode in [Mode::Enforce, Mode::Observe, Mode::Off] {
        let Some(valid) = read(&sent, &body, mode) else {
            continue;
        };
        // Nothing was sent where nothing is left of it.
        let Some(kind) = valid.content_type.as_deref() else {
            assert!(body.is_empty());
            continue;
        };
        let again = read(kind, &valid.body_bytes, mode).expect("what is forwarded is accepted");
        assert_eq!(again.payload, valid.payload);
        assert_eq!(again.body_bytes, valid.body_bytes);
        let other = waf::body::parse(
            Some(Processor::Multipart),
            kind.as_bytes(),
            &valid.body_bytes,
        );
        let judged = valid.body().map_or(0, parts);
        assert_eq!(
            other.arguments.len() + other.files.len(),
            judged,
            "{body:?}"
        );
    }
}

fn read(kind: &str, body: &[u8], mode: Mode) -> Option<ValidRequest> {
    let operation = &CONTRACT.operations[0];
    let mut headers = Headers::new();
    headers.push("content-type", kind);
    let head = Head {
        protocol: Protocol::Http11,
        method: operation.method,
        target: "/parts".into(),
        authority: "gate.test".into(),
        headers,
        body: BodyLength::None,
    };
    let request = CanonicalRequest::of(head).ok()?;
    contract::check_request(operation, &request, &[], body, mode).ok()
}

/// How many parts an object was made of.
fn parts(object: &Json) -> usize {
    let Json::Object(members) = object else {
        return 0;
    };
    let each = members.iter().map(|(_, value)| match value {
        Json::List(items) => items.len(),
        _ => 1,
    });
    each.sum()
}
