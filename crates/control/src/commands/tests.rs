use serde_json::{Value, json};

use super::*;
use crate::AdminErrorKind;

#[test]
fn commands_are_sorted_and_their_facts_agree() {
    assert!(COMMANDS.is_sorted_by_key(|entry| entry.info.name));
    for entry in COMMANDS {
        let info = entry.info;
        let reads_the_ledger = matches!(
            info.permission,
            Permission::LedgerRead | Permission::DecisionsRead
        );
        let is_recorded = entry.is_change() || reads_the_ledger;
        assert_eq!(is_recorded, entry.is_recorded(), "{}", info.name);
        let is_read = info.permission.name().ends_with(".read");
        assert_eq!(is_read, !entry.is_change(), "{}", info.name);
        assert!(info.name.split_once('.').is_some() && !info.summary.ends_with('.'));
    }
}

#[test]
fn arguments_are_flat_bounded_and_described() {
    let mut fields = 0;
    for entry in COMMANDS {
        let schema = (entry.input)();
        assert_eq!(schema["additionalProperties"], json!(false), "{schema:#}");
        let Some(properties) = schema["properties"].as_object() else {
            continue;
        };
        for (name, property) in properties {
            let place = format!("{}: {name}: {property}", entry.info.name);
            let members = property.as_object().unwrap();
            for keyword in members.keys() {
                assert!(input::KEYWORDS.contains(&keyword.as_str()), "{place}");
            }
            assert!(
                members["description"].as_str().unwrap().len() > 8,
                "{place}"
            );
            if property["type"].to_string().contains("string") {
                assert!(members.contains_key("maxLength"), "unbounded: {place}");
            }
            fields += 1;
        }
    }
    assert!(fields > 20, "only {fields}");
}

#[test]
fn what_is_answered_is_described() {
    for entry in COMMANDS {
        let schema = (entry.output)();
        assert_eq!(
            schema["properties"]["schema_version"]["const"],
            entry.info.version
        );
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.len() > 1, "{} answers nothing", entry.info.name);
        for (name, property) in properties {
            let is_described = property["description"]
                .as_str()
                .is_some_and(|d| d.len() > 4);
            assert!(is_described, "{}: {name}", entry.info.name);
        }
    }
}

fn read<C: Command>(arguments: Value) -> Result<C, AdminError> {
    input::read(C::INFO.name, arguments)
}

#[test]
fn examples_are_read_as_what_they_are_examples_of() {
    for entry in COMMANDS {
        let example: Value = serde_json::from_str(entry.info.example).unwrap();
        let read = entry.check(example.clone());
        let read = read.unwrap_or_else(|error| panic!("{}: {error:?}", entry.info.name));
        // What the example says is said again: no argument of it is dropped.
        for (name, value) in example.as_object().unwrap() {
            assert_eq!(read[name], *value, "{}: {name}", entry.info.name);
        }
    }
}

#[test]
fn a_wrong_argument_is_named_with_how_to_put_it_right() {
    let wrong = |arguments: Value| {
        let error = read::<key::CreateKey>(arguments).unwrap_err();
        assert_eq!(error.kind, AdminErrorKind::Argument);
        assert!(!error.remedy.is_empty(), "{error:?}");
        (error.field.unwrap_or_default(), error.message)
    };
    let cases = [
        (json!({}), "integration", "is missing"),
        (
            json!({ "integration": null }),
            "integration",
            "is not a text",
        ),
        (json!({ "integration": 7 }), "integration", "is not a text"),
        (json!({ "integration": "" }), "integration", "is empty"),
        (
            json!({ "integration": "crm", "test": "yes" }),
            "test",
            "is not true or false",
        ),
        (
            json!({ "integration": "crm", "lable": "x" }),
            "lable",
            "takes no argument",
        ),
        (
            json!({ "integration": "crm", "label": "x".repeat(101) }),
            "label",
            "101 characters",
        ),
        (json!([]), "", "not an object"),
        (json!("crm"), "", "not an object"),
    ];
    for (arguments, field, message) in cases {
        let (named, said) = wrong(arguments.clone());
        assert_eq!(named, field, "{arguments}");
        assert!(said.contains(message), "{arguments}: {said}");
    }
}

#[test]
fn whatever_stands_in_an_argument_is_taken_as_it_is_or_named() {
    let odd = [
        Value::Null,
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x".repeat(10_000)),
        json!([]),
        json!({}),
    ];
    let (mut taken, mut named) = (0, 0);
    for entry in COMMANDS {
        let schema = (entry.input)();
        let properties = schema["properties"].as_object().into_iter().flatten();
        for ((name, _), value) in
            properties.flat_map(|property| odd.iter().map(move |v| (property, v)))
        {
            let mut arguments: Value = serde_json::from_str(entry.info.example).unwrap();
            arguments[name] = value.clone();
            match entry.check(arguments) {
                Ok(read) => {
                    assert_eq!(read[name], *value, "{}", entry.info.name);
                    taken += 1;
                }
                Err(error) => {
                    assert_eq!(error.field.as_ref(), Some(name), "{error:?}");
                    assert!(!error.remedy.is_empty(), "{error:?}");
                    named += 1;
                }
            }
        }
    }
    assert!(taken > 20 && named > 150, "{taken} {named}");
}

#[test]
fn numbers_are_whole_and_within_their_limits() {
    let good = json!({ "seconds": 600, "requests_max": 1000, "keep_days": 7 });
    assert!(read::<inspection::BeginRecording>(good.clone()).is_ok());
    for bad in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!("600"),
        json!(86_401),
    ] {
        let mut arguments = good.clone();
        arguments["seconds"] = bad.clone();
        let error = read::<inspection::BeginRecording>(arguments).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("seconds"), "{bad}");
    }
}

#[test]
fn a_word_of_a_list_is_one_of_it_and_the_list_is_told() {
    for (name, good, bad, told) in [
        ("outcome", "refuse", "refused!", "Did you mean `refused`?"),
        (
            "outcome",
            "pending",
            "nope",
            "It is one of allow, done, failed",
        ),
        (
            "kind",
            "key.revoke",
            "key.revoked",
            "Did you mean `key.revoke`?",
        ),
        ("kind", "kek.rotate", "x", "connection, decision.explain"),
        (
            "code",
            "authz.condition_failed",
            "authz.nope",
            "authn.missing",
        ),
    ] {
        assert!(
            read::<ledger::ShowLedger>(json!({ name: good })).is_ok(),
            "{good}"
        );
        let error = read::<ledger::ShowLedger>(json!({ name: bad })).unwrap_err();
        assert_eq!(error.kind, AdminErrorKind::Argument);
        assert_eq!(error.field.as_deref(), Some(name));
        assert!(error.remedy.contains(told), "{error:?}");
    }
}

#[test]
fn limits_are_refused_before_anybody_is_asked() {
    let of = |limit: u64| ledger::ShowLedger {
        limit: Some(limit),
        ..ledger::ShowLedger::default()
    };
    for wrong in [0, 10_001, 99_999] {
        let error = arguments_of(&of(wrong)).unwrap_err();
        assert_eq!(error.message, "the argument `limit` is not from 1 to 10000");
    }
    assert!(arguments_of(&of(1)).is_ok() && arguments_of(&of(10_000)).is_ok());
}

#[test]
fn what_can_change_something_says_whether_it_did() {
    for entry in COMMANDS {
        let schema = (entry.output)();
        let is_said = schema["properties"]["changed"]["type"] == "boolean";
        assert_eq!(is_said, entry.is_change(), "{}", entry.info.name);
    }
}

#[test]
fn what_may_be_left_out_may_be_null_and_nothing_stands_for_no_arguments() {
    let arguments = json!({ "integration": "crm", "label": null, "expires_in": null });
    assert!(read::<key::CreateKey>(arguments).is_ok());
    assert!(read::<key::ListKeys>(Value::Null).is_ok());
    assert!(read::<block::ListBlocks>(Value::Null).is_ok());
}
