//! The jobs of `jobs`, asked for by searches whose question is the body of a POST: filters of every form, page and cursor.
//! Exports `gate`, `answer`, `search`, `with_page` and `random`.

use std::fmt::Write;
use std::net::SocketAddr;

use demo::Call;
use demo::split_mix::SplitMix64;
use serde_json::{Value, json};
use testkit::Gate;

use super::jobs::{self, CONDITIONS, Job, Spec, World};
use crate::call;

const SEARCH: &str = r##"  /w/{world}/search:
    post:
      operationId: searchJobs
      parameters:
        - { $ref: "#/components/parameters/World" }
      requestBody:
        content: { application/json: { schema: { $ref: "#/components/schemas/Asked" } } }
      responses:
        "200": { description: Done, content: { application/json: { schema: { $ref: "#/components/schemas/JobPage" } } } }
components:
"##;

const ASKED: &str = r##"    Asked:
      type: object
      properties:
        owner: { type: string, maxLength: 10, x-portcullis-filters: [owner] }
        status: { type: array, maxItems: 3, items: { type: string, maxLength: 10 }, x-portcullis-filters: [status] }
        minMargin: { type: integer, x-portcullis-filters: [margin] }
        sort:
          type: string
          enum: [name, margin, priority, own]
          x-portcullis-filters: { name: [name], margin: [margin], priority: [priority] }
        legacy: { type: string, maxLength: 10 }
        filter:
          type: object
          properties:
            name: { type: string, maxLength: 10, x-portcullis-filters: [name] }
            priority: { type: integer, x-portcullis-filters: [priority] }
        any:
          type: array
          maxItems: 4
          items:
            oneOf:
              - type: object
                required: [field, value]
                properties:
                  field: { type: string, enum: [owner, status], x-portcullis-filters: { owner: [owner], status: [status] } }
                  value: { type: string, maxLength: 10, x-portcullis-filters: [] }
              - type: object
                required: [margin]
                properties:
                  margin: { type: integer, x-portcullis-filters: [margin] }
        page:
          type: object
          properties:
            size: { type: integer, minimum: 1, maximum: 10, default: 4, x-portcullis-page: size }
            after: { type: [string, "null"], pattern: "^[0-9]{1,6}$", x-portcullis-page: cursor }
    JobNew:
"##;

/// A gate in front of the jobs, with one integration for each spec: `asker-0`, `asker-1`, …
pub fn gate(upstream: SocketAddr, specs: &[Spec]) -> Gate {
    let gate = jobs::gate(upstream, specs);
    gate.edit("apis/jobs.v1.openapi.yaml", "components:\n", SEARCH);
    gate.edit("apis/jobs.v1.openapi.yaml", "    JobNew:\n", ASKED);
    gate.edit("apis/jobs.yaml", "createJob]", "createJob, searchJobs]");
    let reads = "    operations: { searchJobs: { reads: true } }\n    objects:\n";
    gate.edit("apis/jobs.yaml", "    objects:\n", reads);
    for (index, spec) in specs.iter().enumerate() {
        let path = format!("integrations/asker-{index}.yaml");
        gate.write(&path, gate.text(&path) + &grants(spec));
    }
    gate
}

fn grants(spec: &Spec) -> String {
    let mut out = String::new();
    for grant in &spec.grants {
        let root = grant.root.iter().map(|name| format!("$.{name}"));
        let fields = grant.fields.iter().map(|name| (*name).to_owned());
        let fields: Vec<String> = fields.chain(root).collect();
        let _ = writeln!(
            out,
            "  - api: jobs/v1\n    operations: [searchJobs]\n    fields: [{}]\n    \
             writes: [owner, status, minMargin, sort, legacy, filter, any, page]",
            fields.join(", ")
        );
        if let Some(index) = grant.condition {
            let _ = writeln!(out, "    when: {}", CONDITIONS[index]);
        }
        if spec.fixes_owner {
            out.push_str("    set: { body.owner: principal.owner }\n");
        }
    }
    out
}

/// What the upstream answers: it does whatever it is asked, for anybody.
pub fn answer(world: &World, body: &[u8]) -> Value {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let found: World = world
        .iter()
        .filter(|job| meets(job, &asked))
        .cloned()
        .collect();
    let texts = [
        ("owner", &asked["owner"]),
        ("legacy", &asked["legacy"]),
        ("q", &asked["filter"]["name"]),
        ("minMargin", &asked["minMargin"]),
        ("sort", &asked["sort"]),
        ("limit", &asked["page"]["size"]),
        ("cursor", &asked["page"]["after"]),
    ];
    let pairs = texts.into_iter().filter(|(_, value)| !value.is_null());
    let pairs: Vec<(String, String)> = pairs
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.to_owned(), text)
        })
        .collect();
    jobs::answer(&found, "search", &pairs, None)
}

fn meets(job: &Job, asked: &Value) -> bool {
    let of = |name: &str| job.value()[name].clone();
    let statuses = asked["status"].as_array();
    let least = asked["filter"]["priority"].as_i64();
    let any = asked["any"].as_array();
    statuses.is_none_or(|all| all.contains(&of("status")))
        && least.is_none_or(|least| job.priority >= least)
        && any
            .into_iter()
            .flatten()
            .all(|one| match one["field"].as_str() {
                Some(field) => of(field) == one["value"],
                None => of("margin") == one["margin"],
            })
}

/// A search of one world.
pub fn search(world: usize, body: &Value) -> Call {
    call("POST", &format!("/v1/w/{world}/search")).json(&body.to_string())
}

/// The same question for another page.
pub fn with_page(body: &Value, name: &str, value: &str) -> Value {
    let mut body = body.clone();
    body["page"][name] = json!(value);
    body
}

/// A question.
pub fn random(dice: &mut SplitMix64) -> Value {
    let mut body = json!({});
    let mut put = |is: bool, name: &str, value: Value| {
        if is {
            body[name] = value;
        }
    };
    put(
        dice.is_lucky(20),
        "owner",
        json!(dice.pick(&["own", "other"])),
    );
    let statuses = [json!(["open"]), json!(["open", "lost"]), json!([])];
    put(
        dice.is_lucky(20),
        "status",
        dice.pick(&[&statuses[0], &statuses[1], &statuses[2]])
            .clone(),
    );
    put(dice.is_lucky(15), "minMargin", json!(dice.between(0, 9)));
    let sorts = ["name", "margin", "priority", "own"];
    put(dice.is_lucky(15), "sort", json!(dice.pick(&sorts)));
    put(dice.is_lucky(4), "legacy", json!("other"));
    let filters = [json!({ "name": "an" }), json!({ "priority": 4 }), json!({})];
    put(
        dice.is_lucky(25),
        "filter",
        dice.pick(&[&filters[0], &filters[1], &filters[2]]).clone(),
    );
    let parts = [
        json!([{ "field": "owner", "value": "other" }]),
        json!([{ "field": "status", "value": "open" }, { "field": "owner", "value": "own" }]),
        json!([{ "margin": 3 }]),
    ];
    put(
        dice.is_lucky(25),
        "any",
        dice.pick(&[&parts[0], &parts[1], &parts[2]]).clone(),
    );
    let size = dice.pick(&[1, 2, 3, 10]);
    put(dice.is_lucky(70), "page", json!({ "size": size }));
    body
}
