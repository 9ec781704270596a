//! What commands and the server print: nothing that a stranger wrote acts in a terminal, and no closed or full output ends in
//! a panic.
//! Start reading at `nothing_a_stranger_wrote_acts_in_a_terminal`.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use model::printable::{self, is_active};
use serde_json::{Value, json};
use testkit::{Ended, Gate, Key, Play, RecordingUpstream, Server, json_response, wire};

use crate::{call, program, serve};

/// Clears the screen, writes to the clipboard, forges a line in three ways, turns the direction of writing.
const HOSTILE: &str = "x\x1b[2J\x1b]52;c;AAAA\x07\nFORGED\rFORGED\u{2028}FORGED\u{85}y\u{202e}\u{2066}\u{9b}31m\x7f\x08z";

/// As a text of YAML or JSON in which nothing acts.
fn quoted(text: &str) -> String {
    printable::json(&serde_json::to_string(text).unwrap()).into_owned()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Everything that was printed, by where.
#[derive(Default)]
struct Printed(Vec<(String, String)>);

impl Printed {
    fn add(&mut self, place: &str, ended: &Ended) {
        self.0
            .push((format!("{place} (stdout)"), ended.stdout.clone()));
        self.0
            .push((format!("{place} (stderr)"), ended.stderr.clone()));
    }

    fn wrong(&self) -> Vec<String> {
        let acts = |c: char| c != '\n' && is_active(c);
        let is_wrong = |text: &str| {
            text.chars().any(acts)
                || text
                    .lines()
                    .any(|line| line.trim_start().starts_with("FORGED"))
        };
        self.0
            .iter()
            .filter(|(_, text)| is_wrong(text))
            .map(|(place, text)| format!("{place}: {text:?}"))
            .collect()
    }
}

/// Hostile bytes in every part of a request.
fn requests(server: &Server, key: &Key) {
    let address = server.address("public");
    let encoded = percent_encoded(HOSTILE);
    let member = serde_json::to_string(HOSTILE).unwrap();
    let person = "p\u{202e}\u{9b}31m";
    let bodies = [
        format!(r#"{{"title":"t",{member}:1}}"#),
        format!(r#"{{"title":"t","tree":{{{member}:"1 OR 1=1; <script>alert(1)</script>"}}}}"#),
        format!(r#"{{"title":{member},"text":"' OR '1'='1"}}"#),
    ];
    let mut all: Vec<Vec<u8>> = vec![
        format!("GET /v1/notes/{encoded} HTTP/1.1\r\n").into_bytes(),
        format!("GET /v1/notes?tag={encoded}&{encoded}={encoded} HTTP/1.1\r\n").into_bytes(),
        format!("GET /{encoded} HTTP/1.1\r\n").into_bytes(),
        b"GET /v1/notes/1 HTTP/1.1\r\nX-\x1b[2J: y\r\n".to_vec(),
        format!("GET /v1/notes/1 HTTP/1.1\r\nX-Person: {person}\r\nUser-Agent: {person}\r\n")
            .into_bytes(),
        b"G\x1b[2JT /v1/notes/1 HTTP/1.1\r\n".to_vec(),
    ];
    for body in &bodies {
        let head = format!(
            "POST /v1/notes HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        all.push(head.into_bytes());
    }
    let tails =
        std::iter::repeat_n("", all.len() - bodies.len()).chain(bodies.iter().map(String::as_str));
    for (mut bytes, tail) in all.iter().cloned().zip(tails) {
        let end = format!(
            "Host: h\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n{tail}",
            key.text
        );
        bytes.extend_from_slice(end.as_bytes());
        let heard = wire::raw(address, &bytes);
        assert!(!heard.bytes.is_empty());
    }
}

/// Commands that read, in both forms where there are two.
fn commands(server: &Server, printed: &mut Printed) {
    let dir = server.gate.dir().display().to_string();
    let object = serde_json::to_string(&json!({ "owner": HOSTILE })).unwrap();
    let can = ["can", "alpha", "notes/v1:getNote", "--object", &object];
    let mut all: Vec<Vec<&str>> = vec![
        vec!["ledger", "show", "--limit", "1000"],
        vec!["ledger", "verify"],
        vec!["key", "list"],
        vec!["integration", "list"],
        vec!["access", "alpha"],
        vec!["access", "--field", "title"],
        vec!["check", &dir, "--verbose"],
        vec!["doctor"],
        can.to_vec(),
        vec!["block", "list"],
        vec!["block", "lift", HOSTILE],
        vec!["explain", HOSTILE],
        vec!["access", HOSTILE],
        vec!["key", "revoke", HOSTILE, "--yes"],
        vec!["key", "create", "--integration", HOSTILE],
        vec!["inspect", "replay", HOSTILE],
        vec![HOSTILE],
    ];
    let events = server.ledger();
    let decisions: Vec<&str> = events
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    assert!(decisions.len() >= 8, "{decisions:?}");
    all.extend(decisions.iter().map(|id| vec!["explain", *id]));
    for arguments in &all {
        printed.add(&arguments.join(" "), &server.cli(arguments));
        let in_json = [arguments.as_slice(), &["-o", "json"]].concat();
        printed.add(&in_json.join(" "), &server.cli(&in_json));
    }
    printed.add("ledger export", &server.cli(&["ledger", "export"]));
    printed.add("schema", &server.cli(&["schema", "api"]));
}

/// Commands that write, with what an operator may have pasted.
fn changes(server: &Server, printed: &mut Printed) {
    let id = server.quick_key("alpha", &[]).id;
    let create = [
        "key",
        "create",
        "--integration",
        "alpha",
        "--label",
        HOSTILE,
    ];
    let pause = ["integration", "pause", "beta", "--reason", HOSTILE, "--yes"];
    let revoke = ["key", "revoke", &id, "--reason", HOSTILE, "--yes"];
    for arguments in [create, pause, revoke] {
        printed.add(&arguments.join(" "), &server.cli(&arguments));
    }
    let listed = server.cli(&["key", "list", "-o", "json"]).stdout;
    assert!(listed.contains("revoked"), "{listed}");
}

/// Files by strange names, with strange things in them: the running server says what is wrong with them as well.
fn files(server: &Server, printed: &mut Printed) {
    let gate = &server.gate;
    let name = format!("integrations/{}.yaml", HOSTILE.replace('/', ""));
    let (key, wide) = (HOSTILE.replace('\n', ""), "w".repeat(3000));
    gate.write(&name, format!("{key}: 1\r\n\towner: \u{202e}{wide}\r\n"));
    let versions = format!("owner: x\nversions: {{ {}: 1 }}\n", quoted(HOSTILE));
    gate.write("apis/second.yaml", versions);
    server.hang_up();
    server.wait_for("keeps serving");
    let dir = gate.dir().display().to_string();
    let export = gate.home().join("strange\x1b[2J\nFORGED");
    std::fs::write(&export, HOSTILE).unwrap();
    let export = export.to_str().unwrap();
    for arguments in [
        &["check", &dir][..],
        &["doctor"],
        &["ledger", "verify", export],
        &["inspect", "replay", export],
    ] {
        printed.add(
            &format!("{arguments:?}, strange files"),
            &server.cli(arguments),
        );
    }
}

#[test]
fn nothing_a_stranger_wrote_acts_in_a_terminal() {
    let hostile = serde_json::to_string(HOSTILE).unwrap();
    let odd = format!(r#"{{"id":"1","title":"t",{hostile}:1,"amount":{hostile}}}"#);
    let upstream = RecordingUpstream::start(move |_| Play::Response(json_response(200, &odd)));
    let gate = Gate::small(upstream.address());
    gate.edit(
        "integrations/alpha.yaml",
        "purpose: Keeps notes",
        &format!("purpose: {}", quoted(HOSTILE)),
    );
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    let mut printed = Printed::default();
    changes(&server, &mut printed);
    requests(&server, &key);
    commands(&server, &mut printed);
    files(&server, &mut printed);
    let (ended, _) = server.stop();
    printed.add("serve", &ended);
    let (wrong, all) = (printed.wrong(), printed.0);
    let lines = wrong.join("\n");
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{lines}",
        wrong.len(),
        all.len()
    );
    // The test can fail: what was planted is there, made visible.
    let seen = |word: &str| all.iter().filter(|(_, text)| text.contains(word)).count();
    assert!(seen("\\u{1b}[2J") > 5 && seen("\\u001b[2J") > 3 && seen("FORGED") > 10);
}

/// Runs a command with this standard output.
fn run_into(server: &Server, arguments: &[&str], out: Stdio) -> Ended {
    let output = Command::new(program())
        .args(arguments)
        .env("PORTCULLIS_CONFIG", server.gate.dir())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    output.into()
}

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

fn server_with_a_record() -> (RecordingUpstream, Server, Key, String) {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
    let decision = response.decision().unwrap().to_owned();
    (upstream, server, key, decision)
}

#[test]
fn a_closed_or_full_output_ends_no_command_in_a_panic() {
    let (_upstream, server, _, decision) = server_with_a_record();
    let dir = server.gate.dir().display().to_string();
    let commands: [&[&str]; 18] = [
        &["ledger", "show"],
        &["ledger", "show", "-o", "json"],
        &["ledger", "verify"],
        &["ledger", "checkpoint"],
        &["key", "list"],
        &["key", "list", "-o", "json"],
        &["key", "jwks"],
        &["key", "generate-kek"],
        &["integration", "list"],
        &["access", "alpha"],
        &["access", "--field", "title"],
        &["can", "alpha", "notes/v1:getNote"],
        &["explain", &decision],
        &["check", &dir, "--verbose"],
        &["schema", "api"],
        &["completion", "bash"],
        &["doctor"],
        &["--help"],
    ];
    for arguments in commands {
        let open = run_into(&server, arguments, Stdio::piped());
        let left = run_into(&server, arguments, closed());
        assert_eq!(
            left.code, open.code,
            "a reader who left is no failure: {arguments:?} {left:?}"
        );
        assert!(
            !left.stderr.contains("panick") && !left.stderr.contains("internal error"),
            "{left:?}"
        );
        let full = run_into(&server, arguments, full());
        assert!(
            full.stderr
                .contains("cannot write to standard output: No space left"),
            "{arguments:?} {full:?}"
        );
        assert!(
            !matches!(full.code, Some(0 | 2 | 101) | None),
            "{arguments:?} {full:?}"
        );
    }
}

#[test]
fn a_key_that_could_not_be_shown_is_taken_back() {
    let (_upstream, server, key, _) = server_with_a_record();
    let usable = || {
        let listed: Value =
            serde_json::from_str(&server.cli(&["key", "list", "-o", "json"]).stdout).unwrap();
        let keys = listed["keys"].as_array().unwrap().clone();
        let usable = keys.iter().filter(|key| key["state"] != "revoked").count();
        (keys.len(), usable)
    };
    let mut all = 1;
    assert_eq!(usable(), (1, 1));
    for output in [closed, full] {
        for form in [&[][..], &["-o", "json"]] {
            let arguments = [&["key", "create", "--integration", "alpha"][..], form].concat();
            let ended = run_into(&server, &arguments, output());
            all += 1;
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.stderr.contains("was revoked again"), "{ended:?}");
            assert_eq!(usable(), (all, 1));
        }
    }
    let ended = run_into(&server, &["key", "rotate", &key.id], closed());
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains(&format!("The old key {} works until", key.id)),
        "{ended:?}"
    );
    assert_eq!(usable().0, all + 1);
    assert_eq!(usable().1, 1, "the old one, for its overlap");
}

/// What is closed before the start becomes `/dev/null` in the process, where every byte is taken without an error.
#[test]
fn a_key_that_nobody_could_see_is_not_made() {
    let (_upstream, server, key, _) = server_with_a_record();
    let keys = || server.cli(&["key", "list", "-o", "json"]).stdout;
    let before = keys();
    for arguments in [
        &["key", "create", "--integration", "alpha"][..],
        &["key", "create", "--integration", "alpha", "-o", "json"],
        &["key", "rotate", &key.id],
        &["key", "generate-kek"],
    ] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" >&-"]).arg(program());
        shell.args(arguments).stdin(Stdio::null());
        shell.env("PORTCULLIS_CONFIG", server.gate.dir());
        let closed: Ended = shell.output().unwrap().into();
        for ended in [closed, run_into(&server, arguments, Stdio::null())] {
            assert_eq!(ended.code, Some(1), "{arguments:?} {ended:?}");
            assert!(
                ended.stderr.contains("the key would be lost"),
                "{arguments:?} {ended:?}"
            );
            assert_eq!(keys(), before, "{arguments:?}");
        }
    }
}

#[test]
fn an_export_that_ends_early_or_was_converted_is_named_as_that() {
    let (_upstream, server, ..) = server_with_a_record();
    for output in [closed, full] {
        let ended = run_into(&server, &["ledger", "export"], output());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            !ended.stderr.contains("evidence") && !ended.stderr.contains("exported"),
            "{ended:?}"
        );
    }
    let ended = run_into(&server, &["ledger", "export"], closed());
    assert!(
        ended.stderr.contains("closed before the export was whole"),
        "{ended:?}"
    );
    let whole = server.cli(&["ledger", "export"]).stdout;
    let file = server.gate.home().join("export.jsonl");
    let verify = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        server.cli(&["ledger", "verify", file.to_str().unwrap()])
    };
    assert_eq!(verify(whole.as_bytes()).code, Some(0));
    let lines: Vec<&str> = whole.lines().collect();
    let first = format!("{}\n", lines[0]);
    for cut in [
        "",
        &whole[..40],
        &first,
        &whole[..whole.len() - 5],
        &format!("{}\n{}\n", lines[0], lines[1]),
    ] {
        let ended = verify(cut.as_bytes());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stdout.starts_with("NOT WHOLE") && !ended.stdout.contains("evidence"),
            "{ended:?}"
        );
    }
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(whole.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for (bytes, word) in [
        (whole.replace('\n', "\r\n").into_bytes(), "CR LF"),
        (format!("\u{feff}{whole}").into_bytes(), "byte order mark"),
        (utf16, "UTF-16"),
    ] {
        let ended = verify(&bytes);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stdout.contains(word), "{word}: {ended:?}");
    }
    let changed = verify(whole.replace("getNote", "getNota").as_bytes());
    assert_eq!(changed.code, Some(3));
    assert!(changed.stdout.contains("evidence"), "{changed:?}");
}

#[test]
fn a_mistake_far_to_the_right_ends_neither_a_command_nor_hot_reload() {
    let (_upstream, server, ..) = server_with_a_record();
    let good = server.gate.text("apis/notes.yaml");
    let padding: String = (0..6000).map(|n| format!("\"x-{n}\": \"{n}\", ")).collect();
    let one_line = format!("{{ {padding} \"owner\": \"o\", \"versions\": {{ \"v1\": 7 }} }}\n");
    assert!(one_line.find("\"versions\"").unwrap() > 65_535);
    server.gate.write("apis/notes.yaml", &one_line);
    server.wait_for("keeps serving");
    let ended = server.cli(&["check", &server.gate.dir().display().to_string()]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(
        ended
            .stderr
            .lines()
            .all(|line| line.chars().count() < 1_000),
        "{}",
        ended.stderr
    );
    // The thread that looks for changes is alive: what is mended is taken.
    server
        .gate
        .write("apis/notes.yaml", format!("{good}\n# mended\n"));
    server.wait_for("is in force");
    assert!(
        !server.stderr().contains("internal error"),
        "{}",
        server.stderr()
    );
}
