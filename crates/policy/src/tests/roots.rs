//! What stands beside the objects of an answer leaves only with one of them, or where none can be hidden.

use super::*;

const OWN: &str = "resource.partner == principal.partner";

fn item(id: &str, partner: &str, status: &str) -> String {
    format!(r#"{{"id":"{id}","status":"{status}","assignment":{{"partnerId":"{partner}"}}}}"#)
}

fn list(items: &[String]) -> String {
    format!(
        r#"{{"items":[{}],"nextCursor":"c","total":7}}"#,
        items.join(",")
    )
}

#[test]
fn root_fields_of_a_condition_leave_with_an_object() {
    let rules = rules(vec![grant(1, "listOrders", OWN, "id $.total", "")]);
    let at = |items: &[String]| answer(&rules, "listOrders", &list(items));
    let (own, foreign) = (item("1", "north", "open"), item("2", "south", "open"));
    // Beside a list in which nothing is seen they would tell a hidden object from none.
    assert_eq!(at(&[]), r#"{"items":[]}"#);
    assert_eq!(
        at(std::slice::from_ref(&own)),
        r#"{"items":[{"id":"1"}],"total":7}"#
    );
    assert_eq!(
        at(&[foreign.clone(), own]),
        r#"{"items":[{"id":"1"}],"total":7}"#
    );
    assert_eq!(at(&[foreign]), r#"{"items":[]}"#);
    // Something else stands where the objects should: it is not the same as none.
    for odd in [r#"{"0":{"id":"2"}}"#, r#"["x"]"#, "7", r#""x""#] {
        let upstream = format!(r#"{{"items":{odd},"total":7}}"#);
        assert!(
            !answer(&rules, "listOrders", &upstream).contains("total"),
            "{odd}"
        );
    }
}

#[test]
fn each_grant_lets_its_own_root_fields_leave() {
    let rules = rules(vec![
        grant(1, "listOrders", OWN, "id $.total", ""),
        grant(
            4,
            "listOrders",
            "resource.status == \"open\"",
            "status $.nextCursor",
            "",
        ),
        grant(7, "listOrders", "", "number", ""),
    ]);
    let at = |items: &[String]| answer(&rules, "listOrders", &list(items));
    assert_eq!(
        at(&[item("1", "south", "open")]),
        r#"{"items":[{"status":"open"}],"nextCursor":"c"}"#
    );
    assert_eq!(
        at(&[item("1", "north", "done")]),
        r#"{"items":[{"id":"1"}],"total":7}"#
    );
    assert_eq!(at(&[item("1", "south", "done")]), r#"{"items":[{}]}"#);
}

#[test]
fn what_the_request_decides_is_decided_before_the_upstream_is_asked() {
    for condition in [
        format!("context.query.status == \"open\" && {OWN}"),
        format!("{OWN} && context.query.status == \"open\""),
        format!("!(context.query.status != \"open\" || !({OWN}))"),
        format!("if context.query.status == \"open\" then {OWN} else false"),
        format!(
            "(context.query.status == \"open\" && {OWN}) || (context.query.status == \"open\" && resource.status == \"x\")"
        ),
    ] {
        let rules = rules(vec![grant(1, "listOrders", &condition, "id $.total", "")]);
        assert_eq!(
            answer(
                &rules,
                "listOrders ?status=open",
                &list(&[item("1", "north", "open")])
            ),
            r#"{"items":[{"id":"1"}],"total":7}"#,
            "{condition}"
        );
        for request in ["listOrders ?status=done", "listOrders"] {
            let refusal = call(request, "").decide(&rules).unwrap_err();
            assert_eq!(said(&refusal), "authz.condition_failed 403", "{condition}");
        }
        // Where another grant holds, the one that does not lets nothing of the root leave.
        let both = super::rules(vec![
            grant(1, "listOrders", &condition, "id $.total", ""),
            grant(4, "listOrders", "", "number", ""),
        ]);
        assert_eq!(
            answer(&both, "listOrders", &list(&[])),
            r#"{"items":[]}"#,
            "{condition}"
        );
    }
}

#[test]
fn what_the_object_may_still_decide_is_not_decided_before_it() {
    for condition in [
        format!("context.query.status == \"open\" || {OWN}"),
        format!("!({OWN}) || context.query.status == \"open\""),
        format!("if resource.status == \"x\" then context.query.status == \"open\" else {OWN}"),
        "resource has partner && !(resource has status)".to_owned(),
    ] {
        let rules = rules(vec![grant(1, "listOrders", &condition, "id", "")]);
        assert!(
            call("listOrders ?status=done", "").decide(&rules).is_ok(),
            "{condition}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// A root field leaves exactly when the condition of one of its grants held for an item, or when the list is empty and
    /// nobody can be hidden in it.
    #[test]
    fn root_fields_leave_by_the_grants_that_held(
        items in proptest::collection::vec((proptest::bool::ANY, proptest::bool::ANY), 0..5),
        free in proptest::bool::ANY,
    ) {
        let mut grants = vec![
            grant(1, "listOrders", OWN, "id $.total", ""),
            grant(4, "listOrders", "resource.status == \"open\"", "id $.nextCursor", ""),
        ];
        grants.extend(free.then(|| grant(7, "listOrders", "", "number", "")));
        let rules = rules(grants);
        let upstream: Vec<String> = items
            .iter()
            .map(|(own, open)| item("1", if *own { "north" } else { "south" }, if *open { "open" } else { "done" }))
            .collect();
        let left = answer(&rules, "listOrders", &list(&upstream));
        let may = |held: fn(&(bool, bool)) -> bool| (items.is_empty() && free) || items.iter().any(held);
        proptest::prop_assert_eq!(left.contains("total"), may(|(own, _)| *own));
        proptest::prop_assert_eq!(left.contains("nextCursor"), may(|(_, open)| *open));
    }
}
