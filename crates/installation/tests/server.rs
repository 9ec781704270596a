//! An installation without a command line: a server started, asked, looked at and stopped in this process.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use control::commands::integration::ListIntegrations;
use control::{client, socket};
use crypto::Kek;
use installation::doctor::{self, State};
use installation::server::{self, Host, Watch};
use installation::{Severity, files, kek, ledger, open};
use testkit::Gate;

const HOST: Host = Host {
    say: |_| {},
    version: "0",
};

fn gate() -> Gate {
    Gate::small("127.0.0.1:9".parse().unwrap())
}

#[test]
fn a_server_is_started_asked_and_stopped() {
    let gate = gate();
    let running =
        server::start(&gate.dir(), Watch::Nothing, HOST).unwrap_or_else(|e| panic!("{e:?}"));
    assert!(running.address("public").is_some());
    let sockets = socket::in_data(&gate.data());
    let ask = || client::ask(&sockets, &ListIntegrations {}, "a test");
    let listed = ask().unwrap().unwrap();
    assert_eq!(listed.out.integrations.len(), 2);
    assert_eq!(listed.document["schema_version"], 1);
    // What it holds is held by nobody else.
    let second = server::start(&gate.dir(), Watch::Nothing, HOST)
        .err()
        .unwrap();
    assert_eq!(second.severity, Severity::Failed);
    let found = doctor::examine(&gate.dir(), "a test");
    let of = |check: &str| found.iter().find(|one| one.check == check).unwrap();
    assert_eq!(of("server").state, State::Ok, "{:?}", of("server"));
    assert_eq!(of("ledger").state, State::Ok, "{:?}", of("ledger"));
    // Nothing answers behind it.
    assert_eq!(doctor::worst(&found), State::Fail(Severity::Failed));
    running.stop().unwrap();
    assert!(ask().is_none());
    let report = ledger::open_read(&gate.dir())
        .unwrap()
        .verify(None)
        .unwrap();
    assert!(report.is_good() && report.records > 1, "{report:?}");
}

#[test]
fn a_key_is_exchanged_once_and_what_was_done_before_is_said() {
    let gate = gate();
    let texts = files::read(&gate.dir()).unwrap();
    let (compiled, _) = files::compile_to_read(&texts, installation::now()).unwrap();
    let old = open::kek(&compiled, &gate.dir(), &texts).unwrap();
    let new = Kek::parse(Kek::generate_text().expose()).unwrap();
    open::open(&compiled, &gate.dir(), &texts)
        .unwrap()
        .recorder
        .stop()
        .unwrap();
    let actor = control::Actor::on_store("a test", 7);
    let change = |keys| kek::change(&compiled, &gate.dir(), keys, &actor);
    let same = change((&old, &old)).unwrap_err();
    assert_eq!(same.severity, Severity::Configuration);
    assert!(!change((&old, &new)).unwrap().rotated.was_done_before);
    assert!(change((&old, &new)).unwrap().rotated.was_done_before);
    // Neither of two keys that are strange to it.
    let strange = Kek::parse(Kek::generate_text().expose()).unwrap();
    let wrong = change((&old, &strange)).unwrap_err();
    assert_eq!(wrong.severity, Severity::Configuration);
    assert!(open::open_with(&compiled, &gate.dir(), &new).is_ok());
}

#[test]
fn what_is_wrong_with_a_directory_is_said_with_its_place() {
    let gate = gate();
    gate.edit("portcullis.yaml", "store:", "storage:");
    let error = server::start(&gate.dir(), Watch::Nothing, HOST)
        .err()
        .unwrap();
    assert_eq!(error.severity, Severity::Configuration);
    assert!(
        error.message.contains("portcullis.yaml"),
        "{}",
        error.message
    );
    assert!(error.remedy.contains("portcullis check"));
    let found = doctor::examine(&gate.dir(), "a test");
    assert_eq!(doctor::worst(&found), State::Fail(Severity::Configuration));
    assert_eq!(found.len(), 1, "nothing else can be looked at");
}
