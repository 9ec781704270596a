use std::collections::BTreeSet;

use audit::{Opening, Settings};
use crypto::{Kek, Secret};
use identity::ApiKeySettings;
use identity::credential::{self, CreateKeyRequest, Entropy};
use model::{DecisionId, KeyId};
use policy::block::Subject;
use store::Expected;

use super::*;
use crate::commands::{AddedBlock, IntegrationState, paused};
use crate::journal::Change;
use model::event::Blocked;

const HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Store and ledger of an installation, and what makes changes of both.
struct Place {
    dir: tempfile::TempDir,
    store: Store,
    keys: Arc<crypto::Keys>,
    recorder: Arc<Recorder>,
    now: Timestamp,
}

fn kek() -> Kek {
    Kek::from_secret(Secret::new([9; 32]))
}

/// How far a change comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Intent,
    Store,
    Outcome,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        Place::opened(dir)
    }

    fn opened(dir: tempfile::TempDir) -> Place {
        let opened = store::embedded::open(&dir.path().join("data"), &kek()).unwrap();
        let keys = Arc::new(opened.keys);
        let ledger = dir.path().join("ledger");
        let opening = Opening::new(&ledger, Settings::new("test/ledger"), Arc::clone(&keys));
        let now = gateway::Clock::default().now();
        let (recorder, _) = Recorder::open(opening, now).unwrap();
        Place {
            dir,
            store: opened.store,
            keys,
            recorder: Arc::new(recorder),
            now,
        }
    }

    /// As after a kill.
    fn again(self) -> Place {
        let dir = self.dir;
        drop((self.store, self.recorder));
        Place::opened(dir)
    }

    fn reconcile(&self) -> Reconciled {
        reconcile(&self.store, &self.recorder, self.now).unwrap()
    }

    /// The records of a kind, oldest first.
    fn records(&self, kind: &str) -> Vec<Event> {
        let ledger = self.recorder.ledger();
        let entries = ledger.from_seq(0).unwrap();
        let events = entries.map(|entry| ledger.opened(entry.unwrap()).unwrap().event().unwrap());
        events.filter(|event| event.kind.name() == kind).collect()
    }

    fn commit(&self, change: &Change<'_>, steps: Vec<Step>, until: Until) {
        let id = DecisionId::new(self.now, crypto::random());
        let record = |event: &Event| {
            self.recorder.record(event).wait().unwrap();
        };
        record(&change.intent(id, self.now));
        if until == Until::Intent {
            return;
        }
        self.store.transact(steps).unwrap();
        if until == Until::Outcome {
            record(&change.outcome(Outcome::Done, id, self.now));
        }
    }

    fn change(&self, kind: &'static str) -> Change<'static> {
        let actor = Box::leak(Box::new(Actor::server("test")));
        Change::new(kind, actor, "why")
    }

    fn entropy(&self) -> Entropy {
        Entropy {
            id: KeyId::new(self.now, crypto::random()),
            random: crypto::random_secret(),
        }
    }

    fn create(&self, until: Until) -> KeyId {
        let request = CreateKeyRequest {
            integration: "crm",
            label: "default",
            is_live: true,
            lasts: None,
        };
        let rules = ApiKeySettings::default();
        let digest = &self.keys.api_key_digest;
        let issued = credential::create(&request, &rules, &self.entropy(), digest, self.now);
        let change = Change {
            credential: Some(issued.record.id),
            integration: Some("crm".into()),
            ..self.change("key.create")
        };
        let put = Step::put(&kinds::CREDENTIAL, issued.record.id, &issued.record).unwrap();
        self.commit(&change, vec![put], until);
        issued.record.id
    }

    fn rotate(&self, id: KeyId, until: Until) -> KeyId {
        let rules = ApiKeySettings::default();
        let digest = &self.keys.api_key_digest;
        let old = self.key(id).unwrap();
        let (issued, old) =
            credential::rotate(&old, &rules, &self.entropy(), digest, self.now).unwrap();
        let change = Change {
            credential: Some(id),
            replaced: Some((issued.record.id, old.overlap_until.unwrap())),
            ..self.change("key.rotate")
        };
        let put = |record: &Credential| Step::put(&kinds::CREDENTIAL, record.id, record).unwrap();
        self.commit(&change, vec![put(&old), put(&issued.record)], until);
        issued.record.id
    }

    fn revoke(&self, id: KeyId, until: Until) {
        let revoked = credential::revoke(&self.key(id).unwrap(), "why", self.now);
        let change = Change {
            credential: Some(id),
            ..self.change("key.revoke")
        };
        let put = Step::put(&kinds::CREDENTIAL, id, &revoked).unwrap();
        self.commit(&change, vec![put], until);
    }

    fn set_paused(&self, name: &str, is_paused: bool, until: Until) {
        let kind = if is_paused {
            "integration.pause"
        } else {
            "integration.resume"
        };
        let state = IntegrationState {
            paused_at: is_paused.then_some(self.now),
            by: None,
            reason: "why".into(),
        };
        let change = Change {
            integration: Some(name.to_owned()),
            ..self.change(kind)
        };
        let put = Step::put(&kinds::INTEGRATION_STATE, name, &state).unwrap();
        self.commit(&change, vec![put], until);
    }

    fn set_blocked(&self, subject: &str, is_blocked: bool, until: Until) {
        let ends = self.now.plus(HOUR);
        let mut change = self.change(if is_blocked {
            "block.add"
        } else {
            "block.lift"
        });
        change.blocked = Some(Blocked {
            subject: subject.into(),
            until: ends,
        });
        change.detail = format!("{subject} until {ends}: scans");
        if let Ok(Subject::User { integration, user }) = subject.parse() {
            change.integration = Some(integration);
            change.person = Some(user);
        }
        let block = AddedBlock {
            subject: subject.to_owned(),
            reason: "scans".into(),
            by: "test".into(),
            added_at: self.now,
            until: ends,
        };
        let step = if is_blocked {
            Step::put(&kinds::BLOCK, format!("blk_{subject}"), &block).unwrap()
        } else {
            Step::delete(&kinds::BLOCK, format!("blk_{subject}"))
        };
        self.commit(&change, vec![step], until);
    }

    fn key(&self, id: KeyId) -> Option<Credential> {
        let found = self.store.get::<Credential>(&kinds::CREDENTIAL, id);
        found.unwrap().map(|row| row.value)
    }

    fn is_revoked(&self, id: KeyId) -> bool {
        self.key(id).unwrap().revoked_at.is_some()
    }

    fn paused(&self) -> BTreeSet<String> {
        paused(&self.store).unwrap()
    }

    fn blocked(&self) -> Vec<String> {
        let blocks = kept_blocks(&self.store).unwrap();
        blocks.into_iter().map(|(_, block)| block.subject).collect()
    }

    /// The database as it is now, to be put back later.
    fn copied(self) -> (Place, Vec<u8>) {
        let database = self.database();
        self.store.close();
        let copy = std::fs::read(database).unwrap();
        (self.again(), copy)
    }

    fn database(&self) -> std::path::PathBuf {
        self.dir.path().join("data").join(store::DATABASE)
    }

    /// A stop, and a start with that database.
    fn with_database(self, copy: &[u8]) -> Place {
        let database = self.database();
        self.store.close();
        std::fs::write(database, copy).unwrap();
        self.again()
    }
}

#[test]
fn what_was_taken_back_stays_so_with_a_database_from_before() {
    let place = Place::new();
    let (revoked, rotated, kept) = (
        place.create(Until::Outcome),
        place.create(Until::Outcome),
        place.create(Until::Outcome),
    );
    place.set_paused("ended", true, Until::Outcome);
    place.set_blocked("address:192.0.2.9", true, Until::Outcome);
    assert_eq!(place.reconcile(), Reconciled::default());
    let (place, before) = place.copied();
    place.revoke(revoked, Until::Outcome);
    let new = place.rotate(rotated, Until::Outcome);
    let made = place.create(Until::Outcome);
    place.set_paused("crm", true, Until::Outcome);
    place.set_paused("ended", false, Until::Outcome);
    place.set_blocked("address:192.0.2.7", true, Until::Outcome);
    place.set_blocked("user:crm/ann until 2026", true, Until::Outcome);
    place.set_blocked("address:192.0.2.9", false, Until::Outcome);
    let until = place.key(rotated).unwrap().overlap_until;
    assert_eq!(place.reconcile(), Reconciled::default(), "nothing differs");
    let place = place.with_database(&before);
    assert!(!place.is_revoked(revoked), "it is the one of before");
    // Revoked, rotated, two new keys gone; paused, not resumed; two blocked, one not lifted.
    assert_eq!(place.reconcile().differences, 9);
    assert!(place.is_revoked(revoked) && !place.is_revoked(kept));
    assert_eq!(place.key(rotated).unwrap().overlap_until, until);
    assert!(place.key(new).is_none() && place.key(made).is_none());
    let paused = place.paused();
    assert!(
        paused.contains("crm") && paused.contains("ended"),
        "{paused:?}"
    );
    let mut blocked = place.blocked();
    blocked.sort();
    assert_eq!(
        blocked,
        [
            "address:192.0.2.7",
            "address:192.0.2.9",
            "user:crm/ann until 2026"
        ]
    );
    let block = kept_blocks(&place.store).unwrap().into_iter();
    let mut block = block.filter(|(_, block)| block.subject.starts_with("user"));
    let block = block.next().unwrap().1;
    assert_eq!(
        (&*block.reason, block.until),
        ("scans", place_until(&place))
    );
    let told = place.records(KIND);
    assert_eq!(told.len(), 9);
    let about: Vec<_> = told
        .iter()
        .filter_map(|event| event.credential.clone())
        .collect();
    for id in [revoked, rotated, new, made] {
        assert!(about.contains(&id.text()), "{about:?}");
    }
    assert_eq!(place.reconcile(), Reconciled::default(), "once is enough");
    let place = place.again();
    assert_eq!(place.reconcile(), Reconciled::default());
}

fn place_until(place: &Place) -> Timestamp {
    let events = place.records("block.add");
    events.last().unwrap().blocked.as_ref().unwrap().until
}

#[test]
fn a_kill_between_record_and_outcome_leaves_what_is_decided_at_the_start() {
    for until in [Until::Intent, Until::Store] {
        let is_stored = until == Until::Store;
        let place = Place::new();
        let given = [(); 3].map(|()| place.create(Until::Outcome));
        place.set_paused("paused", true, Until::Outcome);
        place.set_blocked("address:192.0.2.9", true, Until::Outcome);
        assert_eq!(place.reconcile(), Reconciled::default());
        let made = place.create(until);
        place.revoke(given[0], until);
        let new = place.rotate(given[1], until);
        place.set_paused("crm", true, until);
        place.set_paused("paused", false, until);
        place.set_blocked("address:192.0.2.7", true, until);
        place.set_blocked("address:192.0.2.9", false, until);
        let place = place.again();
        let reconciled = place.reconcile();
        assert_eq!(reconciled.outcomes, 7);
        // Nobody was given the text of a key whose making has no outcome.
        assert_eq!(place.key(made).is_some(), is_stored);
        assert_eq!(place.key(new).is_some(), is_stored);
        assert!(
            [made, new]
                .iter()
                .filter_map(|id| place.key(*id))
                .all(|key| key.revoked_at.is_some())
        );
        assert!(
            place.is_revoked(given[0])
                && !place.is_revoked(given[1])
                && !place.is_revoked(given[2])
        );
        assert_eq!(
            place.key(given[1]).unwrap().replaced_by.is_some(),
            is_stored
        );
        assert_eq!(place.paused().contains("paused"), !is_stored);
        assert!(place.paused().contains("crm"));
        assert_eq!(
            place.blocked().contains(&"address:192.0.2.9".to_owned()),
            !is_stored
        );
        assert!(place.blocked().contains(&"address:192.0.2.7".to_owned()));
        let given_up = if is_stored {
            Outcome::Done
        } else {
            Outcome::Failed
        };
        for (kind, outcome) in [
            ("key.create", Outcome::Failed),
            ("key.revoke", Outcome::Done),
            ("key.rotate", given_up),
            ("integration.pause", Outcome::Done),
            ("integration.resume", given_up),
            ("block.add", Outcome::Done),
            ("block.lift", given_up),
        ] {
            let last = place.records(kind).pop().unwrap();
            assert!(last.outcome == outcome, "{until:?} {kind}: {last:?}");
            let intents = place.records("intent");
            assert!(intents.iter().any(|intent| intent.id == last.id), "{kind}");
        }
        assert_eq!(place.reconcile(), Reconciled::default());
    }
}

#[test]
fn a_change_that_others_followed_is_not_done_again() {
    let place = Place::new();
    place.set_paused("crm", true, Until::Store);
    place.set_paused("crm", false, Until::Outcome);
    let place = place.again();
    assert_eq!(
        place.reconcile(),
        Reconciled {
            differences: 0,
            outcomes: 1
        }
    );
    assert!(place.paused().is_empty());
    let last = place.records("integration.pause").pop().unwrap();
    assert!(last.outcome == Outcome::Unknown);
}

#[test]
fn a_ledger_from_before_the_database_is_refused() {
    let place = Place::new();
    place.create(Until::Outcome);
    place.reconcile();
    let end = place.recorder.status().records;
    let put = Step::put(&kinds::LEDGER_WITNESS, SETTLED, &(end + 1)).unwrap();
    place.store.transact(vec![put]).unwrap();
    let refused = reconcile(&place.store, &place.recorder, place.now).unwrap_err();
    assert!(refused.is_integrity(), "{refused}");
    assert!(
        refused.to_string().contains("from before the database"),
        "{refused}"
    );
}

#[test]
fn how_far_the_two_agree_only_grows() {
    let place = Place::new();
    for _ in 0..3 {
        let id = place.create(Until::Outcome);
        place.reconcile();
        assert_eq!(
            settled(&place.store).unwrap(),
            Some(place.recorder.status().records)
        );
        let expected = Step::expect(&kinds::CREDENTIAL, id, Expected::Absent);
        assert!(place.store.transact(vec![expected]).is_err());
    }
}
