//! Records of every schema are read for ever, and those of a newer program as far as this one knows their fields.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use model::{Cause, Event, Kind, Outcome};

const FIRST: &str = include_str!("written/schema-1.jsonl");
const SECOND: &str = include_str!("written/schema-2.jsonl");
const NEW_FACTS: &str = include_str!("written/schema-2-new-facts.jsonl");
const NEWER: &str = include_str!("written/newer.jsonl");

fn read(line: &str) -> Event {
    serde_json::from_str(line).unwrap()
}

fn written(event: &Event) -> String {
    let mut line = Vec::new();
    event.write(&mut line);
    String::from_utf8(line).unwrap()
}

#[test]
fn a_record_of_schema_1_reads_as_the_same_one_of_schema_2() {
    assert_eq!(FIRST.lines().count(), SECOND.lines().count());
    for (first, second) in FIRST.lines().zip(SECOND.lines()) {
        assert_eq!(read(first), read(second));
        // What is written of it is a record of today.
        assert_eq!(written(&read(first)), second);
    }
}

#[test]
fn a_record_of_schema_2_is_written_as_it_was_read() {
    for line in SECOND.lines().chain(NEW_FACTS.lines()) {
        assert_eq!(written(&read(line)), line);
    }
    let event = read(NEW_FACTS.lines().next().unwrap());
    assert_eq!(event.cause, Some(Cause::AmbiguousPath.into()));
    assert_eq!(event.lookup_status, Some(403));
}

#[test]
fn a_record_of_a_newer_program_is_read_past_what_it_added() {
    let event = read(NEWER.trim_end());
    assert!(event.kind == Kind::Request && event.is_call());
    assert_eq!(
        (event.outcome.known(), event.outcome.name()),
        (None, "deferred")
    );
    assert!(event.outcome != Outcome::Refuse);
    assert_eq!(event.stage.unwrap().name(), "queue");
    assert_eq!(event.cause.unwrap().name(), "geofence");
    assert_eq!(event.rule.unwrap().to_string(), "integrations/crm.yaml:18");
    assert_eq!(event.objects[0].to_string(), "Site:1");
    assert_eq!(event.findings[0].what.name(), "quarantined");
}

#[test]
fn a_record_that_is_none_is_refused() {
    for line in [
        "{}",
        r#"{"at":"now","kind":"request","outcome":"allow"}"#,
        r#"{"at":1,"kind":7,"outcome":"allow"}"#,
        r#"{"at":1,"kind":"request"}"#,
    ] {
        assert!(serde_json::from_str::<Event>(line).is_err(), "{line}");
    }
}
