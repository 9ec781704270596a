//! Objects that are persons: their ids stand sealed in the ledger, in the clear nowhere that outlives the call, and can be erased.
//! Start reading at `the_id_of_a_person_is_in_no_file_whatever_became_of_the_call`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{Ended, Gate, Key, Play, RecordingUpstream, Server, poll, run};

use crate::{call, program, serve};

const CONTRACT: &str = r##"
openapi: 3.1.0
info: { title: Shop, version: "1.0.0" }
paths:
  /customers:
    get:
      operationId: listCustomers
      parameters:
        - { name: referrer, in: query, x-portcullis-refers-to: Customer, x-portcullis-filters: [], schema: { type: string, maxLength: 40 } }
        - { name: phone, in: query, x-portcullis-class: personal, x-portcullis-filters: [], schema: { type: string, x-portcullis-class: personal, maxLength: 9 } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Customer" } } } } }
  /customers/{customerId}:
    parameters:
      - { name: customerId, in: path, required: true, schema: { type: string, pattern: "^[A-Za-z0-9-]{1,40}$" } }
    get:
      operationId: getCustomer
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Customer" } } } }
    put:
      operationId: replaceCustomer
      requestBody: { required: true, content: { application/json: { schema: { type: object, properties: { name: { type: string } } } } } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Customer" } } } }
  /visitors/{email}:
    get:
      operationId: getVisitor
      parameters:
        - { name: email, in: path, required: true, schema: { type: string, x-portcullis-class: personal, maxLength: 40 } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { type: object, properties: { visits: { type: integer } } } } } }
components:
  schemas:
    Customer:
      type: object
      required: [id]
      properties:
        id: { type: string }
        state: { type: string }
        name: { type: string }
"##;

const API: &str = r##"
owner: shop@brightline.example
versions:
  v1:
    contract: shop.v1.openapi.yaml
    state: active
    base_path: /shop
    upstream: { targets: ["http://@UPSTREAM@"], timeout: 5s }
    expose:
      public: [listCustomers, getCustomer, replaceCustomer, getVisitor]
    objects:
      Customer: { id: path.customerId, resolve: getCustomer, attributes: { state: body.state }, person: true }
"##;

const GRANTS: &str = r##"
  - api: shop/v1
    operations: [listCustomers, getCustomer]
    fields: [id, name]
    when: resource.state == "active"
  - api: shop/v1
    operations: [replaceCustomer]
    writes: [name]
    fields: [id]
    when: resource.state == "active"
  - api: shop/v1
    operations: [getVisitor]
    fields: [visits]
"##;

/// What nothing else holds; ids of persons begin with it.
const MARK: &str = "cu5t0mer-";

/// Answers with the customer that the path names, with a list of them, or with nothing that is one.
fn play(target: &str) -> (u16, String) {
    let path = target.split('?').next().unwrap_or_default();
    let id = path.rsplit('/').next().unwrap_or_default();
    let customer = |id: &str, state: &str| json!({ "id": id, "name": "n", "state": state });
    if path.contains("visitors") {
        return (200, json!({ "visits": 1 }).to_string());
    }
    match id {
        "customers" => {
            let ids = (0..40).map(|n| customer(&format!("{MARK}listed-{n}"), "active"));
            (200, Value::from(ids.collect::<Vec<_>>()).to_string())
        }
        id if id.contains("absent") => (404, json!({ "missing": id }).to_string()),
        id if id.contains("closed") => (200, customer(id, "closed").to_string()),
        id if id.contains("other") => (
            200,
            customer(&format!("{MARK}not-asked-for"), "closed").to_string(),
        ),
        id if id.contains("drift") => (
            200,
            json!({ "id": id, "name": { (id): 1 }, "state": "active" }).to_string(),
        ),
        id if id.contains("broken") => (500, format!("no {id}")),
        id => (200, customer(id, "active").to_string()),
    }
}

fn gate() -> (RecordingUpstream, Gate, PathBuf) {
    let upstream = RecordingUpstream::start(|received| {
        let (status, body) = play(&received.target);
        Play::Response(testkit::json_response(status, &body))
    });
    let gate = Gate::small(upstream.address());
    gate.write(
        "apis/shop.yaml",
        API.replace("@UPSTREAM@", &upstream.address().to_string()),
    );
    gate.write("apis/shop.v1.openapi.yaml", CONTRACT);
    let alpha = gate.text("integrations/alpha.yaml");
    gate.write(
        "integrations/alpha.yaml",
        format!("{}{}", alpha.trim_end(), GRANTS),
    );
    let path = gate.home().join("delivered.jsonl");
    let text = gate.text("portcullis.yaml");
    gate.write(
        "portcullis.yaml",
        format!(
            "{text}destinations: {{ siem: {{ file: {{ path: {} }} }} }}\n",
            path.display()
        ),
    );
    (upstream, gate, path)
}

fn get(server: &Server, key: Option<&Key>, target: &str) -> String {
    let response = server.send(&call("GET", target), key);
    response.header("portcullis-decision").unwrap().to_owned()
}

fn erase(server: &Server, object: &str) -> Ended {
    server.cli(&[
        "ledger",
        "erase",
        "--object",
        object,
        "--reason",
        "ticket 4711",
        "-o",
        "json",
    ])
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// Calls of every kind that a person can be named in. Gives the decisions.
fn traffic(server: &Server, key: &Key) -> Vec<String> {
    let named = |target: &str| target.replace('@', MARK);
    let mut decisions = Vec::new();
    for target in [
        "/shop/customers/@plain",
        "/shop/customers/@absent",
        "/shop/customers/@closed",
        "/shop/customers/@other",
        "/shop/customers/@drift",
        "/shop/customers/@broken",
        "/shop/customers/@plain?nope=@plain",
        "/shop/customers/@plain/nowhere",
        "/shop//customers/@plain",
        "/SHOP/Customers/@plain",
        "/shop/customers/%2e%2e/@plain",
        "/shop/customers/@%20blank",
        "/shop/customers?referrer=@referrer",
        "/shop/customers?referrer=@closed",
        "/shop/customers?phone=@too-long-a-number",
        "/shop/customers",
        "/shop/visitors/@mail",
    ] {
        decisions.push(get(server, Some(key), &named(target)));
    }
    decisions.push(get(server, None, &named("/shop/customers/@stranger")));
    decisions.push(get(server, None, &named("/shop/customers/@plain")));
    let put = call("PUT", &named("/shop/customers/@plain")).json(r#"{"name":"m"}"#);
    let put = server.send(&put, Some(key));
    decisions.push(put.header("portcullis-decision").unwrap().to_owned());
    // What never became a request.
    for head in [
        "GET /shop/customers/@plain HTTP/9.9\r\n\r\n",
        "BREW /shop/customers/@plain HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    ] {
        drop(testkit::wire::raw(
            server.address("public"),
            named(head).as_bytes(),
        ));
    }
    decisions
}

#[test]
fn the_id_of_a_person_is_in_no_file_whatever_became_of_the_call() {
    let (_upstream, gate, delivered) = gate();
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let decisions = traffic(&server, &key);
    // Whoever may read the ledger reads whom each call was about.
    for decision in &decisions {
        let event = server.event(decision).to_string();
        assert!(
            event.contains(MARK) || event.contains("listCustomers"),
            "{event}"
        );
        assert!(server.cli(&["explain", decision]).code == Some(0));
    }
    let count = server.ledger_of(&json!({ "limit": 1000 })).len();
    let of_plain = server.ledger_of(&json!({ "object": format!("Customer/{MARK}plain") }));
    assert!(of_plain.len() >= 8, "{}: {of_plain:?}", of_plain.len());
    let asked = call("GET", "/metrics").bytes("localhost", None);
    let metrics = testkit::wire::raw(server.address("admin"), &asked).bytes;
    let metrics = String::from_utf8_lossy(&metrics);
    assert!(!metrics.contains(MARK), "{metrics}");
    let all = poll(testkit::PATIENCE, || {
        let text = fs::read_to_string(&delivered).unwrap_or_default();
        (text.lines().count() >= count).then_some(text)
    });
    let all = all.expect("every record is delivered");
    let (ended, gate) = server.stop();
    for (what, text) in [
        ("delivered", &all),
        ("stdout", &ended.stdout),
        ("stderr", &ended.stderr),
    ] {
        let found = text.lines().find(|line| line.contains(MARK));
        assert_eq!(found, None, "{what}");
    }
    let export = run(program(), &gate, &["ledger", "export"]);
    let found = export.stdout.lines().find(|line| line.contains(MARK));
    assert_eq!((export.code, found), (Some(0), None));
    let opened = gate.home().join("opened.jsonl");
    let arguments = [
        "ledger",
        "export",
        "--out",
        "/dev/null",
        "--opened",
        opened.to_str().unwrap(),
    ];
    drop(run(program(), &gate, &arguments));
    assert!(fs::read_to_string(&opened).unwrap().contains(MARK));
    assert_eq!(run(program(), &gate, &["ledger", "verify"]).code, Some(0));
}

#[test]
fn an_erased_object_is_in_no_answer_and_everything_else_is_as_before() {
    let (_upstream, gate, _) = gate();
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let decisions = traffic(&server, &key);
    let plain = format!("{MARK}plain");
    let object = format!("Customer/{plain}");
    let row = fs::read(server.gate.data().join("ledger/subjects")).unwrap()[..128].to_vec();
    let done = erase(&server, &object);
    let subject = json(&done)["subject"].as_str().unwrap().to_owned();
    assert_eq!((done.code, subject.len()), (Some(0), 32), "{done:?}");
    let all = server.ledger_of(&json!({ "limit": 1000 }));
    let found = all.iter().find(|event| event.to_string().contains(&plain));
    assert_eq!(found, None);
    let event = server.event(&decisions[0]);
    assert_eq!(
        event["objects"],
        json!([{ "kind": "Customer", "person": true }])
    );
    assert_eq!(
        (&event["operation"], &event["status"]),
        (&json!("getCustomer"), &json!(200))
    );
    let explained = server.cli(&["explain", &decisions[0]]);
    assert!(
        explained.stdout.contains("Customer:person 1"),
        "{explained:?}"
    );
    assert!(
        server.event(&decisions[2]).to_string().contains("closed"),
        "others read as before"
    );
    assert!(server.ledger_of(&json!({ "object": object })).is_empty());
    let again = erase(&server, &object);
    assert_eq!(
        (again.code, &json(&again)["is_done"]),
        (Some(2), &json!(false)),
        "{again:?}"
    );
    // Also whom only strangers named.
    let stranger = erase(&server, &format!("Customer/{MARK}stranger"));
    assert!(
        stranger.code == Some(0) && json(&stranger)["subject"].is_null(),
        "{stranger:?}"
    );
    let file = fs::read(server.gate.data().join("ledger/subjects")).unwrap();
    for gone in [&row[17..49], &row[57..118]] {
        let is_there = file.windows(gone.len()).any(|window| window == gone);
        assert!(!is_there, "something leads from the name to the records");
    }
    let later = get(&server, Some(&key), &format!("/shop/customers/{plain}"));
    assert!(
        server.event(&later).to_string().contains(&plain),
        "somebody new"
    );
    let gate = server.stop().1;
    assert_eq!(run(program(), &gate, &["ledger", "verify"]).code, Some(0));
}

#[test]
fn a_slip_erases_no_object() {
    let (_upstream, gate, _) = gate();
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    traffic(&server, &key);
    for (arguments, code) in [
        (vec!["--object", "Customer"], Some(64)),
        (vec!["--object", "Customer/c-7", "--user", "ann"], Some(64)),
        (
            vec!["--object", "Customer/c-7", "--integration", "alpha"],
            Some(64),
        ),
        (vec![], Some(64)),
        (vec!["--object", "Customer/nobody"], Some(2)),
        (vec!["--object", "Client/cu5t0mer-plain"], Some(2)),
        (
            vec!["--object", "Customer/cu5t0mer-plain", "--api", "notes"],
            Some(2),
        ),
    ] {
        let ended = server.cli(&[&["ledger", "erase", "--reason", "x"][..], &arguments].concat());
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
    }
    let named = server.cli(&[
        "ledger",
        "erase",
        "--object",
        "Customer/c-7",
        "--reason",
        "C-7 asked",
    ]);
    assert!(
        named.code == Some(64) && named.stderr.contains("names the person"),
        "{named:?}"
    );
    assert!(
        server
            .ledger_of(&json!({ "kind": "ledger.erase" }))
            .is_empty()
    );
}
