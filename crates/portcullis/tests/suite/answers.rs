//! What the upstream answers, and what the caller is told of it: statuses keep their meaning, what was carried out is
//! never reported as failed, and where a grant conceals, no answer of the upstream tells what is hidden.
//! Start reading at `statuses_keep_their_meaning`.

mod carried_out;
mod concealed;
mod fields;
mod keys;

use demo::{Call, CallResponse};
use testkit::{Gate, Key, Play, RecordingUpstream, Server, answer, json_response};

use crate::{call, serve};

/// An api whose contract says much about errors. `@UPSTREAM@` stands for the upstream's address.
const CONTRACT: &str = r##"
openapi: 3.1.0
info: { title: Orders, version: "1.0.0" }
paths:
  /orders:
    get:
      operationId: listOrders
      responses:
        "200": { description: Done, content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Order" } } } } }
        "422": { $ref: "#/components/responses/Wrong" }
    post:
      operationId: createOrder
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/OrderNew" } } }
      responses:
        "201": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
        "202": { description: Later }
        "409": { $ref: "#/components/responses/Wrong" }
        "422": { $ref: "#/components/responses/Wrong" }
        "429": { $ref: "#/components/responses/Wrong" }
        "503": { $ref: "#/components/responses/Wrong" }
  /orders/{orderId}:
    parameters:
      - { name: orderId, in: path, required: true, schema: { type: string, pattern: "^[A-Za-z0-9-]{1,40}$" } }
    get:
      operationId: getOrder
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
        "404": { $ref: "#/components/responses/Wrong" }
        "500": { $ref: "#/components/responses/Wrong" }
        4XX: { $ref: "#/components/responses/Wrong" }
    put:
      operationId: replaceOrder
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/OrderNew" } } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
        default: { $ref: "#/components/responses/Wrong" }
    patch:
      operationId: changeOrder
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/OrderNew" } } }
      responses:
        "200": { description: Done, content: { application/vnd.orders+json: { schema: { $ref: "#/components/schemas/Order" } } } }
        default: { $ref: "#/components/responses/Wrong" }
    delete:
      operationId: deleteOrder
      responses:
        "204": { description: Done }
        "403": { $ref: "#/components/responses/Wrong" }
        default: { $ref: "#/components/responses/Wrong" }
components:
  responses:
    Wrong:
      description: Not done
      content: { application/problem+json: { schema: { $ref: "#/components/schemas/Wrong" } } }
  schemas:
    Order:
      type: object
      required: [id, title]
      properties:
        id: { type: string }
        title: { type: string }
        owner: { type: string }
        margin: { type: number }
    OrderNew:
      type: object
      required: [title]
      properties:
        title: { type: string, maxLength: 100 }
        owner: { type: string, maxLength: 100 }
      additionalProperties: false
    Wrong:
      type: object
      properties:
        code: { type: string }
        message: { type: string }
        trace: { type: string }
        key: { type: string, x-portcullis-class: secret }
        fields: { type: array, items: { type: object, properties: { name: { type: string }, why: { type: string } } } }
"##;

const API: &str = r#"
owner: platform@brightline.example
versions:
  v1:
    contract: orders.v1.openapi.yaml
    state: active
    base_path: /o
    upstream: { targets: ["http://@UPSTREAM@"], timeout: 2s, answer_bytes_max: 64KiB }
    expose:
      public: [listOrders, createOrder, getOrder, replaceOrder, changeOrder, deleteOrder]
    objects:
      Order: { id: path.orderId, resolve: getOrder, attributes: { owner: body.owner } }
"#;

const HEAD: &str = "owner: a@b.example\npurpose: A trial\nreview_by: 2099-12-31\n";

/// Grants as `integrations/NAME.yaml`, everything that stands before them included.
fn integration(grants: &str) -> String {
    format!("{HEAD}credentials: {{ api_key: {{}} }}\n{grants}")
}

/// `told` sees error fields, `plain` none; `mine` has a condition and is refused by 404, `shown` by 403.
fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    gate.write("apis/orders.v1.openapi.yaml", CONTRACT);
    gate.write(
        "apis/orders.yaml",
        API.replace("@UPSTREAM@", &upstream.address().to_string()),
    );
    let reads =
        "  - { api: orders/v1, operations: [listOrders, getOrder], fields: [id, title] @MORE@ }\n";
    let writes = "  - { api: orders/v1, operations: [createOrder, replaceOrder, changeOrder], writes: [title, owner], fields: [id, title] @MORE@ }\n";
    let gone = "  - { api: orders/v1, operations: [deleteOrder] @MORE@ }\n";
    let all = format!("grants:\n{reads}{writes}{gone}");
    let errors = r#", errors: [code, message, "fields.*.name"]"#;
    let mine = r#", when: 'resource.owner == "me"', deny_as: not_found"#;
    let shown = r#", when: 'resource.owner == "me"', deny_as: forbidden"#;
    for (name, more) in [
        ("told", errors.to_owned()),
        ("plain", String::new()),
        ("mine", format!("{mine}{errors}")),
        ("shown", format!("{shown}{errors}")),
    ] {
        gate.write(
            &format!("integrations/{name}.yaml"),
            integration(&all.replace("@MORE@", &more)),
        );
    }
    gate
}

const ORDER: &str = r#"{"id":"1","title":"t","owner":"me","margin":7}"#;
const SHOWN: &str = r#"{"id":"1","title":"t"}"#;
const WRONG: &str = r#"{"code":"E7","message":"not so","trace":"INSIDE at line 7","key":"INSIDE","fields":[{"name":"title","why":"INSIDE"}]}"#;
const TOLD: &str = r#"{"code":"E7","message":"not so","fields":[{"name":"title"}]}"#;

/// Answers with the status that ends the target or the title: `/o/orders/s409`, `{"title":"s409"}`.
fn by_status(asked: &testkit::Received) -> Play {
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let said = match body.split_once(r#""title":"s"#) {
        Some((_, rest)) => rest.to_owned(),
        None => asked
            .target
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_start_matches('s')
            .to_owned(),
    };
    let digits: String = said.chars().take_while(char::is_ascii_digit).collect();
    let status = digits
        .parse()
        .ok()
        .filter(|status| *status >= 200)
        .unwrap_or(200);
    let text = match status {
        200..300 => ORDER,
        _ => WRONG,
    };
    let kind = match status {
        200..300 => "application/json",
        _ => "application/problem+json",
    };
    let fields = [
        ("content-type".to_owned(), kind.to_owned()),
        ("retry-after".to_owned(), "17".to_owned()),
        ("x-inside".to_owned(), "INSIDE".to_owned()),
    ];
    match status {
        204 | 304 => Play::Response(answer(status, &[], b"")),
        _ => Play::Response(answer(status, &fields, text.as_bytes())),
    }
}

/// One call of each method about one status.
fn asked(method: &str, status: u16) -> Call {
    let body = format!(r#"{{"title":"s{status}"}}"#);
    match method {
        "POST" => call(method, "/o/orders").json(&body),
        "PUT" | "PATCH" => call(method, "/o/orders/1").json(&body),
        _ => call(method, &format!("/o/orders/s{status}")),
    }
}

fn send(server: &Server, key: &Key, call: &Call) -> CallResponse {
    let response = server.send(call, Some(key));
    let all = format!("{:?} {}", response.headers, response.text());
    assert!(
        !all.contains("INSIDE"),
        "{} {}: {all}",
        call.method,
        call.target
    );
    response
}

fn code(response: &CallResponse) -> String {
    response.code().unwrap_or_default()
}

/// Whose answer it is: ours has a `Proxy-Status`, the upstream's has none (RFC 9209 §2).
fn is_ours(response: &CallResponse) -> bool {
    response.header("proxy-status").is_some()
}

// LONG: a table of cases, to be read as a list.
#[test]
fn statuses_keep_their_meaning() {
    let upstream = RecordingUpstream::start(by_status);
    let server = serve(gate(&upstream));
    let (told, plain) = (
        server.quick_key("told", &[]),
        server.quick_key("plain", &[]),
    );
    // Method, status of the upstream, what a caller with granted error fields gets, and one without.
    for (method, status, with, without) in [
        ("GET", 400, "400", "400 upstream.rejected"),
        ("GET", 404, "404", "404 object.absent"),
        ("GET", 409, "409", "409 upstream.rejected"),
        ("GET", 451, "451", "451 upstream.rejected"),
        ("GET", 500, "500", "502 upstream.failed"),
        ("GET", 502, "502 upstream.failed", "502 upstream.failed"),
        ("GET", 302, "502 upstream.failed", "502 upstream.failed"),
        ("GET", 304, "502 upstream.failed", "502 upstream.failed"),
        ("GET", 401, "502 upstream.denied", "502 upstream.denied"),
        ("GET", 403, "502 upstream.denied", "502 upstream.denied"),
        ("GET", 407, "502 upstream.denied", "502 upstream.denied"),
        ("GET", 408, "502 upstream.failed", "502 upstream.failed"),
        ("GET", 429, "429", "429 upstream.busy"),
        ("GET", 503, "503 upstream.busy", "503 upstream.busy"),
        ("POST", 409, "409", "409 upstream.rejected"),
        ("POST", 422, "422", "422 upstream.rejected"),
        (
            "POST",
            423,
            "423 upstream.rejected",
            "423 upstream.rejected",
        ),
        ("POST", 429, "429", "429 upstream.busy"),
        ("POST", 503, "503", "503 upstream.busy"),
        (
            "POST",
            500,
            "502 upstream.outcome_unknown",
            "502 upstream.outcome_unknown",
        ),
        (
            "POST",
            303,
            "502 upstream.outcome_unknown",
            "502 upstream.outcome_unknown",
        ),
        ("POST", 403, "502 upstream.denied", "502 upstream.denied"),
        ("PATCH", 412, "412", "412 upstream.rejected"),
        // `default` vouches for no failure of the system itself.
        (
            "PATCH",
            500,
            "502 upstream.outcome_unknown",
            "502 upstream.outcome_unknown",
        ),
        ("PUT", 500, "502 upstream.failed", "502 upstream.failed"),
        ("PUT", 412, "412", "412 upstream.rejected"),
        ("DELETE", 401, "502 upstream.denied", "502 upstream.denied"),
        // Declared by its number, it is about the request.
        ("DELETE", 403, "403", "403 upstream.rejected"),
        ("DELETE", 409, "409", "409 upstream.rejected"),
        ("DELETE", 410, "410", "410 upstream.rejected"),
    ] {
        for (key, wanted) in [(&told, with), (&plain, without)] {
            let what = format!("{method} {status}");
            let response = send(&server, key, &asked(method, status));
            let got = format!("{} {}", response.status, code(&response));
            if wanted.contains(' ') {
                assert_eq!(got, wanted, "{what}: {}", response.text())
            } else {
                assert_eq!(
                    (
                        response.status.to_string().as_str(),
                        response.text().as_str()
                    ),
                    (wanted, TOLD),
                    "{what}"
                );
                assert_eq!(
                    response.header("content-type"),
                    Some("application/problem+json")
                );
            }
            assert_eq!(
                is_ours(&response),
                wanted.contains(' '),
                "{what}: {:?}",
                response.headers
            );
            let waits = matches!(status, 429 | 503).then_some("17");
            if waits.is_some() {
                assert_eq!(response.header("retry-after"), waits, "{what}");
            }
            let again = response.text().contains("Try again");
            assert!(
                !again || matches!(method, "GET" | "PUT" | "DELETE"),
                "{what}: {}",
                response.text()
            );
        }
    }
}

// LONG: a table of cases, to be read as a list.
#[test]
fn what_was_carried_out_is_not_reported_as_failed() {
    let broken = r#"{"id":"1","id":"2","x":"INSIDE"}"#;
    let key = format!("-----BEGIN {0} KEY-----INSIDE", "PRIVATE");
    let secret = serde_json::json!({ "id": "1", "title": key }).to_string();
    let kind = |kind: &str| vec![("content-type".to_owned(), kind.to_owned())];
    let responses = vec![
        ("text", answer(201, &kind("text/plain"), b"INSIDE")),
        ("typeless", answer(201, &[], b"INSIDE")),
        ("broken", answer(201, &kind("application/json"), broken.as_bytes())),
        ("empty", answer(201, &kind("application/json"), b"")),
        ("list", json_response(201, r#"["INSIDE"]"#)),
        ("leak", json_response(201, &secret)),
        ("foreign", json_response(201, r#"{"id":"1","title":"INSIDE","owner":"you"}"#)),
        ("bare", json_response(201, r#"{"title":"INSIDE"}"#)),
        ("later", answer(202, &[], b"")),
        ("part", answer(206, &kind("application/json"), ORDER.as_bytes())),
        ("large", json_response(201, &format!(r#"{{"id":"{}"}}"#, "INSIDE".repeat(20_000)))),
        ("cut", b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"id\":\"INSIDE\"".to_vec()),
    ];
    let plays = responses.clone();
    let upstream = RecordingUpstream::start(move |asked| {
        let body = String::from_utf8_lossy(&asked.body).into_owned();
        let play = plays
            .iter()
            .find(|(name, _)| body.contains(&format!(r#""{name}""#)));
        match (play, asked.method.as_str()) {
            (Some(("cut", bytes)), _) => Play::Close(bytes.clone()),
            (Some((_, bytes)), _) => Play::Response(bytes.clone()),
            (None, _) => Play::Response(json_response(200, ORDER)),
        }
    });
    let gate = gate(&upstream);
    gate.edit(
        "apis/orders.yaml",
        "base_path: /o",
        "base_path: /o\n    checks: { response: enforce }",
    );
    let server = serve(gate);
    let mine = server.quick_key("mine", &[]);
    for (name, bytes) in responses {
        let wanted: u16 = String::from_utf8_lossy(&bytes)[9..12].parse().unwrap();
        let body = format!(r#"{{"title":"{name}","owner":"me"}}"#);
        for method in ["POST", "PUT", "PATCH"] {
            let target = if method == "POST" {
                "/o/orders"
            } else {
                "/o/orders/1"
            };
            let response = send(&server, &mine, &call(method, target).json(&body));
            let wanted = if name == "part" { 200 } else { wanted };
            assert_eq!(
                (response.status, response.text().as_str()),
                (wanted, ""),
                "{method} {name}"
            );
            assert!(!is_ours(&response), "{method} {name}");
            let event = server.event(response.decision().unwrap());
            assert_eq!(event["outcome"], "allow", "{event}");
            if name != "later" {
                let detail = event["detail"].as_str().unwrap_or_default();
                assert!(
                    detail.contains("body was withheld"),
                    "{method} {name}: {event}"
                );
            }
        }
    }
    let good = send(
        &server,
        &mine,
        &call("PUT", "/o/orders/1").json(r#"{"title":"t","owner":"me"}"#),
    );
    assert_eq!((good.status, good.text().as_str()), (200, SHOWN));
}

#[test]
fn a_call_that_may_have_been_carried_out_is_not_to_be_sent_again() {
    let upstream = RecordingUpstream::start(|asked| {
        let text = format!("{}{}", asked.target, String::from_utf8_lossy(&asked.body));
        match () {
            () if text.contains("hang") => Play::Hang(Vec::new()),
            () if text.contains("shut") => Play::Close(Vec::new()),
            () if text.contains("odd") => Play::Close(b"SSH-2.0\r\n\r\n".to_vec()),
            () => Play::Response(json_response(200, ORDER)),
        }
    });
    let gate = gate(&upstream);
    gate.edit("apis/orders.yaml", "timeout: 2s", "timeout: 1s");
    let server = serve(gate);
    let plain = server.quick_key("plain", &[]);
    for (word, status, repeatable) in [
        ("hang", 504, "upstream.timeout"),
        ("shut", 502, "upstream.unreachable"),
        ("odd", 502, "upstream.protocol"),
    ] {
        let body = format!(r#"{{"title":"{word}"}}"#);
        for (asked, code) in [
            (
                call("POST", "/o/orders").json(&body),
                "upstream.outcome_unknown",
            ),
            (
                call("PATCH", "/o/orders/1").json(&body),
                "upstream.outcome_unknown",
            ),
            (call("PUT", "/o/orders/1").json(&body), repeatable),
            (call("DELETE", &format!("/o/orders/{word}")), repeatable),
            (call("GET", &format!("/o/orders/{word}")), repeatable),
        ] {
            // A target that failed rests for a moment; only the failure itself is of interest here.
            upstream.forget();
            let response = testkit::poll(testkit::PATIENCE, || {
                let response = server.send(&asked, Some(&plain));
                (!upstream.requests().is_empty()).then_some(response)
            })
            .unwrap();
            let what = format!("{} {word}: {}", asked.method, response.text());
            assert_eq!(
                (response.status, response.code().as_deref()),
                (status, Some(code)),
                "{what}"
            );
            assert_eq!(
                response.text().contains("Try again"),
                code == repeatable,
                "{what}"
            );
            assert_eq!(response.header("retry-after"), None, "{what}");
        }
    }
    drop(upstream);
    let never_sent = server.send(
        &call("POST", "/o/orders").json(r#"{"title":"t"}"#),
        Some(&plain),
    );
    assert_eq!(
        (never_sent.status, code(&never_sent).as_str()),
        (502, "upstream.unreachable")
    );
}

#[test]
fn how_long_to_wait_is_passed_on_as_bounded_seconds() {
    let upstream = RecordingUpstream::start(|asked| {
        let wait = match asked.target.rsplit('/').next().unwrap_or_default() {
            "seconds" => "30",
            "days" => "864000000",
            "date" => "Fri, 31 Dec 2100 23:59:59 GMT",
            "past" => "Fri, 31 Dec 1999 23:59:59 GMT",
            "odd" => "soon; INSIDE",
            _ => "-1",
        };
        let fields = [("retry-after".to_owned(), wait.to_owned())];
        Play::Response(answer(503, &fields, b"INSIDE"))
    });
    let server = serve(gate(&upstream));
    let told = server.quick_key("told", &[]);
    for (name, wanted) in [
        ("seconds", Some("30")),
        ("days", Some("86400")),
        ("date", Some("86400")),
        ("past", Some("0")),
        ("odd", None),
        ("minus", None),
    ] {
        let response = send(&server, &told, &call("GET", &format!("/o/orders/{name}")));
        assert_eq!(
            (response.status, response.header("retry-after")),
            (503, wanted),
            "{name}"
        );
    }
}

// LONG: a table of cases, to be read as a list.
#[test]
fn media_types_are_agreed_on_before_the_call() {
    let upstream = RecordingUpstream::start(by_status);
    let server = serve(gate(&upstream));
    let plain = server.quick_key("plain", &[]);
    let read = || call("GET", "/o/orders/1");
    let change = || call("PATCH", "/o/orders/1").json(r#"{"title":"t"}"#);
    let vendor = "application/vnd.orders+json";
    for (asked, accept, is_served, sent) in [
        (read(), "*/*", true, "application/json"),
        (read(), "", true, "application/json"),
        (
            read(),
            "text/html,application/xhtml+xml,*/*;q=0.8",
            true,
            "application/json",
        ),
        (read(), "application/*;q=0.5", true, "application/json"),
        (
            read(),
            "application/json; charset=utf-8",
            true,
            "application/json",
        ),
        (read(), "APPLICATION/JSON", true, "application/json"),
        (
            read(),
            "text/csv, application/json;q=0.1",
            true,
            "application/json",
        ),
        (read(), "text/csv", false, ""),
        (read(), vendor, false, ""),
        (read(), "application/json;q=0, text/*", false, ""),
        (read(), "*/*, application/json;q=0", false, ""),
        (change(), vendor, true, vendor),
        (change(), "text/csv", false, ""),
        // What has no body has no media type either.
        (
            call("DELETE", "/o/orders/s204"),
            "text/csv",
            true,
            "application/problem+json",
        ),
    ] {
        upstream.forget();
        let what = format!("{} with {accept:?}", asked.method);
        let asked = if accept.is_empty() {
            asked
        } else {
            asked.with("Accept", accept)
        };
        let response = server.send(&asked, Some(&plain));
        if is_served {
            assert!(
                response.status < 300,
                "{what}: {} {}",
                response.status,
                response.text()
            );
            let seen = upstream.requests();
            let arrived = seen
                .last()
                .unwrap()
                .header("accept")
                .unwrap_or_default()
                .to_owned();
            assert!(arrived.starts_with(sent), "{what}: {arrived}");
            assert!(
                !arrived.contains("html") && !arrived.contains("csv"),
                "{what}: {arrived}"
            );
        } else {
            assert_eq!(
                (response.status, code(&response).as_str()),
                (406, "validate.accept"),
                "{what}"
            );
            upstream.assert_untouched(&what);
        }
    }
}
