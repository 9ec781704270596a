//! Persons who are objects of an api: customers, patients, employees.

use super::*;
use crate::Filter;

fn object(kind: &str, id: &str, is_person: bool) -> ObjectRef {
    ObjectRef {
        kind: kind.into(),
        id: id.into(),
        is_person,
    }
}

/// A call that names a customer and a work order, with the customer's id wherever a record can name one.
fn about(n: u64, customer: &str) -> Event {
    Event {
        user: None,
        api: Some("shop/v2".into()),
        operation: Some("getCustomer".into()),
        // These are about whoever calls.
        user_agent: Some("agent/1".into()),
        blocked: None,
        objects: vec![
            object("WorkOrder", "4711", false),
            object("Customer", customer, true),
        ],
        ..call(n, "crm", customer)
    }
}

fn of_customer(ledger: &Ledger, id: &str) -> Vec<u64> {
    let filter = Filter {
        object: Some(("Customer".into(), id.into())),
        ..Filter::default()
    };
    let found = ledger.newest(&filter).unwrap();
    found.iter().map(|entry| entry.seq).collect()
}

fn customer(ledger: &Ledger, id: &str) -> String {
    let mut found = ledger
        .subjects_of_object("Customer", id, Some("shop"))
        .unwrap();
    assert_eq!(found.len(), 1, "{id}");
    found.pop().unwrap()
}

fn read(ledger: &Ledger, seq: u64) -> Event {
    ledger.get(seq).unwrap().unwrap().event().unwrap()
}

fn bytes(ledger: &Ledger, seq: u64) -> String {
    ledger.get(seq).unwrap().unwrap().json
}

#[test]
fn a_person_among_the_objects_is_in_no_byte_of_the_record_and_reads_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    for (n, user) in (1..).zip([None, Some(Text::from("ann lee"))]) {
        let sent = Event {
            user,
            ..about(n, "c-7000")
        };
        let seq = put(&recorder, &sent);
        let json = bytes(recorder.ledger(), seq);
        assert!(!json.contains("c-7000") && !json.contains("ann"), "{json}");
        let objects = r#"{"kind":"WorkOrder","id":"4711"},{"kind":"Customer","person":true}"#;
        assert!(json.contains(objects), "{json}");
        let found = read(recorder.ledger(), seq);
        let sent = Event {
            schema: found.schema,
            ..sent
        };
        assert_eq!((found.schema.number(), found), (4, sent));
    }
}

#[test]
fn an_object_is_found_by_kind_and_id_whether_it_is_a_person_or_not_and_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let of_api = |n, api: &str| Event {
        api: Some(api.into()),
        ..about(n, "c-7")
    };
    let ours = put(&recorder, &about(1, "c-7"));
    put(&recorder, &about(2, "c-77"));
    let other_api = put(&recorder, &of_api(3, "crm/v1"));
    put(&recorder, &event(4));
    recorder.checkpoint().unwrap();
    let other = Ledger::open_read(dir.path(), keys()).unwrap();
    for ledger in [recorder.ledger(), &other] {
        assert_eq!(of_customer(ledger, "c-7"), [other_api, ours]);
        assert!(of_customer(ledger, "c-").is_empty());
        let orders = Filter {
            object: Some(("WorkOrder".into(), "4711".into())),
            ..Filter::default()
        };
        assert_eq!(ledger.newest(&orders).unwrap().len(), 3);
        // Two apis, two persons; versions of one api have the same ones.
        let all = ledger.subjects_of_object("Customer", "c-7", None).unwrap();
        assert_eq!(all.len(), 2);
    }
    let subject = customer(&other, "c-7");
    put(&recorder, &of_api(5, "shop/v3"));
    assert_eq!(customer(recorder.ledger(), "c-7"), subject);
}

#[test]
fn an_erased_object_takes_its_id_and_the_sentences_with_it_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let both = Event {
        user: Some("ann lee".into()),
        objects: vec![
            object("Customer", "c-7", true),
            object("Customer", "c-8", true),
            object("WorkOrder", "4711", false),
        ],
        ..about(1, "c-7")
    };
    let seq = put(&recorder, &both);
    let subject = customer(recorder.ledger(), "c-7");
    erase(&recorder, &subject);
    let found = read(recorder.ledger(), seq);
    assert_eq!(
        found.object_names(),
        ["Customer:person 1", "Customer:c-8", "WorkOrder:4711"]
    );
    assert_eq!(found.user.as_deref(), Some("ann lee"));
    assert_eq!(
        (&found.path, &found.detail, found.errors.len()),
        (&None, &None, 0)
    );
    let unread = found.personal.iter();
    let unread: Vec<_> = unread
        .map(|one| (one.object, one.state.as_deref()))
        .collect();
    assert_eq!(unread, [(Some(0), Some("erased")), (None, Some("erased"))]);
    assert!(of_customer(recorder.ledger(), "c-7").is_empty());
    // And whoever called is erased without the objects they called for.
    erase(&recorder, &only(recorder.ledger(), "ann lee", "crm"));
    let found = read(recorder.ledger(), seq);
    assert_eq!((found.user, &*found.objects[1].id), (None, "c-8"));
    // Named again, it is somebody new.
    put(&recorder, &about(2, "c-7"));
    assert_ne!(customer(recorder.ledger(), "c-7"), subject);
    recorder.stop().unwrap();
    assert_eq!(verified(dir.path()).erased, 1);
}

fn stranger(n: u64, id: &str) -> Event {
    Event {
        is_of_stranger: true,
        ..about(n, id)
    }
}

#[test]
fn strangers_make_nobody_known_and_what_they_name_is_sealed_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    put(&recorder, &about(0, "c-7"));
    let known = put(&recorder, &stranger(1, "c-7"));
    let rows = || fs::read(dir.path().join(FILE)).unwrap().len() / ROW;
    assert_eq!(rows(), 1);
    let unknown = (2..40).map(|n| put(&recorder, &stranger(n, &format!("x-{n}"))));
    let unknown: Vec<u64> = unknown.collect();
    assert_eq!(rows(), 2, "one row for all of them");
    let ledger = recorder.ledger();
    assert_eq!(of_customer(ledger, "x-9"), [unknown[7]]);
    assert!(!bytes(ledger, unknown[7]).contains("x-9"));
    // What they named of somebody who is known goes with that person.
    erase(&recorder, &customer(ledger, "c-7"));
    assert_eq!(&*read(ledger, known).objects[1].id, "");
    let others = ledger.subject_of_others().unwrap().unwrap();
    let is_named = |id| {
        ledger
            .is_named_beside(&others, ("Customer", id), None)
            .unwrap()
    };
    assert!(is_named("x-9") && !is_named("c-7"));
    let is_slip = |kind, api| !ledger.is_named_beside(&others, (kind, "x-9"), api).unwrap();
    assert!(is_slip("Client", None) && is_slip("Customer", Some("crm")));
    erase(&recorder, &others);
    assert!(of_customer(ledger, "x-9").is_empty());
    let later = put(&recorder, &stranger(41, "x-9"));
    assert_eq!(
        of_customer(ledger, "x-9"),
        [later],
        "another key from here on"
    );
    assert_ne!(ledger.subject_of_others().unwrap().unwrap(), others);
    recorder.stop().unwrap();
    assert_eq!(verified(dir.path()).erased, 2 + 38);
}

#[test]
fn one_integration_fills_no_more_than_half_of_what_others_have_left() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        subjects_max: 20,
        ..settings()
    };
    let recorder = recorder(dir.path(), settings);
    let named = |integration: &str, n: u64| Event {
        integration: Some(integration.into()),
        ..about(n, &format!("c-{n}"))
    };
    for n in 0..100 {
        let seq = put(&recorder, &named("crm", n));
        let id = read(recorder.ledger(), seq).objects[1].id.clone();
        assert_eq!(id, format!("c-{n}").as_str());
    }
    let own = |n: u64| {
        let id = format!("c-{n}");
        let found = recorder.ledger().subjects_of_object("Customer", &id, None);
        found.unwrap().len()
    };
    assert_eq!((0..100).map(own).sum::<usize>(), 10);
    put(&recorder, &named("portal", 200));
    assert_eq!(own(200), 1);
    // Whom an integration states, it vouches for: these may have what is left.
    put(&recorder, &call(201, "crm", "ann"));
}

#[test]
fn a_sentence_that_may_name_somebody_else_is_sealed_although_the_record_names_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let refused = |n| Event {
        objects: Vec::new(),
        may_name_persons: true,
        detail: Some("no grant's condition holds for Customer:c-900".into()),
        ..about(n, "nobody")
    };
    let seq = put(&recorder, &refused(1));
    let ledger = recorder.ledger();
    let json = bytes(ledger, seq);
    assert!(!json.contains("c-900"), "{json}");
    // Whoever called is no person here who could be erased.
    assert!(json.contains("203.0.113.77"), "{json}");
    assert!(read(ledger, seq).detail.is_some());
    let others = ledger.subject_of_others().unwrap().unwrap();
    let is_named = |id| {
        ledger
            .is_named_beside(&others, ("Customer", id), None)
            .unwrap()
    };
    assert!(is_named("c-900") && !is_named("c-90"));
    // Where nothing is said there is nothing to seal.
    let quiet = Event {
        detail: None,
        errors: Vec::new(),
        ..refused(2)
    };
    let quiet = put(&recorder, &quiet);
    assert!(bytes(ledger, quiet).starts_with("{\"schema\":2,"));
}

#[test]
fn the_key_of_one_person_opens_nothing_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let sevens = put(&recorder, &about(1, "c-7"));
    put(&recorder, &about(2, "c-8"));
    let known = Subjects::read(dir.path(), &keys()).unwrap().unwrap();
    let ids = ["c-7", "c-8"].map(|id| sealed::id(&customer(recorder.ledger(), id)).unwrap());
    let json = bytes(recorder.ledger(), sevens);
    let with = |id: SubjectId| {
        let open = sealed::open(&json, |_| known.known(&id)).unwrap();
        serde_json::from_str::<Event>(&open).unwrap()
    };
    assert_eq!(&*with(ids[0]).objects[1].id, "c-7");
    let wrong = with(ids[1]);
    assert_eq!(
        (&*wrong.objects[1].id, &wrong.path, &wrong.detail),
        ("", &None, &None)
    );
    let states = wrong.personal.iter().map(|one| one.state.as_deref());
    assert_eq!(states.collect::<Vec<_>>(), [Some("damaged"); 2]);
}

/// What became of customers who are named and erased.
#[derive(Default)]
struct Customers {
    /// Number of each record, and of each of its objects the id and how often it had been erased before.
    records: Vec<(u64, Vec<(String, u32)>)>,
    erased: BTreeMap<String, u32>,
}

impl Customers {
    fn generation(&self, id: &str) -> u32 {
        self.erased.get(id).copied().unwrap_or_default()
    }

    fn erase(&mut self, held: &Recorder, id: &str) {
        let found = held.ledger().subjects_of_object("Customer", id, None);
        for subject in found.unwrap() {
            erase(held, &subject);
            *self.erased.entry(id.to_owned()).or_default() += 1;
        }
    }

    fn name(&mut self, held: &Recorder, ids: &[String], sent: Event) {
        let sent = Event {
            objects: ids.iter().map(|id| object("Customer", id, true)).collect(),
            ..sent
        };
        let seq = put(held, &sent);
        let now = ids.iter().map(|id| (id.clone(), self.generation(id)));
        self.records.push((seq, now.collect()));
    }

    fn check(&self, ledger: &Ledger, seed: u64) {
        for (seq, ids) in &self.records {
            let json = bytes(ledger, *seq);
            assert!(!json.contains("customer-"), "seed {seed}: {json}");
            let found = read(ledger, *seq);
            let mut are_all_read = true;
            for (object, (id, generation)) in found.objects.iter().zip(ids) {
                let is_kept = self.generation(id) == *generation;
                let wanted = if is_kept { id } else { "" };
                assert_eq!(&*object.id, wanted, "seed {seed}, record {seq}");
                are_all_read &= is_kept;
            }
            assert_eq!(
                found.path.is_some(),
                are_all_read,
                "seed {seed}, record {seq}"
            );
        }
    }
}

/// Customers are named alone and in lists, erased and named again, segments are closed, the server is started again: an id can be
/// read exactly as long as its person was not erased, and stands nowhere in the clear.
#[test]
fn whatever_happens_each_object_reads_as_long_as_its_person_is_not_erased() {
    for seed in 0..12 {
        let mut dice = Dice::new(seed);
        let dir = tempfile::tempdir().unwrap();
        let small = || Settings {
            segment_bytes: 3_000,
            ..settings()
        };
        let mut held = recorder(dir.path(), small());
        let mut customers = Customers::default();
        for n in 0..50 {
            let id = |dice: &mut Dice| format!("customer-{}", dice.below(6));
            match dice.below(8) {
                0 => customers.erase(&held, &id(&mut dice)),
                1 => {
                    drop(held);
                    held = recorder(dir.path(), small());
                }
                _ => {
                    let mut ids: Vec<String> = (0..=dice.below(4)).map(|_| id(&mut dice)).collect();
                    ids.sort();
                    ids.dedup();
                    let sent = Event {
                        user: (dice.below(2) == 0).then(|| "ann".into()),
                        ..about(n, &ids[0])
                    };
                    customers.name(&held, &ids, sent);
                }
            }
        }
        customers.check(held.ledger(), seed);
        held.stop().unwrap();
        customers.check(&Ledger::open_read(dir.path(), keys()).unwrap(), seed);
        verified(dir.path());
    }
}

/// Whoever is met for the first time takes the lock of the rows for as long as it takes to copy one part of the table, also where
/// it is as full as can be.
#[test]
fn meeting_somebody_copies_few_entries_however_many_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let subjects =
        Subjects::open(dir.path(), &keys(), &crate::disk::RealDisk, 0, SUBJECTS_MAX).unwrap();
    let meet = |range: std::ops::Range<usize>| {
        let begun = std::time::Instant::now();
        for n in range.clone() {
            let event = Event {
                integration: Some(format!("integration {}", n / 20_000).into()),
                objects: vec![object("Customer", &format!("c-{n}"), true)],
                ..about(1, "")
            };
            subjects.of_event(&event).unwrap();
        }
        begun.elapsed() / u32::try_from(range.len()).unwrap()
    };
    let (first, rest) = (meet(0..1_000), meet(1_000..SUBJECTS_MAX));
    let last = meet(0..1_000);
    println!(
        "met: {first:?} each of the first 1,000, {rest:?} each up to {SUBJECTS_MAX}; known: {last:?}"
    );
    let met = lock(&subjects.rows).by_id.len();
    assert!(met > SUBJECTS_MAX * 8 / 10, "{met}");
    assert!(
        subjects.table.largest() < 200,
        "{}",
        subjects.table.largest()
    );
}

/// Whoever has an export has no person; who needs them gets them beside it.
#[test]
fn an_export_holds_no_person_and_what_is_opened_beside_it_holds_all_that_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    for (n, id) in (0..).zip(["c-7000", "c-8000", "c-9000"]) {
        put(&recorder, &about(n, id));
    }
    erase(&recorder, &customer(recorder.ledger(), "c-8000"));
    let (mut export, mut opened) = (Vec::new(), Vec::new());
    crate::export(recorder.ledger(), 0..=u64::MAX, &mut export).unwrap();
    crate::export_opened(recorder.ledger(), 0..=u64::MAX, &mut opened).unwrap();
    let [export, opened] = [export, opened].map(|bytes| String::from_utf8(bytes).unwrap());
    for (id, is_opened) in [("c-7000", true), ("c-8000", false), ("c-9000", true)] {
        assert!(!export.contains(id), "{export}");
        assert_eq!(opened.contains(id), is_opened, "{opened}");
    }
}
