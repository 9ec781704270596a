use super::*;
use crate::event::{AuthenticatedBy, Cause, Kind, Outcome, SCHEMA, Schema, Treatment};
use crate::{DecisionId, Stage};
use proptest::prelude::*;

/// Plain, awkward and long texts.
fn text() -> impl Strategy<Value = Text> {
    prop_oneof!["[a-z/]{0,30}", "\\PC{0,12}", any::<String>()].prop_map(Text::from)
}

fn some_text() -> impl Strategy<Value = Option<Text>> {
    proptest::option::of(text())
}

/// Words of the list and others.
fn word<T: Named + std::fmt::Debug>() -> impl Strategy<Value = Word<T>> {
    prop_oneof![
        proptest::sample::select(T::ALL).prop_map(Word::Known),
        text().prop_map(Word::new)
    ]
}

fn list<T: std::fmt::Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(one, 0..3)
}

fn object() -> impl Strategy<Value = ObjectRef> {
    (text(), text(), any::<bool>()).prop_map(|(kind, id, is_person)| ObjectRef {
        kind,
        id,
        is_person,
    })
}

fn rule() -> impl Strategy<Value = RuleRef> {
    (text(), any::<u32>()).prop_map(|(file, line)| RuleRef {
        file: file.as_str().into(),
        line,
    })
}

fn blocked() -> impl Strategy<Value = Blocked> {
    (text(), any::<i64>()).prop_map(|(subject, until)| Blocked {
        subject,
        until: Timestamp::from_micros(until),
    })
}

fn actor() -> impl Strategy<Value = ActorRef> {
    (
        word::<AuthenticatedBy>(),
        any::<(Option<u32>, Option<u32>)>(),
        some_text(),
    )
        .prop_map(
            |(authenticated_by, (uid, process), calls_itself)| ActorRef {
                authenticated_by,
                uid,
                process,
                calls_itself,
            },
        )
}

fn error() -> impl Strategy<Value = ErrorAt> {
    (text(), text(), text()).prop_map(|(place, pointer, keyword)| ErrorAt {
        place,
        pointer,
        keyword,
    })
}

fn personal() -> impl Strategy<Value = Personal> {
    let parts = (list(text()), any::<Option<u32>>(), some_text(), some_text());
    parts.prop_map(|(subjects, object, sealed, state)| Personal {
        subjects,
        object,
        sealed,
        state,
    })
}

fn drift() -> impl Strategy<Value = Drift> {
    (text(), text()).prop_map(|(pointer, keyword)| Drift { pointer, keyword })
}

prop_compose! {
    fn finding()(
        [class, place, pointer, rule] in proptest::array::uniform4(text()),
        (score, paranoia) in any::<(u32, u8)>(),
        steps in list(text()),
        what in word::<Treatment>(),
    ) -> Finding {
        Finding { class, place, pointer, rule, score, paranoia, steps, what }
    }
}

type Texts = [Option<Text>; 19];

prop_compose! {
    fn event()(
        (at, latest, id, works_until) in any::<(i64, Option<i64>, Option<u128>, Option<i64>)>(),
        (kind, outcome) in (word::<Kind>(), word::<Outcome>()),
        (stage, cause) in (proptest::option::of(word::<Stage>()), proptest::option::of(word::<Cause>())),
        texts in proptest::array::uniform19(some_text()),
        (objects, errors, findings, drift) in (list(object()), list(error()), list(finding()), list(drift())),
        (rule, blocked, actor) in (proptest::option::of(rule()), proptest::option::of(blocked()), proptest::option::of(actor())),
        (status, upstream_status, lookup_status) in any::<(Option<u16>, Option<u16>, Option<u16>)>(),
        (fields, withheld, findings_more) in any::<(Option<(u32, u32)>, Option<u32>, Option<u32>)>(),
        numbers in any::<[Option<u64>; 6]>(),
        personal in list(personal()),
    ) -> Event {
        let [code, integration, credential, user, address, user_agent, listener, protocol, method, path, api, operation,
            detail, upstream, declared_outcome, signer, person, erases, replaced_by]: Texts = texts;
        let [count, bytes_in, bytes_out, took_us, upstream_us, destroys] = numbers;
        Event {
            schema: Schema::default(),
            at: Timestamp::from_micros(at),
            latest: latest.map(Timestamp::from_micros),
            id: id.map(DecisionId::from_bits),
            configuration: code.clone(),
            kind, outcome, actor, code, stage, status, integration, credential, user, person, address, user_agent, count, listener,
            protocol, method, path, api, operation, objects, rule, cause, blocked, signer, erases, destroys, replaced_by, works_until: works_until.map(Timestamp::from_micros), detail, errors, findings, findings_more,
            drift, fields, withheld, lookup_status, upstream, upstream_status, declared_outcome, bytes_in, bytes_out, took_us,
            upstream_us, personal, is_of_stranger: false, may_name_persons: false,
        }
    }
}

proptest! {
    #[test]
    fn a_line_reads_back_as_the_event_with_its_fields_in_order(event in event()) {
        let mut line = b"before".to_vec();
        event.write(&mut line);
        let line = line.strip_prefix(b"before").unwrap();
        prop_assert_eq!(&serde_json::from_slice::<Event>(line).unwrap(), &event);
        let derived = serde_json::to_string(&event).unwrap();
        let derived = printable::json(&derived);
        prop_assert!(!std::str::from_utf8(line).unwrap().chars().any(printable::is_active));
        // Two control characters have a short and a long escape.
        let short = String::from_utf8(line.to_vec()).unwrap().replace("\\u0008", "\\b").replace("\\u000c", "\\f");
        if !derived.contains("\\\\u00") {
            prop_assert_eq!(short, derived.as_ref());
        }
    }
}

/// The members of an object that was written without its brackets.
fn members(written: &[u8]) -> serde_json::Map<String, serde_json::Value> {
    let text = std::str::from_utf8(written).unwrap();
    serde_json::from_str(&format!("{{{}}}", text.strip_prefix(',').unwrap_or(text))).unwrap()
}

proptest! {
    #[test]
    fn what_is_left_out_of_a_sealed_line_is_what_is_written_of_the_person(event in event()) {
        let (mut whole, mut open, mut apart) = (Vec::new(), Vec::new(), Vec::new());
        let event = Event { personal: Vec::new(), ..event };
        event.write(&mut whole);
        let sealed = Personal { subjects: vec!["ab".into()], object: None, sealed: Some("x".into()), state: None };
        let left_out = Sealed { has_stated_person: true, personal: std::slice::from_ref(&sealed) };
        event.write_sealed(event.latest, left_out, &mut open);
        event.write_of_person(&mut apart);
        event.write_texts(&mut apart);
        let mut open: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&open).unwrap();
        let schema = if event.has_persons() { 4 } else { 3 };
        prop_assert_eq!(open.insert("schema".into(), SCHEMA.into()), Some(schema.into()));
        for (index, object) in event.objects.iter().enumerate().filter(|(_, object)| object.is_person) {
            let written = open["objects"][index].as_object_mut().unwrap();
            prop_assert!(!written.contains_key("id"));
            let mut apart = Vec::new();
            Event::write_of_object(object, &mut apart);
            written.extend(members(&apart));
        }
        prop_assert_eq!(open.remove("personal"), Some(serde_json::json!([sealed])));
        let apart = members(&apart);
        for name in apart.keys() {
            prop_assert!(open.insert(name.clone(), apart[name].clone()).is_none(), "{} is written twice", name);
        }
        let whole: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&whole).unwrap();
        prop_assert_eq!(&open, &whole);
        // Nothing that names the person of a call, and no sentence, is left.
        let person = ["path", "detail", "errors", "findings", "drift", "blocked", "person"];
        prop_assert!(person.iter().all(|name| whole.contains_key(*name) == apart.contains_key(*name)));
        let caller = ["user", "address", "user_agent"];
        prop_assert!(!event.is_call() || caller.iter().all(|name| whole.contains_key(*name) == apart.contains_key(*name)));
    }
}
