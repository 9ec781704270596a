//! Every "no" is explained truthfully: what is advised makes the refusal go away, or says that nothing should.
//! Start reading at `what_is_advised_makes_the_refusal_go_away`; `Case` is one refusal with the deed its advice calls for.

use std::collections::BTreeSet;

use demo::Call;
use serde_json::Value;
use testkit::{Gate, Key, Play, RecordingUpstream, Server, json_response};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t","owner":"somebody"}"#;

/// What the advice calls for.
enum Deed {
    /// A change of the files, made by what the advice says; then the same request again.
    Files(fn(&Gate, &str)),
    /// The command in the advice; then the same request again.
    Command,
    /// Another request, with the same key or with a new one of the same integration.
    Request(fn() -> Call, bool),
    /// Nothing: the same request is refused again.
    Nothing,
}

/// One refusal.
struct Case {
    /// The integration; none for a call without a key.
    who: &'static str,
    /// The call.
    call: fn() -> Call,
    /// The code it is refused with.
    code: &'static str,
    /// Who or what makes it go away.
    by: &'static str,
    /// How the test follows the advice.
    deed: Deed,
}

fn read() -> Call {
    call("GET", "/v1/notes/1")
}

fn list() -> Call {
    call("GET", "/v1/notes")
}

fn post(body: &str) -> Call {
    call("POST", "/v1/notes").json(body)
}

fn case(
    who: &'static str,
    call: fn() -> Call,
    code: &'static str,
    by: &'static str,
    deed: Deed,
) -> Case {
    Case {
        who,
        call,
        code,
        by,
        deed,
    }
}

/// The texts between backquotes.
fn quoted(advice: &str) -> Vec<&str> {
    advice.split('`').skip(1).step_by(2).collect()
}

/// The first place in the advice: file and line.
fn place(advice: &str) -> (String, usize) {
    let words = advice.split(|c: char| c.is_whitespace() || ",;()".contains(c));
    let mut places = words.filter_map(|word| {
        let (file, line) = word.split_once(':')?;
        let line = line.trim_end_matches('.').parse().ok()?;
        file.contains('/').then(|| (file.to_owned(), line))
    });
    places
        .next()
        .unwrap_or_else(|| panic!("no place: {advice}"))
}

/// Changes the line that the advice names.
fn change(gate: &Gate, advice: &str, to: impl Fn(&str) -> String) {
    let (file, number) = place(advice);
    let text = gate.text(&file);
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            if index + 1 == number {
                to(line)
            } else {
                line.to_owned()
            }
        })
        .collect();
    let changed = lines.join("\n") + "\n";
    assert_ne!(changed.trim(), text.trim(), "{advice}");
    gate.write(&file, changed);
}

/// `- { … }` at the end of the grants.
fn add_grant(gate: &Gate, advice: &str) {
    let quoted = quoted(advice);
    let grant = quoted.iter().find(|text| text.starts_with("- {")).unwrap();
    let words: Vec<&str> = advice.split_whitespace().collect();
    let file = words.iter().find(|word| word.starts_with("integrations/"));
    let file = file.unwrap().trim_end_matches([',', '.', ';']);
    let text = gate.text(file);
    let head = if text.contains("grants:\n") {
        ""
    } else {
        "grants:\n"
    };
    gate.write(file, format!("{text}{head}  {grant}\n"));
}

/// Without the condition at the line.
fn widen(gate: &Gate, advice: &str) {
    change(gate, advice, |line| {
        let (before, rest) = line.split_once("when: '").unwrap();
        let (_, after) = rest.split_once("', ").unwrap();
        format!("{before}{after}")
    });
}

/// Without the policy at the line.
fn except(gate: &Gate, advice: &str) {
    let (file, _) = place(advice);
    assert!(file.starts_with("policies/"), "{advice}");
    gate.remove(&file);
}

/// The named fields among the `writes` at the line.
fn write(gate: &Gate, advice: &str) {
    let before = advice.split(" to `writes`").next().unwrap();
    let fields = quoted(before).join(", ");
    change(gate, advice, |line| {
        line.replace("writes: [", &format!("writes: [{fields}, "))
    });
}

/// The field that a filter asks about, among the `fields` at the line.
fn see(gate: &Gate, advice: &str) {
    let (_, after) = advice.split_once("it asks about `").unwrap();
    let (field, _) = after.split_once('`').unwrap();
    change(gate, advice, |line| {
        line.replace("fields: [", &format!("fields: [{field}, "))
    });
}

fn admit(gate: &Gate, advice: &str) {
    let address = quoted(advice)[0].to_owned();
    assert!(advice.contains("integrations/placed.yaml"), "{advice}");
    let allowed = format!("allow_from: [{address}/32, ");
    gate.edit("integrations/placed.yaml", "allow_from: [", &allowed);
}

fn expose(gate: &Gate, advice: &str) {
    assert!(
        advice.contains(
            "add `searchNotes` to `expose: { public: […] }` of notes/v1 in apis/notes.yaml"
        ),
        "{advice}"
    );
    gate.edit("apis/notes.yaml", "public: [", "public: [searchNotes, ");
}

fn raise(gate: &Gate, advice: &str) {
    assert!(
        advice.contains("`limits` of integrations/few.yaml"),
        "{advice}"
    );
    gate.edit(
        "integrations/few.yaml",
        "rate: 1/h, burst: 1",
        "rate: 1000/s, burst: 1000",
    );
}

fn exclude(gate: &Gate, lines: &str) {
    let lines: Vec<String> = lines.lines().map(|line| format!("    {line}\n")).collect();
    let text = gate.text("portcullis.yaml");
    let exclusions = lines.concat().replace("YOUR-TEAM", "a@b.example");
    gate.write(
        "portcullis.yaml",
        format!("{text}inspection:\n  exclusions:\n{exclusions}"),
    );
}

// LONG: one case for each code, in one place to be read as a list.
fn cases() -> Vec<Case> {
    use Deed::{Command, Files, Nothing, Request};
    vec![
        case(
            "bare",
            read,
            "authz.operation_not_granted",
            "grant",
            Files(add_grant),
        ),
        case(
            "context",
            || call("GET", "/v1/notes/2"),
            "authz.condition_failed",
            "grant",
            Files(widen),
        ),
        case(
            "barred",
            list,
            "authz.condition_failed",
            "policy",
            Files(except),
        ),
        case("shown", read, "object.denied", "grant", Files(widen)),
        case("hidden", read, "object.absent", "grant", Files(widen)),
        case("shunned", read, "object.denied", "policy", Files(except)),
        case(
            "creator",
            || post(r#"{"title":"t","owner":"you"}"#),
            "object.create_denied",
            "grant",
            Files(widen),
        ),
        case(
            "asker",
            || call("GET", "/v1/notes?tag=a"),
            "authz.parameter_not_granted",
            "grant",
            Files(see),
        ),
        case(
            "fixed",
            || post(r#"{"title":"other"}"#),
            "authz.value_fixed",
            "caller",
            Request(|| post("{}"), false),
        ),
        case(
            "writer",
            || post(r#"{"title":"t","amount":1}"#),
            "validate.body",
            "grant",
            Files(write),
        ),
        case(
            "writer",
            || post(r#"{"title":7}"#),
            "validate.body",
            "caller",
            Request(|| post(r#"{"title":"t"}"#), false),
        ),
        case(
            "alpha",
            || call("GET", "/v1/notes?limit=x"),
            "validate.query",
            "caller",
            Request(list, false),
        ),
        case(
            "alpha",
            || call("GET", "/v1/notes/a_b"),
            "validate.path",
            "caller",
            Request(read, false),
        ),
        case(
            "alpha",
            || read().with("Accept", "text/csv"),
            "validate.accept",
            "caller",
            Request(read, false),
        ),
        case(
            "alpha",
            search,
            "route.not_found",
            "configuration",
            Files(expose),
        ),
        case(
            "alpha",
            || call("GET", "/v1/nothing"),
            "route.not_found",
            "caller",
            Nothing,
        ),
        case(
            "alpha",
            || call("PUT", "/v1/notes"),
            "route.method_not_allowed",
            "caller",
            Request(list, false),
        ),
        case(
            "alpha",
            || call("GET", "/v0/notes"),
            "lifecycle.retired",
            "caller",
            Request(list, false),
        ),
        case(
            "placed",
            read,
            "authn.address_not_allowed",
            "configuration",
            Files(admit),
        ),
        case(
            "paused",
            read,
            "authn.integration_paused",
            "operator",
            Command,
        ),
        case(
            "revoked",
            read,
            "authn.revoked",
            "operator",
            Request(read, true),
        ),
        case("", read, "authn.missing", "caller", Nothing),
        case("blocked", read, "limit.blocked", "operator", Command),
        case("few", read, "limit.exceeded", "configuration", Files(raise)),
        case(
            "alpha",
            || post(ATTACK),
            "inspect.sqli",
            "configuration",
            Files(exclude),
        ),
        case(
            "alpha",
            || call("GET", "/v1/notes/absent"),
            "object.absent",
            "nothing",
            Nothing,
        ),
        case(
            "alpha",
            || call("GET", "/v1/notes/rejects"),
            "upstream.rejected",
            "caller",
            Nothing,
        ),
        case(
            "alpha",
            || call("GET", "/v1/notes/denies"),
            "upstream.denied",
            "upstream",
            Nothing,
        ),
        case(
            "alpha",
            || call("GET", "/v1/notes/drifts"),
            "response.contract",
            "upstream",
            Nothing,
        ),
        case(
            "alpha",
            || call("GET", "/v1/../notes"),
            "http.malformed",
            "caller",
            Request(list, false),
        ),
    ]
}

const ATTACK: &str = r#"{"title":"t","text":"x' UNION SELECT password FROM users WHERE '1'='1"}"#;

fn search() -> Call {
    let mut call =
        call("POST", "/v1/searches").with("Content-Type", "application/x-www-form-urlencoded");
    call.body = b"text=a".to_vec();
    call
}

/// The small gate with an integration for every case.
// LONG: one integration for each case, in one place to be read as a list.
fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    let add = |name: &str, rules: &str| {
        let head = "owner: a@b.example\npurpose: A trial\nreview_by: 2099-12-31\ncredentials: { api_key: {} }\n";
        gate.write(
            &format!("integrations/{name}.yaml"),
            format!("{head}{rules}"),
        );
    };
    let reads = |more: &str| {
        format!("grants:\n  - {{ api: notes/v1, operations: [getNote], {more}fields: [id] }}\n")
    };
    let mine = |deny: &str| {
        reads(&format!(
            "when: 'resource.owner == \"me\"', deny_as: {deny}, "
        ))
    };
    add("bare", "");
    add("context", &reads("when: 'context.path.noteId == \"1\"', "));
    add("barred", &reads("").replace("getNote", "listNotes"));
    add("shown", &mine("forbidden"));
    add("hidden", &mine("not_found"));
    add("shunned", &reads("deny_as: forbidden, "));
    add(
        "creator",
        "grants:\n  - { api: notes/v1, operations: [createNote], when: 'resource.owner == \"me\"', writes: [title, owner] }\n",
    );
    add(
        "asker",
        "grants:\n  - { api: notes/v1, operations: [listNotes], fields: [id, title] }\n",
    );
    add(
        "fixed",
        "grants:\n  - { api: notes/v1, operations: [createNote], set: { body.title: '\"t\"' } }\n",
    );
    add(
        "writer",
        "grants:\n  - { api: notes/v1, operations: [createNote], writes: [title] }\n",
    );
    add(
        "placed",
        &format!("allow_from: [10.9.9.9/32]\n{}", reads("")),
    );
    add("paused", &reads(""));
    add("revoked", &reads(""));
    add("blocked", &reads(""));
    add(
        "few",
        &format!(
            "limits: [{{ per: integration, rate: 1/h, burst: 1 }}]\n{}",
            reads("")
        ),
    );
    gate.write("policies/barred.cedar", "forbid(principal == Portcullis::Integration::\"barred\", action == notes::v1::Action::\"listNotes\", resource) when { context.network.listener == \"public\" };\n");
    gate.write("policies/shunned.cedar", "forbid(principal == Portcullis::Integration::\"shunned\", action == notes::v1::Action::\"getNote\", resource is notes::v1::Note) when { resource.owner == \"somebody\" };\n");
    gate.edit(
        "apis/notes.v1.openapi.yaml",
        "        tree: {}\n",
        "        tree: {}\n        owner: { type: string, maxLength: 20 }\n",
    );
    gate.edit(
        "apis/notes.yaml",
        "versions:\n",
        "versions:\n  v0: { state: retired, base_path: /v0, successor: v1 }\n",
    );
    gate.edit("apis/notes.yaml", ", searchNotes]", "]");
    gate
}

/// A refusal as `explain` tells it.
fn explained(server: &Server, decision: &str) -> Value {
    let ended = server.cli(&["explain", decision, "-o", "json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    document["decision"].clone()
}

fn key_of(server: &Server, case: &Case) -> Option<Key> {
    let key = (!case.who.is_empty()).then(|| server.quick_key(case.who, &[]));
    match (case.code, &key) {
        ("authn.revoked", Some(key)) => {
            server.admin("key.revoke", &serde_json::json!({ "id": key.id }));
        }
        ("authn.integration_paused", _) => {
            server.admin(
                "integration.pause",
                &serde_json::json!({ "integration": case.who }),
            );
        }
        ("limit.blocked", Some(key)) => {
            let ended = server.cli(&["block", "add", &key.id, "--for", "1h", "--reason", "x"]);
            assert_eq!(ended.code, Some(0), "{ended:?}");
        }
        ("limit.exceeded", _) => {
            assert_eq!(server.send(&(case.call)(), key.as_ref()).status, 200);
        }
        _ => {}
    }
    key
}

/// Asks, and gives what is advised.
fn refused(server: &Server, case: &Case, key: Option<&Key>) -> Value {
    let response = server.send(&(case.call)(), key);
    let (who, code) = (case.who, response.code());
    assert_eq!(
        code.as_deref(),
        Some(case.code),
        "{who}: {}",
        response.text()
    );
    let explained = explained(server, response.decision().unwrap());
    let by = explained["allowed_by"].as_str().unwrap_or_default();
    assert_eq!(by, case.by, "{who} {code:?}: {explained}");
    // The operator reads of the stage that the caller was told. Blocks alone are looked for in several stages.
    let told: Value = serde_json::from_str(&response.text()).unwrap_or_default();
    if case.code != "limit.blocked" {
        assert_eq!(told["stage"], explained["event"]["stage"], "{who} {code:?}");
    }
    explained
}

#[test]
fn an_unknown_parameter_is_answered_with_those_that_may_be_used() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(gate(&upstream));
    for (who, may_use) in [("alpha", true), ("asker", false)] {
        let key = server.quick_key(who, &[]);
        for query in ["tagg=a", "unheard=a"] {
            let response = server.send(&call("GET", &format!("/v1/notes?{query}")), Some(&key));
            assert_eq!(response.code().as_deref(), Some("validate.query"));
            let told: Value = serde_json::from_str(&response.text()).unwrap();
            let fix = told["errors"][0]["fix"].as_str().unwrap();
            assert_eq!(fix.contains("tag"), may_use, "{who} {query}: {fix}");
            assert!(may_use || fix.contains("limit"), "{who} {query}: {fix}");
        }
    }
}

#[test]
fn what_is_advised_makes_the_refusal_go_away() {
    let upstream = RecordingUpstream::start(|asked| {
        Play::Response(match asked.target.rsplit('/').next().unwrap_or_default() {
            "absent" => json_response(404, "{}"),
            "rejects" => json_response(409, "{}"),
            "denies" => json_response(401, "{}"),
            "drifts" => json_response(200, r#"{"id":"1","id":"2"}"#),
            target if target.starts_with("notes") && asked.method == "GET" => {
                json_response(200, &format!("[{NOTE}]"))
            }
            "searches" => json_response(200, "[]"),
            _ => json_response(if asked.method == "POST" { 201 } else { 200 }, NOTE),
        })
    });
    let server = serve(gate(&upstream));
    let cases = cases();
    let codes: BTreeSet<&str> = cases.iter().map(|case| case.code).collect();
    assert!(codes.len() >= 15, "{codes:?}");
    let mut followed: Vec<(&Case, Option<Key>)> = Vec::new();
    for case in &cases {
        let key = key_of(&server, case);
        let explained = refused(&server, case, key.as_ref());
        let advice = explained["to_allow"].as_str().unwrap_or_default();
        match case.deed {
            Deed::Files(change) if case.code.starts_with("inspect.") => {
                change(
                    &server.gate,
                    explained["exclusion"].as_str().unwrap_or_default(),
                );
            }
            Deed::Files(change) => change(&server.gate, advice),
            Deed::Command => run(&server, advice),
            Deed::Request(..) | Deed::Nothing => {}
        }
        followed.push((case, key));
    }
    // The server looks for changed files by itself and may have loaded some of the changes already: only the answer to a
    // reload that began after the last one says that all of them are in force.
    let loaded = server.admin("server.reload", &serde_json::json!({}));
    assert_ne!(loaded["outcome"], "refused", "{loaded}");
    let wrong: Vec<String> = followed
        .iter()
        .filter_map(|(case, key)| again(&server, case, key.as_ref()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the command in the advice.
fn run(server: &Server, advice: &str) {
    let quoted = quoted(advice);
    let commands = quoted
        .iter()
        .filter_map(|text| text.strip_prefix("portcullis "));
    let command = commands.into_iter().next().unwrap();
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let ended = testkit::run(program(), &server.gate, &arguments);
    assert_eq!(ended.code, Some(0), "{advice}: {ended:?}");
}

/// The same call after the advice was followed, or the one that the caller is advised to make: what is wrong with its answer.
fn again(server: &Server, case: &Case, key: Option<&Key>) -> Option<String> {
    let (call, is_new, is_refused) = match &case.deed {
        Deed::Files(_) | Deed::Command => (case.call, false, false),
        Deed::Request(call, is_new) => (*call, *is_new, false),
        Deed::Nothing => (case.call, false, true),
    };
    let new = is_new.then(|| server.quick_key(case.who, &[]));
    let send = || server.send(&call(), new.as_ref().or(key));
    // What was taken from the lower limit is given back at the new rate.
    let response = match case.code {
        "limit.exceeded" => testkit::poll(testkit::PATIENCE, || {
            let response = send();
            (response.status < 400).then_some(response)
        })
        .unwrap_or_else(send),
        _ => send(),
    };
    let code = response.code();
    let is_right = (response.status >= 400) == is_refused
        && (code.as_deref() == Some(case.code)) == is_refused;
    let what = format!(
        "{} {}: {} {}",
        case.who,
        case.code,
        response.status,
        response.text()
    );
    (!is_right).then_some(what)
}

/// Notes that are looked up before they are changed: `mine` may be changed, `yours` may not.
fn looked_up() -> (RecordingUpstream, Server, Key) {
    let upstream = RecordingUpstream::start(|asked| {
        let id = asked.target.rsplit('/').next().unwrap_or_default();
        let owner = if id == "yours" { "you" } else { "me" };
        let note = format!(r#"{{"id":"{id}","title":"t","owner":"{owner}"}}"#);
        Play::Response(match (asked.method.as_str(), id) {
            ("GET", "gone") => json_response(404, "{}"),
            ("GET", "broken") => json_response(500, "{}"),
            ("DELETE", _) => testkit::answer(204, &[], b""),
            ("PUT", "odd") => json_response(200, r#"{"id":"1","id":"2"}"#),
            _ => json_response(200, &note),
        })
    });
    let gate = Gate::small(upstream.address());
    gate.edit(
        "apis/notes.yaml",
        "id: path.noteId,",
        "id: path.noteId, resolve: getNote,",
    );
    gate.write(
        "integrations/keeper.yaml",
        "owner: a@b.example\npurpose: A trial\nreview_by: 2099-12-31\ncredentials: { api_key: {} }\ngrants:\n  \
         - { api: notes/v1, operations: [replaceNote], when: 'resource.owner == \"me\"', writes: [title], fields: [id], deny_as: not_found }\n  \
         - { api: notes/v1, operations: [deleteNote], when: 'resource.owner == \"me\"', deny_as: not_found }\n",
    );
    let server = serve(gate);
    let key = server.quick_key("keeper", &[]);
    (upstream, server, key)
}

/// What is recorded and told of one call, and its explanation as a person reads it, in one line.
fn told(server: &Server, key: &Key, call: &Call) -> (u16, Value, String) {
    let response = server.send(call, Some(key));
    let decision = response.decision().unwrap();
    let ended = server.cli(&["explain", decision]);
    let words: Vec<&str> = ended.stdout.split_whitespace().collect();
    (
        response.status,
        explained(server, decision),
        words.join(" "),
    )
}

#[test]
fn the_answer_to_a_look_up_is_never_told_as_the_answer_to_the_call() {
    let (_upstream, server, key) = looked_up();
    let put = |id: &str| call("PUT", &format!("/v1/notes/{id}")).json(r#"{"title":"t"}"#);
    for (id, status, code, why) in [
        (
            "yours",
            404,
            "object.denied",
            "no grant's condition holds for Note:yours as it is",
        ),
        (
            "gone",
            404,
            "object.absent",
            "the upstream knows no Note:gone",
        ),
        (
            "broken",
            502,
            "upstream.failed",
            "the look-up was answered with 500",
        ),
    ] {
        let (answered, decision, text) = told(&server, &key, &put(id));
        let event = &decision["event"];
        assert_eq!(
            (answered, event["code"].as_str()),
            (status, Some(code)),
            "{decision}"
        );
        assert_eq!(event["stage"], "object", "{decision}");
        assert!(
            event["upstream_status"].is_null() && event["upstream"].is_null(),
            "{decision}"
        );
        assert!(
            text.contains("the call was not sent; looking objects up took"),
            "{text}"
        );
        assert!(text.contains(why), "{text}");
        let last = decision["stages"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        assert_eq!(
            last,
            serde_json::json!({ "stage": "object", "passed": false })
        );
    }
}

#[test]
fn what_the_caller_was_told_is_told_of_answers_without_a_body_too() {
    let (_upstream, server, key) = looked_up();
    let (status, decision, _) = told(&server, &key, &call("DELETE", "/v1/notes/mine"));
    assert_eq!(
        (status, &decision["event"]["upstream_status"]),
        (204, &Value::from(204))
    );
    assert_eq!(
        decision["told_to_caller"],
        "status 204 without a body, and the decision id"
    );
    assert!(decision["allowed_by"].is_null(), "{decision}");

    let odd = call("PUT", "/v1/notes/odd").json(r#"{"title":"t"}"#);
    let (status, decision, text) = told(&server, &key, &odd);
    let event = &decision["event"];
    assert_eq!(
        (status, event["outcome"].as_str()),
        (200, Some("allow")),
        "{decision}"
    );
    assert_eq!(
        (&event["code"], &event["stage"]),
        (&"response.contract".into(), &"response".into()),
        "{decision}"
    );
    assert_eq!(
        decision["told_to_caller"],
        "status 200 without a body, and the decision id"
    );
    assert_eq!(decision["allowed_by"], "upstream");
    assert!(
        text.contains("the call was carried out; the body was withheld: response.contract:"),
        "{text}"
    );
    assert!(text.contains("upstream ✓ response ✗"), "{text}");

    let (_, decision, text) = told(
        &server,
        &key,
        &call("PUT", "/v1/notes/yours").json(r#"{"title":"t"}"#),
    );
    assert!(
        decision["told_to_caller"]
            .as_str()
            .unwrap()
            .contains("the bytes of an absent object")
    );
    assert!(
        text.contains("did not hold for the object; what the object held is not kept"),
        "{text}"
    );
}

#[test]
fn similar_decisions_are_others_before_it() {
    let (_upstream, server, key) = looked_up();
    let again = || {
        server
            .send(&call("DELETE", "/v1/notes/yours"), Some(&key))
            .decision()
            .unwrap()
            .to_owned()
    };
    let ids = [again(), again(), again()];
    let counts: Vec<Value> = ids
        .iter()
        .map(|id| explained(&server, id)["similar_in_24h"].clone())
        .collect();
    assert_eq!(counts, [Value::Null, Value::from(1), Value::from(2)]);
    let first = server.cli(&["explain", &ids[0]]).stdout;
    assert!(!first.contains("Similar"), "{first}");
    let last = server.cli(&["explain", &ids[2]]).stdout;
    assert!(
        last.contains("Similar   2 more in the 24 hours before by keeper"),
        "{last}"
    );
}
