use std::path::Path;

use config::{Files, Options};
use model::DecisionId;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
/// A rule about a header, one about the query, one about texts of a body.
const OWN: &str = r#"
SecRule REQUEST_HEADERS:User-Agent "@pm nikto sqlmap" "id:1001,phase:1,block,t:lowercase,msg:'Scanner',tag:'attack-reputation-scanner',severity:'CRITICAL',setvar:'tx.inbound_anomaly_score_pl1=+5'"
SecRule ARGS_GET "@rx ^drop" "id:1002,phase:1,deny,status:403,msg:'Query',severity:'CRITICAL'"
SecRule ARGS "@rx forbidden" "id:1003,phase:2,deny,status:403,t:urlDecodeUni,msg:'Word',severity:'CRITICAL'"
"#;

/// The small gate with rules of its own and these further settings.
fn compiled(inspection: &str, mode: &str) -> Compiled {
    compiled_with(("", ""), inspection, mode)
}

/// The same with other words in its files.
fn compiled_with((from, to): (&str, &str), inspection: &str, mode: &str) -> Compiled {
    let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testkit/gate");
    let mut files = Files::new();
    for path in [
        "portcullis.yaml",
        "apis/notes.yaml",
        "apis/notes.v1.openapi.yaml",
        "integrations/alpha.yaml",
        "integrations/beta.yaml",
    ] {
        let text = std::fs::read_to_string(gate.join(path)).unwrap();
        let checks = format!("base_path: /v1\n    checks: {{ inspect: {mode} }}");
        let text = text
            .replace("@UPSTREAM@", "127.0.0.1:9")
            .replace("base_path: /v1", &checks);
        let text = if from.is_empty() {
            text
        } else {
            text.replace(from, to)
        };
        let more = match path {
            "portcullis.yaml" => inspection,
            _ => "",
        };
        files.insert(path, format!("{text}{more}").into_bytes());
    }
    files.insert("rules/own.conf", OWN.as_bytes().to_vec());
    let (compiled, _) = config::compile(&files, Options { now: NOW }).unwrap();
    compiled
}

fn own_rules() -> Compiled {
    compiled("inspection: { rules: [rules] }\n", "enforce")
}

fn request(value: serde_json::Value) -> Written {
    serde_json::from_value(value).unwrap()
}

fn seen(verdict: &Verdict) -> Vec<String> {
    let line = |one: &Finding| format!("{} {}:{} {}", one.rule, one.place, one.pointer, one.what);
    verdict.seen.iter().map(line).collect()
}

#[test]
fn rules_of_a_directory_see_headers_query_and_body() {
    let compiled = own_rules();
    let scanner = request(json!({
        "method": "GET", "path": "/v1/notes", "headers": { "User-Agent": "sqlmap/1.8" }
    }));
    let judged = written(&scanner, &compiled, NOW).unwrap();
    assert_eq!(judged.operation, "notes/v1:listNotes");
    assert_eq!(judged.verdict.refused.as_deref(), Some("inspect.scanner"));
    assert_eq!(seen(&judged.verdict), ["1001 header:user-agent counted"]);
    let query = request(json!({ "method": "GET", "path": "/v1/notes?tag=drop" }));
    let judged = written(&query, &compiled, NOW).unwrap();
    assert!(judged.verdict.refused.is_some());
    assert_eq!(seen(&judged.verdict), ["1002 query:tag/0 counted"]);
    let body = request(json!({
        "method": "POST", "path": "/v1/notes", "body": { "title": "t", "text": "forbidden" }
    }));
    let judged = written(&body, &compiled, NOW).unwrap();
    assert!(judged.verdict.refused.is_some());
    assert_eq!(seen(&judged.verdict), ["1003 body:/text counted"]);
    let plain = request(json!({
        "method": "POST", "path": "/v1/notes", "headers": { "User-Agent": "curl/8" },
        "body": { "title": "t", "text": "O'Brien; select seats from the union" }
    }));
    assert_eq!(
        written(&plain, &compiled, NOW).unwrap().verdict,
        Verdict::default()
    );
}

#[test]
fn an_excluded_finding_is_told_and_counts_again_when_it_ends() {
    let exclusion = "inspection:\n  rules: [rules]\n  exclusions:\n    - { operation: createNote, pointer: /text, \
                     rules: [\"1003\"], owner: t, expires: 2027-03-01, reason: r }\n";
    let compiled = compiled(exclusion, "enforce");
    let body = request(json!({
        "method": "POST", "path": "/v1/notes", "body": { "title": "t", "text": "forbidden" }
    }));
    let verdict = written(&body, &compiled, NOW).unwrap().verdict;
    assert_eq!(verdict.refused, None);
    assert_eq!(seen(&verdict), ["1003 body:/text excluded"]);
    let later = Timestamp::parse("2027-03-01").unwrap();
    let verdict = written(&body, &compiled, later).unwrap().verdict;
    assert!(verdict.refused.is_some(), "the exclusion has ended");
}

#[test]
fn modes_decide_whether_what_is_seen_is_refused() {
    let scanner = request(json!({
        "method": "POST", "path": "/v1/notes", "body": { "title": "{\"$where\": \"sleep(1)\"}", "tree": { "$where": "sleep(1)" } }
    }));
    let verdict = |mode| written(&scanner, &compiled("", mode), NOW).unwrap().verdict;
    assert_eq!(
        verdict("enforce").refused.as_deref(),
        Some("inspect.nosqli")
    );
    assert!(verdict("observe").refused.is_none() && !verdict("observe").seen.is_empty());
    assert_eq!(verdict("off"), Verdict::default());
}

#[test]
fn a_field_that_is_declared_an_address_is_judged_as_one() {
    let declared = (
        "text: { type: string, maxLength: 2000 }",
        "text: { type: string, maxLength: 2000, format: uri-reference }",
    );
    let body = |address: &str| {
        let note = json!({ "title": "http://web", "text": address });
        request(json!({ "method": "POST", "path": "/v1/notes", "body": note }))
    };
    let verdict = |compiled: &Compiled, address: &str| {
        written(&body(address), compiled, NOW).unwrap().verdict
    };
    // A schema that vouches for nothing still says what the field is for.
    for mode in [
        "enforce",
        "enforce, request: observe",
        "enforce, request: off",
    ] {
        let compiled = compiled_with(declared, "", mode);
        let refused = verdict(&compiled, "http://web");
        assert_eq!(refused.refused.as_deref(), Some("inspect.ssrf"), "{mode}");
        assert_eq!(seen(&refused), ["pack.ssrf.name body:/text counted"]);
        assert_eq!(
            verdict(&compiled, "https://hooks.example.org/x"),
            Verdict::default()
        );
    }
    assert_eq!(
        verdict(&compiled("", "enforce"), "http://web"),
        Verdict::default()
    );
    let listed = compiled_with(
        declared,
        "inspection: { internal_hosts: [web] }\n",
        "enforce",
    );
    assert_eq!(verdict(&listed, "http://web"), Verdict::default());
}

#[test]
fn the_contract_is_asked_of_written_requests() {
    let wrong = request(json!({ "method": "POST", "path": "/v1/notes", "body": { "title": 7 } }));
    let judged = written(&wrong, &compiled("", "enforce"), NOW).unwrap();
    assert_eq!(judged.verdict.refused.as_deref(), Some("validate.body"));
    let nowhere = request(json!({ "method": "GET", "path": "/v1/elsewhere" }));
    assert!(written(&nowhere, &own_rules(), NOW).is_err());
}

#[test]
fn recorded_texts_are_judged_by_the_configuration_of_today() {
    let text = Text {
        place: "body".into(),
        pointer: "/text".into(),
        text: "forbidden".into(),
        is_name: false,
        is_address: false,
    };
    let one = Recorded {
        decision: DecisionId::from_bits(1),
        at: NOW,
        operation: "notes/v1:createNote".into(),
        method: "POST".into(),
        path: "/v1/notes".into(),
        query: String::new(),
        protocol: "HTTP/1.1".into(),
        client: "127.0.0.1".into(),
        headers: vec![("user-agent".into(), "curl/8".into())],
        body_bytes: 20,
        texts: vec![text],
        is_refused: false,
        findings: Vec::new(),
    };
    assert_eq!(Verdict::then(&one).refused, None);
    assert!(recorded(&one, &own_rules(), NOW).unwrap().refused.is_some());
    let without = compiled("", "enforce");
    assert_eq!(recorded(&one, &without, NOW), Some(Verdict::default()));
    let gone = Recorded {
        operation: "notes/v0:createNote".into(),
        ..one
    };
    assert_eq!(recorded(&gone, &without, NOW), None);
}
