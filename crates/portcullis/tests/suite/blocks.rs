//! Blocks keep out whom they name and nobody else, people see and lift them, and no clock makes one longer.
//! Start reading at `one_persons_refusals_block_that_person_alone`.

use std::time::Duration;

use demo::{Call, CallResponse};
use serde_json::{Value, json};
use testkit::{Ended, Gate, Key, RecordingUpstream, Server, WallClock};

use crate::{call, serve};

const NOTE: &str = r#"{"id":"1","title":"t"}"#;

/// The small gate, where five refusals lead to a block that lasts so long.
fn strict(upstream: &RecordingUpstream, more: &str) -> Gate {
    let gate = Gate::small(upstream.address());
    let rule = format!("blocks: {{ after: 5 refusals/min, {more} }}");
    gate.edit("portcullis.yaml", "blocks: off", &rule);
    gate
}

const LONG: &str = "for: 10m, escalate: 1";

fn read() -> Call {
    call("GET", "/v1/notes/1")
}

/// A call of a proven caller that is refused.
fn wrong() -> Call {
    call("GET", "/v1/notes?limit=many")
}

fn code(response: &CallResponse) -> String {
    response
        .code()
        .unwrap_or_else(|| response.status.to_string())
}

fn guess(server: &Server, address: [u8; 4]) -> String {
    let call = read().from(address);
    code(&testkit::wire::send(
        server.address("public"),
        &call,
        Some("pk_live_guess"),
    ))
}

#[test]
fn a_key_that_names_a_new_person_for_each_refusal_is_blocked_itself() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(strict(&upstream, LONG));
    let (key, other) = (
        server.quick_key("alpha", &[]),
        server.quick_key("alpha", &[]),
    );
    let as_person = |number: usize, call: &Call| {
        let call = call.clone().with("X-Person", &format!("person{number}"));
        server.send(&call, Some(&key))
    };
    // Five refusals are borne of each, and fifty of all together.
    let refused = (0..100).map(|number| code(&as_person(number, &wrong())));
    let until = refused.take_while(|code| code != "limit.blocked").count();
    assert!((50..100).contains(&until), "blocked after {until}");
    assert_eq!(code(&as_person(1000, &read())), "limit.blocked");
    assert_eq!(code(&server.send(&read(), Some(&key))), "limit.blocked");
    assert_eq!(code(&server.send(&read(), Some(&other))), "200");
    assert_eq!(subjects(&server), [format!("credential:{}", key.id)]);
    let lifted = server.cli(&["block", "lift", &key.id]);
    assert_eq!(lifted.code, Some(0), "{lifted:?}");
    assert_eq!(code(&as_person(1000, &read())), "200");
}

/// Sends a call until it is answered by a block.
fn until_blocked(server: &Server, call: &Call, key: &Key) -> CallResponse {
    let responses = (0..20).map(|_| server.send(call, Some(key)));
    let mut blocked = responses.filter(|response| code(response) == "limit.blocked");
    blocked.next().expect("a block after so many refusals")
}

fn shown(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).expect("JSON on standard output")
}

fn listed(server: &Server) -> Vec<Value> {
    let list = shown(&server.cli(&["block", "list", "-o", "json"]));
    list["blocks"].as_array().unwrap().clone()
}

fn subjects(server: &Server) -> Vec<String> {
    let text = |row: &Value| row["subject"].as_str().unwrap().to_owned();
    listed(server).iter().map(text).collect()
}

#[test]
fn one_persons_refusals_block_that_person_alone() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(strict(&upstream, LONG));
    let key = server.quick_key("alpha", &[]);
    until_blocked(&server, &wrong().with("X-Person", "ann"), &key);
    let by = |person: &str| code(&server.send(&read().with("X-Person", person), Some(&key)));
    assert_eq!([by("ann"), by("ben")], ["limit.blocked", "200"]);
    assert_eq!(
        code(&server.send(&read(), Some(&key))),
        "200",
        "the integration itself"
    );
    assert_eq!(subjects(&server), ["user:alpha/ann"]);
}

#[test]
fn refusals_of_one_credential_block_neither_its_sister_nor_its_address() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(strict(&upstream, LONG));
    let (bad, sister) = (
        server.quick_key("alpha", &[]),
        server.quick_key("alpha", &[]),
    );
    // Also what ends before anybody has to be authenticated is this credential's, not its neighbours'.
    let nowhere = call("GET", "/v1/nothing/here");
    for _ in 0..5 {
        assert_eq!(code(&server.send(&nowhere, Some(&bad))), "route.not_found");
    }
    assert_eq!(code(&server.send(&nowhere, Some(&bad))), "limit.blocked");
    assert_eq!(code(&server.send(&read(), Some(&bad))), "limit.blocked");
    assert_eq!(code(&server.send(&read(), Some(&sister))), "200");
    assert_eq!(guess(&server, [127, 0, 0, 1]), "authn.invalid");
    assert_eq!(subjects(&server), [format!("credential:{}", bad.id)]);
    let events = server.ledger_of(&json!({ "code": "route.not_found" }));
    assert!(
        events
            .iter()
            .all(|event| event["credential"] == json!(bad.id)),
        "{events:?}"
    );
}

#[test]
fn strangers_are_blocked_at_their_address_and_callers_there_are_not() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(strict(&upstream, LONG));
    let key = server.quick_key("alpha", &[]);
    let codes: Vec<String> = (0..8).map(|_| guess(&server, [127, 0, 7, 7])).collect();
    assert_eq!(
        (codes[0].as_str(), codes[7].as_str()),
        ("authn.invalid", "limit.blocked")
    );
    let here = |call: Call| code(&server.send(&call.from([127, 0, 7, 7]), Some(&key)));
    assert_eq!(here(read()), "200", "a proven caller passes");
    assert_eq!(
        here(call("GET", "/v1/nowhere")),
        "route.not_found",
        "and is told what it did"
    );
    assert_eq!(guess(&server, [127, 0, 7, 7]), "limit.blocked");
    assert_eq!(
        guess(&server, [127, 0, 7, 8]),
        "authn.invalid",
        "another address"
    );
    // A key that proves nobody any more is a stranger's.
    let revoked = server.quick_key("alpha", &[]);
    server.admin("key.revoke", &json!({ "id": revoked.id }));
    let response = server.send(&read().from([127, 0, 7, 7]), Some(&revoked));
    assert_eq!(code(&response), "limit.blocked");
    let row = &listed(&server)[0];
    assert_eq!(row["subject"], "address:127.0.7.7");
    assert_eq!(row["holds_for"], "strangers");
    assert_eq!(row["survives_restart"], false);
    assert!(
        row["reason"].as_str().unwrap().contains("authn.invalid"),
        "{row}"
    );
}

#[test]
fn turning_blocks_off_ends_what_refusals_began() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(strict(&upstream, LONG));
    let key = server.quick_key("alpha", &[]);
    until_blocked(&server, &wrong(), &key);
    let rule = format!("blocks: {{ after: 5 refusals/min, {LONG} }}");
    server.gate.edit("portcullis.yaml", &rule, "blocks: off");
    server.hang_up();
    let ended = testkit::poll(testkit::PATIENCE, || {
        (server.send(&read(), Some(&key)).status == 200).then_some(())
    });
    assert!(ended.is_some(), "{}", server.stderr());
}

#[test]
fn limits_of_ones_own_block_nobody_unless_asked() {
    let upstream = RecordingUpstream::always(NOTE);
    for (setting, wanted) in [
        (LONG.to_owned(), "limit.exceeded"),
        (format!("{LONG}, count_limits: true"), "limit.blocked"),
    ] {
        let gate = strict(&upstream, &setting);
        let limits = "limits: [{ per: integration, rate: 1/min, burst: 1 }]\ngrants:\n";
        gate.edit("integrations/alpha.yaml", "grants:\n", limits);
        let server = serve(gate);
        let key = server.quick_key("alpha", &[]);
        (0..20).for_each(|_| drop(server.send(&read(), Some(&key))));
        let last = server.send(&read(), Some(&key));
        assert_eq!(code(&last), wanted, "{setting}");
    }
}

#[test]
fn strangers_and_callers_at_one_address_have_shares_of_their_own() {
    let upstream = RecordingUpstream::always(NOTE);
    let gate = Gate::small(upstream.address());
    let wide = "address_limit: { rate: 100000/s, burst: 100000 }";
    gate.edit(
        "portcullis.yaml",
        wide,
        "address_limit: { rate: 1/min, burst: 5 }",
    );
    let server = serve(gate);
    let (first, second) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    let times = |key: &Key, times: usize| -> Vec<String> {
        (0..times)
            .map(|_| code(&server.send(&read(), Some(key))))
            .collect()
    };
    let codes: Vec<String> = (0..7).map(|_| guess(&server, [127, 0, 0, 1])).collect();
    assert_eq!(
        codes[4..],
        ["authn.invalid", "limit.exceeded", "limit.exceeded"]
    );
    // Strangers used their share up, one caller uses its own up, and another one has all of its own.
    assert_eq!(
        times(&first, 6),
        ["200", "200", "200", "200", "200", "limit.exceeded"]
    );
    assert_eq!(times(&second, 5), ["200"; 5]);
    // What ends before anybody has to be authenticated costs a share as well.
    let nowhere = call("GET", "/v1/nowhere");
    for key in [&first, &second] {
        assert_eq!(code(&server.send(&nowhere, Some(key))), "limit.exceeded");
    }
    let malformed = server.send(&call("GET", "/v1/%2e%2e/x"), Some(&first));
    assert_eq!(code(&malformed), "limit.exceeded");
}

#[test]
fn operators_add_list_explain_and_lift_blocks_and_all_of_it_is_recorded() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(strict(&upstream, LONG));
    let key = server.quick_key("alpha", &[]);
    let subject = format!("credential:{}", key.id);
    let reason = ["--reason", "sends duplicates", "-o", "json"];
    let add = [&["block", "add", &key.id, "--for", "30m"], &reason[..]].concat();
    assert_eq!(shown(&server.cli(&add))["subject"], json!(subject));
    let refused = server.send(&read(), Some(&key));
    assert_eq!(code(&refused), "limit.blocked");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1700..=1800).contains(&wait), "{wait}");
    is_shown_everywhere(&server, &subject, refused.decision().unwrap());

    let lift = ["block", "lift", &subject, "--reason", "release 7.3 is out"];
    assert_eq!(server.cli(&lift).code, Some(0));
    let after = server.send(&read(), Some(&key));
    assert_eq!(code(&after), "200", "from the next request on");
    let again = server.cli(&lift);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("is not blocked"), "{again:?}");
    assert!(server.cli(&["doctor"]).stdout.contains("none in force"));
    let recorded = [
        ("block.add", "sends duplicates"),
        ("block.lift", "release 7.3 is out"),
    ];
    for (kind, why) in recorded {
        let events = server.ledger_of(&json!({ "kind": kind }));
        let [event] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(event["credential"], json!(key.id));
        assert_eq!(event["integration"], "alpha");
        let detail = event["detail"].as_str().unwrap();
        assert!(detail.starts_with(&subject) && detail.contains(why));
        assert_eq!(event["actor"]["authenticated_by"], "local_socket");
        assert!(event["actor"]["process"].is_u64(), "{event}");
        assert!(event["user"].as_str().unwrap().ends_with("(local)"));
    }
}

/// In the list, in the explanation of what it refused, and in the doctor's findings.
fn is_shown_everywhere(server: &Server, subject: &str, decision: &str) {
    let row = &listed(server)[0];
    assert_eq!(row["subject"], json!(subject));
    assert_eq!(row["reason"], "sends duplicates");
    let kind = subject.split(':').next().unwrap();
    assert_eq!(row["holds_for"], json!(kind), "nobody else: {row}");
    assert_eq!(row["survives_restart"], true);
    assert!(row["by"].as_str().unwrap().ends_with("(local)"), "{row}");
    let table = server.cli(&["block", "list"]).stdout;
    assert!(table.contains(subject) && table.contains("sends duplicates"));
    let explained = server.cli(&["explain", decision]).stdout;
    let explained: Vec<&str> = explained.split_whitespace().collect();
    let explained = explained.join(" ");
    let remedy = format!("portcullis block lift {subject}");
    assert!(explained.contains("sends duplicates") && explained.contains(&remedy));
    let doctor = server.cli(&["doctor"]).stdout;
    let said = format!("1 block in force, `portcullis block list` shows all: {subject}");
    assert!(doctor.contains(&said), "{doctor}");
}

#[test]
fn what_refusals_began_is_lifted_for_true() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(strict(&upstream, LONG));
    let key = server.quick_key("alpha", &[]);
    let by_ann = || wrong().with("X-Person", "ann smith");
    until_blocked(&server, &by_ann(), &key);
    assert_eq!(
        server.cli(&["block", "lift", "user:alpha/ann smith"]).code,
        Some(0)
    );
    let four: Vec<String> = (0..4)
        .map(|_| code(&server.send(&by_ann(), Some(&key))))
        .collect();
    assert_eq!(
        four, ["validate.query"; 4],
        "the refusals before are forgotten"
    );
    (0..8).for_each(|_| drop(guess(&server, [127, 0, 9, 9])));
    assert_eq!(server.cli(&["block", "lift", "127.0.9.9"]).code, Some(0));
    assert_eq!(guess(&server, [127, 0, 9, 9]), "authn.invalid");
    let unknown = server.cli(&["integration", "unblock", "alpha"]);
    assert_eq!(unknown.code, Some(64), "{unknown:?}");
}

#[test]
fn a_block_that_a_person_added_to_an_address_holds_for_callers_too() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let add = [
        "block",
        "add",
        "address:127.0.7.0/24",
        "--for",
        "1h",
        "--reason",
        "scans",
    ];
    assert_eq!(server.cli(&add).code, Some(0));
    assert_eq!(
        code(&server.send(&read().from([127, 0, 7, 7]), Some(&key))),
        "limit.blocked"
    );
    assert_eq!(
        code(&server.send(&read().from([127, 0, 8, 7]), Some(&key))),
        "200"
    );
    assert_eq!(listed(&server)[0]["holds_for"], "everybody");
    let within = server.cli(&["block", "lift", "127.0.7.7"]);
    assert!(
        within.code == Some(1) && within.stderr.contains("within address:127.0.7.0/24"),
        "{within:?}"
    );
    // What no installation could have is a wrong command line; what this one does not have is not found.
    for (wrong, code) in [
        ("address:127.0.7.7/8", 64),
        ("0.0.0.0/0", 64),
        ("crm", 64),
        ("integration:gamma", 1),
        ("user:beta/ann", 1),
        ("key_01KA7ZQ4X8M2V5T9B3N6C1R0WY", 1),
    ] {
        let ended = server.cli(&["block", "add", wrong, "--for", "1h", "--reason", "r"]);
        assert_eq!(ended.code, Some(code), "{wrong}: {ended:?}");
    }
    for wrong in ["31d", "0s", "soon"] {
        let ended = server.cli(&["block", "add", "127.0.0.9", "--for", wrong, "--reason", "r"]);
        assert_eq!(ended.code, Some(64), "{wrong}: {ended:?}");
    }
    assert_eq!(subjects(&server), ["address:127.0.7.0/24"]);
}

#[test]
fn blocks_of_people_survive_a_restart_and_no_clock_makes_them_longer() {
    let upstream = RecordingUpstream::always(NOTE);
    let (clock, gate) = WallClock::prepare(strict(&upstream, LONG));
    let server = serve(gate);
    let (alpha, beta) = (
        server.quick_key("alpha", &[]),
        server.quick_key("beta", &[]),
    );
    until_blocked(&server, &wrong(), &beta);
    let add = [
        "block",
        "add",
        "integration:alpha",
        "--for",
        "10m",
        "--reason",
        "upgrade",
    ];
    assert_eq!(server.cli(&add).code, Some(0));
    let left = |server: &Server| {
        let rows = listed(server);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["subject"], "integration:alpha");
        rows[0]["seconds_left"].as_u64().unwrap()
    };
    let (ended, gate) = server.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // A clock of yesterday: the block lasts as long as it was meant to, and no longer.
    clock.set(-86_400);
    let server = serve(gate);
    assert!((1..=600).contains(&left(&server)));
    assert_eq!(code(&server.send(&read(), Some(&alpha))), "limit.blocked");
    assert_eq!(
        code(&server.send(&read(), Some(&beta))),
        "200",
        "refusals are forgotten"
    );
    let gate = server.kill();
    // Without a server it is known, and after its time it is over.
    clock.set(0);
    let list = testkit::run(crate::program(), &gate, &["block", "list", "-o", "json"]);
    assert_eq!(shown(&list)["blocks"][0]["subject"], "integration:alpha");
    clock.set(601);
    let server = serve(gate);
    assert_eq!(code(&server.send(&read(), Some(&alpha))), "200");
    assert!(listed(&server).is_empty());
}

#[test]
fn a_block_added_or_lifted_without_a_server_holds_when_one_starts() {
    let upstream = RecordingUpstream::always(NOTE);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("alpha", &[]);
    let (_, gate) = server.stop();
    let run = |gate: &Gate, arguments: &[&str]| testkit::run(crate::program(), gate, arguments);
    let add = [
        "block",
        "add",
        &key.id,
        "--for",
        "1h",
        "--reason",
        "stolen laptop",
    ];
    assert_eq!(run(&gate, &add).code, Some(0));
    let server = serve(gate);
    assert_eq!(code(&server.send(&read(), Some(&key))), "limit.blocked");
    let (_, gate) = server.stop();
    let lift = ["block", "lift", &key.id];
    assert_eq!(
        (run(&gate, &lift).code, run(&gate, &lift).code),
        (Some(0), Some(1))
    );
    let server = serve(gate);
    assert_eq!(code(&server.send(&read(), Some(&key))), "200");
}

#[test]
fn a_clock_that_is_set_neither_lengthens_nor_ends_what_runs() {
    let upstream = RecordingUpstream::always(NOTE);
    let (clock, gate) = WallClock::prepare(strict(&upstream, "for: 4s, escalate: 1"));
    let server = serve(gate);
    let key = server.quick_key("alpha", &[]);
    for shift in [-3_600, 86_400, -86_400] {
        until_blocked(&server, &wrong(), &key);
        clock.set(shift);
        let still = server.send(&read(), Some(&key));
        assert_eq!(code(&still), "limit.blocked", "{shift} s");
        let wait: u64 = still.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=4).contains(&wait), "{wait}, set by {shift} s");
        std::thread::sleep(Duration::from_secs(wait));
        assert_eq!(code(&server.send(&read(), Some(&key))), "200", "{shift} s");
    }
}
