//! An export passed off as one of an older form, in which less is proven, and cut: every way that needs no key.

use proptest::prelude::*;

use super::*;
use crate::export::HeaderLine;
use crate::fixture::{event, now, opening};
use crate::signer::Ends;
use crate::{Recorder, Settings};

/// A ledger with three epochs and checkpoints on the way, and its keys.
fn three_epochs(dir: &Path) -> Vec<PublicKey> {
    let settings = Settings {
        checkpoint_records: 4,
        ..settings()
    };
    let recorder = Recorder::open(opening(dir, settings), now()).unwrap().0;
    let record = |from: u64, to: u64| {
        for n in from..to {
            recorder.record(&event(n)).wait().unwrap();
        }
    };
    let rotate = || recorder.rotate_signer(event(0), Ends::Routine).unwrap();
    record(0, 11);
    let first = rotate();
    record(11, 23);
    let second = rotate();
    record(23, 40);
    recorder.stop().unwrap();
    vec![first.from, first.to, second.to]
}

/// What somebody without a key does to an export.
#[derive(Clone, Debug)]
struct Change {
    /// The form that the first line claims.
    form: u64,
    /// So many records are cut off in front.
    front: usize,
    /// What stands behind this checkpoint is cut off.
    checkpoint: prop::sample::Index,
    /// The checkpoints on the way are taken out.
    is_bare: bool,
    /// The key of this epoch is named as the first one.
    epoch: usize,
    /// So many changes of the signer are kept, counted from that key on.
    changes: usize,
}

fn change() -> impl Strategy<Value = Change> {
    let sizes = (1..=5_u64, 0..12_usize, any::<prop::sample::Index>());
    let rest = (any::<bool>(), 0..3_usize, 0..3_usize);
    (sizes, rest).prop_map(
        |((form, front, checkpoint), (is_bare, epoch, changes))| Change {
            form,
            front,
            checkpoint,
            is_bare,
            epoch,
            changes,
        },
    )
}

/// The export with the change, its hashes in order.
fn changed(text: &str, change: &Change, keys: &[PublicKey]) -> String {
    let mut lines = text.lines();
    let mut header: HeaderLine = serde_json::from_str(lines.next().unwrap()).unwrap();
    let lines: Vec<&str> = lines.collect();
    let is_checkpoint = |line: &str| line.starts_with(r#"{"checkpoint":"#);
    let ends: Vec<usize> = (0..lines.len())
        .filter(|at| is_checkpoint(lines[*at]))
        .collect();
    let end = ends[change.checkpoint.index(ends.len())];
    let mut tip = header.start().unwrap();
    let mut kept = Vec::new();
    let (mut front, last) = (change.front, lines[end]);
    for line in &lines[..end] {
        match parse_record(line) {
            Some((_, leaf, ..)) if front > 0 => {
                tip.push(leaf);
                front -= 1;
            }
            Some(_) => kept.push(*line),
            None if front == 0 && !change.is_bare => kept.push(line),
            None => {}
        }
    }
    header.format = format!("portcullis-ledger/{}", change.form);
    header.first_seq = tip.next_seq();
    header.previous = crypto::text::base64(&tip.chain);
    header.tree = tip
        .tree
        .parts()
        .iter()
        .map(|part| crypto::text::base64(part))
        .collect();
    header.public_key = keys[change.epoch].to_string();
    header.signers.drain(..change.epoch);
    header.signers.truncate(change.changes);
    kept.push(last);
    let header = serde_json::to_string(&header).unwrap();
    format!("{header}\n{}\n", kept.join("\n"))
}

/// Whether it verifies with none of the keys pinned, or with any of them.
fn is_taken(path: &Path, text: &str, keys: &[PublicKey]) -> bool {
    std::fs::write(path, text).unwrap();
    let mut pins = std::iter::once(None).chain(keys.iter().map(Some));
    pins.any(|pin| {
        let report = verify_export(path, pin).unwrap();
        report.is_good() && !report.has_open_ends
    })
}

/// First line and records: the checkpoints on the way may be left out without a loss, what closes the file proves all.
fn said(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .filter(|line| !line.starts_with(r#"{"checkpoint":"#))
        .collect()
}

#[test]
fn no_export_passes_for_one_of_another_form_or_of_another_range() {
    let dir = tempfile::tempdir().unwrap();
    let keys = three_epochs(dir.path());
    let ledger = Ledger::open_read(dir.path(), crate::fixture::keys()).unwrap();
    let file = dir.path().join("export.jsonl");
    let exports: Vec<String> = [(0, 10), (3, 41), (14, 22), (25, 41)]
        .map(|(first, last)| {
            let mut out = Vec::new();
            export(&ledger, first..=last, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        })
        .into();
    let strategy = (prop::sample::select(exports), change());
    proptest!(ProptestConfig::with_cases(600), |((text, change) in strategy)| {
        let other = changed(&text, &change, &keys);
        prop_assert_eq!(is_taken(&file, &other, &keys), said(&other) == said(&text), "{:?}", change);
        // What is signed today is not even half believed in the first form.
        let report = verified(&file, other.as_bytes());
        prop_assert!(change.form != 1 || !report.is_good(), "{:?}: {:?}", change, report);
    });
}

#[test]
fn what_an_older_form_does_not_prove_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/written-before");
    let file = dir.path().join("export.jsonl");
    let whole = std::fs::read_to_string(place.join("1/whole.jsonl")).unwrap();
    let report = verified(&file, whole.as_bytes());
    assert!(report.is_good() && report.has_open_ends, "{report:?}");
    // Forms 2 and 3 were signed without a word about their form: cut and passed off as form 1 they are believed as far as
    // form 1 goes, and no further.
    for form in ["2", "3"] {
        let text = std::fs::read_to_string(place.join(form).join("whole.jsonl")).unwrap();
        assert!(is_taken(&file, &text, &[]));
        let header: HeaderLine = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let key = PublicKey::parse(&header.public_key).unwrap();
        proptest!(|(mut change in change())| {
            (change.epoch, change.changes) = (0, header.signers.len());
            let other = changed(&text, &change, std::slice::from_ref(&key));
            let is_same = said(&other) == said(&text);
            // A checkpoint on the way that covers everything closes no file of these forms, although nothing is missing.
            let is_taken = is_taken(&file, &other, std::slice::from_ref(&key));
            prop_assert!(is_same || !is_taken, "{:?}", change);
        });
    }
}
