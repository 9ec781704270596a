use super::*;

const ANSWER: &str = r#"{"id":"7","number":"WO-7","status":"completed","notes":"private","priority":2,
 "assignment":{"partnerId":"north"},"customer":{"id":"c1","legalName":"Acme","iban":"DE02120300000000202051","partner":"north"},
 "lines":[{"sku":"a","price":5,"cost":3},{"sku":"b","price":1.50,"cost":1}],"token":"t","pin":"1","extra":"e"}"#;

#[test]
fn only_granted_fields_leave() {
    let rules = rules(vec![grant(
        1,
        "getOrder",
        "",
        "id lines.*.{sku,price} customer.legalName",
        "",
    )]);
    assert_eq!(
        answer(&rules, "getOrder orderId=7", ANSWER),
        r#"{"id":"7","customer":{"legalName":"Acme"},"lines":[{"sku":"a","price":5},{"sku":"b","price":1.5}]}"#
    );
}

#[test]
fn a_whole_container_leaves_without_secrets_writeonly_and_undeclared_keys() {
    let rules = rules(vec![grant(1, "getHealth", "", "status detail", "")]);
    assert_eq!(
        answer(
            &rules,
            "getHealth",
            r#"{"status":"up","detail":{"version":"1","host":"db7","x":1},"y":2}"#
        ),
        r#"{"status":"up","detail":{"version":"1"}}"#
    );
}

#[test]
fn secrets_and_writeonly_cannot_be_granted() {
    let found = mistakes(input(vec![grant(5, "getOrder", "", "token pin", "")]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("integrations/test.yaml:5 `token` has the class `secret`"),
        "{found:?}"
    );
    assert!(found[1].contains("`pin` is `writeOnly`"));
}

#[test]
fn an_unknown_field_is_refused_with_a_hint() {
    let found = mistakes(input(vec![grant(
        5,
        "getOrder",
        "",
        "customer.legalNam",
        "",
    )]));
    assert!(
        found[0].contains("there is no field `legalNam`")
            && found[0].contains("did you mean `legalName`?"),
        "{found:?}"
    );
    let found = mistakes(input(vec![grant(5, "listOrders", "", "nextCursor", "")]));
    assert!(found[0].contains("write `$.nextCursor`"), "{found:?}");
    let found = mistakes(input(vec![grant(5, "getOrder", "", "lines.sku", "")]));
    assert!(found[0].contains("write `*` for each item"), "{found:?}");
}

#[test]
fn lists_are_relative_to_their_items_and_the_envelope_is_asked_for_with_a_dollar() {
    let list = format!(r#"{{"items":[{ANSWER}],"nextCursor":"c","total":41}}"#);
    let plain = rules(vec![grant(1, "listOrders", "", "id", "")]);
    assert_eq!(
        answer(&plain, "listOrders", &list),
        r#"{"items":[{"id":"7"}]}"#
    );
    let with_cursor = rules(vec![grant(1, "listOrders", "", "id $.nextCursor", "")]);
    assert_eq!(
        answer(&with_cursor, "listOrders", &list),
        r#"{"items":[{"id":"7"}],"nextCursor":"c"}"#
    );
}

#[test]
fn a_root_list_without_objects_is_relative_to_its_items() {
    let rules = rules(vec![grant(1, "listTags", "", "name", "")]);
    assert_eq!(
        answer(
            &rules,
            "listTags",
            r#"[{"name":"a","color":"red"},7,{"color":"x"}]"#
        ),
        r#"[{"name":"a"},{}]"#
    );
}

#[test]
fn undeclared_keys_of_a_map_leave_only_by_a_star() {
    let rules = rules(vec![grant(1, "getReport", "", "id $.rows.*.sku", "")]);
    let upstream = r#"{"title":"t","rows":{"x":{"sku":"s","amount":1},"y":{"sku":"u"}},"order":{"id":"1","status":"open"}}"#;
    assert_eq!(
        answer(&rules, "getReport", upstream),
        r#"{"rows":{"x":{"sku":"s"},"y":{"sku":"u"}},"order":{"id":"1"}}"#
    );
}

#[test]
fn a_granted_name_in_the_wrong_place_leaves_nothing() {
    let rules = rules(vec![grant(1, "getOrder", "", "id customer.id", "")]);
    for (upstream, expected) in [
        (r#"{"id":{"secret":1}}"#, "{}"),
        (r#"{"id":["x"]}"#, "{}"),
        (r#"{"customer":"text"}"#, "{}"),
        (r#"{"customer":[{"id":"1"}]}"#, "{}"),
        (
            r#"{"customer":null,"id":null}"#,
            r#"{"customer":null,"id":null}"#,
        ),
        (r#"[{"id":"7"}]"#, "[]"),
        (r#""id""#, "null"),
    ] {
        assert_eq!(
            answer(&rules, "getOrder orderId=7", upstream),
            expected,
            "{upstream}"
        );
    }
}

#[test]
fn fields_of_bodies_that_there_are_none_of_are_one_mistake() {
    let grant = grant(1, "getCustomer getOrder", "", "id", "legalName email iban");
    let all = mistakes(input(vec![grant]));
    let about = all.iter().filter(|one| one.contains("no body is taken by"));
    let about: Vec<&String> = about.collect();
    assert_eq!(about.len(), 1, "{all:?}");
    assert!(about[0].contains("`getCustomer`, `getOrder`"), "{about:?}");
}

#[test]
fn masks_show_a_part_and_the_widest_grant_wins() {
    let mut masked = grant(1, "getCustomer", "", "id iban legalName", "");
    let path = |text: &str| FieldPath::parse(text).unwrap().remove(0);
    masked.masks = vec![
        listed((path("iban"), Mask::Last4), 1),
        listed((path("legalName"), Mask::Redact), 1),
    ];
    let upstream = r#"{"id":"c1","legalName":"Acme","iban":"DE02120300000000202051"}"#;
    let one = rules(vec![masked.clone()]);
    assert_eq!(
        answer(&one, "getCustomer customerId=c1", upstream),
        r#"{"id":"c1","legalName":"***","iban":"***2051"}"#
    );
    let both = rules(vec![
        masked.clone(),
        grant(9, "getCustomer", "", "legalName", ""),
    ]);
    assert_eq!(
        answer(&both, "getCustomer customerId=c1", upstream),
        r#"{"id":"c1","legalName":"Acme","iban":"***2051"}"#
    );
    masked.masks[0].value.0 = path("partner");
    assert!(mistakes(input(vec![masked]))[0].contains("`partner` is masked but not granted"));
}

#[test]
fn an_empty_list_of_fields_lets_the_call_through_and_nothing_out() {
    let rules = rules(vec![grant(1, "getOrder getHealth listTags", "", "", "")]);
    assert_eq!(answer(&rules, "getOrder orderId=7", ANSWER), "{}");
    assert_eq!(answer(&rules, "getHealth", r#"{"status":"up"}"#), "{}");
    assert_eq!(answer(&rules, "listTags", r#"[{"name":"a"}]"#), "[]");
}

#[test]
fn what_was_seen_and_let_out_is_counted() {
    let rules = rules(vec![grant(1, "getOrder", "", "id lines.*.sku", "")]);
    let call = call("getOrder orderId=7", "");
    let released = call
        .decide(&rules)
        .unwrap()
        .release(&call.facts(), Some(&json(ANSWER)))
        .unwrap();
    assert_eq!(
        (released.fields_out, released.fields_seen, released.withheld),
        (3, 19, 0)
    );
    let names: Vec<String> = released.objects.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["WorkOrder:7"]);
}
