//! Who asks the admin service is known by the kernel's word, and nobody but the server's user and root is answered.
//! Start reading at `another_user_of_the_machine_is_refused_and_recorded`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testkit::{Gate, RecordingUpstream, Server};

use crate::{call, program, serve};

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

/// Whether this test can be somebody else; otherwise it says so and proves nothing.
fn can_be_another() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("SKIP: only root can ask as another user");
    }
    is_root
}

/// Opens everything on the way to the socket: the mode is no protection any more.
fn open_up(server: &Server) {
    let data = server.gate.data();
    let socket = data.join("admin.sock");
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for dir in data
        .ancestors()
        .filter(|dir| dir.starts_with(server.gate.home()))
    {
        mode(dir, 0o755);
    }
    mode(&socket, 0o666);
}

fn as_nobody(server: &Server, arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .arg("--socket")
        .arg(server.gate.data().join("admin.sock"))
        .env("USER", "root")
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap()
}

#[test]
fn another_user_of_the_machine_is_refused_and_recorded() {
    if !can_be_another() {
        return;
    }
    let upstream = RecordingUpstream::always("{}");
    let server = serve(Gate::small(upstream.address()));
    open_up(&server);
    let pause: &[&str] = &["integration", "pause", "alpha"];
    for (arguments, permission) in [
        (pause, "integrations.write"),
        (&["key", "list"], "keys.read"),
        (&["ledger", "show"], "ledger.read"),
    ] {
        let ended = as_nobody(&server, arguments);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(77), "{said}");
        assert!(said.contains(permission), "{said}");
        assert!(ended.stdout.is_empty());
    }
    let refused = server.ledger_of(&json!({ "outcome": "refused" }));
    let kinds: Vec<&Value> = refused.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["integration.pause", "key.list", "ledger.show"]);
    for event in &refused {
        // What they call themselves is a note; the kernel says who they are.
        assert_eq!(event["user"], "nobody (local)");
        let actor = &event["actor"];
        assert_eq!(actor["calls_itself"], "root");
        assert_eq!(actor["authenticated_by"], "local_socket");
        assert_eq!(actor["uid"], 65_534, "{actor}");
        assert!(actor["process"].is_u64(), "{actor}");
    }
    let listed = server.admin("integration.list", &json!({}));
    let rows = listed["integrations"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["is_paused"] == false), "{rows:?}");
    // Its own user is answered as before.
    assert_eq!(server.cli(pause).code, Some(0));
}

#[test]
fn whoever_reads_the_record_is_on_the_record() {
    let upstream = RecordingUpstream::always("{}");
    let server = serve(Gate::small(upstream.address()));
    let refused = server.send(&call("GET", "/v1/nothing"), None);
    let decision = refused.decision().unwrap().to_owned();
    let out = server.gate.home().join("export.jsonl");
    let out = out.to_str().unwrap();
    let looks: [(&str, &[&str]); 3] = [
        (
            "ledger.show",
            &["ledger", "show", "--user", "ann", "--limit", "7"],
        ),
        ("decision.explain", &["explain", &decision]),
        ("ledger.export", &["ledger", "export", "--out", out]),
    ];
    for (kind, arguments) in looks {
        let ended = server.cli(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let told = server.ledger_of(&json!({ "kind": kind, "outcome": "done" }));
        let told = told
            .first()
            .unwrap_or_else(|| panic!("{kind} is not recorded"));
        assert_eq!(told["actor"]["authenticated_by"], "local_socket", "{told}");
        assert!(
            told["user"].as_str().unwrap().ends_with("(local)"),
            "{told}"
        );
        // Whom they looked for stands nowhere: a name in it could not be erased.
        assert!(!told.to_string().contains("ann"), "{told}");
    }
    // Without a server the files say so as well.
    let (_, gate) = server.stop();
    let count = |gate: &Gate| {
        let shown = testkit::run(
            program(),
            gate,
            &["ledger", "show", "--kind", "ledger.show", "-o", "json"],
        );
        let shown: Value =
            serde_json::from_str(&shown.stdout).unwrap_or_else(|_| panic!("{shown:?}"));
        shown["records"].as_array().unwrap().len()
    };
    let before = count(&gate);
    assert_eq!(count(&gate), before + 1);
}

#[test]
fn no_core_is_dumped() {
    let upstream = RecordingUpstream::always("{}");
    let server = serve(Gate::small(upstream.address()));
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let figures: Vec<&str> = core.unwrap().split_whitespace().skip(4).take(2).collect();
    assert_eq!(figures, ["0", "0"], "{limits}");
}

#[test]
fn a_wrong_argument_is_named_and_changes_nothing() {
    let upstream = RecordingUpstream::always("{}");
    let server = serve(Gate::small(upstream.address()));
    let long = "x".repeat(600);
    let ended = server.cli(&["integration", "pause", "alpha", "--reason", &long]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("`reason` has 600 characters; at most 512")
    );
    assert!(
        ended.stderr.contains("help: Why, for the ledger"),
        "{ended:?}"
    );
    assert!(
        server
            .ledger_of(&json!({ "kind": "integration.pause" }))
            .is_empty()
    );
}

#[test]
fn what_is_printed_is_what_is_described() {
    let upstream = RecordingUpstream::always("{}");
    let server = serve(Gate::small(upstream.address()));
    let key = server.key("alpha");
    let refused = server.send(&call("GET", "/v1/nothing"), Some(&key));
    let decision = refused.decision().unwrap().to_owned();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/admin.openapi.json");
    let page: Value = serde_json::from_str(&fs::read_to_string(page).unwrap()).unwrap();
    let address = [
        "block",
        "add",
        "192.0.2.7",
        "--for",
        "1m",
        "--reason",
        "a test",
    ];
    for (command, arguments) in [
        ("block.add", &address[..]),
        ("block.list", &["block", "list"]),
        ("integration.list", &["integration", "list"]),
        ("key.list", &["key", "list"]),
        ("key.rotate", &["key", "rotate", &key.id]),
        ("ledger.show", &["ledger", "show", "--limit", "3"]),
        ("ledger.checkpoint", &["ledger", "checkpoint"]),
        ("decision.explain", &["explain", &decision]),
        ("block.lift", &["block", "lift", "192.0.2.7"]),
        ("integration.pause", &["integration", "pause", "beta"]),
        ("integration.resume", &["integration", "resume", "beta"]),
        ("key.revoke", &["key", "revoke", &key.id, "--yes"]),
        ("server.reload", &["reload"]),
    ] {
        let ended = server.cli(&[arguments, &["-o", "json"]].concat());
        let printed: Value = serde_json::from_str(&ended.stdout).unwrap();
        let path = format!("/v1/commands/{command}");
        let content = &page["paths"][path]["post"]["responses"]["200"]["content"];
        fits(&content["application/json"]["schema"], &printed, command);
    }
}

/// Whether a value has the described members, and all of those that are not optional, with the described types.
pub fn fits(schema: &Value, value: &Value, at: &str) {
    if let Some(choices) = schema["anyOf"].as_array() {
        let is_null = |one: &&Value| one["type"] != "null";
        if !value.is_null() {
            fits(choices.iter().find(is_null).unwrap(), value, at);
        }
        return;
    }
    let kinds = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => {
            return assert!(
                schema["oneOf"].is_array() || schema["enum"].is_array(),
                "{at}: {schema}"
            );
        }
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.contains(&kind), "{at} is {kind}, not {kinds:?}");
    if value.is_null() {
        return;
    }
    for item in value.as_array().into_iter().flatten() {
        fits(&schema["items"], item, &format!("{at}[]"));
    }
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            value.get(name.as_str().unwrap()).is_some(),
            "{at} has no {name}"
        );
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let described = properties.get(name);
        let described = described.unwrap_or_else(|| panic!("{at}.{name} is not described"));
        fits(described, member, &format!("{at}.{name}"));
    }
}
