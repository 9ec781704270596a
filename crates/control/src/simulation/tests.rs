//! Everything that changes the running state, interleaved at random, beside a model that knows what was promised.
//! No thread, no time: a load is cut into its beginning, its reading and its end, and anything may happen in between.
//! A failure names its seed; `PORTCULLIS_SEED` runs that one alone.
//! Start reading at `Run::go`, then at `Run::check`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use audit::{Ledger, Opening, Recorder, Settings};
use config::{Compiled, Files, Options};
use crypto::{Kek, Keys, Root};
use gateway::{SharedState, Snapshot};
use identity::Credential;
use model::{KeyId, Timestamp};
use serde_json::{Value, json};
use store::{Backend, Filter, Step, Store, kinds};
use testkit::{Scale, bar};

use super::memory::{Book, Folder, Memory, Write};
use crate::commands::paused;
use crate::reload::{Ended, Ticket};
use crate::{Actor, Control, ControlParts, LoadedConfiguration, Loading, RefusedConfiguration};

mod permissions;

/// Steps of one interleaving.
const STEPS: u32 = 24;
/// Loads under way at once.
const LOADS_MAX: usize = 3;

/// What all interleavings share, because it takes long to make.
struct Fixture {
    memory: Arc<Memory>,
    store: Store,
    keys: Arc<Keys>,
    recorder: Arc<Recorder>,
    io: Arc<SharedState>,
    known: Vec<Arc<Compiled>>,
    _home: tempfile::TempDir,
}

/// What was promised.
#[derive(Default)]
struct Model {
    paused: BTreeSet<String>,
    /// Whether each key is revoked.
    keys: BTreeMap<KeyId, bool>,
    blocked: BTreeSet<String>,
    /// Which configuration is in force, and how often the directory had been changed when it was read.
    configuration: (usize, u64),
}

/// A load under way.
struct Load {
    ticket: Ticket,
    before: Arc<Snapshot>,
    /// What was read, and of which change of the directory.
    read: Option<(
        Result<LoadedConfiguration, RefusedConfiguration>,
        (usize, u64),
    )>,
}

/// How often each rare thing happened: a simulation in which they never do proves nothing.
#[derive(Debug, Default)]
struct Seen {
    dropped: u32,
    again: u32,
    refused: u32,
    unrecorded: u32,
    failed: u32,
    unsaid: u32,
    late: u32,
    unchanged: u32,
}

struct Run<'f> {
    fixture: &'f Fixture,
    control: Control,
    book: Arc<Book>,
    folder: Folder,
    model: Model,
    loads: Vec<Load>,
    seen: &'f mut Seen,
    random: u64,
}

/// What a command would make true.
enum Promise {
    Paused(&'static str, bool),
    Made,
    Revoked(KeyId),
    Blocked(String, bool),
}

fn quiet(_: &str) {}

fn set(names: &mut BTreeSet<String>, name: String, is_in: bool) {
    names.remove(&name);
    names.extend(is_in.then_some(name));
}

fn files(beta: bool, word: &str) -> Files {
    let mut files = Files::new();
    let text = |text: &str| {
        text.replace("@UPSTREAM@", "127.0.0.1:9")
            .replace("Keeps notes", word)
    };
    for (path, content) in [
        (
            "portcullis.yaml",
            include_str!("../../../../testkit/gate/portcullis.yaml"),
        ),
        (
            "apis/notes.yaml",
            include_str!("../../../../testkit/gate/apis/notes.yaml"),
        ),
        (
            "apis/notes.v1.openapi.yaml",
            include_str!("../../../../testkit/gate/apis/notes.v1.openapi.yaml"),
        ),
        (
            "integrations/alpha.yaml",
            include_str!("../../../../testkit/gate/integrations/alpha.yaml"),
        ),
    ] {
        files.insert(path, text(content).into_bytes());
    }
    if beta {
        let content = include_str!("../../../../testkit/gate/integrations/beta.yaml");
        files.insert("integrations/beta.yaml", text(content).into_bytes());
    }
    files
}

fn fixture() -> Fixture {
    let compile = |files: Files| {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let compiled = config::compile_to_read(&files, Options { now });
        Arc::new(compiled.unwrap_or_else(|mistakes| panic!("{mistakes:?}")).0)
    };
    let known = vec![
        compile(files(true, "Keeps notes")),
        compile(files(true, "Keeps many notes")),
        compile(files(false, "Keeps notes")),
    ];
    let home = tempfile::tempdir().unwrap();
    let kek = Kek::parse(Kek::generate_text().expose()).unwrap();
    let memory = Arc::new(Memory::default());
    let root = kek.wrap(&Root::generate());
    memory.set_meta("root", None, &root).unwrap();
    let opened = Store::over(Arc::clone(&memory) as Arc<dyn Backend>, &kek).unwrap();
    let keys = Arc::new(opened.keys);
    let opening = Opening::new(home.path(), Settings::new("test/ledger"), Arc::clone(&keys));
    let (recorder, _) = Recorder::open(opening, Timestamp::from_micros(1)).unwrap();
    let recorder = Arc::new(recorder);
    let base = Snapshot::of(Arc::clone(&known[0]), None, &|_| Err(String::new())).unwrap();
    let io = crate::start::shared(&opened.store, &keys, &recorder, &base).unwrap();
    Fixture {
        memory,
        store: opened.store,
        keys,
        recorder,
        io,
        known,
        _home: home,
    }
}

/// Every record, and not the keys.
fn forget(store: &Store) {
    for kind in kinds::KINDS {
        let all = store.list_all::<Value>(kind, Filter::All, 1_000).unwrap();
        let all = all.iter().map(|row| Step::delete(kind, &row.id));
        store.transact(all.collect()).unwrap();
    }
}

impl<'f> Run<'f> {
    fn new(fixture: &'f Fixture, seen: &'f mut Seen, seed: u64) -> Run<'f> {
        fixture.memory.next(Write::Good);
        forget(&fixture.store);
        fixture.io.credentials.store(Arc::default());
        let moment = fixture.io.clock.monotonic(fixture.io.clock.tick());
        for block in fixture.io.blocks.list(moment) {
            fixture.io.blocks.lift(&block.subject, moment);
        }
        let lies = Arc::new(Mutex::new((0, 0)));
        let folder = || Folder {
            known: fixture.known.clone(),
            lies: Arc::clone(&lies),
        };
        let parts = ControlParts {
            store: fixture.store.clone(),
            ledger: Ledger::clone(fixture.recorder.ledger()),
            recorder: Some(Arc::clone(&fixture.recorder)),
            keys: Arc::clone(&fixture.keys),
        };
        let base = Snapshot::of(Arc::clone(&fixture.known[0]), None, &|_| Err(String::new()));
        let loading = Loading::new(Box::new(folder()), quiet);
        let control =
            Control::running(parts, Arc::clone(&fixture.io), base.unwrap(), loading).unwrap();
        let book = Arc::new(Book::default());
        Run {
            fixture,
            control: control.with_journal(Arc::clone(&book) as Arc<dyn crate::Journal>),
            book,
            folder: folder(),
            model: Model::default(),
            loads: Vec::new(),
            seen,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    fn go(mut self) {
        for _ in 0..STEPS {
            let (state, records) = (self.state(), self.records());
            self.step();
            self.check();
            // No record, no effect.
            let is_recorded = self.recorded(records, |kind| {
                kind == "intent" || kind == "configuration.applied"
            });
            assert!(
                state == self.state() || is_recorded,
                "changed without a record"
            );
        }
        self.end();
    }

    fn step(&mut self) {
        let key = |run: &mut Self| {
            let keys: Vec<KeyId> = run.model.keys.keys().copied().collect();
            let index = run.below(keys.len().max(1));
            keys.get(index).copied()
        };
        let who = ["alpha", "beta"][self.below(2)];
        match self.below(14) {
            0 | 1 => self.edit(),
            2 => self.begin(),
            3 => self.read(),
            4 | 5 => self.finish(),
            6 => self.call(
                "integration.pause",
                json!({ "integration": who }),
                Promise::Paused(who, true),
            ),
            7 => self.call(
                "integration.resume",
                json!({ "integration": who }),
                Promise::Paused(who, false),
            ),
            8 => self.call("key.create", json!({ "integration": who }), Promise::Made),
            9 => {
                if let Some(id) = key(self) {
                    self.call(
                        "key.revoke",
                        json!({ "id": id.to_string() }),
                        Promise::Revoked(id),
                    );
                }
            }
            10 => {
                if let Some(id) = key(self) {
                    self.call("key.rotate", json!({ "id": id.to_string() }), Promise::Made);
                }
            }
            11 => self.block(),
            12 => {
                let next = [Write::Lost, Write::Unsaid][self.below(2)];
                self.fixture.memory.next(next);
            }
            _ => {
                let good = u32::try_from(self.below(3)).unwrap();
                *self.book.good.lock().unwrap() = Some(good);
            }
        }
    }

    fn edit(&mut self) {
        let which = self.below(self.fixture.known.len() + 1);
        let mut lies = self.folder.lies.lock().unwrap();
        *lies = (which, lies.1 + 1);
    }

    fn begin(&mut self) {
        if self.loads.len() < LOADS_MAX {
            let (ticket, before) = self
                .control
                .begin(self.control.loading.as_ref().unwrap(), false);
            self.loads.push(Load {
                ticket,
                before: before.unwrap(),
                read: None,
            });
        }
    }

    fn read(&mut self) {
        let index = self.below(self.loads.len().max(1));
        if let Some(load) = self.loads.get_mut(index) {
            let lies = *self.folder.lies.lock().unwrap();
            load.read = Some((self.folder.read(&load.before), lies));
        }
    }

    fn finish(&mut self) {
        let index = self.below(self.loads.len().max(1));
        if self.loads.get(index).is_none_or(|load| load.read.is_none()) {
            return self.read();
        }
        let load = self.loads.remove(index);
        let (outcome, read) = load.read.unwrap();
        let records = self.records();
        let loading = self.control.loading.as_ref().unwrap();
        match self
            .control
            .finish(loading, &load.ticket, &load.before, None, outcome)
        {
            Ended::Done(_, None) => {
                assert!(
                    read.1 >= self.model.configuration.1,
                    "an older one replaced a newer one"
                );
                assert!(self.recorded(records, |kind| kind == "configuration.applied"));
                self.model.configuration = read;
            }
            Ended::Done(_, Some(_)) => {
                self.seen.dropped += 1;
                let lies = *self.folder.lies.lock().unwrap();
                assert_eq!(
                    self.model.configuration, lies,
                    "dropped for one that is not the newest"
                );
            }
            Ended::Again => {
                self.seen.again += 1;
                self.begin();
            }
            Ended::Refused(_) => self.seen.refused += 1,
        }
    }

    fn block(&mut self) {
        let subject = format!("address:10.0.0.{}", self.below(3));
        let asked = json!({ "subject": &subject, "for": "1h", "reason": "simulated" });
        let is_added = self.below(2) == 0;
        let command = if is_added { "block.add" } else { "block.lift" };
        self.call(command, asked, Promise::Blocked(subject, is_added));
    }

    /// Does a command; the model follows what was recorded, written and answered.
    fn call(&mut self, command: &'static str, arguments: Value, promise: Promise) {
        let records = self.records();
        let write = self.fixture.memory.peek();
        let answer = self
            .control
            .call(command, &arguments, &Actor::server("simulated"));
        let is_begun = self.recorded(records, |kind| kind == "intent");
        let is_done = self.recorded(records, |kind| kind == command);
        match (&answer, is_begun) {
            (Ok(said), false) => {
                // It held already: nothing is recorded, and what is checked next finds it in force.
                let is_unchanged = said["changed"] == json!(false);
                assert!(
                    is_unchanged && !is_done,
                    "{command} was done without its records"
                );
                self.seen.unchanged += 1;
            }
            (Ok(said), true) => assert!(
                is_done && said["changed"] == json!(true),
                "{command}: {said}"
            ),
            (Err(_), false) => {
                self.seen.unrecorded += 1;
                return;
            }
            (Err(_), true) => match write {
                Write::Lost => {
                    self.seen.failed += 1;
                    return;
                }
                Write::Unsaid => self.seen.unsaid += 1,
                Write::Good => self.seen.late += 1,
            },
        }
        self.keep(promise, answer.ok());
    }

    fn keep(&mut self, promise: Promise, answer: Option<Value>) {
        let model = &mut self.model;
        match promise {
            Promise::Paused(who, is_paused) => set(&mut model.paused, who.to_owned(), is_paused),
            Promise::Blocked(subject, is_blocked) => set(&mut model.blocked, subject, is_blocked),
            Promise::Revoked(id) => model.keys.extend([(id, true)]),
            // A key whose making was not answered is nobody's; it may be there.
            Promise::Made => {
                let id = answer.and_then(|said| KeyId::parse(said["id"].as_str()?));
                model.keys.extend(id.map(|id| (id, false)));
            }
        }
    }

    /// What was reported as done holds, and nothing else does.
    fn check(&self) {
        let snapshot = self.fixture.io.snapshot.load();
        for facts in snapshot.identities.iter() {
            let name = &*facts.name;
            assert_eq!(facts.is_paused, self.model.paused.contains(name), "{name}");
        }
        let in_force = &self.fixture.known[self.model.configuration.0];
        assert!(
            snapshot.compiled.hash == in_force.hash,
            "another configuration"
        );
        let table = self.fixture.io.credentials.load();
        for (id, is_revoked) in &self.model.keys {
            let entry = table.get(*id).unwrap_or_else(|| panic!("{id} is gone"));
            assert_eq!(entry.record().revoked_at.is_some(), *is_revoked, "{id}");
        }
        assert_eq!(self.blocked(), self.model.blocked);
    }

    fn blocked(&self) -> BTreeSet<String> {
        let moment = self
            .fixture
            .io
            .clock
            .monotonic(self.fixture.io.clock.tick());
        let blocks = self.fixture.io.blocks.list(moment);
        blocks
            .iter()
            .map(|block| block.subject.to_string())
            .collect()
    }

    /// Everything comes to rest: the newest directory is in force, and the store holds what was promised.
    fn end(mut self) {
        self.fixture.memory.next(Write::Good);
        *self.book.good.lock().unwrap() = None;
        while !self.loads.is_empty() {
            self.finish();
            self.check();
        }
        let lies = *self.folder.lies.lock().unwrap();
        match self.control.reload(None) {
            Ok(_) => self.model.configuration = lies,
            Err(_) => assert_eq!(lies.0, self.fixture.known.len(), "a good one was refused"),
        }
        self.check();
        assert_eq!(paused(&self.fixture.store).unwrap(), self.model.paused);
        let rows =
            self.fixture
                .store
                .list_all::<Credential>(&kinds::CREDENTIAL, Filter::All, 1_000);
        let rows: BTreeMap<KeyId, bool> = rows
            .unwrap()
            .into_iter()
            .map(|row| (row.value.id, row.value.revoked_at.is_some()))
            .collect();
        for (id, is_revoked) in &self.model.keys {
            assert_eq!(rows.get(id), Some(is_revoked), "{id} after a restart");
        }
        self.outcomes();
    }

    /// No intent has two outcomes, and no outcome is without an intent.
    fn outcomes(&self) {
        let events = self.book.events.lock().unwrap();
        let mut open = BTreeSet::new();
        for event in events.iter().filter(|event| event.id.is_some()) {
            let is_fitting = match event.kind.name() {
                "intent" => open.insert(event.id),
                _ => open.remove(&event.id),
            };
            assert!(is_fitting, "{event:?}");
        }
    }

    /// All that requests are decided by.
    fn state(&self) -> (String, BTreeSet<String>, String) {
        let snapshot = self.fixture.io.snapshot.load();
        let paused: Vec<_> = snapshot
            .identities
            .iter()
            .map(|facts| (facts.name.to_string(), facts.is_paused))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect();
        let table = self.fixture.io.credentials.load();
        let keys: Vec<_> = table.iter().map(|entry| entry.record().clone()).collect();
        (
            format!("{} {paused:?}", snapshot.short_hash),
            self.blocked(),
            format!("{keys:?}"),
        )
    }

    fn records(&self) -> usize {
        self.book.events.lock().unwrap().len()
    }

    fn recorded(&self, since: usize, is_meant: impl Fn(&str) -> bool) -> bool {
        let events = self.book.events.lock().unwrap();
        events[since..]
            .iter()
            .any(|event| is_meant(event.kind.name()))
    }

    /// A number below this one (xorshift64*).
    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let drawn = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % limit
    }
}

#[test]
fn what_was_reported_holds_in_every_interleaving() {
    let fixture = fixture();
    let mut seen = Seen::default();
    if let Ok(seed) = std::env::var("PORTCULLIS_SEED") {
        return Run::new(&fixture, &mut seen, seed.parse().unwrap()).go();
    }
    let count = Scale::pick(1_000, 100_000, 1_000_000);
    for seed in 1..=count {
        let run = std::panic::AssertUnwindSafe(|| Run::new(&fixture, &mut seen, seed).go());
        if let Err(panic) = std::panic::catch_unwind(run) {
            bar(
                "T1",
                "interleavings until a promise was broken",
                seed,
                false,
            );
            eprintln!("PORTCULLIS_SEED={seed} shows it");
            std::panic::resume_unwind(panic);
        }
    }
    bar(
        "T1",
        "random interleavings in which every promise held",
        count,
        true,
    );
    let Seen {
        dropped,
        again,
        refused,
        unrecorded,
        failed,
        unsaid,
        late,
        unchanged,
    } = &seen;
    for often in [
        dropped, again, refused, unrecorded, failed, unsaid, late, unchanged,
    ] {
        assert!(*often > 20, "too rare to prove anything: {seen:?}");
    }
}
