//! Files of the signers that are lost or damaged, while the ledger is closed and while it is written to.

use super::*;
use crate::notes;

/// What happens to a file.
type Harm = (&'static str, fn(&Path));

const HARMS: [Harm; 5] = [
    ("away", |path| fs::remove_file(path).unwrap()),
    ("empty", |path| fs::write(path, "").unwrap()),
    ("half", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("changed", |path| {
        let mut bytes = fs::read(path).unwrap();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(path, bytes).unwrap();
    }),
    ("a directory", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
];

#[test]
fn a_lost_key_is_told_by_every_verification_as_the_start_tells_it() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_epochs(dir.path(), Ends::Routine);
    let path = key::path(dir.path(), 2);
    let good = fs::read(&path).unwrap();
    for (harm, done) in HARMS {
        done(&path);
        let refused = Recorder::open(opening(dir.path(), small()), now())
            .err()
            .unwrap();
        let newest = verify_newest(dir.path(), &keys(), &all[0], None).unwrap();
        for report in [verified(dir.path(), &all[0]), newest] {
            let bad = report.first_bad.expect(harm);
            assert_eq!(bad.file, "signer-2.key", "{harm}");
            assert_eq!(bad.what, refused.to_string(), "{harm}");
            assert_eq!((bad.seq, report.records), (RECORDS, RECORDS), "{harm}");
        }
        assert!(refused.is_integrity() && refused.to_string().contains("bring this file back"));
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(verified(dir.path(), &all[0]).is_good());
    open(dir.path()).stop().unwrap();
}

#[test]
fn whatever_happens_to_the_signers_while_it_runs_the_next_change_verifies_and_so_does_a_start() {
    for is_changed_again in [true, false] {
        for (harm, done) in HARMS.into_iter().filter(|(harm, _)| *harm != "a directory") {
            let dir = tempfile::tempdir().unwrap();
            let recorder = open(dir.path());
            record(&recorder, 0..5);
            rotate(&recorder, Ends::Routine);
            record(&recorder, 5..8);
            done(&dir.path().join(file::NAME));
            if is_changed_again {
                rotate(&recorder, Ends::Compromised);
                record(&recorder, 8..9);
                recorder.checkpoint().unwrap();
                assert!(verified(dir.path(), &first_key()).is_good(), "{harm}");
            }
            recorder.stop().unwrap();
            assert!(verified(dir.path(), &first_key()).is_good(), "{harm}");
            open(dir.path()).stop().unwrap();
        }
    }
}

#[test]
fn a_change_that_would_not_verify_is_not_reported_as_done() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(dir.path());
    record(&recorder, 0..5);
    let path = dir.path().join(file::NAME);
    fs::create_dir(&path).unwrap();
    assert!(recorder.rotate_signer(reason(), Ends::Routine).is_err());
    drop(recorder);
    fs::remove_dir(&path).unwrap();
    let report = verified(dir.path(), &first_key());
    assert!(report.is_good() && report.signers.len() == 1, "{report:?}");
    let recorder = open(dir.path());
    rotate(&recorder, Ends::Routine);
    recorder.stop().unwrap();
    assert!(verified(dir.path(), &first_key()).is_good());
}

#[test]
fn nothing_is_answered_for_a_file_that_was_taken_away_or_replaced() {
    let taken: [Harm; 2] = [
        ("away", |path| fs::remove_file(path).unwrap()),
        ("replaced", |path| {
            let copy = path.with_extension("copy");
            fs::copy(path, &copy).unwrap();
            fs::rename(&copy, path).unwrap();
        }),
    ];
    for (harm, done) in taken {
        for name in [notes::FILE, "00000000000000000000.seg"] {
            let dir = tempfile::tempdir().unwrap();
            let settings = Settings {
                checkpoint_records: 1_000,
                ..settings()
            };
            let recorder = Recorder::open(opening(dir.path(), settings), now())
                .unwrap()
                .0;
            record(&recorder, 0..5);
            done(&dir.path().join(name));
            let fault = recorder.checkpoint().unwrap_err();
            assert!(
                matches!(fault, LedgerFault::Displaced { .. }),
                "{harm} {name}: {fault}"
            );
            let refused = recorder.record(&event(6)).wait().unwrap_err();
            assert_eq!(refused, fault, "{harm} {name}");
        }
    }
}
