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
    assert_eq!(lines.len(), 9);
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
            let report = verify_export(&file, Some(recorder.ledger().public_key())).unwrap();
            assert_eq!(report.first_bad, None);
        }
    });
}
