mod files;
mod objects;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model::event::{Blocked, ErrorAt};
use model::{Kind, Outcome, Text, Word};
use proptest::prelude::*;

use super::*;
use crate::fixture::{Dice, FaultyDisk, event, keys, keys_with, now, opening, recorder, settings};
use crate::settings::Durability;
use crate::{Filter, Ledger, Opening, PublicKey, Recorder, Report, Settings, segment};

/// A call of a person: their name stands wherever a record can name one.
fn call(n: u64, integration: &str, user: &str) -> Event {
    Event {
        method: Some("GET".into()),
        integration: Some(integration.into()),
        user: Some(user.into()),
        address: Some("203.0.113.77".into()),
        user_agent: Some(format!("agent of {user}").into()),
        path: Some(format!("/v2/people/{user}").into()),
        detail: Some(format!("`{user}` may not").into()),
        blocked: Some(Blocked {
            subject: format!("user:{integration}/{user}").into(),
            until: now(),
        }),
        errors: vec![ErrorAt {
            place: "body".into(),
            pointer: format!("/{user}").into(),
            keyword: "type".into(),
        }],
        ..event(n)
    }
}

fn put(recorder: &Recorder, event: &Event) -> u64 {
    recorder.record(event).wait().unwrap()
}

/// The intent of an erasure, and the erasure. Gives the number of the record.
fn erase(recorder: &Recorder, subject: &str) -> u64 {
    let record = put(recorder, &intent(subject));
    assert_eq!(recorder.erase(subject, record, now()), Ok(true));
    record
}

fn intent(subject: &str) -> Event {
    Event {
        kind: Kind::Intent.into(),
        operation: Some(COMMAND.into()),
        outcome: Outcome::Pending.into(),
        integration: None,
        user: Some("root".into()),
        erases: Some(Text::from(subject)),
        path: None,
        ..event(1)
    }
}

fn only(ledger: &Ledger, name: &str, integration: &str) -> String {
    let mut found = ledger.subjects_named(name, Some(integration)).unwrap();
    assert_eq!(found.len(), 1, "{name} of {integration}");
    found.pop().unwrap()
}

fn verified(dir: &Path) -> Report {
    let public = PublicKey::new("test.example/ledger", keys().ledger_signing.verifying_key());
    let report = crate::verify_directory(dir, &keys(), &public, None).unwrap();
    assert_eq!(report.first_bad, None);
    report
}

/// How the values of a record are: `read`, or why not.
fn state(ledger: &Ledger, seq: u64) -> String {
    let event = ledger.get(seq).unwrap().unwrap().event().unwrap();
    let Some(unread) = event.personal.first() else {
        return "read".into();
    };
    assert_eq!(
        (&event.user, &event.path, &event.detail),
        (&None, &None, &None)
    );
    assert!(event.address.is_none() && event.blocked.is_none() && event.errors.is_empty());
    unread.state.as_deref().unwrap().into()
}

#[test]
fn what_names_a_person_is_in_no_byte_of_the_record_and_reads_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let sent = call(1, "crm", "ann lee");
    let seq = put(&recorder, &sent);
    let entry = recorder.ledger().get(seq).unwrap().unwrap();
    assert!(
        !entry.json.contains("ann") && !entry.json.contains("203.0.113.77"),
        "{}",
        entry.json
    );
    let read = entry.event().unwrap();
    let sent = Event {
        schema: read.schema,
        ..sent
    };
    assert_eq!((read.schema.number(), read), (3, sent));
    // A call that names nobody is written as ever.
    let nobody = put(&recorder, &event(2));
    let entry = recorder.ledger().get(nobody).unwrap().unwrap();
    let mut line = Vec::new();
    event(2).write(&mut line);
    assert_eq!(entry.json.as_bytes(), line);
}

#[test]
fn a_person_is_found_by_name_also_where_two_integrations_state_it_and_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let ours = put(&recorder, &call(1, "crm", "17"));
    let theirs = put(&recorder, &call(2, "portal", "17"));
    put(&recorder, &call(3, "crm", "18"));
    let of = |ledger: &Ledger, user: &str, integration: Option<&str>| {
        let filter = Filter {
            user: Some(user.into()),
            integration: integration.map(str::to_owned),
            ..Filter::default()
        };
        let found = ledger.newest(&filter).unwrap();
        found.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    recorder.checkpoint().unwrap();
    let other = Ledger::open_read(dir.path(), keys()).unwrap();
    for ledger in [recorder.ledger(), &other] {
        assert_eq!(of(ledger, "17", None), [theirs, ours]);
        assert_eq!(of(ledger, "17", Some("crm")), [ours]);
        assert!(of(ledger, "nobody", None).is_empty());
        assert_ne!(only(ledger, "17", "crm"), only(ledger, "17", "portal"));
        let filter = Filter {
            subject: Some(only(ledger, "17", "crm")),
            ..Filter::default()
        };
        assert_eq!(ledger.newest(&filter).unwrap()[0].seq, ours);
    }
}

#[test]
fn an_erased_person_is_unreadable_for_ever_and_others_read_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let ann = put(&recorder, &call(1, "crm", "ann lee"));
    let bob = put(&recorder, &call(2, "crm", "bob"));
    let subject = only(recorder.ledger(), "ann lee", "crm");
    let row = fs::read(dir.path().join(FILE)).unwrap()[..ROW].to_vec();
    let record = erase(&recorder, &subject);
    assert_eq!(
        recorder.erase(&subject, record, now()),
        Ok(false),
        "once is enough"
    );
    assert_eq!(state(recorder.ledger(), ann), "erased");
    assert_eq!(state(recorder.ledger(), bob), "read");
    // Nothing in the files leads from the name to the records, and the key is in none of them.
    let after = fs::read(dir.path().join(FILE)).unwrap();
    let (digests, sealed) = (&row[17..49], &row[57..118]);
    for part in [digests, sealed] {
        assert!(!after.windows(part.len()).any(|window| window == part));
    }
    assert!(
        recorder
            .ledger()
            .subjects_named("ann lee", None)
            .unwrap()
            .is_empty()
    );
    // Met again, they are somebody new.
    let again = put(&recorder, &call(4, "crm", "ann lee"));
    assert_ne!(only(recorder.ledger(), "ann lee", "crm"), subject);
    recorder.stop().unwrap();
    let ledger = Ledger::open_read(dir.path(), keys()).unwrap();
    let states = [ann, bob, again].map(|seq| state(&ledger, seq));
    assert_eq!(states, ["erased", "read", "read"]);
    let report = verified(dir.path());
    assert_eq!(report.erased, 1);
    assert_eq!(
        (report.erasures[0].record, &report.erasures[0].subject),
        (record, &subject)
    );
}

#[test]
fn a_change_about_a_person_is_sealed_and_who_made_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let change = Event {
        kind: Word::new("block.add"),
        integration: Some("crm".into()),
        user: Some("root".into()),
        person: Some("ann lee".into()),
        detail: Some("user:crm/ann lee until tomorrow".into()),
        path: None,
        ..event(1)
    };
    let seq = put(&recorder, &change);
    let entry = recorder.ledger().get(seq).unwrap().unwrap();
    assert!(
        !entry.json.contains("ann lee") && entry.json.contains("root"),
        "{}",
        entry.json
    );
    assert_eq!(entry.event().unwrap().person.as_deref(), Some("ann lee"));
    erase(&recorder, &only(recorder.ledger(), "ann lee", "crm"));
    let event = recorder
        .ledger()
        .get(seq)
        .unwrap()
        .unwrap()
        .event()
        .unwrap();
    assert_eq!(
        (event.user.as_deref(), event.person, event.detail),
        (Some("root"), None, None)
    );
}

#[test]
fn a_key_that_is_gone_without_a_record_of_it_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let seq = put(&recorder, &call(1, "crm", "ann"));
    recorder.stop().unwrap();
    let path = dir.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    let public = PublicKey::new("test.example/ledger", keys().ledger_signing.verifying_key());
    let bad = || {
        let report = crate::verify_directory(dir.path(), &keys(), &public, None).unwrap();
        report.first_bad.map(|bad| bad.seq)
    };
    let read = || Ledger::open_read(dir.path(), keys()).unwrap();
    for spoil in [
        |bytes: &mut Vec<u8>| bytes.fill(0),
        |bytes: &mut Vec<u8>| bytes[60] ^= 1,
        |bytes: &mut Vec<u8>| bytes[20] ^= 1,
        // Nobody without the key can say that somebody was erased.
        |bytes: &mut Vec<u8>| bytes[0] = 2,
        |bytes: &mut Vec<u8>| bytes.truncate(100),
    ] {
        let mut bytes = whole.clone();
        spoil(&mut bytes);
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            (bad(), state(&read(), seq).as_str()),
            (Some(seq), "damaged")
        );
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!((bad(), state(&read(), seq).as_str()), (None, "read"));
    // A tombstone that no record speaks for is no erasure.
    let master = row::read_key(dir.path(), &keys()).unwrap().unwrap();
    let subject = only(&read(), "ann", "crm");
    let erased = Erased {
        id: sealed::id(&subject).unwrap(),
        used: 0,
        at: now(),
        record: seq,
    };
    let forged = Row::Erased(erased).write(&master.key.subkey("ledger subject keys"));
    fs::write(&path, forged).unwrap();
    assert_eq!(bad(), Some(seq));
    fs::remove_file(dir.path().join(row::KEY_FILE)).unwrap();
    assert_eq!(bad(), Some(0));
    let opened = Recorder::open(opening(dir.path(), settings()), now());
    assert!(opened.is_err_and(|fault| fault.is_integrity()));
}

#[test]
fn no_record_is_written_before_its_key_is() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let opening = Opening {
        disk: Arc::new(disk.clone()),
        ..opening(dir.path(), settings())
    };
    let (recorder, _) = Recorder::open(opening, now()).unwrap();
    disk.0.lock().unwrap().space = Some(0);
    assert_eq!(
        recorder.record(&call(0, "crm", "ann")).wait(),
        Err(LedgerFault::Full)
    );
    assert!(!dir.path().join(FILE).exists());
    disk.0.lock().unwrap().space = None;
    // The key that could not be written is written with the next group, whoever that is about.
    assert_eq!(put(&recorder, &call(1, "crm", "ann")), 0);
    assert_eq!(state(recorder.ledger(), 0), "read");
    disk.0.lock().unwrap().over_error = Some(io::ErrorKind::Other);
    let refused = recorder.record(&call(2, "crm", "bob")).wait();
    assert!(
        matches!(refused, Err(LedgerFault::Broken { .. })),
        "{refused:?}"
    );
    drop(recorder);
    let recorder = crate::fixture::recorder(dir.path(), settings());
    assert_eq!(state(recorder.ledger(), 0), "read");
    let seq = put(&recorder, &call(3, "crm", "bob"));
    assert_eq!(state(recorder.ledger(), seq), "read");
    recorder.stop().unwrap();
    assert_eq!(verified(dir.path()).erased, 0);
}

#[test]
fn where_records_are_not_flushed_one_by_one_a_checkpoint_flushes_their_keys_before_them() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let settings = Settings {
        durability: Durability::Write,
        checkpoint_interval: std::time::Duration::from_secs(3_600),
        ..settings()
    };
    let opening = Opening {
        disk: Arc::new(disk.clone()),
        ..opening(dir.path(), settings)
    };
    let (recorder, _) = Recorder::open(opening, now()).unwrap();
    let flushes = || disk.0.lock().unwrap().over_flushes;
    put(&recorder, &call(0, "crm", "ann"));
    assert_eq!(flushes(), 0);
    recorder.checkpoint().unwrap();
    assert_eq!(flushes(), 1);
    put(&recorder, &call(1, "crm", "ann"));
    recorder.checkpoint().unwrap();
    assert_eq!(flushes(), 1, "nothing was written since");
}

#[test]
fn nobody_more_than_the_bound_is_met_and_whoever_was_met_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        subjects_max: 2,
        ..settings()
    };
    let recorder = recorder(dir.path(), settings);
    put(&recorder, &call(0, "crm", "ann"));
    assert!(recorder.has_room_for("crm", "bob"));
    put(&recorder, &call(1, "crm", "bob"));
    let refused = recorder.record(&call(2, "crm", "eve")).wait();
    assert_eq!(refused, Err(LedgerFault::TooManyPersons));
    assert!(!recorder.has_room_for("crm", "eve") && recorder.has_room_for("crm", "ann"));
    // An erased person keeps their row while a record names them.
    erase(&recorder, &only(recorder.ledger(), "bob", "crm"));
    assert!(!recorder.has_room_for("crm", "eve"));
    put(&recorder, &call(3, "crm", "ann"));
    put(&recorder, &event(4));
}

#[test]
fn the_keys_change_hands_with_the_key_encryption_key() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let seq = put(&recorder, &call(0, "crm", "ann"));
    recorder.stop().unwrap();
    let (old, new) = (keys_with(7, 1), keys_with(7, 2));
    let known = [&old.ledger_wrap, &new.ledger_wrap];
    crate::rewrap(dir.path(), &old, &known, &[&new.ledger_wrap]).unwrap();
    assert_eq!(
        state(&Ledger::open_read(dir.path(), new).unwrap(), seq),
        "read"
    );
    assert!(
        Ledger::open_read(dir.path(), old)
            .unwrap()
            .get(seq)
            .is_err()
    );
}

/// What every record of a person has to be.
#[derive(Default)]
struct Expected {
    /// Number, and the generation of whom it is about.
    records: Vec<(u64, (String, u32))>,
    /// How often each was erased.
    erased: BTreeMap<String, u32>,
}

impl Expected {
    fn call(&mut self, recorder: &Recorder, n: u64, user: &str) {
        let seq = put(recorder, &call(n, "crm", user));
        let generation = self.erased.get(user).copied().unwrap_or_default();
        self.records.push((seq, (user.to_owned(), generation)));
    }

    fn erase(&mut self, recorder: &Recorder, user: &str) {
        let found = recorder.ledger().subjects_named(user, Some("crm")).unwrap();
        assert!(found.len() <= 1, "{found:?}");
        for subject in found {
            erase(recorder, &subject);
            *self.erased.entry(user.to_owned()).or_default() += 1;
        }
    }

    fn check(&self, ledger: &Ledger, first: u64) {
        for (seq, (user, generation)) in self.records.iter().filter(|(seq, _)| *seq >= first) {
            let now = self.erased.get(user).copied().unwrap_or_default();
            let wanted = if *generation == now { "read" } else { "erased" };
            assert_eq!(state(ledger, *seq), wanted, "record {seq} of {user}");
        }
    }
}

/// Persons call, are erased and call again, segments are closed and destroyed, the server is killed and started: whatever can
/// be read of each record is what was promised, and everything verifies.
#[test]
fn whatever_happens_each_record_reads_as_long_as_its_person_is_not_erased() {
    for seed in 0..24 {
        let mut dice = Dice::new(seed);
        let dir = tempfile::tempdir().unwrap();
        let small = || Settings {
            segment_bytes: 2_000,
            subjects_max: 12,
            ..settings()
        };
        let mut expected = Expected::default();
        let mut held = recorder(dir.path(), small());
        for n in 0..60 {
            let user = format!("person {}", dice.below(5));
            match dice.below(10) {
                0 => expected.erase(&held, &user),
                1 => {
                    drop(held);
                    held = recorder(dir.path(), small());
                }
                2 => {
                    let (first, next) = (
                        segment::first_readable(dir.path()).unwrap(),
                        held.status().records,
                    );
                    let bound = first + dice.below(1 + next - first);
                    let record = put(&held, &destruction(n));
                    crate::destroy(dir.path(), &keys(), bound, record, now()).unwrap();
                    held.drop_unused_subjects().unwrap();
                }
                3 => drop(put(&held, &event(n))),
                _ if held.has_room_for("crm", &user) => expected.call(&held, n, &user),
                _ => {}
            }
            if n % 20 == 19 {
                expected.check(held.ledger(), segment::first_readable(dir.path()).unwrap());
            }
        }
        held.stop().unwrap();
        let first = segment::first_readable(dir.path()).unwrap();
        expected.check(&Ledger::open_read(dir.path(), keys()).unwrap(), first);
        verified(dir.path());
        // Whom no record names any more that can be read has no row.
        let known = Subjects::read(dir.path(), &keys()).unwrap().unwrap();
        for place in lock(&known.rows).by_id.values() {
            let used = match place {
                Place::Kept(subject) => subject.used(),
                Place::Erased(_, erased) => erased.used,
                Place::Damaged(row, _) => panic!("seed {seed}: row {row} is damaged"),
            };
            assert!(used >= first, "seed {seed}: {used} is before {first}");
        }
    }
}

/// The intent of a destruction.
fn destruction(n: u64) -> Event {
    Event {
        kind: Kind::Intent.into(),
        operation: Some(crate::DESTROY.into()),
        outcome: Outcome::Pending.into(),
        user: Some("root".into()),
        ..event(n)
    }
}

proptest! {
    /// Whatever texts an event has: of what names the person nothing is in the clear, and it reads back as it was.
    #[test]
    fn no_text_of_a_call_is_in_the_clear(user in "[a-zA-Z \"\\\\é\u{202e}]{4,20}", detail in ".{0,80}", path in ".{0,80}") {
        let key = crypto::random_secret();
        let kept = Kept { id: row::id_of(&key), who: [0; 16], name: [0; 16], used: 0, key };
        let subject = Arc::new(Subject::new(kept, 0));
        let event = Event { detail: Some(detail.as_str().into()), path: Some(path.as_str().into()), ..call(1, "crm", &user) };
        let mut line = Vec::new();
        let named = Named { stated: Some(Arc::clone(&subject)), ..Named::default() };
        sealed::write(&event, &named, None, &mut line);
        let line = String::from_utf8(line).unwrap();
        let open: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
        let known = ["schema", "at", "kind", "id", "outcome", "code", "integration", "method", "personal"];
        prop_assert!(open.keys().all(|name| known.contains(&name.as_str())), "{}", line);
        let key = || Known::Key(subject.key.clone());
        let read: Event = serde_json::from_str(&sealed::open(&line, |_| key()).unwrap()).unwrap();
        prop_assert_eq!(&read, &Event { schema: read.schema, ..event });
        // A value opens only where it was written.
        let moved = line.replacen("\"at\":17950", "\"at\":17951", 1);
        prop_assert_ne!(&moved, &line);
        prop_assert!(sealed::open(&moved, |_| key()).unwrap().contains("damaged"));
    }
}
