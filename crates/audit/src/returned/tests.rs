use std::fs;
use std::path::{Path, PathBuf};

use model::{Kind, Outcome, Word};

use super::*;
use crate::fixture::{Dice, event, keys, keys_of, ledger, now, recorder, settings};
use crate::segment::key::beside;
use crate::{PublicKey, Recorder, Report, Settings, destroy, verify_directory};

fn small() -> Settings {
    Settings {
        segment_bytes: 2_500,
        ..settings()
    }
}

fn verified(dir: &Path) -> Report {
    let public = PublicKey::new("test.example/ledger", keys().ledger_signing.verifying_key());
    let report = verify_directory(dir, &keys(), &public, None).unwrap();
    assert_eq!(report.first_bad, None);
    report
}

/// First and last record of every closed segment, and where its key stands.
fn closed_segments(dir: &Path) -> Vec<((u64, u64), PathBuf)> {
    let segments = segment::list(dir).unwrap();
    let pairs = segments.windows(2);
    pairs
        .map(|pair| ((pair[0].0, pair[1].0 - 1), beside(&pair[0].1)))
        .collect()
}

/// What a destruction leaves in the ledger: the intent, the notes, the outcome.
fn destroy_on_record(dir: &Path, before: u64, outcome: Outcome) {
    let recorder = recorder(dir, small());
    let intent = Event {
        kind: Kind::Intent.into(),
        operation: Some(crate::DESTROY.into()),
        outcome: Outcome::Pending.into(),
        destroys: Some(before),
        ..event(1)
    };
    let record = recorder.record(&intent).wait().unwrap();
    destroy(dir, &keys(), before, record, now()).unwrap();
    let done = Event {
        kind: Word::new(crate::DESTROY),
        operation: None,
        outcome: outcome.into(),
        ..intent
    };
    recorder.record(&done).wait().unwrap();
    recorder.stop().unwrap();
}

#[test]
fn exactly_the_keys_that_are_there_again_are_named() {
    let mut dice = Dice::new(91);
    for round in 0..24 {
        let dir = tempfile::tempdir().unwrap();
        ledger(dir.path(), 60, small(), &mut dice);
        let all = closed_segments(dir.path());
        let gone = &all[..1 + dice.index(all.len() - 1)];
        let copies: Vec<Vec<u8>> = gone.iter().map(|(_, key)| fs::read(key).unwrap()).collect();
        let before = gone.last().unwrap().0.1 + 1;
        destroy_on_record(dir.path(), before, Outcome::Done);
        let known = DestroyedKeys {
            before_seq: before,
            ..DestroyedKeys::default()
        };
        assert_eq!(
            DestroyedKeys::noted_in(dir.path(), &keys()),
            Ok(known.clone())
        );
        assert!(verified(dir.path()).returned.is_empty(), "round {round}");
        let mut put_back = Vec::new();
        for ((range, key), copy) in gone.iter().zip(&copies) {
            if dice.below(3) == 0 {
                fs::write(key, copy).unwrap();
                put_back.push(*range);
            }
        }
        let named = |known: &DestroyedKeys| returned(dir.path(), &keys(), known).unwrap().segments;
        assert_eq!(named(&known), put_back, "round {round}");
        // The records say it as well as whoever remembers it.
        let report = verified(dir.path());
        assert_eq!(report.returned.segments, put_back, "round {round}");
        assert_eq!(report.destroyed_keys, known, "round {round}");
        let records: u64 = put_back.iter().map(|(first, last)| last - first + 1).sum();
        assert_eq!(
            (report.returned.records(), report.destroyed),
            (records, before - records)
        );
        // And the notes that are left speak of all keys in front of them.
        let noted = gone
            .iter()
            .rev()
            .find(|(range, _)| !put_back.contains(range));
        let bound = noted.map_or(0, |(range, _)| range.1 + 1);
        put_back.retain(|range| range.1 < bound);
        assert_eq!(named(&DestroyedKeys::default()), put_back, "round {round}");
    }
}

#[test]
fn a_destruction_that_was_not_done_says_nothing_of_the_keys_behind_the_last_note() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 60, small(), &mut Dice::new(92));
    let all = closed_segments(dir.path());
    let key = &all[2].1;
    let copy = fs::read(key).unwrap();
    destroy_on_record(dir.path(), all[2].0.1 + 1, Outcome::Failed);
    fs::write(key, copy).unwrap();
    assert!(verified(dir.path()).returned.is_empty());
}

#[test]
fn a_note_that_nobody_with_the_root_wrote_destroys_nothing() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 60, small(), &mut Dice::new(93));
    let all = closed_segments(dir.path());
    let whole = fs::read(&all[2].1).unwrap();
    let (segment, _) = key::KeyFile::read(&whole).unwrap();
    let note = key::Tombstone {
        at: now(),
        record: Some(60),
    };
    let of = |keys: &Keys| segment.tombstone(keys, note);
    let noted = || {
        DestroyedKeys::noted_in(dir.path(), &keys())
            .unwrap()
            .before_seq
    };
    fs::write(&all[2].1, of(&keys_of(8))).unwrap();
    assert_eq!(noted(), 0, "sealed with another root");
    fs::write(&all[2].1, &whole).unwrap();
    fs::write(&all[4].1, of(&keys())).unwrap();
    assert_eq!(noted(), 0, "the note of another segment");
    fs::write(&all[2].1, of(&keys())).unwrap();
    assert_eq!(noted(), all[2].0.1 + 1);
}

/// Somebody who was erased, and the file of keys from before.
fn erased(dir: &Path) -> (Recorder, String, Vec<u8>) {
    let recorder = recorder(dir, settings());
    let call = Event {
        integration: Some("crm".into()),
        user: Some("ann lee".into()),
        ..event(1)
    };
    recorder.record(&call).wait().unwrap();
    let file = fs::read(dir.join(subjects::row::FILE)).unwrap();
    let subject = recorder
        .ledger()
        .subjects_named("ann lee", None)
        .unwrap()
        .remove(0);
    let intent = Event {
        kind: Kind::Intent.into(),
        operation: Some(crate::ERASE.into()),
        outcome: Outcome::Pending.into(),
        erases: Some(subject.as_str().into()),
        ..event(2)
    };
    let record = recorder.record(&intent).wait().unwrap();
    recorder.erase(&subject, record, now()).unwrap();
    let done = Event {
        kind: Word::new(crate::ERASE),
        operation: None,
        outcome: Outcome::Done.into(),
        ..intent
    };
    recorder.record(&done).wait().unwrap();
    (recorder, subject, file)
}

#[test]
fn the_key_of_an_erased_person_that_is_there_again_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, subject, before) = erased(dir.path());
    recorder.stop().unwrap();
    let known = DestroyedKeys::noted_in(dir.path(), &keys()).unwrap();
    assert!(known.subjects.contains(&subject));
    assert!(verified(dir.path()).returned.is_empty());
    fs::write(dir.path().join(subjects::row::FILE), before).unwrap();
    let report = verified(dir.path());
    assert_eq!(report.returned.subjects, std::slice::from_ref(&subject));
    assert_eq!(report.destroyed_keys, known);
    assert_eq!(
        returned(dir.path(), &keys(), &known).unwrap(),
        report.returned
    );
    // Nothing in the directory says so but the records, which a quick look does not read.
    let quick = returned(dir.path(), &keys(), &DestroyedKeys::default()).unwrap();
    assert!(quick.is_empty());
}

#[test]
fn files_of_keys_that_cannot_be_read_are_none_that_are_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, subject, _) = erased(dir.path());
    recorder.stop().unwrap();
    let known = DestroyedKeys {
        subjects: [subject].into(),
        ..DestroyedKeys::default()
    };
    fs::write(dir.path().join(subjects::row::KEY_FILE), "spoiled").unwrap();
    assert_eq!(
        returned(dir.path(), &keys(), &known),
        Ok(Returned::default())
    );
    assert!(
        DestroyedKeys::noted_in(dir.path(), &keys())
            .unwrap()
            .subjects
            .is_empty()
    );
}
