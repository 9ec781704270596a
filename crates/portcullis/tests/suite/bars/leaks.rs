//! X2: random contracts, grants, objects and questions; two worlds that differ only in what the caller may not learn have to
//! answer with the same bytes, and nothing that was not granted appears in any of them.
//! The oracle is `model`: it shares no code with the product and knows each object and each grant as plain data.
//! Start reading at `nothing_hidden_can_be_told_from_nothing`.

mod asking;
mod files;
mod model;
mod nothing;
mod random;
mod rings;
mod tokens;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;

use testkit::{Gate, Scale, Server, bar};

use asking::{Asked, Line, Topic};
use model::World;
use random::Random;

/// Connections that ask at once.
const WORKERS: usize = 6;

/// What was asked and what was found.
#[derive(Debug, Default)]
struct Tally {
    by_topic: BTreeMap<Topic, u64>,
    leaks: Vec<String>,
    legitimate: u64,
    wrongly_refused: Vec<String>,
    refused: u64,
}

#[test]
fn nothing_hidden_can_be_told_from_nothing() {
    let (worlds, questions) = Scale::pick((3, 150), (20, 1_100), (100, 2_000));
    let mut tally = Tally::default();
    let mut unusable = 0;
    for seed in seeds(worlds) {
        match Pair::start(seed) {
            Some(pair) => {
                pair.ask(questions, &mut tally);
                pair.show_when_alone();
            }
            None => unusable += 1,
        }
    }
    report(&tally, worlds, unusable);
    assert!(
        unusable * 5 <= worlds,
        "{unusable} of {worlds} configurations were refused"
    );
    let wrong = [tally.leaks, tally.wrongly_refused].concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The worlds to try: `PORTCULLIS_SEED=15` tries that one again.
fn seeds(worlds: u64) -> std::ops::Range<u64> {
    match std::env::var("PORTCULLIS_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("a number");
            seed..seed + 1
        }
        Err(_) => 0..worlds,
    }
}

fn report(tally: &Tally, worlds: u64, unusable: u64) {
    let all: u64 = tally.by_topic.values().sum();
    let needed = Scale::pick(1, 20_000, 20_000);
    let each = Scale::pick(1, 500, 500);
    bar(
        "X2",
        "questions asked in two worlds each",
        all,
        all >= needed,
    );
    for (topic, count) in &tally.by_topic {
        bar("X2", &format!("of them {topic:?}"), count, *count >= each);
    }
    bar(
        "X2",
        "configurations generated",
        format!("{worlds}, {unusable} of them refused by check"),
        unusable * 5 <= worlds,
    );
    bar("X2", "leaks", tally.leaks.len(), tally.leaks.is_empty());
    bar(
        "X2",
        "legitimate calls right",
        format!(
            "{}, {} wrong",
            tally.legitimate,
            tally.wrongly_refused.len()
        ),
        tally.legitimate >= Scale::pick(1, 300, 300) && tally.wrongly_refused.is_empty(),
    );
    bar(
        "X2",
        "questions refused",
        tally.refused,
        tally.refused < all,
    );
}

/// Two servers with the same configuration in front of two worlds.
struct Pair {
    world: World,
    /// As things are.
    real: Server,
    /// What the caller may not learn is different.
    other: Server,
    keys: Vec<(String, String)>,
    /// What each caller may be told by the one and by the other.
    allowed: Vec<[BTreeSet<String>; 2]>,
    _upstreams: [testkit::RecordingUpstream; 2],
}

impl Pair {
    fn start(seed: u64) -> Option<Pair> {
        let world = World::new(seed);
        let upstreams = [
            upstream::start(&world, false),
            upstream::start(&world, true),
        ];
        let gates = [0, 1].map(|index: usize| files::gate(&world, upstreams[index].address()));
        let [real, other]: [Gate; 2] = gates;
        let real = Server::try_start(crate::program(), real);
        let real = match real {
            Ok(server) => server,
            Err(ended) => {
                println!("seed {seed}: {}", ended.stderr);
                return None;
            }
        };
        let other = Server::start(crate::program(), other);
        let keys = world
            .callers
            .iter()
            .map(|caller| {
                (
                    real.quick_key(&caller.name, &[]).text,
                    other.quick_key(&caller.name, &[]).text,
                )
            })
            .collect();
        let allowed = world.callers.iter().map(|caller| {
            [&world.objects, &world.changed_for(caller)].map(|all| world.allowed(caller, all))
        });
        Some(Pair {
            allowed: allowed.collect(),
            world,
            real,
            other,
            keys,
            _upstreams: upstreams,
        })
    }

    /// With a single seed: everything that was configured, for whoever looks for the cause.
    fn show_when_alone(&self) {
        if std::env::var_os("PORTCULLIS_SEED").is_some() {
            for caller in &self.world.callers {
                let path = format!("integrations/{}.yaml", caller.name);
                println!("{path}\n{}", self.real.gate.text(&path));
            }
            println!("{:#?}", self.world.kinds);
        }
    }

    fn ask(&self, questions: u64, tally: &mut Tally) {
        let shared = Mutex::new(std::mem::take(tally));
        let addresses = [self.real.address("public"), self.other.address("public")];
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                let shared = &shared;
                scope.spawn(move || {
                    let mut random = Random::new(self.world.seed * 1_000 + worker as u64);
                    let mut lines = addresses.map(Line::open);
                    for _ in 0..questions / WORKERS as u64 {
                        let caller = random.below(self.world.callers.len());
                        let asked = Asked::random(&self.world, caller, &mut random);
                        self.one(caller, &asked, &mut lines, shared);
                    }
                });
            }
        });
        *tally = shared.into_inner().expect("no worker panicked");
    }

    fn one(&self, caller: usize, asked: &Asked, lines: &mut [Line; 2], tally: &Mutex<Tally>) {
        let [real, other] = lines;
        let keys = &self.keys[caller];
        let (mut here, mut there) = (real.send(asked, &keys.0), other.send(asked, &keys.1));
        let mut found = Vec::new();
        let name = &self.world.callers[caller].name;
        let what = format!(
            "PORTCULLIS_SEED={} as {name}: {} {} {}",
            self.world.seed, asked.method, asked.target, asked.body
        );
        // Followed a page on where one is given; the sealed cursor belongs to one server and differs.
        found.extend(self.compared(&what, caller, asked, &here, &there));
        if let Some((mine, theirs)) = asking::cursors(&here, &there) {
            let (first, second) = (asked.following(&mine), asked.following(&theirs));
            (here, there) = (real.send(&first, &keys.0), other.send(&second, &keys.1));
            let what = format!("{what}, next page");
            found.extend(self.compared(&what, caller, asked, &here, &there));
        }
        let mut tally = tally.lock().expect("no worker panicked");
        *tally.by_topic.entry(asked.topic).or_default() += 1;
        tally.refused += u64::from(here.status >= 400);
        if let Some(expected) = &asked.expected {
            tally.legitimate += 1;
            if let Some(wrong) = expected.differs(&here) {
                tally.wrongly_refused.push(format!("{what}: {wrong}"));
            }
        }
        tally.leaks.extend(found);
    }

    fn compared(
        &self,
        what: &str,
        caller: usize,
        asked: &Asked,
        here: &demo::CallResponse,
        there: &demo::CallResponse,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let (plain, changed) = (asking::normal(here), asking::normal(there));
        if plain != changed {
            found.push(format!("{what}: told apart\n  {plain}\n  {changed}"));
        }
        for (response, allowed) in [here, there].into_iter().zip(&self.allowed[caller]) {
            let told = asking::whole(response);
            for token in self.world.untold(allowed, asked, &told) {
                found.push(format!("{what}: {token} in\n  {told}"));
            }
        }
        found
    }
}
