use std::path::PathBuf;

use super::*;
use crate::checkpoint::SignedCheckpoint;
use crate::fixture::{Dice, event, keys, ledger, recorder, settings};
use crate::{Ledger, Settings};

/// A frame in a segment's file.
#[derive(Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
    seq: u64,
    next: u64,
}

/// A segment's bytes, cut into header and frames.
struct Part {
    name: PathBuf,
    bytes: Vec<u8>,
    seq: u64,
    frames: Vec<Piece>,
}

/// A ledger in memory, to be changed and written again.
struct Sample {
    parts: Vec<Part>,
    notes: Vec<String>,
    sizes: Vec<u64>,
    records: u64,
}

fn sample(dir: &Path) -> Sample {
    let ledger = Ledger::open_read(dir, keys()).unwrap();
    let mut parts = Vec::new();
    for (seq, path) in segment::list(dir).unwrap() {
        let bytes = std::fs::read(&path).unwrap();
        let mut frames: Vec<Piece> = Vec::new();
        let mut scanner = ledger.scanner(&path).unwrap();
        while let Some((offset, head, _)) = scanner.skip().unwrap() {
            let start = usize::try_from(offset).unwrap();
            frames.push(Piece {
                start,
                end: usize::try_from(scanner.offset()).unwrap(),
                seq: head.first_seq,
                next: head.first_seq + u64::from(head.count),
            });
        }
        parts.push(Part {
            name: path.file_name().unwrap().into(),
            bytes,
            seq,
            frames,
        });
    }
    let (mut notes, mut sizes) = (Vec::new(), Vec::new());
    let mut source = Notes::open(dir).unwrap();
    while let Some(Note::Whole(text, _)) = source.next().unwrap() {
        sizes.push(
            SignedCheckpoint::verify(&text, ledger.first_key())
                .unwrap()
                .checkpoint
                .size,
        );
        notes.push(text);
    }
    let records = *sizes.last().unwrap();
    Sample {
        parts,
        notes,
        sizes,
        records,
    }
}

impl Part {
    /// The record named when this byte is wrong.
    fn seq_at(&self, offset: usize) -> u64 {
        self.frames
            .iter()
            .find(|f| (f.start..f.end).contains(&offset))
            .map_or(self.seq, |f| f.seq)
    }
}

/// Writes the changed ledger and verifies it against the checkpoint the database kept.
struct Bench {
    dir: tempfile::TempDir,
    witness: String,
}

impl Bench {
    fn verify(&self, parts: &[(PathBuf, Vec<u8>)], notes: &[u8]) -> Report {
        let dir = self.dir.path().join("changed");
        drop(std::fs::remove_dir_all(&dir));
        std::fs::create_dir(&dir).unwrap();
        for (name, bytes) in parts {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
        for (_, path) in segment::list(&self.dir.path().join("ledger")).unwrap() {
            let key = segment::key::beside(&path);
            std::fs::copy(&key, dir.join(key.file_name().unwrap())).unwrap();
        }
        std::fs::write(dir.join(notes::FILE), notes).unwrap();
        verify(&dir, Some(&self.witness))
    }
}

fn verify(dir: &Path, witness: Option<&str>) -> Report {
    let keys = keys();
    let public = PublicKey::new("test.example/ledger", keys.ledger_signing.verifying_key());
    verify_directory(dir, &keys, &public, witness).unwrap()
}

fn small(dice: &mut Dice) -> Settings {
    Settings {
        segment_bytes: 1_500 + dice.below(3_000),
        checkpoint_records: 4 + dice.below(8),
        ..settings()
    }
}

/// One random change of a segment, and the record that must be named for it.
fn tamper_segment(
    sample: &Sample,
    parts: &mut Vec<(PathBuf, Vec<u8>)>,
    dice: &mut Dice,
) -> (&'static str, u64) {
    let at = dice.index(parts.len());
    let part = &sample.parts[at];
    let bytes = &mut parts[at].1;
    let frame = part.frames[dice.index(part.frames.len())];
    let piece = part.bytes[frame.start..frame.end].to_vec();
    match dice.below(7) {
        0 => {
            let offset = dice.index(bytes.len());
            bytes[offset] ^= u8::try_from(1 + dice.below(255)).unwrap();
            ("edit", part.seq_at(offset))
        }
        1 => {
            bytes.drain(frame.start..frame.end);
            ("delete", frame.seq)
        }
        2 => {
            bytes.splice(frame.start..frame.start, piece);
            ("duplicate", frame.next)
        }
        3 => {
            let offset = dice.index(bytes.len());
            bytes.truncate(offset);
            ("truncate", part.seq_at(offset))
        }
        4 => {
            let other_at = dice.index(parts.len());
            let other = &sample.parts[other_at];
            let other_frame = other.frames[dice.index(other.frames.len())];
            if other_frame.seq == frame.seq {
                parts.remove(at);
                return ("delete segment", part.seq);
            }
            let other_piece = other.bytes[other_frame.start..other_frame.end].to_vec();
            let mut changes = [(at, frame, other_piece), (other_at, other_frame, piece)];
            // The later frame first, so that the places in front of it still hold.
            changes.sort_by_key(|change| std::cmp::Reverse((change.0, change.1.start)));
            for (index, place, bytes) in changes {
                parts[index].1.splice(place.start..place.end, bytes);
            }
            ("swap", frame.seq.min(other_frame.seq))
        }
        5 => {
            parts.remove(at);
            ("delete segment", part.seq)
        }
        _ => {
            let other = dice.index(parts.len());
            if other == at {
                parts.remove(at);
                return ("delete segment", part.seq);
            }
            parts[at].1 = sample.parts[other].bytes.clone();
            ("replace segment", part.seq)
        }
    }
}

/// One random change of the checkpoints, and the first record that lost its proof.
fn tamper_notes(sample: &Sample, dice: &mut Dice) -> (&'static str, Vec<u8>, u64) {
    let mut notes = sample.notes.clone();
    let at = dice.index(notes.len());
    let before = if at == 0 { 0 } else { sample.sizes[at - 1] };
    match dice.below(6) {
        0 | 1 => {
            let start: usize = notes[..at].iter().map(String::len).sum();
            let mut bytes = notes.concat().into_bytes();
            let offset = start + dice.index(notes[at].len());
            bytes[offset] ^= u8::try_from(1 + dice.below(255)).unwrap();
            ("edit checkpoint", bytes, before)
        }
        2 => {
            notes.remove(at);
            ("drop checkpoint", notes.concat().into_bytes(), before)
        }
        3 => {
            let start: usize = notes[..at].iter().map(String::len).sum();
            let cut = start + dice.index(notes[at].len());
            (
                "truncate checkpoints",
                notes.concat().into_bytes()[..cut].to_vec(),
                before,
            )
        }
        4 => {
            notes.insert(at, notes[at].clone());
            (
                "double checkpoint",
                notes.concat().into_bytes(),
                sample.sizes[at],
            )
        }
        _ => {
            let other = (at + 1 + dice.index(notes.len() - 1)) % notes.len();
            notes[at] = notes[other].clone();
            ("replace checkpoint", notes.concat().into_bytes(), before)
        }
    }
}

#[test]
fn two_thousand_changes_are_found_and_the_right_record_is_named() {
    let mut dice = Dice::new(11);
    let mut tried = 0;
    for round in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("ledger");
        let count = 30 + dice.below(40);
        let witness = ledger(&home, count, small(&mut dice), &mut dice);
        let sample = sample(&home);
        assert!(sample.parts.len() > 1 && sample.notes.len() > 3 && sample.records == count);
        let bench = Bench { dir, witness };
        let whole: Vec<_> = sample
            .parts
            .iter()
            .map(|p| (p.name.clone(), p.bytes.clone()))
            .collect();
        assert!(
            bench
                .verify(&whole, sample.notes.concat().as_bytes())
                .is_good()
        );
        for turn in 0..100 {
            let mut parts = whole.clone();
            let (what, notes, seq) = if dice.below(4) == 0 {
                tamper_notes(&sample, &mut dice)
            } else {
                let (what, seq) = tamper_segment(&sample, &mut parts, &mut dice);
                (what, sample.notes.concat().into_bytes(), seq)
            };
            let report = bench.verify(&parts, &notes);
            let bad = report
                .first_bad
                .unwrap_or_else(|| panic!("{round}/{turn}: {what} of {seq} not found"));
            assert_eq!(bad.seq, seq, "{round}/{turn}: {what}: {bad:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 2_000);
}

#[test]
fn a_hundred_clean_ledgers_raise_no_alarm() {
    let mut dice = Dice::new(12);
    for _ in 0..100 {
        let dir = tempfile::tempdir().unwrap();
        let count = dice.below(50);
        let witness = ledger(dir.path(), count, small(&mut dice), &mut dice);
        for witness in [None, Some(witness.as_str())] {
            let report = verify(dir.path(), witness);
            assert_eq!(report.first_bad, None);
            assert_eq!(
                (report.records, report.covered, report.torn_bytes),
                (count, count, 0)
            );
        }
    }
}

#[test]
fn a_running_ledger_verifies_at_every_moment() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        segment_bytes: 20_000,
        checkpoint_records: 7,
        ..settings()
    };
    let recorder = recorder(dir.path(), settings);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 0..1_500 {
                recorder.record(&event(n)).wait().unwrap();
            }
        });
        while !writing.is_finished() {
            assert_eq!(verify(dir.path(), None).first_bad, None);
            assert_eq!(newest(dir.path(), None).first_bad, None);
        }
    });
    for report in [verify(dir.path(), None), newest(dir.path(), None)] {
        assert_eq!(report.records, 1_500);
    }
}

#[test]
fn without_a_witness_the_newest_records_can_be_taken_back_and_with_one_they_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let witness = ledger(dir.path(), 20, settings(), &mut Dice::new(13));
    let sample = sample(dir.path());
    let (part, notes) = (&sample.parts[0], dir.path().join(notes::FILE));
    std::fs::write(
        dir.path().join(&part.name),
        &part.bytes[..part.frames[0].start],
    )
    .unwrap();
    std::fs::write(notes, &sample.notes[0]).unwrap();
    assert!(verify(dir.path(), None).is_good());
    let bad = verify(dir.path(), Some(&witness)).first_bad.unwrap();
    assert_eq!((bad.seq, bad.through), (0, 19));
}

#[test]
fn another_sealing_key_or_no_ledger_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        verify(dir.path(), None).first_bad.unwrap().what,
        "the checkpoints are gone"
    );
    ledger(dir.path(), 3, settings(), &mut Dice::new(14));
    let (ours, other) = (keys(), crate::fixture::keys_of(8));
    let public = PublicKey::new("test.example/ledger", ours.ledger_signing.verifying_key());
    let report = verify_directory(dir.path(), &other, &public, None).unwrap();
    assert!(report.first_bad.unwrap().what.contains("seal"));
}

fn newest(dir: &Path, witness: Option<&str>) -> Report {
    let keys = keys();
    let public = PublicKey::new("test.example/ledger", keys.ledger_signing.verifying_key());
    verify_newest(dir, &keys, &public, witness).unwrap()
}

#[test]
fn the_newest_segment_alone_is_verified_to_its_end() {
    let mut dice = Dice::new(15);
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("ledger");
        let count = 30 + dice.below(40);
        let witness = ledger(&home, count, small(&mut dice), &mut dice);
        let sample = sample(&home);
        for witness in [None, Some(witness.as_str())] {
            let report = newest(&home, witness);
            assert_eq!(report.first_bad, None);
            assert_eq!((report.records, report.covered), (count, count));
        }
        let last = sample.parts.last().unwrap();
        let path = home.join(&last.name);
        for _ in 0..20 {
            let mut bytes = last.bytes.clone();
            let offset = dice.index(bytes.len());
            match dice.below(2) {
                0 => bytes[offset] ^= u8::try_from(1 + dice.below(255)).unwrap(),
                _ => bytes.truncate(offset),
            }
            std::fs::write(&path, &bytes).unwrap();
            let bad = newest(&home, None).first_bad.unwrap();
            assert_eq!(bad.seq, last.seq_at(offset), "{bad:?}");
        }
        std::fs::remove_file(&path).unwrap();
        let bad = newest(&home, None).first_bad.unwrap();
        assert_eq!((bad.seq, bad.through), (last.seq, count - 1), "{bad:?}");
    }
}

#[test]
fn missing_checkpoints_and_checkpoints_taken_back_are_noticed_at_the_newest_segment() {
    let dir = tempfile::tempdir().unwrap();
    let gone = newest(dir.path(), None).first_bad.unwrap();
    assert_eq!(gone.what, "the checkpoints are gone");
    let witness = ledger(dir.path(), 20, settings(), &mut Dice::new(16));
    let sample = sample(dir.path());
    std::fs::write(dir.path().join(notes::FILE), &sample.notes[0]).unwrap();
    assert!(newest(dir.path(), None).is_good());
    let bad = newest(dir.path(), Some(&witness)).first_bad.unwrap();
    assert!(bad.what.starts_with("checkpoints were removed"), "{bad:?}");
    std::fs::write(dir.path().join(notes::FILE), "not a note\n").unwrap();
    let bad = newest(dir.path(), None).first_bad.unwrap();
    assert!(bad.what.contains("not signed"), "{bad:?}");
}
