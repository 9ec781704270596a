//! Single searches whose question is the body of a POST: held to the rules of query parameters, whatever form the question has.

use demo::CallResponse;
use serde_json::{Value, json};
use testkit::{Gate, Key, Play, RecordingUpstream, Server, run};

use super::cases::{ALL, granted};
use super::jobs::{Job, Spec, World};
use super::searching;
use crate::{call, program, serve};

fn world() -> World {
    let job = |id: &str, owner, status, margin| Job {
        id: id.into(),
        owner,
        status,
        name: "anna",
        priority: 1,
        margin,
    };
    vec![
        job("j1", "own", "open", 1),
        job("j2", "other", "open", 2),
        job("j3", "other", "done", 3),
        job("j4", "own", "done", 4),
        job("j5", "other", "open", 5),
    ]
}

fn upstream() -> RecordingUpstream {
    RecordingUpstream::start(|asked| {
        let body = searching::answer(&world(), &asked.body).to_string();
        Play::Response(testkit::json_response(200, &body))
    })
}

/// A server in front of the searches, with one asker.
fn asker(spec: Spec) -> (RecordingUpstream, Server, Key) {
    let upstream = upstream();
    let server = serve(searching::gate(upstream.address(), &[spec]));
    let key = server.quick_key("asker-0", &[]);
    (upstream, server, key)
}

fn asked(server: &Server, key: &Key, body: &Value) -> CallResponse {
    server.send(&searching::search(1, body), Some(key))
}

fn value(response: &CallResponse) -> Value {
    serde_json::from_str(&response.text()).unwrap()
}

fn ids(response: &CallResponse) -> Vec<String> {
    let items = value(response)["items"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let ids = items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn next(response: &CallResponse) -> String {
    value(response)["next"].as_str().unwrap().to_owned()
}

fn checked(gate: &Gate) -> String {
    let told = run(program(), gate, &["check", gate.dir().to_str().unwrap()]);
    (told.stderr + &told.stdout).replace("\n  │ ", " ")
}

const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

#[test]
fn a_body_that_asks_about_a_hidden_field_is_refused_by_its_place() {
    let (upstream, server, key) = asker(granted(None, &["id", "name"], false));
    for (body, pointer) in [
        (json!({ "minMargin": 4 }), "/minMargin"),
        (json!({ "owner": "other" }), "/owner"),
        (json!({ "status": ["open", "done"] }), "/status"),
        (json!({ "status": [] }), "/status"),
        (json!({ "sort": "margin" }), "/sort"),
        (json!({ "sort": "own" }), "/sort"),
        (json!({ "legacy": "other" }), "/legacy"),
        (
            json!({ "filter": { "name": "an", "priority": 3 } }),
            "/filter/priority",
        ),
        (json!({ "any": [{ "margin": 3 }] }), "/any/0/margin"),
        (
            json!({ "any": [{ "field": "owner", "value": "x" }] }),
            "/any/0/field",
        ),
    ] {
        upstream.forget();
        let response = asked(&server, &key, &body);
        let code = response.code();
        assert_eq!(
            code.as_deref(),
            Some("authz.parameter_not_granted"),
            "{body}: {}",
            response.text()
        );
        assert_eq!(response.status, 403);
        let wanted = format!(r#""pointer":"{pointer}""#);
        assert!(
            response.text().contains(&wanted),
            "{body}: {}",
            response.text()
        );
        upstream.assert_untouched(&body.to_string());
    }
    for body in [
        json!({}),
        json!({ "sort": "name", "page": { "size": 3 } }),
        json!({ "filter": { "name": "an" } }),
        json!({ "filter": {}, "any": [] }),
    ] {
        let response = asked(&server, &key, &body);
        assert_eq!(response.status, 200, "{body}: {}", response.text());
    }
}

#[test]
fn whoever_sees_everything_may_ask_everything() {
    let (_upstream, server, key) = asker(granted(None, &ALL, false));
    for body in [
        json!({ "minMargin": 4, "legacy": "other", "sort": "margin" }),
        json!({ "any": [{ "field": "owner", "value": "own" }, { "margin": 1 }] }),
    ] {
        assert_eq!(asked(&server, &key, &body).status, 200, "{body}");
    }
}

#[test]
fn a_search_for_somebody_elses_objects_finds_nothing_and_leaves_no_cursor() {
    let (_upstream, server, key) = asker(granted(Some(0), &ALL, false));
    let other = asked(
        &server,
        &key,
        &json!({ "owner": "other", "page": { "size": 1 } }),
    );
    let nobody = asked(
        &server,
        &key,
        &json!({ "owner": "nobody", "page": { "size": 1 } }),
    );
    assert_eq!((other.status, other.text()), (nobody.status, nobody.text()));
    assert_eq!(other.text(), r#"{"items":[]}"#);
}

#[test]
fn the_pages_of_a_search_are_filled_again_and_its_cursors_are_sealed() {
    let (upstream, server, key) = asker(granted(Some(0), &ALL, false));
    let question = json!({ "filter": { "name": "an" }, "page": { "size": 1 } });
    let first = asked(&server, &key, &question);
    let cursor = next(&first);
    assert!(
        cursor.len() > 60,
        "sealed, not the upstream's own: {cursor}"
    );
    let second = asked(
        &server,
        &key,
        &searching::with_page(&question, "after", &cursor),
    );
    assert_eq!(
        (ids(&first), ids(&second)),
        (vec!["j1".into()], vec!["j4".into()])
    );
    assert!(
        value(&second)["next"].is_null(),
        "j5 is not theirs: {}",
        second.text()
    );
    // Without a body the gateway writes one that says how many it needs.
    upstream.forget();
    let none = server.send(&call("POST", "/v1/w/1/search"), Some(&key));
    assert_eq!((none.status, ids(&none).len()), (200, 2), "{}", none.text());
    let sent = &upstream.requests()[0];
    assert_eq!(sent.header("content-type"), Some("application/json"));
    assert_eq!(sent.body, br#"{"page":{"size":5}}"#);
}

#[test]
fn a_cursor_of_a_search_goes_on_with_its_own_question_for_its_own_caller_only() {
    let upstream = upstream();
    let specs = [granted(Some(0), &ALL, false), granted(None, &ALL, false)];
    let server = serve(searching::gate(upstream.address(), &specs));
    let keys = ["asker-0", "asker-1"].map(|name| server.quick_key(name, &[]));
    let question = json!({ "filter": { "name": "an" }, "page": { "size": 1 } });
    let own = next(&asked(&server, &keys[0], &question));
    let others = next(&asked(&server, &keys[1], &question));
    upstream.forget();
    for cursor in [others.as_str(), "1", "2", "", "AAAA", &own[1..]] {
        let response = asked(
            &server,
            &keys[0],
            &searching::with_page(&question, "after", cursor),
        );
        assert_eq!(
            response.code().as_deref(),
            Some("validate.body"),
            "{cursor}: {}",
            response.text()
        );
        assert!(
            response.text().contains(r#""pointer":"/page/after""#),
            "{}",
            response.text()
        );
    }
    for other in [
        json!({}),
        json!({ "filter": { "name": "zz" } }),
        json!({ "owner": "own", "filter": { "name": "an" } }),
    ] {
        let response = asked(
            &server,
            &keys[0],
            &searching::with_page(&other, "after", &own),
        );
        assert_eq!(
            response.code().as_deref(),
            Some("validate.body"),
            "{other}: {}",
            response.text()
        );
    }
    let number = json!({ "filter": { "name": "an" }, "page": { "size": 1, "after": 1 } });
    assert_eq!(
        asked(&server, &keys[0], &number).code().as_deref(),
        Some("validate.body")
    );
    upstream.assert_untouched("none of these is the question of the cursor");
    let wider = json!({ "filter": { "name": "an" }, "page": { "size": 3 } });
    let response = asked(
        &server,
        &keys[0],
        &searching::with_page(&wider, "after", &own),
    );
    assert_eq!(ids(&response), ["j4"], "{}", response.text());
}

#[test]
fn totals_and_what_nobody_declared_are_withheld_beside_a_search() {
    let (_upstream, server, key) = asker(granted(Some(0), &ALL, false));
    let response = value(&asked(&server, &key, &json!({ "page": { "size": 2 } })));
    for name in ["total", "pages", "note"] {
        assert!(response.get(name).is_none(), "{name}: {response}");
    }
    assert_eq!(response["generated"], "today");
}

#[test]
fn a_fixed_field_of_a_search_keeps_its_scope_and_cannot_be_left_out() {
    let (upstream, server, key) = asker(granted(Some(0), &["id", "name"], true));
    let response = asked(&server, &key, &json!({ "page": { "size": 2 } }));
    assert_eq!(ids(&response), ["j1", "j4"], "{}", response.text());
    assert_eq!(upstream.requests().len(), 1, "one call is enough");
    let sent: Value = serde_json::from_slice(&upstream.requests()[0].body).unwrap();
    assert_eq!(sent["owner"], "own");
    upstream.forget();
    let other = asked(&server, &key, &json!({ "owner": "other" }));
    assert_eq!(
        other.code().as_deref(),
        Some("authz.value_fixed"),
        "{}",
        other.text()
    );
    let none = server.send(&call("POST", "/v1/w/1/search"), Some(&key));
    assert_eq!(
        none.code().as_deref(),
        Some("validate.body"),
        "{}",
        none.text()
    );
    assert!(none.text().contains("fixed for you"), "{}", none.text());
    upstream.assert_untouched("the scope was left out");
}

#[test]
fn a_number_of_items_is_written_in_plain_digits_wherever_it_stands() {
    let (upstream, server, key) = asker(granted(Some(0), &ALL, false));
    for size in ["1e0", "2.0"] {
        let body = format!(r#"{{"page":{{"size":{size}}}}}"#);
        let response = server.send(&call("POST", "/v1/w/1/search").json(&body), Some(&key));
        assert_eq!(
            response.code().as_deref(),
            Some("validate.body"),
            "{size}: {}",
            response.text()
        );
        let response = server.send(
            &call("GET", &format!("/v1/w/1/jobs?limit={size}")),
            Some(&key),
        );
        assert_eq!(
            response.code().as_deref(),
            Some("validate.query"),
            "{size}: {}",
            response.text()
        );
        assert!(
            response.text().contains("expected integer"),
            "{}",
            response.text()
        );
    }
    upstream.assert_untouched("two readers could read two numbers");
}

#[test]
fn a_fixed_parameter_is_sent_once() {
    let (upstream, server, key) = asker(granted(Some(0), &ALL, true));
    let response = server.send(&call("GET", "/v1/w/1/jobs?owner=own&owner=own"), Some(&key));
    assert_eq!(
        response.code().as_deref(),
        Some("validate.query"),
        "{}",
        response.text()
    );
    assert!(response.text().contains("repeated"), "{}", response.text());
    upstream.assert_untouched("sent twice");
}

#[test]
fn check_access_and_can_say_of_a_body_what_happens_to_it() {
    let gate = searching::gate(NOWHERE.into(), &[granted(Some(0), &["id", "name"], false)]);
    let text = checked(&gate);
    for words in [
        "parameters of `searchJobs` cannot be used",
        "`legacy`",
        "`filter.priority`",
        "`any.*.margin`",
        "x-portcullis-filters",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let access = run(program(), &gate, &["access", "asker-0"]).stdout;
    for words in [
        "page.after (body)",
        "filter.name (body)",
        "minMargin (body), sort (body)=margin",
    ] {
        assert!(access.contains(words), "{words}: {access}");
    }
    for (body, word) in [
        (r#"{"filter":{"name":"an"}}"#, "may call"),
        (r#"{"minMargin":3}"#, "body /minMargin"),
    ] {
        let said = run(
            program(),
            &gate,
            &["can", "asker-0", "searchJobs", "--body", body],
        )
        .stdout;
        assert!(said.contains(word), "{body}: {said}");
    }
}

#[test]
fn a_declaration_in_a_body_that_no_field_answers_to_is_a_mistake_at_its_place() {
    let gate = searching::gate(NOWHERE.into(), &[granted(Some(0), &ALL, false)]);
    let contract = "apis/jobs.v1.openapi.yaml";
    for (from, to, words) in [
        (
            "x-portcullis-filters: [margin] }\n        sort",
            "x-portcullis-filters: [margn] }\n        sort",
            "did you mean `margin`?",
        ),
        (
            "x-portcullis-filters: [owner] }",
            "x-portcullis-filters: owner }",
            "is not a list of fields",
        ),
        (
            "x-portcullis-filters: [owner] }",
            "x-portcullis-filters: [a..b] }",
            "the field path",
        ),
        (
            "{ owner: [owner], status: [status] }",
            "{ owner: owner }",
            "has no list of fields",
        ),
    ] {
        let before = gate.text(contract);
        gate.edit(contract, from, to);
        let text = checked(&gate).to_lowercase();
        assert!(text.contains(&words.to_lowercase()), "{to}: {text}");
        gate.write(contract, before);
    }
}
