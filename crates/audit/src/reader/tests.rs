use proptest::prelude::*;

use super::*;
use crate::Settings;
use crate::fixture::{Dice, event, keys, ledger, recorder, settings};

fn sample(count: u64) -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 2_000,
        checkpoint_records: 9,
        ..settings()
    };
    ledger(dir.path(), count, small, &mut Dice::new(41));
    let ledger = Ledger::open_read(dir.path(), keys()).unwrap();
    (dir, ledger)
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

#[test]
fn records_are_read_from_any_number_on() {
    let (_dir, ledger) = sample(50);
    for from in [0, 1, 7, 25, 49, 50, 90] {
        let found: Vec<u64> = ledger
            .from_seq(from)
            .unwrap()
            .map(|entry| entry.unwrap().seq)
            .collect();
        assert!(found.into_iter().eq(from..50), "{from}");
    }
    for seq in 0..50 {
        assert_eq!(
            ledger.get(seq).unwrap().unwrap().event().unwrap(),
            event(seq)
        );
    }
    assert_eq!(ledger.get(50).unwrap(), None);
}

#[test]
fn filters_give_the_newest_matches_page_by_page() {
    let (_dir, ledger) = sample(50);
    let newest = Filter {
        limit: 3,
        ..Filter::default()
    };
    assert_eq!(seqs(&ledger.newest(&newest).unwrap()), [49, 48, 47]);
    let next = Filter {
        before_seq: Some(47),
        ..newest.clone()
    };
    assert_eq!(seqs(&ledger.newest(&next).unwrap()), [46, 45, 44]);
    let refused = Filter {
        integration: Some("accounting".into()),
        code: Some("authn.expired".into()),
        outcome: Some("refuse".into()),
        kind: Some("request".into()),
        ..Filter::default()
    };
    assert_eq!(seqs(&ledger.newest(&refused).unwrap()), [45, 30, 15, 0]);
    let between = Filter {
        since: Some(event(10).at),
        until: Some(event(13).at),
        ..Filter::default()
    };
    assert_eq!(seqs(&ledger.newest(&between).unwrap()), [12, 11, 10]);
    let none = Filter {
        integration: Some("account".into()),
        ..Filter::default()
    };
    assert_eq!(ledger.newest(&none).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the clock did, across restarts too: a question by time gives what reading every record gives.
    #[test]
    fn no_step_of_the_clock_hides_a_record_from_a_question_by_time(
        steps in prop::collection::vec((-90_000i64..90_000, 1u64..50, any::<bool>()), 1..8),
        since in -200_000i64..200_000,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let small = || Settings { segment_bytes: 4_000, ..settings() };
        let mut recorder = crate::fixture::recorder(dir.path(), small());
        let (mut second, mut n) = (0, 0);
        for (step, records, is_restarted) in steps {
            second += step;
            if is_restarted {
                recorder.stop().unwrap();
                drop(recorder);
                recorder = crate::fixture::recorder(dir.path(), small());
            }
            for _ in 0..records {
                let at = event(0).at.micros() + second * 1_000_000;
                let one = Event { at: Timestamp::from_micros(at), ..event(n) };
                recorder.record(&one).wait().unwrap();
                (second, n) = (second + 1, n + 1);
            }
        }
        let since = Timestamp::from_micros(event(0).at.micros() + since * 1_000_000);
        let filter = Filter { since: Some(since), code: Some("authn.expired".into()), limit: 1_000, ..Filter::default() };
        let found = seqs(&recorder.ledger().newest(&filter).unwrap());
        let every = recorder.ledger().from_seq(0).unwrap().map(|entry| entry.unwrap());
        let mut wanted: Vec<u64> = every.filter(|entry| filter.matches(&entry.event().unwrap())).map(|entry| entry.seq).collect();
        wanted.reverse();
        prop_assert_eq!(found, wanted);
        recorder.stop().unwrap();
    }
}

#[test]
fn single_records_are_proven_against_the_newest_checkpoint() {
    let (_dir, ledger) = sample(21);
    for seq in [0, 13, 20] {
        let (proof, checkpoint) = ledger.prove(seq).unwrap();
        assert!(proof.verify(&checkpoint.checkpoint.root));
        assert_eq!(proof.leaf, ledger.get(seq).unwrap().unwrap().leaf());
    }
    assert!(matches!(
        ledger.prove(21),
        Err(LedgerFault::Unusable { .. })
    ));
}

#[test]
fn a_damaged_frame_is_a_fault_and_never_shown() {
    let (dir, ledger) = sample(50);
    let (first_seq, path) = segment::list(dir.path()).unwrap().remove(1);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let read: Vec<_> = ledger.from_seq(0).unwrap().collect();
    let fault = read.last().unwrap().as_ref().unwrap_err();
    assert!(fault.is_integrity() && read.len() as u64 > first_seq);
    let everything = Filter {
        limit: 100,
        ..Filter::default()
    };
    assert!(ledger.newest(&everything).is_err());
}

/// An intent of call `n` of the fixture, and its outcome.
fn intent(n: u64) -> Event {
    Event {
        kind: Kind::Intent.into(),
        outcome: model::Outcome::Pending.into(),
        code: None,
        ..event(n)
    }
}

fn stop_at(n: u64) -> Event {
    Event {
        kind: Kind::Stop.into(),
        id: None,
        ..event(n)
    }
}

#[test]
fn intents_are_open_until_their_outcome_is_recorded_and_a_decision_is_found_by_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(dir.path(), settings());
    let all = [
        intent(1),
        stop_at(2),
        intent(3),
        intent(4),
        event(4),
        event(5),
        intent(6),
    ];
    for one in &all {
        recorder.record(one).wait().unwrap();
    }
    let ledger = recorder.ledger();
    let within = |millis| {
        let open = ledger.open_intents(Duration::from_millis(millis)).unwrap();
        open.iter().map(|event| event.id).collect::<Vec<_>>()
    };
    // Number 1 lies in front of a stop in order. Times alone end no search that has only begun: the clock may have moved.
    assert_eq!(within(1_000), [event(3).id, event(6).id]);
    assert_eq!(within(0), [event(3).id, event(6).id]);
    for found in [
        recorder.find(event(4).id.unwrap()),
        ledger.find(event(4).id.unwrap()),
    ] {
        assert_eq!(found.unwrap().unwrap().event().unwrap(), event(4));
    }
    let shown = |kind: Option<&str>| {
        let kind = kind.map(str::to_owned);
        let filter = Filter {
            kind,
            ..Filter::default()
        };
        ledger.newest(&filter).unwrap().len()
    };
    assert_eq!((shown(None), shown(Some("intent"))), (3, 4));
}
