//! The demo's configuration is an example: no mistake, no warning.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]

use config::{Compiled, Files, Options};
use demo::Call;
use demo::gate::files;
use demo::tour::{Act, Check};
use demo::{INTEGRATIONS, Ports};
use model::{CanonicalRequest, Head, Headers, Method, Protocol, Timestamp};

fn compiled(ports: &Ports) -> Compiled {
    let mut all = Files::new();
    for (path, text) in files(ports) {
        all.insert(path, text.into_bytes());
    }
    let options = Options {
        now: Timestamp::parse("2026-11-23T12:00:00Z").unwrap(),
    };
    let shown = |mistakes: &[model::Mistake]| -> String {
        mistakes
            .iter()
            .map(|m| config::render(m, &all))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (compiled, warnings) =
        config::compile(&all, options).unwrap_or_else(|mistakes| panic!("{}", shown(&mistakes)));
    assert!(warnings.is_empty(), "{}", shown(&warnings));
    compiled
}

#[test]
fn the_demo_configuration_has_no_mistakes_and_no_warnings() {
    let compiled = compiled(&Ports::default());
    let mut names: Vec<&str> = compiled.integrations.keys().map(|name| &**name).collect();
    names.sort_unstable();
    assert_eq!(names, INTEGRATIONS);
    let (exposed, declared) = compiled.operation_counts();
    assert_eq!(declared, 68);
    assert!(exposed > 55, "{exposed}");
}

#[test]
fn it_compiles_on_other_ports_too() {
    let ports = Ports {
        local: 18080,
        public: 18443,
        internal: 18444,
        admin: 18081,
        upstream: 19101,
    };
    let compiled = compiled(&ports);
    let local = compiled.listener("local").unwrap();
    assert_eq!(local.address.port(), 18080);
}

/// What routing and the contract say about a call, before anybody asks who makes it: the code, or nothing.
fn judged(compiled: &Compiled, call: &Call) -> Option<(&'static str, Vec<String>)> {
    let method = Method::parse(&call.method).unwrap();
    let mut headers = Headers::new();
    for (name, value) in &call.headers {
        headers.push(name, value);
    }
    let head = Head {
        protocol: Protocol::Http11,
        method,
        target: call.target.clone(),
        authority: "localhost".into(),
        headers,
        body: model::http::BodyLength::Open,
    };
    let request = match CanonicalRequest::of(head) {
        Ok(request) => request,
        Err(refusal) => return Some((refusal.reason.code, Vec::new())),
    };
    let listener = compiled.router.listener(call.listener.name());
    let found = compiled.router.find(listener, method, request.segments());
    let contract::Found::Operation {
        api,
        operation,
        path_values,
    } = found
    else {
        return Some(("route", Vec::new()));
    };
    let contract = compiled.versions[api].contract.as_ref().unwrap();
    let refusal = contract::check_request(
        &contract.operations[operation],
        &request,
        &path_values,
        &call.body,
        model::Mode::Enforce,
    )
    .err()?;
    Some((
        refusal.reason.code,
        refusal
            .errors
            .iter()
            .map(|e| format!("{} {}", e.pointer, e.keyword))
            .collect(),
    ))
}

#[test]
fn the_calls_of_the_tour_meet_the_contract_as_their_checks_expect() {
    let compiled = compiled(&Ports::default());
    for step in demo::tour::steps() {
        let (Act::Call(call) | Act::Burst(call, _) | Act::Revoked(call)) = &step.act else {
            continue;
        };
        let found = judged(&compiled, call);
        let wanted = step.checks.iter().find_map(|check| match check {
            Check::Code(code) if code.starts_with("validate.") || *code == "http.malformed" => {
                Some(*code)
            }
            _ => None,
        });
        // A grant may refuse members that the contract allows.
        let is_by_grant = step.title.contains("priority");
        let is_route = step.checks.iter().any(|c| matches!(c, Check::Code(code) if code.starts_with("route.") || code.starts_with("lifecycle.retired")));
        match found {
            Some(("route", _)) => assert!(is_route, "{}", step.title),
            Some((code, errors)) if wanted.is_some() => {
                assert_eq!(Some(code), wanted, "{}", step.title);
                for check in &step.checks {
                    if let Check::ErrorAt(pointer, keyword) = check {
                        assert!(
                            errors.contains(&format!("{pointer} {keyword}")),
                            "{}: {errors:?}",
                            step.title
                        );
                    }
                }
            }
            Some(found) => assert!(step.title.contains("twice"), "{}: {found:?}", step.title),
            None => assert!(is_by_grant || wanted.is_none(), "{}", step.title),
        }
    }
}

#[test]
fn ordinary_calls_of_the_mix_meet_the_contract() {
    let compiled = compiled(&Ports::default());
    let (mut right, mut wrong) = (0, 0);
    for call in demo::Mix::new(1).take(1_000) {
        match judged(&compiled, &call) {
            None => right += 1,
            Some(_) => wrong += 1,
        }
    }
    assert!(right > 900 && wrong < 80, "{right} right, {wrong} wrong");
}

#[test]
fn the_attacks_of_the_tour_are_seen_and_ordinary_records_are_not_taken_for_attacks() {
    let compiled = compiled(&Ports::default());
    let seen = |text: &str| {
        let part = waf::Part::value(waf::Place::Body, "/description", text.as_bytes());
        let findings = waf::inspect(
            &[part],
            &waf::RequestFacts::default(),
            &compiled.inspection,
            0,
        );
        let class = findings.worst().map(|finding| finding.class.code());
        class.filter(|_| findings.refuse)
    };
    for step in demo::tour::steps() {
        let Act::Call(call) = &step.act else { continue };
        let wanted = step.checks.iter().find_map(|check| match check {
            Check::Code(code) if code.starts_with("inspect.") => Some(*code),
            _ => None,
        });
        let body = model::json::parse(&call.body, model::json::Bounds::default()).ok();
        if let Some(text) = body
            .as_ref()
            .and_then(|b| b.get("description"))
            .and_then(model::Json::as_text)
        {
            assert_eq!(seen(text), wanted, "{}", step.title);
        }
    }
    let world = demo::World::grow(1);
    for request in world.all(demo::Kind::ServiceRequest) {
        let text = demo::record::text(request, "description");
        assert_eq!(seen(text), None, "{text}");
    }
}
