use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::shape::Scalar;
use model::{Json, RuleRef};
use proptest::prelude::*;

use crate::cedar::{self, Checked, ConditionSet, EvalInput, Member, Needs};
use crate::fast::PrincipalFacts;
use crate::input::Source;
use crate::rules::{Attribute, Kind, Seen};

const ATTRIBUTES: [(&str, Scalar); 4] = [
    ("status", Scalar::Text),
    ("partner", Scalar::Text),
    ("priority", Scalar::Integer),
    ("urgent", Scalar::Boolean),
];

fn kind() -> Kind {
    let attributes = ATTRIBUTES.iter().enumerate();
    Kind {
        is_person: false,
        api: "a/v1".into(),
        schema: "Order".into(),
        type_name: "a::v1::Order".parse().unwrap(),
        type_text: "a::v1::Order".into(),
        id: Source::parse("path.id").unwrap(),
        resolve: None,
        attributes: attributes
            .map(|(index, (name, scalar))| Attribute {
                index,
                name: (*name).into(),
                source: Source::parse(&format!("body.{name}")).unwrap(),
                kind: cedar::AttributeType {
                    scalar: *scalar,
                    is_list: false,
                },
                domain: None,
            })
            .collect(),
    }
}

fn set(policies: &[(bool, String)]) -> ConditionSet {
    let checked: Vec<(Member, Checked)> = policies
        .iter()
        .enumerate()
        .map(|(index, (is_permit, condition))| {
            let effect = if *is_permit { "permit" } else { "forbid" };
            let text = format!("{effect}(principal, action, resource) {condition};");
            let member = Member {
                grant: is_permit.then_some(u32::try_from(index).unwrap()),
                rule: RuleRef {
                    file: "a".into(),
                    line: 1,
                },
            };
            let policy = text.parse().unwrap();
            let needs = Needs {
                is_on_object: true,
                is_on_principal: true,
                is_on_context: true,
                object_attributes: ATTRIBUTES.iter().map(|(n, _)| (*n).to_owned()).collect(),
                ..Needs::default()
            };
            (
                member,
                Checked {
                    policy,
                    needs,
                    can_hold: true,
                    part: None,
                },
            )
        })
        .collect();
    let borrowed: Vec<_> = checked.iter().map(|(m, c)| (m.clone(), c)).collect();
    ConditionSet::of(&borrowed, &mut HashMap::new()).unwrap()
}

/// Judged by the engine and without it.
fn both(policies: &[(bool, String)], object: &Json) -> (Option<cedar::Held>, cedar::Held) {
    let principal = BTreeMap::from([("partner".to_owned(), "north".to_owned())]);
    let being = cedar::principal("north", &principal, &[]).unwrap();
    let action = cedar::action("a::v1", "getOrder").unwrap();
    let context = cedar::context(
        Vec::new(),
        Vec::new(),
        "192.0.2.7".parse().unwrap(),
        "public",
        model::Timestamp::default(),
    );
    let scene = EvalInput {
        principal: &being,
        who: PrincipalFacts {
            attributes: &principal,
            listener: Some("public"),
        },
        action: &action,
        context: &context,
    };
    let kind = kind();
    let seen = Seen {
        id: Some("7"),
        object: Some(object),
        ..Seen::default()
    };
    let set = set(policies);
    let plain = set.judge_plain(&scene, |name| kind.look(name, &seen));
    (plain, kind.judge_by_engine(&set, &scene, &seen))
}

fn leaf() -> impl Strategy<Value = String> {
    let attribute = prop::sample::select(vec![
        "resource.status",
        "resource.partner",
        "resource.priority",
        "resource.urgent",
        "principal.partner",
        "principal.absent",
        "context.network.listener",
    ]);
    prop_oneof![
        4 => attribute.prop_map(str::to_owned),
        2 => prop::sample::select(vec!["\"open\"", "\"north\"", "\"a\\\"b\\u{e9}\"", "3", "(-1)", "0", "true", "false"])
            .prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        4 => (leaf(), prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]), leaf())
            .prop_map(|(a, word, b)| format!("({a} {word} {b})")),
        1 => leaf(),
        1 => prop::sample::select(vec!["status", "priority", "absent"]).prop_map(|a| format!("(resource has {a})")),
        1 => prop::sample::select(vec!["partner", "absent"]).prop_map(|a| format!("(principal has {a})")),
        1 => (prop::collection::vec(prop::sample::select(vec!["\"open\"", "\"north\"", "3", "true"]), 0..3), leaf())
            .prop_map(|(set, item)| format!("([{}].contains({item}))", set.join(", "))),
        1 => leaf().prop_map(|a| format!("({a} like \"o*\")")),
    ];
    plain.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("(!{a})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a} == {b})")),
        ]
    })
}

fn object() -> impl Strategy<Value = Json> {
    let value = prop_oneof![
        Just(Json::Text("open".into())),
        Just(Json::Text("north".into())),
        Just(Json::Text("a\"bé".into())),
        Just(Json::Number("3".into())),
        Just(Json::Number("-1".into())),
        Just(Json::Number("3.0".into())),
        Just(Json::Bool(true)),
        Just(Json::Bool(false)),
        Just(Json::Null),
        Just(Json::List(Vec::new())),
    ];
    let names: Vec<&str> = ATTRIBUTES.iter().map(|(name, _)| *name).collect();
    prop::collection::btree_map(prop::sample::select(names), value, 0..5)
        .prop_map(|members| Json::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect()))
}

fn policy() -> impl Strategy<Value = (bool, String)> {
    let clause = (any::<bool>(), condition()).prop_map(|(is_when, text)| {
        let word = if is_when { "when" } else { "unless" };
        format!("{word} {{ {text} }}")
    });
    let clauses = prop::collection::vec(clause, 1..3).prop_map(|all| all.join(" "));
    (prop::bool::weighted(0.8), clauses)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn plain_conditions_say_exactly_what_the_engine_says(
        policies in prop::collection::vec(policy(), 1..4),
        object in object(),
    ) {
        let (plain, engine) = both(&policies, &object);
        if let Some(plain) = plain {
            prop_assert_eq!(plain.grants, engine.grants);
            prop_assert_eq!(plain.forbidden.is_some(), engine.forbidden.is_some());
        }
    }
}

#[test]
fn the_usual_conditions_do_without_the_engine() {
    let object = crate::tests::json(r#"{"status":"open","priority":3,"urgent":true}"#);
    for (condition, wanted) in [
        (
            r#"resource.status == "open" && resource.priority >= 3"#,
            true,
        ),
        (r#"resource.status != "open" || resource.urgent"#, true),
        (r#"!(resource.partner == principal.partner)"#, false),
        (r#"["open", "done"].contains(resource.status)"#, true),
        (r#"resource has partner && resource.partner == "x""#, false),
        (r#"resource.priority == "3""#, false),
        (
            r#"context.network.listener == "public" && resource.urgent"#,
            true,
        ),
        (r#"context.network.listener == "internal""#, false),
    ] {
        let (plain, engine) = both(&[(true, format!("when {{ {condition} }}"))], &object);
        let plain = plain.unwrap();
        assert_eq!(plain.grants == 1, wanted, "{condition}");
        assert_eq!(plain, engine, "{condition}");
    }
    for unusual in [
        r#"resource.status like "o*""#,
        "resource == resource",
        "if resource.urgent then true else false",
        r#"context.network.address == ip("192.0.2.7")"#,
        "resource.priority + 1 == 4",
    ] {
        let (plain, _) = both(&[(true, format!("when {{ {unusual} }}"))], &object);
        assert_eq!(plain, None, "{unusual}");
    }
}

#[test]
fn what_is_missing_makes_a_permit_fail_and_a_forbid_hold() {
    let object = crate::tests::json("{}");
    let condition = r#"when { resource.status == "open" }"#;
    let (permit, _) = both(&[(true, condition.into())], &object);
    assert_eq!(permit.unwrap().grants, 0);
    let always = (true, "when { true }".to_owned());
    let (forbid, engine) = both(&[always, (false, condition.into())], &object);
    let forbid = forbid.unwrap();
    assert_eq!((forbid.grants, forbid.forbidden.is_some()), (0, true));
    assert_eq!(forbid, engine);
}

#[test]
fn a_plain_judgement_costs_next_to_nothing() {
    let object = crate::tests::json(r#"{"status":"open","partner":"north"}"#);
    let when = r#"when { resource.status == "open" && resource.partner == principal.partner }"#;
    let principal = BTreeMap::from([("partner".to_owned(), "north".to_owned())]);
    let being = cedar::principal("north", &principal, &[]).unwrap();
    let action = cedar::action("a::v1", "getOrder").unwrap();
    let context = cedar::context(
        Vec::new(),
        Vec::new(),
        "192.0.2.7".parse().unwrap(),
        "public",
        model::Timestamp::default(),
    );
    let scene = EvalInput {
        principal: &being,
        who: PrincipalFacts {
            attributes: &principal,
            listener: Some("public"),
        },
        action: &action,
        context: &context,
    };
    let (kind, set) = (kind(), set(&[(true, when.into())]));
    let seen = Seen {
        object: Some(&object),
        ..Seen::default()
    };
    let start = std::time::Instant::now();
    for _ in 0..10_000 {
        assert_eq!(kind.judge(&set, &scene, &seen).grants, 1);
    }
    let plain = start.elapsed() / 10_000;
    let start = std::time::Instant::now();
    for _ in 0..200 {
        assert_eq!(kind.judge_by_engine(&set, &scene, &seen).grants, 1);
    }
    let engine = start.elapsed() / 200;
    eprintln!("one object: plain {plain:?}, engine {engine:?}");
    let _: Arc<str> = kind.schema;
}
