use std::path::Path;
use std::time::Duration;

use super::*;
use crate::fixture::{Dice, destroyer, event, keys, ledger, now, recorder, settings};
use crate::{PublicKey, Settings, destroy, verify_directory};

fn small() -> Settings {
    Settings {
        segment_bytes: 2_500,
        ..settings()
    }
}

fn read(dir: &Path) -> Ledger {
    Ledger::open_read(dir, keys()).unwrap()
}

/// The moment of the record with this number.
fn moment(seq: u64) -> Timestamp {
    event(seq).at
}

#[test]
fn only_whole_closed_segments_that_are_older_are_found() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 60, small(), &mut Dice::new(61));
    let reader = read(dir.path());
    let starts: Vec<u64> = segment::list(dir.path())
        .unwrap()
        .into_iter()
        .map(|(seq, _)| seq)
        .collect();
    let newest = *starts.last().unwrap();
    for seq in 0..60 {
        let found = older_than(&reader, moment(seq)).unwrap().found;
        // Everything in front of a segment is older where the record itself is not in it.
        let bound = starts
            .iter()
            .copied()
            .filter(|start| *start <= seq)
            .max()
            .unwrap();
        assert_eq!(found.before_seq, bound, "{seq}");
        assert_eq!((found.first_seq, found.records), (0, bound), "{seq}");
    }
    let all = older_than(&reader, moment(1_000_000)).unwrap().found;
    assert_eq!(all.before_seq, newest, "the open segment stays");
}

#[test]
fn what_was_destroyed_is_passed_over_and_not_found_again() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 60, small(), &mut Dice::new(62));
    let (record, newest) = destroyer(dir.path(), small());
    let starts: Vec<u64> = segment::list(dir.path())
        .unwrap()
        .into_iter()
        .map(|(seq, _)| seq)
        .collect();
    let reader = read(dir.path());
    let first = older_than(&reader, moment(starts[2])).unwrap().found;
    destroy(dir.path(), &keys(), first.before_seq, record, now()).unwrap();
    assert_eq!(
        older_than(&reader, moment(starts[2]))
            .unwrap()
            .found
            .records,
        0
    );
    let second = older_than(&reader, moment(starts[3])).unwrap().found;
    assert_eq!((second.segments, second.first_seq), (1, starts[2]));
    let later = now().plus(Duration::from_secs(60));
    destroy(dir.path(), &keys(), second.before_seq, record, later).unwrap();
    let public = PublicKey::new("test.example/ledger", keys().ledger_signing.verifying_key());
    let report = verify_directory(dir.path(), &keys(), &public, Some(&newest)).unwrap();
    assert!(report.is_good(), "{report:?}");
    let told: Vec<_> = report
        .destructions
        .iter()
        .map(|one| (one.first_seq, one.last_seq))
        .collect();
    assert_eq!(told, [(0, starts[2] - 1), (starts[2], starts[3] - 1)]);
}

#[test]
fn a_look_that_is_too_long_is_gone_on_with_behind_what_it_found() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 60, small(), &mut Dice::new(63));
    let (record, _) = destroyer(dir.path(), small());
    let reader = read(dir.path());
    let all = look(&reader, moment(1_000_000), u64::MAX).unwrap();
    assert!(!all.has_more && all.found.segments > 3, "{all:?}");
    let (mut segments, mut has_more) = (0, true);
    while has_more {
        // Not more than one segment fits.
        let part = look(&reader, moment(1_000_000), 1).unwrap();
        has_more = part.has_more;
        assert_eq!(part.found.segments, 1, "{part:?}");
        segments += part.found.segments;
        destroy(dir.path(), &keys(), part.found.before_seq, record, now()).unwrap();
    }
    assert_eq!(segments, all.found.segments);
}

#[test]
fn a_record_from_before_the_clock_was_set_back_keeps_its_segment() {
    let dir = tempfile::tempdir().unwrap();
    let one = recorder(dir.path(), small());
    // Written while the clock was a year behind: what they say is old, what was known then is not.
    one.record(&event(50)).wait().unwrap();
    for n in 0..40 {
        let mut back = event(n);
        back.at = Timestamp::from_micros(moment(n).micros() - 31_536_000_000_000);
        one.record(&back).wait().unwrap();
    }
    one.stop().unwrap();
    let found = older_than(&read(dir.path()), moment(0)).unwrap().found;
    assert_eq!(found.records, 0);
}

#[test]
fn what_is_told_is_the_intent_of_a_destruction_alone() {
    let written = |event: &Event| {
        let mut line = Vec::new();
        event.write(&mut line);
        line
    };
    assert_eq!(told_in(&written(&event(1))), None);
    let done = Event {
        kind: model::Word::new(COMMAND),
        ..event(1)
    };
    assert_eq!(told_in(&written(&done)), None);
    let intent = Event {
        kind: Kind::Intent.into(),
        operation: Some(COMMAND.into()),
        user: Some("ann".into()),
        detail: Some("why".into()),
        ..event(1)
    };
    assert_eq!(
        told_in(&written(&intent)),
        Some(("ann".into(), "why".into()))
    );
}
