use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use super::*;
use crate::fixture::{Dice, event, keys_of, ledger, now, opening, recorder, settings};
use crate::{Ledger, Recorder, Settings};

/// How long a busy machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

fn reopen(dir: &Path) -> Result<(Recorder, Option<Recovered>), LedgerFault> {
    Recorder::open(opening(dir, settings()), now())
}

fn seqs(dir: &Path) -> Vec<(u64, Event)> {
    let ledger = Ledger::open_read(dir, crate::fixture::keys()).unwrap();
    let entries = ledger.from_seq(0).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.seq, entry.event().unwrap()))
        .collect()
}

/// A ledger whose last checkpoint covers 3 of its 8 records, as after a crash. Gives the segment's bytes.
fn crashed(dir: &Path) -> (PathBuf, Vec<u8>, Vec<u8>) {
    let recorder = recorder(dir, settings());
    for n in 0..3 {
        recorder.record(&event(n)).wait().unwrap();
    }
    recorder.checkpoint().unwrap();
    let checkpoints = std::fs::read(dir.join(notes::FILE)).unwrap();
    for n in 3..8 {
        recorder.record(&event(n)).wait().unwrap();
    }
    recorder.stop().unwrap();
    drop(recorder);
    std::fs::write(dir.join(notes::FILE), &checkpoints).unwrap();
    let path = dir.join(segment::file_name(0));
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes, checkpoints)
}

#[test]
fn a_tail_cut_at_every_byte_recovers_to_the_last_whole_frame_or_is_refused_behind_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let (path, bytes, checkpoints) = crashed(dir.path());
    let ledger = Ledger::open_read(dir.path(), crate::fixture::keys()).unwrap();
    let mut ends = Vec::new();
    let mut scanner = ledger.scanner(&path).unwrap();
    ends.push(scanner.offset());
    while scanner.skip().unwrap().is_some() {
        ends.push(scanner.offset());
    }
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        std::fs::write(dir.path().join(notes::FILE), &checkpoints).unwrap();
        let whole = ends.iter().rposition(|end| *end <= cut as u64);
        let opened = reopen(dir.path());
        let Some(whole) = whole.filter(|whole| *whole >= 3) else {
            let fault = opened.err().unwrap();
            assert!(fault.is_integrity(), "{cut}: {fault}");
            assert_eq!(
                std::fs::read(&path).unwrap().len(),
                cut,
                "nothing is cut behind a checkpoint"
            );
            continue;
        };
        let (recorder, recovered) = opened.unwrap();
        let torn = cut as u64 - ends[whole];
        assert_eq!(recovered.as_ref().map_or(0, |r| r.bytes), torn, "{cut}");
        drop(recorder);
        let found = seqs(dir.path());
        assert!(
            found
                .iter()
                .take(whole)
                .all(|(seq, found)| *found == event(*seq)),
            "{cut}"
        );
        assert_eq!(found.len(), whole + usize::from(torn > 0), "{cut}");
        if let Some(recovered) = recovered {
            assert!(found[whole].1.kind == Kind::LedgerRecovered);
            let kept = recovered.kept.unwrap();
            assert_eq!(
                std::fs::read(&kept).unwrap(),
                bytes[usize::try_from(ends[whole]).unwrap()..cut]
            );
        }
    }
}

#[test]
fn every_flipped_byte_behind_the_last_checkpoint_is_cut_and_in_front_of_it_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (path, bytes, checkpoints) = crashed(dir.path());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        std::fs::write(&path, &changed).unwrap();
        std::fs::write(dir.path().join(notes::FILE), &checkpoints).unwrap();
        match reopen(dir.path()) {
            Err(fault) => assert!(fault.is_integrity(), "{at}: {fault}"),
            Ok((recorder, recovered)) => {
                let records = recovered.unwrap().records;
                assert!((3..8).contains(&records), "{at}");
                drop(recorder);
                let found = seqs(dir.path());
                assert!(
                    found
                        .iter()
                        .take(usize::try_from(records).unwrap())
                        .all(|(seq, e)| *e == event(*seq))
                );
            }
        }
    }
}

#[test]
fn a_torn_checkpoint_is_cut_and_recording_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 5, settings(), &mut Dice::new(21));
    let file = dir.path().join(notes::FILE);
    let whole = std::fs::read(&file).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let last = text.rfind("test.example/ledger\n5\n").unwrap();
    for cut in last + 1..whole.len() {
        std::fs::write(&file, &whole[..cut]).unwrap();
        let (recorder, recovered) = reopen(dir.path()).unwrap();
        assert_eq!((recovered, recorder.status().records), (None, 5));
        drop(recorder);
        assert_eq!(
            std::fs::read(&file).unwrap(),
            whole,
            "the same checkpoint is signed again"
        );
    }
}

#[test]
fn missing_changed_or_rolled_back_files_are_an_integrity_fault() {
    let dir = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 1_000,
        ..settings()
    };
    let witness = ledger(dir.path(), 20, small, &mut Dice::new(22));
    let segments = segment::list(dir.path()).unwrap();
    let (checkpoints, newest) = (dir.path().join(notes::FILE), &segments.last().unwrap().1);
    let (notes_then, newest_then) = (
        std::fs::read(&checkpoints).unwrap(),
        std::fs::read(newest).unwrap(),
    );
    let refused = |witness: Option<&str>| {
        let opening = Opening {
            witness: witness.map(str::to_owned),
            ..opening(dir.path(), settings())
        };
        Recorder::open(opening, now())
            .err()
            .is_some_and(|fault| fault.is_integrity())
    };
    assert!(!refused(Some(&witness)));

    std::fs::remove_file(&checkpoints).unwrap();
    assert!(refused(None), "checkpoints gone");
    let mut changed = notes_then.clone();
    let at = changed.len() - 10;
    // Still base64: what is no signature at all would be an unfinished write.
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    std::fs::write(&checkpoints, &changed).unwrap();
    assert!(refused(None), "signature changed");
    let first_note = String::from_utf8(notes_then.clone())
        .unwrap()
        .find("=\ntest.example")
        .unwrap()
        + 2;
    std::fs::write(&checkpoints, &notes_then[..first_note]).unwrap();
    assert!(
        refused(None),
        "checkpoints rolled back behind the newest segment"
    );
    std::fs::write(&checkpoints, &notes_then).unwrap();

    std::fs::remove_file(newest).unwrap();
    assert!(refused(None), "newest segment gone");
    std::fs::write(newest, &newest_then).unwrap();
    let other = segments.first().unwrap();
    std::fs::copy(&other.1, newest).unwrap();
    assert!(refused(None), "a segment under another's name");
    std::fs::write(newest, &newest_then).unwrap();
    assert!(!refused(Some(&witness)));
    assert!(
        refused(Some(&witness.replace("20", "21"))),
        "a forged witness"
    );

    segments
        .iter()
        .for_each(|(_, path)| std::fs::remove_file(path).unwrap());
    assert!(refused(None), "all segments gone");
    std::fs::remove_file(&checkpoints).unwrap();
    assert!(
        refused(Some(&witness)),
        "everything gone, but the database remembers"
    );
    assert!(!checkpoints.exists(), "nothing was begun");
    assert!(!refused(None));
}

#[test]
fn wrong_keys_second_writers_and_bad_names_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path(), 3, settings(), &mut Dice::new(23));
    let wrong = Opening::new(dir.path(), settings(), keys_of(9));
    assert!(matches!(
        Recorder::open(wrong, now()),
        Err(LedgerFault::WrongKey { .. })
    ));
    assert!(matches!(
        Ledger::open_read(dir.path(), keys_of(9)),
        Err(LedgerFault::WrongKey { .. })
    ));
    let first = recorder(dir.path(), settings());
    assert!(matches!(
        reopen(dir.path()),
        Err(LedgerFault::Locked { .. })
    ));
    drop(first);
    assert!(reopen(dir.path()).is_ok());
    let unnamed = opening(dir.path(), Settings::new("two words"));
    assert!(matches!(
        Recorder::open(unnamed, now()),
        Err(LedgerFault::Unusable { .. })
    ));
}

/// The child of the next test: records as fast as it can and prints each acknowledged number.
#[test]
#[ignore = "started by the next test"]
fn child_under_load() {
    let Ok(dir) = std::env::var("PORTCULLIS_TEST_LEDGER") else {
        return;
    };
    let small = Settings {
        segment_bytes: 100_000,
        checkpoint_records: 50,
        ..settings()
    };
    let recorder = recorder(Path::new(&dir), small);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let recorder = &recorder;
            scope.spawn(move || {
                for n in (thread << 32).. {
                    let seq = recorder.record(&event(n)).wait().unwrap();
                    println!("\nack {seq} {n}");
                }
            });
        }
    });
}

/// Starts the child and kills it once it has printed so many acknowledgements. Gives all that it printed.
fn killed_after(dir: &Path, acknowledgements: u64) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "recovery::tests::child_under_load",
            "--ignored",
            "--nocapture",
        ])
        .env("PORTCULLIS_TEST_LEDGER", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, printed) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        for line in lines.filter(|line| line.starts_with("ack ")) {
            sender.send(line).unwrap();
        }
    });
    let mut lines = Vec::new();
    for count in 0..acknowledgements {
        match printed.recv_timeout(PATIENCE) {
            Ok(line) => lines.push(line),
            Err(why) => give_up(child, &format!("{count} of {acknowledgements}: {why}")),
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap();
    lines.extend(printed.try_iter());
    lines
}

fn give_up(mut child: Child, why: &str) -> ! {
    drop(child.kill());
    panic!("the child does not record: {why}");
}

#[test]
fn a_hundred_kills_under_load_lose_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(24);
    let (mut acknowledged, mut slowest, mut torn) = (0, Duration::ZERO, 0);
    for round in 0..100 {
        let lines = killed_after(dir.path(), 1 + dice.below(60));
        let start = Instant::now();
        let (recorder, recovered) =
            reopen(dir.path()).unwrap_or_else(|fault| panic!("{round}: {fault}"));
        slowest = slowest.max(start.elapsed());
        torn += u32::from(recovered.is_some());
        for line in &lines {
            // The last line may be cut in the pipe.
            let numbers: Vec<u64> = line
                .split(' ')
                .skip(1)
                .map_while(|n| n.parse().ok())
                .collect();
            let [seq, n] = numbers[..] else { continue };
            let is_last = Some(line) == lines.last();
            let found = recorder
                .ledger()
                .get(seq)
                .unwrap()
                .and_then(|entry| entry.event().ok());
            // The moments of these events go back and forth, which the ledger notes.
            let found = found.map(|event| Event {
                latest: None,
                ..event
            });
            assert!(
                found == Some(event(n)) || is_last,
                "{round}: {line} is lost"
            );
            acknowledged += 1;
        }
        drop(recorder);
    }
    let public = PublicKey::new(
        "test.example/ledger",
        crate::fixture::keys().ledger_signing.verifying_key(),
    );
    let report =
        crate::verify_directory(dir.path(), &crate::fixture::keys(), &public, None).unwrap();
    assert_eq!(report.first_bad, None);
    println!("{acknowledged} acknowledged, {torn} torn tails, slowest start {slowest:?}");
    assert!(acknowledged >= 100, "each child was killed behind one");
}

/// The bytes of every file.
fn files(dir: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let all = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    all.map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// What may become of a file.
fn damaged(bytes: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let place = dice.index(bytes.len().max(1));
    match dice.below(5) {
        0 => return None,
        1 => bytes.truncate(place),
        2 => bytes.extend_from_slice(b"more"),
        3 if !bytes.is_empty() => bytes[place] ^= 1,
        _ => bytes.fill(0),
    }
    Some(bytes)
}

#[test]
fn a_rehearsal_ends_as_a_start_does_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let small = || Settings {
        segment_bytes: 2_500,
        ..settings()
    };
    let mut dice = Dice::new(57);
    ledger(dir.path(), 40, small(), &mut dice);
    let recorder = recorder(dir.path(), small());
    let signed = Event {
        kind: Kind::LedgerSigner.into(),
        ..event(1)
    };
    recorder
        .rotate_signer(signed, crate::Ends::Routine)
        .unwrap();
    let person = Event {
        integration: Some("crm".into()),
        user: Some("ann".into()),
        ..event(2)
    };
    recorder.record(&person).wait().unwrap();
    recorder.stop().unwrap();
    drop(recorder);
    let whole = files(dir.path());
    let (mut good, mut bad) = (0, 0);
    for round in 0..160 {
        let copy = tempfile::tempdir().unwrap();
        let names: Vec<&PathBuf> = whole.keys().collect();
        let hit = names[dice.index(names.len())];
        for (path, bytes) in &whole {
            let bytes = if path == hit {
                damaged(bytes, &mut dice)
            } else {
                Some(bytes.clone())
            };
            let to = copy.path().join(path.file_name().unwrap());
            bytes
                .iter()
                .for_each(|bytes| std::fs::write(&to, bytes).unwrap());
        }
        let before = files(copy.path());
        let rehearsed = rehearse(&opening(copy.path(), small()));
        assert_eq!(files(copy.path()), before, "round {round}");
        let opened = Recorder::open(opening(copy.path(), small()), now()).map(drop);
        assert_eq!(rehearsed, opened, "round {round}, {}", hit.display());
        if opened.is_ok() { good += 1 } else { bad += 1 }
    }
    assert!(good > 20 && bad > 20, "{good} and {bad}");
}
