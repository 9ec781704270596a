//! What commands print with `-o json` is what their schemas say, and the schemas in docs are those of the program.
//! Start reading at `every_document_is_printed_as_its_schema_says`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::{Gate, RecordingUpstream, run};

use crate::actors::fits;
use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// The schemas of every document, as the program has them.
fn schemas(gate: &Gate) -> serde_json::Map<String, Value> {
    let ended = run(program(), gate, &["schema", "outputs"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn every_document_is_printed_as_its_schema_says() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    server.send(&call("GET", "/v1/notes/1"), Some(&key));
    let gate = &server.gate;
    let all = schemas(gate);
    gate.write(
        "questions.jsonl",
        "[\"alpha\",\"getNote\"]\n[\"beta\",\"deleteNote\"]\n",
    );
    gate.write(
        "requests.jsonl",
        r#"{"method":"POST","path":"/v1/notes","headers":{},"body":{"title":"t"}}"#,
    );
    let path = |name: &str| gate.dir().join(name).to_str().unwrap().to_owned();
    let (here, file) = (path(""), path("questions.jsonl"));
    let (contract, new) = (path("apis/notes.v1.openapi.yaml"), path("new"));
    let (requests, recording) = (path("requests.jsonl"), path("a.rec"));
    let mut printed: BTreeSet<&str> = BTreeSet::new();
    let mut prints = |name: &'static str, arguments: &[&str]| {
        let ended = server.cli(&[arguments, &["-o", "json"]].concat());
        let value: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ended:?}"));
        fits(&all[name], &value, name);
        printed.insert(name);
    };
    prints("access", &["access", "alpha"]);
    prints("access", &["access", "beta"]);
    prints("access-field", &["access", "--field", "title"]);
    prints("can", &["can", "alpha", "getNote"]);
    prints("can", &["can", "beta", "deleteNote"]);
    prints(
        "can",
        &[
            "can",
            "alpha",
            "createNote",
            "--body",
            r#"{"title":"t"}"#,
            "--field",
            "owner",
        ],
    );
    prints("can-questions", &["can", "--questions", &file]);
    prints("check", &["check", &here]);
    prints("check", &["check", &here, "-v"]);
    prints("doctor", &["doctor"]);
    prints("error", &["explain", "4711"]);
    prints("init", &["init", "--openapi", &contract, "--dir", &new]);
    prints(
        "inspect-record",
        &["inspect", "record", &recording, "--for", "1s"],
    );
    prints("inspect-replay", &["inspect", "replay", &recording]);
    prints("inspect-replay", &["inspect", "replay", &requests]);
    prints("key-check", &["key", "check"]);
    prints("ledger-verify", &["ledger", "verify"]);
    // Those that no server may run beside.
    printed.extend(rotations(&server.stop().1, &all));
    let known: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(printed, known, "a document that nothing here prints");
}

/// The keys of the data, replaced while no server runs.
fn rotations(gate: &Gate, all: &serde_json::Map<String, Value>) -> [&'static str; 2] {
    gate.secret("other", crypto::Kek::generate_text().expose());
    let rotates = |name: &'static str, arguments: &[&str]| {
        let ended = run(program(), gate, &[arguments, &["-o", "json"]].concat());
        let value = serde_json::from_str(&ended.stdout);
        let value: Value = value.unwrap_or_else(|_| panic!("{ended:?}"));
        fits(&all[name], &value, name);
        name
    };
    let kek = rotates(
        "key-rotate-kek",
        &["key", "rotate-kek", "--new", "file:other"],
    );
    gate.edit("portcullis.yaml", "file:kek", "file:other");
    let root = rotates(
        "key-rotate-root",
        &["key", "rotate-root", "--reason", "a test"],
    );
    [kek, root]
}

#[test]
fn the_schemas_in_docs_are_those_of_the_program() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/outputs");
    let all = schemas(&gate);
    for (name, schema) in &all {
        let file = folder.join(format!("{name}.schema.json"));
        let committed = fs::read_to_string(&file).unwrap_or_default();
        let same = committed == format!("{schema:#}\n");
        assert!(
            same,
            "{name} differs from the program; run `cargo xtask gen` and commit the page"
        );
        let one = run(program(), &gate, &["schema", &format!("output/{name}")]);
        assert_eq!(one.stdout, committed);
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        all.len(),
        "a page of no document"
    );
}
