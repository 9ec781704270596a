use std::fs;
use std::path::Path;

use super::*;
use crate::backend::{NAME_LEN_MAX, SEALED_LEN_MAX};
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

/// Puts a row into the file as somebody would who can write it and has no key.
fn plant(backend: &Arc<dyn Backend>, kind: &Kind, row: Row) {
    let planted = RawStep::Put {
        kind: kind.name.to_owned(),
        id: row.id,
        key_version: row.key_version,
        sealed: row.sealed,
        indexes: Vec::new(),
    };
    backend.transact(vec![planted]).unwrap();
}

#[test]
fn a_record_moved_to_another_place_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let Opened { store, .. } = embedded::open(dir.path(), &kek(1)).unwrap();
    store.transact(vec![put("a", "crm")]).unwrap();
    let sealer = store.records.sealer();
    let row = store.backend.get(CREDENTIAL.name, "a").unwrap().unwrap();
    assert!(sealer.open_row(CREDENTIAL.name, &row).is_some());
    let (id, version, key_version) = (row.id.clone(), row.version, row.key_version);
    let mut changed = row.sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (kind, other) in [
        (
            CREDENTIAL.name,
            Row {
                id: "b".into(),
                ..row.clone()
            },
        ),
        (
            CREDENTIAL.name,
            Row {
                version: version + 1,
                ..row.clone()
            },
        ),
        (
            CREDENTIAL.name,
            Row {
                key_version: key_version + 1,
                ..row.clone()
            },
        ),
        (
            CREDENTIAL.name,
            Row {
                key_version: key_version - 1,
                ..row.clone()
            },
        ),
        (
            CREDENTIAL.name,
            Row {
                sealed: changed,
                ..row.clone()
            },
        ),
        (crate::kinds::INTEGRATION_STATE.name, row.clone()),
    ] {
        assert!(sealer.open_row(kind, &other).is_none(), "{kind} {other:?}");
        assert_ne!(
            sealer.mark(kind, &other),
            sealer.mark(CREDENTIAL.name, &row)
        );
    }
    plant(
        &store.backend,
        &CREDENTIAL,
        Row {
            id: "b".into(),
            ..row.clone()
        },
    );
    let fault = store.get::<Record>(&CREDENTIAL, "b").unwrap_err();
    assert!(
        matches!(&fault, Fault::NotAsWritten { .. }) && !fault.to_string().contains("canary"),
        "{fault}"
    );
    assert_eq!(id, "a");
}

/// What somebody can do to the records who can write the file and has no key.
type Deed = fn(&Path);

fn sql(dir: &Path, statements: &str) {
    let file = rusqlite::Connection::open(dir.join(crate::DATABASE)).unwrap();
    file.execute_batch(statements).unwrap();
}

const DEEDS: [(&str, Deed); 8] = [
    ("an older row", |dir| {
        sql(
            dir,
            "UPDATE records SET (version, sealed) = (SELECT version, sealed FROM kept) WHERE id = 'a'",
        );
    }),
    ("the content of an older row", |dir| {
        sql(
            dir,
            "UPDATE records SET sealed = (SELECT sealed FROM kept) WHERE id = 'a'",
        );
    }),
    ("a row less", |dir| {
        sql(dir, "DELETE FROM records WHERE id = 'b'")
    }),
    ("a row that was deleted", |dir| {
        sql(
            dir,
            "INSERT INTO records SELECT kind, 'c', version, key_version, sealed FROM gone",
        );
    }),
    ("two rows exchanged", |dir| {
        sql(dir, "UPDATE records SET id = 'x' WHERE id = 'a'; UPDATE records SET id = 'a' WHERE id = 'b';
                      UPDATE records SET id = 'b' WHERE id = 'x'");
    }),
    ("another version", |dir| {
        sql(
            dir,
            "UPDATE records SET version = version + 1 WHERE id = 'a'",
        )
    }),
    ("no statement", |dir| {
        sql(dir, "DELETE FROM meta WHERE name = 'inventory'")
    }),
    ("an older statement and one row of its time", |dir| {
        sql(dir, "UPDATE meta SET value = (SELECT value FROM statement) WHERE name = 'inventory';
                      UPDATE records SET (version, sealed) = (SELECT version, sealed FROM kept) WHERE id = 'a'");
    }),
];

#[test]
fn what_was_put_back_taken_away_or_exchanged_is_noticed_at_the_start_and_by_the_next_read() {
    for (name, deed) in DEEDS {
        let dir = tempfile::tempdir().unwrap();
        let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
        store
            .transact(vec![put("a", "crm"), put("c", "crm")])
            .unwrap();
        sql(
            dir.path(),
            "CREATE TABLE kept AS SELECT * FROM records WHERE id = 'a';
                         CREATE TABLE gone AS SELECT * FROM records WHERE id = 'c';
                         CREATE TABLE statement AS SELECT value FROM meta WHERE name = 'inventory'",
        );
        store
            .transact(vec![
                put("a", "accounting"),
                put("b", "crm"),
                Step::delete(&CREDENTIAL, "c"),
            ])
            .unwrap();
        deed(dir.path());
        let is_noticed =
            |fault: Fault| matches!(fault, Fault::NotAsWritten { .. } | Fault::Conflict { .. });
        // Its owner has the statement in memory: only what it says of a record can be wrong for it.
        if !name.contains("no statement") {
            let listed = store.list_all::<Record>(&CREDENTIAL, Filter::All, 9);
            assert!(is_noticed(listed.unwrap_err()), "{name}: list");
            let each = ["a", "b", "c"].map(|id| store.get::<Record>(&CREDENTIAL, id));
            assert!(
                each.into_iter().filter_map(Result::err).any(is_noticed),
                "{name}: get"
            );
        }
        // A write for another record makes nothing good.
        drop(store.transact(vec![put("d", "crm")]));
        drop(store);
        let fault = embedded::open(dir.path(), &kek(1)).unwrap_err();
        assert!(
            matches!(fault, Fault::NotAsWritten { .. }),
            "{name}: {fault}"
        );
        let fault = embedded::look(dir.path(), &kek(1)).unwrap_err();
        assert!(
            matches!(fault, Fault::NotAsWritten { .. }),
            "{name}: {fault}"
        );
    }
}

#[test]
fn a_write_that_failed_and_reached_the_disk_all_the_same_is_no_trouble() {
    for when in [When::Before, When::After] {
        let dir = tempfile::tempdir().unwrap();
        drop(embedded::open(dir.path(), &kek(1)).unwrap());
        let backend: Arc<dyn Backend> =
            Arc::new(sqlite::Sqlite::open(dir.path(), &kek(1)).unwrap());
        let faulty = Arc::new(Faulty::new(Arc::clone(&backend), 1, when));
        let store = Store::over(faulty, &kek(1)).unwrap().store;
        store.transact(vec![put("a", "crm")]).unwrap();
        assert!(store.transact(vec![put("b", "crm")]).is_err());
        let is_there = store.get::<Record>(&CREDENTIAL, "b").unwrap().is_some();
        assert_eq!(is_there, matches!(when, When::After));
        assert!(Store::over(backend, &kek(1)).is_ok());
    }
}

#[test]
fn a_store_of_before_gets_its_statement_and_nothing_of_before_can_be_put_back() {
    let dir = tempfile::tempdir().unwrap();
    drop(embedded::open(dir.path(), &kek(1)).unwrap());
    // As it was written before: no version in the seal, no statement.
    let backend: Arc<dyn Backend> = Arc::new(sqlite::Sqlite::open(dir.path(), &kek(1)).unwrap());
    let keys = Store::over(Arc::clone(&backend), &kek(1)).unwrap().keys;
    let json = serde_json::to_vec(&record("crm")).unwrap();
    let old = |id: &str| Row {
        id: id.to_owned(),
        version: 0,
        key_version: 1,
        sealed: Sealer::new(&keys).seal(
            Place::Record {
                kind: CREDENTIAL.name,
                id,
                version: None,
            },
            &json,
        ),
    };
    plant(&backend, &CREDENTIAL, old("a"));
    plant(&backend, &CREDENTIAL, old("b"));
    drop(backend);
    sql(
        dir.path(),
        "DELETE FROM meta WHERE name = 'inventory'; CREATE TABLE kept AS SELECT * FROM records",
    );
    let looked = embedded::look(dir.path(), &kek(1)).unwrap().store;
    assert!(looked.get::<Record>(&CREDENTIAL, "a").unwrap().is_some());
    let store = embedded::open(dir.path(), &kek(1)).unwrap().store;
    assert_eq!(
        store
            .list_all::<Record>(&CREDENTIAL, Filter::All, 9)
            .unwrap()
            .len(),
        2
    );
    let found = store.list::<Record>(&CREDENTIAL, Filter::Is("integration", "crm"), Page::FIRST);
    assert_eq!(found.unwrap().len(), 2, "the indexes are there again");
    drop(store);
    assert!(embedded::open(dir.path(), &kek(1)).is_ok());
    sql(
        dir.path(),
        "DELETE FROM records WHERE id = 'a'; INSERT INTO records SELECT * FROM kept WHERE id = 'a'",
    );
    assert!(matches!(
        embedded::open(dir.path(), &kek(1)),
        Err(Fault::NotAsWritten { .. })
    ));
    sql(dir.path(), "DELETE FROM meta WHERE name = 'inventory'");
    let fault = embedded::open(dir.path(), &kek(1)).unwrap_err();
    assert!(fault.to_string().contains("statement"), "{fault}");
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
