//! A world's configuration: contract, catalogue entry, overlay, integrations and policies as an operator would write them.
//! Exports `gate`.
//! Start reading at `gate`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::{Value, json};
use testkit::Gate;

use super::model::{Caller, Grant, Kind, Owner, World, Wrapper};

/// The small gate's server with this world's api behind it, and a second api of plain tools.
pub fn gate(world: &World, upstream: SocketAddr) -> Gate {
    let gate = Gate::small(upstream);
    for path in [
        "apis/notes.yaml",
        "apis/notes.v1.openapi.yaml",
        "integrations/alpha.yaml",
        "integrations/beta.yaml",
    ] {
        gate.remove(path);
    }
    gate.write("apis/acme.v1.openapi.json", pretty(&contract(world)));
    gate.write("apis/acme.yaml", api(world, upstream));
    gate.write("overlays/acme.yaml", overlay(world));
    for caller in &world.callers {
        gate.write(
            &format!("integrations/{}.yaml", caller.name),
            integration(world, caller),
        );
    }
    if let Some(text) = policies(world) {
        gate.write("policies/forbidden.cedar", text);
    }
    gate
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

/// Operation ids of one kind: what they are called is all the oracle needs.
pub fn operations(kind: &Kind) -> Vec<String> {
    let name = kind.name;
    [
        "list", "get", "head", "full", "notes", "patch", "delete", "search", "index", "grid",
        "next",
    ]
    .iter()
    .map(|verb| format!("{verb}{name}"))
    .collect()
}

fn contract(world: &World) -> Value {
    let mut paths = serde_json::Map::new();
    let mut schemas = serde_json::Map::new();
    for kind in &world.kinds {
        schemas.insert(kind.name.to_owned(), schema(kind));
        if kind.has_envelope {
            schemas.insert(format!("{}Page", kind.name), page(kind));
        }
        paths.extend(paths_of(kind));
    }
    schemas.insert(
        "Note".into(),
        json!({ "type": "object", "properties": { "text": { "type": "string" } } }),
    );
    schemas.insert(
        "Error".into(),
        json!({ "type": "object", "properties": {
            "code": { "type": "string" }, "message": { "type": "string" } } }),
    );
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Acme", "version": "1" },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn schema(kind: &Kind) -> Value {
    let text = json!({ "type": "string" });
    let mut properties = json!({
        "id": text, "status": { "type": "string", "enum": ["open", "done", "void"] },
        "name": text, "f0": text, "f1": text,
        "detail": { "type": "object", "properties": { "a": text, "b": text } },
        "lines": { "type": "array", "maxItems": 10, "items": { "type": "object", "properties": { "sku": text, "note": text } } },
    });
    match kind.owner {
        Owner::Flat => properties["partner"] = text,
        Owner::Deep => {
            properties["assignment"] = json!({ "type": "object", "properties": {
                "partner": { "type": ["object", "null"], "properties": { "id": { "type": "string" } } } } });
        }
    }
    if kind.has_site {
        let site = json!({ "$ref": "#/components/schemas/Site" });
        let or_none = |name: &str| json!({ "anyOf": [{ "$ref": format!("#/components/schemas/{name}") }, { "type": "null" }] });
        properties["site"] = or_none("Site");
        properties["parent"] = or_none("Job");
        properties["stops"] = json!({ "type": "array", "maxItems": 50, "items": site });
        properties["named"] = json!({ "type": "object", "additionalProperties": site });
        let count = |kind: &str| json!({ "type": kind, "x-portcullis-page": "count" });
        properties["stopCount"] = count("integer");
        properties["route"] = json!({ "type": "object", "properties": {
            "stops": { "type": "array", "maxItems": 50, "items": site },
            "count": count("integer"), "total": count("integer"), "hasMore": count("boolean") } });
    }
    json!({ "type": "object", "properties": properties })
}

fn page(kind: &Kind) -> Value {
    let this = json!({ "$ref": format!("#/components/schemas/{}", kind.name) });
    json!({ "type": "object", "required": ["items"], "properties": {
        "items": { "type": "array", "items": this },
        "total": { "type": "integer" },
        "next": { "type": ["string", "null"] } } })
}

fn answers(kind: &Kind, schema: Value) -> Value {
    let error = json!({ "description": "No", "content": { "application/json": {
        "schema": { "$ref": "#/components/schemas/Error" } } } });
    let mut answers = json!({
        "200": { "description": "Done", "content": { "application/json": { "schema": schema } } },
        "404": error, "409": error, "422": error, "503": error,
    });
    if kind.declares_403 {
        answers["403"] = error;
    }
    answers
}

// LONG: the paths of one kind, one after the other.
fn paths_of(kind: &Kind) -> Vec<(String, Value)> {
    let (name, collection) = (kind.name, kind.collection);
    let parameter = kind.parameter();
    let this = json!({ "$ref": format!("#/components/schemas/{name}") });
    let many = json!({ "type": "array", "items": this });
    let list = if kind.has_envelope {
        json!({ "$ref": format!("#/components/schemas/{name}Page") })
    } else {
        many.clone()
    };
    let data = match kind.wrapper {
        Wrapper::Named => this.clone(),
        Wrapper::Inline => schema(kind),
        Wrapper::Nullable => json!({ "anyOf": [this, { "type": "null" }] }),
    };
    let full = json!({ "type": "object", "properties": { "data": data } });
    let notes = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Note" } });
    let in_path = json!([{ "name": parameter, "in": "path", "required": true,
        "schema": { "type": "string", "pattern": "^[a-z0-9-]{1,40}$" } }]);
    let query =
        |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    let word = json!({ "type": "string", "pattern": "^[a-z0-9-]{1,40}$" });
    let mut parameters = json!([
        query(
            "limit",
            json!({ "type": "integer", "minimum": 1, "maximum": 100 })
        ),
        query("cursor", json!({ "type": "string", "maxLength": 400 })),
        query(
            "status",
            json!({ "type": "string", "enum": ["open", "done", "void"] })
        ),
        query("partner", word.clone()),
        query("q", word.clone()),
        query("sort", word.clone()),
    ]);
    if let Some(parameters) = parameters.as_array_mut().filter(|_| kind.has_site) {
        parameters.push(query("site", word));
    }
    let body = |schema: Value| json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    let text = json!({ "type": "string", "maxLength": 40 });
    let words = json!({ "type": "string", "maxLength": 40, "x-portcullis-filters": [] });
    vec![
        (
            format!("/{collection}"),
            json!({ "get": { "operationId": format!("list{name}"), "parameters": parameters, "responses": answers(kind, list.clone()) } }),
        ),
        (
            format!("/{collection}/search"),
            json!({ "post": { "operationId": format!("search{name}"),
                "requestBody": body(json!({ "type": "object", "properties": { "words": words } })),
                "responses": answers(kind, many.clone()) } }),
        ),
        (
            format!("/{collection}/all"),
            json!({
                "get": { "operationId": format!("all{name}"), "responses": answers(kind, many.clone()) },
                "delete": { "operationId": format!("purge{name}"), "responses": answers(kind, many) },
            }),
        ),
        (
            format!("/{collection}/index"),
            json!({ "get": { "operationId": format!("index{name}"), "responses": answers(kind,
                json!({ "type": "object", "additionalProperties": this })) } }),
        ),
        (
            format!("/{collection}/grid"),
            json!({ "get": { "operationId": format!("grid{name}"), "responses": answers(kind,
                json!({ "type": "array", "items": { "type": "array", "items": this } })) } }),
        ),
        (
            format!("/{collection}/{{{parameter}}}/next"),
            json!({ "parameters": in_path,
                "post": { "operationId": format!("next{name}"), "responses": answers(kind, this.clone()) } }),
        ),
        (
            format!("/{collection}/{{{parameter}}}"),
            json!({ "parameters": in_path,
                "get": { "operationId": format!("get{name}"), "responses": answers(kind, this.clone()) },
                "head": { "operationId": format!("head{name}"), "responses": answers(kind, this.clone()) },
                "patch": { "operationId": format!("patch{name}"),
                    "requestBody": body(json!({ "type": "object", "properties": { "f0": text, "f1": text } })),
                    "responses": answers(kind, this) },
                "delete": { "operationId": format!("delete{name}"), "responses": { "204": { "description": "Gone" } } },
            }),
        ),
        (
            format!("/{collection}/{{{parameter}}}/full"),
            json!({ "parameters": in_path,
                "get": { "operationId": format!("full{name}"), "responses": answers(kind, full) } }),
        ),
        (
            format!("/{collection}/{{{parameter}}}/notes"),
            json!({ "parameters": in_path,
                "get": { "operationId": format!("notes{name}"), "responses": answers(kind, notes) } }),
        ),
    ]
}

fn api(world: &World, upstream: SocketAddr) -> String {
    let exposed: Vec<String> = world.kinds.iter().flat_map(operations).collect();
    let mut text = format!(
        "owner: platform@acme.example\nversions:\n  v1:\n    contract: acme.v1.openapi.json\n    overlay: ../overlays/acme.yaml\n    \
         state: active\n    base_path: /v1\n    upstream: {{ targets: [\"http://{upstream}\"], timeout: 20s }}\n    \
         expose:\n      public: [{}]\n    objects:\n",
        exposed.join(", ")
    );
    for kind in &world.kinds {
        let partner = match kind.owner {
            Owner::Flat => "body.partner",
            Owner::Deep => "body.assignment.partner.id",
        };
        writeln!(
            text,
            "      {}: {{ id: path.{}, resolve: get{}, attributes: {{ partner: {partner}, status: body.status }} }}",
            kind.name,
            kind.parameter(),
            kind.name
        )
        .expect("a text");
    }
    let searches = world.kinds.iter();
    let searches = searches.map(|kind| format!("search{}: {{ reads: true }}", kind.name));
    let searches: Vec<String> = searches.collect();
    writeln!(text, "    operations: {{ {} }}", searches.join(", ")).expect("a text");
    let response = if world.is_enforced {
        "enforce"
    } else {
        "observe"
    };
    writeln!(
        text,
        "    checks: {{ request: enforce, response: {response}, inspect: off }}"
    )
    .expect("a text");
    text
}

fn overlay(world: &World) -> String {
    let mut text = "overlay: 1.0.0\ninfo: { title: Facts, version: \"1\" }\nactions:\n".to_owned();
    let mut add = |target: String, fact: &str| {
        writeln!(
            text,
            "  - {{ target: \"$.{target}\", update: {{ x-portcullis-{fact} }} }}"
        )
        .expect("a text");
    };
    for kind in &world.kinds {
        let partner = match kind.owner {
            Owner::Flat => "partner",
            Owner::Deep => "assignment.partner.id",
        };
        let parameter =
            |index: usize| format!("paths['/{}'].get.parameters[{index}]", kind.collection);
        add(parameter(0), "page: size");
        add(parameter(1), "page: cursor");
        add(parameter(2), "filters: [status]");
        add(parameter(3), &format!("filters: [{partner}]"));
        add(parameter(4), "filters: [name]");
        // `sort` declares nothing.
        if kind.has_site {
            add(parameter(6), "filters: [site.name]");
        }
        let page = format!("components.schemas.{}Page.properties", kind.name);
        if kind.has_envelope {
            add(format!("{page}.total"), "page: count");
            add(format!("{page}.next"), "page: cursor");
        }
    }
    text
}

fn integration(world: &World, caller: &Caller) -> String {
    let mut text = format!(
        "owner: {0}@acme.example\npurpose: Tries\nreview_by: 2099-12-31\nattributes: {{ partner: {1} }}\n\
         credentials: {{ api_key: {{ max_age: 90d, overlap: 1h }} }}\ngrants:\n",
        caller.name, caller.partner
    );
    for grant in &caller.grants {
        let kind = &world.kinds[grant.kind];
        let name = kind.name;
        let from = |root: &str, fields: &BTreeSet<&'static str>| -> Vec<String> {
            fields.iter().map(|f| format!("{root}{f}")).collect()
        };
        let (fields, masked) = (from("", &grant.fields), from("", &grant.masked));
        let mut write = |operations: &[&str], fields: &[String], masked: &[String], writes| {
            let operations: Vec<String> = operations.iter().map(|o| format!("{o}{name}")).collect();
            write_grant(&mut text, grant, &operations, [fields, masked], writes);
        };
        let mut main = vec!["get", "head", "index", "grid"];
        if kind.wrapper != Wrapper::Inline {
            main.push("full");
        } else {
            // Where the answer holds another kind, fields count from that one.
            let root = if kind.has_site { "$.data." } else { "data." };
            let (fields, masked) = (from(root, &grant.fields), from(root, &grant.masked));
            write(&["full"], &fields, &masked, &[]);
        }
        write(&main, &fields, &masked, &[]);
        write(&["search"], &fields, &masked, &["words"]);
        write(&["patch"], &fields, &masked, &["f0"]);
        write(&["delete"], &[], &[], &[]);
        write(&["next"], &fields, &masked, &[]);
        write(&["notes"], &["text".to_owned()], &[], &[]);
        let mut listed = fields.clone();
        if kind.has_envelope && grant.has_root {
            listed.extend(["$.total".to_owned(), "$.next".to_owned()]);
        }
        write(&["list"], &listed, &masked, &[]);
    }
    text
}

fn write_grant(
    text: &mut String,
    grant: &Grant,
    operations: &[String],
    [fields, masked]: [&[String]; 2],
    writes: &[&str],
) {
    writeln!(
        text,
        "  - api: acme/v1\n    operations: [{}]",
        operations.join(", ")
    )
    .expect("a text");
    if let Some(when) = grant.when.text() {
        writeln!(text, "    when: '{when}'").expect("a text");
    }
    if grant.is_fixed && operations.iter().any(|id| id.starts_with("list")) {
        writeln!(text, "    set: {{ query.partner: principal.partner }}").expect("a text");
    }
    if !fields.is_empty() {
        let quoted: Vec<String> = fields.iter().map(|f| format!("\"{f}\"")).collect();
        writeln!(text, "    fields: [{}]", quoted.join(", ")).expect("a text");
    }
    if !masked.is_empty() {
        let masks: Vec<String> = masked.iter().map(|f| format!("\"{f}\": redact")).collect();
        writeln!(text, "    masks: {{ {} }}", masks.join(", ")).expect("a text");
    }
    if grant.has_errors && !operations.iter().any(|id| id.starts_with("delete")) {
        text.push_str("    errors: [code]\n");
    }
    if !writes.is_empty() {
        writeln!(text, "    writes: [{}]", writes.join(", ")).expect("a text");
    }
}

fn policies(world: &World) -> Option<String> {
    let mut text = String::new();
    for kind in &world.kinds {
        let Some(state) = kind.forbidden else {
            continue;
        };
        let actions: Vec<String> = operations(kind)
            .iter()
            .map(|id| format!("acme::v1::Action::\"{id}\""))
            .collect();
        writeln!(
            text,
            "forbid (principal, action in [{}], resource) when {{ resource.status == \"{state}\" }};",
            actions.join(", ")
        )
        .expect("a text");
    }
    (!text.is_empty()).then_some(text)
}
