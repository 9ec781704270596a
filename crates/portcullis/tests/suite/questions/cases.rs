//! Single questions: what is refused, what is written in, what is withheld, and what the operator is told.

use demo::{Call, CallResponse, Fieldworks};
use serde_json::Value;
use testkit::{Gate, Key, Play, RecordingUpstream, Server, run};

use super::interference::pairs;
use super::jobs::{self, GrantSpec, Job, Spec, World};
use crate::{call, program, serve};

fn job(id: &str, owner: &'static str, status: &'static str, margin: i64) -> Job {
    Job {
        id: id.into(),
        owner,
        status,
        name: "anna",
        priority: 1,
        margin,
    }
}

fn world() -> World {
    vec![
        job("j1", "own", "open", 1),
        job("j2", "other", "open", 2),
        job("j3", "other", "done", 3),
        job("j4", "own", "done", 4),
        job("j5", "other", "open", 5),
    ]
}

pub fn upstream() -> RecordingUpstream {
    RecordingUpstream::start(|asked| {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let body = match asked.method.as_str() {
            "POST" => String::from_utf8_lossy(&asked.body).replacen('{', r#"{"id":"j9","#, 1),
            _ => jobs::answer(&world(), path, &pairs(query), None).to_string(),
        };
        Play::Response(testkit::json_response(200, &body))
    })
}

pub fn granted(condition: Option<usize>, fields: &[&'static str], fixes_owner: bool) -> Spec {
    Spec {
        grants: vec![GrantSpec {
            condition,
            fields: fields.to_vec(),
            root: vec!["next", "total", "pages", "note", "generated"],
            query: None,
        }],
        fixes_owner,
    }
}

/// A server in front of the jobs, with one asker.
fn asker(spec: Spec) -> (RecordingUpstream, Server, Key) {
    let upstream = upstream();
    let server = serve(jobs::gate(upstream.address(), &[spec]));
    let key = server.quick_key("asker-0", &[]);
    (upstream, server, key)
}

fn asked(server: &Server, key: &Key, query: &str) -> CallResponse {
    server.send(&call("GET", &format!("/v1/w/1/jobs?{query}")), Some(key))
}

fn ids(response: &CallResponse) -> Vec<String> {
    let value: Value = serde_json::from_str(&response.text()).unwrap();
    let items = value["items"].as_array().cloned().unwrap_or_default();
    let ids = items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned());
    ids.collect()
}

/// What `check` says of a gate.
fn checked(gate: &Gate) -> testkit::Ended {
    run(program(), gate, &["check", gate.dir().to_str().unwrap()])
}

pub const ALL: [&str; 6] = jobs::FIELDS;

#[test]
fn a_filter_for_somebody_elses_objects_finds_nothing_and_leaves_no_cursor() {
    let (_upstream, server, key) = asker(granted(Some(0), &ALL, false));
    let other = asked(&server, &key, "owner=other&limit=1");
    let nobody = asked(&server, &key, "owner=nobody&limit=1");
    assert_eq!((other.status, other.text()), (nobody.status, nobody.text()));
    assert_eq!(other.text(), r#"{"items":[]}"#);
}

#[test]
fn a_page_is_as_long_as_it_was_asked_for_and_ends_where_nothing_own_follows() {
    let (_upstream, server, key) = asker(granted(Some(0), &ALL, false));
    let first = asked(&server, &key, "limit=1");
    let next = first
        .json()
        .unwrap()
        .get("next")
        .unwrap()
        .as_text()
        .unwrap()
        .to_owned();
    let second = asked(&server, &key, &format!("limit=1&cursor={next}"));
    assert_eq!(
        (ids(&first), ids(&second)),
        (vec!["j1".into()], vec!["j4".into()])
    );
    assert!(
        second.text().contains(r#""next":null"#),
        "{}",
        second.text()
    );
    assert!(next.len() > 60, "sealed, not the upstream's own: {next}");
    let both = asked(&server, &key, "limit=2");
    assert!(
        both.text().contains(r#""next":null"#),
        "j5 is not theirs: {}",
        both.text()
    );
}

#[test]
fn totals_and_whatever_nobody_declared_beside_a_list_are_withheld_where_objects_are_left_out() {
    let (_upstream, server, key) = asker(granted(Some(0), &ALL, false));
    for name in ["total", "pages", "note"] {
        let response = asked(&server, &key, "limit=2").json().unwrap();
        assert!(response.get(name).is_none(), "{name}");
        assert!(response.get("generated").is_some());
    }
    let (_upstream, server, key) = asker(granted(None, &["id"], false));
    let response = asked(&server, &key, "limit=2").json().unwrap();
    assert_eq!(
        response.get("total").and_then(|total| total.as_i64()),
        Some(5)
    );
}

#[test]
fn a_parameter_that_asks_about_a_hidden_field_is_refused_by_name() {
    let (upstream, server, key) = asker(granted(None, &["id", "name"], false));
    for (query, name) in [
        ("minMargin=4", "minMargin"),
        ("sort=margin", "sort"),
        ("sort=own", "sort"),
        ("legacy=other", "legacy"),
        ("status=open", "status"),
    ] {
        upstream.forget();
        let response = asked(&server, &key, query);
        assert_eq!(
            response.code().as_deref(),
            Some("authz.parameter_not_granted"),
            "{query}: {}",
            response.text()
        );
        assert_eq!(response.status, 403);
        assert!(
            response.text().contains(&format!(r#""pointer":"{name}""#)),
            "{}",
            response.text()
        );
        upstream.assert_untouched(query);
    }
    let header = call("GET", "/v1/w/1/jobs").with("X-Status", "open");
    let response = server.send(&header, Some(&key));
    assert_eq!(
        response.code().as_deref(),
        Some("authz.parameter_not_granted"),
        "{}",
        response.text()
    );
    for query in ["q=an", "sort=name", "limit=3", "expand=all"] {
        assert_eq!(asked(&server, &key, query).status, 200, "{query}");
    }
}

#[test]
fn whoever_sees_everything_may_ask_everything() {
    let (_upstream, server, key) = asker(granted(None, &ALL, false));
    for query in [
        "minMargin=4",
        "sort=margin",
        "legacy=own",
        "status=open&owner=own",
    ] {
        assert_eq!(asked(&server, &key, query).status, 200, "{query}");
    }
}

#[test]
fn cursors_of_others_and_invented_ones_are_refused() {
    let specs = [granted(Some(0), &ALL, false), granted(None, &ALL, false)];
    let upstream = upstream();
    let server = serve(jobs::gate(upstream.address(), &specs));
    let keys = ["asker-0", "asker-1"].map(|name| server.quick_key(name, &[]));
    let next = |key: &Key| {
        let response = asked(&server, key, "limit=1").json().unwrap();
        response.get("next").unwrap().as_text().unwrap().to_owned()
    };
    let (own, others) = (next(&keys[0]), next(&keys[1]));
    upstream.forget();
    for cursor in [others.as_str(), "1", "2", "", "AAAA", &own[1..]] {
        let response = asked(&server, &keys[0], &format!("cursor={cursor}"));
        assert_eq!(
            response.code().as_deref(),
            Some("validate.query"),
            "{cursor}: {}",
            response.text()
        );
    }
    upstream.assert_untouched("no such cursor was given");
    assert_eq!(
        asked(&server, &keys[0], &format!("cursor={own}")).status,
        200
    );
}

fn next(response: &CallResponse) -> String {
    let value: Value = serde_json::from_str(&response.text()).unwrap();
    value["next"].as_str().unwrap().to_owned()
}

#[test]
fn a_cursor_goes_on_with_its_own_question_only() {
    let (upstream, server, key) = asker(granted(Some(0), &ALL, false));
    let forged = asked(&server, &key, "q=zz&cursor=AAAA");
    let guess = next(&asked(&server, &key, "limit=1&q=an"));
    upstream.forget();
    for query in [
        "limit=1&q=zz",
        "q=zz",
        "limit=1",
        "limit=1&q=an&status=open",
        "limit=1&q=an&expand=x",
    ] {
        let response = asked(&server, &key, &format!("{query}&cursor={guess}"));
        let code = response.code();
        assert_eq!(code, forged.code(), "{query}: {}", response.text());
        assert_eq!(
            response.json().unwrap().get("errors"),
            forged.json().unwrap().get("errors"),
            "{query}"
        );
    }
    let elsewhere = call("GET", &format!("/v1/w/2/jobs?q=an&cursor={guess}"));
    let response = server.send(&elsewhere, Some(&key));
    assert_eq!(response.code(), forged.code(), "{}", response.text());
    let twice = format!("q=an&cursor={guess}&cursor={guess}");
    let response = asked(&server, &key, &twice);
    assert_eq!(response.code().as_deref(), Some("validate.query"));
    assert!(response.text().contains("repeated"), "{}", response.text());
    upstream.assert_untouched("none of these is the question of the cursor");
    for query in [
        format!("q=an&limit=1&cursor={guess}"),
        format!("cursor={guess}&limit=3&q=an"),
    ] {
        assert_eq!(ids(&asked(&server, &key, &query)), ["j4"], "{query}");
    }
}

#[test]
fn a_cursor_of_a_search_by_post_goes_on_with_its_own_body_only() {
    let upstream = RecordingUpstream::start(|asked| {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let body = jobs::answer(&world(), path, &pairs(query), None);
        Play::Response(testkit::json_response(200, &body.to_string()))
    });
    let gate = jobs::gate(upstream.address(), &[granted(Some(0), &ALL, false)]);
    let change = |path: &str, from: &str, to: &str| {
        let text = gate.text(path);
        assert!(text.contains(from), "{path}: {from}");
        gate.write(path, text.replacen(from, to, 1));
    };
    let search = r##"  /w/{world}/search:
    post:
      operationId: searchJobs
      parameters:
        - { $ref: "#/components/parameters/World" }
        - { name: limit, in: query, x-portcullis-page: size, schema: { type: integer, minimum: 1, maximum: 10, default: 4 } }
        - { name: cursor, in: query, x-portcullis-page: cursor, schema: { type: string, pattern: "^[0-9]{1,6}$" } }
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, properties: {
          name: { type: string, maxLength: 20, x-portcullis-filters: [name] }, owner: { type: string, x-portcullis-filters: [owner] } } } } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/JobPage" } } } }
components:
"##;
    change("apis/jobs.v1.openapi.yaml", "components:\n", search);
    change("apis/jobs.yaml", "createJob]", "createJob, searchJobs]");
    let reads = "    operations: { searchJobs: { reads: true } }\n    objects:\n";
    change("apis/jobs.yaml", "    objects:\n", reads);
    let grant = "  - api: jobs/v1\n    operations: [searchJobs]\n    when: resource.owner == principal.owner\n    writes: [name, owner]\n    fields: [id, name, owner, $.next]\n";
    let own = gate.text("integrations/asker-0.yaml");
    gate.write("integrations/asker-0.yaml", own + grant);
    let server = serve(gate);
    let key = server.quick_key("asker-0", &[]);
    let post = |query: &str, name: &str| {
        let body = format!(r#"{{"name":"{name}","owner":"own"}}"#);
        let call = call("POST", &format!("/v1/w/1/search?{query}")).json(&body);
        server.send(&call, Some(&key))
    };
    let first = post("limit=1", "an");
    assert_eq!(ids(&first), ["j1"], "{}", first.text());
    let on = format!("limit=1&cursor={}", next(&first));
    assert_eq!(ids(&post(&on, "an")), ["j4"]);
    upstream.forget();
    let other = post(&on, "zz");
    assert_eq!(other.code().as_deref(), Some("validate.query"));
    upstream.assert_untouched("another body is another question");
}

#[test]
fn a_cursor_that_is_an_address_is_not_given() {
    let upstream = RecordingUpstream::always(
        r#"{"items":[],"next":"http://10.0.0.7/jobs?cursor=j2","total":1}"#,
    );
    let server = serve(jobs::gate(
        upstream.address(),
        &[granted(None, &ALL, false), granted(Some(0), &ALL, false)],
    ));
    for name in ["asker-0", "asker-1"] {
        let response = asked(&server, &server.quick_key(name, &[]), "");
        assert!(
            response.status == 200 && !response.text().contains("next"),
            "{}",
            response.text()
        );
    }
}

#[test]
fn a_run_of_hidden_objects_beyond_the_bound_ends_the_page_and_not_the_list() {
    let upstream = RecordingUpstream::start(|asked| {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let mut world: World = (0..400)
            .map(|n| job(&format!("h{n}"), "other", "open", n))
            .collect();
        world.push(job("j1", "own", "open", 1));
        let body = jobs::answer(&world, path, &pairs(query), None).to_string();
        Play::Response(testkit::json_response(200, &body))
    });
    let server = serve(jobs::gate(
        upstream.address(),
        &[granted(Some(0), &ALL, false)],
    ));
    let key = server.quick_key("asker-0", &[]);
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    while pages < 10 {
        upstream.forget();
        let response = asked(&server, &key, &format!("limit=2{cursor}"));
        assert!(upstream.requests().len() <= gateway::pages::CALLS_MAX);
        found.extend(ids(&response));
        pages += 1;
        match response
            .json()
            .unwrap()
            .get("next")
            .and_then(|next| next.as_text())
        {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((found, pages), (vec!["j1".to_owned()], 3));
}

#[test]
fn a_fixed_parameter_is_written_in_and_no_other_value_passes() {
    let (upstream, server, key) = asker(granted(Some(0), &ALL, true));
    let plain = asked(&server, &key, "limit=10");
    let same = asked(&server, &key, "limit=10&owner=own");
    assert_eq!(
        (ids(&plain), plain.text()),
        (vec!["j1".into(), "j4".into()], same.text())
    );
    let requests = upstream.requests();
    assert_eq!(
        requests.len(),
        2,
        "nothing is left out, so one call is enough"
    );
    assert!(
        requests
            .iter()
            .all(|asked| asked.target.ends_with("limit=10&owner=own")),
        "{requests:?}"
    );
    let beside = plain.json().unwrap();
    for name in ["total", "pages", "note"] {
        assert!(beside.get(name).is_none(), "nobody vouches for {name}");
    }
    assert!(beside.get("next").is_some() && beside.get("generated").is_some());
    upstream.forget();
    let other = asked(&server, &key, "owner=other");
    assert_eq!(
        (other.status, other.code().as_deref()),
        (403, Some("authz.value_fixed"))
    );
    upstream.assert_untouched("another value than the fixed one");
}

#[test]
fn an_upstream_that_ignores_the_fixed_scope_tells_nothing_either() {
    let upstream = RecordingUpstream::start(|asked| {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let query: Vec<_> = pairs(query)
            .into_iter()
            .filter(|(name, _)| name != "owner")
            .collect();
        Play::Response(testkit::json_response(
            200,
            &jobs::answer(&world(), path, &query, None).to_string(),
        ))
    });
    let server = serve(jobs::gate(
        upstream.address(),
        &[granted(Some(0), &ALL, true)],
    ));
    let key = server.quick_key("asker-0", &[]);
    // The first page holds an own object only, so nothing shows that the filter was ignored.
    for (query, expected) in [("limit=1", &["j1"][..]), ("limit=2", &["j1", "j4"])] {
        let response = asked(&server, &key, query);
        assert_eq!(ids(&response), expected);
        for name in ["total", "pages", "note"] {
            let beside = response.json().unwrap();
            assert!(beside.get(name).is_none(), "{query}: {}", response.text());
        }
    }
}

#[test]
fn check_says_that_counts_are_withheld_also_where_a_value_is_fixed() {
    let gate = jobs::gate(([127, 0, 0, 1], 9).into(), &[granted(Some(0), &ALL, true)]);
    let told = checked(&gate);
    let flat = (told.stderr + &told.stdout).replace("\n  │ ", " ");
    for words in ["`$.total`", "`$.note`", "part of the objects of `listJobs`"] {
        assert!(flat.contains(words), "{words}: {flat}");
    }
    let hidden = ["`$.next`", "`$.generated`", "with `set`"];
    assert!(!hidden.iter().any(|words| flat.contains(words)), "{flat}");
}

#[test]
fn a_fixed_field_of_the_body_is_written_in_and_need_not_be_granted() {
    let upstream = upstream();
    let gate = jobs::gate(upstream.address(), &[granted(None, &ALL, false)]);
    let grant = "  - api: jobs/v1\n    operations: [createJob]\n    writes: [name]\n    fields: [id, name, owner]\n    set: { body.owner: principal.owner }\n";
    gate.write(
        "integrations/asker-0.yaml",
        gate.text("integrations/asker-0.yaml") + grant,
    );
    let server = serve(gate);
    let key = server.quick_key("asker-0", &[]);
    let post = |body: &str| server.send(&call("POST", "/v1/w/1/jobs").json(body), Some(&key));
    for body in [r#"{"name":"new"}"#, r#"{"name":"new","owner":"own"}"#] {
        upstream.forget();
        let response = post(body);
        assert_eq!(response.status, 200, "{body}: {}", response.text());
        assert_eq!(
            upstream.requests()[0].body,
            br#"{"name":"new","owner":"own"}"#
        );
    }
    upstream.forget();
    let other = post(r#"{"name":"new","owner":"other"}"#);
    assert_eq!(
        other.code().as_deref(),
        Some("authz.value_fixed"),
        "{}",
        other.text()
    );
    let ungranted = post(r#"{"name":"new","status":"open"}"#);
    assert_eq!(
        ungranted.code().as_deref(),
        Some("validate.body"),
        "{}",
        ungranted.text()
    );
    for broken in ["[1]", "7", "{", r#"{"owner":{"owner":"own"}}"#] {
        assert!((400..404).contains(&post(broken).status), "{broken}");
    }
    upstream.assert_untouched("none of these is the fixed value");
}

#[test]
fn a_grant_with_a_list_of_parameters_covers_no_others() {
    let mut spec = granted(None, &ALL, false);
    spec.grants[0].query = Some(vec!["limit", "status"]);
    let (_upstream, server, key) = asker(spec);
    assert_eq!(asked(&server, &key, "limit=2&status=open").status, 200);
    let response = asked(&server, &key, "q=an");
    assert_eq!(
        response.code().as_deref(),
        Some("authz.parameter_not_granted"),
        "{}",
        response.text()
    );
}

#[test]
fn check_names_the_parameters_that_cannot_be_used_and_what_is_withheld() {
    let gate = jobs::gate(
        ([127, 0, 0, 1], 9).into(),
        &[granted(Some(0), &["id", "owner"], false)],
    );
    let told = checked(&gate);
    let text = told.stderr.clone() + &told.stdout;
    let flat = text.replace("\n  │ ", " ");
    for words in [
        "`status`",
        "`minMargin`",
        "`legacy`",
        "`x-status`",
        "`$.total`",
        "x-portcullis-filters",
        "integrations/asker-0.yaml:7",
    ] {
        assert!(flat.contains(words), "{words}: {text}");
    }
    assert!(
        !flat.contains("`expand`") && !flat.contains("`$.generated`"),
        "{text}"
    );
}

#[test]
fn grants_that_fix_different_values_for_one_operation_are_refused() {
    let mut spec = granted(Some(0), &ALL, true);
    spec.grants.push(spec.grants[0].clone());
    let gate = jobs::gate(([127, 0, 0, 1], 9).into(), &[spec]);
    let text = gate.text("integrations/asker-0.yaml");
    let (first, _) = text.rsplit_once("    set:").unwrap();
    gate.write("integrations/asker-0.yaml", first);
    let told = checked(&gate);
    assert!(
        told.stderr.contains("with other values in `set`"),
        "{}",
        told.stderr
    );
    for (set, words) in [
        ("query.ownr: principal.owner", "did you mean `query.owner`?"),
        ("query.owner: principal.ownr", "principal.ownr"),
        ("query.owner: own", "neither `principal.NAME` nor a literal"),
        (
            "path.world: principal.owner",
            "neither `query.NAME` nor `body.FIELD`",
        ),
    ] {
        gate.write(
            "integrations/asker-0.yaml",
            format!("{first}    set: {{ {set} }}\n"),
        );
        let told = checked(&gate);
        assert!(
            told.stderr.to_lowercase().contains(&words.to_lowercase()),
            "{set}: {}",
            told.stderr
        );
    }
}

#[test]
fn partners_of_the_demo_ask_for_their_own_and_accounting_for_what_it_sees() {
    let upstream = RecordingUpstream::fieldworks(&Fieldworks::new(7));
    let server = serve(Gate::demo(upstream.address()).unlimited());
    let key = |name: &str| server.quick_key(name, &[]);
    let get = |target: &str, key: &Key| server.send(&Call::get(target), Some(key));
    let partner = key("blue-river");
    let own = get("/v2/work-orders?limit=5", &partner);
    assert_eq!(own.status, 200, "{}", own.text());
    assert!(
        upstream.requests()[0]
            .target
            .contains("partnerId=blue-river")
    );
    let other = get("/v2/work-orders?partnerId=north-star", &partner);
    assert_eq!(other.code().as_deref(), Some("authz.value_fixed"));
    let accounting = key("accounting");
    for query in [
        "q=fenwick",
        "partnerId=north-star",
        "updatedSince=2026-01-01T00:00:00Z",
    ] {
        let response = get(&format!("/v2/work-orders?{query}"), &accounting);
        assert_eq!(
            response.code().as_deref(),
            Some("authz.parameter_not_granted"),
            "{query}"
        );
    }
    let page = get("/v2/work-orders?status=completed&limit=30", &accounting);
    let count = |response: &CallResponse| match response.json().unwrap().get("items") {
        Some(model::Json::List(items)) => items.len(),
        _ => 0,
    };
    assert_eq!((page.status, count(&page)), (200, 30));
    // Mixed with others' states, the page is filled again.
    assert_eq!(count(&get("/v2/work-orders?limit=30", &accounting)), 30);
}
