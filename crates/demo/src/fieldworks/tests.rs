use super::*;
use crate::data::Kind;
use crate::record::text;

fn ask(fieldworks: &Fieldworks, method: Method, target: &str, body: &str) -> (u16, Json) {
    let response = fieldworks.handle(method, target, &model::Headers::new(), body.as_bytes());
    let json = model::json::parse(&response.body, Bounds::default()).unwrap_or(Json::Null);
    (response.status, json)
}

#[test]
fn every_field_is_returned_to_anybody() {
    let fieldworks = Fieldworks::new(1);
    let response = fieldworks.handle(
        Method::Get,
        "/v2/work-orders/4711",
        &model::Headers::new(),
        b"",
    );
    let body = String::from_utf8(response.body.clone()).unwrap();
    for secret in [
        "iban",
        "accessCode",
        "unitCost",
        "internalNotes",
        "margin",
        "_debug",
        "_rowid",
    ] {
        assert!(body.contains(secret), "{secret}");
    }
    assert!(response.headers.text("x-powered-by").is_some());
}

#[test]
fn lists_are_paged_and_filtered_without_asking_for_an_owner() {
    let fieldworks = Fieldworks::new(1);
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let target = format!("/v2/work-orders?partnerId=north-star&limit=100{cursor}");
        let (status, page) = ask(&fieldworks, Method::Get, &target, "");
        assert_eq!(status, 200);
        let Some(Json::List(items)) = page.get("items") else {
            panic!("no items")
        };
        assert!(
            items
                .iter()
                .all(|i| text(i, "assignment.partnerId") == "north-star")
        );
        seen += items.len();
        match page.get("nextCursor").and_then(Json::as_text) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let all = fieldworks.with_world(|w| {
        w.all(Kind::WorkOrder)
            .filter(|o| text(o, "assignment.partnerId") == "north-star")
            .count()
    });
    assert_eq!(seen, all);
    assert!(seen > 100);
}

#[test]
fn writes_are_kept_and_take_whatever_is_sent() {
    let fieldworks = Fieldworks::new(1);
    let (status, changed) = ask(
        &fieldworks,
        Method::Patch,
        "/v2/customers/9",
        r#"{"role":"admin","email":"a@b.example"}"#,
    );
    assert_eq!((status, text(&changed, "role")), (200, "admin"));
    let (_, read) = ask(&fieldworks, Method::Get, "/v2/customers/9", "");
    assert_eq!(text(&read, "email"), "a@b.example");
    let (status, made) = ask(
        &fieldworks,
        Method::Post,
        "/v2/service-requests",
        r#"{"description":"x","source":"crm"}"#,
    );
    assert_eq!((status, text(&made, "status")), (201, "new"));
    let (status, _) = ask(&fieldworks, Method::Delete, "/v2/subscriptions/1", "");
    assert_eq!(status, 204);
    assert_eq!(
        ask(&fieldworks, Method::Delete, "/v2/subscriptions/1", "").0,
        404
    );
}

#[test]
fn a_fault_tells_everything_it_should_not() {
    let fieldworks = Fieldworks::new(1);
    let response = fieldworks.handle(
        Method::Get,
        "/v2/work-orders/4999",
        &model::Headers::new(),
        b"",
    );
    assert_eq!(response.status, 500);
    assert!(
        String::from_utf8(response.body)
            .unwrap()
            .contains("postgres://")
    );
}

#[test]
fn the_old_interface_uses_old_names() {
    let fieldworks = Fieldworks::new(1);
    let (status, order) = ask(&fieldworks, Method::Get, "/v1/work-orders/4711", "");
    assert_eq!((status, text(&order, "state")), (200, "completed"));
    let (status, page) = ask(&fieldworks, Method::Get, "/v1/articles?limit=2", "");
    assert_eq!(status, 200);
    assert!(page.get("next_cursor").and_then(Json::as_text).is_some());
    assert_eq!(ask(&fieldworks, Method::Get, "/v1/nothing", "").0, 404);
    assert_eq!(ask(&fieldworks, Method::Get, "/health", "").0, 200);
}

#[test]
fn what_was_asked_is_counted() {
    let fieldworks = Fieldworks::new(1);
    let mut headers = model::Headers::new();
    headers.push("authorization", "Bearer x");
    fieldworks.handle(Method::Get, "/v2/parts?limit=1", &headers, b"");
    fieldworks.handle(Method::Get, "/v2/parts?limit=2", &headers, b"abc");
    let seen = fieldworks.seen();
    assert_eq!(seen.requests.get("GET /v2/parts"), Some(&2));
    assert!(seen.bytes_in > 40 && seen.bytes_out > 100);
    assert_eq!(
        seen.last_headers,
        [("authorization".to_owned(), "Bearer x".to_owned())]
    );
    fieldworks.forget();
    assert_eq!(fieldworks.seen().total(), 0);
}

#[test]
fn broken_escapes_and_odd_paths_do_not_stop_it() {
    let fieldworks = Fieldworks::new(1);
    for target in [
        "",
        "/",
        "//",
        "/v2",
        "/v2/%",
        "/v2/%zz/%e4",
        "/v1/",
        "/v2/customers/%00?%=%&=",
        "/v2/events/replay",
    ] {
        for method in Method::ALL {
            let response = fieldworks.handle(method, target, &model::Headers::new(), b"{");
            assert!(response.status >= 200, "{target}");
        }
    }
}

#[test]
fn it_answers_over_the_wire() {
    let fieldworks = Fieldworks::new(1);
    let hosted = fieldworks.host(0).unwrap();
    let call = crate::call::Call::get("/v2/work-orders/4711");
    let response = crate::call::send_plain(hosted.address, &call, None).unwrap();
    assert_eq!(
        (response.status, response.header("x-powered-by")),
        (200, Some("Bolt/2.1.7"))
    );
    assert_eq!(text(&response.json().unwrap(), "number"), "WO-2026-04711");
    assert_eq!(fieldworks.seen().total(), 1);
    hosted.stop();
}
