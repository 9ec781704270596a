//! The files of a first configuration, with their comments.
//! Exports `files`, and `next` for whoever wrote them.
//! Used by `init`.
//! Start reading at `files`. Every text compiles as it stands; what is proposed stands in comments.

use std::fmt::Write;
use std::path::Path;

use model::Timestamp;
use model::printable::counted;

use crate::Planned;
use crate::facts::{Facts, Line};
use crate::objects::Object;

/// Days until somebody has to look at the example again.
const REVIEW_DAYS: u32 = 180;

const SERVER: &str = r#"# The server. Nothing here is reachable from other machines until you change an address.
listeners:
  local:
    address: "127.0.0.1:8080"
    plain: true # HTTP without TLS: for this machine only
  # For others, a listener with a certificate:
  # public:
  #   address: "0.0.0.0:8443"
  #   tls: { cert: tls/public.pem, key: "file:tls/public.key" }
  admin: # health and metrics
    address: "127.0.0.1:8081"
    plain: true

store: { dir: data } # made at the first start; back it up together with the key below
keys: { kek: "file:secrets/kek" } # or env:NAME, or cred:NAME under systemd
"#;

const IGNORED: &str =
    "# State and secrets do not belong into version control.\n/data/\n/secrets/\n/tls/*.key\n";

/// Everything that is written, in the order it is told. `kek` is a new key-encryption key.
pub fn files(facts: &Facts, contract: &str, kek: &str, now: Timestamp) -> Vec<Planned> {
    let plain = |path: String, text: String| Planned {
        path,
        text,
        is_secret: false,
    };
    let mut out = vec![
        plain(
            "portcullis.yaml".into(),
            with_schema(".schemas/server.json", SERVER),
        ),
        plain(
            format!("apis/{}.yaml", facts.name),
            with_schema("../.schemas/api.json", &api(facts)),
        ),
        plain(
            format!("apis/{}", contract_file(facts)),
            contract.to_owned(),
        ),
    ];
    if facts.has_overlay() {
        out.push(plain(
            format!("overlays/{}.yaml", facts.name),
            overlay(facts),
        ));
    }
    out.push(plain(
        "integrations/example.yaml".into(),
        with_schema("../.schemas/integration.json", &integration(facts, now)),
    ));
    out.push(Planned {
        path: "secrets/kek".into(),
        text: format!("{kek}\n"),
        is_secret: true,
    });
    out.push(plain(".gitignore".into(), IGNORED.into()));
    for kind in config::kinds() {
        let schema =
            config::schema(kind).and_then(|schema| serde_json::to_string_pretty(&schema).ok());
        out.extend(schema.map(|schema| plain(format!(".schemas/{kind}.json"), schema + "\n")));
    }
    out
}

/// Editors complete and explain by the schema that is named in the first line.
fn with_schema(schema: &str, text: &str) -> String {
    format!("# yaml-language-server: $schema={schema}\n{text}")
}

fn contract_file(facts: &Facts) -> String {
    let extension = if facts.is_json { "json" } else { "yaml" };
    format!("{}.{}.openapi.{extension}", facts.name, facts.version)
}

fn api(facts: &Facts) -> String {
    let mut out = format!(
        "# {}\nowner: nobody yet # an address or a team: whoever answers for this api\nversions:\n  {}:\n",
        facts.title, facts.version
    );
    let _ = writeln!(out, "    contract: {}", contract_file(facts));
    if facts.has_overlay() {
        let _ = writeln!(
            out,
            "    overlay: ../overlays/{}.yaml # guessed: read it once",
            facts.name
        );
    }
    let _ = writeln!(
        out,
        "    state: active\n    base_path: {} # in front of the contract's paths, here and at the upstream",
        facts.base_path
    );
    match (&facts.upstream, &facts.server) {
        (Some(url), _) => {
            let _ = writeln!(out, "    upstream: {{ targets: [\"{url}\"] }}");
        }
        (None, Some(server)) => {
            let _ = writeln!(
                out,
                "    # upstream: {{ targets: [\"https://HOST\"] }} # without a path; the contract names {server}"
            );
        }
        (None, None) => out.push_str(
            "    # upstream: { targets: [\"http://127.0.0.1:9101\"] } # where the api is served\n",
        ),
    }
    out.push_str("    # What is listed under no listener stays unreachable. Move in what integrations need, and nothing else.\n    expose: {}\n    #  local:\n");
    for line in &facts.operations {
        let _ = writeln!(
            out,
            "    #    - {:<32} # {}{}",
            line.id,
            line.route,
            said(&line.summary)
        );
    }
    objects(&facts.objects, &mut out);
    out.push_str("    checks: { request: enforce, response: observe, inspect: enforce }\n");
    out
}

fn said(summary: &str) -> String {
    if summary.is_empty() {
        String::new()
    } else {
        format!("  {summary}")
    }
}

fn objects(objects: &[Object], out: &mut String) {
    if objects.is_empty() {
        return;
    }
    out.push_str("    # Objects whose attributes the conditions of grants may ask for, guessed from the paths. Take what you need.\n    # `person: true`: the ledger seals their ids, each under a key of that person, which `ledger erase` destroys.\n    # objects:\n");
    for object in objects {
        let attributes: Vec<String> = object
            .attributes
            .iter()
            .map(|name| format!("{name}: body.{name}"))
            .collect();
        let attributes = if attributes.is_empty() {
            String::new()
        } else {
            format!(", attributes: {{ {} }}", attributes.join(", "))
        };
        let person = if object.is_person {
            ", person: true"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "    #   {}: {{ id: path.{}, resolve: {}{attributes}{person} }}",
            object.schema, object.parameter, object.resolve
        );
    }
}

fn overlay(facts: &Facts) -> String {
    let mut out = String::from(
        "# Facts about the data, guessed from the names of fields. Read them once and correct them: `secret` never leaves,\n\
         # whatever a grant says; the others are shown in `portcullis access`, in reviews and in reports.\n\
         # `x-portcullis-filters` says which fields a parameter asks about, `x-portcullis-page` what stands beside a list: a\n\
         # parameter of which nothing is said cannot be used by whoever sees only part of the objects or fields.\n\
         # `x-portcullis-refers-to: Customer` says that a parameter or a field of a body names an object of another kind: whoever\n\
         # sends one has to be allowed to read it. Those below are guessed from names; `none` says that no object is named.\n",
    );
    let _ = writeln!(
        out,
        "overlay: 1.0.0\ninfo: {{ title: Facts about the data of {}, version: \"1\" }}\nactions:",
        facts.name
    );
    for (target, class) in &facts.classes {
        let _ = writeln!(
            out,
            "  - {{ target: \"{target}\", update: {{ x-portcullis-class: {class} }} }}"
        );
    }
    for (target, stated) in &facts.questions {
        let _ = writeln!(
            out,
            "  - {{ target: \"{target}\", update: {{ {stated} }} }}"
        );
    }
    for (target, kind) in &facts.references {
        let _ = writeln!(
            out,
            "  - {{ target: \"{target}\", update: {{ x-portcullis-refers-to: {kind} }} }} # guessed"
        );
    }
    out
}

fn integration(facts: &Facts, now: Timestamp) -> String {
    let review: String = now
        .plus_days(REVIEW_DAYS)
        .to_string()
        .chars()
        .take(10)
        .collect();
    let single = |line: &&Line| line.is_single && !line.fields.is_empty();
    let example = facts
        .operations
        .iter()
        .find(single)
        .or(facts.operations.first());
    let operation = example.map_or("OPERATION", |line| &line.id);
    let shown = example
        .map(|line| line.fields.join(", "))
        .unwrap_or_default();
    format!(
        "# One system that calls: who answers for it, what it may do. Name the file after it.\n\
         owner: nobody yet # an address or a team\n\
         purpose: An example, to be replaced\n\
         review_by: {review}\n\
         allow_from: [127.0.0.0/8] # addresses it may call from\n\
         credentials: {{ api_key: {{ max_age: 90d, overlap: 24h }} }}\n\
         limits:\n  - {{ per: integration, rate: 600/min, burst: 50 }}\n\
         # Nothing is granted. A grant names operations, the fields that may be seen, and what may be sent:\n\
         grants: []\n\
         #  - api: {}/{}\n\
         #    operations: [{}]\n\
         #    fields: [{shown}]\n\
         #    # when: resource.status == \"completed\"   needs `objects` in apis/{}.yaml\n\
         #    # writes: [note]                          what may be sent; everything else is refused\n",
        facts.name, facts.version, operation, facts.name,
    )
}

/// What was written, and the next three commands.
pub fn next(dir: &Path, facts: &Facts, planned: &[Planned]) -> String {
    let dir = dir.display();
    let mut out = format!("wrote {} files to {dir}\n", planned.len());
    for file in planned.iter().filter(|file| !file.path.starts_with('.')) {
        let note = match file.path.as_str() {
            "secrets/kek" => "  keep a copy in a safe place: without it nothing stored can be read",
            path if path.starts_with("overlays/") => {
                "  guessed facts about the data: read them once"
            }
            _ => "",
        };
        let _ = writeln!(out, "  {dir}/{}{note}", file.path);
    }
    let _ = writeln!(
        out,
        "\n{} of {}/{}: none exposed, nothing granted.\n\
         Now open {dir}/apis/{}.yaml (owner, upstream, expose) and {dir}/integrations/example.yaml (grants). Then:\n  \
         portcullis check {dir}\n  \
         portcullis serve --config {dir}\n  \
         portcullis key create --config {dir} --integration example",
        counted(facts.operations.len(), "operation"),
        facts.name,
        facts.version,
        facts.name
    );
    out
}
