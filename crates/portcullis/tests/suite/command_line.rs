//! What is typed is meant: an unknown word, a value out of its bounds and a change that changes nothing are said, never passed
//! over in silence.
//! Start reading at `what_no_installation_could_mean_is_a_wrong_command_line`.

use serde_json::{Value, json};
use testkit::{Ended, Gate, RecordingUpstream, Server, run};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

fn server() -> (Server, RecordingUpstream) {
    let upstream = RecordingUpstream::always(NOTE);
    (serve(Gate::small(upstream.address())), upstream)
}

/// Arguments, and words of the message.
type Wrong = (&'static [&'static str], &'static [&'static str]);

/// Values that no installation gives a meaning to, with what has to be told.
const WRONG: &[Wrong] = &[
    (
        &["ledger", "show", "--outcome", "nope"],
        &["`outcome` cannot be `nope`", "allow, done, failed, fault"],
    ),
    (
        &["ledger", "show", "--outcome", "refusd"],
        &["Did you mean `refused`?"],
    ),
    (
        &["ledger", "show", "--kind", "key.revoked"],
        &["Did you mean `key.revoke`?"],
    ),
    (
        &["ledger", "show", "--code", "authz.condition"],
        &["Did you mean `authz.condition_failed`?"],
    ),
    (
        &["ledger", "show", "--limit", "0"],
        &["`limit` is not from 1 to 10000"],
    ),
    (
        &["ledger", "show", "--limit", "99999"],
        &["`limit` is not from 1 to 10000"],
    ),
    (&["ledger", "show", "--limit", "-1"], &["-1"]),
    (
        &["ledger", "show", "--since", "yesterday"],
        &["`yesterday` is not a moment", "2026-11-23"],
    ),
    (
        &[
            "ledger",
            "show",
            "--since",
            "2026-12-02",
            "--until",
            "2026-12-01",
        ],
        &["later than `since`"],
    ),
    (
        &["ledger", "export", "--from", "7", "--to", "3"],
        &["--to is smaller"],
    ),
    (
        &[
            "key",
            "create",
            "--integration",
            "alpha",
            "--expires-in",
            "800d",
        ],
        &["`800d` is longer", "may last: 90d", "max_age"],
    ),
    (
        &[
            "key",
            "create",
            "--integration",
            "alpha",
            "--expires-in",
            "soon",
        ],
        &["`soon` is not a length of time"],
    ),
    (
        &["key", "create", "--integration", ""],
        &["was given an empty value"],
    ),
    (
        &["key", "revoke", "alpha", "--yes"],
        &["`alpha` is not a key id"],
    ),
    (&["key", "rotate", "key_1"], &["`key_1` is not a key id"]),
    (&["explain", "4711"], &["`4711` is not a decision id"]),
    (
        &["block", "add", "127.0.0.9", "--for", "31d", "--reason", "r"],
        &["cannot last `31d`", "up to 30d"],
    ),
    (&["block", "lift", "crm"], &["crm", "block list"]),
    (
        &["inspect", "record", "x.rec", "--keep", "36h"],
        &["--keep `36h` is not in whole days"],
    ),
    (
        &["inspect", "record", "x.rec", "--for", "1500ms"],
        &["--for `1500ms` is not in whole seconds"],
    ),
    (
        &["inspect", "record", "x.rec", "--for", "25h"],
        &["--for cannot be `25h`", "at most"],
    ),
    (
        &["inspect", "record", "x.rec", "--keep", "91d"],
        &["--keep cannot be `91d`", "at most 90d"],
    ),
    (
        &["ledger", "export", "--from", "2026-11-30"],
        &["number of a record", "ledger show --since"],
    ),
    (
        &["inspect", "record", "x.rec", "--max", "0"],
        &["`requests_max` is not from 1 to 100000"],
    ),
    (&["schema", "nope"], &["server"]),
    (
        &["ledger", "show", "--before", "0"],
        &["`before` is not a whole number from 1"],
    ),
    (
        &["integration", "pause", "alpha", "--reason", ""],
        &["was given an empty value"],
    ),
    (
        &["can", "alpha", "notes/v1:getNote", "--api", "notes/v2"],
        &["Name the version once"],
    ),
    (
        &[
            "can", "alpha", "getNote", "--path", "noteId=1", "--path", "noteId=2",
        ],
        &["is given two values"],
    ),
    (
        &["can", "--questions", "x", "--field", "id"],
        &["--questions"],
    ),
    (
        &["can", "alpha", "getNote", "--from", "here"],
        &["`here` is not an address"],
    ),
    (
        &["can", "alpha", "getNote", "--query", "tag"],
        &["`tag` is not NAME=VALUE"],
    ),
    (&["demo", "--seed", "x"], &["--seed"]),
    (
        &["demo", "env", "--seed", "8"],
        &["`demo env` makes no use of `--seed`"],
    ),
    (
        &["demo", "--seed", "8", "reset"],
        &["`demo reset` makes no use of `--seed`"],
    ),
    (
        &["demo", "--no-traffic", "tour"],
        &["`demo tour` makes no use of `--no-traffic`"],
    ),
];

/// Says what is wrong and how to put it right, and does nothing.
fn is_wrong(ended: &Ended, arguments: &[&str], words: &[&str]) {
    assert_eq!(ended.code, Some(64), "{arguments:?}: {ended:?}");
    assert!(ended.stdout.is_empty(), "{arguments:?}: {ended:?}");
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "{arguments:?}: {word:?} is not in {ended:?}"
        );
    }
}

#[test]
fn what_no_installation_could_mean_is_a_wrong_command_line() {
    let (server, _upstream) = server();
    let before = server.ledger().len();
    for (arguments, words) in WRONG {
        is_wrong(&server.cli(arguments), arguments, words);
    }
    let key = server.quick_key("alpha", &[]);
    let overlap = ["key", "rotate", &key.id, "--overlap", "91d"];
    is_wrong(&server.cli(&overlap), &overlap, &["`91d` is longer", "90d"]);
    assert!(!server.gate.home().join("x.rec").exists());
    // The one key that was made is all that was recorded.
    assert_eq!(server.ledger().len(), before + 1);
    // The same without a server, and nothing is begun.
    let (_, gate) = server.stop();
    for (arguments, words) in WRONG {
        is_wrong(&run(program(), &gate, arguments), arguments, words);
    }
}

#[test]
fn a_name_that_is_not_there_is_not_found() {
    let (server, _upstream) = server();
    for (arguments, words) in [
        (
            &["key", "list", "--integration", "alhpa"][..],
            "Did you mean `alpha`?",
        ),
        (
            &["key", "create", "--integration", "gamma"],
            "there is no integration `gamma`",
        ),
        (&["integration", "resume", "alhpa"], "Did you mean `alpha`?"),
        (
            &["key", "revoke", "key_01KA7ZQ4X8M2V5T9B3N6C1R0WY", "--yes"],
            "there is no key",
        ),
        (&["access", "gamma"], "there is no integration `gamma`"),
        (
            &["ledger", "show", "--integration", "alhpa"],
            "Did you mean `alpha`?",
        ),
        (
            &["can", "alpha", "getNote", "--path", "noteid=1"],
            "Did you mean `noteId`?",
        ),
    ] {
        let ended = server.cli(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(words), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn a_failure_is_a_document_too_where_json_was_asked_for() {
    let (server, _upstream) = server();
    for (arguments, exit, words) in [
        (&["explain", "4711"][..], 64, "is not a decision id"),
        (&["access", "gamma"], 1, "there is no integration `gamma`"),
        (&["ledger", "show", "--nope"], 64, "unexpected argument"),
        (
            &["key", "create", "--integration", ""],
            64,
            "was given an empty value",
        ),
        (
            &["block", "add", "127.0.0.9", "--for", "31d", "--reason", "r"],
            64,
            "cannot last `31d`",
        ),
    ] {
        let ended = server.cli(&[arguments, &["-o", "json"]].concat());
        assert_eq!(ended.code, Some(exit), "{arguments:?}: {ended:?}");
        let said: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
        assert_eq!(said["error"]["exit"], exit, "{arguments:?}: {ended:?}");
        let message = said["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(words), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn moments_may_be_said_as_so_long_ago_and_are_shown_in_one_form() {
    let (server, _upstream) = server();
    server.quick_key("alpha", &[]);
    let shown = |arguments: &[&str]| {
        let ended = server.cli(&[&["ledger", "show", "-o", "json"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let page: Value = serde_json::from_str(&ended.stdout).unwrap();
        page["records"].as_array().unwrap().clone()
    };
    let late = shown(&["--since", "1h"]);
    assert!(!late.is_empty());
    assert!(shown(&["--until", "1h"]).is_empty());
    for record in late {
        let at = record["at"].as_str().unwrap();
        let micros = model::Timestamp::parse(at).unwrap().micros();
        assert_eq!(
            record["event"]["at"].as_i64().unwrap() / 1_000,
            micros / 1_000
        );
        assert!(at.ends_with('Z'), "{at}");
    }
}

#[test]
fn help_shows_what_keys_begin_with() {
    let (server, _upstream) = server();
    let ended = server.cli(&["key", "create", "--help"]);
    assert!(ended.stdout.contains("pk_test_…"), "{ended:?}");
    assert!(!ended.stdout.contains("***"), "{ended:?}");
}

#[test]
fn every_word_that_is_recorded_can_be_asked_for() {
    let (server, _upstream) = server();
    let key = server.quick_key("alpha", &[]);
    server.send(&call("GET", "/v1/notes/1"), Some(&key));
    server.send(&call("GET", "/v1/nothing"), Some(&key));
    server.send(&call("PUT", "/v1/notes/1").json(NOTE), Some(&key));
    server.cli(&["integration", "pause", "alpha"]);
    let events = [
        server.ledger(),
        server.ledger_of(&json!({ "kind": "intent" })),
    ]
    .concat();
    let mut asked = 0;
    for event in &events {
        for member in ["kind", "outcome", "code"] {
            let Some(word) = event[member].as_str() else {
                continue;
            };
            let found = server.ledger_of(&json!({ member: word }));
            assert!(!found.is_empty(), "{member} {word}");
            asked += 1;
        }
    }
    assert!(asked > 15, "{asked}");
}

/// Does it, and gives the exit code and what JSON says of the change.
fn changed(server: &Server, arguments: &[&str]) -> (Option<i32>, Value) {
    let ended = server.cli(&[arguments, &["-o", "json"]].concat());
    let said: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
    (ended.code, said["changed"].clone())
}

#[test]
fn what_holds_already_is_not_done_again_and_that_is_said() {
    let (server, _upstream) = server();
    let key = server.quick_key("beta", &[]);
    let kinds = ["integration.pause", "integration.resume", "key.revoke"];
    let recorded =
        |server: &Server| kinds.map(|kind| server.ledger_of(&json!({ "kind": kind })).len());
    let (done, nothing) = ((Some(0), json!(true)), (Some(2), json!(false)));
    let resume = ["integration", "resume", "alpha"];
    let pause = ["integration", "pause", "alpha", "--reason", "noise"];
    assert_eq!(changed(&server, &resume), nothing);
    assert_eq!(recorded(&server), [0, 0, 0]);
    assert_eq!(changed(&server, &pause), done);
    assert_eq!(changed(&server, &pause), nothing);
    assert_eq!(
        changed(&server, &["integration", "pause", "alpha"]),
        nothing
    );
    // Another reason is another record, and the pause goes on.
    let other = ["integration", "pause", "alpha", "--reason", "ticket 4711"];
    assert_eq!(changed(&server, &other), done);
    let listed = server.admin("integration.list", &json!({}));
    assert_eq!(listed["integrations"][0]["paused"]["reason"], "ticket 4711");
    assert_eq!(changed(&server, &resume), done);
    assert_eq!(changed(&server, &resume), nothing);
    let revoke = ["key", "revoke", &key.id, "--yes"];
    assert_eq!(changed(&server, &revoke), done);
    assert_eq!(changed(&server, &revoke), nothing);
    assert_eq!(recorded(&server), [2, 1, 1]);
    let ended = server.cli(&revoke);
    assert!(ended.stdout.contains("nothing was changed"), "{ended:?}");
    let ended = server.cli(&resume);
    assert!(ended.stdout.contains("alpha is not paused"), "{ended:?}");
    // The same on the store, while no server runs.
    let (_, gate) = server.stop();
    let ended = run(program(), &gate, &revoke);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(run(program(), &gate, &pause).code, Some(0));
    assert_eq!(run(program(), &gate, &pause).code, Some(2));
}

#[test]
fn every_wrong_question_of_a_file_is_told_at_once() {
    let (server, _upstream) = server();
    let lines =
        "[\"alpha\",\"getNote\"]\n[\"alpha\",\"getNot\"]\nnonsense\n[\"alhpa\",\"getNote\"]\n";
    server.gate.write("questions.jsonl", lines);
    let file = server.gate.dir().join("questions.jsonl");
    let ended = server.cli(&["can", "--questions", file.to_str().unwrap()]);
    let told = [
        "3 lines",
        "line 2: ",
        "Did you mean `getNote`?",
        "line 3 is no question",
        "line 4: ",
        "Did you mean `alpha`?",
    ];
    is_wrong(&ended, &["can"], &told);
}

/// `/dev/zero` has no end, a pipe that nobody writes into has no beginning, and neither is waited for.
#[test]
fn a_file_that_is_none_or_has_no_end_is_refused() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let path = |name: &str| gate.home().join(name).display().to_string();
    let pipe = path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let large = path("large.yaml");
    std::fs::File::create(&large)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let home = gate.home().display().to_string();
    let new = path("new");
    for (named, words) in [
        ("/dev/zero", "is a pipe or a device and no file"),
        (&pipe, "is a pipe or a device and no file"),
        (&home, "is a directory and no file"),
        (
            &large,
            "is too large for a contract, which has at most 8 MiB",
        ),
    ] {
        let ended = run(
            program(),
            &gate,
            &["init", "--openapi", named, "--dir", &new],
        );
        assert_eq!(ended.code, Some(1), "{named} {ended:?}");
        assert!(
            ended.stderr.replace('\n', " ").contains(words),
            "{named} {ended:?}"
        );
        assert!(!std::path::Path::new(&new).exists(), "{named}");
    }
}

/// Docker and Kubernetes make an empty directory where the file that is to be mounted is missing.
#[test]
fn an_empty_directory_in_the_place_of_a_file_is_refused() {
    let upstream = RecordingUpstream::always(NOTE);
    for (name, words) in [
        (
            "integrations/partner.yaml",
            "this is an empty directory where a file was meant",
        ),
        ("connections", "`connections/` is not offered yet"),
    ] {
        let gate = Gate::small(upstream.address());
        std::fs::create_dir(gate.dir().join(name)).unwrap();
        let dir = gate.dir().display().to_string();
        let ended = run(program(), &gate, &["check", &dir]);
        assert_eq!(ended.code, Some(78), "{name} {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(words), "{name} {said}");
    }
}
