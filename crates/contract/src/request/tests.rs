mod spellings;

use super::*;
use crate::Found;
use crate::compile::tests::contract;
use crate::plan::Contract;
use crate::router::{Declared, Route, Router};
use model::http::{BodyLength, Head, Protocol};
use model::{Headers, Method};
use proptest::prelude::*;

const API: &str = r#"
openapi: 3.1.0
paths:
  /customers/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getCustomer
      parameters:
        - {name: fields, in: query, schema: {type: array, items: {type: string, enum: [id, name]}}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: space, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {type: string}}}
        - {name: pipe, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: string}}}
        - {name: filter, in: query, style: deepObject, explode: true, schema: {type: object, properties: {state: {type: string}, min: {type: integer}}}}
        - {name: point, in: query, explode: false, schema: {type: object, properties: {x: {type: number}, y: {type: number}}}}
        - {name: spread, in: query, schema: {type: object, properties: {page: {type: integer}, size: {type: integer}}}}
        - {name: q, in: query, schema: {type: string}}
        - {name: flag, in: query, schema: {type: boolean}}
        - {name: code, in: query, schema: {type: [string, integer], maxLength: 3, maximum: 9}}
        - {name: json, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}
        - {name: X-Kind, in: header, schema: {type: string, enum: [a, b]}}
        - {name: X-List, in: header, schema: {type: array, items: {type: integer}}}
        - {name: session, in: cookie, schema: {type: string, minLength: 3}}
      responses: {200: {description: ok}}
    patch:
      operationId: updateCustomer
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/CustomerPatch'}}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {n: {type: integer}, tag: {type: array, items: {type: string}}, s: {type: string}}}}
          text/csv: {}
      responses: {200: {description: ok}}
components:
  schemas:
    CustomerPatch:
      type: object
      properties:
        email: {type: string, format: email}
        name: {type: string, maxLength: 40}
        phone: {type: string}
        number: {type: number}
        extra: {type: object, additionalProperties: {type: string}}
"#;

fn send(
    api: &Contract,
    method: Method,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<ValidRequest, Box<Refusal>> {
    with(api, method, target, fields, |operation, request, values| {
        check_request(operation, request, values, body, Mode::Enforce)
    })
}

fn in_mode(mode: Mode, target: &str, body: &str) -> Result<ValidRequest, Box<Refusal>> {
    let fields = [("content-type", "application/json")];
    let method = match body {
        "" => Method::Get,
        _ => Method::Patch,
    };
    with(
        &contract(API),
        method,
        target,
        &fields,
        |operation, request, values| {
            check_request(operation, request, values, body.as_bytes(), mode)
        },
    )
}

fn with<T>(
    api: &Contract,
    method: Method,
    target: &str,
    fields: &[(&str, &str)],
    judge: impl FnOnce(&Operation, &CanonicalRequest, &[(Arc<str>, String)]) -> Result<T, Box<Refusal>>,
) -> Result<T, Box<Refusal>> {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.push(name, value);
    }
    let request = CanonicalRequest::of(Head {
        protocol: Protocol::Http11,
        method,
        target: target.to_owned(),
        authority: "gate.test".to_owned(),
        headers,
        body: BodyLength::None,
    })?;
    let routes = api
        .operations
        .iter()
        .enumerate()
        .map(|(index, operation)| Route {
            api: 0,
            base_path: Arc::from(""),
            segments: operation.segments.clone(),
            declared: Declared::Operation {
                method: operation.method,
                operation: index,
                listeners: vec![Arc::from("public")],
                encoded: Vec::new(),
            },
        });
    let router = Router::build(routes).unwrap();
    let Found::Operation {
        operation,
        path_values,
        ..
    } = router.find(router.listener("public"), method, request.segments())
    else {
        panic!("no such operation: {target}");
    };
    judge(&api.operations[operation], &request, &path_values)
}

fn get(target: &str) -> Result<ValidRequest, Box<Refusal>> {
    send(&contract(API), Method::Get, target, &[], b"")
}

fn patch(content_type: &str, body: &str) -> Result<ValidRequest, Box<Refusal>> {
    send(
        &contract(API),
        Method::Patch,
        "/customers/9",
        &[("content-type", content_type)],
        body.as_bytes(),
    )
}

/// `code pointer:keyword, …`
fn said(refusal: &Refusal) -> String {
    let errors: Vec<_> = refusal
        .errors
        .iter()
        .map(|e| format!("{}:{}", e.pointer, e.keyword))
        .collect();
    format!("{} {}", refusal.reason.code, errors.join(", "))
}

#[test]
fn texts_become_typed_values_by_their_style() {
    for (query, name, wanted) in [
        ("fields=id&fields=name", "fields", r#"["id","name"]"#),
        ("fields=id", "fields", r#"["id"]"#),
        ("ids=1,2", "ids", "[1,2]"),
        ("space=a%20b", "space", r#"["a","b"]"#),
        ("pipe=a%7Cb", "pipe", r#"["a","b"]"#),
        (
            "filter[state]=open&filter[min]=3",
            "filter",
            r#"{"state":"open","min":3}"#,
        ),
        ("point=x,1.50,y,2", "point", r#"{"x":1.50,"y":2}"#),
        ("page=1&size=2", "spread", r#"{"page":1,"size":2}"#),
        ("q=17", "q", r#""17""#),
        ("flag=true", "flag", "true"),
        ("code=7", "code", "7"),
        ("code=17", "code", r#""17""#),
        ("json=%7B%22a%22%3A1%7D", "json", r#"{"a":1}"#),
    ] {
        let query = query.replace('[', "%5B").replace(']', "%5D");
        let valid =
            get(&format!("/customers/9?{query}")).unwrap_or_else(|r| panic!("{query}: {r:?}"));
        let mut text = Vec::new();
        model::json::write(valid.parameter(Place::Query, name).unwrap(), &mut text);
        assert_eq!(String::from_utf8(text).unwrap(), wanted, "{query}");
        assert_eq!(
            valid.parameter(Place::Path, "id"),
            Some(&Json::Number("9".into()))
        );
    }
}

#[test]
fn parameters_that_break_the_contract_are_named() {
    for (target, wanted) in [
        ("/customers/x", "validate.path id:type"),
        ("/customers/9?q=a&q=b", "validate.query q:repeated"),
        (
            "/customers/9?nope=1",
            "validate.query nope:additionalProperties",
        ),
        (
            "/customers/9?fields=id&fields=zip",
            "validate.query fields/1:enum",
        ),
        ("/customers/9?ids=1,x", "validate.query ids/1:type"),
        ("/customers/9?flag=yes", "validate.query flag:type"),
        (
            "/customers/9?filter%5Bother%5D=1",
            "validate.query filter/other:additionalProperties",
        ),
        (
            "/customers/9?filter%5Bstate%5D=1&filter%5Bstate%5D=2",
            "validate.query filter:repeated",
        ),
        ("/customers/9?point=x,1,y", "validate.query point:type"),
        (
            "/customers/9?json=%7B%22a%22%3A1%2C%22a%22%3A2%7D",
            "validate.query json:json",
        ),
        ("/customers/9?ids=1e400", "validate.query ids/0:type"),
        (
            "/customers/9?flag=yes&nope=1",
            "validate.query flag:type, nope:additionalProperties",
        ),
    ] {
        assert_eq!(said(&get(target).unwrap_err()), wanted, "{target}");
    }
    let header =
        |fields: &[(&str, &str)]| send(&contract(API), Method::Get, "/customers/9", fields, b"");
    assert_eq!(
        said(&header(&[("x-kind", "c")]).unwrap_err()),
        "validate.header x-kind:enum"
    );
    assert_eq!(
        said(&header(&[("cookie", "a=1; session=xy")]).unwrap_err()),
        "validate.header session:minLength"
    );
    let valid = header(&[
        ("x-list", "1,2"),
        ("x-other", "?"),
        ("cookie", "session=xyz"),
    ])
    .unwrap();
    assert!(
        valid.parameter(Place::Header, "x-list").is_some()
            && valid.parameter(Place::Cookie, "session").is_some()
    );
}

#[test]
fn the_caller_learns_field_keyword_and_remedy_but_no_value() {
    let refusal = patch(
        "application/json",
        r#"{"email":7,"role":"admin","phon":"1"}"#,
    )
    .unwrap_err();
    let told: Vec<_> = refusal
        .errors
        .iter()
        .map(|e| {
            (
                e.place,
                e.pointer.as_str(),
                e.keyword.as_str(),
                e.detail.as_str(),
                e.fix.as_str(),
            )
        })
        .collect();
    for wanted in [
        (
            "body",
            "/email",
            "type",
            "number, expected string",
            r#"send a string such as "a@b.example""#,
        ),
        (
            "body",
            "/role",
            "additionalProperties",
            "not part of CustomerPatch",
            "remove it; allowed: email, extra, name, number, phone",
        ),
        (
            "body",
            "/phon",
            "additionalProperties",
            "not part of CustomerPatch",
            "did you mean `phone`?",
        ),
    ] {
        assert!(told.contains(&wanted), "{wanted:?} in {told:?}");
    }
    assert!(!format!("{refusal:?}").contains("admin"));
}

#[test]
fn what_was_judged_is_what_is_forwarded() {
    let valid = patch(
        "application/json; charset=UTF-8",
        " { \"number\" : 1.50,\n\"name\":\"\\u0041\" } ",
    )
    .unwrap();
    assert_eq!(valid.body_bytes, br#"{"number":1.50,"name":"A"}"#);
    assert_eq!(valid.content_type.as_deref(), Some("application/json"));
    // RFC 9110 §5.6.6: between semicolons a parameter may be missing.
    for kind in ["application/json;", "application/json ; ; charset=utf-8;"] {
        let valid = patch(kind, "{}").unwrap();
        assert_eq!(valid.content_type.as_deref(), Some("application/json"));
    }
    let valid = get("/customers/9?q=a+b&ids=1,2").unwrap();
    assert_eq!(valid.query, "q=a%20b&ids=1,2");
}

#[test]
fn only_plain_declared_content_types_are_read() {
    for (kind, wanted) in [
        ("application/json; charset=utf-16", "validate.content_type"),
        (
            "application/json; charset=utf-8; x=y",
            "validate.content_type",
        ),
        ("application/json; boundary=x", "validate.content_type"),
        ("application/vnd.x+json", "validate.content_type"),
        ("text/csv", "validate.content_type"),
        ("text/plain", "validate.content_type"),
        ("", "validate.content_type"),
    ] {
        let refusal = patch(kind, "{}").unwrap_err();
        assert_eq!(refusal.reason.code, wanted, "{kind}");
        assert_eq!(refusal.status, 415);
    }
    let api = contract(API);
    let packed = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let refusal = send(&api, Method::Patch, "/customers/9", &packed, b"{}").unwrap_err();
    assert_eq!(refusal.reason.code, "validate.content_type");
    let refusal = send(&api, Method::Patch, "/customers/9", &[], b"").unwrap_err();
    assert_eq!(said(&refusal), "validate.body :required");
    let refusal = send(&api, Method::Get, "/customers/9", &[], b"{}").unwrap_err();
    assert_eq!(said(&refusal), "validate.body :unexpected");
}

#[test]
fn bodies_that_can_be_read_in_two_ways_are_refused() {
    for (body, wanted) in [
        (
            r#"{"name":"a","name":"b"}"#,
            "validate.body /name:duplicateKey",
        ),
        (
            r#"{"name":"a","\u006eame":"b"}"#,
            "validate.body /name:duplicateKey",
        ),
        (r#"{"name":"\ud800"}"#, "validate.body /name:encoding"),
        ("\u{feff}{}", "validate.body :encoding"),
        (r#"{"number":1e400}"#, "validate.body /number:number"),
        ("{} {}", "validate.body :json"),
        ("{/**/}", "validate.body :json"),
    ] {
        assert_eq!(
            said(&patch("application/json", body).unwrap_err()),
            wanted,
            "{body}"
        );
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(said(&patch("application/json", &deep).unwrap_err()).ends_with(":depth"));
}

#[test]
fn forms_are_typed_and_repeated_names_are_lists_or_refused() {
    let form = "application/x-www-form-urlencoded";
    let valid = patch(form, "n=5&tag=a&tag=b+c&s=17").unwrap();
    let body = valid.body().unwrap();
    assert_eq!(body.get("n"), Some(&Json::Number("5".into())));
    assert_eq!(body.get("s"), Some(&Json::Text("17".into())));
    assert_eq!(valid.body_bytes, b"n=5&tag=a&tag=b%20c&s=17");
    for (body, wanted) in [
        ("n=5&n=6", "validate.body /n:repeated"),
        ("n=x", "validate.body /n:type"),
        ("role=admin", "validate.body /role:additionalProperties"),
        ("n", "validate.body :form"),
        ("n=%zz", "validate.body :form"),
    ] {
        assert_eq!(said(&patch(form, body).unwrap_err()), wanted, "{body}");
    }
}

#[test]
fn a_text_is_shown_with_what_the_contract_says_of_it() {
    let api = contract(API);
    let body = r#"{"name":"n","number":1,"extra":{"k":"v"}}"#;
    let valid = patch("application/json", body).unwrap();
    let operation = api.operation("updateCustomer").unwrap().1;
    let shown = |skipped: &[bool]| -> Vec<String> {
        let leaves = crate::leaves(operation, &valid, skipped);
        let shown = leaves.iter().filter(|leaf| leaf.place == "body");
        shown
            .map(|leaf| {
                let language = &api.languages[leaf.language];
                format!("{} {} {language:?}", leaf.pointer, leaf.text)
            })
            .collect()
    };
    let all = [
        "/name n Free",
        "/number 1 Integer",
        "/extra/k k Free",
        "/extra/k v Free",
    ];
    assert_eq!(shown(&[]), all);
    assert_eq!(shown(&[false, true, true, true]), [all[0], all[2], all[3]]);
}

/// The leaves of free texts: every other language of the contract is skipped.
fn free_leaves<'a>(
    operation: &crate::Operation,
    request: &'a crate::ValidRequest,
) -> Vec<crate::Leaf<'a>> {
    let mut skipped = vec![true; 64];
    skipped[crate::language::FREE] = false;
    crate::leaves(operation, request, &skipped)
}

#[test]
fn inspection_sees_free_text_and_names_of_undeclared_keys() {
    let api = contract(API);
    let valid = patch(
        "application/json",
        r#"{"email":"a@b.example","name":"n","number":1,"extra":{"k/1":"v"}}"#,
    )
    .unwrap();
    let patch_operation = api.operation("updateCustomer").unwrap().1;
    let seen: Vec<_> = free_leaves(patch_operation, &valid)
        .into_iter()
        .map(|leaf| (leaf.pointer, leaf.text.into_owned(), leaf.is_name))
        .collect();
    let owned = |pointer: &str, text: &str, is_name| (pointer.to_owned(), text.to_owned(), is_name);
    assert_eq!(
        seen,
        [
            owned("/email", "a@b.example", false),
            owned("/name", "n", false),
            owned("/extra/k~11", "k/1", true),
            owned("/extra/k~11", "v", false),
        ]
    );
    let valid = get("/customers/9?fields=id&q=hello").unwrap();
    let operation = api.operation("getCustomer").unwrap().1;
    let seen = free_leaves(operation, &valid);
    assert_eq!(
        seen.iter().map(|l| l.pointer.as_str()).collect::<Vec<_>>(),
        ["q"]
    );
}

#[test]
fn the_likely_alternative_is_explained() {
    let api = contract(
        r"openapi: 3.1.0
paths: {/a: {post: {operationId: a, requestBody: {content: {application/json: {schema: {oneOf: [
  {type: object, required: [iban], properties: {iban: {type: string}}},
  {type: string}]}}}}, responses: {}}}}
",
    );
    let kind = [("content-type", "application/json")];
    let refusal = send(&api, Method::Post, "/a", &kind, br#"{"iban":5}"#).unwrap_err();
    assert_eq!(said(&refusal), "validate.body /iban:type");
    let refusal = send(&api, Method::Post, "/a", &kind, b"true").unwrap_err();
    assert_eq!(said(&refusal), "validate.body :oneOf");
}

#[test]
fn a_hostile_body_cannot_ask_for_more_than_twenty_errors() {
    let fields: Vec<String> = (0..500).map(|n| format!("\"x{n}\":1")).collect();
    let refusal = patch("application/json", &format!("{{{}}}", fields.join(","))).unwrap_err();
    assert_eq!(refusal.errors.len(), Refusal::ERRORS_MAX);
}

#[test]
fn a_refusal_of_a_huge_body_stays_cheap() {
    let fields: Vec<String> = (0..90_000).map(|n| format!("\"x{n}\":1")).collect();
    let long = "n".repeat(500_000);
    let api = contract(API);
    let kind = [("content-type", "application/json")];
    for body in [
        format!("{{{}}}", fields.join(",")),
        format!("{{\"{long}\":1}}"),
    ] {
        let start = std::time::Instant::now();
        let refusal =
            send(&api, Method::Patch, "/customers/9", &kind, body.as_bytes()).unwrap_err();
        assert!(refusal.errors.len() <= Refusal::ERRORS_MAX);
        assert!(refusal.errors.iter().all(|e| e.pointer.len() < 200));
        println!("{} bytes refused in {:?}", body.len(), start.elapsed());
    }
}

const FILES: &str = r"
openapi: 3.1.0
paths:
  /f:
    post:
      operationId: f
      requestBody:
        required: true
        content:
          application/pdf: {}
          text/csv: { schema: { type: string, maxLength: 8 } }
      responses: {200: {description: ok}}
";

#[test]
fn a_file_goes_on_as_it_came_under_the_type_it_was_declared_with() {
    let api = contract(FILES);
    let sent =
        |kind, bytes: &[u8]| send(&api, Method::Post, "/f", &[("content-type", kind)], bytes);
    let bytes = b"%PDF-1.7 \x00\xff {\"a\":1}";
    let valid = sent("Application/PDF", bytes).unwrap();
    assert_eq!(valid.body_bytes, bytes);
    assert_eq!(valid.content_type.as_deref(), Some("application/pdf"));
    assert_eq!(valid.payload, Payload::file("application/pdf"));
    for (kind, bytes, reason, keyword) in [
        (
            "application/pdf",
            &b"MZ\x90\x00"[..],
            &BODY,
            "contentMediaType",
        ),
        ("application/pdf", b"", &BODY, "required"),
        ("text/csv", b"a;b;c;d;e", &BODY, "maxLength"),
        (
            "image/png",
            b"\x89PNG\r\n\x1a\n",
            &CONTENT_TYPE,
            "contentType",
        ),
        ("application/json", b"{}", &CONTENT_TYPE, "contentType"),
        (
            "text/csv; header=present",
            b"a",
            &CONTENT_TYPE,
            "contentType",
        ),
    ] {
        let refusal = sent(kind, bytes).unwrap_err();
        assert_eq!(
            (refusal.reason, &*refusal.errors[0].keyword),
            (reason, keyword),
            "{kind}"
        );
    }
    let packed = [("content-type", "text/csv"), ("content-encoding", "gzip")];
    let refusal = send(&api, Method::Post, "/f", &packed, b"a").unwrap_err();
    assert_eq!(refusal.reason, &CONTENT_TYPE);
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..120), form in any::<bool>()) {
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let api = contract(API);
        let _ = send(&api, Method::Patch, "/customers/9", &[("content-type", kind)], &body);
    }

    #[test]
    fn arbitrary_json_never_panics_and_what_passes_is_declared(
        body in "\\{(\"(email|name|number|x|extra)\":(1|\"a\"|null|\\{\\}|\\[\\]))?(,\"(phone|y)\":(\"b\"|2))?\\}"
    ) {
        let api = contract(API);
        if let Ok(valid) = send(&api, Method::Patch, "/customers/9", &[("content-type", "application/json")], body.as_bytes()) {
            let Some(Json::Object(members)) = valid.payload.into_value() else { panic!("no object") };
            prop_assert!(members.iter().all(|(k, _)| k != "x" && k != "y"));
        }
    }
}

fn noted(found: &[FieldError]) -> String {
    let each = found
        .iter()
        .map(|e| format!("{} {}:{}", e.place, e.pointer, e.keyword));
    each.collect::<Vec<_>>().join(", ")
}

#[test]
fn an_observed_request_passes_and_tells_what_breaks_the_contract() {
    let valid = in_mode(Mode::Observe, "/customers/x?fields=zip&role=admin", "").unwrap();
    assert_eq!(
        noted(&valid.noted),
        "path id:type, query fields/0:enum, query role:additionalProperties"
    );
    assert_eq!(valid.query, "fields=zip&role=admin");
    assert!(valid.is_unproven);
    let body = r#"{"name":7,"role":{"$where":"1"}}"#;
    let valid = in_mode(Mode::Observe, "/customers/9", body).unwrap();
    assert_eq!(
        noted(&valid.noted),
        "body /name:type, body /role:additionalProperties"
    );
    assert_eq!(valid.body_bytes, body.as_bytes());
    let valid = in_mode(Mode::Observe, "/customers/9", r#"{"name":"n"}"#).unwrap();
    assert!(valid.noted.is_empty() && !valid.is_unproven);
}

#[test]
fn a_skipped_schema_notes_nothing_and_leaves_everything_to_inspection() {
    let body = r#"{"name":7,"role":{"$where":"1"}}"#;
    let valid = in_mode(Mode::Off, "/customers/x", body).unwrap();
    assert!(valid.noted.is_empty() && valid.is_unproven);
    let api = contract(API);
    let operation = api.operation("updateCustomer").unwrap().1;
    let seen: Vec<_> = free_leaves(operation, &valid)
        .into_iter()
        .map(|l| format!("{} {} {}", l.pointer, l.text, l.is_name))
        .collect();
    let expected = [
        "/name name true",
        "/role role true",
        "/role/$where $where true",
        "/role/$where 1 false",
    ];
    assert_eq!(seen[seen.len() - 4..], expected);
    // The undeclared parameter and the value outside its enum are looked at as well.
    let target = "/customers/9?fields=zip&role=admin";
    let valid = in_mode(Mode::Observe, target, "").unwrap();
    let operation = api.operation("getCustomer").unwrap().1;
    let seen: Vec<_> = free_leaves(operation, &valid)
        .into_iter()
        .map(|l| l.text.into_owned())
        .collect();
    assert_eq!(seen, ["zip", "role", "admin"]);
}

#[test]
fn what_cannot_be_read_without_doubt_is_refused_in_every_mode() {
    for mode in [Mode::Enforce, Mode::Observe, Mode::Off] {
        for (target, body, code) in [
            ("/customers/9", "{", "validate.body"),
            (
                "/customers/9",
                r#"{"name":"a","name":"b"}"#,
                "validate.body",
            ),
            ("/customers/9?q=1&q=2", "", "validate.query"),
            ("/customers/9?json=%7B", "", "validate.query"),
        ] {
            let refusal = in_mode(mode, target, body).unwrap_err();
            assert_eq!(refusal.reason.code, code, "{target} {body}");
        }
    }
}

#[test]
fn a_body_of_ninety_thousand_unknown_fields_is_refused_for_the_first_ones() {
    let fields: Vec<_> = (0..90_000).map(|n| format!("\"u{n}\":{n}")).collect();
    let body = format!("{{{}}}", fields.join(","));
    let start = std::time::Instant::now();
    let refusal = patch("application/json", &body).unwrap_err();
    println!("{} bytes refused in {:?}", body.len(), start.elapsed());
    let expected: Vec<_> = (0..20)
        .map(|n| format!("/u{n}:additionalProperties"))
        .collect();
    assert_eq!(
        said(&refusal),
        format!("validate.body {}", expected.join(", "))
    );
}

#[test]
#[ignore = "prints figures; run by hand"]
fn figures() {
    let api = contract(API);
    let rounds: u32 = 20_000;
    let (operation, fields) = (api.operation("getCustomer").unwrap().1, [("accept", "*/*")]);
    with(
        &api,
        Method::Get,
        "/customers/9?q=hello&page=2",
        &fields,
        |_, request, values| {
            let start = std::time::Instant::now();
            for _ in 0..rounds {
                std::hint::black_box(check_request(
                    operation,
                    request,
                    values,
                    b"",
                    Mode::Enforce,
                )?);
            }
            println!("check_request {:?}", start.elapsed() / rounds);
            let valid = check_request(operation, request, values, b"", Mode::Enforce)?;
            let start = std::time::Instant::now();
            for _ in 0..rounds {
                std::hint::black_box(free_leaves(operation, &valid));
            }
            println!("leaves {:?}", start.elapsed() / rounds);
            Ok(())
        },
    )
    .unwrap();
}
