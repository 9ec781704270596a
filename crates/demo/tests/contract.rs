//! The demo's contracts and its upstream tell the same story.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

use std::collections::BTreeSet;

use contract::{Contract, Source, check_response};
use demo::fieldworks::ROUTES;
use demo::{Fieldworks, GATE_FILES};
use model::json::Bounds;
use model::{Headers, Json, Method, Response};

fn text(path: &str) -> &'static str {
    GATE_FILES.iter().find(|(p, _)| *p == path).unwrap().1
}

fn compiled(file: &str, overlay: Option<&str>) -> Contract {
    contract::compile(&Source {
        file,
        text: text(file),
        overlay: overlay.map(|path| (path, text(path))),
        load: &|_| None,
        unknown_fields: contract::UnknownFields::Refuse,
        bounds: Bounds::default(),
    })
    .unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

fn v2() -> Contract {
    compiled(
        "apis/field-service.v2.openapi.yaml",
        Some("overlays/field-service.yaml"),
    )
}

fn v1() -> Contract {
    compiled("apis/field-service.v1.openapi.yaml", None)
}

/// Values for the parameters of path templates, by name.
const PARAMETERS: &[(&str, &str)] = &[
    ("{customerId}", "9"),
    ("{siteId}", "1001"),
    ("{assetId}", "20001"),
    ("{requestId}", "601"),
    ("{workOrderId}", "4711"),
    ("{usageId}", "80001"),
    ("{visitId}", "30001"),
    ("{technicianId}", "101"),
    ("{invoiceId}", "9001"),
    ("{subscriptionId}", "1"),
    ("{eventId}", "70001"),
    ("{sku}", "PMP-0001"),
    ("{system}", "accounting"),
];

/// Bodies by operation.
const BODIES: &[(&str, &str)] = &[
    (
        "createCustomer",
        r#"{"kind":"company","legalName":"Larkspur Studios Ltd","email":"a@b.example"}"#,
    ),
    ("updateCustomer", r#"{"email":"a@b.example"}"#),
    ("mergeCustomers", r#"{"duplicateId":"8"}"#),
    (
        "createSite",
        r#"{"customerId":"9","name":"Hut","address":{"street":"Mill Race Lane 1","postalCode":"12345","city":"Leeds","country":"GB"}}"#,
    ),
    ("updateSite", r#"{"name":"Hut two"}"#),
    (
        "registerAsset",
        r#"{"siteId":"1001","customerId":"9","type":"chiller","model":"Polar 40","serial":"BRI-123456789"}"#,
    ),
    ("updateAsset", r#"{"state":"in_service"}"#),
    (
        "reportAssetReading",
        r#"{"at":"2026-11-20T10:00:00Z","metric":"pressure","value":1.60,"unit":"bar"}"#,
    ),
    (
        "createServiceRequest",
        r#"{"source":"crm","category":"fault","priority":"low","description":"cold"}"#,
    ),
    (
        "createWorkOrder",
        r#"{"siteId":"1001","type":"repair","priority":"low","title":"Cold radiators"}"#,
    ),
    (
        "updateWorkOrder",
        r#"{"externalRefs":{"accounting":"INV-1"}}"#,
    ),
    ("addWorkOrderNote", r#"{"text":"Bring the long ladder."}"#),
    ("setWorkOrderExternalRef", r#"{"value":"INV-1"}"#),
    (
        "recordPartUsage",
        r#"{"sku":"PMP-0001","quantity":1.00,"location":"central"}"#,
    ),
    ("assignVisit", r#"{"technicianId":"102"}"#),
    (
        "rescheduleVisit",
        r#"{"window":{"from":"2026-11-21T08:00:00Z","until":"2026-11-21T10:00:00Z"}}"#,
    ),
    (
        "upsertPart",
        r#"{"name":"Pump","unit":"piece","listPrice":10.00}"#,
    ),
    (
        "applyStockMovement",
        r#"{"location":"central","sku":"PMP-0001","quantity":3.00,"reason":"count"}"#,
    ),
    ("createInvoice", r#"{"workOrderId":"4711"}"#),
    ("markInvoiceExported", r#"{"exportState":"exported"}"#),
    (
        "recordPayment",
        r#"{"amount":12.50,"currency":"EUR","receivedOn":"2026-11-20"}"#,
    ),
    (
        "createSubscription",
        r#"{"url":"https://a.example/hook","eventTypes":["fs.work_order.completed.v1"]}"#,
    ),
    ("replayEvents", r#"{"since":"2026-11-01T00:00:00Z"}"#),
    ("createTicket", r#"{"text":"cold"}"#),
];

fn call(fieldworks: &Fieldworks, base: &str, operation: &contract::Operation) -> Response {
    let mut path = operation.template.to_string();
    for (name, value) in PARAMETERS {
        path = path.replace(name, value);
    }
    let body = BODIES
        .iter()
        .find(|(id, _)| *id == &*operation.id)
        .map_or("", |(_, body)| *body);
    let body = if body.is_empty() && operation.body.is_some() {
        r#"{"reason":"asked for"}"#
    } else {
        body
    };
    fieldworks.handle(
        operation.method,
        &format!("{base}{path}"),
        &Headers::new(),
        body.as_bytes(),
    )
}

/// Takes out what fieldworks adds without having declared it.
fn declared(value: Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter(|(name, _)| !name.starts_with('_'))
                .map(|(n, v)| (n, declared(v)))
                .collect(),
        ),
        Json::List(items) => Json::List(items.into_iter().map(declared).collect()),
        value => value,
    }
}

fn assert_answers_as_declared(contract: &Contract, base: &str, seed: u64) {
    // Deleting comes last in the document's own order of nouns, so one world serves all.
    let fieldworks = Fieldworks::new(seed);
    for operation in &contract.operations {
        let response = call(&fieldworks, base, operation);
        assert!(
            (200..300).contains(&response.status),
            "{}: {}",
            operation.id,
            response.status
        );
        let body = model::json::parse(&response.body, Bounds::default())
            .ok()
            .map(declared);
        let drift = check_response(
            operation,
            response.status,
            response.headers.text("content-type"),
            body.as_ref(),
            &response.body,
        );
        assert!(drift.is_empty(), "{}: {drift:#?}", operation.id);
    }
}

#[test]
fn every_operation_of_the_contract_is_served_and_no_other() {
    let of_contract: BTreeSet<(String, Method)> = v2()
        .operations
        .iter()
        .map(|o| (o.id.to_string(), o.method))
        .collect();
    let served: BTreeSet<(String, Method)> = ROUTES
        .iter()
        .map(|r| (r.operation.to_owned(), r.method))
        .collect();
    assert_eq!(of_contract, served);
    assert_eq!(served.len(), 58);
    assert_eq!(v1().operations.len(), 10);
}

#[test]
fn the_upstream_answers_as_its_contracts_promise_besides_its_debug_members() {
    for seed in [1, 7] {
        assert_answers_as_declared(&v2(), "/v2", seed);
        assert_answers_as_declared(&v1(), "/v1", seed);
    }
}

#[test]
fn every_record_of_the_world_can_be_read_as_declared() {
    let contract = v2();
    let fieldworks = Fieldworks::new(3);
    for list in [
        "listCustomers",
        "listSites",
        "listAssets",
        "listServiceRequests",
        "listWorkOrders",
        "listVisits",
        "listTechnicians",
        "listParts",
        "listStockLevels",
        "listInvoices",
        "listSubscriptions",
    ] {
        let (_, operation) = contract.operation(list).unwrap();
        let mut cursor = String::new();
        loop {
            let target = format!("/v2{}?limit=100{cursor}", operation.template);
            let response = fieldworks.handle(Method::Get, &target, &Headers::new(), b"");
            let body = declared(model::json::parse(&response.body, Bounds::default()).unwrap());
            let drift = check_response(
                operation,
                200,
                Some("application/json"),
                Some(&body),
                &response.body,
            );
            assert!(drift.is_empty(), "{list}: {drift:#?}");
            match body.get("nextCursor").and_then(Json::as_text) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
    }
}
