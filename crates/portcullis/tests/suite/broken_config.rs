//! A bad configuration never replaces a good one: every broken configuration of the config room, one after the other,
//! put into the directory of a running server while a client keeps calling.
//! The broken ones are data (`crates/config/tests/broken.json`), edits of the good one in `crates/config/tests/base`.
//! Start reading at `a_running_server_outlives_every_broken_configuration`.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Gate, Key, PATIENCE, RecordingUpstream, Server, poll, wire};

use crate::{call, program, serve};

struct Case {
    name: String,
    file: String,
    replace: String,
    with: String,
    /// What is said first about it: as in the golden file, unless the file system has a word of its own.
    headline: String,
}

fn room() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tests")
}

fn cases() -> Vec<Case> {
    let bytes = std::fs::read(room().join("broken.json")).unwrap();
    let all: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let golden = std::fs::read_to_string(room().join("broken.golden")).unwrap();
    let text = |case: &Value, name: &str| case[name].as_str().unwrap().to_owned();
    let headline = |case: &Value| {
        if let Some(said) = case["on_disk"].as_str() {
            return said.to_owned();
        }
        let (_, said) = golden
            .split_once(&format!("## {}\n", text(case, "name")))
            .unwrap();
        said.trim_start().lines().next().unwrap().to_owned()
    };
    all.iter()
        .map(|case| Case {
            name: text(case, "name"),
            file: text(case, "file"),
            replace: text(case, "replace"),
            with: text(case, "with"),
            headline: headline(case),
        })
        .collect()
}

/// The good configuration, on free ports, with certificates and a key of its own.
fn good(upstream: &RecordingUpstream) -> Gate {
    // The demo's certificates and key stand in for the company's own.
    let gate = Gate::demo(upstream.address());
    let kek = gate.text("kek");
    for dir in ["apis", "integrations", "overlays", "policies", "roles"] {
        for name in gate.names(dir) {
            gate.remove(&format!("{dir}/{name}"));
        }
    }
    copy(&room().join("base"), "", &gate, &|text| {
        here(text, upstream)
    });
    std::fs::copy(
        gate.home().join("ca.pem"),
        gate.dir().join("tls/partners-ca.pem"),
    )
    .unwrap();
    gate.with_env("PORTCULLIS_KEK", kek.trim())
}

/// Free ports below those the system hands out, so that no other test of this run gets them meanwhile. They have to be
/// real ones: some of the mistakes are about two listeners at one address.
fn ports() -> [u16; 3] {
    static PORTS: OnceLock<[u16; 3]> = OnceLock::new();
    *PORTS.get_or_init(|| {
        let start = 10_000 + u16::try_from(std::process::id() % 20_000).unwrap();
        let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let mut free = (start..).filter(is_free);
        [(); 3].map(|()| free.next().unwrap())
    })
}

/// Addresses of this machine in place of the written ones.
fn here(text: &str, upstream: &RecordingUpstream) -> String {
    let mut text = text.replace("0.0.0.0:8443", "127.0.0.1:8443");
    for (written, free) in [8443, 8444, 8081].into_iter().zip(ports()) {
        text = text.replace(&format!(":{written}"), &format!(":{free}"));
    }
    text.replace(
        "http://127.0.0.1:9101",
        &format!("http://{}", upstream.address()),
    )
}

fn copy(from: &Path, prefix: &str, gate: &Gate, edit: &dyn Fn(&str) -> String) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            copy(&entry.path(), &format!("{name}/"), gate, edit)
        } else {
            gate.write(&name, edit(&std::fs::read_to_string(entry.path()).unwrap()))
        }
    }
}

/// Breaks the directory; what comes back puts it right again.
fn broken<'a>(
    case: &'a Case,
    gate: &'a Gate,
    upstream: &'a RecordingUpstream,
) -> impl FnOnce() + use<'a> {
    let place = gate.dir().join(&case.file);
    let before = std::fs::read(&place).ok();
    match case.replace.as_str() {
        "*" => gate.write(&case.file, here(&case.with, upstream)),
        "-" => gate.remove(&case.file),
        part => {
            let good = std::fs::read_to_string(room().join("base").join(&case.file)).unwrap();
            assert!(good.contains(part), "{}", case.name);
            gate.write(
                &case.file,
                here(&good.replacen(part, &case.with, 1), upstream),
            );
        }
    }
    move || match before {
        Some(bytes) => gate.write(&case.file, bytes),
        None => std::fs::remove_file(place).unwrap(),
    }
}

/// Calls without a pause until told to stop; gives how many calls were answered, and every answer that was wrong.
fn caller(
    server: &Server,
    key: &Key,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<(usize, Vec<String>)> {
    let (address, ca) = (server.address("public"), server.gate.ca());
    let (key, stop) = (key.text.clone(), Arc::clone(stop));
    std::thread::spawn(move || {
        let (mut count, mut wrong) = (0, Vec::new());
        let asked = call("GET", "/v2/work-orders");
        while !stop.load(Ordering::Acquire) {
            let response = wire::tls(address, &ca, &asked, Some(&key));
            count += 1;
            if response.status != 200 {
                wrong.push(format!("{} {}", response.status, response.text()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        (count, wrong)
    })
}

fn refusals(server: &Server) -> usize {
    server
        .ledger_of(&json!({ "kind": "configuration.refused" }))
        .len()
}

fn await_refusals(server: &Server, wanted: usize, why: &str) {
    let came = poll(PATIENCE, || (refusals(server) >= wanted).then_some(()));
    assert!(
        came.is_some(),
        "{why}: {} refusals, not {wanted}: {}",
        refusals(server),
        server.stderr()
    );
}

#[test]
fn a_running_server_outlives_every_broken_configuration() {
    let upstream = RecordingUpstream::always(
        r#"{"items":[{"id":"1","assignment":{"partnerId":"north"}}],"total":1}"#,
    );
    let gate = good(&upstream);
    // The rate per address counts too, and this client calls all the time.
    gate.edit(
        "portcullis.yaml",
        "rate: 50/s, burst: 100",
        "rate: 5000/s, burst: 1000",
    );
    let server = serve(gate);
    let key = server.key("partner-north");
    let stop = Arc::new(AtomicBool::new(false));
    let calling = caller(&server, &key, &stop);
    let mut mistakes = Vec::new();
    let all = cases();
    assert!(all.len() >= 50);
    for case in &all {
        let (said, before) = (server.stderr().len(), refusals(&server));
        let mend = broken(case, &server.gate, &upstream);
        server.hang_up();
        await_refusals(&server, before + 1, &case.name);
        let headline = here(&case.headline, &upstream);
        // The same mistake may be found twice, by the signal and by the eye on the files; its words count once.
        let told = poll(PATIENCE, || {
            let words = server.stderr()[said..].to_owned();
            let after = words.split_once(&headline)?.1;
            (after.contains("help:") && after.contains("keeps serving")).then_some(())
        });
        if told.is_none() {
            mistakes.push(format!("{}: {}", case.name, &server.stderr()[said..]));
        }
        mend();
    }
    stop.store(true, Ordering::Release);
    let (count, wrong) = calling.join().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {count} failed: {:?}",
        wrong.len(),
        wrong.first()
    );
    assert!(count > 50, "{count} calls");
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[test]
fn check_refuses_every_broken_configuration_with_78_and_changes_nothing() {
    let upstream = RecordingUpstream::always("{}");
    let gate = good(&upstream);
    let ended = testkit::run(program(), &gate, &["check", &gate.dir().to_string_lossy()]);
    assert!(matches!(ended.code, Some(0 | 2)), "the good one: {ended:?}");
    let mut wrong = Vec::new();
    for case in cases() {
        let mend = broken(&case, &gate, &upstream);
        let ended = testkit::run(program(), &gate, &["check", &gate.dir().to_string_lossy()]);
        if ended.code != Some(78) || !ended.stderr.contains("help:") || !ended.stdout.is_empty() {
            wrong.push(format!("{}: {ended:?}", case.name));
        }
        mend();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(!gate.data().exists(), "check has no side effects");
}

#[test]
fn check_says_what_gives_nothing_and_what_no_object_has() {
    let upstream = RecordingUpstream::always("{}");
    let gate = Gate::demo(upstream.address());
    let check = || testkit::run(program(), &gate, &["check", &gate.dir().to_string_lossy()]);
    let before = check();
    assert_eq!(
        before.code,
        Some(0),
        "the demo has nothing to warn of: {before:?}"
    );
    let file = "integrations/accounting.yaml";
    let first =
        "    when: resource.status == \"completed\"\n    fields: [id, number, status, completedAt";
    gate.edit(file, first, &first.replacen("completed", "complted", 1));
    let limit = "  - { per: integration, rate: 600/min, burst: 60, concurrency: 20 }\n";
    let more = "  - { per: operation, rate: 30/s, burst: 60, operations: [getInvoice] }\n  \
         - { per: integration, rate: 1/s, operations: [getPart] }\n";
    gate.edit(file, limit, &format!("{limit}{more}"));
    let mut text = gate.text(file);
    text.push_str("  - api: field-service/v2\n    operations: [listInvoices]\n    fields: [id, lines.*.sku]\n    query: [limit]\n");
    gate.write(file, text);
    gate.edit(
        "policies/cancelled.cedar",
        "resource.status == \"cancelled\"",
        "resource.status == \"canceled\"",
    );
    let after = check();
    assert_eq!(after.code, Some(2), "{after:?}");
    for said in [
        "`complted` is no value that the contract declares for `resource.status`",
        "Did you mean `completed`?",
        "`canceled` is no value that the contract declares for `resource.status`",
        "Did you mean `cancelled`?",
        "`rate: 30/s` never refuses a call: the limit in line 7",
        "`getPart` is counted here, and `accounting` is not granted it",
        "the grant gives nothing: the one at integrations/accounting.yaml:",
        "accounting.yaml:13:31",
        "cancelled.cedar:9:",
    ] {
        let all = format!("{}{}", after.stdout, after.stderr);
        assert!(all.contains(said), "{said}: {all}");
    }
}

#[test]
fn a_changed_file_is_noticed_without_a_signal_and_a_good_one_takes_effect_without_a_failed_call() {
    let upstream = RecordingUpstream::always(r#"{"id":"1","title":"t","text":"long"}"#);
    let server = serve(Gate::small(upstream.address()));
    let key = server.quick_key("beta", &[]);
    let address = server.address("public");
    let stop = Arc::new(AtomicBool::new(false));
    let wrong = Arc::new(AtomicUsize::new(0));
    let (ends, counts, text) = (Arc::clone(&stop), Arc::clone(&wrong), key.text.clone());
    let calling = std::thread::spawn(move || {
        while !ends.load(Ordering::Acquire) {
            let response = wire::send(address, &call("GET", "/v1/notes/1"), Some(&text));
            let is_good = response.status == 200
                && matches!(
                    response.text().as_str(),
                    r#"{"id":"1","title":"t"}"# | r#"{"id":"1"}"#
                );
            if !is_good {
                counts.fetch_add(1, Ordering::AcqRel);
            }
        }
    });
    server
        .gate
        .edit("integrations/beta.yaml", "[id, title]", "[id, titel]");
    await_refusals(&server, 1, "a changed file");
    server.wait_for("Did you mean `title`?");
    server
        .gate
        .edit("integrations/beta.yaml", "[id, titel]", "[id]");
    let applied = poll(PATIENCE, || {
        let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
        (response.text() == r#"{"id":"1"}"#).then_some(())
    });
    stop.store(true, Ordering::Release);
    calling.join().unwrap();
    assert!(applied.is_some(), "{}", server.stderr());
    assert_eq!(wrong.load(Ordering::Acquire), 0, "failed calls");
    assert_eq!(
        server
            .ledger_of(&json!({ "kind": "configuration.applied" }))
            .len(),
        1
    );
    // Revoked by configuration: without a grant the next call is refused.
    server.gate.edit(
        "integrations/beta.yaml",
        "operations: [listNotes, getNote]",
        "operations: [listNotes]",
    );
    server.hang_up();
    let refused = poll(PATIENCE, || {
        let response = server.send(&call("GET", "/v1/notes/1"), Some(&key));
        (response.code().as_deref() == Some("authz.operation_not_granted")).then_some(())
    });
    assert!(refused.is_some(), "{}", server.stderr());
}

#[test]
fn what_a_running_server_cannot_change_is_refused_not_ignored() {
    let upstream = RecordingUpstream::always("{}");
    let server = serve(Gate::small(upstream.address()));
    let edits = [
        ("store: { dir: data }", "store: { dir: other }"),
        ("head: 10s", "head: 11s"),
        (
            "  admin:\n",
            "  internal: { address: \"127.0.0.1:0\", plain: true }\n  admin:\n",
        ),
    ];
    for (number, (from, to)) in edits.into_iter().enumerate() {
        server.gate.edit("portcullis.yaml", from, to);
        server.hang_up();
        await_refusals(&server, number + 1, to);
        server.gate.edit("portcullis.yaml", to, from);
    }
    assert!(server.stderr().contains("Restart the server"));
    assert!(!server.gate.dir().join("other").exists());
}

#[test]
fn a_store_that_would_lie_among_the_configuration_is_refused_before_it_is_made() {
    let upstream = RecordingUpstream::always("{}");
    for place in [
        "apis",
        "integrations/x",
        ".",
        "portcullis.yaml",
        "policies",
        "secrets",
    ] {
        let gate = Gate::small(upstream.address());
        let text = gate.text("portcullis.yaml");
        assert!(text.contains("dir: data"), "{text}");
        let text = text.replace("dir: data", &format!("dir: \"{place}\""));
        gate.write("portcullis.yaml", text);
        let before = gate.names(".");
        let dir = gate.dir().display().to_string();
        for arguments in [&["check", &dir][..], &["serve", "--config", &dir]] {
            let ended = testkit::run(program(), &gate, arguments);
            assert_eq!(ended.code, Some(78), "{place}: {ended:?}");
            assert!(ended.stderr.contains("the store"), "{place}: {ended:?}");
        }
        assert_eq!(gate.names("."), before, "{place}");
    }
}
