//! Grants that give nothing and values that no object has are said, and nothing else is.

use model::shape::Domain;
use proptest::prelude::*;

use super::*;

const STATES: [&str; 3] = ["cancelled", "completed", "open"];

/// The company, whose contract names the states and bounds the priority.
fn bounded(grants: Vec<Grant>) -> PolicyInput {
    let mut input = input(grants);
    for operation in &mut input.apis[0].operations {
        for shape in [&mut operation.response, &mut operation.request] {
            let mut nodes = (**shape).clone();
            for (name, domain) in [
                ("status", Domain::Texts(STATES.map(Arc::from).to_vec())),
                ("priority", Domain::Whole(Some(1), Some(5))),
            ] {
                let orders = shape.nodes.iter();
                let orders = orders.filter(|node| node.schema.as_deref() == Some("WorkOrder"));
                for field in orders.filter_map(|node| node.fields.get(name)) {
                    nodes.nodes[field.node].domain = Some(Arc::new(domain.clone()));
                }
            }
            *shape = Arc::new(nodes);
        }
        for parameter in &mut operation.parameters {
            if &*parameter.name == "status" {
                let states = STATES.map(Arc::from).to_vec();
                parameter.domain = Some(Arc::new(Domain::Texts(states)));
            }
        }
    }
    input
}

/// What is said, each with its line, but what is said of parameters.
fn said_of(input: PolicyInput) -> Vec<String> {
    let rules = compile(input).unwrap();
    let notes = rules.parameter_notes().iter();
    notes
        .filter(|note| !note.message.starts_with("parameters of"))
        .map(|note| format!("{} {} | {}", note.rule.line, note.message, note.help))
        .collect()
}

fn said_of_condition(operation: &str, when: &str) -> Vec<String> {
    said_of(bounded(vec![grant(1, operation, when, "id", "")]))
}

#[test]
fn a_value_outside_the_contract_is_said_with_the_nearest() {
    for (operation, when, said) in [
        (
            "getOrder",
            r#"resource.status == "complted""#,
            "2 `complted` is no value that the contract declares for `resource.status` | did you mean `completed`?",
        ),
        (
            "getOrder",
            r#"!(["done", "open"].contains(resource.status))"#,
            "2 `done` is no value that the contract declares for `resource.status` | the contract declares `cancelled`, `completed`, `open`",
        ),
        (
            "getOrder",
            "resource.priority == 9",
            "2 `9` is no value that the contract declares for `resource.priority` | the contract declares 1 to 5",
        ),
        (
            "getOrder",
            "5 < resource.priority || resource.status == \"open\"",
            "2 `resource.priority` is never greater than `5` | the contract declares 1 to 5",
        ),
        (
            "listOrders",
            r#"context.query.status == "opne""#,
            "2 `opne` is no value that the contract declares for `context.query.status` | did you mean `open`?",
        ),
    ] {
        assert_eq!(said_of_condition(operation, when), [said], "{when}");
    }
}

#[test]
fn a_value_in_a_policy_is_said_at_its_line() {
    let mut input = bounded(vec![grant(1, "getOrder", "", "id", "")]);
    input.cedar = vec![CedarFile {
        file: "policies/states.cedar".into(),
        text: "// Nobody\nforbid(principal, action, resource is field_service::v2::WorkOrder)\nwhen {\n  resource.status == \"canceled\"\n};\n".into(),
    }];
    assert_eq!(
        said_of(input),
        [
            "4 `canceled` is no value that the contract declares for `resource.status` | did you mean `cancelled`?"
        ]
    );
}

#[test]
fn what_cannot_be_true_together_is_said_to_allow_nothing() {
    let never = "2 the condition can never hold, so that the grant allows nothing, for `getOrder` | no value of ";
    for (when, subject) in [
        (
            r#"resource.status == "open" && resource.status == "completed""#,
            "resource.status",
        ),
        (
            "resource.priority > 3 && resource.priority < 4",
            "resource.priority",
        ),
        (
            r#"STATUS != "open" && STATUS != "completed" && STATUS != "cancelled""#,
            "resource.status",
        ),
    ] {
        let when = when.replace("STATUS", "resource.status");
        let said = said_of_condition("getOrder", &when);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with(&format!("{never}`{subject}`")),
            "{said:?}"
        );
    }
    for when in [
        r#"resource.status == "open" || resource.status == "completed""#,
        "resource.priority >= 1 && resource.priority <= 5",
        r#"resource.status != "open" && resource.priority == 5"#,
    ] {
        assert_eq!(said_of_condition("getOrder", when), [""; 0], "{when}");
    }
}

#[test]
fn an_integrations_own_grant_is_held_against_its_own_attributes() {
    let own = grant(1, "getOrder", r#"principal.partner == "south""#, "id", "");
    let of_role = Grant {
        role: Some("partner".into()),
        ..own.clone()
    };
    let two = |grant: Grant| {
        let mut input = bounded(vec![grant]);
        input.integrations.push(integration("south", Vec::new()));
        said_of(input)
    };
    assert!(two(own)[0].contains("can never hold"));
    assert_eq!(two(of_role), [""; 0], "others have the role as well");
}

// LONG: one pair of grants after the other.
#[test]
fn a_grant_that_another_one_covers_is_said_with_the_other() {
    let open = r#"resource.status == "open""#;
    for (grants, said) in [
        (
            vec![
                grant(1, "getOrder", "", "id status", ""),
                grant(5, "getOrder", open, "id", ""),
            ],
            vec![
                "5 the grant gives nothing: the one at integrations/test.yaml:1 gives all of it already",
            ],
        ),
        // The same twice: the later one.
        (
            vec![
                grant(1, "getOrder", open, "id", ""),
                grant(5, "getOrder", open, "id", ""),
            ],
            vec![
                "5 the grant gives nothing: the one at integrations/test.yaml:1 gives all of it already",
            ],
        ),
        (
            vec![
                grant(1, "getOrder", "", "id", ""),
                grant(5, "getOrder listOrders", open, "id", ""),
            ],
            vec![
                "5 `getOrder` is granted here in vain: the grant at integrations/test.yaml:1 gives all of it already",
            ],
        ),
        (
            vec![
                grant(
                    1,
                    "getOrder",
                    r#"["open", "completed"].contains(resource.status)"#,
                    "customer",
                    "",
                ),
                grant(
                    5,
                    "getOrder",
                    &format!("{open} && resource.priority > 2"),
                    "customer.{id,iban}",
                    "",
                ),
            ],
            vec![
                "5 the grant gives nothing: the one at integrations/test.yaml:1 gives all of it already",
            ],
        ),
        (
            vec![
                grant(1, "getOrder", "", "id", ""),
                grant(5, "getOrder", open, "status", ""),
            ],
            vec![],
        ),
        (
            vec![
                grant(1, "getOrder", open, "id", ""),
                grant(5, "getOrder", "", "id number", ""),
            ],
            vec![
                "1 the grant gives nothing: the one at integrations/test.yaml:5 gives all of it already",
            ],
        ),
        (
            vec![
                grant(1, "updateOrder", "", "id", "status"),
                grant(5, "updateOrder", open, "id", "notes"),
            ],
            vec![],
        ),
    ] {
        let found = said_of(bounded(grants));
        let found: Vec<&str> = found
            .iter()
            .filter_map(|said| said.split(" | ").next())
            .collect();
        assert_eq!(found, said);
    }
}

#[test]
fn what_differs_in_a_mask_a_query_or_a_refusal_is_no_shadow() {
    let plain = grant(1, "listOrders", "", "id notes", "");
    let masked = Grant {
        masks: vec![listed(
            (FieldPath::parse("notes").unwrap().remove(0), Mask::Redact),
            1,
        )],
        ..plain.clone()
    };
    let asked = Grant {
        query: Some(vec![listed("status".into(), 1)]),
        ..plain.clone()
    };
    let hidden = Grant {
        deny_as: Some(DenyAs::NotFound),
        ..plain.clone()
    };
    let of_role = Grant {
        role: Some("partner".into()),
        ..plain.clone()
    };
    let narrow = grant(5, "listOrders", "", "notes", "");
    for wide in [&masked, &asked, &hidden] {
        assert_eq!(
            said_of(bounded(vec![wide.clone(), narrow.clone()])),
            [""; 0]
        );
    }
    assert_eq!(
        said_of(bounded(vec![of_role.clone(), narrow.clone()])).len(),
        1
    );
    // The role may be somebody else's only one.
    let narrow_role = Grant {
        role: Some("other".into()),
        ..narrow
    };
    assert_eq!(
        said_of(bounded(vec![of_role, narrow_role.clone()])),
        [""; 0]
    );
    assert_eq!(said_of(bounded(vec![plain, narrow_role])), [""; 0]);
}

const CONDITIONS: [&str; 10] = [
    "",
    r#"resource.status == "open""#,
    r#"["open", "completed"].contains(resource.status)"#,
    r#"resource.partner == principal.partner"#,
    r#"resource.status == "open" && resource.partner == principal.partner"#,
    r#"resource.partner == principal.partner || resource.status == "open""#,
    r#"resource.priority > 2"#,
    r#"resource.priority >= 1 && resource.status != "open""#,
    r#"!(resource.status == "open" || resource.priority < 3)"#,
    r#"resource.status == "open" && resource.priority > 4 && resource.priority < 3"#,
];
const FIELDS: [&str; 8] = [
    "id",
    "status",
    "notes",
    "customer",
    "customer.id",
    "customer.iban",
    "lines.*.sku",
    "lines",
];

fn drawn(line: u32) -> impl Strategy<Value = Grant> {
    let fields = prop::sample::subsequence(FIELDS.to_vec(), 1..5);
    let masked = prop::sample::subsequence(vec!["notes", "customer.iban", "lines.*.sku"], 0..2);
    (prop::sample::select(CONDITIONS.to_vec()), fields, masked).prop_map(
        move |(when, fields, masked)| {
            let mut drawn = grant(line, "getOrder", when, &fields.join(" "), "");
            let masks = masked.into_iter().filter(|path| {
                let outer = path.split('.').next().unwrap();
                fields.contains(path) || fields.contains(&outer)
            });
            drawn.masks = masks
                .map(|path| {
                    listed(
                        (FieldPath::parse(path).unwrap().remove(0), Mask::Redact),
                        line,
                    )
                })
                .collect();
            drawn
        },
    )
}

/// Objects of every sort that the contract admits, also without what conditions ask for.
fn orders() -> Vec<String> {
    let mut all = Vec::new();
    for status in ["", "open", "completed", "cancelled"] {
        for partner in ["", "north", "south"] {
            for priority in [0, 1, 2, 3, 5] {
                let mut order = serde_json::json!({
                    "id": "7", "notes": "n", "assignment": {},
                    "customer": { "id": "c", "legalName": "C", "iban": "DE" },
                    "lines": [{ "sku": "s", "price": 1 }],
                });
                if !status.is_empty() {
                    order["status"] = status.into();
                }
                if !partner.is_empty() {
                    order["assignment"]["partnerId"] = partner.into();
                }
                if priority > 0 {
                    order["priority"] = priority.into();
                }
                all.push(order.to_string());
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is said to give nothing can be taken out, and no answer changes.
    #[test]
    fn what_is_said_to_give_nothing_gives_nothing(
        grants in (2..4u32).prop_flat_map(|count| (1..=count).map(|n| drawn(n * 10)).collect::<Vec<_>>()),
    ) {
        let rules = Arc::new(compile(bounded(grants.clone())).unwrap());
        let is_idle = |grant: &Grant| {
            let mut notes = rules.parameter_notes().iter();
            notes.any(|note| {
                let is_of_it = (grant.rule.line..grant.rule.line + 2).contains(&note.rule.line);
                is_of_it && (note.message.contains("gives nothing") || note.message.contains("can never hold"))
            })
        };
        let left: Vec<Grant> = grants.iter().filter(|grant| !is_idle(grant)).cloned().collect();
        prop_assume!(left.len() < grants.len() && !left.is_empty());
        let without = Arc::new(compile(bounded(left)).unwrap());
        for order in orders() {
            prop_assert_eq!(
                answer(&rules, "getOrder orderId=7", &order),
                answer(&without, "getOrder orderId=7", &order),
                "{}", order
            );
        }
    }
}
