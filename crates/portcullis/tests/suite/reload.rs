//! A configuration is loaded again when files change or when somebody asks; how that ended, and what is gone, is said.
//! Start reading at `a_reload_says_how_it_ended`.

use serde_json::{Value, json};
use testkit::{Ended, Gate, PATIENCE, RecordingUpstream, Server, poll, run};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;
const POLICY: &str = "@id(\"nobody-deletes\")\nforbid (principal, action == notes::v1::Action::\"deleteNote\", resource);\n";

fn gate() -> (Gate, RecordingUpstream) {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    gate.write("policies/frozen.cedar", POLICY);
    (gate, upstream)
}

fn quiet(gate: Gate) -> Server {
    Server::try_start_with(program(), gate, &["--no-watch"])
        .unwrap_or_else(|ended| panic!("{ended:?}"))
}

fn reload(server: &Server) -> (Ended, Value) {
    let ended = server.cli(&["reload", "-o", "json"]);
    let said = serde_json::from_str(&ended.stdout).unwrap_or_default();
    (ended, said)
}

#[test]
fn a_reload_says_how_it_ended() {
    let (gate, _upstream) = gate();
    let none = run(program(), &gate, &["reload"]);
    assert_eq!(none.code, Some(69), "{none:?}");
    let server = quiet(gate);
    let (ended, said) = reload(&server);
    assert_eq!(
        (ended.code, &said["outcome"]),
        (Some(0), &json!("unchanged")),
        "{ended:?}"
    );
    server
        .gate
        .edit("integrations/beta.yaml", "Reads notes", "Reads notes aloud");
    let (ended, said) = reload(&server);
    assert_eq!(
        (ended.code, &said["outcome"]),
        (Some(0), &json!("swapped")),
        "{ended:?}"
    );
    assert_eq!(said["removed"], json!([]));
    // However broken the files are, the server is found and keeps serving.
    let key = server.quick_key("alpha", &[]);
    let good = server.gate.text("portcullis.yaml");
    for (file, text) in [
        ("integrations/beta.yaml", "owner: [\n".to_owned()),
        ("portcullis.yaml", format!("broken: [\n{good}")),
    ] {
        let before = server.gate.text(file);
        server.gate.write(file, text);
        let (ended, said) = reload(&server);
        assert_eq!(
            (ended.code, &said["outcome"]),
            (Some(78), &json!("refused")),
            "{ended:?}"
        );
        assert!(
            ended.stderr.contains(file) && ended.stderr.contains("keeps serving"),
            "{}",
            ended.stderr
        );
        assert_eq!(
            server.send(&call("GET", "/v1/notes/1"), Some(&key)).status,
            200
        );
        server.gate.write(file, before);
    }
    let refused = server.ledger_of(&json!({ "kind": "configuration.refused" }));
    assert_eq!(refused.len(), 2);
    assert!(
        refused.iter().all(|event| event["user"]
            .as_str()
            .is_some_and(|who| who.contains("(local)"))),
        "{refused:?}"
    );
}

#[test]
fn a_refused_reload_prints_what_check_prints_and_the_ledger_is_verified_beside_it() {
    let (gate, _upstream) = gate();
    let server = quiet(gate);
    let good = server.gate.text("portcullis.yaml");
    for (file, text) in [
        (
            "integrations/beta.yaml",
            "owner: \"a\"\npurpose: 1\nunknown: \"q\"\n".to_owned(),
        ),
        ("portcullis.yaml", format!("unknown: \"q\"\n{good}")),
        ("portcullis.yaml", format!("broken: [\n{good}")),
    ] {
        let before = server.gate.text(file);
        server.gate.write(file, text);
        let refused = server.cli(&["reload"]);
        assert_eq!(refused.code, Some(78), "{refused:?}");
        let check = server.cli(&["check", server.gate.dir().to_str().unwrap()]);
        let snippet = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.contains(['│', '×', '╰']));
            lines.map(str::to_owned).collect()
        };
        assert!(!snippet(&check.stderr).is_empty(), "{check:?}");
        assert_eq!(
            snippet(&refused.stderr),
            snippet(&check.stderr),
            "{refused:?}"
        );
        assert!(!refused.stderr.contains("\\n"), "{}", refused.stderr);
        for arguments in [&["ledger", "show"][..], &["ledger", "verify"]] {
            let ended = server.cli(arguments);
            assert_eq!(ended.code, Some(0), "{file} {arguments:?} {ended:?}");
        }
        server.gate.write(file, before);
    }
}

#[test]
fn what_lasts_from_start_to_stop_is_refused_at_its_own_place() {
    let (gate, _upstream) = gate();
    let server = quiet(gate);
    let good = server.gate.text("portcullis.yaml");
    let added = "listeners:\n  another:\n    address: \"127.0.0.1:0\"\n    plain: true\n";
    let admin = "  admin:\n    address: \"127.0.0.1:0\"\n    plain: true\n";
    for (from, to, message, place) in [
        (
            "listeners:\n",
            added,
            "the listener `another` cannot be added",
            "portcullis.yaml:2",
        ),
        (
            admin,
            "",
            "the listener `admin` cannot be removed",
            "portcullis.yaml",
        ),
        (
            "  admin:\n    address: \"127.0.0.1:0\"",
            "  admin:\n    address: \"127.0.0.1:1\"",
            "the listener `admin` cannot be moved",
            "portcullis.yaml:5",
        ),
        (
            "dir: data",
            "dir: ./data",
            "`store` cannot be changed",
            "portcullis.yaml:8",
        ),
        (
            "file:kek",
            "file:./kek",
            "`keys` cannot be changed",
            "portcullis.yaml:9",
        ),
        (
            "idle: 60s",
            "idle: 61s",
            "`defaults.timeouts` cannot be changed",
            "portcullis.yaml",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        server.gate.write("portcullis.yaml", good.replace(from, to));
        let refused = server.cli(&["reload"]);
        assert_eq!(refused.code, Some(78), "{refused:?}");
        assert!(refused.stderr.contains("has 1 mistake"), "{refused:?}");
        assert!(refused.stderr.contains(message), "{message}: {refused:?}");
        assert!(refused.stderr.contains(place), "{place}: {refused:?}");
    }
}

#[test]
fn a_swap_says_what_is_gone_in_the_log_and_in_the_ledger() {
    let (gate, _upstream) = gate();
    let server = quiet(gate);
    server.gate.remove("policies/frozen.cedar");
    server.gate.remove("integrations/beta.yaml");
    server.gate.edit(
        "integrations/alpha.yaml",
        "operations: [listNotes, getNote]",
        "operations: [getNote]",
    );
    server.gate.edit("apis/notes.yaml", ", searchNotes]", "]");
    let grant = "  - api: notes/v1\n    operations: [searchNotes]\n    writes: [text, limit]\n    fields: [id, title]\n";
    server.gate.edit("integrations/alpha.yaml", grant, "");
    let (ended, said) = reload(&server);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let wanted = [
        "the policy forbid \"nobody-deletes\" of policies/frozen.cedar",
        "the file integrations/beta.yaml",
        "the file policies/frozen.cedar",
        "the integration beta",
        "the grant of notes/v1:listNotes to alpha",
        "the grant of notes/v1:searchNotes to alpha",
        "notes/v1:searchNotes on listener public",
    ];
    let removed: Vec<&str> = said["removed"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    // The answer may come before the last line of the log was read.
    poll(PATIENCE, || {
        server
            .stderr()
            .contains("searchNotes on listener public")
            .then_some(())
    });
    let log = server.stderr();
    let events = server.ledger_of(&json!({ "kind": "configuration.applied" }));
    let recorded = events.last().unwrap()["detail"].as_str().unwrap();
    for name in wanted {
        assert!(removed.contains(&name), "{name} is not in {removed:?}");
        assert!(
            log.contains(&format!("it no longer has {name}")),
            "{name} is not in the log: {log}"
        );
        assert!(
            recorded.contains(name),
            "{name} is not in the ledger: {recorded}"
        );
    }
    // A policy that moves to another file is not gone, and what comes is not counted as going.
    server.gate.write("policies/a.cedar", POLICY);
    assert_eq!(reload(&server).1["removed"], json!([]));
    server.gate.remove("policies/a.cedar");
    server.gate.write("policies/b.cedar", POLICY);
    assert_eq!(
        reload(&server).1["removed"],
        json!(["the file policies/a.cedar"])
    );
}

#[test]
fn without_a_watch_nothing_is_loaded_until_somebody_asks() {
    let ((gate, _upstream), (other, _other)) = (self::gate(), self::gate());
    let (quiet, watching) = (quiet(gate), serve(other));
    let count = |server: &Server| {
        server
            .ledger_of(&json!({ "kind": "configuration.applied" }))
            .len()
    };
    // The other server shows that the time for noticing has passed, more than once.
    for round in 1..=3 {
        for server in [&quiet, &watching] {
            let text = server.gate.text("integrations/beta.yaml");
            server
                .gate
                .write("integrations/beta.yaml", format!("{text}# {round}\n"));
        }
        let came = poll(PATIENCE, || (count(&watching) == round).then_some(()));
        assert!(came.is_some(), "{}", watching.stderr());
    }
    assert_eq!(count(&quiet), 0, "{}", quiet.stderr());
    assert_eq!(reload(&quiet).1["outcome"], "swapped");
    quiet.gate.edit("integrations/beta.yaml", "# 3\n", "");
    quiet.hang_up();
    let came = poll(PATIENCE, || (count(&quiet) == 2).then_some(()));
    assert!(
        came.is_some(),
        "SIGHUP is an act as well: {}",
        quiet.stderr()
    );
}
