//! Which operation a request means, seen from behind the gate: an upstream that routes by itself, as loosely as upstreams
//! do, and says which operation it believes was called. None may be one that is not exposed on the caller's listener.
//! Start reading at `Reading`, then at `no_reading_of_any_upstream_reaches_what_is_not_exposed`.

use demo::{Call, CallResponse, Listener};
use testkit::{Gate, Play, RecordingUpstream, Scale, Server, json_response};

use crate::serve;

const CONTRACT: &str = r##"openapi: 3.1.0
info: { title: Jobs, version: "1.0.0" }
paths:
  /jobs:
    get: { operationId: listJobs, responses: { "200": { $ref: "#/components/responses/Job" } } }
  /jobs/all:
    get: { operationId: getEverything, responses: { "200": { $ref: "#/components/responses/Job" } } }
    delete: { operationId: purgeJobs, responses: { "204": { description: Done } } }
  /jobs/count:
    post: { operationId: countJobs, responses: { "200": { $ref: "#/components/responses/Job" } } }
  /jobs/idle: {}
  /jobs/{jobId}:
    parameters: [{ $ref: "#/components/parameters/jobId" }]
    get: { operationId: getJob, responses: { "200": { $ref: "#/components/responses/Job" } } }
    delete: { operationId: deleteJob, responses: { "204": { description: Done } } }
  /jobs/{jobId}/runs:
    parameters: [{ $ref: "#/components/parameters/jobId" }]
    get: { operationId: listRuns, responses: { "200": { $ref: "#/components/responses/Job" } } }
  /jobs/{jobId}/stop:
    parameters: [{ $ref: "#/components/parameters/jobId" }]
    post: { operationId: stopJob, responses: { "200": { $ref: "#/components/responses/Job" } } }
  /jobs/all/runs:
    get: { operationId: listAllRuns, responses: { "200": { $ref: "#/components/responses/Job" } } }
  /jobs/{jobId}:cancel:
    parameters: [{ $ref: "#/components/parameters/jobId" }]
    get: { operationId: cancelJob, responses: { "200": { $ref: "#/components/responses/Job" } } }
components:
  parameters:
    jobId: { name: jobId, in: path, required: true, schema: { type: string, maxLength: 60 } }
  responses:
    Job: { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Job" } } } }
  schemas:
    Job: { type: object, properties: { id: { type: string }, owner: { type: string } } }
"##;

const TENANTS: &str = r##"openapi: 3.1.0
info: { title: Tenants, version: "1.0.0" }
paths:
  /{tenant}/jobs/{jobId}:
    parameters:
      - { name: tenant, in: path, required: true, schema: { type: string } }
      - { name: jobId, in: path, required: true, schema: { type: string } }
    get:
      operationId: getTenantJob
      responses:
        "200": { description: Done, content: { application/json: { schema: { type: object, properties: { id: { type: string } } } } } }
"##;

/// Versions `v2` (live), `v3` (in design) and `v0` (retired) of jobs, and tenants below `/`, all on one upstream.
fn gate(upstream: &RecordingUpstream) -> Gate {
    let gate = Gate::small(upstream.address());
    let target = format!(
        "upstream: {{ targets: [\"http://{}\"], timeout: 5s }}",
        upstream.address()
    );
    for old in [
        "apis/notes.yaml",
        "apis/notes.v1.openapi.yaml",
        "integrations/beta.yaml",
    ] {
        gate.remove(old);
    }
    gate.write("apis/jobs.openapi.yaml", CONTRACT);
    gate.write("apis/tenants.openapi.yaml", TENANTS);
    gate.write(
        "apis/jobs.yaml",
        format!(
            "owner: a@b.example\nversions:\n  v2:\n    contract: jobs.openapi.yaml\n    state: active\n    {target}\n    expose:\n      \
             public: [getJob, deleteJob, listRuns, stopJob]\n      internal: [purgeJobs, getJob]\n    objects:\n      \
             Job: {{ id: path.jobId, resolve: getJob, attributes: {{ owner: body.owner }} }}\n  \
             v3: {{ contract: jobs.openapi.yaml, state: design }}\n  v0: {{ state: retired, successor: v2 }}\n"
        ),
    );
    gate.write(
        "apis/tenants.yaml",
        format!(
            "owner: a@b.example\nversions:\n  v1:\n    contract: tenants.openapi.yaml\n    state: active\n    base_path: /\n    \
             {target}\n    expose: {{ public: [getTenantJob] }}\n"
        ),
    );
    gate.write(
        "integrations/alpha.yaml",
        "owner: a@b.example\npurpose: Runs jobs\nreview_by: 2099-12-31\n\
         credentials: { api_key: { max_age: 90d, overlap: 1h } }\ngrants:\n  \
         - { api: jobs/v2, operations: [getJob, listRuns], fields: [id, owner] }\n  \
         - { api: jobs/v2, operations: [deleteJob, purgeJobs] }\n  \
         - { api: jobs/v2, operations: [stopJob], when: resource.owner == \"alpha\", fields: [id] }\n  \
         - { api: tenants/v1, operations: [getTenantJob], fields: [id] }\n",
    );
    gate.edit(
        "portcullis.yaml",
        "  admin:\n",
        "  internal:\n    address: \"127.0.0.1:0\"\n    plain: true\n  admin:\n",
    );
    gate
}

fn upstream() -> RecordingUpstream {
    RecordingUpstream::start(|asked| {
        Play::Response(match asked.method.as_str() {
            "DELETE" => json_response(204, ""),
            _ => json_response(200, r#"{"id":"7","owner":"alpha"}"#),
        })
    })
}

/// How an upstream reads a path before it routes it.
#[derive(Clone, Copy, Debug)]
enum Reading {
    Exact,
    NoCase,
    NoSlash,
    NoFormat,
    NoMatrix,
    Trimmed,
    DecodedTwice,
    Everything,
}

const READINGS: [Reading; 8] = [
    Reading::Exact,
    Reading::NoCase,
    Reading::NoSlash,
    Reading::NoFormat,
    Reading::NoMatrix,
    Reading::Trimmed,
    Reading::DecodedTwice,
    Reading::Everything,
];

impl Reading {
    fn of(self, path: &str) -> String {
        let once = decoded(path);
        let segments = |change: &dyn Fn(&str) -> String| {
            once.split('/').map(change).collect::<Vec<_>>().join("/")
        };
        match self {
            Reading::Exact => once,
            Reading::NoCase => once.to_lowercase(),
            Reading::NoSlash => once.trim_end_matches('/').to_owned(),
            Reading::NoFormat => match once.rsplit_once('.') {
                Some((stem, format)) if !format.contains('/') => stem.to_owned(),
                _ => once,
            },
            Reading::NoMatrix => segments(&|s| s.split(';').next().unwrap().to_owned()),
            Reading::Trimmed => {
                segments(&|s| s.replace('+', " ").trim().trim_end_matches('.').to_owned())
            }
            Reading::DecodedTwice => decoded(&once),
            Reading::Everything => {
                let rest = READINGS.iter().take(READINGS.len() - 1);
                rest.fold(path.to_owned(), |path, reading| reading.of(&path))
            }
        }
    }
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match pair
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .filter(|_| *first == b'%')
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The operation a plain router calls: concrete before templated.
fn called(method: &str, path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (version, rest) = match segments.as_slice() {
        [version @ ("v2" | "v3" | "v0"), rest @ ..] => (*version, rest),
        [tenant, "jobs", job] if !tenant.is_empty() && !job.is_empty() => {
            return Some(format!("tenants:{method}"));
        }
        _ => return None,
    };
    let path = match rest {
        ["jobs"] => "jobs",
        ["jobs", fixed @ ("all" | "count" | "idle")] => fixed,
        ["jobs", "all", "runs"] => "all/runs",
        ["jobs", id, "runs"] if !id.is_empty() => "{}/runs",
        ["jobs", id, "stop"] if !id.is_empty() => "{}/stop",
        ["jobs", id] if id.len() > 7 && id.ends_with(":cancel") => "{}:cancel",
        ["jobs", id] if !id.is_empty() => "{}",
        _ => return None,
    };
    Some(format!("{version} {path}:{method}"))
}

fn is_exposed(listener: Listener, operation: &str) -> bool {
    match listener {
        Listener::Internal => ["v2 all:DELETE", "v2 {}:GET"].contains(&operation),
        _ => [
            "v2 {}:GET",
            "v2 {}:DELETE",
            "v2 {}/runs:GET",
            "v2 {}/stop:POST",
            "tenants:GET",
        ]
        .contains(&operation),
    }
}

fn targets() -> Vec<String> {
    let values = [
        "7",
        "all",
        "ALL",
        "All",
        "all.json",
        "ALL.XML",
        "all%20",
        "%20all",
        "all+",
        "all.",
        "all;v=1",
        "all%3Bv=1",
        "all%2Fruns",
        "%61ll",
        "all%252e",
        "%EF%BD%81ll",
        "count",
        "COUNT",
        "idle",
        "7:cancel",
        "7:CANCEL",
        "7:cancel.json",
        "%20",
        "...",
        ".json",
        "..",
        "a%2Fb",
        "%2e%2e",
        "all/runs",
        "7/runs",
        "7/RUNS",
        "7/runs.json",
        "ALL/runs",
        "all//runs",
        "all/../all",
        "v2",
        "",
    ];
    let heads = [
        "/v2/jobs",
        "/V2/jobs",
        "/v2/JOBS",
        "/v3/jobs",
        "/V3/jobs",
        "/v0/jobs",
        "/V0/jobs",
        "/acme/jobs",
        "/v2+/jobs",
    ];
    let mut all = Vec::new();
    for head in heads {
        for value in values {
            all.extend([format!("{head}/{value}"), format!("{head}/{value}/")]);
        }
    }
    all
}

#[test]
fn no_reading_of_any_upstream_reaches_what_is_not_exposed() {
    let upstream = upstream();
    let server = serve(gate(&upstream));
    let key = server.quick_key("alpha", &[]);
    let step = Scale::pick(3, 1, 1);
    for listener in [Listener::Public, Listener::Internal] {
        upstream.forget();
        for method in ["GET", "DELETE", "POST"] {
            for target in targets().iter().step_by(step) {
                let response = server.send(&Call::new(method, target).at(listener), Some(&key));
                assert!(
                    response.status < 500,
                    "{method} {target}: {}",
                    response.text()
                );
            }
        }
        let seen = upstream.requests();
        assert!(
            seen.len() > 10 || step > 1,
            "{} calls reached the upstream",
            seen.len()
        );
        for asked in &seen {
            for reading in READINGS {
                let path = reading.of(&asked.target);
                let Some(operation) = called(&asked.method, &path) else {
                    continue;
                };
                assert!(
                    is_exposed(listener, &operation),
                    "{} {} on {}: an upstream ({reading:?}) believes it was `{operation}`",
                    asked.method,
                    asked.target,
                    listener.name()
                );
            }
        }
    }
}

fn told(response: &CallResponse) -> (u16, String) {
    (response.status, response.code().unwrap_or_default())
}

fn stage() -> (Server, RecordingUpstream, testkit::Key) {
    let upstream = upstream();
    let server = serve(gate(&upstream));
    let key = server.quick_key("alpha", &[]);
    (server, upstream, key)
}

#[test]
fn an_operation_that_is_exposed_elsewhere_or_nowhere_is_not_reached_through_its_neighbour() {
    let (server, upstream, key) = stage();
    let send = |method: &str, target: &str, listener| {
        told(&server.send(&Call::new(method, target).at(listener), Some(&key)))
    };
    let absent = (404, String::from("route.not_found"));
    for (method, target) in [
        ("DELETE", "/v2/jobs/all"),
        ("GET", "/v2/jobs/all"),
        ("GET", "/v2/jobs/count"),
        ("DELETE", "/v2/jobs/count"),
        ("DELETE", "/v2/jobs/idle"),
        ("GET", "/v2/jobs/all/runs"),
        ("GET", "/v2/jobs/7:cancel"),
        ("GET", "/v3/jobs/7"),
        ("DELETE", "/v2/jobs/ALL"),
        ("DELETE", "/v2/jobs/all.json"),
        ("DELETE", "/v2/jobs/all%20"),
        ("GET", "/v2/jobs/%20"),
        ("GET", "/V3/jobs/7"),
        ("GET", "/V0/jobs/7"),
    ] {
        assert_eq!(
            send(method, target, Listener::Public),
            absent,
            "{method} {target}"
        );
    }
    assert_eq!(send("GET", "/v0/jobs/7", Listener::Public).0, 410);
    upstream.assert_untouched("nothing that is not exposed");
    assert_eq!(send("DELETE", "/v2/jobs/all", Listener::Internal).0, 204);
    assert_eq!(
        send("GET", "/v2/jobs/all", Listener::Internal),
        (405, "route.method_not_allowed".into())
    );
    assert_eq!(send("DELETE", "/v2/jobs/7", Listener::Public).0, 204);
    assert_eq!(send("GET", "/acme/jobs/7", Listener::Public).0, 200);
    let seen: Vec<String> = upstream
        .requests()
        .iter()
        .map(|asked| format!("{} {}", asked.method, asked.target))
        .collect();
    assert_eq!(
        seen,
        [
            "DELETE /v2/jobs/all",
            "DELETE /v2/jobs/7",
            "GET /acme/jobs/7"
        ]
    );
}

#[test]
fn a_look_up_never_reads_another_path_than_the_objects() {
    let (server, upstream, key) = stage();
    let stop = |id: &str| {
        told(&server.send(
            &Call::new("POST", &format!("/v2/jobs/{id}/stop")).at(Listener::Public),
            Some(&key),
        ))
    };
    for id in ["all", "ALL", "all.json", "count", "7:cancel"] {
        assert_eq!(stop(id), (404, "object.absent".into()), "{id}");
    }
    upstream.assert_untouched("no look-up of a path that is not the object's");
    assert_eq!(stop("7").0, 200);
}

#[test]
fn the_caller_reads_the_same_of_every_path_that_is_not_here_and_the_operator_reads_why() {
    let (server, _upstream, key) = stage();
    let masked = |response: &CallResponse| {
        let id = response.decision().unwrap().to_owned();
        (response.text().replace(&id, "dec_"), id)
    };
    let (absent, _) = masked(&server.send(
        &Call::new("DELETE", "/v9/nothing").at(Listener::Public),
        Some(&key),
    ));
    for (target, why) in [
        ("/v2/jobs/all", "exists on listener `internal`"),
        ("/v2/jobs/ALL", "could read the path as `/v2/jobs/all`"),
        ("/v2/jobs/idle", "without this method"),
        ("/v3/jobs/7", "in design"),
    ] {
        let (text, id) = masked(&server.send(
            &Call::new("DELETE", target).at(Listener::Public),
            Some(&key),
        ));
        assert_eq!(text, absent, "{target}");
        let explained = server.cli(&["explain", &id]);
        let words: Vec<&str> = explained.stdout.split_whitespace().collect();
        assert!(
            words.join(" ").contains(why),
            "{target}: {}",
            explained.stdout
        );
    }
}
