//! A small company of jobs for the tests about questions: a contract with every sort of parameter, an upstream that
//! answers whatever it is asked, and grants of all sorts.
//! Exports `Job`, `World`, `GrantSpec`, `Spec`, `gate`, `answer`.

use std::fmt::Write;
use std::net::SocketAddr;

use demo::split_mix::SplitMix64;
use serde_json::{Value, json};
use testkit::Gate;

/// One object of the upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: String,
    pub owner: &'static str,
    pub status: &'static str,
    pub name: &'static str,
    pub priority: i64,
    pub margin: i64,
}

/// Every object, in the upstream's own order.
pub type World = Vec<Job>;

const OWNERS: [&str; 3] = ["own", "other", "third"];
const STATUSES: [&str; 3] = ["open", "done", "lost"];
const NAMES: [&str; 5] = ["anna", "anton", "berta", "carl", "cora"];
/// Fields of an object.
pub const FIELDS: [&str; 6] = ["id", "owner", "status", "name", "priority", "margin"];
/// What the generator's grants ask for.
pub const CONDITIONS: [&str; 4] = [
    "resource.owner == principal.owner",
    "resource.status == \"open\"",
    "resource.owner == principal.owner && resource.status == \"open\"",
    "resource.priority > 3",
];

impl Job {
    pub fn random(id: String, dice: &mut SplitMix64) -> Job {
        Job {
            id,
            owner: dice.pick(&OWNERS),
            status: dice.pick(&STATUSES),
            name: dice.pick(&NAMES),
            priority: dice.between(0, 6),
            margin: dice.between(0, 9),
        }
    }

    pub fn value(&self) -> Value {
        json!({ "id": self.id, "owner": self.owner, "status": self.status, "name": self.name,
            "priority": self.priority, "margin": self.margin })
    }

    /// Whether a condition of [`CONDITIONS`] holds, worked out apart from the gateway.
    pub fn meets(&self, condition: Option<usize>) -> bool {
        match condition {
            None => true,
            Some(0) => self.owner == "own",
            Some(1) => self.status == "open",
            Some(2) => self.owner == "own" && self.status == "open",
            Some(_) => self.priority > 3,
        }
    }
}

/// One grant.
#[derive(Clone, Debug)]
pub struct GrantSpec {
    pub condition: Option<usize>,
    pub fields: Vec<&'static str>,
    pub root: Vec<&'static str>,
    pub query: Option<Vec<&'static str>>,
}

/// One integration.
#[derive(Clone, Debug)]
pub struct Spec {
    pub grants: Vec<GrantSpec>,
    pub fixes_owner: bool,
}

impl Spec {
    pub fn random(dice: &mut SplitMix64) -> Spec {
        let count = 1 + dice.below(3);
        let grants = (0..count).map(|_| {
            let condition = dice.pick(&[Some(0), Some(1), Some(2), Some(3), None]);
            let mut fields = vec!["id"];
            fields.extend(FIELDS.into_iter().skip(1).filter(|_| dice.is_lucky(55)));
            let root = ["next", "total", "pages", "note", "generated"];
            let all = ["limit", "cursor", "status", "owner", "q", "sort", "legacy"];
            GrantSpec {
                condition,
                fields,
                root: root.into_iter().filter(|_| dice.is_lucky(70)).collect(),
                query: dice
                    .is_lucky(20)
                    .then(|| all.into_iter().filter(|_| dice.is_lucky(60)).collect()),
            }
        });
        Spec {
            grants: grants.collect(),
            fixes_owner: dice.is_lucky(25),
        }
    }

    /// Bits of the grants that hold for an object; none for one outside the fixed scope.
    pub fn held(&self, job: &Job) -> u32 {
        if self.fixes_owner && job.owner != "own" {
            return 0;
        }
        let holding = self.grants.iter().enumerate();
        holding
            .filter(|(_, grant)| job.meets(grant.condition))
            .fold(0, |bits, (index, _)| bits | 1 << index)
    }

    /// Whether a field of an object is seen.
    pub fn sees(&self, job: &Job, field: &str) -> bool {
        let mut grants = self.grants.iter();
        grants.any(|grant| job.meets(grant.condition) && grant.fields.contains(&field))
    }

    fn yaml(&self) -> String {
        let mut out = String::from(
            "owner: t@brightline.example\npurpose: Asks questions\nreview_by: 2099-12-31\n\
             attributes: { owner: own }\ncredentials: { api_key: { max_age: 90d, overlap: 1h } }\ngrants:\n",
        );
        let pairs = self.grants.iter().flat_map(|grant| {
            let mut plain = grant.clone();
            plain.root.retain(|name| *name != "next");
            let names = plain.query.iter_mut();
            names.for_each(|names| names.retain(|n| ["status", "owner", "q"].contains(n)));
            [("listJobs", grant.clone()), ("listPlainJobs", plain)]
        });
        for (operation, grant) in pairs {
            let _ = writeln!(out, "  - api: jobs/v1\n    operations: [{operation}]");
            if let Some(index) = grant.condition {
                let _ = writeln!(out, "    when: {}", CONDITIONS[index]);
            }
            let root = grant.root.iter().map(|name| format!("$.{name}"));
            let fields = grant.fields.iter().map(|name| (*name).to_owned());
            let fields: Vec<String> = fields.chain(root).collect();
            let _ = writeln!(out, "    fields: [{}]", fields.join(", "));
            if let Some(query) = &grant.query {
                let _ = writeln!(out, "    query: [{}]", query.join(", "));
            }
            if self.fixes_owner {
                out.push_str("    set: { query.owner: principal.owner }\n");
            }
        }
        out
    }
}

const CONTRACT: &str = r##"openapi: 3.1.0
info: { title: Jobs, version: "1.0.0" }
paths:
  /w/{world}/jobs:
    get:
      operationId: listJobs
      parameters:
        - { $ref: "#/components/parameters/World" }
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 10, default: 4 } }
        - { name: cursor, in: query, schema: { type: string, pattern: "^[0-9]{1,6}$" } }
        - { name: status, in: query, schema: { type: string, maxLength: 10 } }
        - { name: owner, in: query, schema: { type: string, maxLength: 10 } }
        - { name: q, in: query, schema: { type: string, maxLength: 10 } }
        - { name: minMargin, in: query, schema: { type: integer } }
        - { name: sort, in: query, schema: { type: string, enum: [name, margin, priority, own] } }
        - { name: expand, in: query, schema: { type: string, maxLength: 10 } }
        - { name: legacy, in: query, schema: { type: string, maxLength: 10 } }
        - { name: X-Status, in: header, schema: { type: string, maxLength: 10 } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/JobPage" } } } }
    post:
      operationId: createJob
      parameters:
        - { $ref: "#/components/parameters/World" }
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/JobNew" } } }
      responses:
        "201": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/Job" } } } }
  /w/{world}/plain-jobs:
    get:
      operationId: listPlainJobs
      parameters:
        - { $ref: "#/components/parameters/World" }
        - { name: status, in: query, schema: { type: string, maxLength: 10 } }
        - { name: owner, in: query, schema: { type: string, maxLength: 10 } }
        - { name: q, in: query, schema: { type: string, maxLength: 10 } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/PlainPage" } } } }
components:
  parameters:
    World: { name: world, in: path, required: true, schema: { type: string, pattern: "^[0-9]{1,6}$" } }
  schemas:
    JobPage:
      type: object
      required: [items]
      properties:
        items: { type: array, items: { $ref: "#/components/schemas/Job" } }
        next: { type: [string, "null"] }
        total: { type: integer }
        pages: { type: integer }
        note: { type: string }
        generated: { type: string }
    PlainPage:
      type: object
      required: [items]
      properties:
        items: { type: array, items: { $ref: "#/components/schemas/Job" } }
        total: { type: integer }
        pages: { type: integer }
        note: { type: string }
        generated: { type: string }
    Job:
      type: object
      required: [id]
      properties:
        id: { type: string }
        owner: { type: string }
        status: { type: string }
        name: { type: string }
        priority: { type: integer }
        margin: { type: integer }
    JobNew:
      type: object
      required: [name, owner]
      properties:
        name: { type: string, maxLength: 20 }
        owner: { type: string, maxLength: 10 }
        status: { type: string, maxLength: 10 }
      additionalProperties: false
"##;

const OVERLAY: &str = r#"overlay: 1.0.0
info: { title: What parameters ask about, version: "1" }
actions:
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[1]", update: { x-portcullis-page: size } }
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[2]", update: { x-portcullis-page: cursor } }
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[3]", update: { x-portcullis-filters: [status] } }
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[4]", update: { x-portcullis-filters: [owner] } }
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[5]", update: { x-portcullis-filters: [name] } }
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[6]", update: { x-portcullis-filters: [margin] } }
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[7]", update: { x-portcullis-filters: { name: [name], margin: [margin], priority: [priority] } } }
  - { target: "$.paths['/w/{world}/jobs'].get.parameters[8]", update: { x-portcullis-filters: [] } }
  - { target: "$.paths['/w/{world}/plain-jobs'].get.parameters[1]", update: { x-portcullis-filters: [status] } }
  - { target: "$.paths['/w/{world}/plain-jobs'].get.parameters[2]", update: { x-portcullis-filters: [owner] } }
  - { target: "$.paths['/w/{world}/plain-jobs'].get.parameters[3]", update: { x-portcullis-filters: [name] } }
  - { target: "$.components.schemas.JobPage.properties.next", update: { x-portcullis-page: cursor } }
  - { target: "$.components.schemas.JobPage.properties.total", update: { x-portcullis-page: count } }
  - { target: "$.components.schemas.JobPage.properties.generated", update: { x-portcullis-page: plain } }
  - { target: "$.components.schemas.PlainPage.properties.generated", update: { x-portcullis-page: plain } }
"#;

/// A gate in front of the jobs, with one integration for each spec: `asker-0`, `asker-1`, …
pub fn gate(upstream: SocketAddr, specs: &[Spec]) -> Gate {
    let gate = Gate::small(upstream);
    for path in [
        "apis/notes.yaml",
        "apis/notes.v1.openapi.yaml",
        "integrations/alpha.yaml",
        "integrations/beta.yaml",
    ] {
        gate.remove(path);
    }
    gate.write("apis/jobs.v1.openapi.yaml", CONTRACT);
    gate.write("overlays/jobs.yaml", OVERLAY);
    gate.write(
        "apis/jobs.yaml",
        format!(
            "owner: platform@brightline.example\nversions:\n  v1:\n    contract: jobs.v1.openapi.yaml\n    \
             overlay: ../overlays/jobs.yaml\n    state: active\n    base_path: /v1\n    \
             upstream: {{ targets: [\"http://{upstream}\"], timeout: 5s }}\n    \
             expose: {{ public: [listJobs, listPlainJobs, createJob] }}\n    \
             objects:\n      Job: {{ id: body.id, attributes: {{ owner: body.owner, status: body.status, priority: body.priority }} }}\n"
        ),
    );
    for (index, spec) in specs.iter().enumerate() {
        gate.write(&format!("integrations/asker-{index}.yaml"), spec.yaml());
    }
    gate
}

/// What the upstream answers: it does whatever it is asked, for anybody.
pub fn answer(
    world: &World,
    path: &str,
    query: &[(String, String)],
    status: Option<&str>,
) -> Value {
    let asked = |name: &str| {
        query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    let is = |wanted: Option<&str>, value: &str| wanted.is_none_or(|wanted| wanted == value);
    let mut found: Vec<&Job> = world
        .iter()
        .filter(|job| is(asked("status"), job.status) && is(status, job.status))
        .filter(|job| is(asked("owner"), job.owner) && is(asked("legacy"), job.owner))
        .filter(|job| asked("q").is_none_or(|q| job.name.starts_with(q)))
        .filter(|job| {
            let least = asked("minMargin").and_then(|m| m.parse().ok());
            least.is_none_or(|least: i64| job.margin >= least)
        })
        .collect();
    match asked("sort") {
        Some("name") => found.sort_by_key(|job| job.name),
        Some("margin") => found.sort_by_key(|job| job.margin),
        Some("priority") => found.sort_by_key(|job| job.priority),
        _ => {}
    }
    let is_plain = path.ends_with("plain-jobs");
    let usual = if is_plain { usize::MAX } else { 4 };
    let limit = asked("limit").and_then(|l| l.parse().ok()).unwrap_or(usual);
    let start: usize = asked("cursor").and_then(|c| c.parse().ok()).unwrap_or(0);
    let page: Vec<Value> = found
        .iter()
        .skip(start)
        .take(limit)
        .map(|job| job.value())
        .collect();
    let end = start.saturating_add(page.len());
    let next = (end < found.len() && !is_plain).then(|| end.to_string());
    let last = found.get(end).map_or("none", |job| &job.id);
    json!({ "items": page, "next": next, "total": found.len(), "pages": found.len() / limit.clamp(1, 1_000) + 1,
        "note": format!("{last} follows"), "generated": "today" })
}
