//! Whoever lacks a permission changes nothing, and is on the record.

use super::*;
use crate::{AdminErrorKind, COMMANDS, Permission};

/// A question that would be answered: what its arguments name is there.
fn question(run: &Run<'_>, command: &str, key: &str) -> Value {
    let example = crate::commands::find(command).unwrap().info.example;
    let mut question: Value = serde_json::from_str(example).unwrap();
    for (name, value) in question.as_object_mut().unwrap() {
        match name.as_str() {
            "integration" => *value = json!("alpha"),
            "id" if command.starts_with("key.") => *value = json!(key),
            _ => {}
        }
    }
    assert!(run.control.io.is_some());
    question
}

#[test]
fn who_lacks_the_permission_of_a_command_changes_nothing_and_is_on_the_record() {
    let fixture = fixture();
    let mut seen = Seen::default();
    let run = Run::new(&fixture, &mut seen, 1);
    let owner = Actor::server("the owner");
    let arguments = json!({ "integration": "alpha" });
    let made = run.control.call("key.create", &arguments, &owner).unwrap();
    let key = made["id"].as_str().unwrap();
    let (before, records) = (run.state(), run.records());
    for entry in COMMANDS {
        let needed = entry.info.permission;
        let others = Permission::ALL.into_iter().filter(|one| *one != needed);
        let actor = owner.clone().with_permissions(others);
        let question = question(&run, entry.info.name, key);
        let error = run.control.call(entry.info.name, &question, &actor);
        let error = error.unwrap_err();
        assert_eq!(error.kind, AdminErrorKind::NotPermitted, "{error:?}");
        assert!(error.message.contains(needed.name()), "{error:?}");
    }
    assert_eq!(run.state(), before);
    let events = run.book.events.lock().unwrap();
    let new = events[records..].iter();
    let recorded: Vec<(&str, &str)> = new.map(|e| (e.kind.name(), e.outcome.name())).collect();
    let names = COMMANDS.iter().map(|entry| (entry.info.name, "refused"));
    assert_eq!(recorded, names.collect::<Vec<_>>());
}

#[test]
fn who_asks_again_and_again_does_not_fill_the_ledger() {
    let fixture = fixture();
    let mut seen = Seen::default();
    let run = Run::new(&fixture, &mut seen, 1);
    let nobody = Actor::server("nobody").with_permissions([]);
    let records = run.records();
    for _ in 0..1_000 {
        assert!(run.control.call("key.list", &json!({}), &nobody).is_err());
    }
    let new = run.records() - records;
    // A minute may end meanwhile.
    assert!((1..=120).contains(&new), "{new} records");
}

#[test]
fn one_permission_is_enough_for_its_own_commands() {
    let fixture = fixture();
    let mut seen = Seen::default();
    let run = Run::new(&fixture, &mut seen, 1);
    let writer = Actor::from_peer("ann", 7, Some(9), 7).with_permissions([Permission::KeysWrite]);
    let arguments = json!({ "integration": "alpha" });
    let made = run.control.call("key.create", &arguments, &writer).unwrap();
    assert!(run.control.call("key.list", &arguments, &writer).is_err());
    let events = run.book.events.lock().unwrap();
    let done = events
        .iter()
        .find(|event| event.outcome == model::Outcome::Done)
        .unwrap();
    assert_eq!(done.user.as_deref(), Some(writer.name.as_str()));
    assert_eq!(writer.calls_itself.as_deref(), Some("ann"));
    assert_eq!(done.actor, Some(writer.recorded()));
    assert_eq!(done.credential.as_deref(), made["id"].as_str());
}

#[test]
fn what_a_command_takes_is_checked_before_anything_is_done() {
    let fixture = fixture();
    let mut seen = Seen::default();
    let run = Run::new(&fixture, &mut seen, 1);
    let owner = Actor::server("the owner");
    let (before, records) = (run.state(), run.records());
    for entry in COMMANDS {
        let mut question = question(&run, entry.info.name, "key_1");
        question["nonsense"] = json!(true);
        let error = run.control.call(entry.info.name, &question, &owner);
        let error = error.unwrap_err();
        assert_eq!(error.kind, AdminErrorKind::Argument);
        assert_eq!(error.field.as_deref(), Some("nonsense"), "{error:?}");
    }
    assert_eq!((run.state(), run.records()), (before, records));
}
