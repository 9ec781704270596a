mod downgrade;
mod hashed_again;

use std::path::PathBuf;

use super::*;
use crate::fixture::{Dice, keys, ledger, settings};
use crate::{Ledger, export};

/// An exported range, with where its lines begin.
struct Sample {
    bytes: Vec<u8>,
    /// Start of each line, and the end of the file.
    starts: Vec<usize>,
    first: u64,
    next: u64,
}

impl Sample {
    fn of(ledger: &Ledger, first: u64, last: u64) -> Sample {
        let mut bytes = Vec::new();
        let exported = export(ledger, first..=last, &mut bytes).unwrap();
        assert_eq!(exported.records, last - first + 1);
        let mut starts = vec![0];
        starts.extend(
            bytes
                .iter()
                .enumerate()
                .filter(|(_, b)| **b == b'\n')
                .map(|(i, _)| i + 1),
        );
        Sample {
            bytes,
            starts,
            first,
            next: last + 1,
        }
    }

    fn line(&self, index: usize) -> Vec<u8> {
        self.bytes[self.starts[index]..self.starts[index + 1]].to_vec()
    }

    fn lines(&self) -> Vec<Vec<u8>> {
        (0..self.starts.len() - 1)
            .map(|index| self.line(index))
            .collect()
    }

    /// The record named when the line holding this byte is wrong: the closing line stands for the one after the last.
    fn seq_at(&self, offset: usize) -> u64 {
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        (self.first + line as u64)
            .saturating_sub(1)
            .clamp(self.first, self.next)
    }

    fn records(&self) -> usize {
        usize::try_from(self.next - self.first).unwrap()
    }
}

fn verified(path: &PathBuf, bytes: &[u8]) -> Report {
    std::fs::write(path, bytes).unwrap();
    verify_export(path, None).unwrap()
}

/// One random change, and the record that must be named for it.
fn tamper(sample: &Sample, older: &Sample, dice: &mut Dice) -> (&'static str, Vec<u8>, u64) {
    let mut lines = sample.lines();
    let (closing, records) = (lines.len() - 1, sample.records());
    let pick = 1 + dice.index(records);
    let seq = sample.first + pick as u64 - 1;
    match dice.below(8) {
        0 | 1 => {
            let (mut bytes, at) = (sample.bytes.clone(), dice.index(sample.bytes.len()));
            bytes[at] ^= u8::try_from(1 + dice.below(255)).unwrap();
            ("edit", bytes, sample.seq_at(at))
        }
        2 => {
            lines.remove(pick);
            ("delete", lines.concat(), seq)
        }
        3 => {
            let other = 1 + dice.index(records - 1);
            let other = if other >= pick { other + 1 } else { other };
            lines.swap(pick, other);
            (
                "swap",
                lines.concat(),
                sample.first + pick.min(other) as u64 - 1,
            )
        }
        4 => {
            let at = dice.index(sample.bytes.len());
            let named = if at < sample.starts[1] {
                0
            } else {
                sample.seq_at(at)
            };
            ("truncate", sample.bytes[..at].to_vec(), named)
        }
        5 => {
            lines.insert(pick, lines[pick].clone());
            ("duplicate", lines.concat(), seq + 1)
        }
        6 => {
            lines.remove(closing);
            ("drop checkpoint", lines.concat(), sample.next)
        }
        _ => {
            lines[closing] = older.lines().pop().unwrap();
            ("older checkpoint", lines.concat(), older.next)
        }
    }
}

#[test]
fn two_thousand_changes_are_found_and_the_right_record_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("export.jsonl");
    let mut dice = Dice::new(1);
    let mut tried = 0;
    for round in 0..10 {
        let home = dir.path().join(format!("{round}"));
        let count = 20 + dice.below(30);
        ledger(&home, count, settings(), &mut dice);
        let ledger = Ledger::open_read(&home, keys()).unwrap();
        let first = if round % 2 == 0 { 0 } else { dice.below(10) };
        let last = if round % 3 == 0 {
            count - 1
        } else {
            count - 1 - dice.below(5)
        };
        let whole = Sample::of(&ledger, first, last);
        let older = Sample::of(&ledger, first, last - 2 - dice.below(3));
        assert!(verified(&file, &whole.bytes).is_good());
        for turn in 0..200 {
            let (what, bytes, seq) = tamper(&whole, &older, &mut dice);
            let report = verified(&file, &bytes);
            let bad = report
                .first_bad
                .unwrap_or_else(|| panic!("{round}/{turn}: {what} not found"));
            let is_right = (bad.seq..=bad.through).contains(&seq);
            assert!(is_right, "{round}/{turn}: {what} at {seq}, named {bad:?}");
            // Only the first line leaves room for doubt about the very first record.
            assert!(
                bad.seq == seq || bad.seq <= first || what == "older checkpoint",
                "{what}: {bad:?}"
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 2_000);
}

#[test]
fn a_hundred_clean_exports_raise_no_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("export.jsonl");
    let mut dice = Dice::new(2);
    for round in 0..10 {
        let home = dir.path().join(format!("{round}"));
        let count = 1 + dice.below(60);
        ledger(&home, count, settings(), &mut dice);
        let ledger = Ledger::open_read(&home, keys()).unwrap();
        for _ in 0..10 {
            let first = dice.below(count);
            let last = first + dice.below(count - first);
            let report = verified(&file, &Sample::of(&ledger, first, last).bytes);
            assert_eq!(report.first_bad, None);
            assert_eq!(
                (report.first_seq, report.last_seq(), report.covered),
                (first, Some(last), last + 1)
            );
        }
    }
}

#[test]
fn a_forged_history_is_found_by_the_signature_and_a_foreign_key_by_the_pin() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("export.jsonl");
    ledger(&dir.path().join("l"), 12, settings(), &mut Dice::new(3));
    let ledger = Ledger::open_read(&dir.path().join("l"), keys()).unwrap();
    let sample = Sample::of(&ledger, 0, 11);

    // Record 5 rewritten, and every hash after it recomputed.
    let (mut lines, mut chain) = (sample.lines(), crate::GENESIS);
    for (index, line) in lines.iter_mut().enumerate().skip(1).take(12) {
        let text = String::from_utf8(line.clone()).unwrap();
        let (seq, _, _, json) = parse_record(text.trim_end()).unwrap();
        let json = if index == 6 {
            json.replace("allow", "refuse").replace("refuse", "allow")
        } else {
            json.to_owned()
        };
        let leaf = leaf_hash(json.as_bytes());
        chain = chain_hash(&chain, &leaf);
        let (leaf, chain) = (crypto::text::base64(&leaf), crypto::text::base64(&chain));
        *line = format!(
            "{{\"seq\":{seq},\"leaf\":\"{leaf}\",\"chain\":\"{chain}\",\"event\":{json}}}\n"
        )
        .into_bytes();
    }
    let bad = verified(&file, &lines.concat()).first_bad.unwrap();
    assert!(
        (bad.seq..=bad.through).contains(&5) && bad.what.contains("not those that were signed")
    );

    std::fs::write(&file, &sample.bytes).unwrap();
    assert!(
        verify_export(&file, Some(ledger.first_key()))
            .unwrap()
            .is_good()
    );
    let other = PublicKey::new(
        "test.example/ledger",
        crypto::SigningKey::generate().verifying_key(),
    );
    let report = verify_export(&file, Some(&other)).unwrap();
    assert!(report.first_bad.unwrap().what.contains("another key"));
}

#[test]
fn hostile_files_end_in_a_report() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hostile");
    let huge = vec![b'x'; LINE_BYTES_MAX * 3];
    let deep = [b"[".repeat(200_000), b"\n".to_vec()].concat();
    for bytes in [
        b"".as_slice(),
        b"\n",
        b"{}\n",
        b"\xff\xfe\n",
        b"null",
        &huge,
        &deep,
    ] {
        assert!(!verified(&file, bytes).is_good());
    }
    assert!(verify_export(&dir.path().join("absent"), None).is_err());
}
