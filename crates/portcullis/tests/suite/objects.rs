//! Conditions and policies hold on every read and write, also where the answer does not show the object.

mod alike;

use testkit::{Gate, Key, Play, Received, RecordingUpstream, Server, json_response};

use crate::{call, serve};

const CONTRACT: &str = include_str!("objects/jobs.openapi.yaml");

const API: &str = "owner: platform@brightline.example
versions:
  v1:
    contract: jobs.v1.openapi.yaml
    state: active
    base_path: /field
    upstream: { targets: [\"http://@UPSTREAM@\"], timeout: 5s }
    expose:
      public: [createJob, searchJobs, listTheseJobs, setStock, listJobs, getJob, headJob, updateJob, deleteJob, listJobParts, getJobInline, getJobWrapped, addJobNote, putJob, addJobKids, linkJob]
    objects:
      Job: { id: path.jobId, resolve: getJob, attributes: { partner: body.partner, locked: body.locked } }
";

const NORTH: &str = "owner: partners@brightline.example
purpose: Does jobs
review_by: 2099-12-31
attributes: { partner: north }
credentials: { api_key: { max_age: 90d, overlap: 1h } }
grants:
";

/// Everything, for its own jobs only.
const OWN: &str = "  - api: jobs/v1
    operations: [listJobs, getJob, headJob, updateJob, deleteJob, listJobParts, getJobInline, getJobWrapped, addJobNote]
    when: resource.partner == principal.partner
    deny_as: not_found
  - api: jobs/v1
    operations: [listJobs, getJob, updateJob]
    when: resource.partner == principal.partner
    fields: [id, title]
  - api: jobs/v1
    operations: [listJobParts]
    when: resource.partner == principal.partner
    fields: [items]
  - api: jobs/v1
    operations: [getJobInline]
    when: resource.partner == principal.partner
    fields: [data]
  - api: jobs/v1
    operations: [getJobWrapped]
    when: resource.partner == principal.partner
    fields: [id, $.trace]
  - api: jobs/v1
    operations: [updateJob]
    when: resource.partner == principal.partner
    writes: [title]
  - api: jobs/v1
    operations: [addJobNote]
    when: resource.partner == principal.partner
    writes: [text]
    fields: [text]
";

/// A gate in front of the jobs, with these grants for `north`.
fn gate(upstream: &RecordingUpstream, grants: &str) -> Gate {
    let address = upstream.address();
    let gate = Gate::small(address);
    gate.write("apis/jobs.v1.openapi.yaml", CONTRACT);
    gate.write(
        "apis/jobs.yaml",
        API.replace("@UPSTREAM@", &address.to_string()),
    );
    gate.write("integrations/north.yaml", format!("{NORTH}{grants}"));
    gate
}

/// A system that gives anything to anybody: `own…` belongs to north, `locked` too, everything else to south; an id
/// that begins with `null` is answered without the object.
fn careless(asked: &Received) -> Play {
    let path = asked.target.split('?').next().unwrap_or_default();
    let mut steps = path
        .trim_start_matches("/field/jobs")
        .trim_matches('/')
        .split('/');
    let id = steps.next().unwrap_or_default().to_owned();
    let below = steps.next();
    if path.ends_with("/job-search") {
        let text = String::from_utf8_lossy(&asked.body).into_owned();
        let hits: Vec<String> = ["own1", "foreign"]
            .iter()
            .filter(|id| text.contains(**id))
            .map(|id| {
                let partner = if *id == "own1" { "north" } else { "south" };
                format!(r#"{{"id":"{id}","title":"canary","partner":"{partner}","locked":false}}"#)
            })
            .collect();
        let total = hits.len();
        return Play::Response(json_response(
            200,
            &format!(r#"{{"items":[{}],"total":{total}}}"#, hits.join(",")),
        ));
    }
    let is_silent = ["/job-lists", "/stock", "/kids", "/links"];
    if is_silent.iter().any(|end| path.ends_with(end)) {
        return Play::Response(testkit::answer(204, &[], b""));
    }
    let partner = if id.starts_with("own") || id == "locked" {
        "north"
    } else {
        "south"
    };
    let locked = id == "locked";
    let job =
        format!(r#"{{"id":"{id}","title":"canary","partner":"{partner}","locked":{locked}}}"#);
    let text = match (below, asked.method.as_str()) {
        (_, "DELETE") => return Play::Response(testkit::answer(204, &[], b"")),
        (None, _) => job,
        (Some("parts"), _) => r#"{"items":[{"sku":"canary","price":1}]}"#.to_owned(),
        (Some("inline"), _) => format!(r#"{{"data":{job}}}"#),
        (Some("wrapped"), _) if id.contains("null") => {
            r#"{"data":null,"trace":"canary"}"#.to_owned()
        }
        (Some("wrapped"), _) => format!(r#"{{"data":{job},"trace":"canary"}}"#),
        _ => r#"{"text":"canary"}"#.to_owned(),
    };
    Play::Response(json_response(200, &text))
}

/// Status and text of an answer, and the upstream's calls for it.
fn ask(
    server: &Server,
    upstream: &RecordingUpstream,
    key: &Key,
    (method, target, body): (&str, &str, &str),
) -> (u16, String, Vec<String>) {
    upstream.forget();
    let mut call = call(method, target);
    if !body.is_empty() {
        call = call.json(body);
    }
    let response = server.send(&call, Some(key));
    let seen = upstream.requests();
    let calls = seen.iter().map(|r| format!("{} {}", r.method, r.target));
    (response.status, response.text(), calls.collect())
}

/// Every operation that names a job in its path, with the calls that come before its own.
const ON_A_JOB: [(&str, &str, &str, usize); 8] = [
    ("GET", "/field/jobs/@", "", 0),
    ("HEAD", "/field/jobs/@", "", 1),
    ("GET", "/field/jobs/@/parts", "", 1),
    ("GET", "/field/jobs/@/inline", "", 1),
    ("GET", "/field/jobs/@/wrapped", "", 0),
    ("PATCH", "/field/jobs/@", r#"{"title":"x"}"#, 1),
    ("DELETE", "/field/jobs/@", "", 1),
    ("POST", "/field/jobs/@/notes", r#"{"text":"x"}"#, 1),
];

#[test]
fn a_condition_holds_on_every_operation_whose_path_names_the_object() {
    let upstream = RecordingUpstream::start(careless);
    let server = serve(gate(&upstream, OWN));
    let key = server.quick_key("north", &[]);
    for (method, target, body, before) in ON_A_JOB {
        let at = |id: &str| {
            let target = target.replace('@', id);
            ask(&server, &upstream, &key, (method, &target, body))
        };
        let (status, text, calls) = at("own1");
        assert!(
            (200..300).contains(&status),
            "{method} {target}: {status} {text}"
        );
        assert_eq!(calls.len(), before + 1, "{method} {target}: {calls:?}");
        let (status, text, calls) = at("foreign");
        assert_eq!(status, 404, "{method} {target}: {text}");
        assert!(!text.contains("canary"), "{method} {target}: {text}");
        // What has to be looked up is looked up first, and then the call itself is never made.
        assert_eq!(
            calls,
            ["GET /field/jobs/foreign".to_owned()].map(|look_up| match before {
                1 => look_up,
                _ => format!("{method} {}", target.replace('@', "foreign")),
            }),
            "{method} {target}"
        );
    }
}

#[test]
fn an_answer_without_the_object_leaves_only_after_a_look_up() {
    let upstream = RecordingUpstream::start(careless);
    let server = serve(gate(&upstream, OWN));
    let key = server.quick_key("north", &[]);
    let at = |id: &str| {
        let target = format!("/field/jobs/{id}/wrapped");
        ask(&server, &upstream, &key, ("GET", &target, ""))
    };
    let (status, text, calls) = at("null");
    assert_eq!(status, 404, "{text}");
    assert_eq!(
        calls,
        ["GET /field/jobs/null/wrapped", "GET /field/jobs/null"]
    );
    assert!(!text.contains("canary"), "{text}");
    // Another job could stand there, and none reads like one that is hidden.
    let (status, text, calls) = at("ownnull");
    assert_eq!((status, calls.len()), (404, 2));
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn a_policy_that_forbids_an_object_holds_on_every_operation_whose_path_names_it() {
    let upstream = RecordingUpstream::start(careless);
    let gate = gate(
        &upstream,
        &OWN.replace("    when: resource.partner == principal.partner\n", ""),
    );
    gate.write(
        "policies/locked.cedar",
        "forbid(principal, action, resource is jobs::v1::Job) when { resource.locked };\n",
    );
    let server = serve(gate);
    let key = server.quick_key("north", &[]);
    for (method, target, body, _) in ON_A_JOB {
        let at = |id: &str| {
            let target = target.replace('@', id);
            ask(&server, &upstream, &key, (method, &target, body))
        };
        let (status, text, _) = at("locked");
        assert_eq!(status, 404, "{method} {target}: {text}");
        let (status, text, _) = at("foreign");
        assert!(
            (200..300).contains(&status),
            "{method} {target}: {status} {text}"
        );
    }
}

#[test]
fn a_grant_that_nothing_can_judge_is_refused_with_its_line() {
    let upstream = RecordingUpstream::start(careless);
    let blind = gate(&upstream, OWN);
    blind.edit("apis/jobs.yaml", "resolve: getJob, ", "");
    let dir = blind.dir();
    let ended = testkit::run(crate::program(), &blind, &["check", dir.to_str().unwrap()]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("`listJobParts` does not show a `Job`")
            && ended.stderr.contains("[integrations/north.yaml:8:67]"),
        "{}",
        ended.stderr
    );
}

/// The gate of `OWN` with more grants for `north`, and more lines for the api.
fn more(upstream: &RecordingUpstream, grants: &str, api: &str) -> Gate {
    let gate = gate(upstream, &format!("{OWN}{grants}"));
    gate.edit(
        "apis/jobs.yaml",
        "    objects:\n",
        &format!("{api}    objects:\n"),
    );
    gate
}

#[test]
fn a_search_by_body_is_judged_by_its_answer() {
    let upstream = RecordingUpstream::start(careless);
    let search = "  - { api: jobs/v1, operations: [searchJobs], when: resource.partner == principal.partner, writes: [text], fields: [id, $.total] }\n";
    let blind = more(&upstream, search, "");
    let dir = blind.dir();
    let ended = testkit::run(crate::program(), &blind, &["check", dir.to_str().unwrap()]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains("reads: true"), "{}", ended.stderr);

    let server = serve(more(
        &upstream,
        search,
        "    operations: { searchJobs: { reads: true } }\n",
    ));
    let key = server.quick_key("north", &[]);
    let at = |text: &str| {
        let body = format!(r#"{{"text":"{text}"}}"#);
        let (status, text, calls) = ask(
            &server,
            &upstream,
            &key,
            ("POST", "/field/job-search", &body),
        );
        assert_eq!((status, calls.len()), (200, 1), "{text}");
        text
    };
    // The number stays, whatever was found: it would tell of the others.
    assert_eq!(at("own1"), r#"{"items":[{"id":"own1"}]}"#);
    assert_eq!(at("nothing"), r#"{"items":[]}"#);
    assert_eq!(at("foreign"), r#"{"items":[]}"#);
}

#[test]
fn the_bound_on_look_ups_is_told_as_one_and_can_be_set() {
    let upstream = RecordingUpstream::start(careless);
    let lists = "  - { api: jobs/v1, operations: [listTheseJobs], writes: [jobs] }\n";
    let jobs = |count: usize| {
        let ids: Vec<String> = (0..count).map(|n| format!("\"own{n}\"")).collect();
        format!(r#"{{"jobs":[{}]}}"#, ids.join(","))
    };
    let gate = more(&upstream, lists, "");
    let dir = gate.dir();
    let ended = testkit::run(crate::program(), &gate, &["check", dir.to_str().unwrap()]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("`lookups_max: 40`") || ended.stdout.contains("`lookups_max: 40`"),
        "{ended:?}"
    );
    let server = serve(gate);
    let key = server.quick_key("north", &[]);
    let at = |count: usize| {
        ask(
            &server,
            &upstream,
            &key,
            ("POST", "/field/job-lists", &jobs(count)),
        )
    };
    let (status, text, calls) = at(17);
    assert_eq!((status, calls.len()), (204, 18), "{text}");
    let (status, text, calls) = at(33);
    assert_eq!((status, calls.len()), (400, 0), "{text}");
    assert!(text.contains("object.too_many"), "{text}");

    let server = serve(more(&upstream, lists, "    lookups_max: 40\n"));
    let key = server.quick_key("north", &[]);
    let (status, text, _) = ask(
        &server,
        &upstream,
        &key,
        ("POST", "/field/job-lists", &jobs(40)),
    );
    assert_eq!(status, 204, "{text}");
}

#[test]
fn what_check_lets_be_sent_may_be_sent_in_lists_and_empty() {
    let upstream = RecordingUpstream::start(careless);
    let stock =
        "  - { api: jobs/v1, operations: [setStock], writes: [\"*.sku\", \"*.lines.*.text\"] }\n";
    let server = serve(more(&upstream, stock, ""));
    let key = server.quick_key("north", &[]);
    for (body, expected) in [
        (r#"[{"sku":"a"},{"sku":"b","lines":[{"text":"x"}]}]"#, 204),
        (r#"[{"sku":"a","lines":[]}]"#, 204),
        (r#"[{"lines":[{}]}]"#, 204),
        ("[]", 204),
        (r#"[{"sku":"a","price":1}]"#, 400),
    ] {
        let (status, text, _) = ask(&server, &upstream, &key, ("PUT", "/field/stock", body));
        assert_eq!(status, expected, "{body} {text}");
    }
}

#[test]
fn a_change_is_made_on_the_state_that_was_judged() {
    let upstream = RecordingUpstream::start(|asked| {
        let id = asked.target.rsplit('/').next().unwrap_or_default();
        let job = format!(r#"{{"id":"{id}","title":"t","partner":"north","locked":false}}"#);
        let fields = [
            ("content-type".to_owned(), "application/json".to_owned()),
            ("etag".to_owned(), "\"v1\"".to_owned()),
        ];
        let is_late = id == "moved" && asked.header("if-match").is_some();
        Play::Response(if is_late {
            testkit::answer(412, &fields, b"{}")
        } else {
            testkit::answer(200, &fields, job.as_bytes())
        })
    });
    let server = serve(gate(&upstream, OWN));
    let key = server.quick_key("north", &[]);
    let change = |id: &str| {
        let target = format!("/field/jobs/{id}");
        ask(
            &server,
            &upstream,
            &key,
            ("PATCH", &target, r#"{"title":"x"}"#),
        )
    };
    let (status, text, _) = change("calm");
    assert_eq!(status, 200, "{text}");
    let seen = upstream.requests();
    let sent: Vec<_> = seen
        .iter()
        .map(|r| (r.method.as_str(), r.header("if-match")))
        .collect();
    assert_eq!(sent, [("GET", None), ("PATCH", Some("\"v1\""))]);
    let (status, text, _) = change("moved");
    assert_eq!(status, 409, "{text}");
    assert!(text.contains("object.changed"), "{text}");
}

/// Replacements, lists of new jobs and links, for its own jobs only.
const BODIES: &str = "  - api: jobs/v1
    operations: [putJob]
    when: resource.partner == principal.partner
    writes: [id, title, partner]
    deny_as: not_found
  - api: jobs/v1
    operations: [addJobKids]
    when: resource.partner == principal.partner
    writes: [\"*.{id,title,partner}\"]
    deny_as: not_found
  - api: jobs/v1
    operations: [linkJob]
    when: resource.partner == principal.partner
    writes: [otherJobId]
    deny_as: not_found
";

// LONG: one line for each body, in one place to be read as a list.
#[test]
fn a_write_is_judged_by_what_its_body_makes_of_the_object() {
    let upstream = RecordingUpstream::start(careless);
    let server = serve(more(&upstream, BODIES, ""));
    let key = server.quick_key("north", &[]);
    let own = "/field/jobs/own1";
    let kids = "/field/jobs/own1/kids";
    for (method, target, body, status, code, is_sent) in [
        (
            "PUT",
            own,
            r#"{"title":"x","partner":"north"}"#,
            200,
            "",
            true,
        ),
        ("PUT", own, r#"{"title":"x"}"#, 404, "object.absent", false),
        (
            "PUT",
            own,
            r#"{"partner":"south"}"#,
            404,
            "object.absent",
            false,
        ),
        (
            "PUT",
            own,
            r#"{"id":"own1","partner":"north"}"#,
            200,
            "",
            true,
        ),
        (
            "PUT",
            own,
            r#"{"id":"own2","partner":"north"}"#,
            400,
            "object.id_differs",
            false,
        ),
        (
            "PUT",
            "/field/jobs/foreign",
            r#"{"partner":"north"}"#,
            404,
            "object.absent",
            false,
        ),
        (
            "POST",
            kids,
            r#"[{"partner":"north"},{"partner":"north"}]"#,
            204,
            "",
            true,
        ),
        (
            "POST",
            kids,
            r#"[{"partner":"north"},{"partner":"south"}]"#,
            403,
            "object.create_denied",
            false,
        ),
        (
            "POST",
            kids,
            r#"[{"id":"foreign","partner":"north"}]"#,
            404,
            "object.absent",
            false,
        ),
        (
            "POST",
            "/field/jobs/foreign/kids",
            r#"[{"partner":"north"}]"#,
            404,
            "object.absent",
            false,
        ),
    ] {
        let (got, text, calls) = ask(&server, &upstream, &key, (method, target, body));
        assert_eq!(got, status, "{method} {target} {body}: {text}");
        assert!(text.contains(code), "{method} {target} {body}: {text}");
        let asked = format!("{method} {target}");
        assert_eq!(calls.contains(&asked), is_sent, "{body}: {calls:?}");
    }
}

#[test]
fn an_id_that_nothing_is_said_of_is_warned_of_with_the_line_that_judges_it() {
    let upstream = RecordingUpstream::start(careless);
    let gate = more(&upstream, BODIES, "");
    let check = |gate: &Gate| {
        let dir = gate.dir();
        testkit::run(crate::program(), gate, &["check", dir.to_str().unwrap()])
    };
    let said = check(&gate);
    let line = r#"target: "$.components.schemas.Link.properties.otherJobId", update: { x-portcullis-refers-to: Job }"#;
    // Warnings end with 2, and their text is wrapped for the terminal.
    let is_there = |text: &str, wanted: &str| {
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        bare(text).contains(&bare(wanted))
    };
    assert!(
        said.code == Some(2) && is_there(&said.stderr, line),
        "{said:?}"
    );
    let linked = |gate: Gate| {
        let server = serve(gate);
        let key = server.quick_key("north", &[]);
        let body = r#"{"otherJobId":"foreign"}"#;
        ask(
            &server,
            &upstream,
            &key,
            ("POST", "/field/jobs/own1/links", body),
        )
        .0
    };
    assert_eq!(linked(gate), 204, "nothing says that it names a job");
    for (kind, status) in [("Job", 404), ("none", 204)] {
        let gate = more(&upstream, BODIES, "");
        gate.write(
            "overlays/jobs.yaml",
            format!(
                "overlay: 1.0.0\ninfo: {{ title: t, version: \"1\" }}\nactions:\n  - {{ {} }}\n",
                line.replace("to: Job", &format!("to: {kind}"))
            ),
        );
        let api = API.replace("@UPSTREAM@", &upstream.address().to_string());
        let overlay = "    overlay: ../overlays/jobs.yaml\n    state: active";
        gate.write("apis/jobs.yaml", api.replace("    state: active", overlay));
        let said = check(&gate);
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(!all.contains("looks like"), "{kind}: {said:?}");
        assert_eq!(linked(gate), status, "{kind}");
    }
}

#[test]
fn a_change_that_went_out_twice_is_not_said_to_have_failed() {
    let upstream = RecordingUpstream::start(|asked| {
        let fields = [
            ("content-type".to_owned(), "application/json".to_owned()),
            ("etag".to_owned(), "\"v1\"".to_owned()),
        ];
        static PUTS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let job = br#"{"id":"own1","title":"t","partner":"north","locked":false}"#;
        if asked.method == "GET" {
            return Play::Response(testkit::answer(200, &fields, job));
        }
        // The first one changes the state, and its answer is lost.
        match PUTS.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Play::Close(Vec::new()),
            _ => Play::Response(testkit::answer(412, &fields, b"{}")),
        }
    });
    let server = serve(gate(&upstream, &format!("{OWN}{BODIES}")));
    let key = server.quick_key("north", &[]);
    let put = r#"{"title":"x","partner":"north"}"#;
    let (status, text, calls) = ask(&server, &upstream, &key, ("PUT", "/field/jobs/own1", put));
    let puts = calls.iter().filter(|call| call.starts_with("PUT")).count();
    assert_eq!((status, puts), (502, 2), "{text}");
    assert!(text.contains("upstream.outcome_unknown"), "{text}");
}

#[test]
fn can_is_undecided_and_access_tells_by_what_objects_are_judged() {
    let upstream = RecordingUpstream::start(careless);
    let gate = gate(&upstream, OWN);
    let run = |arguments: &[&str]| testkit::run(crate::program(), &gate, arguments);
    let ended = run(&["can", "north", "listJobParts"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stdout.starts_with("undecided"), "{}", ended.stdout);
    for (partner, code, word) in [("north", 0, "yes"), ("south", 2, "no")] {
        let object = format!(r#"{{"id":"own1","partner":"{partner}"}}"#);
        let ended = run(&["can", "north", "listJobParts", "--object", &object]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stdout.starts_with(word), "{}", ended.stdout);
    }
    let access = run(&["access", "north"]).stdout;
    assert!(
        access.contains("each Job is judged by getJob, before the call"),
        "{access}"
    );
    assert!(
        access.contains("each Job is judged by the answer, before it leaves"),
        "{access}"
    );
}
