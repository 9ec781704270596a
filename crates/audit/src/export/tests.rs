use super::*;
use crate::fixture::{Dice, event, keys, ledger, recorder, settings};
use crate::{Settings, verify_export};

#[test]
fn an_export_holds_the_exact_bytes_that_were_recorded() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 9, settings(), &mut Dice::new(31));
    let reader = Ledger::open_read(dir.path(), keys()).unwrap();
    let mut out = Vec::new();
    let exported = export(&reader, 2..=u64::MAX, &mut out).unwrap();
    assert_eq!(
        (
            exported.records,
            exported.first_seq,
            exported.checkpoint.checkpoint.size
        ),
        (7, 2, 9)
    );
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (seq, line) in (2..9).zip(&lines[1..8]) {
        let (found, leaf, _, json) = parse_record(line).unwrap();
        let mut written = Vec::new();
        event(seq).write(&mut written);
        assert_eq!((found, json.as_bytes()), (seq, written.as_slice()));
        assert_eq!(leaf, leaf_hash(json.as_bytes()));
    }
    // The checkpoint that the ledger signed at its stop, and the one that closes the export.
    assert_eq!(lines.len(), 10);
    assert!(lines[8].contains("after 0") && !lines[8].contains("closes"));
    assert!(lines[9].contains("closes 2"));
}

#[test]
fn an_empty_range_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 3, settings(), &mut Dice::new(32));
    let reader = Ledger::open_read(dir.path(), keys()).unwrap();
    let fault = export(&reader, 3..=9, &mut Vec::new()).unwrap_err();
    assert!(matches!(fault, LedgerFault::Unusable { .. }));
}

#[test]
fn nothing_is_signed_that_contradicts_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 20, settings(), &mut Dice::new(33));
    let reader = Ledger::open_read(dir.path(), keys()).unwrap();
    let (_, newest) = segment::list(dir.path()).unwrap().pop().unwrap();
    let bytes = std::fs::read(&newest).unwrap();
    let mut scanner = reader.scanner(&newest).unwrap();
    scanner.skip().unwrap().unwrap();
    std::fs::write(
        &newest,
        &bytes[..usize::try_from(scanner.offset()).unwrap()],
    )
    .unwrap();
    let fault = export(&reader, 0..=u64::MAX, &mut Vec::new()).unwrap_err();
    assert!(fault.is_integrity(), "{fault}");

    let notes = dir.path().join(notes::FILE);
    let text = std::fs::read_to_string(&notes).unwrap();
    std::fs::write(&notes, text.replacen("after 0", "after 1", 1)).unwrap();
    assert!(
        export(&reader, 0..=u64::MAX, &mut Vec::new())
            .unwrap_err()
            .is_integrity()
    );
}

#[test]
fn exports_of_a_running_ledger_verify() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        checkpoint_records: 3,
        segment_bytes: 10_000,
        ..settings()
    };
    let recorder = recorder(dir.path(), settings);
    recorder.record(&event(0)).wait().unwrap();
    let file = dir.path().join("export.jsonl");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 1..600 {
                recorder.record(&event(n)).wait().unwrap();
            }
        });
        while !writing.is_finished() {
            let mut out = Vec::new();
            export(recorder.ledger(), 0..=u64::MAX, &mut out).unwrap();
            std::fs::write(&file, &out).unwrap();
            let report = verify_export(&file, Some(recorder.ledger().first_key())).unwrap();
            assert_eq!(report.first_bad, None);
        }
    });
}

#[test]
fn an_export_that_was_cut_behind_a_checkpoint_on_the_way_is_not_whole_and_is_proven_up_to_there() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        checkpoint_records: 4,
        ..settings()
    };
    ledger(dir.path(), 30, settings, &mut Dice::new(34));
    let reader = Ledger::open_read(dir.path(), keys()).unwrap();
    let mut out = Vec::new();
    export(&reader, 0..=u64::MAX, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let file = dir.path().join("export.jsonl");
    let verified = |lines: &[&str]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&file, text).unwrap();
        verify_export(&file, Some(reader.first_key())).unwrap()
    };
    let lines: Vec<&str> = text.lines().collect();
    let whole = verified(&lines);
    assert!(whole.is_good() && whole.checkpoints > 3, "{whole:?}");
    let inner: Vec<usize> = (0..lines.len() - 1)
        .filter(|at| lines[*at].starts_with("{\"checkpoint\""))
        .collect();
    for at in &inner {
        let report = verified(&lines[..=*at]);
        assert!(report.is_cut && !report.is_good(), "{report:?}");
        assert_eq!(report.covered, report.records);
    }
    // What closes another export closes this one no more than a checkpoint of the ledger does.
    let mut part = Vec::new();
    export(&reader, 2..=u64::MAX, &mut part).unwrap();
    let part = String::from_utf8(part).unwrap();
    let mut changed = lines.clone();
    *changed.last_mut().unwrap() = part.lines().last().unwrap();
    let bad = verified(&changed).first_bad.unwrap();
    assert_eq!(bad.what, "the checkpoint closes another export");
    // One that is taken out, doubled, or followed by more is found.
    let without = [&lines[..inner[1]], &lines[inner[1] + 1..]].concat();
    let doubled = [&lines[..=inner[1]], &lines[inner[1]..]].concat();
    let followed = [&lines[..], &lines[1..2]].concat();
    for (lines, what) in [
        (without, "a checkpoint in front of this one was removed"),
        (doubled, "two checkpoints speak of the same record"),
        (followed, "something follows the closing checkpoint"),
    ] {
        assert_eq!(verified(&lines).first_bad.unwrap().what, what);
    }
}
