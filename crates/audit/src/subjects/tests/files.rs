//! The files of keys, while somebody moves them about beneath a server.

use super::*;
use crate::disk::RealDisk;
use crate::subjects::row::KEY_FILE;

fn recovered(ledger: &Ledger) -> usize {
    let filter = Filter {
        kind: Some("ledger.recovered".into()),
        ..Filter::default()
    };
    ledger.newest(&filter).unwrap().len()
}

/// Has the writer look, as it does about once a second.
fn look(recorder: &Recorder, n: u64) {
    put(recorder, &event(n));
    recorder.checkpoint().unwrap();
    put(recorder, &event(n + 1));
}

#[test]
fn a_file_of_keys_that_is_taken_away_replaced_or_cut_short_is_written_again_and_that_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join(FILE), dir.path().join("old"));
    let recorder = recorder(dir.path(), settings());
    let ann = put(&recorder, &call(1, "crm", "ann"));
    let bob = put(&recorder, &call(2, "crm", "bob"));
    fs::copy(&path, &old).unwrap();
    let key = fs::read(&old).unwrap()[57..118].to_vec();
    erase(&recorder, &only(recorder.ledger(), "ann", "crm"));
    let harms: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&path).unwrap(),
        &|| fs::rename(&old, &path).unwrap(),
        &|| fs::write(&path, b"").unwrap(),
        &|| fs::remove_file(dir.path().join(KEY_FILE)).unwrap(),
    ];
    for (n, harm) in harms.iter().enumerate() {
        harm();
        look(&recorder, 10 + 2 * n as u64);
        assert_eq!(recovered(recorder.ledger()), n + 1);
        let bytes = fs::read(&path).unwrap();
        let is_back = bytes.windows(key.len()).any(|window| window == key);
        assert!(!is_back, "an erased key came back");
        let other = Ledger::open_read(dir.path(), keys()).unwrap();
        assert_eq!([ann, bob].map(|seq| state(&other, seq)), ["erased", "read"]);
    }
    // Nothing is written into a file that somebody put there: whoever is met first is in ours.
    fs::remove_file(&path).unwrap();
    let eve = put(&recorder, &call(30, "crm", "eve"));
    recorder.stop().unwrap();
    let other = Ledger::open_read(dir.path(), keys()).unwrap();
    let states = [ann, bob, eve].map(|seq| state(&other, seq));
    assert_eq!(states, ["erased", "read", "read"]);
    verified(dir.path());
}

#[test]
fn a_key_that_changes_hands_beneath_a_server_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let seq = put(&recorder, &call(1, "crm", "ann"));
    let (old, new) = (keys_with(7, 1), keys_with(7, 2));
    let (known, to) = ([&old.ledger_wrap], [&new.ledger_wrap]);
    row::rewrap(dir.path(), &RealDisk, &known, &to).unwrap();
    let wrapped = fs::read(dir.path().join(KEY_FILE)).unwrap();
    look(&recorder, 2);
    assert_eq!(fs::read(dir.path().join(KEY_FILE)).unwrap(), wrapped);
    assert_eq!(recovered(recorder.ledger()), 0);
    assert_eq!(state(recorder.ledger(), seq), "read");
}

#[test]
fn while_a_file_cannot_be_written_again_nothing_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let opening = Opening {
        disk: Arc::new(disk.clone()),
        ..opening(dir.path(), settings())
    };
    let (recorder, _) = Recorder::open(opening, now()).unwrap();
    put(&recorder, &call(1, "crm", "ann"));
    fs::remove_file(dir.path().join(FILE)).unwrap();
    disk.0.lock().unwrap().space = Some(0);
    let signed = recorder.checkpoint().map(drop);
    assert_eq!(signed, Err(LedgerFault::Full));
    disk.0.lock().unwrap().space = None;
    recorder.checkpoint().unwrap();
    assert!(dir.path().join(FILE).exists());
}
