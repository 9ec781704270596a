//! Bodies that wrap the object, unions of kinds, and references that could never be judged.

use super::*;

const OWN: &str = "resource.partner == principal.partner && resource.status == \"open\"";
const MINE: &str = r#"{"id":"1","status":"open","assignment":{"partnerId":"north"}}"#;

/// The company with another body of `updateOrder`.
fn with_body(body: &str, writes: &str) -> Arc<Rules> {
    let mut input = input(vec![
        grant(1, "updateOrder", OWN, "id", writes),
        grant(3, "getOrder", OWN, "id", ""),
    ]);
    for operation in &mut input.apis[0].operations {
        if &*operation.id == "updateOrder" {
            operation.request = shape(body);
        }
    }
    Arc::new(compile(input).unwrap())
}

fn update(rules: &Arc<Rules>, body: &str) -> String {
    match call("updateOrder orderId=1", body).before(rules, &[("1", MINE)]) {
        Ok(_) => "ok".into(),
        Err(refusal) => format!("{} ({})", refusal.reason.code, refusal.detail),
    }
}

#[test]
fn what_an_envelope_changes_is_judged_as_it_will_be() {
    let plain = "{data:{status,assignment:{partnerId},notes}}";
    let named = "{data:WorkOrder{status,assignment:{partnerId},notes},reason}";
    let deep = "{data:{type,attributes:{status,assignment:{partnerId},notes}}}";
    for (shape, writes, body) in [
        (
            plain,
            "data",
            r#"{"data":{"assignment":{"partnerId":"X"}}}"#,
        ),
        (
            named,
            "data reason",
            r#"{"data":{"assignment":{"partnerId":"X"}},"reason":"r"}"#,
        ),
        (
            deep,
            "data",
            r#"{"data":{"type":"t","attributes":{"assignment":{"partnerId":"X"}}}}"#,
        ),
    ] {
        let rules = with_body(shape, writes);
        assert_eq!(update(&rules, &body.replace('X', "north")), "ok", "{shape}");
        let moved = update(&rules, &body.replace('X', "south"));
        assert!(
            moved.contains("as the request would make it"),
            "{shape}: {moved}"
        );
        let removed = update(&rules, &body.replace("\"X\"", "null"));
        assert!(
            removed.contains("as the request would make it"),
            "{shape}: {removed}"
        );
    }
}

#[test]
fn attributes_in_several_envelopes_are_judged_together() {
    let rules = with_body(
        "{id,meta:{status},data:{assignment:{partnerId},notes}}",
        "id meta data",
    );
    assert_eq!(
        update(&rules, r#"{"meta":{"status":"open"},"data":{"notes":"n"}}"#),
        "ok"
    );
    let joint = r#"{"meta":{"status":"open"},"data":{"assignment":{"partnerId":"south"}}}"#;
    assert!(update(&rules, joint).starts_with("object.denied"));
    // Said at the root and in an object of the kind: which of them counts cannot be told.
    let rules = with_body("{status,order:WorkOrder{status,notes}}", "status order");
    assert_eq!(update(&rules, r#"{"order":{"status":"open"}}"#), "ok");
    let twice = r#"{"status":"open","order":{"status":"open"}}"#;
    assert!(update(&rules, twice).starts_with("object.denied"));
}

#[test]
fn lines_of_an_order_are_not_the_order_but_an_envelope_of_one_list_is() {
    let rules = with_body("{notes,lines:[{sku,status}]}", "notes lines");
    assert_eq!(
        update(&rules, r#"{"lines":[{"sku":"s","status":"gone"}]}"#),
        "ok"
    );
    let rules = with_body("{data:[{status,notes}]}", "data");
    assert!(update(&rules, r#"{"data":[{"status":"done"}]}"#).starts_with("object.denied"));
    let rules = with_body("[{op,path,value}]", "*");
    let patch = r#"[{"op":"replace","path":"/status","value":"done"}]"#;
    assert!(update(&rules, patch).starts_with("object.denied"));
}

#[test]
fn undeclared_envelopes_are_seen_as_well() {
    // Where the contract admits anything, attributes are looked for wherever they may stand.
    let permit = |body: &str| {
        let mut input = input(vec![grant(1, "updateOrder getOrder", OWN, "id", "")]);
        input.apis[0].operations[2].request = shape("{notes}");
        let rules = Arc::new(compile(input).unwrap());
        update(&rules, body)
    };
    assert!(permit(r#"{"box":{"status":"done"}}"#).starts_with("object.denied"));
    assert_eq!(permit(r#"{"box":{"status":"open"}}"#), "ok");
}

#[test]
fn what_is_composed_of_a_kind_is_guarded_as_that_kind() {
    let mut input = input(vec![grant(1, "getOrder", OWN, "id", "")]);
    input.apis[0].operations[1].response =
        shape("DetailXWorkOrder{id,status,assignment:{partnerId}}");
    let rules = Arc::new(compile(input).unwrap());
    assert_eq!(answer(&rules, "getOrder orderId=1", MINE), r#"{"id":"1"}"#);
    let foreign = MINE.replace("north", "south");
    let said = answer(&rules, "getOrder orderId=1", &foreign);
    assert_eq!(said, "object.denied as object.absent 404");
}

#[test]
fn a_place_of_two_kinds_is_a_mistake_of_the_grant_that_uses_it() {
    let either = shape("{hits:[EitherXWorkOrderXCustomer{id,status}]}");
    let company = |operations: &str| {
        let mut input = input(vec![grant(7, operations, "", "", "")]);
        input.apis[0].operations[7].response = either.clone();
        mistakes(input)
    };
    assert_eq!(company("getHealth").len(), 0);
    let found = company("listTags");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with(
            "integrations/test.yaml:7 `listTags` carries a `WorkOrder` or a `Customer` in one place"
        ) || found[0].contains("carries a `Customer` or a `WorkOrder`"),
        "{found:?}"
    );
}

#[test]
fn a_field_that_names_an_object_nobody_may_read_is_a_mistake() {
    let sends = |others: Vec<Grant>| {
        let mut grants = vec![grant(5, "createOrder", "", "id", "customerId")];
        grants.extend(others);
        mistakes(input(grants))
    };
    let found = sends(Vec::new());
    assert!(
        found[0].contains("integrations/test.yaml:5 `customerId` names a `Customer`, but no grant"),
        "{found:?}"
    );
    assert!(sends(vec![grant(9, "getCustomer", "", "id", "")]).is_empty());
    let mine = || {
        vec![grant(
            9,
            "getCustomer",
            "resource.partner == principal.partner",
            "id",
            "",
        )]
    };
    assert!(sends(mine()).is_empty());
    let mut grants = vec![grant(5, "createOrder", "", "id", "customerId")];
    grants.extend(mine());
    let mut input = input(grants);
    input.apis[0].objects[1].resolve = None;
    let found = mistakes(input);
    assert!(
        found[0].contains("nothing says how to look it up"),
        "{found:?}"
    );
}

#[test]
fn a_marked_place_names_objects_whatever_shape_the_value_has() {
    let rules = rules(vec![
        grant(1, "createOrder", "", "id", "notes customerId"),
        grant(
            3,
            "getCustomer",
            "resource.partner == principal.partner",
            "id",
            "",
        ),
    ]);
    for body in [
        r#"{"customerId":"c1"}"#,
        r#"{"customerId":["c1"]}"#,
        r#"{"customerId":{"id":"c1"}}"#,
    ] {
        let request = call("createOrder", body);
        let mut permit = request.decide(&rules).unwrap();
        let lookups = permit.before(&request.facts()).unwrap();
        assert_eq!(lookups.len(), 1, "{body}");
        assert_eq!(lookups[0].id, "c1", "{body}");
    }
}
