//! The whole surface of the demo: every exposed operation against every wrong way to call it.
//! What must not reach the upstream is proved by the recording upstream: not one byte, not even a connection's.
//! The calls are made from the compiled contract, so that a new operation is covered the day it is exposed.
//! Start reading at `Exposed`, then at the tests in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use config::api::State;
use config::{Compiled, Files, Options};
use contract::TemplateSegment;
use demo::record::put;
use demo::{Call, CallResponse, Fieldworks, INTEGRATIONS, Kind, Listener};
use model::{Json, Timestamp};
use testkit::{Gate, Key, RecordingUpstream, Server, poll};

use crate::serve;

/// A key of the right form that nobody ever made.
const NOBODYS_KEY: &str = "pk_live_00000000000000000000000000000000000000000000003xC1Wz";

/// One operation at one listener.
#[derive(Clone, Debug)]
struct Exposed {
    listener: Listener,
    api: String,
    operation: String,
    method: String,
    /// `/v2/work-orders/{workOrderId}`
    template: String,
    /// The template with ids that exist.
    path: String,
    has_body: bool,
}

impl Exposed {
    fn call(&self) -> Call {
        let call = Call::new(&self.method, &self.path).at(self.listener);
        if self.has_body { call.json("{}") } else { call }
    }

    fn name(&self) -> String {
        format!("{} {} {}", self.listener.name(), self.api, self.operation)
    }
}

fn compiled(gate: &Gate) -> Compiled {
    let mut all = Files::new();
    for (path, _) in demo::GATE_FILES {
        all.insert(*path, gate.text(path).into_bytes());
    }
    let now = Timestamp::parse("2026-11-23").unwrap();
    match config::compile(&all, Options { now }) {
        Ok((compiled, _)) => compiled,
        Err(mistakes) => panic!("{mistakes:?}"),
    }
}

/// Every operation of the demo at every listener that exposes it.
fn surface(compiled: &Compiled) -> Vec<Exposed> {
    let mut all = Vec::new();
    let live = |state| matches!(state, State::Active | State::Deprecated);
    for version in compiled.versions.iter().filter(|v| live(v.state)) {
        let operations = &version.contract.as_ref().unwrap().operations;
        for (operation, plan) in operations.iter().zip(&version.operations) {
            for listener in [Listener::Local, Listener::Public, Listener::Internal] {
                if !plan.listeners.iter().any(|l| &**l == listener.name()) {
                    continue;
                }
                all.push(Exposed {
                    listener,
                    api: version.name.to_string(),
                    operation: operation.id.to_string(),
                    method: operation.method.as_str().to_owned(),
                    template: format!("{}{}", version.base_path, operation.template),
                    path: format!("{}{}", version.base_path, path(&operation.segments)),
                    has_body: operation.body.is_some(),
                });
            }
        }
    }
    assert!(all.len() > 80, "the demo exposes {} operations", all.len());
    all
}

fn path(segments: &[TemplateSegment]) -> String {
    let one = |segment: &TemplateSegment| match segment {
        TemplateSegment::Static(text) => text.to_string(),
        TemplateSegment::Parameter(name) => id(name).to_owned(),
        TemplateSegment::Mixed { .. } => panic!("the demo has no mixed segments"),
    };
    segments
        .iter()
        .map(|segment| format!("/{}", one(segment)))
        .collect()
}

/// An id that exists in the demo.
fn id(parameter: &str) -> &'static str {
    match parameter {
        "workOrderId" => "4711",
        "customerId" => "9",
        "siteId" => "1001",
        "assetId" => "20001",
        "requestId" => "601",
        "technicianId" => "101",
        "invoiceId" => "9001",
        "sku" => "PMP-0001",
        "system" => "accounting",
        _ => "1",
    }
}

struct Stage {
    server: Server,
    upstream: RecordingUpstream,
    careless: Fieldworks,
    compiled: Compiled,
}

fn stage() -> Stage {
    let careless = Fieldworks::new(7);
    let upstream = RecordingUpstream::fieldworks(&careless);
    let gate = Gate::demo(upstream.address()).all_plain().unlimited();
    let compiled = compiled(&gate);
    Stage {
        server: serve(gate),
        upstream,
        careless,
        compiled,
    }
}

impl Stage {
    fn keys(&self) -> BTreeMap<&'static str, Key> {
        INTEGRATIONS
            .iter()
            .map(|name| (*name, self.server.quick_key(name, &[])))
            .collect()
    }

    fn granted(&self, integration: &str) -> BTreeSet<(String, String)> {
        let matrix = policy::access(&self.compiled.rules, integration).unwrap();
        matrix
            .rows
            .iter()
            .map(|row| (row.api.to_string(), row.operation.to_string()))
            .collect()
    }

    fn with(&self, call: &Call, key: Option<&str>) -> CallResponse {
        testkit::wire::send(self.server.address(call.listener.name()), call, key)
    }
}

fn assert_refused(response: &CallResponse, status: u16, code: &str, what: &str) {
    assert_eq!(
        (response.status, response.code().as_deref()),
        (status, Some(code)),
        "{what}: {}",
        response.text()
    );
    assert!(response.decision().is_some(), "{what} has no decision");
    assert!(
        response.header("proxy-status").is_some(),
        "{what} has no Proxy-Status"
    );
}

#[test]
fn no_operation_answers_without_an_accepted_credential() {
    let stage = stage();
    let revoked = stage.server.quick_key("accounting", &[]);
    stage
        .server
        .admin("key.revoke", &serde_json::json!({ "id": revoked.id }));
    let expired = stage
        .server
        .quick_key("accounting", &[("expires_in", "1s")]);
    // It ends by the clock; until then the answer is another one.
    let probe = Call::get("/v2/work-orders/4712");
    let ended = poll(testkit::PATIENCE, || {
        (stage.with(&probe, Some(&expired.text)).code()? == "authn.expired").then_some(())
    });
    assert!(ended.is_some(), "the key never expires");
    stage.upstream.forget();
    let connections = stage.upstream.connections();
    let last = expired.text.chars().last().unwrap();
    let mistyped = format!(
        "{}{}",
        &expired.text.trim_end_matches(last),
        if last == 'x' { 'y' } else { 'x' }
    );
    let ways: [(&str, Option<&str>, &str); 5] = [
        ("no credential", None, "authn.missing"),
        ("a key nobody made", Some(NOBODYS_KEY), "authn.invalid"),
        ("a mistyped key", Some(&mistyped), "authn.invalid"),
        ("an expired key", Some(&expired.text), "authn.expired"),
        ("a revoked key", Some(&revoked.text), "authn.revoked"),
    ];
    for exposed in surface(&stage.compiled) {
        for (way, key, code) in ways {
            let response = stage.with(&exposed.call(), key);
            let what = format!("{} with {way}", exposed.name());
            assert_refused(&response, 401, code, &what);
            let challenge = response.header("www-authenticate").unwrap_or_default();
            assert!(
                challenge.starts_with("Bearer"),
                "{what}: challenge `{challenge}`"
            );
        }
    }
    stage
        .upstream
        .assert_untouched("nothing without a credential");
    assert_eq!(stage.upstream.connections(), connections);
}

#[test]
fn no_operation_answers_an_integration_it_was_not_granted_to() {
    let stage = stage();
    let keys = stage.keys();
    let refused = AtomicUsize::new(0);
    for exposed in surface(&stage.compiled) {
        for (integration, key) in &keys {
            let granted = stage.granted(integration);
            if granted.contains(&(exposed.api.clone(), exposed.operation.clone())) {
                continue;
            }
            let response = stage.with(&exposed.call(), Some(&key.text));
            let what = format!("{} as {integration}", exposed.name());
            assert_refused(&response, 403, "authz.operation_not_granted", &what);
            refused.fetch_add(1, Ordering::Relaxed);
        }
    }
    assert!(refused.load(Ordering::Relaxed) > 300);
    stage.upstream.assert_untouched("nothing without a grant");
    assert_eq!(stage.upstream.connections(), 0);
}

#[test]
fn no_operation_exists_on_a_listener_that_does_not_expose_it() {
    let stage = stage();
    let keys = stage.keys();
    let all = surface(&stage.compiled);
    let at = |listener: Listener| all.iter().filter(move |e| e.listener == listener);
    for exposed in &all {
        for listener in [Listener::Local, Listener::Public, Listener::Internal] {
            let is_same = |e: &&Exposed| e.template == exposed.template;
            if at(listener)
                .filter(is_same)
                .any(|e| e.method == exposed.method)
            {
                continue;
            }
            let offered: Vec<&Exposed> = at(listener).filter(is_same).collect();
            let (status, code) = if offered.is_empty() {
                (404, "route.not_found")
            } else {
                (405, "route.method_not_allowed")
            };
            let mut call = exposed.call();
            call.listener = listener;
            let what = format!("{} at {}", exposed.name(), listener.name());
            let stranger = stage.with(&call, None);
            assert_refused(&stranger, 401, "authn.missing", &what);
            for name in ["dispatch", "crm"] {
                let response = stage.with(&call, Some(&keys[name].text));
                assert_refused(&response, status, code, &what);
                let granted = stage.granted(name);
                let allow = allowed(offered.iter().copied(), &granted);
                assert_eq!(sorted(response.header("allow")), allow, "{what} as {name}");
            }
        }
    }
    stage
        .upstream
        .assert_untouched("nothing at another listener");
}

#[test]
fn undeclared_methods_are_refused_with_the_declared_ones() {
    let stage = stage();
    let keys = stage.keys();
    let all = surface(&stage.compiled);
    let mut paths: BTreeMap<(&str, &str), Vec<&Exposed>> = BTreeMap::new();
    for exposed in &all {
        let offered = paths
            .entry((exposed.listener.name(), &exposed.path))
            .or_default();
        offered.push(exposed);
    }
    let granted = stage.granted("dispatch");
    for exposed in &all {
        let offered = &paths[&(exposed.listener.name(), exposed.path.as_str())];
        let declares = |method: &str| offered.iter().any(|one| one.method == method);
        let allow = allowed(offered.iter().copied(), &granted);
        for method in METHODS {
            if declares(method) || (method == "HEAD" && declares("GET")) {
                continue;
            }
            let call = Call::new(method, &exposed.path).at(exposed.listener);
            let response = stage.with(&call, Some(&keys["dispatch"].text));
            let what = format!("{method} {}", exposed.name());
            assert_eq!(sorted(response.header("allow")), allow, "{what}");
            match method {
                // RFC 9110 §9.3.2: no body, so no code in it.
                "HEAD" => assert_eq!(response.status, 405, "{what}"),
                _ => assert_refused(&response, 405, "route.method_not_allowed", &what),
            }
        }
    }
    let nowhere = stage.with(&Call::new("BREW", "/v2/pots"), Some(&keys["dispatch"].text));
    assert_refused(&nowhere, 404, "route.not_found", "BREW of no path");
    stage.upstream.assert_untouched("nothing by another method");
}

/// Methods: those a contract can declare, and tokens it cannot.
const METHODS: [&str; 13] = [
    "GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "BREW", "get",
    "PROPFIND", "M-SEARCH",
];

/// The methods that grants let be used among what a path offers, as [`sorted`] writes them. With GET comes HEAD.
fn allowed<'e>(
    offered: impl Iterator<Item = &'e Exposed>,
    granted: &BTreeSet<(String, String)>,
) -> String {
    let mut methods = BTreeSet::new();
    for one in offered {
        if granted.contains(&(one.api.clone(), one.operation.clone())) {
            methods.insert(one.method.as_str());
            methods.extend((one.method == "GET").then_some("HEAD"));
        }
    }
    methods.into_iter().collect::<Vec<_>>().join(", ")
}

/// A stranger cannot tell a path that is there from one that is not: by no method, by no answer, by no byte of one.
#[test]
fn a_stranger_reads_the_same_of_every_path() {
    let stage = stage();
    let all = surface(&stage.compiled);
    let paths: BTreeSet<&str> = all.iter().map(|exposed| exposed.path.as_str()).collect();
    for method in METHODS {
        for key in [None, Some(NOBODYS_KEY)] {
            let read = |listener, path: &str| {
                let call = Call::new(method, path).at(listener);
                masked(&stage.with(&call, key))
            };
            let absent = read(Listener::Public, "/v2/nothing/here");
            assert_eq!(absent.0, 401, "{method}");
            for path in &paths {
                for listener in [Listener::Public, Listener::Internal] {
                    assert_eq!(read(listener, path), absent, "{method} {path}");
                }
            }
            for path in [
                "/",
                "/v0/work-orders",
                "/v2",
                "/v2/work-orders/ALL",
                "/v9/x",
            ] {
                assert_eq!(read(Listener::Public, path), absent, "{method} {path}");
            }
        }
    }
    stage.upstream.assert_untouched("nothing of a stranger's");
}

/// The methods of an `Allow` field in the order of the alphabet.
fn sorted(allow: Option<&str>) -> String {
    let mut methods: Vec<&str> = allow.unwrap_or_default().split(", ").collect();
    methods.sort_unstable();
    methods.join(", ")
}

/// Other spellings of a path, with the status and code they get.
fn spellings(path: &str) -> Vec<(String, u16, &'static str)> {
    let malformed = |text: String| (text, 400, "http.malformed");
    let absent = |text: String| (text, 404, "route.not_found");
    let second = path.char_indices().filter(|(_, c)| *c == '/').nth(1);
    let (head, tail) = path.split_at(second.unwrap().0);
    let letter = tail.find(|c: char| c.is_ascii_lowercase()).unwrap();
    let (before, after) = tail.split_at(letter);
    let (one, rest) = after.split_at(1);
    let byte = one.as_bytes()[0];
    vec![
        malformed(format!("{head}{before}%{byte:02x}{rest}")),
        malformed(format!("{head}{before}%{byte:02X}{rest}")),
        malformed(format!("{head}/.{tail}")),
        malformed(format!("{head}/x/..{tail}")),
        malformed(format!("{head}/%2e{tail}")),
        malformed(format!("{head}/x/%2E%2e{tail}")),
        malformed(format!("{head}/{tail}")),
        malformed(format!("/{path}")),
        malformed(format!("{path}//")),
        malformed(format!("{path}/.")),
        malformed(format!("{path}/..")),
        malformed(format!("{path}%00")),
        malformed(format!("{path}%2f")),
        malformed(format!("{path}%5c")),
        malformed(format!("{path};v=1")),
        malformed(format!("{path}%3b")),
        malformed(format!("{path}%3f")),
        malformed(format!("{path}%23")),
        malformed(format!("{path}#x")),
        malformed(format!("{path}%")),
        malformed(format!("{path}%zz")),
        malformed(format!("{path}%c0%af")),
        malformed(format!("{}\\{}", head, tail.trim_start_matches('/'))),
        absent(format!("{path}/")),
        absent(format!("{head}{before}{}{rest}", one.to_uppercase())),
        absent(format!("/x{path}")),
        absent(format!("{path}/undeclared/way/on")),
        absent(format!("{}{tail}", head.to_uppercase())),
    ]
}

#[test]
fn undeclared_spellings_of_a_path_are_refused() {
    let stage = stage();
    let keys = stage.keys();
    let mut tried = BTreeSet::new();
    for exposed in surface(&stage.compiled) {
        if !tried.insert((exposed.listener.name(), exposed.path.clone())) {
            continue;
        }
        for (target, status, code) in spellings(&exposed.path) {
            let call = Call::new(&exposed.method, &target).at(exposed.listener);
            let what = format!("{} spelled {target}", exposed.name());
            let response = stage.with(&call, Some(&keys["dispatch"].text));
            assert_refused(&response, status, code, &what);
            let stranger = stage.with(&call, None);
            // Whether such characters may stand in a path is for its contract to say, and contracts are for callers.
            let escaped = ["%2f", "%5c", "%3b", "%3f", "%23"];
            let is_of_contract = escaped.iter().any(|escape| target.ends_with(escape));
            match status {
                _ if is_of_contract => assert_refused(&stranger, 401, "authn.missing", &what),
                404 => assert_refused(&stranger, 401, "authn.missing", &what),
                _ => assert_refused(&stranger, status, code, &what),
            }
        }
    }
    assert!(tried.len() > 50);
    stage
        .upstream
        .assert_untouched("nothing by another spelling");
}

/// The first record of a kind that is like this, by id.
fn found(careless: &Fieldworks, kind: Kind, is_like: impl Fn(&Json) -> bool) -> String {
    careless.with_world(|world| {
        let one = world.all(kind).find(|record| is_like(record));
        let id = one
            .and_then(|record| record.get("id"))
            .and_then(Json::as_text);
        id.expect("the demo has such a record").to_owned()
    })
}

fn says(record: &Json, path: &[&str], wanted: &str) -> bool {
    record.at(&path.join(".")).and_then(Json::as_text) == Some(wanted)
}

/// The answer with what differs from call to call taken out.
fn masked(response: &CallResponse) -> (u16, Vec<(String, String)>, String) {
    let decision = response.decision().unwrap_or_default().to_owned();
    let mask = |text: &str| text.replace(&decision, "dec_…");
    let headers = response
        .headers
        .iter()
        .filter(|(name, _)| name != "date")
        .map(|(name, value)| (name.clone(), mask(value)))
        .collect();
    (response.status, headers, mask(&response.text()))
}

/// A call that touches a foreign object, the same for one that does not exist, and how the refusal must look.
struct Foreign {
    who: &'static str,
    call: Call,
    absent: Option<Call>,
    status: u16,
    code: &'static str,
}

fn hidden(
    who: &'static str,
    method: &str,
    of: impl Fn(&str) -> String,
    id: &str,
    body: Option<&str>,
) -> Foreign {
    let make = |target: String| match body {
        Some(body) => Call::new(method, &target).json(body),
        None => Call::new(method, &target),
    };
    Foreign {
        who,
        call: make(of(id)),
        absent: Some(make(of("88888888"))),
        status: 404,
        code: "object.absent",
    }
}

fn shown(who: &'static str, call: Call) -> Foreign {
    Foreign {
        who,
        call,
        absent: None,
        status: 403,
        code: "object.create_denied",
    }
}

fn foreign(careless: &Fieldworks) -> Vec<Foreign> {
    let order = |partner: &str| {
        found(careless, Kind::WorkOrder, |r| {
            says(r, &["assignment", "partnerId"], partner) && !says(r, &["id"], "4999")
        })
    };
    let visit = |partner: &str| found(careless, Kind::Visit, |r| says(r, &["partnerId"], partner));
    let open = found(careless, Kind::WorkOrder, |r| {
        says(r, &["status"], "in_progress")
    });
    let cancelled = found(careless, Kind::WorkOrder, |r| {
        says(r, &["status"], "cancelled")
    });
    let erased = found(careless, Kind::Customer, |r| says(r, &["state"], "erased"));
    let plant = found(careless, Kind::Asset, |r| {
        says(r, &["telemetryRef"], "none")
    });
    let (own_ref, reading) = (
        r#"{"externalRefs":{"partner":"CANARY-WRITE"}}"#,
        r#"{"at":"2026-11-20T10:00:00Z","metric":"flow_temperature","value":54.50,"unit":"celsius"}"#,
    );
    let orders = |id: &str| format!("/v2/work-orders/{id}");
    let eta = |id: &str| format!("/v2/visits/{id}/eta");
    let customer = |id: &str| format!("/v2/customers/{id}");
    let asset = |id: &str| format!("/v2/assets/{id}");
    let readings = |id: &str| format!("/v2/assets/{id}/readings");
    let stock = r#"{"location":"van-7","sku":"FLT-0001","quantity":3.00,"reason":"count"}"#;
    let ask = r#"{"assetId":"20001","source":"phone","category":"fault","priority":"high","description":"It is cold"}"#;
    vec![
        hidden("north-star", "GET", orders, &order("blue-river"), None),
        hidden("blue-river", "GET", orders, &order("north-star"), None),
        hidden("north-star", "GET", eta, &visit("blue-river"), None),
        hidden("blue-river", "GET", eta, &visit("north-star"), None),
        hidden(
            "north-star",
            "PATCH",
            orders,
            &order("blue-river"),
            Some(own_ref),
        ),
        hidden(
            "blue-river",
            "PATCH",
            orders,
            &order("north-star"),
            Some(own_ref),
        ),
        hidden("crm", "GET", customer, &erased, None),
        hidden("thermo", "GET", asset, &plant, None),
        hidden("thermo", "POST", readings, &plant, Some(reading)),
        hidden("crm", "GET", orders, &cancelled, None),
        hidden("accounting", "GET", orders, &open, None),
        hidden(
            "accounting",
            "PATCH",
            orders,
            &open,
            Some(r#"{"externalRefs":{"accounting":"INV-1"}}"#),
        ),
        shown(
            "inventory",
            Call::new("POST", "/v2/stock-movements").json(stock),
        ),
        shown(
            "thermo",
            Call::new("POST", "/v2/service-requests").json(ask),
        ),
    ]
}

/// Texts of a record that would give it away, longer than a word and not of the request.
fn canary(careless: &Fieldworks) {
    careless.with_world(|world| {
        for kind in [Kind::WorkOrder, Kind::Customer, Kind::Asset, Kind::Visit] {
            let ids: Vec<String> = world
                .all(kind)
                .filter_map(|r| r.get("id")?.as_text().map(str::to_owned))
                .collect();
            for id in ids {
                let record = world.get_mut(kind, &id).unwrap();
                for name in [
                    "title",
                    "description",
                    "name",
                    "legalName",
                    "model",
                    "serial",
                    "eta",
                ] {
                    if matches!(record.get(name), Some(Json::Text(_))) {
                        put(record, name, format!("CANARY-{kind:?}-{id}"));
                    }
                }
            }
        }
    });
}

#[test]
fn a_foreign_object_gives_nothing_away_and_is_not_changed() {
    let stage = stage();
    let cases = foreign(&stage.careless);
    canary(&stage.careless);
    let keys = stage.keys();
    for case in cases {
        let what = format!("{} {} as {}", case.call.method, case.call.target, case.who);
        stage.upstream.forget();
        let key = Some(keys[case.who].text.as_str());
        let response = stage.with(&case.call, key);
        assert_refused(&response, case.status, case.code, &what);
        assert!(
            !response.text().contains("CANARY"),
            "{what}: {}",
            response.text()
        );
        assert!(
            !format!("{:?}", response.headers).contains("CANARY"),
            "{what}"
        );
        for seen in stage.upstream.requests() {
            // A look-up may be needed to know whose it is; nothing that changes anything may pass.
            assert_eq!(
                seen.method, "GET",
                "{what}: the upstream was told to change"
            );
        }
        let sent = String::from_utf8_lossy(&stage.upstream.bytes()).into_owned();
        assert!(!sent.contains("CANARY-WRITE"), "{what}: {sent}");
        if let Some(absent) = &case.absent {
            let other = stage.with(absent, key);
            assert_eq!(
                masked(&response),
                masked(&other),
                "{what}, beside an absent one"
            );
        }
    }
}

#[test]
fn lists_hold_nothing_foreign() {
    let stage = stage();
    let keys = stage.keys();
    let lists: [(&str, &str, &[&str], &[&str]); 5] = [
        (
            "north-star",
            "/v2/work-orders?limit=100",
            &["assignment", "partnerId"],
            &["north-star"],
        ),
        (
            "blue-river",
            "/v2/work-orders?limit=100",
            &["assignment", "partnerId"],
            &["blue-river"],
        ),
        (
            "accounting",
            "/v2/work-orders?limit=100",
            &["status"],
            &["completed"],
        ),
        (
            "accounting",
            "/v1/work-orders?limit=100",
            &["state"],
            &["completed"],
        ),
        (
            "inventory",
            "/v2/stock-levels?limit=100",
            &["location"],
            &["central", "leeds", "bremen"],
        ),
    ];
    for (who, target, field, allowed) in lists {
        let response = stage.with(&Call::get(target), Some(&keys[who].text));
        assert_eq!(
            response.status,
            200,
            "{target} as {who}: {}",
            response.text()
        );
        let body = response.json().unwrap();
        let Some(Json::List(items)) = body.get("items") else {
            panic!("{target} as {who} has no items: {}", response.text());
        };
        assert!(!items.is_empty(), "{target} as {who} is empty");
        for item in items {
            assert!(
                allowed.iter().any(|value| says(item, field, value)),
                "{target} as {who} holds {item:?}"
            );
        }
    }
}
