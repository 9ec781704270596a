//! No field outside the caller's grant leaves, in any answer, error or log; and what `access` says is what happens.
//! An upstream plants a canary in every field; a reader of its own says which canaries each caller may see.
//! `PORTCULLIS_R4_REQUESTS` and `PORTCULLIS_SEED` change number and kind of the requests.
//! Start reading at `no_canary_outside_a_grant_leaves`.

mod canary;
mod foretold;
mod requests;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use net::Workers;
use serde_json::{Value, json};
use testkit::{Gate, Server};

use self::canary::{Aviary, MARK, Numbers, attributes, canaries};
use self::requests::{Asked, Generator};
use self::written::{Operation, Sight, Written, joined};
use crate::line::{RawResponse, number, send};
use crate::serve;

/// Clients at once.
const THREADS: u64 = 6;

/// Everything that stands: upstream, server, one key per integration.
struct Company {
    written: Arc<Written>,
    numbers: Numbers,
    keys: Arc<BTreeMap<&'static str, String>>,
    server: Server,
    upstream: Option<Workers>,
    /// Where the upstream listens.
    address: SocketAddr,
}

impl Company {
    fn start(faults_percent: u64) -> Company {
        Company::start_with(faults_percent, |_| {})
    }

    /// The same, with a change of the configuration that the reader of the written files does not know of.
    fn start_with(faults_percent: u64, change: impl FnOnce(&Gate)) -> Company {
        let written = Arc::new(Written::read());
        let aviary = Aviary::new(&written, faults_percent);
        let (upstream, address) = aviary.host();
        let gate = Gate::demo(address).all_plain().unlimited();
        change(&gate);
        let server = serve(gate);
        let key = |name: &&'static str| (*name, server.quick_key(name, &[]).text);
        let keys = Arc::new(demo::INTEGRATIONS.iter().map(key).collect());
        Company {
            numbers: Numbers::of(&written),
            written,
            keys,
            server,
            upstream: Some(upstream),
            address,
        }
    }

    fn generator(&self, seed: u64) -> Generator {
        Generator::new(&self.written, &self.keys, seed)
    }

    /// What leaves that may not, in one answer.
    fn leaks(&self, asked: &Asked, response: &RawResponse, tally: &mut Tally) -> Vec<String> {
        let named = self.written.find(&asked.method, &asked.path);
        let operation = named.map(|(operation, _)| operation);
        let text = response.whole();
        let mut leaks = Vec::new();
        for (api, id, field, object) in canaries(&text) {
            let own = operation.filter(|own| own.api == api && own.id == id);
            let is_granted =
                own.is_some_and(|own| self.may_show(asked, response, own, &field, Some(&object)));
            if is_granted {
                tally.granted += 1
            } else {
                leaks.push(format!("{api} {id} {field} of {object}"))
            }
        }
        for (api, id, field) in self.numbers.find(&response.text()) {
            let own = operation.filter(|own| own.api == *api && own.id == *id);
            let is_granted =
                own.is_some_and(|own| self.may_show(asked, response, own, field, None));
            if is_granted {
                tally.granted += 1
            } else {
                leaks.push(format!("{api} {id} {field}, a number"))
            }
        }
        // Also what carries no canary: names, truth values, states.
        if (200..300).contains(&response.status) {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
            let mut fields = BTreeSet::new();
            leaves(&body, "", &mut fields);
            for field in fields {
                tally.fields += 1;
                let is_granted =
                    operation.is_some_and(|own| self.may_show_in_part(asked, own, &field));
                if !is_granted {
                    leaks.push(format!("the field {field}"));
                }
            }
        }
        leaks
    }

    fn may_show(
        &self,
        asked: &Asked,
        response: &RawResponse,
        own: &Operation,
        field: &str,
        object: Option<&str>,
    ) -> bool {
        let kind = own.kind.as_str();
        let object = object.map(|id| attributes(kind, id));
        let sight = self.written.sight(asked.who, own, field, object.as_ref());
        (200..300).contains(&response.status) && sight == Sight::Full
    }

    fn may_show_in_part(&self, asked: &Asked, own: &Operation, field: &str) -> bool {
        self.written.sight(asked.who, own, field, None) > Sight::None
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        if let Some(upstream) = self.upstream.take() {
            canary::stop(upstream);
        }
    }
}

/// What was seen over all answers.
#[derive(Debug, Default)]
struct Tally {
    responses: BTreeMap<u16, u64>,
    /// Good answers by integration and operation.
    good: BTreeSet<(&'static str, String)>,
    /// Canaries that were where they may be.
    granted: u64,
    /// Fields of good answers.
    fields: u64,
    leaks: Vec<String>,
    decisions: Vec<String>,
}

/// Fields of a value that hold something: `items.*.id`. Empty containers hold nothing.
fn leaves(value: &Value, path: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, below)| leaves(below, &joined(path, name), out)),
        Value::Array(items) => items
            .iter()
            .for_each(|below| leaves(below, &joined(path, "*"), out)),
        Value::Null if path.is_empty() => {}
        _ => drop(out.insert(path.to_owned())),
    }
}

fn ask(company: &Company, seed: u64, count: u64, whole: &Mutex<Tally>) {
    let mut generator = company.generator(seed);
    let mut lines = BTreeMap::new();
    let mut tally = Tally::default();
    for _ in 0..count {
        let asked = generator.next();
        let address = company.server.address(asked.listener);
        let line = lines.entry(asked.listener).or_insert(None);
        let sent = send(line, address, &asked.bytes).or_else(|_| send(line, address, &asked.bytes));
        let response =
            sent.unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&asked.bytes)));
        let leaks = company.leaks(&asked, &response, &mut tally);
        if let (Some(leak), true) = (leaks.first(), tally.leaks.len() < 20) {
            let asked_for = String::from_utf8_lossy(&asked.bytes)
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            tally.leaks.push(format!(
                "{} asked {asked_for} ({}): {leak} and {} more",
                asked.who,
                response.status,
                leaks.len() - 1
            ));
        }
        *tally.responses.entry(response.status).or_default() += 1;
        if response.status < 300
            && let Some((operation, _)) = company.written.find(&asked.method, &asked.path)
        {
            tally
                .good
                .insert((asked.who, format!("{} {}", operation.api, operation.id)));
        }
        let decision = response
            .decision()
            .unwrap_or_else(|| panic!("no decision id: {}", response.head));
        if tally.decisions.len() < 40 || generator.pick(50) == 0 {
            tally.decisions.push(decision.to_owned());
        }
    }
    let mut all = whole.lock().unwrap();
    for (status, count) in tally.responses {
        *all.responses.entry(status).or_default() += count;
    }
    all.good.extend(tally.good);
    all.granted += tally.granted;
    all.fields += tally.fields;
    all.leaks.extend(tally.leaks);
    all.decisions.extend(tally.decisions);
}

#[test]
fn no_canary_outside_a_grant_leaves() {
    let total = number("PORTCULLIS_R4_REQUESTS", 20_000);
    let seed = number("PORTCULLIS_SEED", 1);
    let company = Company::start(6);
    let tally = Mutex::new(Tally::default());
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (company, tally) = (&company, &tally);
            let count = total / THREADS + u64::from(thread < total % THREADS);
            scope.spawn(move || ask(company, seed * 1_000 + thread, count, tally));
        }
    });
    let mut tally = tally.into_inner().unwrap();
    println!(
        "seed {seed}: {} answers in {:.1?} {:?}, {} granted canaries, {} fields, {} leaks",
        tally.responses.values().sum::<u64>(),
        started.elapsed(),
        tally.responses,
        tally.granted,
        tally.fields,
        tally.leaks.len()
    );
    assert_eq!(tally.leaks, Vec::<String>::new());
    assert_eq!(tally.responses.values().sum::<u64>(), total);
    if total >= 20_000 {
        the_test_had_something_to_find(&company, &tally);
    }
    tally.decisions.sort();
    nothing_is_kept(&company, &tally.decisions);
}

/// Leaks among the answers to one integration's requests, under a configuration that gives more than is written.
fn leaks_of_wider(path: &str, from: &str, to: &str) -> Vec<String> {
    let company = Company::start_with(0, |gate| gate.edit(path, from, to));
    let tally = Mutex::new(Tally::default());
    ask(&company, 5, 400, &tally);
    tally.into_inner().unwrap().leaks
}

/// Whoever looks for leaks has to see them: each of these configurations makes the product show too much.
#[test]
fn a_grant_wider_than_written_is_seen_as_a_leak() {
    let accounting = "integrations/accounting.yaml";
    let more_fields = leaks_of_wider(
        accounting,
        "fields: [id, number,",
        "fields: [dispatcherNotes, id, number,",
    );
    assert!(
        more_fields
            .iter()
            .any(|leak| leak.contains("dispatcherNotes")),
        "{more_fields:?}"
    );
    let more_numbers = leaks_of_wider(
        "integrations/inventory.yaml",
        "fields: [id, sku,",
        "fields: [supplierPrice, id, sku,",
    );
    assert!(
        more_numbers.iter().any(|leak| leak.contains("a number")),
        "{more_numbers:?}"
    );
    let more_objects = leaks_of_wider(
        "roles/partner.yaml",
        "when: resource.partner == principal.partner",
        "when: resource.partner != \"nobody\"",
    );
    assert!(!more_objects.is_empty());
    let unmasked = leaks_of_wider(
        "integrations/dispatch.yaml",
        "    masks: { workPhone: last4 }\n",
        "",
    );
    assert!(
        unmasked.iter().any(|leak| leak.contains("workPhone")),
        "{unmasked:?}"
    );
}

/// A run in which everything was refused would prove nothing.
fn the_test_had_something_to_find(company: &Company, tally: &Tally) {
    for who in demo::INTEGRATIONS {
        for operation in &company.written.operations {
            let is_reachable = company.written.is_granted(who, operation)
                && requests::listener(operation).is_some();
            let name = (*who, format!("{} {}", operation.api, operation.id));
            assert!(
                !is_reachable || tally.good.contains(&name),
                "never a good answer: {name:?}"
            );
        }
    }
    assert!(tally.granted > 20_000, "{tally:?}");
}

/// Logs, metrics, ledger and explanations: no value of any field, granted or not.
fn nothing_is_kept(company: &Company, decisions: &[String]) {
    let server = &company.server;
    let file = server.gate.home().join("export.jsonl");
    let ended = server.cli(&["ledger", "export", "--out", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let export = std::fs::read_to_string(&file).unwrap();
    assert!(export.lines().count() > decisions.len());
    let metrics = crate::line::Line::open(server.address("admin"))
        .unwrap()
        .send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    assert!(metrics.text().contains("portcullis_decisions_total"));
    for (what, text) in [
        ("stdout", server.stdout()),
        ("stderr", server.stderr()),
        ("metrics", metrics.whole()),
        ("export", export),
    ] {
        free_of_canaries(company, what, &text);
    }
    let started = std::time::Instant::now();
    let every = (decisions.len() / 200).max(1);
    for (at, decision) in decisions.iter().step_by(every).take(200).enumerate() {
        // The command line prints what the admin service says; a few go the long way.
        let text = match at % 40 {
            0 => server.cli(&["explain", decision, "-o", "json"]).stdout,
            _ => server
                .admin("decision.explain", &json!({ "id": decision }))
                .to_string(),
        };
        assert!(text.contains("told_to_caller"), "{text}");
        free_of_canaries(company, decision, &text);
    }
    println!("explained after {:.1?}", started.elapsed());
}

fn free_of_canaries(company: &Company, what: &str, text: &str) {
    if let Some((_, rest)) = text.split_once(MARK) {
        panic!(
            "{what} holds the canary {MARK}{}",
            rest.chars().take(120).collect::<String>()
        );
    }
    if let Some(field) = company.numbers.find(text).first() {
        panic!("{what} holds the number of {field:?}");
    }
}

/// What `access WHO` says: `operation field` to sight.
fn matrix(company: &Company, who: &str) -> BTreeMap<(String, String, String), Sight> {
    let ended = company.server.cli(&["access", who, "-o", "json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    let mut found = BTreeMap::new();
    for row in rows(&document) {
        let sight = match &row["how"] {
            how if how == "full" => Sight::Full,
            how if how.to_string().contains("mask") => Sight::Masked,
            _ => continue,
        };
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let best = found
            .entry((text("api"), text("operation"), text("field")))
            .or_insert(Sight::None);
        *best = sight.max(*best);
    }
    found
}

fn rows(document: &Value) -> Vec<Value> {
    let held = [
        &document["rows"],
        &document["matrix"]["rows"],
        &document["access"]["rows"],
    ];
    let found = held.into_iter().find_map(Value::as_array);
    found
        .unwrap_or_else(|| panic!("no rows in {document}"))
        .clone()
}

/// The values at a path.
fn at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut here = vec![value];
    for step in path.split('.') {
        here = match step {
            "*" => here
                .iter()
                .flat_map(|v| v.as_array().into_iter().flatten())
                .collect(),
            name => here.iter().filter_map(|v| v.get(name)).collect(),
        };
    }
    here
}

/// How a field was truly seen in an answer.
fn seen(response: &RawResponse, field: &str) -> Sight {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    if !(200..300).contains(&response.status) {
        return Sight::None;
    }
    let values = at(&body, field);
    let is_masked = |value: &&Value| {
        value
            .as_str()
            .is_some_and(|text| text.starts_with("***") && !text.contains(MARK))
    };
    match values.is_empty() {
        true => Sight::None,
        false if values.iter().all(is_masked) => Sight::Masked,
        false if values.iter().any(is_masked) => panic!("some masked, some not: {field}"),
        false => Sight::Full,
    }
}

/// Who, which operation, which field.
type Triple = (&'static str, usize, String);

fn triples(company: &Company, generator: &mut Generator, total: usize) -> Vec<Triple> {
    let mut triples = Vec::new();
    while triples.len() < total {
        let (who, at) = generator.pair(60);
        let fields = &company.written.operations[at].fields;
        if !fields.is_empty() {
            triples.push((who, at, fields[generator.pick(fields.len())].0.clone()));
        }
    }
    // Masks are few; all of them are asked for.
    for (at, operation) in company.written.operations.iter().enumerate() {
        let sight = |field: &str| company.written.sight("dispatch", operation, field, None);
        let is_reachable = requests::listener(operation).is_some();
        let fields = operation.fields.iter().filter(|_| is_reachable);
        let masked = fields.filter(|(field, _)| sight(field) == Sight::Masked);
        triples.extend(masked.map(|(field, _)| ("dispatch", at, field.clone())));
    }
    triples
}

#[test]
fn what_access_says_is_what_a_request_shows() {
    let total = usize::try_from(number("PORTCULLIS_R4_TRIPLES", 2_000)).unwrap();
    let company = Company::start(0);
    let of = |who: &&'static str| (*who, matrix(&company, who));
    let matrices: BTreeMap<&str, _> = demo::INTEGRATIONS.iter().map(of).collect();
    let mut generator = company.generator(number("PORTCULLIS_SEED", 1));
    let (mut lines, mut counts, mut wrong) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (who, index, field) in triples(&company, &mut generator, total) {
        let operation = &company.written.operations[index];
        let asked = generator.valid(who, index);
        let address = company.server.address(asked.listener);
        let line = lines.entry(asked.listener).or_insert(None);
        let response = send(line, address, &asked.bytes).unwrap();
        let is_granted = company.written.is_granted(who, operation);
        assert_eq!(
            (200..300).contains(&response.status),
            is_granted,
            "{who}: {}: {}",
            String::from_utf8_lossy(&asked.bytes),
            response.whole()
        );
        let key = (operation.api.clone(), operation.id.clone(), field.clone());
        let said = matrices[who].get(&key).copied().unwrap_or(Sight::None);
        let shown = seen(&response, &field);
        *counts.entry(said).or_insert(0u32) += 1;
        if said != shown {
            let operation = &operation.id;
            wrong.push(format!(
                "{who} {operation} {field}: said {said:?}, shown {shown:?}"
            ));
        }
    }
    println!("{counts:?}, {} wrong", wrong.len());
    assert_eq!(wrong, Vec::<String>::new());
    for sight in [Sight::None, Sight::Masked, Sight::Full] {
        assert!(
            counts.contains_key(&sight),
            "no triple with {sight:?}: {counts:?}"
        );
    }
}
