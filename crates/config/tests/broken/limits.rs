//! Limits that never refuse a call, and operations that are counted in vain, are said; others are not.

use config::{compile, render};

use super::{base, options};

const FILE: &str = "integrations/accounting.yaml";

/// What is said of an integration with these limits.
fn said(limits: &[&str]) -> Vec<String> {
    let mut files = base();
    let text = files.text(FILE).unwrap().to_owned();
    let (before, rest) = text.split_once("limits:\n").unwrap();
    let after = &rest[rest.find("grants:").unwrap()..];
    let lines: String = limits.iter().map(|one| format!("  - {one}\n")).collect();
    files.insert(
        FILE,
        format!("{before}limits:\n{lines}{after}").into_bytes(),
    );
    let (_, warnings) = compile(&files, options()).unwrap();
    warnings.iter().map(|one| render(one, &files)).collect()
}

#[test]
fn a_limit_that_an_earlier_one_always_refuses_before_is_said_with_its_line() {
    let strict = "{ per: integration, rate: 60/min, burst: 10, concurrency: 5 }";
    for (loose, what) in [
        (
            "{ per: integration, rate: 600/min, burst: 10 }",
            "`rate: 600/min`",
        ),
        (
            "{ per: integration, rate: 60/min, burst: 20 }",
            "`rate: 60/min`",
        ),
        ("{ per: user, rate: 1/s, burst: 10 }", "`rate: 1/s`"),
        (
            "{ per: operation, rate: 100/s, operations: [listWorkOrders] }",
            "`rate: 100/s`",
        ),
        ("{ per: operation, concurrency: 8 }", "`concurrency: 8`"),
    ] {
        let said = said(&[strict, loose]);
        assert_eq!(said.len(), 1, "{said:?}");
        let is_told = said[0].contains(what) && said[0].contains("the limit in line 8");
        assert!(
            is_told && said[0].contains("accounting.yaml:9:"),
            "{said:?}"
        );
    }
    // One operation has one share, whether it is counted apart or not.
    let of_one = "{ per: operation, rate: 1/s, operations: [\"field-service/v2:listWorkOrders\"] }";
    let again =
        "{ per: integration, rate: 2/s, operations: [\"field-service/v2:listWorkOrders\"] }";
    assert_eq!(said(&[of_one, again]).len(), 1);
}

#[test]
fn a_limit_that_can_refuse_is_not_said() {
    let strict = "{ per: integration, rate: 60/min, burst: 10, concurrency: 5 }";
    for limits in [
        // What the first lets pass the second may refuse.
        vec!["{ per: integration, rate: 600/min, burst: 100 }", strict],
        vec![strict, "{ per: integration, rate: 600/min, burst: 9 }"],
        vec![strict, "{ per: integration, rate: 50/min, burst: 60 }"],
        vec![strict, "{ per: user, concurrency: 4 }"],
        // The others are counted beside it.
        vec![
            "{ per: user, rate: 60/min }",
            "{ per: integration, rate: 600/min }",
        ],
        vec![
            "{ per: operation, rate: 60/min }",
            "{ per: integration, rate: 600/min }",
        ],
        vec![
            "{ per: operation, rate: 60/min }",
            "{ per: user, rate: 600/min }",
        ],
        vec![
            "{ per: integration, rate: 60/min, operations: [listWorkOrders] }",
            "{ per: integration, rate: 600/min }",
        ],
    ] {
        assert_eq!(said(&limits), [""; 0], "{limits:?}");
    }
}

#[test]
fn an_operation_that_is_counted_and_not_granted_is_said() {
    let said = said(&[
        "{ per: integration, rate: 60/min, operations: [listWorkOrders, createWorkOrder] }",
    ]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("`createWorkOrder` is counted here, and `accounting` is not granted it"),
        "{said:?}"
    );
}
