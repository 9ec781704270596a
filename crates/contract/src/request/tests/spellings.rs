//! Values with more than one spelling: lists of fields, integers, cookies, objects that are spread over the query.

use super::*;
use crate::parameters::{declared_cookies, list_field};
use crate::plan::Place;

const SPREAD: &str = r#"
openapi: 3.1.0
paths:
  /parts/{number}:
    parameters: [{name: number, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getPart
      parameters:
        - {name: page, in: query, schema: {type: integer, maximum: 9}}
        - {name: filter, in: query, schema: {type: object, properties: {state: {type: string}}, additionalProperties: {type: string, maxLength: 3}}}
        - {name: other, in: query, schema: {type: object, properties: {size: {type: integer}}, additionalProperties: {type: integer}}}
        - {name: price, in: query, schema: {type: number}}
        - {name: either, in: query, schema: {type: [integer, string]}}
        - {name: rank, in: query, schema: {enum: [1, 2]}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: X-Tags, in: header, schema: {type: array, items: {enum: [a, b]}}}
        - {name: X-Place, in: header, schema: {type: object, properties: {x: {type: integer}, y: {type: integer}}}}
        - {name: X-One, in: header, schema: {type: string}}
        - {name: tenant, in: cookie, required: true, schema: {type: string, maxLength: 4}}
      responses: {200: {description: ok}}
  /free:
    get:
      operationId: getFree
      parameters: [{name: filter, in: query, schema: {type: object}}]
      responses: {200: {description: ok}}
  /shut:
    get:
      operationId: getShut
      parameters: [{name: filter, in: query, schema: {type: object, properties: {state: {type: string}}}}]
      responses: {200: {description: ok}}
"#;

fn ask(target: &str, fields: &[(&str, &str)]) -> Result<ValidRequest, Box<Refusal>> {
    let fields: Vec<(&str, &str)> = [("cookie", "tenant=acme")]
        .iter()
        .chain(fields)
        .copied()
        .collect();
    send(&contract(SPREAD), Method::Get, target, &fields, b"")
}

/// What a parameter was read as, written as JSON.
fn read(valid: &ValidRequest, place: Place, name: &str) -> String {
    let mut out = Vec::new();
    model::json::write(valid.parameter(place, name).unwrap(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_integer_has_one_spelling_wherever_it_is_sent_as_text() {
    for odd in [
        "4.0", "4e0", "4E0", "40e-1", "4e1", "-0", "+4", "04", " 4", "4.", "0x4",
    ] {
        let odd = odd.replace('+', "%2B").replace(' ', "%20");
        for target in [
            format!("/parts/{odd}"),
            format!("/parts/7?page={odd}"),
            format!("/parts/7?rank={odd}"),
            format!("/parts/7?ids=1,{odd}"),
            format!("/parts/7?size={odd}"),
        ] {
            let refused = ask(&target, &[]).unwrap_err();
            assert!(!refused.errors.is_empty(), "{target}");
        }
        let form = format!("n={odd}");
        assert!(
            patch("application/x-www-form-urlencoded", &form).is_err(),
            "{form}"
        );
    }
    for target in [
        "/parts/-4?page=0",
        "/parts/0?rank=2&ids=1,-2&price=4.0",
        "/parts/7?price=4e0&either=4.0",
    ] {
        let valid = ask(target, &[]).unwrap();
        let query = target.split_once('?').unwrap().1;
        assert_eq!(valid.query, query, "{target}");
    }
    let valid = ask("/parts/7?either=4.0", &[]).unwrap();
    assert_eq!(read(&valid, Place::Query, "either"), r#""4.0""#);
}

#[test]
fn names_that_nobody_claims_belong_to_the_object_that_declares_others() {
    let valid = ask("/parts/7?page=2&colour=red&state=new&size=3", &[]).unwrap();
    assert_eq!(
        read(&valid, Place::Query, "filter"),
        r#"{"colour":"red","state":"new"}"#
    );
    assert_eq!(read(&valid, Place::Query, "other"), r#"{"size":3}"#);
    assert_eq!(read(&valid, Place::Query, "page"), "2");
    assert_eq!(valid.query, "page=2&colour=red&state=new&size=3");
    // Whatever it holds is held against its schema, and a name that is claimed is never its own.
    assert!(ask("/parts/7?colour=orange", &[]).is_err());
    assert!(ask("/parts/7?page=10", &[]).is_err());
    assert!(ask("/parts/7?colour=red&colour=red", &[]).is_err());
    let api = contract(SPREAD);
    let get = |target: &str| send(&api, Method::Get, target, &[], b"");
    assert_eq!(get("/free?a=1&b=2").unwrap().query, "a=1&b=2");
    assert!(get("/shut?a=1").is_err() && get("/shut?state=1").is_ok());
}

#[test]
fn a_list_in_several_lines_is_one_list_and_anything_else_is_not() {
    let tags = |lines: &[&str]| {
        let fields: Vec<(&str, &str)> = lines.iter().map(|line| ("x-tags", *line)).collect();
        ask("/parts/7", &fields).map(|valid| read(&valid, Place::Header, "x-tags"))
    };
    for lines in [
        &["a,b,a"][..],
        &["a, b", "a"],
        &["a", "b ,\ta"],
        &["a,,b", "", ", a"],
    ] {
        assert_eq!(tags(lines).unwrap(), r#"["a","b","a"]"#, "{lines:?}");
    }
    assert_eq!(tags(&[""]).unwrap(), "[]");
    assert!(tags(&["a", "c"]).is_err());
    let place = ask("/parts/7", &[("x-place", "x, 1"), ("x-place", "y,2")]).unwrap();
    assert_eq!(read(&place, Place::Header, "x-place"), r#"{"x":1,"y":2}"#);
    assert!(ask("/parts/7", &[("x-place", "x,,1")]).is_err());
    assert!(ask("/parts/7", &[("x-one", "a"), ("x-one", "b")]).is_err());
    let api = contract(SPREAD);
    let mut headers = Headers::new();
    headers.push("x-tags", "a, b");
    headers.push("x-tags", " ,a");
    let written = |name: &str| {
        list_field(
            api.operations[0].parameter(Place::Header, name).unwrap(),
            &headers,
        )
    };
    assert_eq!(
        written("x-tags").as_deref(),
        Some("a,b,a"),
        "what is forwarded"
    );
    assert_eq!((written("x-place"), written("x-one")), (None, None));
}

#[test]
fn a_declared_cookie_is_judged_and_no_other_is_kept() {
    let api = contract(SPREAD);
    let send = |cookie: &str| {
        let fields = [("cookie", cookie)];
        let valid = send(&api, Method::Get, "/parts/7", &fields, b"")?;
        Ok::<_, Box<Refusal>>(read(&valid, Place::Cookie, "tenant"))
    };
    assert_eq!(
        send("session=x; tenant=acme; theme=dark").unwrap(),
        r#""acme""#
    );
    for odd in [
        "session=x",
        "tenant=toolong",
        "tenant=a; tenant=b",
        "tenant=\"a\"",
        "tenant=a%41",
        "tenant=a b",
        "tenant=a,b",
        "Tenant=acme",
    ] {
        assert!(send(odd).is_err(), "{odd}");
    }
    let mut headers = Headers::new();
    headers.push("cookie", "session=x; tenant=acme");
    headers.push("cookie", "theme=dark");
    let kept = |operation: usize| declared_cookies(&api.operations[operation], &headers);
    assert_eq!((kept(0).as_deref(), kept(1)), (Some("tenant=acme"), None));
}
