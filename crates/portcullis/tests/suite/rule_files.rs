//! Files of detection rules: taken up when they change, wherever they lie; wrong ones never replace good ones.
//! Start reading at `a_changed_rule_is_in_force_without_a_restart`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{Gate, Key, PATIENCE, RecordingUpstream, Server, poll, run};

use crate::{call, program, serve};

const NOTE: &str = r#"{"id":"1","title":"t","text":"fine"}"#;
const SERVER: &str = "portcullis.yaml";

fn gate(upstream: &RecordingUpstream, inspection: &str) -> Gate {
    let gate = Gate::small(upstream.address());
    let text = gate.text(SERVER);
    gate.write(SERVER, format!("{text}inspection:\n{inspection}"));
    gate
}

/// A rule that refuses one word, and its list of words.
fn rules(words: &str) -> [(&'static str, String); 2] {
    let rule = "SecRule ARGS \"@pmFromFile words.data\" \"id:1001,phase:2,deny,status:403,severity:'CRITICAL'\"\n";
    [
        ("own.conf", rule.to_owned()),
        ("words.data", format!("{words}\n")),
    ]
}

fn is_refused(server: &Server, key: &Key, text: &str) -> bool {
    let body = json!({ "title": "t", "text": text }).to_string();
    let response = server.send(&call("POST", "/v1/notes").json(&body), Some(key));
    match response.status {
        403 => true,
        200..=299 => false,
        _ => panic!("{}", response.text()),
    }
}

#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    assert!(
        poll(PATIENCE, || holds().then_some(())).is_some(),
        "never: {what}"
    );
}

#[test]
fn a_changed_rule_is_in_force_without_a_restart() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = gate(&upstream, "  rules: [rules]\n");
    for (name, text) in rules("xyzzy") {
        gate.write(&format!("rules/{name}"), text);
    }
    let words = gate.dir().join("rules/words.data");
    let server = serve(gate);
    let key = server.key("alpha");
    assert!(is_refused(&server, &key, "xyzzy") && !is_refused(&server, &key, "plugh"));
    // Whoever writes the file in place is waited for; nobody has to send a signal.
    fs::write(&words, "plugh\n").unwrap();
    wait_until("the new word is refused", || {
        is_refused(&server, &key, "plugh")
    });
    assert!(!is_refused(&server, &key, "xyzzy"));
}

#[test]
fn rules_elsewhere_are_watched_too_and_a_wrong_one_changes_nothing() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = gate(&upstream, "  rules: [@ELSEWHERE]\n");
    let elsewhere: PathBuf = gate.home().join("rules-elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for (name, text) in rules("xyzzy") {
        fs::write(elsewhere.join(name), text).unwrap();
    }
    gate.edit(SERVER, "@ELSEWHERE", elsewhere.to_str().unwrap());
    let server = serve(gate);
    let key = server.key("alpha");
    assert!(is_refused(&server, &key, "xyzzy"));
    let [(name, good), _] = rules("");
    fs::write(
        elsewhere.join(name),
        good.replace("@pmFromFile", "@fuzzyHash"),
    )
    .unwrap();
    server.wait_for("the operator @fuzzyHash is not understood");
    server.wait_for("rules-elsewhere/own.conf:1");
    server.wait_for("keeps serving");
    assert!(is_refused(&server, &key, "xyzzy"));
    fs::write(elsewhere.join(name), good.replace("id:1001", "id:1002")).unwrap();
    fs::write(elsewhere.join("words.data"), "plugh\n").unwrap();
    server.hang_up();
    wait_until("the mended rule is in force", || {
        is_refused(&server, &key, "plugh")
    });
}

#[test]
fn a_server_does_not_start_without_the_rules_it_names() {
    let upstream = RecordingUpstream::always(NOTE);
    for (place, said) in [
        (
            "/no/such/place",
            "the rules of `/no/such/place` cannot be read: No such file",
        ),
        ("rules", "the rules of `rules` cannot be read: No such file"),
        ("apis", "the directory `apis` holds no rules"),
        (
            SERVER,
            "the rules of `portcullis.yaml` cannot be read: Not a directory",
        ),
    ] {
        let gate = gate(&upstream, &format!("  rules: [{place}]\n"));
        let ended = Server::try_start(program(), gate).err().expect("no start");
        assert_eq!(ended.code, Some(78), "{place}");
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("portcullis.yaml:"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn too_many_rules_are_not_read() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = gate(&upstream, "  rules: [rules]\n");
    for number in 0..501 {
        gate.write(&format!("rules/{number}.conf"), "SecMarker END\n");
    }
    let ended = run(
        program(),
        &gate,
        &["check", "--offline", gate.dir().to_str().unwrap()],
    );
    assert_eq!(ended.code, Some(78));
    assert!(
        ended.stderr.contains("too much to read; at most 500 files"),
        "{}",
        ended.stderr
    );
}

#[test]
fn check_counts_what_contracts_make_irrelevant() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = gate(&upstream, "  paranoia: 1\n");
    let dir = gate.dir();
    let dir = dir.to_str().unwrap();
    let quiet = run(program(), &gate, &["check", "--offline", dir]);
    assert!(!quiet.stdout.contains("irrelevant"), "{}", quiet.stdout);
    let said = run(program(), &gate, &["check", "--offline", "-v", dir]);
    assert!(
        said.stdout.contains("notes/v1:createNote") && said.stdout.contains("total"),
        "{}",
        said.stdout
    );
    let data = run(
        program(),
        &gate,
        &["check", "--offline", "-v", "-o", "json", dir],
    );
    let data: Value = serde_json::from_str(&data.stdout).unwrap();
    let inspection = &data["inspection"];
    let sum = |name: &str| -> u64 {
        let all = inspection["operations"].as_array().unwrap();
        all.iter().map(|one| one[name].as_u64().unwrap()).sum()
    };
    for name in ["fields", "closed_fields", "rules", "irrelevant"] {
        assert_eq!(inspection["total"][name], sum(name), "{name}");
    }
    assert!(
        sum("irrelevant") > 0 && sum("irrelevant") < sum("rules"),
        "{data}"
    );
}
