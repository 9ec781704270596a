use std::fs;
use std::path::Path;

use model::{Event, Outcome};

use super::*;
use crate::fixture::{Dice, event, keys, recorder, settings};
use crate::segment;
use crate::{Settings, destroy};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn small() -> Settings {
    Settings {
        segment_bytes: 2_500,
        ..settings()
    }
}

fn read(dir: &Path) -> Ledger {
    Ledger::open_read(dir, keys()).unwrap()
}

fn id(dice: &mut Dice, at: i64) -> DecisionId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&dice.roll().to_le_bytes());
    DecisionId::new(Timestamp::from_micros(at), random)
}

/// A stopped ledger of so many calls, and their ids; `clock` moves the clock before each.
fn calls(
    dir: &Path,
    dice: &mut Dice,
    count: u64,
    clock: impl Fn(&mut Dice, &mut i64),
) -> Vec<DecisionId> {
    let recorder = recorder(dir, small());
    let mut at = event(0).at.micros();
    let mut ids = Vec::new();
    for n in 0..count {
        clock(dice, &mut at);
        let id = id(dice, at);
        let call = Event {
            id: Some(id),
            at: Timestamp::from_micros(at),
            ..event(n)
        };
        assert_eq!(recorder.record(&call).wait(), Ok(n));
        ids.push(id);
    }
    recorder.stop().unwrap();
    ids
}

/// Goes on a little; now and then it is set, by minutes or by days, forwards or back.
fn stepping(dice: &mut Dice, at: &mut i64) {
    let below =
        |dice: &mut Dice, bound: i64| i64::try_from(dice.below(bound.unsigned_abs())).unwrap();
    *at += below(dice, 10 * MINUTE);
    match dice.below(30) {
        0 => *at -= below(dice, 3 * DAY),
        1 => *at -= below(dice, 80 * MINUTE),
        2 => *at += below(dice, 5 * DAY),
        _ => {}
    }
}

fn steady(_: &mut Dice, at: &mut i64) {
    *at += 10 * MINUTE;
}

fn found(ledger: &Ledger, id: DecisionId) -> Option<u64> {
    ledger.find(id).unwrap().map(|entry| entry.seq)
}

#[test]
fn every_decision_is_found_whatever_the_clock_did_and_no_other() {
    let (mut dice, mut in_order) = (Dice::new(81), 0);
    for round in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let ids = calls(dir.path(), &mut dice, 120, stepping);
        let ledger = read(dir.path());
        for _ in 0..2 {
            for (seq, id) in (0..).zip(&ids) {
                assert_eq!(found(&ledger, *id), Some(seq), "round {round}, {id}");
            }
            // The second time round it is known in which segments the clock was never behind.
            for _ in 0..20 {
                let near = ids[dice.index(ids.len())].moment().micros();
                assert_eq!(found(&ledger, id(&mut dice, near)), None);
            }
        }
        in_order += lock(&ledger.in_order).len();
    }
    assert!(in_order > 4, "what is learned is used: {in_order}");
}

#[test]
fn what_was_destroyed_is_not_found_and_everything_behind_it_is() {
    let mut dice = Dice::new(82);
    let dir = tempfile::tempdir().unwrap();
    let ids = calls(dir.path(), &mut dice, 120, stepping);
    let starts = segment::list(dir.path()).unwrap();
    let bound = starts[starts.len() / 2].0;
    destroy(dir.path(), &keys(), bound, 0, event(0).at).unwrap();
    let ledger = read(dir.path());
    for (seq, id) in (0..).zip(&ids) {
        assert_eq!(found(&ledger, *id), (seq >= bound).then_some(seq));
    }
}

#[test]
fn only_the_segments_around_the_moment_are_read() {
    let mut dice = Dice::new(83);
    let dir = tempfile::tempdir().unwrap();
    let ids = calls(dir.path(), &mut dice, 400, steady);
    let segments = segment::list(dir.path()).unwrap();
    assert!(segments.len() > 20);
    // Nothing but the first frame of most segments opens any more.
    let home = segments.len() / 2;
    let ledger = read(dir.path());
    for (index, (_, path)) in segments.iter().enumerate() {
        let places = ledger.frames(path).unwrap();
        if index.abs_diff(home) > 3
            && index + 1 < segments.len()
            && let Some(second) = places.get(1)
        {
            let mut bytes = fs::read(path).unwrap();
            let at = usize::try_from(second.offset).unwrap() + segment::FRAME_HEAD;
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
        }
    }
    let seq = segments[home].0 + 1;
    assert_eq!(
        found(&ledger, ids[usize::try_from(seq).unwrap()]),
        Some(seq)
    );
    let newest = ids.last().unwrap().moment().micros();
    assert_eq!(found(&read(dir.path()), id(&mut dice, newest + DAY)), None);
    // And the others are read where they have to be.
    assert!(ledger.find(id(&mut dice, event(0).at.micros())).is_err());
}

#[test]
fn an_outcome_that_was_recorded_days_after_its_intent_is_what_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), small());
    let mut dice = Dice::new(84);
    let at = event(0).at.micros();
    let id = id(&mut dice, at);
    let intent = Event {
        id: Some(id),
        kind: Kind::Intent.into(),
        outcome: Outcome::Pending.into(),
        ..event(0)
    };
    recorder.record(&intent).wait().unwrap();
    for n in 1..200 {
        let other = Event {
            at: Timestamp::from_micros(at + i64::try_from(n).unwrap() * 30 * MINUTE),
            ..event(n)
        };
        recorder.record(&other).wait().unwrap();
    }
    recorder.checkpoint().unwrap();
    assert_eq!(found(&read(dir.path()), id), Some(0));
    let outcome = Event {
        id: Some(id),
        at: Timestamp::from_micros(at + 4 * DAY),
        ..event(0)
    };
    let seq = recorder.record(&outcome).wait().unwrap();
    recorder.stop().unwrap();
    assert_eq!(found(&read(dir.path()), id), Some(seq));
}

#[test]
fn a_newest_segment_without_records_hides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(85);
    let ids = calls(dir.path(), &mut dice, 30, steady);
    let ledger = read(dir.path());
    let (first, path) = segment::list(dir.path()).unwrap().pop().unwrap();
    let header = ledger.frames(&path).unwrap()[0].offset;
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(header)
        .unwrap();
    for (seq, id) in (0..first).zip(&ids) {
        assert_eq!(found(&ledger, *id), Some(seq));
    }
}
