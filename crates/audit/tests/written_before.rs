//! Ledgers and exports of earlier forms are read and verified for ever. The files were written by the version of their day.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::{
    Ends, Ledger, LedgerFault, Opening, PublicKey, Recorder, Report, Settings, export,
    verify_directory, verify_export,
};
use model::{Event, Timestamp};

/// Records in the ledger of each form.
const RECORDS: u64 = 60;
/// Every form that was ever written, by the number of its directory: 4 has records about persons in exports of form 2, 5 has records
/// about objects that are persons in exports of form 4.
const FORMS: [&str; 5] = ["1", "2", "3", "4", "5"];

fn place(form: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/written-before")
        .join(form)
        .join(name)
}

/// The keys it was written with.
fn keys() -> Arc<crypto::Keys> {
    let root = crypto::Root::from_secret(crypto::Secret::new([7; 32]));
    let kek = crypto::Kek::from_secret(crypto::Secret::new([1; 32]));
    Arc::new(crypto::Keys::new(&root, &kek))
}

fn public(keys: &crypto::Keys) -> PublicKey {
    PublicKey::new("test.example/ledger", keys.ledger_signing.verifying_key())
}

/// A copy that may be written.
fn copy(form: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(place(form, "ledger")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

/// The exact bytes of each record, as an export of the day has them.
fn records(export: &str) -> Vec<String> {
    let events = export.lines().filter_map(|line| {
        let (_, event) = line.split_once(r#","event":"#)?;
        Some(event.strip_suffix('}')?.to_owned())
    });
    events.collect()
}

/// The ledger's directory, verified against the checkpoint that was kept elsewhere.
fn verified(dir: &Path, form: &str) -> Report {
    let keys = keys();
    let newest = fs::read_to_string(place(form, "newest")).unwrap();
    verify_directory(dir, &keys, &public(&keys), Some(&newest)).unwrap()
}

#[test]
fn a_directory_of_each_form_verifies_and_reads_byte_for_byte() {
    for form in FORMS {
        let report = verified(&place(form, "ledger"), form);
        assert!(report.is_good(), "{report:?}");
        assert_eq!((report.records, report.covered), (RECORDS, RECORDS));
        let ledger = Ledger::open_read(&place(form, "ledger"), keys()).unwrap();
        let read: Vec<_> = ledger.from_seq(0).unwrap().map(Result::unwrap).collect();
        let bytes: Vec<&str> = read.iter().map(|entry| entry.json.as_str()).collect();
        let whole = fs::read_to_string(place(form, "whole.jsonl")).unwrap();
        assert_eq!(bytes, records(&whole));
        for (entry, seq) in read.iter().zip(0..) {
            let event = entry.event().unwrap();
            assert_eq!(event.code.is_some(), seq % 5 == 0, "{event:?}");
            // These ids hold another moment than that of their records, so what one search learns does not help the next.
            let ledger = Ledger::open_read(&place(form, "ledger"), keys()).unwrap();
            assert_eq!(ledger.find(event.id.unwrap()).unwrap().unwrap().seq, seq);
        }
    }
}

#[test]
fn exports_of_each_form_verify_against_their_key() {
    let public = public(&keys());
    for form in FORMS {
        for (name, records) in [("whole.jsonl", RECORDS), ("part.jsonl", 25)] {
            let report = verify_export(&place(form, name), Some(&public)).unwrap();
            assert!(report.is_good(), "{report:?}");
            assert_eq!(report.records, records);
            // Since form 2 they hold the checkpoints on the way.
            assert_eq!(report.checkpoints > 1, form != "1", "{report:?}");
        }
    }
}

#[test]
fn a_segment_whose_key_was_destroyed_says_so_and_keeps_its_place_in_the_chain() {
    // Since form 3 the note names the record that says by whom.
    for (form, by) in [("2", None), ("3", Some("ann")), ("5", Some("ann"))] {
        let dir = copy(form);
        let first = dir.path().join("00000000000000000000.key");
        fs::copy(place(form, "destroyed.key"), &first).unwrap();
        let report = verified(dir.path(), form);
        assert!(report.is_good(), "{report:?}");
        assert!(report.destroyed > 0 && report.destroyed < RECORDS);
        assert_eq!((report.records, report.covered), (RECORDS, RECORDS));
        assert_eq!(report.destructions.len(), 1);
        assert_eq!(report.destructions[0].by.as_deref(), by);
        let ledger = Ledger::open_read(dir.path(), keys()).unwrap();
        let gone = ledger.from_seq(0).unwrap().next().unwrap();
        let next = report.destroyed;
        assert_eq!(gone, Err(LedgerFault::Destroyed { seq: 0, next }));
        assert!(ledger.get(report.destroyed).unwrap().is_some());
    }
}

#[test]
fn the_signers_of_form_3_follow_one_another_from_the_first_key() {
    let report = verified(&place("3", "ledger"), "3");
    let epochs: Vec<_> = report
        .signers
        .iter()
        .map(|one| (one.from, one.ended))
        .collect();
    assert_eq!(
        epochs,
        [
            (0, Some(Ends::Routine)),
            (21, Some(Ends::Compromised)),
            (44, None)
        ]
    );
    assert_eq!(report.compromised().map(|one| one.epoch), Some(1));
    let part = verify_export(&place("3", "part.jsonl"), Some(&public(&keys()))).unwrap();
    assert_eq!(part.signers, report.signers);
}

/// State, subject and key.
type KeyRow = (u8, Vec<u8>, Option<crypto::Secret<[u8; 32]>>);

/// The text of the fields that a record holds sealed, opened as docs/ledger-format.md describes it and with nothing of this room:
/// for each row of the file its state, its subject and, of a subject that is there, its key.
fn rows(dir: &Path, keys: &crypto::Keys) -> Vec<KeyRow> {
    let file = fs::read(dir.join("subjects.key")).unwrap();
    let (plain, wraps) = file.split_at(20);
    assert_eq!((&plain[..8], wraps[0]), (&b"PORTSUBJ"[..], 1));
    assert_eq!(wraps[1..5], keys.ledger_wrap.id());
    let secret = |bytes: Vec<u8>| crypto::Secret::new(<[u8; 32]>::try_from(bytes).unwrap());
    let of_rows = secret(keys.ledger_wrap.key().open(plain, &wraps[5..66]).unwrap());
    let of_rows = crypto::SealKey::from_secret(&of_rows).subkey("ledger subject keys");
    let file = fs::read(dir.join("subjects")).unwrap();
    let rows = file.chunks_exact(128).map(|row| {
        let key = (row[0] == 1).then(|| secret(of_rows.open(&row[..49], &row[57..118]).unwrap()));
        if row[0] == 2 {
            let said = [&row[1..17], &row[57..73]].concat();
            assert!(of_rows.open(&said, &row[73..102]).unwrap().is_empty());
            assert_eq!(row[17..49], [0; 32]);
        }
        (row[0], row[1..17].to_vec(), key)
    });
    rows.collect()
}

#[test]
fn what_form_4_says_of_persons_opens_by_the_page_alone_until_they_are_erased() {
    let dir = place("4", "ledger");
    let (keys, mut read, mut erased) = (keys(), 0, 0);
    let rows = rows(&dir, &keys);
    let ledger = Ledger::open_read(&dir, Arc::clone(&keys)).unwrap();
    for entry in ledger.from_seq(0).unwrap().map(Result::unwrap) {
        let record: serde_json::Value = serde_json::from_str(&entry.json).unwrap();
        let Some(personal) = record.get("personal") else {
            continue;
        };
        assert_eq!(record["schema"], 3);
        let text = |pointer: &str| personal.pointer(pointer).unwrap().as_str().unwrap();
        let subject = crypto::text::unhex(text("/0/subjects/0")).unwrap();
        let event = ledger.get(entry.seq).unwrap().unwrap().event().unwrap();
        let (state, _, key) = rows.iter().find(|(_, id, _)| *id == subject).unwrap();
        let Some(key) = key else {
            assert_eq!(
                (*state, event.personal[0].state.as_deref()),
                (2, Some("erased"))
            );
            erased += 1;
            continue;
        };
        let digest = crypto::sha256(&[b"portcullis/v1/ledger/subject", key.expose()]);
        assert_eq!(digest[..16], subject);
        let at = record["at"].as_i64().unwrap().to_le_bytes();
        let decision = event.id.unwrap().bits().to_le_bytes();
        let purpose = b"portcullis/v1/ledger/personal";
        let own = crypto::sha256(&[purpose, &at, &decision, key.expose()]);
        let own = crypto::SealKey::from_secret(&crypto::Secret::new(own));
        let sealed = crypto::text::unbase64(text("/0/sealed")).unwrap();
        let plain = own
            .open(&[&at[..], &decision, &subject].concat(), &sealed)
            .unwrap();
        assert_eq!(plain.len() % 64, 0);
        let plain: serde_json::Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(plain["user"].as_str(), event.user.as_deref());
        assert_eq!(plain["path"].as_str(), event.path.as_deref());
        read += 1;
    }
    let report = verified(&dir, "4");
    assert_eq!((report.erased, report.erasures.len()), (erased, 1));
    assert!(read > 5 && erased > 5, "{read} read, {erased} erased");
}

/// One sealed value, opened with the keys of its subjects; `None` where one of them is gone.
fn opened(
    record: &serde_json::Value,
    one: &serde_json::Value,
    rows: &[KeyRow],
) -> Option<serde_json::Value> {
    let subjects = one["subjects"].as_array().unwrap().iter();
    let subjects = subjects.map(|text| crypto::text::unhex(text.as_str().unwrap()).unwrap());
    let subjects: Vec<Vec<u8>> = subjects.collect();
    let key = |id: &Vec<u8>| {
        rows.iter()
            .find(|(_, known, _)| known == id)
            .unwrap()
            .2
            .as_ref()
    };
    let keys: Vec<_> = subjects.iter().map(key).collect::<Option<_>>()?;
    let at = record["at"].as_i64().unwrap().to_le_bytes();
    let id = model::DecisionId::parse(record["id"].as_str().unwrap()).unwrap();
    let decision = id.bits().to_le_bytes();
    let mut parts: Vec<&[u8]> = vec![b"portcullis/v1/ledger/personal", &at, &decision];
    parts.extend(keys.iter().map(|key| key.expose().as_slice()));
    let own = crypto::SealKey::from_secret(&crypto::Secret::new(crypto::sha256(&parts)));
    let sealed = crypto::text::unbase64(one["sealed"].as_str().unwrap()).unwrap();
    let bound = [&at[..], &decision, &subjects.concat()].concat();
    Some(serde_json::from_slice(&own.open(&bound, &sealed).unwrap()).unwrap())
}

#[test]
fn what_form_5_says_of_objects_that_are_persons_opens_by_the_page_alone_until_they_are_erased() {
    let dir = place("5", "ledger");
    let (keys, mut read, mut erased) = (keys(), 0, 0);
    let rows = rows(&dir, &keys);
    let ledger = Ledger::open_read(&dir, Arc::clone(&keys)).unwrap();
    for entry in ledger.from_seq(0).unwrap().map(Result::unwrap) {
        let record: serde_json::Value = serde_json::from_str(&entry.json).unwrap();
        if record["schema"] != 4 {
            continue;
        }
        let event = ledger.get(entry.seq).unwrap().unwrap().event().unwrap();
        for one in record["personal"].as_array().unwrap() {
            let plain = opened(&record, one, &rows);
            let Some(place) = one["object"].as_u64() else {
                let path = plain.map(|plain| plain["path"].as_str().map(str::to_owned));
                assert!(
                    path.is_none_or(
                        |path| path.is_none() || path.as_deref() == event.path.as_deref()
                    )
                );
                continue;
            };
            let object = &event.objects[usize::try_from(place).unwrap()];
            let id = plain
                .as_ref()
                .map_or("", |plain| plain["id"].as_str().unwrap());
            assert_eq!((object.is_person, &*object.id), (true, id));
            (read, erased) = (
                read + usize::from(plain.is_some()),
                erased + usize::from(plain.is_none()),
            );
        }
        assert!(!entry.json.contains("c-"), "{}", entry.json);
    }
    assert!(read > 10 && erased > 3, "{read} read, {erased} erased");
    assert_eq!(verified(&dir, "5").erasures.len(), 1);
}

#[test]
fn a_ledger_of_each_form_is_carried_on_and_stays_whole() {
    for form in FORMS {
        carried_on(form);
    }
}

fn carried_on(form: &str) {
    let (dir, keys) = (copy(form), keys());
    let newest = fs::read_to_string(place(form, "newest")).unwrap();
    let mut opening = Opening::new(
        dir.path(),
        Settings::new("test.example/ledger"),
        Arc::clone(&keys),
    );
    opening.witness = Some(newest);
    let now = Timestamp::from_micros(1_796_000_000_000_000);
    let (recorder, recovered) = Recorder::open(opening, now).unwrap();
    assert_eq!(recovered, None);
    for seq in RECORDS..RECORDS + 5 {
        let event = Event {
            at: now,
            ..Event::default()
        };
        assert_eq!(recorder.record(&event).wait(), Ok(seq));
    }
    let last = recorder.stop().unwrap().unwrap();
    // What is added is of the form of today, beside what there was, and days later in a segment of its own.
    let added = dir.path().join(format!("{RECORDS:020}.key"));
    assert!(added.exists());
    let report = verify_directory(dir.path(), &keys, &public(&keys), Some(&last.text));
    let report = report.unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.records, RECORDS + 5);
    let mut whole = Vec::new();
    let ledger = Ledger::open_read(dir.path(), keys).unwrap();
    // Before form 4 persons were named as they are, and whoever erases one is told so.
    let sealed_since = Some(RECORDS).filter(|_| !["4", "5"].contains(&form));
    assert_eq!(ledger.sealed_since(), Ok(sealed_since));
    export(&ledger, 0..=u64::MAX, &mut whole).unwrap();
    let before = records(&fs::read_to_string(place(form, "whole.jsonl")).unwrap());
    let now = records(&String::from_utf8(whole).unwrap());
    assert_eq!(now.get(..before.len()), Some(before.as_slice()));
}
