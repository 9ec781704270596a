use super::*;

#[test]
fn an_ungranted_operation_is_refused_with_its_scope() {
    let rules = rules(vec![grant(1, "getOrder", "", "id", "")]);
    let refusal = call("getCustomer customerId=1", "")
        .decide(&rules)
        .unwrap_err();
    assert_eq!(said(&refusal), "authz.operation_not_granted 403");
    assert_eq!(
        refusal.scope.as_deref(),
        Some("field-service/v2:getCustomer")
    );
}

#[test]
fn conditions_on_the_request_are_decided_before_anything_else() {
    for (condition, allowed) in [
        ("context.query.status == \"open\"", true),
        ("context.query.status == \"closed\"", false),
        ("context.query.limit <= 50", true),
        ("context.query.limit > 50", false),
        ("context.query.customer == \"x\"", false),
        ("context.query has customer", false),
        (
            "context.network.address.isInRange(ip(\"192.0.2.0/24\"))",
            true,
        ),
        ("context.network.listener == \"internal\"", false),
        ("context.time.hour >= 8 && context.time.weekday == 2", true),
        ("principal.partner == \"north\"", true),
        ("principal.partner == \"south\"", false),
        ("principal in Portcullis::Role::\"partner\"", true),
    ] {
        let rules = rules(vec![grant(1, "listOrders", condition, "id", "")]);
        let decided = call("listOrders ?status=open ?limit=20", "").decide(&rules);
        assert_eq!(decided.is_ok(), allowed, "{condition}");
        if let Err(refusal) = decided {
            assert_eq!(said(&refusal), "authz.condition_failed 403");
            assert_eq!(refusal.rule, Some(rule(1)));
        }
    }
}

#[test]
fn a_parameter_sent_twice_satisfies_nothing() {
    let rules = rules(vec![grant(
        1,
        "listOrders",
        "context.query.status == \"open\"",
        "id",
        "",
    )]);
    assert!(
        call("listOrders ?status=open ?status=closed", "")
            .decide(&rules)
            .is_err()
    );
}

#[test]
fn wrong_conditions_are_mistakes_with_line_and_hint() {
    for (condition, message) in [
        ("resource.statuss == \"x\"", "statuss"),
        ("resource.status == 7", "types"),
        ("resource.status ==", "cannot be read"),
        (
            "true }; permit(principal, action, resource) when { true",
            "cannot be read",
        ),
        ("true } unless { false", "cannot be read"),
        ("principal.region == \"x\"", "region"),
        ("resource.status.isInRange(ip(\"1.1.1.1/8\"))", ""),
    ] {
        let found = mistakes(input(vec![grant(5, "getOrder", condition, "id", "")]));
        assert_eq!(found.len(), 1, "{condition} {found:?}");
        assert!(
            found[0].starts_with("integrations/test.yaml:6 ") && found[0].contains(message),
            "{found:?}"
        );
    }
    let found = mistakes(input(vec![grant(
        5,
        "getOrder",
        "resource.statuss == \"x\"",
        "id",
        "",
    )]));
    assert!(found[0].contains("did you mean `status`?"), "{found:?}");
    assert!(
        found[0].contains("attributes of `WorkOrder`: `status`, `partner`, `priority`"),
        "{found:?}"
    );
    let found = mistakes(input(vec![grant(
        5,
        "getHealth",
        "resource.status == \"x\"",
        "status",
        "",
    )]));
    assert!(found[0].contains("declare it under `objects`"), "{found:?}");
}

#[test]
fn a_condition_on_an_attribute_the_integration_lacks_is_a_mistake() {
    let mut input = input(vec![]);
    let mut south = integration(
        "south",
        vec![grant(
            3,
            "getOrder",
            "resource.partner == principal.partner",
            "id",
            "",
        )],
    );
    south.attributes.clear();
    input.integrations.push(south);
    assert!(
        mistakes(input)[0]
            .contains("asks for `principal.partner`, which is no attribute of `south`")
    );
}

#[test]
fn dangling_names_are_mistakes_with_hints() {
    let found = mistakes(input(vec![grant(5, "getOrders", "", "id", "")]));
    assert!(found[0].contains("did you mean `getOrder`?"), "{found:?}");
    let mut wrong = grant(5, "getOrder", "", "id", "");
    wrong.api = "field-service/v3".into();
    assert!(mistakes(input(vec![wrong]))[0].contains("did you mean `field-service/v2`?"));
    let mut broken = input(vec![]);
    broken.apis[0].objects[0].resolve = Some("getOrders".into());
    broken.apis[0].objects[1].attributes =
        vec![("p".into(), Source::parse("body.partnr").unwrap())];
    let found = mistakes(broken);
    assert!(
        found[0].contains("`resolve` names `getOrders`")
            && found[0].contains("apis/field-service.yaml:20"),
        "{found:?}"
    );
    assert!(found[1].contains("did you mean `partner`?"), "{found:?}");
}

#[test]
fn a_write_without_a_way_to_look_up_is_a_mistake() {
    let mut broken = input(vec![grant(
        5,
        "updateOrder",
        "resource.status == \"open\"",
        "id",
        "notes",
    )]);
    broken.apis[0].objects[0].resolve = None;
    assert!(mistakes(broken)[0].contains("nothing says how to look it up"));
}

#[test]
fn a_forbid_wins_over_every_grant() {
    let grants = || vec![grant(1, "getOrder listOrders", "", "id", "")];
    let policy = "@id(\"frozen\")\nforbid(principal, action, resource is field_service::v2::WorkOrder) when { resource.status == \"frozen\" };";
    let rules = with_policies(grants(), policy);
    assert_eq!(
        answer(
            &rules,
            "getOrder orderId=1",
            r#"{"id":"1","status":"open"}"#
        ),
        r#"{"id":"1"}"#
    );
    assert_eq!(
        answer(
            &rules,
            "getOrder orderId=1",
            r#"{"id":"1","status":"frozen"}"#
        ),
        "object.denied as object.absent 404"
    );
    // What a forbid asks for is missing: it forbids.
    assert_eq!(
        answer(&rules, "getOrder orderId=1", r#"{"id":"1"}"#),
        "object.denied as object.absent 404"
    );
    let rules = with_policies(
        grants(),
        "// at night\nforbid(principal, action, resource) when { context.time.hour == 14 };",
    );
    let refusal = call("listOrders", "").decide(&rules).unwrap_err();
    assert_eq!(said(&refusal), "authz.condition_failed 403");
    assert_eq!(
        refusal.rule.map(|r| r.to_string()).as_deref(),
        Some("policies/extra.cedar:2")
    );
}

#[test]
fn a_hand_written_permit_grants_the_fields_it_lists() {
    let policy = "@id(\"extra\") @fields(\"id, lines.*.{sku,price}\") @deny_as(\"forbidden\")\n\
        permit(principal in Portcullis::Role::\"partner\", action == field_service::v2::Action::\"getOrder\", resource)\n\
        when { resource.partner == principal.partner };";
    let rules = with_policies(vec![], policy);
    let upstream = r#"{"id":"1","status":"x","assignment":{"partnerId":"north"},"lines":[{"sku":"s","cost":1}]}"#;
    assert_eq!(
        answer(&rules, "getOrder orderId=1", upstream),
        r#"{"id":"1","lines":[{"sku":"s"}]}"#
    );
    assert_eq!(
        answer(&rules, "getOrder orderId=1", r#"{"id":"1"}"#),
        "object.denied 403"
    );
    assert!(call("listOrders", "").decide(&rules).is_err());
}

#[test]
fn wrong_policies_are_mistakes_with_their_line() {
    for (policy, message) in [
        ("permit(principal, action", "cannot be read"),
        (
            "permit(principal == ?principal, action, resource);",
            "template",
        ),
        (
            "\n// x;\npermit(principal, action == field_service::v2::Action::\"nope\", resource);",
            "nope",
        ),
        (
            "@fields(\"nope\")\npermit(principal, action == field_service::v2::Action::\"getOrder\", resource);",
            "nope",
        ),
        (
            "@fields(\"id\")\nforbid(principal, action, resource);",
            "grants nothing",
        ),
    ] {
        let mut input = input(vec![]);
        input.cedar.push(CedarFile {
            file: "policies/extra.cedar".into(),
            text: policy.into(),
        });
        let found = mistakes(input);
        assert!(
            found
                .first()
                .is_some_and(|m| m.contains(message) && m.starts_with("policies/extra.cedar:")),
            "{policy} {found:?}"
        );
        assert!(!found[0].starts_with("policies/extra.cedar:0"), "{found:?}");
    }
}

fn near<'a>(object: ObjectEvidence<'a>) -> Evidence<'a> {
    Evidence {
        is_query_known: true,
        object,
    }
}

#[test]
fn near_misses_name_what_failed() {
    let rules = rules(vec![grant(
        5,
        "getOrder",
        "resource.status == \"completed\"",
        "id",
        "",
    )]);
    let principal = caller("north", &rules);
    let get = call("getOrder orderId=1", "");
    let asked = get.question(&principal, &rules);
    let (open, completed) = (
        json(r#"{"status":"open"}"#),
        json(r#"{"status":"completed"}"#),
    );
    let found = near_misses(&asked, near(ObjectEvidence::Given(&open)), &rules);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].text,
        "the condition `resource.status == \"completed\"` does not hold: status is \"open\""
    );
    let list = call("listOrders", "");
    let list = list.question(&principal, &rules);
    let nothing = near(ObjectEvidence::NotEvaluated);
    let found = near_misses(&list, nothing, &rules);
    assert_eq!(found[0].nearness, Nearness::SameKind);
    let stranger = caller("south", &rules);
    let found = near_misses(&get.question(&stranger, &rules), nothing, &rules);
    assert!(found[0].text.contains("to `north`"), "{found:?}");
    // Nothing is said of a condition that was not evaluated, or that holds.
    assert_eq!(near_misses(&asked, nothing, &rules), []);
    let held = near(ObjectEvidence::Given(&completed));
    assert_eq!(near_misses(&asked, held, &rules), []);
    let unmet = near(ObjectEvidence::Unmet { is_parent: false });
    let found = near_misses(&asked, unmet, &rules);
    assert!(found[0].text.contains("did not hold"), "{found:?}");
    let other = near(ObjectEvidence::Unmet { is_parent: true });
    assert_eq!(near_misses(&asked, other, &rules), []);
}

#[test]
fn near_a_policy_that_forbids_no_condition_is_said_not_to_hold_that_holds() {
    let forbid =
        "forbid(principal, action, resource) when { context.network.listener == \"public\" };";
    let rules = with_policies(
        vec![
            grant(
                5,
                "getOrder",
                "context.network.listener == \"public\"",
                "id",
                "",
            ),
            grant(
                9,
                "getOrder",
                "context.network.listener == \"inside\"",
                "id",
                "",
            ),
        ],
        forbid,
    );
    let principal = caller("north", &rules);
    let get = call("getOrder orderId=1", "");
    let asked = get.question(&principal, &rules);
    let refusal = decide(&asked, &rules).unwrap_err();
    assert_eq!(refusal.why, Some(Cause::Policy));
    let found = near_misses(&asked, near(ObjectEvidence::NotEvaluated), &rules);
    let said: Vec<(u32, Nearness)> = found.iter().map(|m| (m.rule.line, m.nearness)).collect();
    assert_eq!(said, [(1, Nearness::Forbidden), (9, Nearness::Unmet)]);
}

#[test]
fn a_condition_on_a_query_that_is_not_kept_is_not_said_to_fail() {
    let rules = rules(vec![grant(
        5,
        "listOrders",
        "context.query has status && context.query.status == \"open\"",
        "id",
        "",
    )]);
    let principal = caller("north", &rules);
    let list = call("listOrders", "");
    let asked = list.question(&principal, &rules);
    let evidence = |is_query_known| Evidence {
        is_query_known,
        object: ObjectEvidence::NotEvaluated,
    };
    let found = near_misses(&asked, evidence(false), &rules);
    assert_eq!(found[0].nearness, Nearness::NotEvaluated, "{found:?}");
    assert!(found[0].text.contains("`query.status`"), "{found:?}");
    let found = near_misses(&asked, evidence(true), &rules);
    assert_eq!(found[0].nearness, Nearness::Unmet, "{found:?}");
}

/// What `check` says about a condition of a grant and a file of policies.
fn warned(when: &str, policy: &str) -> Vec<String> {
    let mut input = input(vec![grant(1, "getOrder", when, "id", "")]);
    if !policy.is_empty() {
        input.cedar = vec![crate::CedarFile {
            file: "p.cedar".into(),
            text: policy.into(),
        }];
    }
    let rules = compile(input).unwrap();
    let notes = rules.parameter_notes().iter();
    notes.map(|note| note.message.clone()).collect()
}

#[test]
fn what_never_or_always_holds_is_said() {
    let forbid = "forbid(principal, action, resource)";
    let never = |said: Vec<String>| said.iter().any(|said| said.contains("never hold"));
    assert!(never(warned("false", "")));
    assert!(never(warned("", &format!("{forbid} when {{ false }};"))));
    let always = warned("true", &format!("{forbid} when {{ true }};"));
    assert_eq!(
        always,
        [
            "a clause of the policy asks for nothing",
            "the condition always holds"
        ]
    );
    assert!(warned("resource.status == \"open\"", &format!("{forbid};")).is_empty());
}

#[test]
fn a_value_that_no_integration_has_is_said_with_the_nearest() {
    let said = warned("principal.partner == \"alpah\"", "");
    assert!(
        said[0].starts_with("`alpah` is no integration's `partner`"),
        "{said:?}"
    );
    assert!(warned("principal.partner == resource.partner", "").is_empty());
}

#[test]
fn policies_say_nothing_that_nobody_understands() {
    let refused = |policy: &str| {
        let mut input = input(Vec::new());
        input.cedar = vec![crate::CedarFile {
            file: "p.cedar".into(),
            text: policy.into(),
        }];
        compile(input).map(|rules| rules.parameter_notes().len())
    };
    let unknown = refused("@feilds(\"id\") permit(principal, action, resource);").unwrap_err();
    assert_eq!(unknown[0].message, "`@feilds` is not known");
    assert_eq!(unknown[0].help, "did you mean `@fields`?");
    let empty = refused("// nothing yet\n").unwrap_err();
    assert_eq!(empty[0].message, "the file holds no policy");
    let one = "@id(\"a\") forbid(principal, action, resource);";
    assert_eq!(refused(one), Ok(0));
    assert_eq!(refused(&format!("{one}\n{one}")), Ok(1));
}

/// The usual operations, and one for each kind of message that has no fields.
fn with_whole_messages() -> PolicyInput {
    use model::MessageKind::{Fields, File, Text};
    let mut asked = input(vec![]);
    let of_kind = |id, body_kind, response_kind| crate::input::OperationShape {
        body_kind,
        response_kind,
        ..operation(id, "", "", &[])
    };
    asked.apis[0].operations.extend([
        of_kind("getPaper", Fields, File),
        of_kind("sendPaper", File, Fields),
        of_kind("getLetter", Fields, Text),
    ]);
    asked
}

/// The same list in a grant and in a permit, for every kind of message: both take it, or both refuse it in the same words.
#[test]
fn a_permit_means_by_its_lists_what_a_grant_means() {
    const ENTRIES: [&str; 8] = [
        "id",
        "$",
        "$file",
        "$files",
        "nope",
        "lines.*.{sku,price}",
        "$.id",
        "a..b",
    ];
    let mut taken = 0;
    for operation in [
        "getOrder",
        "updateOrder",
        "deleteOrder",
        "getPaper",
        "sendPaper",
        "getLetter",
    ] {
        for (word, entry) in ["fields", "writes", "errors"]
            .into_iter()
            .flat_map(|word| ENTRIES.map(|entry| (word, entry)))
        {
            let mut with_policy = with_whole_messages();
            with_policy.cedar.push(CedarFile {
                file: "policies/extra.cedar".into(),
                text: format!(
                    "@{word}(\"{entry}\")\npermit(principal, action == field_service::v2::Action::\"{operation}\", resource);"
                ),
            });
            let of_permit = mistakes(with_policy);
            let Ok(paths) = FieldPath::parse_entry(entry) else {
                assert!(!of_permit.is_empty(), "{operation} {word} {entry}");
                continue;
            };
            let mut granted = grant(1, operation, "", "", "");
            let list = match word {
                "fields" => &mut granted.fields,
                "writes" => &mut granted.writes,
                _ => &mut granted.errors,
            };
            list.extend(paths.into_iter().map(|path| listed(path, 1)));
            let mut with_grant = with_whole_messages();
            with_grant.integrations[0].grants.push(granted);
            let said = |found: Vec<String>| -> Vec<String> {
                let words = found.iter().filter_map(|one| one.split_once(' '));
                words.map(|(_, words)| words.to_owned()).collect()
            };
            let (of_permit, of_grant) = (said(of_permit), said(mistakes(with_grant)));
            assert_eq!(of_permit, of_grant, "{operation} {word} {entry}");
            taken += usize::from(of_grant.is_empty());
        }
    }
    assert_eq!(taken, 9);
}
