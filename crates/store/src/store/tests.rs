use std::fs;
use std::path::Path;

use super::*;
use crate::faulty::{Faulty, When};
use crate::kinds::CREDENTIAL;
use crate::{embedded, sqlite};
use crypto::KeyFault;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    integration: String,
    digest: String,
    note: String,
}

const CANARY: &str = "canary-7f3a9c-must-never-be-readable";

fn kek(byte: u8) -> Kek {
    Kek::from_secret(Secret::new([byte; 32]))
}

fn record(integration: &str) -> Record {
    Record {
        integration: integration.to_owned(),
        digest: format!("digest-{CANARY}"),
        note: CANARY.to_owned(),
    }
}

fn put(id: &str, integration: &str) -> Step {
    Step::put(&CREDENTIAL, id, &record(integration)).unwrap()
}

#[test]
fn records_come_back_as_they_went_in_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let opened = embedded::open(dir.path(), &kek(1)).unwrap();
    assert!(opened.is_new);
    let version = opened.store.transact(vec![put("a", "accounting")]).unwrap();
    let public = opened.keys.identity.verifying_key();
    drop(opened);
    let opened = embedded::open(dir.path(), &kek(1)).unwrap();
    assert!(!opened.is_new);
    assert_eq!(
        opened.keys.identity.verifying_key(),
        public,
        "the keys of an installation stay"
    );
    let stored = opened
        .store
        .get::<Record>(&CREDENTIAL, "a")
        .unwrap()
        .unwrap();
    assert_eq!(
        stored,
        Stored {
            id: String::from("a"),
            version,
            value: record("accounting")
        }
    );
}

#[test]
fn declared_indexes_find_records_plain_and_blind() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    store
        .transact(vec![
            put("a", "accounting"),
            put("b", "crm"),
            put("c", "accounting"),
        ])
        .unwrap();
    let found = |filter| -> Vec<String> {
        let list = store
            .list::<Record>(&CREDENTIAL, filter, Page::FIRST)
            .unwrap();
        list.into_iter().map(|stored| stored.id).collect()
    };
    assert_eq!(found(Filter::Is("integration", "accounting")), ["a", "c"]);
    let digest = record("").digest;
    assert_eq!(found(Filter::Is("digest", &digest)), ["a", "b", "c"]);
    assert!(found(Filter::Is("digest", "other")).is_empty());
    assert_eq!(found(Filter::All).len(), 3);
    assert!(
        store
            .list::<Record>(&CREDENTIAL, Filter::Is("note", CANARY), Page::FIRST)
            .is_err(),
        "only declared indexes"
    );
    assert!(matches!(
        store.list_all::<Record>(&CREDENTIAL, Filter::All, 2),
        Err(Fault::TooLarge { .. })
    ));
    assert_eq!(
        store
            .list_all::<Record>(&CREDENTIAL, Filter::All, 3)
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn expectations_keep_changes_from_being_lost() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    let absent = || Step::expect(&CREDENTIAL, "a", Expected::Absent);
    let version = store.transact(vec![absent(), put("a", "crm")]).unwrap();
    assert!(matches!(
        store.transact(vec![absent(), put("a", "crm")]),
        Err(Fault::Conflict { .. })
    ));
    let expected = || Step::expect(&CREDENTIAL, "a", Expected::Version(version));
    store
        .transact(vec![expected(), put("a", "accounting")])
        .unwrap();
    assert!(
        store
            .transact(vec![expected(), Step::delete(&CREDENTIAL, "a")])
            .is_err()
    );
    assert_eq!(
        store
            .get::<Record>(&CREDENTIAL, "a")
            .unwrap()
            .unwrap()
            .value,
        record("accounting")
    );
}

#[test]
fn streams_and_jobs_are_sealed_and_typed() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    for number in 1..=3_u64 {
        assert_eq!(store.append("drift", &number).unwrap(), number);
    }
    assert_eq!(
        store.read_stream::<u64>("drift", 2, 9).unwrap(),
        [(2, 2), (3, 3)]
    );
    let now = Timestamp::from_micros(1_000);
    store
        .transact(vec![Step::enqueue("mail", now, &CANARY).unwrap()])
        .unwrap();
    let jobs = store
        .claim::<String>("mail", Duration::from_secs(1), 9, now)
        .unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].value, CANARY);
    assert!(store.settle(&jobs[0].ticket, Outcome::Done).unwrap());
}

#[test]
fn appenders_that_meet_both_get_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 0..20 {
                    store.append("s", &number).unwrap();
                }
            });
        }
    });
    assert_eq!(store.read_stream::<u64>("s", 1, 99).unwrap().len(), 40);
}

#[test]
fn the_wrong_kek_and_a_second_process_are_told_clearly() {
    let dir = tempfile::tempdir().unwrap();
    let first = embedded::open(dir.path(), &kek(1)).unwrap();
    assert!(matches!(
        embedded::open(dir.path(), &kek(1)),
        Err(Fault::InUse { .. })
    ));
    assert!(embedded::look(dir.path(), &kek(1)).is_ok());
    assert!(matches!(
        embedded::look(dir.path(), &kek(2)),
        Err(Fault::Key(KeyFault::WrongKek { .. }))
    ));
    drop(first);
    let fault = embedded::open(dir.path(), &kek(2)).unwrap_err();
    assert!(
        fault.to_string().contains("wrong key-encryption key"),
        "{fault}"
    );
    assert!(
        embedded::open(dir.path(), &kek(1)).is_ok(),
        "a wrong key does no harm"
    );
}

#[test]
fn a_new_kek_opens_everything_and_the_old_one_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    store.transact(vec![put("a", "crm")]).unwrap();
    assert!(store.change_kek(&kek(9), &kek(2)).is_err());
    store.change_kek(&kek(1), &kek(2)).unwrap();
    assert!(
        store.get::<Record>(&CREDENTIAL, "a").unwrap().is_some(),
        "the running store goes on"
    );
    drop(store);
    assert!(matches!(
        embedded::open(dir.path(), &kek(1)),
        Err(Fault::Key(KeyFault::WrongKek { .. }))
    ));
    let store = embedded::open(dir.path(), &kek(2)).unwrap().store;
    assert_eq!(
        store
            .get::<Record>(&CREDENTIAL, "a")
            .unwrap()
            .unwrap()
            .value,
        record("crm")
    );
}

#[test]
fn a_kek_change_that_fails_leaves_the_old_key_working() {
    let dir = tempfile::tempdir().unwrap();
    drop(embedded::open(dir.path(), &kek(1)).unwrap());
    let backend: Arc<dyn Backend> = Arc::new(sqlite::Sqlite::open(dir.path(), &kek(1)).unwrap());
    let faulty = Arc::new(Faulty::new(Arc::clone(&backend), 0, When::Before));
    let store = Store::over(faulty, &kek(1)).unwrap().store;
    assert!(matches!(
        store.change_kek(&kek(1), &kek(2)),
        Err(Fault::Full { .. })
    ));
    assert!(Store::over(backend, &kek(1)).is_ok());
}

#[test]
fn no_file_holds_readable_content() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    store
        .transact(vec![
            put("a", "accounting"),
            Step::enqueue("mail", Timestamp::default(), &CANARY).unwrap(),
        ])
        .unwrap();
    store.append("stream", &CANARY).unwrap();
    let look_for_canary = |dir: &Path| {
        for entry in fs::read_dir(dir).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(
                !bytes
                    .windows(CANARY.len())
                    .any(|window| window == CANARY.as_bytes())
            );
            assert!(
                !bytes.windows(32).any(|window| window == [1; 32]),
                "the key-encryption key is not stored"
            );
        }
    };
    look_for_canary(dir.path());
    drop(store);
    look_for_canary(dir.path());
}

#[test]
fn a_record_moved_to_another_place_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let Opened { store, .. } = embedded::open(dir.path(), &kek(1)).unwrap();
    store.transact(vec![put("a", "crm")]).unwrap();
    let row = store.backend.get(CREDENTIAL.name, "a").unwrap().unwrap();
    let moved = |kind: &str, id: &str, key_version, sealed: Vec<u8>| RawStep::Put {
        kind: kind.to_owned(),
        id: id.to_owned(),
        key_version,
        sealed,
        indexes: Vec::new(),
    };
    let mut changed = row.sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    let steps = vec![
        moved(CREDENTIAL.name, "b", 1, row.sealed.clone()),
        moved(CREDENTIAL.name, "c", 2, row.sealed.clone()),
        moved(CREDENTIAL.name, "d", 1, changed),
        moved(crate::kinds::INTEGRATION_STATE.name, "a", 1, row.sealed),
    ];
    store.backend.transact(steps).unwrap();
    for (kind, id) in [
        (&CREDENTIAL, "b"),
        (&CREDENTIAL, "c"),
        (&CREDENTIAL, "d"),
        (&crate::kinds::INTEGRATION_STATE, "a"),
    ] {
        let fault = store.get::<Record>(kind, id).unwrap_err();
        assert!(
            matches!(&fault, Fault::Unreadable { .. }) && !fault.to_string().contains("canary"),
            "{fault}"
        );
    }
    assert!(store.get::<Record>(&CREDENTIAL, "a").is_ok());
}

#[test]
fn bounds_hold() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    let large = Record {
        note: "x".repeat(SEALED_LEN_MAX),
        ..record("crm")
    };
    let too_large = |steps| assert!(matches!(store.transact(steps), Err(Fault::TooLarge { .. })));
    too_large(vec![Step::put(&CREDENTIAL, "a", &large).unwrap()]);
    too_large(vec![put("", "crm")]);
    too_large(vec![put("a\0b", "crm")]);
    too_large(vec![put(&"a".repeat(NAME_LEN_MAX + 1), "crm")]);
    too_large(
        (0..=ROWS_MAX)
            .map(|_| Step::delete(&CREDENTIAL, "a"))
            .collect(),
    );
    assert!(
        store
            .bump(
                "",
                Window {
                    start: Timestamp::default(),
                    keep_until: Timestamp::default()
                },
                1
            )
            .is_err()
    );
}

#[test]
fn watchers_are_told_of_changes() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    let position = store.position().unwrap();
    store.transact(vec![put("a", "crm")]).unwrap();
    let changes = store.watch(position, Duration::from_secs(5)).unwrap();
    assert_eq!(
        changes
            .iter()
            .map(|change| (change.kind.as_str(), change.id.as_str()))
            .collect::<Vec<_>>(),
        [("credential", "a")]
    );
}

#[test]
fn debug_prints_no_content() {
    let dir = tempfile::tempdir().unwrap();
    let opened = embedded::open(dir.path(), &kek(1)).unwrap();
    let printed = format!(
        "{opened:?} {:?} {:?}",
        put("a", "crm"),
        Step::enqueue("q", Timestamp::default(), &CANARY)
    );
    assert!(!printed.contains("canary"), "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The store against a plain map: the same steps leave the same records.
    #[test]
    fn it_remembers_like_a_map(steps in prop::collection::vec((0..6_u8, prop::option::of("[a-c]")), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
        let mut map = std::collections::BTreeMap::new();
        for (id, integration) in steps {
            let id = id.to_string();
            match integration {
                Some(integration) => {
                    store.transact(vec![put(&id, &integration)]).unwrap();
                    map.insert(id, integration);
                }
                None => {
                    store.transact(vec![Step::delete(&CREDENTIAL, &id)]).unwrap();
                    map.remove(&id);
                }
            }
        }
        for integration in ["a", "b", "c"] {
            let filter = Filter::Is("integration", integration);
            let found: Vec<_> = store.list::<Record>(&CREDENTIAL, filter, Page::FIRST).unwrap().into_iter().map(|stored| stored.id).collect();
            let expected: Vec<_> = map.iter().filter(|(_, value)| *value == integration).map(|(id, _)| id.clone()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
