//! Ledgers and exports of earlier forms are read and verified for ever. The files were written by the version of their day.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::{
    Ledger, Opening, PublicKey, Recorder, Settings, export, verify_directory, verify_export,
};
use model::{Event, Timestamp};

/// Records in the ledger of form 1.
const RECORDS: u64 = 60;

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/written-before/1")
        .join(name)
}

/// The keys it was written with.
fn keys() -> Arc<crypto::Keys> {
    let root = crypto::Root::from_secret(crypto::Secret::new([7; 32]));
    Arc::new(crypto::Keys::of(&root))
}

fn public(keys: &crypto::Keys) -> PublicKey {
    PublicKey::new("test.example/ledger", keys.ledger_signing.verifying_key())
}

/// A copy that may be written.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(place("ledger")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

/// The exact bytes of each record, as an export of the day has them.
fn records(export: &str) -> Vec<String> {
    let events = export.lines().filter_map(|line| {
        let (_, event) = line.split_once(r#","event":"#)?;
        Some(event.strip_suffix('}')?.to_owned())
    });
    events.collect()
}

#[test]
fn a_directory_of_form_1_verifies_and_reads_byte_for_byte() {
    let keys = keys();
    let newest = fs::read_to_string(place("newest")).unwrap();
    let report = verify_directory(
        &place("ledger"),
        &keys.ledger_seal,
        &public(&keys),
        Some(&newest),
    );
    let report = report.unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.records, report.covered), (RECORDS, RECORDS));
    let ledger = Ledger::open_read(&place("ledger"), Arc::clone(&keys)).unwrap();
    let read: Vec<_> = ledger.from_seq(0).unwrap().map(Result::unwrap).collect();
    let bytes: Vec<&str> = read.iter().map(|entry| entry.json.as_str()).collect();
    assert_eq!(
        bytes,
        records(&fs::read_to_string(place("whole.jsonl")).unwrap())
    );
    for (entry, seq) in read.iter().zip(0..) {
        let event = entry.event().unwrap();
        assert_eq!(event.code.is_some(), seq % 5 == 0, "{event:?}");
        assert_eq!(ledger.find(event.id.unwrap()).unwrap().unwrap().seq, seq);
    }
}

#[test]
fn exports_of_form_1_verify_against_their_key() {
    let public = public(&keys());
    for (name, records) in [("whole.jsonl", RECORDS), ("part.jsonl", 25)] {
        let report = verify_export(&place(name), Some(&public)).unwrap();
        assert!(report.is_good(), "{report:?}");
        assert_eq!(report.records, records);
    }
}

#[test]
fn a_ledger_of_form_1_is_carried_on_and_stays_whole() {
    let (dir, keys) = (copy(), keys());
    let newest = fs::read_to_string(place("newest")).unwrap();
    let mut opening = Opening::new(
        dir.path(),
        Settings::new("test.example/ledger"),
        Arc::clone(&keys),
    );
    opening.witness = Some(newest);
    let now = Timestamp::from_micros(1_796_000_000_000_000);
    let (recorder, recovered) = Recorder::open(opening, now).unwrap();
    assert_eq!(recovered, None);
    for seq in RECORDS..RECORDS + 5 {
        let event = Event {
            at: now,
            ..Event::default()
        };
        assert_eq!(recorder.record(&event).wait(), Ok(seq));
    }
    let last = recorder.stop().unwrap().unwrap();
    let report = verify_directory(
        dir.path(),
        &keys.ledger_seal,
        &public(&keys),
        Some(&last.text),
    );
    let report = report.unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.records, RECORDS + 5);
    let mut whole = Vec::new();
    export(
        &Ledger::open_read(dir.path(), keys).unwrap(),
        0..=u64::MAX,
        &mut whole,
    )
    .unwrap();
    let before = records(&fs::read_to_string(place("whole.jsonl")).unwrap());
    let now = records(&String::from_utf8(whole).unwrap());
    assert_eq!(now[..before.len()], before);
}
