use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audit::{Opening, Settings};
use crypto::{Kek, Root, Secret};

use super::*;

fn now() -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000)
}

/// A ledger of several segments.
fn ledger(dir: &Path) -> (Arc<Keys>, Recorder) {
    let root = Root::from_secret(Secret::new([7; 32]));
    let keys = Arc::new(Keys::new(&root, &Kek::from_secret(Secret::new([1; 32]))));
    let mut settings = Settings::new("test.example/ledger");
    settings.segment_bytes = 2_500;
    let opening = Opening::new(dir, settings, Arc::clone(&keys));
    let recorder = Recorder::open(opening, now()).unwrap().0;
    for n in 0..60 {
        let event = Event {
            at: now().plus(Duration::from_secs(n)),
            outcome: Outcome::Allow.into(),
            detail: Some("a sentence that fills the segment".into()),
            ..Event::default()
        };
        Journal::record(&recorder, &event).unwrap();
    }
    (keys, recorder)
}

fn intent(destroys: Option<u64>) -> Event {
    let actor = Actor::server("tests");
    let change = Change {
        destroys,
        ..Change::new(DESTROY, &actor, "kept for a year")
    };
    change.intent(DecisionId::new(now(), [3; 10]), now())
}

#[test]
fn a_destruction_that_was_cut_short_is_finished_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (keys, recorder) = ledger(dir.path());
    let all = audit::destroyable(dir.path(), 60).unwrap();
    assert!(all.segments > 3, "{all:?}");
    let intent = intent(Some(all.before_seq));
    let record = Journal::record(&recorder, &intent).unwrap();
    // The process was killed behind the first segment.
    let mut before = 1;
    while audit::destroyable(dir.path(), before).unwrap().segments == 0 {
        before += 1;
    }
    audit::destroy(dir.path(), &keys, before, record, now()).unwrap();
    let outcome = finished(&intent, &recorder, &keys, now()).unwrap().unwrap();
    assert_eq!(
        audit::destroyable(dir.path(), all.before_seq)
            .unwrap()
            .segments,
        0
    );
    assert!(outcome.kind.name() == DESTROY && outcome.outcome == Outcome::Done);
    assert_eq!(
        (outcome.id, outcome.destroys),
        (intent.id, Some(all.before_seq))
    );
    Journal::record(&recorder, &outcome).unwrap();
    let told = audit::destructions(recorder.ledger()).unwrap();
    assert_eq!(
        (told.len(), told[0].record, told[0].last_seq),
        (1, Some(record), all.before_seq - 1)
    );
}

#[test]
fn other_intents_are_not_finished() {
    let dir = tempfile::tempdir().unwrap();
    let (keys, recorder) = ledger(dir.path());
    let call = Event {
        kind: Kind::Intent.into(),
        ..intent(None)
    };
    let other = Event {
        operation: Some("key.revoke".into()),
        ..intent(Some(60))
    };
    for intent in [call, other] {
        assert_eq!(finished(&intent, &recorder, &keys, now()), Ok(None));
    }
    assert!(audit::destroyable(dir.path(), 60).unwrap().segments > 3);
}
