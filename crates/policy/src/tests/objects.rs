use super::*;

const OWN: &str = "resource.partner == principal.partner";

fn order(id: &str, status: &str, partner: &str) -> String {
    format!(
        r#"{{"id":"{id}","status":"{status}","notes":"n","assignment":{{"partnerId":"{partner}"}}}}"#
    )
}

#[test]
fn an_object_that_fails_the_condition_is_refused_as_the_grant_says() {
    let mut forbidden = grant(1, "getOrder", OWN, "id", "");
    forbidden.deny_as = Some(DenyAs::Forbidden);
    assert_eq!(
        answer(
            &rules(vec![forbidden]),
            "getOrder orderId=1",
            &order("1", "open", "south")
        ),
        "object.denied 403"
    );
    let hidden = rules(vec![grant(1, "getOrder", OWN, "id", "")]);
    assert_eq!(
        answer(&hidden, "getOrder orderId=1", &order("1", "open", "south")),
        "object.denied as object.absent 404"
    );
    assert_eq!(
        answer(&hidden, "getOrder orderId=1", &order("1", "open", "north")),
        r#"{"id":"1"}"#
    );
    // Missing attributes satisfy nothing, also when the condition is a negation.
    let negated = rules(vec![grant(
        1,
        "getOrder",
        "resource.status != \"secret\"",
        "id",
        "",
    )]);
    for upstream in [
        r#"{"id":"1"}"#,
        r#"{"id":"1","status":null}"#,
        r#"{"id":"1","status":7}"#,
    ] {
        assert_eq!(
            answer(&negated, "getOrder orderId=1", upstream),
            "object.denied as object.absent 404",
            "{upstream}"
        );
    }
}

#[test]
fn lists_hold_only_what_the_caller_may_see() {
    let rules = rules(vec![grant(1, "listOrders", OWN, "id", "")]);
    let list = format!(
        r#"{{"items":[{},{},{},{{"id":"4"}}],"total":3}}"#,
        order("1", "open", "north"),
        order("2", "open", "south"),
        order("3", "open", "north")
    );
    assert_eq!(
        answer(&rules, "listOrders", &list),
        r#"{"items":[{"id":"1"},{"id":"3"}]}"#
    );
    let call = call("listOrders", "");
    let released = call
        .before(&rules, &[])
        .unwrap()
        .release(&call.facts(), Some(&json(&list)))
        .unwrap();
    assert_eq!((released.withheld, released.objects.len()), (2, 2));
}

#[test]
fn each_object_shows_the_union_of_the_grants_that_hold_for_it() {
    let rules = rules(vec![
        grant(
            1,
            "listOrders",
            "resource.status == \"completed\"",
            "id notes",
            "",
        ),
        grant(4, "listOrders", OWN, "id status", ""),
        grant(7, "listOrders", "resource.priority > 5", "number", ""),
    ]);
    let list = r#"{"items":[
        {"id":"1","number":"A","status":"completed","notes":"n","priority":1,"assignment":{"partnerId":"north"}},
        {"id":"2","number":"B","status":"completed","notes":"n","priority":9,"assignment":{"partnerId":"south"}},
        {"id":"3","number":"C","status":"open","notes":"n","priority":1,"assignment":{"partnerId":"north"}},
        {"id":"4","number":"D","status":"open","notes":"n","priority":1,"assignment":{"partnerId":"south"}}]}"#;
    assert_eq!(
        answer(&rules, "listOrders", list),
        r#"{"items":[{"id":"1","status":"completed","notes":"n"},{"id":"2","number":"B","notes":"n"},{"id":"3","status":"open"}]}"#
    );
}

#[test]
fn nested_objects_are_judged_by_the_grants_for_their_kind() {
    let enclosing = || {
        grant(
            1,
            "getOrder listOrders",
            "",
            "id status customer.legalName parent.{id,status}",
            "",
        )
    };
    let upstream = r#"{"id":"1","customer":{"legalName":"Acme","partner":"south"},"parent":{"id":"0","status":"open"}}"#;
    // Without a grant for customers the enclosing list governs.
    let free = rules(vec![enclosing()]);
    assert_eq!(
        answer(&free, "getOrder orderId=1", upstream),
        r#"{"id":"1","customer":{"legalName":"Acme"},"parent":{"id":"0","status":"open"}}"#
    );
    let judged = rules(vec![
        enclosing(),
        grant(4, "getCustomer", OWN, "id legalName", ""),
    ]);
    assert_eq!(
        answer(&judged, "getOrder orderId=1", upstream),
        r#"{"id":"1","parent":{"id":"0","status":"open"}}"#
    );
    let own = upstream.replace("south", "north");
    assert!(answer(&judged, "getOrder orderId=1", &own).contains("Acme"));
    // The parent is a work order itself.
    let strict = rules(vec![grant(
        1,
        "getOrder",
        "resource.status == \"done\"",
        "id parent.id",
        "",
    )]);
    let upstream =
        r#"{"id":"1","status":"done","parent":{"id":"0","status":"open","parent":{"id":"x"}}}"#;
    assert_eq!(
        answer(&strict, "getOrder orderId=1", upstream),
        r#"{"id":"1"}"#
    );
}

#[test]
fn a_write_is_judged_by_the_object_as_it_is_and_as_it_will_be() {
    let rules = rules(vec![grant(
        1,
        "updateOrder",
        OWN,
        "id",
        "notes assignment.partnerId",
    )]);
    let before = |body: &str, partner: &str| {
        let known = order("1", "open", partner);
        match call("updateOrder orderId=1", body).before(&rules, &[("1", &known)]) {
            Ok(_) => "ok".to_owned(),
            Err(refusal) => said(&refusal),
        }
    };
    assert_eq!(before(r#"{"notes":"x"}"#, "north"), "ok");
    assert_eq!(
        before(r#"{"notes":"x"}"#, "south"),
        "object.denied as object.absent 404"
    );
    // Taken from another, or given away, or torn off.
    assert_eq!(
        before(r#"{"assignment":{"partnerId":"north"}}"#, "south"),
        "object.denied as object.absent 404"
    );
    assert_eq!(
        before(r#"{"assignment":{"partnerId":"south"}}"#, "north"),
        "object.denied as object.absent 404"
    );
    for torn in [
        r#"{"assignment":null}"#,
        r#"{"assignment":{"partnerId":null}}"#,
        r#"{"assignment":"x"}"#,
    ] {
        assert_eq!(before(torn, "north"), "object.denied as object.absent 404");
    }
    let refusal = call("updateOrder orderId=9", "{}")
        .before(&rules, &[])
        .unwrap_err();
    assert_eq!(said(&refusal), "object.absent 404");
}

#[test]
fn a_grant_that_does_not_hold_lets_nothing_be_sent() {
    let rules = rules(vec![
        grant(
            1,
            "updateOrder",
            "resource.status == \"open\"",
            "id",
            "notes",
        ),
        grant(
            4,
            "updateOrder",
            "resource.status == \"completed\"",
            "id",
            "assignment.partnerId",
        ),
    ]);
    let known = order("1", "open", "north");
    let mut permit = call("updateOrder orderId=1", "{}").decide(&rules).unwrap();
    assert_eq!(permit.writes().fields.len(), 2);
    assert!(permit.before(&RequestFacts::default()).is_err());
    assert!(
        call("updateOrder orderId=1", r#"{"notes":"x"}"#)
            .before(&rules, &[("1", &known)])
            .is_ok()
    );
    assert!(
        call(
            "updateOrder orderId=1",
            r#"{"assignment":{"partnerId":"y"}}"#
        )
        .before(&rules, &[("1", &known)])
        .is_err()
    );
}

#[test]
fn a_new_object_is_judged_as_the_body_describes_it() {
    let rules = rules(vec![grant(
        1,
        "createOrder",
        OWN,
        "id",
        "notes assignment.partnerId",
    )]);
    let create = |body: &str| {
        call("createOrder", body)
            .before(&rules, &[])
            .map(|_| ())
            .map_err(|r| said(&r))
    };
    assert_eq!(
        create(r#"{"notes":"x","assignment":{"partnerId":"north"}}"#),
        Ok(())
    );
    assert!(create(r#"{"notes":"x","assignment":{"partnerId":"south"}}"#).is_err());
    assert!(create(r#"{"notes":"x"}"#).is_err());
    assert!(create("").is_err());
}

#[test]
fn every_object_of_a_batch_is_judged_and_known_ids_are_looked_up() {
    let rules = rules(vec![
        grant(1, "importOrders", OWN, "$.accepted", "*.{id,assignment}"),
        grant(4, "getOrder", "", "id", ""),
    ]);
    let import = |body: &str, known: &[(&str, &str)]| {
        call("importOrders", body)
            .before(&rules, known)
            .map(|_| ())
            .map_err(|r| said(&r))
    };
    let (mine, other) = (order("1", "open", "north"), order("2", "open", "south"));
    assert_eq!(import(&format!("[{mine}]"), &[]), Ok(()));
    assert!(import(&format!("[{mine},{other}]"), &[]).is_err());
    // The body says it is mine, the upstream knows better.
    assert!(import(&format!("[{mine}]"), &[("1", &order("1", "open", "south"))]).is_err());
    assert_eq!(import(&format!("[{mine}]"), &[("1", &mine)]), Ok(()));
    assert!(import("[]", &[]).is_err());
}

#[test]
fn a_delete_is_judged_before_and_answers_without_a_body() {
    let rules = rules(vec![grant(1, "deleteOrder", OWN, "", "")]);
    let delete = call("deleteOrder orderId=1", "");
    assert!(
        delete
            .before(&rules, &[("1", &order("1", "open", "south"))])
            .is_err()
    );
    let permit = delete
        .before(&rules, &[("1", &order("1", "open", "north"))])
        .unwrap();
    let released = permit.release(&delete.facts(), None).unwrap();
    let names: Vec<String> = released.objects.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["WorkOrder:1"]);
}

#[test]
fn an_answer_with_an_open_obligation_stays() {
    let rules = rules(vec![grant(1, "deleteOrder getOrder", OWN, "", "")]);
    let delete = call("deleteOrder orderId=1", "");
    assert!(
        delete
            .decide(&rules)
            .unwrap()
            .release(&delete.facts(), None)
            .is_err()
    );
    let mut permit = delete.decide(&rules).unwrap();
    assert_eq!(permit.before(&delete.facts()).unwrap().len(), 1);
    assert!(!permit.is_cleared());
    assert!(permit.release(&delete.facts(), None).is_err());
    // A read that comes without a body cannot be judged.
    let get = call("getOrder orderId=1", "");
    assert!(
        get.decide(&rules)
            .unwrap()
            .release(&get.facts(), None)
            .is_err()
    );
}

#[test]
fn references_are_judged_by_the_grants_for_reading_them() {
    let create = |grants: Vec<Grant>, known: &[(&str, &str)]| {
        let mut all = vec![grant(1, "createOrder", "", "id", "notes customerId")];
        all.extend(grants);
        let rules = rules(all);
        call("createOrder", r#"{"customerId":"c1"}"#)
            .before(&rules, known)
            .map(|_| ())
            .map_err(|r| said(&r))
    };
    let customer = |partner: &str| format!(r#"{{"id":"c1","partner":"{partner}"}}"#);
    let own = || vec![grant(4, "getCustomer", OWN, "", "")];
    assert_eq!(create(own(), &[("c1", &customer("north"))]), Ok(()));
    let hidden = create(own(), &[("c1", &customer("south"))]);
    assert_eq!(hidden, Err("object.denied as object.absent 404".into()));
    assert_eq!(create(own(), &[]), Err("object.absent 404".into()));
    // All customers: no look-up.
    assert_eq!(
        create(vec![grant(4, "getCustomer", "", "", "")], &[]),
        Ok(())
    );
    // No customers at all: no reference to one, and a grant that lets one be sent is a mistake.
    let blind = rules(vec![grant(1, "createOrder", "", "id", "notes")]);
    let request = call("createOrder", r#"{"customerId":"c1"}"#);
    assert!(request.before(&blind, &[]).is_err());
}

#[test]
fn a_parameter_that_names_an_object_is_judged_too() {
    let rules = rules(vec![
        grant(1, "listOrders", "", "id", ""),
        grant(4, "getCustomer", OWN, "", ""),
    ]);
    let list = call("listOrders ?customer=c1,c2", "");
    let mut permit = list.decide(&rules).unwrap();
    let lookups = permit.before(&list.facts()).unwrap();
    assert_eq!(
        lookups.iter().map(|l| &*l.id).collect::<Vec<_>>(),
        ["c1", "c2"]
    );
    assert_eq!(lookups[0].path, [("customerId".into(), "c1".to_owned())]);
    assert!(call("listOrders", "").before(&rules, &[]).is_ok());
}

#[test]
fn one_request_cannot_name_objects_without_end() {
    let rules = rules(vec![
        grant(1, "listOrders", "", "id", ""),
        grant(4, "getCustomer", OWN, "", ""),
    ]);
    let ids: Vec<String> = (0..40).map(|i| format!("c{i}")).collect();
    let at = |count: usize| {
        let list = call(
            &format!("listOrders ?customer={}", ids[..count].join(",")),
            "",
        );
        let mut permit = list.decide(&rules).unwrap();
        permit.before(&list.facts()).map(|lookups| lookups.len())
    };
    assert_eq!(at(LOOKUPS_DEFAULT).unwrap(), LOOKUPS_DEFAULT);
    // A bound, and told as one.
    assert_eq!(
        said(&at(LOOKUPS_DEFAULT + 1).unwrap_err()),
        "object.too_many 400"
    );
}

#[test]
fn an_object_named_often_counts_once() {
    let mut input = input(vec![
        grant(1, "listOrders", "", "id", ""),
        grant(4, "getCustomer", OWN, "", ""),
    ]);
    input.apis[0].lookups_max = 1;
    let rules = Arc::new(compile(input).unwrap());
    let list = call("listOrders ?customer=c1,c1,c1", "");
    let lookups = list.decide(&rules).unwrap().before(&list.facts()).unwrap();
    assert_eq!(lookups.len(), 1);
    let list = call("listOrders ?customer=c1,c2", "");
    let refusal = list
        .decide(&rules)
        .unwrap()
        .before(&list.facts())
        .unwrap_err();
    assert_eq!(said(&refusal), "object.too_many 400");
}

#[test]
fn a_new_object_whose_body_cannot_hold_what_the_condition_asks_is_a_mistake() {
    for (condition, is_mistake) in [
        ("resource.priority > 2", true),
        ("resource.status == \"open\" && resource.priority > 2", true),
        ("!(resource.priority > 2)", true),
        ("resource has priority && resource.priority > 2", true),
        (
            "resource.status == \"open\" || resource.priority > 2",
            false,
        ),
        ("!(resource has priority)", false),
        (OWN, false),
        ("context.network.listener == \"public\"", false),
    ] {
        let found = mistakes(input(vec![grant(5, "createOrder", condition, "", "notes")]));
        assert_eq!(!found.is_empty(), is_mistake, "{condition} {found:?}");
        if is_mistake {
            assert!(
                found[0].starts_with("integrations/test.yaml:5")
                    && found[0].contains("its `priority`"),
                "{found:?}"
            );
        }
    }
    // One of two grants can hold: the operation can be used.
    let both = vec![
        grant(5, "createOrder", OWN, "", "notes"),
        grant(8, "createOrder", "resource.priority > 2", "", "notes"),
    ];
    assert!(mistakes(input(both)).is_empty());
}

#[test]
fn a_read_that_is_asked_by_a_body_is_judged_by_its_answer() {
    let mut input = input(vec![grant(1, "searchOrders", OWN, "id", "status")]);
    let list = format!("{{items:[{ORDER}]}}");
    let mut search = operation("searchOrders", &list, "{status}", &[]);
    search.is_write = false;
    input.apis[0].operations.push(search);
    let rules = Arc::new(compile(input).unwrap());
    let asked = call("searchOrders", r#"{"status":"open"}"#);
    let permit = asked.before(&rules, &[]).unwrap();
    let response = format!(
        r#"{{"items":[{},{}]}}"#,
        order("1", "open", "north"),
        order("2", "open", "south")
    );
    let released = permit
        .release(&asked.facts(), Some(&json(&response)))
        .unwrap();
    assert_eq!(released.body, br#"{"items":[{"id":"1"}]}"#);
}
