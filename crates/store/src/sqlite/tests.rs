use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::*;
use crate::conformance::CHECKS;
use crate::faulty::{Faulty, When};
use crypto::Secret;

fn kek() -> Kek {
    Kek::from_secret(Secret::new([3; 32]))
}

fn fresh(dir: &Path) -> Sqlite {
    begin_if_absent(dir, &kek()).unwrap();
    Sqlite::open(dir, &kek()).unwrap()
}

fn put(id: &str, bytes: usize) -> RawStep {
    RawStep::Put {
        kind: String::from("thing"),
        id: id.to_owned(),
        key_version: 1,
        sealed: vec![7; bytes],
        indexes: Vec::new(),
    }
}

#[test]
fn it_does_what_every_backend_must() {
    for (name, check) in CHECKS {
        let dir = tempfile::tempdir().unwrap();
        check(&fresh(dir.path())).unwrap_or_else(|what| panic!("{name}: {what}"));
    }
}

#[test]
fn behind_a_wrapper_that_never_fails_it_still_does() {
    for (name, check) in CHECKS {
        let dir = tempfile::tempdir().unwrap();
        let wrapped = Faulty::new(Arc::new(fresh(dir.path())), u64::MAX, When::Before);
        check(&wrapped).unwrap_or_else(|what| panic!("{name}: {what}"));
    }
}

#[test]
fn a_write_that_fails_before_leaves_nothing_and_one_that_fails_after_leaves_all() {
    for (when, is_left) in [(When::Before, false), (When::After, true)] {
        let dir = tempfile::tempdir().unwrap();
        let faulty = Faulty::new(Arc::new(fresh(dir.path())), 1, when);
        faulty.transact(vec![put("good", 1)]).unwrap();
        assert!(matches!(
            faulty.transact(vec![put("a", 1), put("b", 1)]),
            Err(Fault::Full { .. })
        ));
        for id in ["a", "b"] {
            assert_eq!(faulty.get("thing", id).unwrap().is_some(), is_left);
        }
        faulty.mend();
        faulty.transact(vec![put("c", 1)]).unwrap();
    }
}

#[test]
fn nothing_is_written_to_a_database_that_was_taken_away_or_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = fresh(dir.path());
    sqlite.transact(vec![put("before", 1)]).unwrap();
    let (path, away) = (dir.path().join(DATABASE), dir.path().join("away"));
    let refused = |id: &str| {
        let fault = sqlite.transact(vec![put(id, 1)]).unwrap_err();
        assert_eq!(fault, Fault::Displaced { path: path.clone() });
    };
    fs::rename(&path, &away).unwrap();
    refused("gone");
    fs::copy(&away, &path).unwrap();
    refused("replaced");
    // The same file again: what was refused is nowhere, and it goes on.
    fs::rename(&away, &path).unwrap();
    sqlite.transact(vec![put("after", 1)]).unwrap();
    for (id, is_there) in [
        ("before", true),
        ("gone", false),
        ("replaced", false),
        ("after", true),
    ] {
        assert_eq!(sqlite.get("thing", id).unwrap().is_some(), is_there, "{id}");
    }
}

#[test]
fn a_full_disk_is_told_and_half_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = fresh(dir.path());
    sqlite.transact(vec![put("kept", 10)]).unwrap();
    let bound = |pages: i64| {
        let set = move |connection: &Connection, place: &Place| {
            connection
                .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
                .map_err(place.fails())
        };
        sqlite.writer().unwrap().run(set).unwrap()
    };
    bound(30);
    let fault = sqlite
        .transact(vec![put("kept", 11), put("large", 900_000)])
        .unwrap_err();
    assert!(
        matches!(fault, Fault::Full { .. }) && fault.is_worth_retrying(),
        "{fault}"
    );
    assert!(fault.to_string().contains("Free some space"));
    assert_eq!(
        sqlite.get("thing", "kept").unwrap().unwrap().sealed.len(),
        10
    );
    assert!(sqlite.get("thing", "large").unwrap().is_none());
    bound(100_000);
    sqlite.transact(vec![put("large", 900_000)]).unwrap();
}

#[test]
fn one_failing_call_takes_nothing_else_of_its_group_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = fresh(dir.path());
    let bad = || RawStep::Expect {
        kind: String::from("thing"),
        id: String::from("none"),
        version: 9,
    };
    std::thread::scope(|scope| {
        for name in 0..32 {
            let sqlite = &sqlite;
            scope.spawn(move || {
                let id = format!("{name:02}");
                let steps = if name % 2 == 0 {
                    vec![put(&id, 1)]
                } else {
                    vec![put(&id, 1), bad()]
                };
                assert_eq!(sqlite.transact(steps).is_ok(), name % 2 == 0);
            });
        }
    });
    let ids: Vec<_> = sqlite
        .list("thing", None, "", 99)
        .unwrap()
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(
        ids,
        (0..32)
            .step_by(2)
            .map(|name| format!("{name:02}"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn files_are_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = fresh(dir.path());
    sqlite.transact(vec![put("a", 1)]).unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().mode() & 0o777,
            0o600,
            "{:?}",
            entry.file_name()
        );
        seen += 1;
    }
    assert_eq!(seen, 3, "database, write-ahead log and its index");
}

#[test]
fn a_reader_sees_what_is_written_beside_it_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Sqlite::look(dir.path()),
        Err(Fault::Absent { .. })
    ));
    let sqlite = fresh(dir.path());
    let look = Sqlite::look(dir.path()).unwrap();
    sqlite.transact(vec![put("a", 1)]).unwrap();
    assert!(look.get("thing", "a").unwrap().is_some());
    assert_eq!(look.transact(vec![put("b", 1)]), Err(Fault::ReadingOnly));
    drop(sqlite);
    assert!(look.get("thing", "a").unwrap().is_some());
    assert!(
        Sqlite::look(dir.path())
            .unwrap()
            .get("thing", "a")
            .unwrap()
            .is_some()
    );
}

fn names(dir: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    names
}

#[test]
fn looking_at_a_database_at_rest_leaves_no_trace() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("with 100% of #? marks");
    fs::create_dir(&dir).unwrap();
    let sqlite = fresh(&dir);
    sqlite.transact(vec![put("a", 1)]).unwrap();
    Sqlite::check_whole(&dir).unwrap();
    drop(sqlite);
    let (before, bytes) = (names(&dir), fs::read(dir.join(DATABASE)).unwrap());
    let look = Sqlite::look(&dir).unwrap();
    assert!(look.get("thing", "a").unwrap().is_some());
    Sqlite::check_whole(&dir).unwrap();
    drop(look);
    assert_eq!(names(&dir), before);
    assert!(fs::read(dir.join(DATABASE)).unwrap() == bytes);
}

#[test]
fn the_whole_check_finds_a_page_that_is_wrong_beside_a_writer_and_without_one() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Sqlite::check_whole(dir.path()),
        Err(Fault::Absent { .. })
    ));
    let sqlite = fresh(dir.path());
    for number in 0..40 {
        let step = put(&number.to_string(), 5_000);
        sqlite.transact(vec![step]).unwrap();
    }
    drop(sqlite);
    let path = dir.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - bytes.len() % 4096;
    bytes[4096 * 3..end].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let found = Sqlite::check_whole(dir.path());
    assert!(matches!(found, Err(Fault::Corrupt { .. })), "{found:?}");
    // Somebody else holds it open.
    fs::write(dir.path().join(format!("{DATABASE}-wal")), b"").unwrap();
    let found = Sqlite::check_whole(dir.path());
    assert!(matches!(found, Err(Fault::Corrupt { .. })), "{found:?}");
}

/// Everything that is not our whole database is refused, and not one byte of it is touched.
#[test]
fn damaged_foreign_and_newer_files_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE);
    let sqlite = fresh(dir.path());
    for number in 0..20 {
        sqlite
            .transact(vec![put(&number.to_string(), 5_000)])
            .unwrap();
    }
    drop(sqlite);
    let good = fs::read(&path).unwrap();
    let newer = {
        let connection = Connection::open(&path).unwrap();
        connection
            .execute("INSERT INTO formats (number) VALUES (999)", [])
            .unwrap();
        connection.close().unwrap();
        fs::read(&path).unwrap()
    };
    let foreign = {
        let other = dir.path().join("other");
        Connection::open(&other)
            .unwrap()
            .execute_batch("CREATE TABLE t (x)")
            .unwrap();
        let bytes = fs::read(&other).unwrap();
        fs::remove_file(&other).unwrap();
        bytes
    };
    let cases = [
        ("empty", Vec::new()),
        (
            "text",
            b"this is a text file and no database at all".to_vec(),
        ),
        ("cut in the header", good[..50].to_vec()),
        ("foreign", foreign),
        ("newer", newer),
    ];
    for (name, bytes) in cases {
        fs::write(&path, &bytes).unwrap();
        for fault in [
            Sqlite::open(dir.path(), &kek()).unwrap_err(),
            Sqlite::look(dir.path()).unwrap_err(),
        ] {
            match name {
                "newer" => assert!(
                    matches!(fault, Fault::TooNew { found: 999, .. }),
                    "{name}: {fault}"
                ),
                _ => assert!(matches!(fault, Fault::Corrupt { .. }), "{name}: {fault}"),
            }
        }
        assert!(
            !begin_if_absent(dir.path(), &kek()).unwrap(),
            "{name} is never replaced"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name} is left alone");
    }
}

/// A database with some hundred pages, closed in order or not.
fn filled(dir: &Path, was_closed: bool) -> PathBuf {
    let path = dir.join(DATABASE);
    let sqlite = fresh(dir);
    for number in 0..200 {
        let steps = vec![put(&format!("{number:03}"), 3_000)];
        sqlite.transact(steps).unwrap();
    }
    drop(sqlite);
    if !was_closed {
        let connection = Connection::open(&path).unwrap();
        schema::mark_running(&connection, &Place::of(&path)).unwrap();
        connection.close().unwrap();
    }
    path
}

/// Every file of a directory with its bytes. The index of an empty log holds nothing of ours.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = entries
        .filter(|path| path.extension().is_none_or(|kind| kind != "db-shm"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect();
    all.sort();
    all
}

#[test]
fn at_every_start_every_page_is_checked_before_anything_is_written() {
    for was_closed in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), was_closed);
        assert!(
            Sqlite::open(dir.path(), &kek()).is_ok(),
            "a whole file passes"
        );

        let dir = tempfile::tempdir().unwrap();
        let path = filled(dir.path(), was_closed);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 4096].fill(0xee);
        fs::write(&path, &bytes).unwrap();
        let before = files(dir.path());
        let fault = Sqlite::open(dir.path(), &kek()).unwrap_err();
        assert!(
            matches!(&fault, Fault::Corrupt { .. })
                && fault.to_string().contains("Restore the file from a backup"),
            "{fault}"
        );
        assert!(files(dir.path()) == before, "nothing was changed");
    }
}

#[test]
fn a_wrong_key_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), true);
    let before = files(dir.path());
    let other = Kek::from_secret(Secret::new([4; 32]));
    let fault = Sqlite::open(dir.path(), &other).unwrap_err();
    assert!(matches!(fault, Fault::Key(_)), "{fault}");
    assert!(files(dir.path()) == before, "nothing was changed");
}

#[test]
fn a_lost_database_is_not_silently_begun_anew() {
    for beside in ["store.db-wal", "ledger/0001"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(beside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x").unwrap();
        assert!(
            matches!(begin_if_absent(dir.path(), &kek()), Err(Fault::Lost { .. })),
            "{beside}"
        );
        assert!(!dir.path().join(DATABASE).exists());
    }
}

#[test]
fn a_beginning_that_was_cut_short_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("store.db.new"), "half a database").unwrap();
    fresh(dir.path()).transact(vec![put("a", 1)]).unwrap();
    assert!(!dir.path().join("store.db.new").exists());
}

#[test]
fn a_clean_stop_is_noted_and_leaves_one_file() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let look = Sqlite::look(dir.path()).unwrap();
    let was_clean = look.read(|reader| schema::was_stopped_cleanly(reader, &look.place));
    assert!(was_clean.unwrap());
    drop(look);
    assert!(
        !dir.path().join("store.db-wal").exists()
            || fs::metadata(dir.path().join("store.db-wal")).unwrap().len() == 0
    );
}

#[test]
fn closed_while_others_hold_it_leaves_one_file_and_refuses_what_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = fresh(dir.path());
    sqlite.transact(vec![put("a", 1)]).unwrap();
    assert!(dir.path().join("store.db-wal").exists());
    sqlite.close();
    for end in ["-wal", "-shm"] {
        assert!(!dir.path().join(format!("store.db{end}")).exists(), "{end}");
    }
    assert!(matches!(sqlite.get("thing", "a"), Err(Fault::Closed)));
    assert!(matches!(
        sqlite.transact(vec![put("b", 1)]),
        Err(Fault::Closed)
    ));
    sqlite.close();
    let again = Sqlite::open(dir.path(), &kek()).unwrap();
    assert!(again.get("thing", "a").unwrap().is_some());
}

#[test]
fn system_errors_become_faults_with_the_right_remedy() {
    let place = Place::of(Path::new("data/store.db"));
    let fault = |code| {
        place.fault(&rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(code),
            None,
        ))
    };
    assert!(matches!(
        fault(rusqlite::ffi::SQLITE_FULL),
        Fault::Full { .. }
    ));
    assert!(matches!(
        fault(rusqlite::ffi::SQLITE_READONLY),
        Fault::ReadOnly { .. }
    ));
    assert!(matches!(
        fault(rusqlite::ffi::SQLITE_CANTOPEN),
        Fault::Denied { .. }
    ));
    assert!(matches!(
        fault(rusqlite::ffi::SQLITE_CORRUPT),
        Fault::Corrupt { .. }
    ));
    assert!(matches!(
        fault(rusqlite::ffi::SQLITE_NOTADB),
        Fault::Corrupt { .. }
    ));
    assert!(matches!(
        fault(rusqlite::ffi::SQLITE_BUSY),
        Fault::Busy { .. }
    ));
    assert!(matches!(
        fault(rusqlite::ffi::SQLITE_IOERR),
        Fault::Io { .. }
    ));
}

const CRASH_DIR: &str = "PORTCULLIS_STORE_CRASH_DIR";

/// The child of the crash test: writes pairs until it is killed, and says after each what is acknowledged.
#[test]
fn crash_child_writes_until_killed() {
    let Ok(dir) = std::env::var(CRASH_DIR) else {
        return;
    };
    let sqlite = Sqlite::open(Path::new(&dir), &kek()).unwrap();
    for number in 0_u64.. {
        let id = format!("{number:08}");
        sqlite
            .transact(vec![
                put(&format!("left-{id}"), 3_000),
                put(&format!("right-{id}"), 3_000),
            ])
            .unwrap();
        // Whole or not at all: the kill may come in the middle of this too.
        let told = Path::new(&dir).join("acknowledged");
        fs::write(told.with_extension("new"), id).unwrap();
        fs::rename(told.with_extension("new"), told).unwrap();
    }
}

#[test]
fn a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let dir = tempfile::tempdir().unwrap();
    let acknowledged = dir.path().join("acknowledged");
    drop(fresh(dir.path()));
    for round in 0..5_u64 {
        drop(fs::remove_file(&acknowledged));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "sqlite::tests::crash_child_writes_until_killed",
                "--nocapture",
            ])
            .env(CRASH_DIR, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let least = format!("{:08}", 5 + round * 7);
        let is_there =
            || fs::read_to_string(&acknowledged).is_ok_and(|id| id.len() == 8 && id >= least);
        let begun = std::time::Instant::now();
        while !is_there() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(is_there(), "{round}: the child does not write");
        child.kill().unwrap();
        child.wait().unwrap();
        let last = fs::read_to_string(&acknowledged).unwrap();
        let sqlite = Sqlite::open(dir.path(), &kek()).unwrap();
        for side in ["left", "right"] {
            assert!(
                sqlite
                    .get("thing", &format!("{side}-{last}"))
                    .unwrap()
                    .is_some(),
                "{side}-{last}"
            );
        }
        let all: Vec<_> = sqlite
            .list("thing", None, "", 100_000)
            .unwrap()
            .into_iter()
            .map(|row| row.id)
            .collect();
        assert_eq!(
            all.iter().filter(|id| id.starts_with("left")).count() * 2,
            all.len(),
            "pairs are whole"
        );
        for id in all {
            sqlite
                .transact(vec![RawStep::Delete {
                    kind: String::from("thing"),
                    id,
                }])
                .unwrap();
        }
    }
}
