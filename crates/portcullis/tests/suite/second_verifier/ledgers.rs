//! Ledgers of different histories, and exports of them.
//! Start reading at `Exports::write`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit::{Ends, Opening, Recorder, Settings};
use crypto::{Kek, Keys, Root, Secret};
use model::event::{ActorRef, AuthenticatedBy};
use model::{DecisionId, Event, Kind, Outcome, Timestamp, Word};

use crate::line::SplitMix64;

pub const ORIGIN: &str = "test.example/ledger";

/// An export, and what is known of it.
pub struct Export {
    pub bytes: Vec<u8>,
    /// The first key of its ledger, and the one that signs now.
    pub key: String,
    pub newest_key: String,
    /// Whether a key of it was given up.
    pub is_compromised: bool,
}

/// Exports of several ledgers of the same name and first key.
pub struct Exports {
    pub all: Vec<Export>,
    pub keys: Arc<Keys>,
}

/// An export that an older version wrote.
pub fn fixture(form: &str, name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    crates
        .join("audit/tests/written-before")
        .join(form)
        .join(name)
}

const ROOT: [u8; 32] = [7; 32];
const KEK: [u8; 32] = [1; 32];

pub fn keys() -> Arc<Keys> {
    let root = Root::from_secret(Secret::new(ROOT));
    Arc::new(Keys::new(&root, &Kek::from_secret(Secret::new(KEK))))
}

/// What these follow from, in hexadecimal.
pub fn secrets() -> Vec<String> {
    vec![crypto::text::hex(&ROOT), crypto::text::hex(&KEK)]
}

/// Directories of small ledgers, stopped, with the exit code of their verification: plain, with another key, with one that was given
/// up, and with records destroyed whose key is there again in the last one. And those of older versions.
pub fn directories(place: &Path, dice: &mut SplitMix64) -> Vec<(PathBuf, i32)> {
    let keys = keys();
    let histories = [
        (Then::Nothing, 0),
        (Then::Signer(Ends::Routine), 0),
        (Then::Signer(Ends::Compromised), 2),
        (Then::Destroyed, 0),
        (Then::Destroyed, 2),
    ];
    let mut all: Vec<(PathBuf, i32)> = Vec::new();
    for (index, (then, code)) in histories.into_iter().enumerate() {
        let dir = place.join(format!("directory {index}"));
        let mut history = History::open(&dir, &keys, 2_000);
        (0..14).for_each(|_| history.put());
        let key = dir.join("00000000000000000000.key");
        let copy = fs::read(&key).unwrap();
        history.then(then, &dir, &keys);
        history.recorder.checkpoint().unwrap();
        (0..2 + dice.below(4)).for_each(|_| history.put());
        history.recorder.stop().unwrap();
        if code == 2 && matches!(then, Then::Destroyed) {
            fs::write(&key, copy).unwrap();
        }
        all.push((dir, code));
    }
    for (form, code) in [("1", 0), ("2", 0), ("3", 2), ("4", 0)] {
        all.push((fixture(form, "ledger"), code));
    }
    all
}

fn moment(n: u64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus(Duration::from_secs(n))
}

/// A call, a call of a person, a change, or a refusal with many words.
fn event(n: u64) -> Event {
    let call = Event {
        at: moment(n),
        kind: Kind::Request.into(),
        id: Some(DecisionId::new(moment(n), [n.to_le_bytes()[0]; 10])),
        outcome: Outcome::Allow.into(),
        integration: Some("crm".into()),
        path: Some(format!("/v2/orders/{n}").into()),
        ..Event::default()
    };
    match n % 4 {
        0 => call,
        1 => Event {
            user: Some(format!("person {}", n % 3).into()),
            ..call
        },
        2 => Event {
            kind: Word::new("key.revoke"),
            outcome: Outcome::Done.into(),
            user: Some("root".into()),
            actor: Some(ActorRef {
                authenticated_by: AuthenticatedBy::Store.into(),
                uid: Some(0),
                process: None,
                calls_itself: None,
            }),
            path: None,
            ..call
        },
        _ => Event {
            outcome: Outcome::Refuse.into(),
            detail: Some(
                "a \"word\"\\\u{2028}\u{7f}\u{e9}\n \"ledger.signer\" {\"checkpoint\":".into(),
            ),
            ..call
        },
    }
}

/// What happens to a ledger after this many records.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    Signer(Ends),
    Destroyed,
}

impl Exports {
    /// So many exports of any part of ledgers: of one without a change of its key, with one, with one that was given up, and of one
    /// whose beginning was destroyed.
    pub fn write(place: &Path, dice: &mut SplitMix64, count: usize) -> Exports {
        let keys = keys();
        let histories = [
            (Then::Nothing, Then::Nothing),
            (Then::Signer(Ends::Routine), Then::Signer(Ends::Routine)),
            (Then::Signer(Ends::Routine), Then::Signer(Ends::Compromised)),
            (Then::Destroyed, Then::Signer(Ends::Routine)),
        ];
        let mut all = Vec::new();
        for (index, (first, second)) in histories.into_iter().enumerate() {
            let dir = place.join(index.to_string());
            let ledger = History::write(&dir, &keys, dice, first, second);
            for _ in 0..count / histories.len() {
                all.push(ledger.export(dice));
            }
        }
        Exports { all, keys }
    }
}

struct History {
    recorder: Recorder,
    records: u64,
    readable_from: u64,
    is_compromised: bool,
}

impl History {
    fn open(dir: &Path, keys: &Arc<Keys>, segment_bytes: u64) -> History {
        let mut settings = Settings::new(ORIGIN);
        settings.segment_bytes = segment_bytes;
        let opening = Opening::new(dir.to_path_buf(), settings, Arc::clone(keys));
        History {
            recorder: Recorder::open(opening, moment(0)).unwrap().0,
            records: 0,
            readable_from: 0,
            is_compromised: false,
        }
    }

    fn write(
        dir: &Path,
        keys: &Arc<Keys>,
        dice: &mut SplitMix64,
        first: Then,
        second: Then,
    ) -> History {
        let mut history = History::open(dir, keys, 6_000);
        for then in [first, second, Then::Nothing] {
            for _ in 0..20 + dice.below(20) {
                history.put();
                if dice.is_lucky(15) {
                    history.recorder.checkpoint().unwrap();
                }
            }
            history.then(then, dir, keys);
        }
        history.recorder.checkpoint().unwrap();
        history
    }

    fn put(&mut self) {
        let seq = self.recorder.record(&event(self.records)).wait().unwrap();
        assert_eq!(seq, self.records);
        self.records += 1;
    }

    fn then(&mut self, then: Then, dir: &Path, keys: &Keys) {
        match then {
            Then::Nothing => {}
            Then::Signer(ends) => {
                let change = Event {
                    at: moment(self.records),
                    outcome: Outcome::Done.into(),
                    ..Event::default()
                };
                self.recorder.rotate_signer(change, ends).unwrap();
                self.records += 1;
                self.is_compromised |= ends == Ends::Compromised;
            }
            Then::Destroyed => {
                let intent = Event {
                    at: moment(self.records),
                    kind: Kind::Intent.into(),
                    operation: Some(audit::DESTROY.into()),
                    outcome: Outcome::Pending.into(),
                    destroys: Some(self.records),
                    ..Event::default()
                };
                let record = self.recorder.record(&intent).wait().unwrap();
                let gone = audit::destroy(dir, keys, self.records, record, moment(self.records));
                self.readable_from = gone.unwrap().before_seq;
                assert!(self.readable_from > 0);
                let done = Event {
                    kind: Word::new(audit::DESTROY),
                    operation: None,
                    outcome: Outcome::Done.into(),
                    destroys: Some(self.readable_from),
                    ..intent
                };
                self.recorder.record(&done).wait().unwrap();
                self.records += 2;
            }
        }
    }

    fn export(&self, dice: &mut SplitMix64) -> Export {
        let from = self.readable_from + dice.below(self.records - self.readable_from);
        let to = match dice.below(3) {
            0 => u64::MAX,
            _ => from + dice.below(self.records - from),
        };
        let mut bytes = Vec::new();
        let exported = audit::export(self.recorder.ledger(), from..=to, &mut bytes).unwrap();
        Export {
            bytes,
            key: self.recorder.ledger().first_key().to_string(),
            newest_key: exported.public_key.to_string(),
            is_compromised: self.is_compromised,
        }
    }
}

/// The bytes of a fixture.
pub fn fixture_bytes(form: &str, name: &str) -> Vec<u8> {
    fs::read(fixture(form, name)).unwrap()
}
