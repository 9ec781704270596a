//! Limits that never refuse a call or hold nobody back, and operations that are counted in vain, are said; others are not.
//! What a limit counts has to be there.

use config::{compile, render};

use super::{base, options};

const FILE: &str = "integrations/accounting.yaml";

/// What is said of an integration with these limits, and whether it compiles.
fn told(limits: &[&str]) -> (bool, Vec<String>) {
    let mut files = base();
    let text = files.text(FILE).unwrap().to_owned();
    let (before, rest) = text.split_once("limits:\n").unwrap();
    let after = &rest[rest.find("grants:").unwrap()..];
    let lines: String = limits.iter().map(|one| format!("  - {one}\n")).collect();
    files.insert(
        FILE,
        format!("{before}limits:\n{lines}{after}").into_bytes(),
    );
    let (is_good, all) = match compile(&files, options()) {
        Ok((_, warnings)) => (true, warnings),
        Err(mistakes) => (false, mistakes),
    };
    (is_good, all.iter().map(|one| render(one, &files)).collect())
}

/// The warnings about these limits.
fn said(limits: &[&str]) -> Vec<String> {
    let (is_good, said) = told(limits);
    assert!(is_good, "{said:?}");
    said
}

/// The one mistake in these limits.
fn refused(limits: &[&str]) -> String {
    let (is_good, mut said) = told(limits);
    assert!(!is_good && said.len() == 1, "{limits:?}: {said:?}");
    said.remove(0)
}

#[test]
fn a_limit_beside_one_that_is_no_looser_is_said_with_its_line() {
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
        ("{ per: [address, user], rate: 60/min }", "`rate: 60/min`"),
        ("{ per: path.workOrderId, rate: 60/min }", "`rate: 60/min`"),
        (
            "{ per: address, rate: 60/min, failed: { status: [200] } }",
            "`rate: 60/min`",
        ),
    ] {
        // A call that one of them refuses is counted by none: it does not matter which is written first.
        for (limits, strict_line, loose_line) in [([strict, loose], 8, 9), ([loose, strict], 9, 8)]
        {
            let said = said(&limits);
            assert_eq!(said.len(), 1, "{said:?}");
            let is_told = said[0].contains(what)
                && said[0].contains(&format!("the limit in line {strict_line}"));
            assert!(
                is_told && said[0].contains(&format!("accounting.yaml:{loose_line}:")),
                "{said:?}"
            );
        }
    }
    // Of two that are the same the second is one too many.
    let twice = said(&[
        "{ per: address, rate: 60/min }",
        "{ per: address, rate: 60/min }",
    ]);
    assert_eq!(twice.len(), 1);
    assert!(twice[0].contains("accounting.yaml:9:"), "{twice:?}");
    // One operation has one share, whether it is counted apart or not.
    let of_one = "{ per: operation, rate: 1/s, burst: 1, operations: [\"field-service/v2:listWorkOrders\"] }";
    let again =
        "{ per: integration, rate: 2/s, operations: [\"field-service/v2:listWorkOrders\"] }";
    assert_eq!(said(&[of_one, again]).len(), 1);
}

#[test]
fn a_limit_that_can_refuse_is_not_said() {
    let strict = "{ per: integration, rate: 60/min, burst: 10, concurrency: 5 }";
    for limits in [
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
            "{ per: integration, rate: 1000/min }",
        ],
        vec![
            "{ per: integration, rate: 60/min, operations: [listWorkOrders] }",
            "{ per: integration, rate: 600/min }",
        ],
        vec![
            "{ per: path.workOrderId, rate: 10/min, burst: 5, failed: { status: [200] } }",
            "{ per: path.workOrderId, rate: 60/min }",
        ],
        vec![
            "{ per: object, rate: 60/min }",
            "{ per: path.workOrderId, rate: 30/min, burst: 60 }",
        ],
    ] {
        assert_eq!(said(&limits), [""; 0], "{limits:?}");
    }
}

#[test]
fn a_limit_by_a_name_that_whoever_calls_makes_up_is_said_unless_another_holds_beside_it() {
    let said = |limits: &[&str]| {
        let said = said(limits);
        let made_up = said.iter().filter(|one| one.contains("this limits nobody"));
        made_up.cloned().collect::<Vec<_>>()
    };
    for limits in [
        vec!["{ per: user, rate: 60/min }"],
        vec!["{ per: user, concurrency: 4 }"],
        vec!["{ per: [user, operation], rate: 60/min }"],
        // Another kind, other calls, or a name that is made up as well.
        vec![
            "{ per: user, rate: 60/min }",
            "{ per: integration, concurrency: 5 }",
        ],
        vec![
            "{ per: user, rate: 60/min }",
            "{ per: integration, rate: 90/min, operations: [listWorkOrders] }",
        ],
    ] {
        let said = said(&limits);
        assert_eq!(said.len(), 1, "{limits:?}");
        let is_told = said[0].contains("accounting.yaml:8:") && said[0].contains("`X-Acting-User`");
        assert!(is_told, "{said:?}");
    }
    for limits in [
        vec![
            "{ per: user, rate: 60/min }",
            "{ per: integration, rate: 90/min }",
        ],
        vec![
            "{ per: integration, concurrency: 9 }",
            "{ per: user, concurrency: 4 }",
        ],
        vec![
            "{ per: address, rate: 60/min }",
            "{ per: [user, address], rate: 30/min }",
        ],
    ] {
        assert_eq!(said(&limits), [""; 0], "{limits:?}");
    }
}

#[test]
fn a_concurrency_that_the_listeners_never_let_in_is_said() {
    let mut files = base();
    let server = files.text("portcullis.yaml").unwrap().to_owned();
    let few = "defaults:\n  connections_max: 3\n  connections_per_address_max: 2\n";
    files.insert(
        "portcullis.yaml",
        server.replace("defaults:\n", few).into_bytes(),
    );
    let text = files.text(FILE).unwrap().to_owned();
    let (before, rest) = text.split_once("limits:\n").unwrap();
    let after = &rest[rest.find("grants:").unwrap()..];
    let mut warned = |concurrency: u32, per: &str| {
        let limit = format!("limits: [ {{ per: {per}, concurrency: {concurrency} }} ]\n");
        files.insert(FILE, format!("{before}{limit}{after}").into_bytes());
        let (_, warnings) = compile(&files, options()).unwrap();
        let warnings = warnings.iter().map(|one| one.message.clone());
        warnings
            .filter(|said| said.contains("listeners let no more than"))
            .collect::<Vec<_>>()
    };
    // Two listeners with TLS, three connections each, a hundred requests on each of them.
    assert_eq!(warned(599, "integration"), [""; 0]);
    assert_eq!(
        warned(600, "integration"),
        ["`concurrency: 600` never refuses a call: the listeners let no more than 600 in at once"]
    );
    assert_eq!(warned(399, "address"), [""; 0]);
    assert_eq!(warned(400, "address").len(), 1);
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

#[test]
fn what_a_limit_counts_has_to_be_declared() {
    for (limit, what) in [
        (
            "{ per: person, rate: 60/min }",
            "calls cannot be counted per `person`",
        ),
        ("{ per: usr, rate: 60/min }", "`user`"),
        ("{ per: [], rate: 60/min }", "the limit counts nothing"),
        (
            "{ per: [user, user], rate: 60/min }",
            "a part is listed twice",
        ),
        (
            "{ per: [integration, address], rate: 60/min }",
            "`integration` adds nothing",
        ),
        (
            "{ per: [user, address, object, operation, path.workOrderId], rate: 60/min }",
            "too many parts",
        ),
        (
            "{ per: query.colour, rate: 60/min }",
            "declares no `query.colour`",
        ),
        (
            "{ per: path.workOrderId, rate: 60/min, operations: [getWorkOrder, listWorkOrders] }",
            "`listWorkOrders` declares no `path.workOrderId`",
        ),
        (
            "{ per: object, rate: 60/min, operations: [listWorkOrders] }",
            "the path of `listWorkOrders` names no declared object",
        ),
        (
            "{ per: body.colour, rate: 60/min }",
            "declares no `body.colour`",
        ),
        (
            "{ per: address, rate: 60/min, failed: {} }",
            "no outcome is named",
        ),
        (
            "{ per: address, rate: 60/min, failed: { status: [418] } }",
            "declares the answer 418",
        ),
        (
            "{ per: address, rate: 60/min, failed: { body: { colour: red } } }",
            "`colour`",
        ),
        (
            "{ per: address, rate: 60/min, concurrency: 2, failed: { status: [200] } }",
            "has not failed yet",
        ),
        ("{ per: integration, rate: 1/d, burst: 4000 }", "ten years"),
    ] {
        let said = refused(&[limit]);
        assert!(
            said.contains(what) && said.contains("accounting.yaml:8:"),
            "{said}"
        );
    }
}
