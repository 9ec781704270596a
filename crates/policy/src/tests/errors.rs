//! Answers that report an error: what leaves of them, held against an independent reading of the field lists.
//! Start reading at `of_error_answers_leaves_what_is_listed_and_nothing_else`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The error answer of every operation in the test api: `key` is secret, `order` a declared object.
const FIELDS: [&str; 6] = [
    "code",
    "message",
    "trace",
    "order.id",
    "order.assignment",
    "order",
];

fn told(line: u32, operations: &str, when: &str, errors: &[&str]) -> Grant {
    let list = errors
        .iter()
        .flat_map(|entry| FieldPath::parse(entry).unwrap());
    Grant {
        errors: list.map(|value| listed(value, line)).collect(),
        ..grant(line, operations, when, "", "")
    }
}

/// What leaves of an error answer to this call, before any answer that means success.
fn shown(rules: &Arc<Rules>, text: &str, known: &[(&str, &str)], body: &Value) -> Option<Value> {
    let body_of_call = if text.starts_with("update") {
        r#"{"notes":"n"}"#
    } else {
        ""
    };
    let call = call(text, body_of_call);
    let permit = call.before(rules, known).unwrap();
    let released = permit.release_error(&call.facts(), 1, &super::json(&body.to_string()));
    released.map(|released| serde_json::from_slice(&released.body).unwrap())
}

/// The same, read off the lists: no plan, no shape, no code of this room.
fn expected(errors: &[&str], body: &Value, sees_order: bool) -> Option<Value> {
    let has = |name: &str| errors.contains(&name);
    let mut out = serde_json::Map::new();
    for name in ["code", "message", "trace"] {
        if has(name) && body.get(name).is_some() {
            out.insert(name.to_owned(), body[name].clone());
        }
    }
    if let Some(order) = body.get("order").filter(|_| sees_order) {
        let mut inner = serde_json::Map::new();
        for (name, entry) in [("id", "order.id"), ("assignment", "order.assignment")] {
            if (has(entry) || has("order")) && order.get(name).is_some() {
                inner.insert(name.to_owned(), order[name].clone());
            }
        }
        if ["order", "order.id", "order.assignment"]
            .iter()
            .any(|entry| has(entry))
        {
            out.insert("order".to_owned(), Value::Object(inner));
        }
    }
    let whole = Value::Object(out);
    fn leaves(value: &Value) -> usize {
        match value {
            Value::Object(members) => members.values().map(leaves).sum(),
            _ => 1,
        }
    }
    (leaves(&whole) > 0).then_some(whole)
}

fn body() -> impl Strategy<Value = Value> {
    let partner = prop_oneof![Just("north"), Just("south")];
    (any::<[bool; 7]>(), partner).prop_map(|(has, partner)| {
        let mut body = serde_json::Map::new();
        for (name, is_there) in ["code", "message", "trace", "key", "undeclared"]
            .iter()
            .zip(has)
        {
            if is_there {
                body.insert((*name).to_owned(), json!(format!("{name} said")));
            }
        }
        if has[5] {
            let mut order = json!({ "id": "7", "notes": "inside" });
            if has[6] {
                order["assignment"] = json!({ "partnerId": partner });
            }
            body.insert("order".to_owned(), order);
        }
        Value::Object(body)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn of_error_answers_leaves_what_is_listed_and_nothing_else(
        picked in proptest::collection::vec(any::<bool>(), FIELDS.len()),
        body in body(),
    ) {
        let errors: Vec<&str> = FIELDS.iter().zip(&picked).filter(|(_, is)| **is).map(|(f, _)| *f).collect();
        // `getOrder` makes orders of north visible and no others; `getHealth` has no object at all.
        let rules = rules(vec![
            grant(1, "getOrder", r#"resource.partner == "north""#, "id assignment", ""),
            told(5, "getHealth", "", &errors),
        ]);
        let partner = body.pointer("/order/assignment/partnerId").and_then(Value::as_str);
        prop_assert_eq!(
            shown(&rules, "getHealth", &[], &body),
            expected(&errors, &body, partner == Some("north"))
        );
    }
}

const NORTH: &str = r#"{"id":"7","status":"open","assignment":{"partnerId":"north"}}"#;

#[test]
fn an_error_proves_nothing_about_an_object_that_was_not_judged() {
    let mine = r#"resource.partner == "north""#;
    let rules = rules(vec![
        told(1, "getOrder", mine, &["message"]),
        told(5, "getOrder", "", &["code"]),
    ]);
    let body = json!({ "code": "E", "message": "locked by south" });
    let read = shown(&rules, "getOrder orderId=7", &[], &body);
    assert_eq!(
        read,
        Some(json!({ "code": "E" })),
        "only what needs no object"
    );
}

#[test]
fn a_write_shows_the_error_fields_of_the_grants_that_hold_for_its_object() {
    let of = |partner: &str| format!(r#"resource.partner == "{partner}""#);
    let mut north = told(1, "updateOrder", &of("north"), &["message"]);
    north.writes = grant(1, "updateOrder", "", "", "notes").writes;
    let mut open = told(
        5,
        "updateOrder",
        r#"resource.status == "closed""#,
        &["trace"],
    );
    open.writes = north.writes.clone();
    let rules = rules(vec![north, open]);
    let body = json!({ "code": "E", "message": "m", "trace": "t", "key": "k" });
    let told = shown(&rules, "updateOrder orderId=7", &[("7", NORTH)], &body);
    assert_eq!(told, Some(json!({ "message": "m" })));
}

#[test]
fn what_is_hidden_decides_what_an_error_may_tell() {
    let mine = r#"resource.partner == "north""#;
    let of = |when: &str, text: &str, deny_as: DenyAs| {
        let mut operations = "getOrder listOrders deleteOrder".to_owned();
        if when.is_empty() {
            operations.push_str(" getHealth");
        }
        let rules = rules(vec![grant(1, &operations, when, "", "")]);
        let mut call = call(text, "");
        call.deny_as = deny_as;
        call.decide(&rules).unwrap().concealment()
    };
    let hidden = DenyAs::NotFound;
    assert_eq!(
        of(mine, "getOrder orderId=7", hidden),
        Concealment::Everything
    );
    assert_eq!(
        of(mine, "deleteOrder orderId=7", hidden),
        Concealment::Absence
    );
    assert_eq!(
        of(mine, "getOrder orderId=7", DenyAs::Forbidden),
        Concealment::Nothing
    );
    assert_eq!(of("", "getOrder orderId=7", hidden), Concealment::Nothing);
    assert_eq!(of("", "getHealth", hidden), Concealment::Nothing);
    // The list may be asked for by a customer, whose absence must not show.
    assert_eq!(of("", "listOrders", hidden), Concealment::Absence);
}

#[test]
fn error_fields_that_do_not_exist_are_refused_with_the_line() {
    let found = mistakes(input(vec![told(5, "getOrder", "", &["cod", "key"])]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("integrations/test.yaml:5")
            && found[0].contains("did you mean `code`?"),
        "{found:?}"
    );
    assert!(
        found[1].contains("`key` has the class `secret`"),
        "{found:?}"
    );
}

#[test]
fn a_create_refused_by_its_condition_says_so_where_nothing_is_hidden() {
    let rules = rules(vec![grant(
        1,
        "createOrder",
        r#"resource.partner == "north""#,
        "",
        "assignment",
    )]);
    let create = call("createOrder", r#"{"assignment":{"partnerId":"south"}}"#);
    let refusal = create.before(&rules, &[]).unwrap_err();
    assert_eq!(said(&refusal), "object.create_denied 403");
}
