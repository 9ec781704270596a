//! The demo's configuration, reviewed. Questions of `can` are tried by the command line's own tests.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::LazyLock;

use config::{Compiled, Files, Options};
use model::Timestamp;
use policy::How;
use review::{access, can, replay};

const NOW: Timestamp = Timestamp::from_micros(1_760_000_000_000_000);

static DEMO: LazyLock<Compiled> = LazyLock::new(|| {
    let mut files = Files::new();
    for (path, text) in demo::gate::files(&demo::Ports::default()) {
        files.insert(path, text.into_bytes());
    }
    let compiled = config::compile_to_read(&files, Options { now: NOW });
    compiled.map(|(compiled, _)| compiled).unwrap()
});

#[test]
fn what_an_integration_may_do_is_counted_by_kind_of_object() {
    let found = access::of_integration(&DEMO, "accounting").unwrap();
    let orders = found
        .summary
        .iter()
        .find(|one| one.schema == "WorkOrder")
        .unwrap();
    assert!(
        orders.seen > 0 && orders.seen < orders.declared,
        "{orders:?}"
    );
    // What it may see of a completed one is a condition.
    assert!(
        orders
            .conditions
            .iter()
            .any(|when| when.contains("completed"))
    );
    let judged = found
        .judged
        .iter()
        .find(|one| &*one.operation == "getWorkOrder");
    assert!(judged.unwrap().enforcement.can_refuse);
    assert!(found.rows.iter().any(|row| row.how == How::Call));
}

#[test]
fn who_can_see_a_field_is_found_by_its_end_or_its_whole_path() {
    let all = access::of_field(&DEMO, None, "taxId").unwrap();
    let names = |found: &access::FieldAccess| {
        let mut names: Vec<String> = found
            .rows
            .iter()
            .map(|row| row.integration.to_string())
            .collect();
        names.dedup();
        names
    };
    assert!(names(&all).contains(&"accounting".to_owned()), "{all:?}");
    let whole = access::of_field(&DEMO, Some("accounting"), "customer.taxId").unwrap();
    assert_eq!(names(&whole), ["accounting"]);
    // Nobody is granted what is declared all the same.
    let nobody = access::of_field(&DEMO, Some("thermo"), "customer.taxId").unwrap();
    assert!(nobody.rows.is_empty());
}

#[test]
fn unknown_names_are_told_with_what_was_probably_meant() {
    let helps = [
        (
            access::of_integration(&DEMO, "acounting").unwrap_err(),
            "accounting",
        ),
        (
            access::of_field(&DEMO, None, "customer.taxIdd").unwrap_err(),
            "taxId",
        ),
        (
            can::operation("getWorkOrdr", None, &DEMO).unwrap_err(),
            "getWorkOrder",
        ),
        (can::listener("publik", &DEMO).unwrap_err(), "public"),
        (
            can::operation("x", Some("field-service/v9"), &DEMO).unwrap_err(),
            "field-service/v0",
        ),
    ];
    for (error, meant) in helps {
        assert!(error.help.contains(meant) && !error.is_unclear, "{error:?}");
    }
    let unclear = can::operation("getWorkOrder", None, &DEMO).unwrap_err();
    assert!(unclear.is_unclear && unclear.help.contains("field-service/v2:getWorkOrder"));
}

#[test]
fn written_requests_are_told_by_what_refuses_them() {
    let lines = [
        r#"{"method":"PATCH","path":"/v2/customers/9","headers":{"content-type":"application/json"},"body":{"email":7}}"#,
        r#"{"method":"PATCH","path":"/v2/customers/8","headers":{"content-type":"application/json"},"body":{"email":7}}"#,
        "",
        r#"{"method":"GET","path":"/nowhere"}"#,
    ];
    let report = replay::written(&lines.join("\n"), None, &DEMO, NOW).unwrap();
    assert_eq!(
        (report.requests, report.now_refused, report.not_judged),
        (3, 2, 1)
    );
    let [change] = &report.changes[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        (change.change, &*change.class),
        ("now refused", "validate.body")
    );
    assert_eq!((change.requests, &*change.first), (2, "line 1"));
    assert_eq!(report.first_lost.as_ref().unwrap().0, "line 4");
    assert!(!report.is_quiet());
    // Beside the same configuration nothing changes.
    let same = replay::written(lines[0], Some(&*DEMO), &DEMO, NOW).unwrap();
    assert!(same.is_quiet(), "{same:?}");
}

#[test]
fn a_line_that_is_no_request_is_named() {
    let error = replay::written("\n{}", None, &DEMO, NOW).unwrap_err();
    assert_eq!(error.number, 2);
}
