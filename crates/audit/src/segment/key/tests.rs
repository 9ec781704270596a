use std::fs;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::fixture::{Dice, destroyer, event, keys, keys_with, ledger, now, settings};
use crate::{
    Destroyed, Ledger, LedgerFault, PublicKey, Settings, destroy, destroyable, export, rewrap,
    segment, verify_directory, verify_export,
};

fn small() -> Settings {
    Settings {
        segment_bytes: 2_500,
        ..settings()
    }
}

fn public(keys: &Keys) -> PublicKey {
    PublicKey::new("test.example/ledger", keys.ledger_signing.verifying_key())
}

fn report(dir: &Path, keys: &Keys, witness: &str) -> crate::Report {
    verify_directory(dir, keys, &public(keys), Some(witness)).unwrap()
}

#[test]
fn a_key_that_was_wrapped_again_opens_for_the_new_key_alone_and_no_segment_was_touched() {
    let dir = tempfile::tempdir().unwrap();
    let newest = ledger(dir.path(), 60, small(), &mut Dice::new(41));
    let (old, new) = (keys_with(7, 1), keys_with(7, 2));
    let segments = || {
        let all = segment::list(dir.path()).unwrap();
        all.iter()
            .map(|(_, path)| fs::read(path).unwrap())
            .collect::<Vec<_>>()
    };
    let before = segments();
    assert!(before.len() > 3);
    // While it changes hands both keys open everything, so that a crash in between hurts nobody.
    let both = [&old.ledger_wrap, &new.ledger_wrap];
    // Those of the segments, and the one of the persons.
    assert_eq!(
        rewrap(dir.path(), &old, &both, &both).unwrap(),
        before.len() + 1
    );
    for keys in [&old, &new] {
        assert!(report(dir.path(), keys, &newest).is_good());
    }
    assert_eq!(
        rewrap(dir.path(), &old, &both, &both[1..]).unwrap(),
        before.len() + 1
    );
    // Once more: an interrupted command is run again.
    assert_eq!(
        rewrap(dir.path(), &new, &both, &both[1..]).unwrap(),
        before.len() + 1
    );
    assert!(report(dir.path(), &new, &newest).is_good());
    let bad = report(dir.path(), &old, &newest).first_bad.unwrap();
    assert_eq!(
        bad.what,
        "the key of the segment is wrapped with another key-encryption key"
    );
    assert_eq!(segments(), before);
    let third = keys_with(7, 3);
    let fault = rewrap(dir.path(), &third, &[&third.ledger_wrap], &both).unwrap_err();
    assert!(fault.is_integrity(), "{fault}");
}

#[test]
fn a_destroyed_key_leaves_the_chain_and_takes_the_contents() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 60, small(), &mut Dice::new(42));
    let (destroyer, newest) = destroyer(dir.path(), small());
    let keys = keys();
    let segments = segment::list(dir.path()).unwrap();
    let (bound, last) = (segments[2].0, segments[segments.len() - 1].0);
    let planned = destroyable(dir.path(), bound).unwrap();
    assert_eq!(
        (planned.segments, planned.records, planned.before_seq),
        (2, bound, bound)
    );
    let copy = fs::read(beside(&segments[0].1)).unwrap();
    assert_eq!(
        destroy(dir.path(), &keys, bound, destroyer, now()).unwrap(),
        planned
    );
    assert_eq!(
        destroy(dir.path(), &keys, bound, destroyer, now()).unwrap(),
        Destroyed::default()
    );

    let found = report(dir.path(), &keys, &newest);
    assert!(found.is_good(), "{found:?}");
    assert_eq!((found.records, found.destroyed), (61, bound));
    let [told] = found.destructions.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((told.first_seq, told.last_seq), (0, bound - 1));
    assert_eq!((told.record, told.at), (Some(destroyer), now()));
    assert_eq!(told.by.as_deref(), Some("ann"));
    assert_eq!(told.detail.as_deref(), Some("older than 2026: retention"));
    let reader = Ledger::open_read(dir.path(), Arc::clone(&keys)).unwrap();
    let gone = LedgerFault::Destroyed {
        seq: 0,
        next: bound,
    };
    assert_eq!(
        reader.from_seq(0).unwrap().next().unwrap(),
        Err(gone.clone())
    );
    assert_eq!(reader.get(0), Err(gone.clone()));
    assert_eq!(reader.find(event(0).id.unwrap()), Ok(None));
    assert_eq!(reader.get(bound).unwrap().unwrap().seq, bound);
    // A record that is left is still proven to be in the tree over all of them.
    let (proof, _) = reader.prove(bound + 1).unwrap();
    assert_eq!(proof.seq, bound + 1);
    assert_eq!(
        export(&reader, 0..=u64::MAX, &mut Vec::new()).unwrap_err(),
        gone
    );
    let file = dir.path().join("rest.jsonl");
    let mut out = Vec::new();
    export(&reader, bound..=u64::MAX, &mut out).unwrap();
    fs::write(&file, out).unwrap();
    assert!(
        verify_export(&file, Some(reader.first_key()))
            .unwrap()
            .is_good()
    );

    // The open segment is never destroyed, whatever is asked for.
    let all = destroyable(dir.path(), u64::MAX).unwrap();
    assert_eq!(all.before_seq, last);
    // With a copy of the key from before, its segment reads again: backups have to end, too.
    fs::write(beside(&segments[0].1), copy).unwrap();
    assert_eq!(reader.get(0).unwrap().unwrap().seq, 0);
}

#[test]
fn a_key_that_is_missing_changed_or_of_another_segment_is_named_with_its_segment() {
    let dir = tempfile::tempdir().unwrap();
    let newest = ledger(dir.path(), 60, small(), &mut Dice::new(43));
    let keys = keys();
    let segments = segment::list(dir.path()).unwrap();
    let (second, third) = (segments[1].0, beside(&segments[2].1));
    let path = beside(&segments[1].1);
    let whole = fs::read(&path).unwrap();
    let found = |bytes: Option<&[u8]>| {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        report(dir.path(), &keys, &newest)
            .first_bad
            .map(|bad| (bad.seq, bad.what))
    };
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 2;
        let (seq, _) = found(Some(&changed)).unwrap_or_else(|| panic!("byte {at}"));
        assert_eq!(seq, second);
        assert!(found(Some(&whole[..at])).is_some());
    }
    assert!(found(None).unwrap().1.contains("bring its file back"));
    let foreign = fs::read(third).unwrap();
    assert!(
        found(Some(&foreign))
            .unwrap()
            .1
            .contains("belongs to another one")
    );
    // Only who has the root can say that a key was destroyed.
    let (segment, _) = KeyFile::read(&whole).unwrap();
    for record in [None, Some(59)] {
        let note = Tombstone { at: now(), record };
        let forged = segment.tombstone(&keys_with(9, 1), note);
        assert!(found(Some(&forged)).unwrap().1.contains("is not ours"));
    }
    // A note that names a record which says nothing of it, or one that is not there, is none of the server's.
    for (record, what) in [(59, "says nothing of it"), (60, "is not there")] {
        let record = Some(record);
        let note = segment.tombstone(&keys, Tombstone { at: now(), record });
        assert!(found(Some(&note)).unwrap().1.contains(what), "{record:?}");
    }
    assert_eq!(found(Some(&whole)), None);
}

proptest! {
    #[test]
    fn hostile_key_files_never_panic(bytes: Vec<u8>) {
        let segment = Segment { first_seq: 0, salt: [0; 16] };
        let keys = keys();
        let mut with_head = segment.fixed(bytes.first().copied().unwrap_or(1) % 5);
        with_head.extend_from_slice(&bytes);
        prop_assert!(segment.open(&bytes, &keys, &[&keys.ledger_wrap]).is_err());
        prop_assert!(segment.open(&with_head, &keys, &[&keys.ledger_wrap]).is_err());
    }
}
