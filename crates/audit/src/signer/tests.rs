mod lost;

use std::fs;
use std::path::Path;

use crypto::SigningKey;
use model::{Event, Outcome, Timestamp};

use super::*;
use crate::fixture::{Dice, FaultyDisk, destroyer, event, keys, keys_with, now, opening, settings};
use crate::segment;
use crate::{
    Ledger, LedgerFault, Recorder, Report, Rotated, Settings, destroy, export, rewrap,
    verify_directory, verify_export, verify_newest,
};

fn first_key() -> PublicKey {
    PublicKey::new("test.example/ledger", keys().ledger_signing.verifying_key())
}

fn small() -> Settings {
    Settings {
        segment_bytes: 2_500,
        checkpoint_records: 5,
        ..settings()
    }
}

fn open(dir: &Path) -> Recorder {
    Recorder::open(opening(dir, small()), now()).unwrap().0
}

fn record(recorder: &Recorder, numbers: std::ops::Range<u64>) {
    for n in numbers {
        recorder.record(&event(n)).wait().unwrap();
    }
}

fn reason() -> Event {
    Event {
        at: Timestamp::from_micros(1_795_000_000_500_000),
        outcome: Outcome::Done.into(),
        detail: Some("yearly change".into()),
        ..Event::default()
    }
}

fn rotate(recorder: &Recorder, ends: Ends) -> Rotated {
    recorder.rotate_signer(reason(), ends).unwrap()
}

/// A stopped ledger of three epochs: 12 records, a change, 10 records, a change, 9 records. Gives all keys.
fn three_epochs(dir: &Path, last_ends: Ends) -> Vec<PublicKey> {
    let recorder = open(dir);
    record(&recorder, 0..12);
    let first = rotate(&recorder, Ends::Routine);
    record(&recorder, 12..22);
    let second = rotate(&recorder, last_ends);
    record(&recorder, 22..31);
    recorder.stop().unwrap();
    assert_eq!((first.record, second.record), (12, 23));
    assert_eq!((first.to.clone(), second.epoch), (second.from, 2));
    vec![first.from, first.to, second.to]
}

/// Number of records of such a ledger.
const RECORDS: u64 = 33;

fn verified(dir: &Path, pin: &PublicKey) -> Report {
    verify_directory(dir, &keys(), pin, None).unwrap()
}

fn what(report: &Report) -> String {
    report.first_bad.as_ref().unwrap().what.clone()
}

fn exported(dir: &Path, range: std::ops::RangeInclusive<u64>) -> String {
    let ledger = Ledger::open_read(dir, keys()).unwrap();
    let mut out = Vec::new();
    export(&ledger, range, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn verified_text(text: &str, pin: Option<&PublicKey>) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("export.jsonl");
    fs::write(&file, text).unwrap();
    verify_export(&file, pin).unwrap()
}

fn copy(from: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

#[test]
fn every_key_of_the_chain_verifies_the_whole_ledger_and_every_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    assert_eq!(all[0], first_key());
    for (epoch, pin) in (0..).zip(&all) {
        let report = verified(dir.path(), pin);
        assert!(report.is_good(), "{report:?}");
        assert_eq!((report.records, report.covered), (RECORDS, RECORDS));
        assert_eq!((report.expected_epoch, report.compromised()), (epoch, None));
        let from: Vec<u64> = report.signers.iter().map(|one| one.from).collect();
        assert_eq!(from, [0, 12, 23]);
        assert!(
            verify_newest(dir.path(), &keys(), pin, None)
                .unwrap()
                .is_good()
        );
        for (first, last) in [
            (0, 32),
            (3, 9),
            (12, 12),
            (13, 22),
            (10, 25),
            (24, 32),
            (30, 32),
        ] {
            let text = exported(dir.path(), first..=last);
            assert!(text.starts_with(r#"{"format":"portcullis-ledger/4""#));
            let report = verified_text(&text, Some(pin));
            assert!(report.is_good(), "{first}..={last}: {report:?}");
            assert_eq!(report.records, last - first + 1);
        }
    }
    let stranger = PublicKey::new(
        "test.example/ledger",
        SigningKey::generate().verifying_key(),
    );
    assert!(what(&verified(dir.path(), &stranger)).contains("expected key"));
    let text = exported(dir.path(), 0..=u64::MAX);
    assert!(what(&verified_text(&text, Some(&stranger))).contains("another key"));
    assert!(verified_text(&text, None).is_good());
}

#[test]
fn a_ledger_goes_on_in_its_epoch_after_every_start_and_its_old_keys_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    let files = || {
        let epochs = key::list(dir.path()).unwrap();
        epochs
            .into_iter()
            .map(|(epoch, _)| epoch)
            .collect::<Vec<_>>()
    };
    assert_eq!(files(), [2]);
    let recorder = open(dir.path());
    record(&recorder, 31..40);
    let newest = recorder.stop().unwrap().unwrap();
    assert!(all[2].has_signed_note(&newest.text));
    assert_eq!(files(), [2]);
    let report = verify_directory(dir.path(), &keys(), &all[0], Some(&newest.text)).unwrap();
    assert!(report.is_good(), "{report:?}");
    // Without its key nobody signs in its name, and nothing is begun in its place.
    fs::remove_file(key::path(dir.path(), 2)).unwrap();
    let fault = Recorder::open(opening(dir.path(), small()), now())
        .err()
        .unwrap();
    assert!(
        fault.to_string().contains("bring this file back"),
        "{fault}"
    );
}

#[test]
fn a_ledger_whose_signer_never_changed_is_exported_without_changes() {
    let dir = tempfile::tempdir().unwrap();
    crate::fixture::ledger(dir.path(), 9, settings(), &mut Dice::new(51));
    let text = exported(dir.path(), 0..=u64::MAX);
    assert!(text.starts_with(r#"{"format":"portcullis-ledger/4""#) && !text.contains("signers"));
    assert!(!dir.path().join(file::NAME).exists());
    // The form is that of its changes.
    let other = text.replacen("ledger/4", "ledger/3", 1);
    assert_eq!(
        what(&verified_text(&other, None)),
        "the first line was changed"
    );
    let empty = text.replacen(r#""}"#, r#"","signers":[]}"#, 1);
    assert_eq!(
        what(&verified_text(&empty, None)),
        "the first line was changed"
    );
}

#[test]
fn who_stole_the_old_key_can_neither_sign_behind_the_change_nor_fork_the_ledger_unseen() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    let found = file::read(dir.path(), &all[0]).unwrap();
    let stolen = keys();
    // A checkpoint over everything, signed by the old key.
    let notes = dir.path().join(crate::CHECKPOINTS);
    let text = fs::read_to_string(&notes).unwrap();
    let last = text.rfind("test.example/ledger\n33\n").unwrap();
    let (kept, newest) = text.split_at(last);
    let stated = Checkpoint::stated_in(newest).unwrap();
    let forged = stated.sign(&stolen.ledger_signing).text;
    fs::write(&notes, format!("{kept}{forged}")).unwrap();
    assert_eq!(
        what(&verified(dir.path(), &all[0])),
        "the checkpoint over 33 records is signed by the key of epoch 0, where that of epoch 2 signs"
    );
    fs::write(&notes, text).unwrap();
    // Another change for epoch 1, to a key of the thief.
    let own = SigningKey::generate();
    let change = &found.signers.changes[0].change;
    let to = PublicKey::new(&change.origin, own.verifying_key());
    let fork = Change {
        to: to.clone(),
        ..change.clone()
    }
    .sign(&stolen.ledger_signing, &own);
    let path = dir.path().join(file::NAME);
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, &fork.text).unwrap();
    assert!(verified(dir.path(), &all[0]).first_bad.is_some());
    fs::write(&path, format!("{before}{}", fork.text)).unwrap();
    assert_eq!(
        what(&verified(dir.path(), &all[0])),
        "two changes of the signer begin epoch 1: the ledger forks there"
    );
    // In an export: the first line says one thing, the record another.
    let text = exported_with(dir.path(), &before, 0..=20);
    let forked = with_changes(&text, &[&fork.text]);
    assert_eq!(
        what(&verified_text(&forked, None)),
        "two changes of the signer begin epoch 1: the ledger forks there"
    );
    // In one that does not hold the record nobody but the expected key can tell; with the newer one pinned it can.
    let late = exported_with(dir.path(), &before, 13..=20);
    let forked = with_changes(&late, &[&fork.text]);
    assert!(what(&verified_text(&forked, Some(&all[1]))).contains("another key"));
    assert!(what(&verified_text(&forked, Some(&all[0]))).contains("not signed"));
}

/// An export made while the file of signers is as it was.
fn exported_with(dir: &Path, signers: &str, range: std::ops::RangeInclusive<u64>) -> String {
    fs::write(dir.join(file::NAME), signers).unwrap();
    exported(dir, range)
}

/// An export whose first line has these changes.
fn with_changes(text: &str, changes: &[&str]) -> String {
    let (first, rest) = text.split_once('\n').unwrap();
    let mut header: crate::export::HeaderLine = serde_json::from_str(first).unwrap();
    header.signers = changes.iter().map(|change| (*change).to_owned()).collect();
    format!("{}\n{rest}", serde_json::to_string(&header).unwrap())
}

#[test]
fn a_missing_link_a_swapped_one_and_a_change_for_another_history_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    let found = file::read(dir.path(), &all[0]).unwrap();
    let texts: Vec<&str> = found.signers.texts().collect();
    let text = exported(dir.path(), 0..=u64::MAX);
    let other = Change {
        chain: [7; 32],
        ..found.signers.changes[0].change.clone()
    };
    let signed = || {
        let mut signers = Signers::only(first_key());
        signers.follow(texts[1]).unwrap_err()
    };
    assert_eq!(
        signed(),
        "the change of the signer that begins epoch 1 is missing; one for epoch 2 is there"
    );
    for (changes, message) in [
        (
            vec![texts[1]],
            "the change of the signer that begins epoch 1 is missing",
        ),
        (
            vec![texts[1], texts[0]],
            "the change of the signer that begins epoch 1 is missing",
        ),
        (
            vec![texts[0], texts[0]],
            "two changes of the signer begin epoch 1",
        ),
        (vec![texts[0]], "this record changes the key that signs"),
        (vec![], "this record changes the key that signs"),
        (vec!["nonsense\n"], "is no signed change"),
    ] {
        let report = verified_text(&with_changes(&text, &changes), Some(&all[0]));
        assert!(what(&report).contains(message), "{message}: {report:?}");
    }
    // Nobody but the key of the epoch before continues it.
    let own = SigningKey::generate();
    let unsigned = other.sign(&own, &own).text;
    assert!(
        Signers::only(first_key())
            .follow(&unsigned)
            .unwrap_err()
            .contains("is not signed by the key of the epoch before")
    );
    // The file of signers, cut to its first change, and gone.
    let path = dir.path().join(file::NAME);
    fs::write(&path, texts[0]).unwrap();
    let report = verified(dir.path(), &all[0]);
    assert!(!report.is_good(), "{report:?}");
    fs::remove_file(&path).unwrap();
    assert!(!verified(dir.path(), &all[0]).is_good());
    let fault = Recorder::open(opening(dir.path(), small()), now())
        .err()
        .unwrap();
    assert!(
        fault.to_string().contains("bring that file back"),
        "{fault}"
    );
    let fault = Ledger::open_read(dir.path(), keys()).err().unwrap();
    assert!(fault.is_integrity(), "{fault}");
    assert_eq!(key::list(dir.path()).unwrap().len(), 1, "the key is kept");
}

#[test]
fn every_changed_byte_of_the_signers_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    let path = dir.path().join(file::NAME);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(!verified(dir.path(), &all[0]).is_good(), "byte {at}");
        let opened = Recorder::open(opening(dir.path(), small()), now());
        assert!(opened.is_err(), "byte {at}");
    }
}

#[test]
fn a_crash_at_every_step_of_a_change_leaves_one_signer() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path());
    record(&recorder, 0..7);
    recorder.checkpoint().unwrap();
    let before = copy(dir.path());
    let done = rotate(&recorder, Ends::Routine);
    recorder.stop().unwrap();
    drop(recorder);
    let after = copy(dir.path());
    let take = |name: &str, from: &tempfile::TempDir, to: &tempfile::TempDir| {
        fs::copy(from.path().join(name), to.path().join(name)).unwrap();
    };
    // The key alone; the key and part of its change; the key and its change. The record is not there: it never happened.
    let change = fs::read(after.path().join(file::NAME)).unwrap();
    for length in [0, 1, change.len() / 2, change.len() - 1, change.len()] {
        let crashed = copy(before.path());
        take("signer-1.key", &after, &crashed);
        if length > 0 {
            fs::write(crashed.path().join(file::NAME), &change[..length]).unwrap();
        }
        assert!(verified(crashed.path(), &first_key()).is_good(), "{length}");
        let recorder = open(crashed.path());
        assert_eq!(key::list(crashed.path()).unwrap(), [], "{length}");
        record(&recorder, 7..9);
        let again = rotate(&recorder, Ends::Routine);
        assert_eq!((again.epoch, again.record), (1, 9));
        recorder.stop().unwrap();
        assert!(verified(crashed.path(), &first_key()).is_good(), "{length}");
        assert!(verified(crashed.path(), &again.to).is_good(), "{length}");
    }
    // Everything but the first checkpoint of the new key.
    let crashed = copy(after.path());
    take(crate::CHECKPOINTS, &before, &crashed);
    let recorder = open(crashed.path());
    record(&recorder, 7..9);
    let newest = recorder.stop().unwrap().unwrap();
    assert!(done.to.has_signed_note(&newest.text));
    assert!(verified(crashed.path(), &first_key()).is_good());
}

#[test]
fn a_full_disk_leaves_the_present_key_in_charge() {
    for space in [0, 200, 700, 1_000] {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::default();
        let mut opening = opening(dir.path(), small());
        opening.disk = std::sync::Arc::new(disk.clone());
        let recorder = Recorder::open(opening, now()).unwrap().0;
        record(&recorder, 0..6);
        recorder.checkpoint().unwrap();
        disk.0.lock().unwrap().space = Some(space);
        let tried = recorder.rotate_signer(reason(), Ends::Routine);
        assert_eq!(tried.err(), Some(LedgerFault::Full), "{space}");
        disk.0.lock().unwrap().space = None;
        record(&recorder, 6..8);
        let old = recorder.checkpoint().unwrap();
        assert!(first_key().has_signed_note(&old.text), "{space}");
        let done = rotate(&recorder, Ends::Routine);
        assert_eq!((done.epoch, done.record), (1, 8), "{space}");
        recorder.stop().unwrap();
        assert!(verified(dir.path(), &first_key()).is_good(), "{space}");
    }
}

#[test]
fn a_directory_that_takes_no_new_file_leaves_the_present_key_in_charge() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let mut opening = opening(dir.path(), small());
    opening.disk = std::sync::Arc::new(disk.clone());
    let recorder = Recorder::open(opening, now()).unwrap().0;
    record(&recorder, 0..6);
    disk.0.lock().unwrap().create_error = Some(std::io::ErrorKind::PermissionDenied);
    let tried = recorder.rotate_signer(reason(), Ends::Routine).unwrap_err();
    assert!(matches!(tried, LedgerFault::Unready { .. }), "{tried}");
    disk.0.lock().unwrap().create_error = None;
    record(&recorder, 6..8);
    assert_eq!(rotate(&recorder, Ends::Routine).record, 8);
    recorder.stop().unwrap();
    assert!(verified(dir.path(), &first_key()).is_good());
}

#[test]
fn a_first_checkpoint_that_the_disk_does_not_take_is_signed_later() {
    let plenty = 1_000_000;
    let tried = |space: usize| {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::default();
        let mut opening = opening(dir.path(), settings());
        opening.disk = std::sync::Arc::new(disk.clone());
        let recorder = Recorder::open(opening, now()).unwrap().0;
        record(&recorder, 0..6);
        recorder.checkpoint().unwrap();
        disk.0.lock().unwrap().space = Some(space);
        let done = rotate(&recorder, Ends::Routine);
        let left = disk.0.lock().unwrap().space.take().unwrap();
        (dir, recorder, done, left)
    };
    let left = tried(plenty).3;
    // Room for everything but the end of the checkpoint.
    let (dir, recorder, done, _) = tried(plenty - left - 1);
    assert!(done.checkpoint.is_none(), "{done:?}");
    record(&recorder, 6..8);
    let newest = recorder.stop().unwrap().unwrap();
    assert!(done.to.has_signed_note(&newest.text));
    assert!(verified(dir.path(), &first_key()).is_good());
    assert!(verified(dir.path(), &done.to).is_good());
}

#[test]
fn whoever_expects_a_compromised_key_is_told_and_the_one_behind_it_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Compromised);
    for pin in &all[..2] {
        let report = verified(dir.path(), pin);
        assert!(report.is_good(), "{report:?}");
        assert_eq!(report.compromised().map(|one| one.epoch), Some(1));
    }
    assert_eq!(verified(dir.path(), &all[2]).compromised(), None);
    let text = exported(dir.path(), 24..=30);
    assert_eq!(
        verified_text(&text, Some(&all[0]))
            .compromised()
            .map(|one| one.epoch),
        Some(1)
    );
    assert_eq!(verified_text(&text, Some(&all[2])).compromised(), None);
}

#[test]
fn a_change_whose_record_was_destroyed_is_followed_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    let segments = segment::list(dir.path()).unwrap();
    let bound = segments
        .iter()
        .map(|(seq, _)| *seq)
        .find(|seq| *seq > 12)
        .unwrap();
    let (destroyer, _) = destroyer(dir.path(), small());
    destroy(dir.path(), &keys(), bound, destroyer, now()).unwrap();
    let report = verified(dir.path(), &all[0]);
    assert!(report.is_good() && report.destroyed > 12, "{report:?}");
    let text = exported(dir.path(), bound..=u64::MAX);
    assert!(verified_text(&text, Some(&all[0])).is_good());
    // It still belongs to this history alone.
    let found = file::read(dir.path(), &all[0]).unwrap();
    let moved = Change {
        record: 11,
        ..found.signers.changes[0].change.clone()
    };
    assert!(found.signers.compare(12, &moved.chain, None).is_ok());
    assert!(
        found
            .signers
            .compare(12, &[1; 32], None)
            .unwrap_err()
            .contains("another history")
    );
}

#[test]
fn the_key_that_signs_changes_hands_with_the_key_encryption_key() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    let (old, new) = (keys(), keys_with(7, 2));
    let count = segment::list(dir.path()).unwrap().len() + 2;
    let known = [&old.ledger_wrap, &new.ledger_wrap];
    assert_eq!(
        rewrap(dir.path(), &old, &known, &known[1..]).unwrap(),
        count
    );
    let mut reopened = opening(dir.path(), small());
    assert!(Recorder::open(opening(dir.path(), small()), now()).is_err());
    reopened.keys = new;
    let recorder = Recorder::open(reopened, now()).unwrap().0;
    let newest = recorder.stop().unwrap().unwrap();
    assert!(all[2].has_signed_note(&newest.text));
}

#[test]
fn a_running_ledger_verifies_while_its_signer_changes() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path());
    record(&recorder, 0..3);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 0..40 {
                record(&recorder, n * 10..n * 10 + 10);
                rotate(&recorder, Ends::Routine);
            }
        });
        while !writing.is_finished() {
            let report = verified(dir.path(), &first_key());
            assert_eq!(report.first_bad, None);
            let newest = verify_newest(dir.path(), &keys(), &first_key(), None).unwrap();
            assert_eq!(newest.first_bad, None);
            let mut out = Vec::new();
            export(recorder.ledger(), 0..=u64::MAX, &mut out).unwrap();
            let report = verified_text(&String::from_utf8(out).unwrap(), Some(&first_key()));
            assert_eq!(report.first_bad, None);
        }
    });
    assert_eq!(verified(dir.path(), &first_key()).signers.len(), 41);
}

#[test]
fn a_record_is_a_change_by_its_kind_alone() {
    let spoken_of = Event {
        path: Some("/\"kind\":\"ledger.signer\"".into()),
        objects: vec![model::event::ObjectRef {
            is_person: false,
            kind: "ledger.signer".into(),
            id: "1".into(),
        }],
        ..event(1)
    };
    let mut line = Vec::new();
    spoken_of.write(&mut line);
    assert_eq!(change_in(&line), None);
    line.clear();
    Event {
        kind: Kind::LedgerSigner.into(),
        signer: Some("text".into()),
        ..event(1)
    }
    .write(&mut line);
    assert_eq!(change_in(&line).as_deref(), Some("text"));
}

proptest::proptest! {
    #[test]
    fn hostile_changes_and_key_files_never_panic(text: String, bytes: Vec<u8>, at in 0_usize..600) {
        let change = Change {
            origin: "test.example/ledger".into(),
            epoch: 1,
            record: 5,
            chain: [3; 32],
            from: first_key(),
            to: first_key(),
            ends: Ends::Routine,
        };
        let mut signed = change.sign(&keys().ledger_signing, &keys().ledger_signing).text;
        proptest::prop_assert!(Signers::only(first_key()).follow(&text).is_err());
        // The real thing but for what is put into it somewhere; it names the key that signed before, so it is refused whole, too.
        let at = (0..=at.min(signed.len())).rev().find(|at| signed.is_char_boundary(*at)).unwrap();
        signed.insert_str(at, &text);
        proptest::prop_assert!(Signers::only(first_key()).follow(&signed).is_err());
        proptest::prop_assert_eq!(change_in(text.as_bytes()), None);
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(file::NAME), &bytes).unwrap();
        drop(file::read(dir.path(), &first_key()));
        fs::write(key::path(dir.path(), 1), &bytes).unwrap();
        proptest::prop_assert!(key::rewrap(dir.path(), &[&keys().ledger_wrap], &[]).is_err());
    }
}
