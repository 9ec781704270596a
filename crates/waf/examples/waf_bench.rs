//! CPU per request for the three reference requests, next to libmodsecurity where it is installed.
//! `cargo run -p waf --release --example waf_bench`
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring program may stop where it stands"
)]

#[path = "../tests/crs/corpus.rs"]
mod corpus;
#[path = "../tests/crs/peer.rs"]
mod peer;
#[path = "../tests/crs/reference.rs"]
mod reference;
#[path = "../tests/crs/requests.rs"]
mod requests;

use std::hint::black_box;
use std::time::Instant;
use waf::seclang::RuleSet;
use waf::{FieldLanguage, FieldPlan, Part, Place, RequestFacts, RuleFiles, Settings};

fn main() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let begun = Instant::now();
    let files = corpus::rule_files(&folder, &peer::blocking_setup(1));
    let rules = RuleSet::load(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
    println!("rules load: {:?}", begun.elapsed());
    let reference = reference::reference();
    let ours: Vec<f64> = reference
        .iter()
        .map(|(name, raw)| {
            let (mut message, body) = requests::cut(raw);
            let (denied, ids) = requests::judge(&rules, &message, &body);
            assert!(denied.is_none(), "{name} is denied by {denied:?}: {ids:?}");
            let mut ids = request_ids();
            best(20, || {
                let named = |(name, _): &&mut (Vec<u8>, Vec<u8>)| name == b"X-Request-Id";
                if let Some((_, id)) = message.headers.iter_mut().find(named) {
                    id.copy_from_slice(&ids());
                }
                black_box(requests::judge(&rules, &message, &body));
            })
        })
        .collect();
    let theirs: Vec<f64> = match peer::Peer::build() {
        None => Vec::new(),
        Some(peer) => {
            let raws: Vec<Vec<u8>> = reference.iter().map(|(_, raw)| raw.clone()).collect();
            let lines = peer.run(&folder, 1, "bench", 20, &raws);
            lines.iter().filter_map(|line| line.parse().ok()).collect()
        }
    };
    for (number, ((name, raw), ours)) in reference.iter().zip(&ours).enumerate() {
        match theirs.get(number) {
            Some(theirs) => println!(
                "{name} ({} bytes): {ours:.1} us, libmodsecurity {theirs:.1} us: 1/{:.1}",
                raw.len(),
                theirs / ours
            ),
            None => println!("{name} ({} bytes): {ours:.1} us", raw.len()),
        }
    }
    with_contract(&rules_plan(files), theirs.get(1).copied());
    worst_case(&rules);
    linear(&rules);
}

/// A new id for each request: what a thread remembers of earlier headers must not flatter the figures.
fn request_ids() -> impl FnMut() -> [u8; 12] {
    let mut last = 0x0193_a2b4_c5d6u64;
    move || {
        last += 0x0001_0000_0f31;
        let mut id = [b'0'; 12];
        for (place, shift) in id.iter_mut().rev().zip((0..48).step_by(4)) {
            *place = b"0123456789abcdef"[(last >> shift & 15) as usize];
        }
        id
    }
}

fn rules_plan(files: RuleFiles) -> waf::Plan {
    waf::compile(&Settings::default(), &files).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What the contract of the work order says about each of its fields; the others are free text.
fn contract() -> Vec<(&'static str, FieldLanguage)> {
    let pattern = |source: &str, length_max: usize| FieldLanguage::Pattern {
        source: source.to_owned(),
        length_max: Some(length_max),
    };
    let values = |values: &[&str]| {
        FieldLanguage::Values(values.iter().map(|value| (*value).to_owned()).collect())
    };
    vec![
        ("/id", FieldLanguage::Uuid),
        ("/number", pattern("^WO-[0-9]{4}-[0-9]{5}$", 13)),
        (
            "/status",
            values(&["draft", "scheduled", "in_progress", "done", "cancelled"]),
        ),
        ("/priority", FieldLanguage::Integer),
        ("/site/id", pattern("^site-[0-9]{1,6}$", 11)),
        ("/site/country", pattern("^[A-Z]{2}$", 2)),
        ("/asset/serial", pattern("^[A-Z]{3}-[0-9]{5}-[A-Z]$", 11)),
        ("/asset/installed_on", FieldLanguage::Date),
        ("/scheduled_from", FieldLanguage::DateTime),
        ("/scheduled_to", FieldLanguage::DateTime),
        ("/estimate", FieldLanguage::Number),
        ("/currency", values(&["EUR", "GBP", "USD"])),
        ("/approved", FieldLanguage::Boolean),
    ]
}

/// The work order as a contract cuts it: names are the contract's, every value is there, and what is
/// proven about its field goes with it. Our own pack runs too.
fn with_contract(directed: &waf::Plan, theirs: Option<f64>) {
    let order = reference::work_order(0);
    let mut leaves = Vec::new();
    flatten("", &order, &mut leaves);
    let pack = waf::compile(&Settings::default(), &RuleFiles::none())
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    for (name, plan) in [
        ("our pack alone", &pack),
        ("our pack and the rules", directed),
    ] {
        let begun = Instant::now();
        let fields: Vec<(&str, FieldPlan)> = contract()
            .iter()
            .map(|(pointer, language)| (*pointer, plan.field(language)))
            .collect();
        println!(
            "proofs of {} fields, {name}: {:?}",
            fields.len(),
            begun.elapsed()
        );
        for (pointer, field) in &fields {
            let proof = field.proof();
            println!(
                "  {pointer}: {} of {} rules dead, left {:?}",
                proof.dead, proof.rules, proof.live
            );
        }
        let parts: Vec<Part<'_>> = leaves
            .iter()
            .map(|(pointer, text)| {
                let mut part = Part::value(Place::Body, pointer, text.as_bytes());
                let known = fields.iter().find(|(known, _)| known == pointer);
                part.field = known.map(|(_, field)| field);
                part
            })
            .collect();
        let mut ids = request_ids();
        let ours = best(20, || {
            let found = with_head(&ids(), |facts| waf::inspect(&parts, facts, plan, 0));
            assert!(!black_box(found).refuse, "the work order is refused");
        });
        match theirs {
            Some(theirs) => println!(
                "work order with contract, {} values, {name}: {ours:.1} us: 1/{:.1}",
                parts.len(),
                theirs / ours
            ),
            None => println!("work order with contract, {name}: {ours:.1} us"),
        }
    }
}

/// Gives the head of the request that carries the work order.
fn with_head<R>(id: &[u8], run: impl FnOnce(&RequestFacts<'_>) -> R) -> R {
    let headers: [(&str, &[u8]); 7] = [
        ("Host", b"api.example.com"),
        ("User-Agent", b"partner-client/2.4"),
        ("Accept", b"application/json"),
        ("Accept-Encoding", b"gzip"),
        ("X-Request-Id", id),
        ("Content-Type", b"application/json"),
        ("Content-Length", b"887"),
    ];
    run(&RequestFacts {
        operation: "createWorkOrder",
        method: "POST",
        path: "/v2/work-orders",
        protocol: "HTTP/1.1",
        client: "127.0.0.1",
        headers: &headers,
        body_bytes: 887,
        ..RequestFacts::default()
    })
}

/// Every value of a document with its pointer.
fn flatten(pointer: &str, value: &serde_json::Value, leaves: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                flatten(&format!("{pointer}/{name}"), member, leaves);
            }
        }
        serde_json::Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                flatten(&format!("{pointer}/{number}"), item, leaves);
            }
        }
        serde_json::Value::String(text) => leaves.push((pointer.to_owned(), text.clone())),
        other => leaves.push((pointer.to_owned(), other.to_string())),
    }
}

/// Bodies of 64 KB that are hard on patterns.
fn worst_case(rules: &RuleSet) {
    let size = 64 << 10;
    let mut seed = 7u32;
    let random: Vec<u8> = (0..size)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b' ' + ((seed >> 24) as u8 % 94)
        })
        .collect();
    let rows: [(&str, Vec<u8>); 6] = [
        ("random text", random),
        ("select repeated", b"select ".repeat(size / 7)),
        ("quotes", b"'\"".repeat(size / 2)),
        ("tags", b"<a onx=\"".repeat(size / 8)),
        ("braces", b"${{#{".repeat(size / 5)),
        ("words", b"echo system eval ".repeat(size / 17)),
    ];
    for (name, text) in rows {
        let body = [b"note=".as_slice(), &text].concat();
        let raw = requests::raw(
            "POST",
            "/v2/notes",
            "application/x-www-form-urlencoded",
            &body,
        );
        let (message, body) = requests::cut(&raw);
        let ours = best(1, || {
            black_box(requests::judge(rules, &message, &body));
        });
        println!("64 KB of {name}: {:.1} ms", ours / 1000.0);
    }
}

/// Nanoseconds per byte must not grow with the size.
fn linear(rules: &RuleSet) {
    let settings = Settings {
        work_max: u64::MAX,
        ..Settings::default()
    };
    let pack =
        waf::compile(&settings, &RuleFiles::none()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let pieces = [
        "select ",
        "'\"",
        "<a onx=\"",
        "${{#{",
        "a/*b*/",
        "%41",
        "\\u0041",
        "&#x41;",
        "//a@",
        "UmVwbGFj ",
        "[\"a\",",
        "../",
        "union/**/",
    ];
    for piece in pieces {
        let mut row = format!("cost of {piece:?} in ns per byte (pack / rules):");
        for size in [1 << 10, 1 << 14, 1 << 17, 1 << 20] {
            let text = piece.repeat(size / piece.len());
            let parts = [Part::value(Place::Body, "/a", text.as_bytes())];
            let facts = RequestFacts::default();
            let ours = once(|| {
                black_box(waf::inspect(&parts, &facts, &pack, 0));
            });
            let raw = requests::raw(
                "POST",
                "/v2/notes",
                "application/x-www-form-urlencoded",
                &[b"note=", text.as_bytes()].concat(),
            );
            let (message, body) = requests::cut(&raw);
            let directed = once(|| {
                black_box(requests::judge(rules, &message, &body));
            });
            row.push_str(&format!(
                " {}:{:.0}/{:.0}",
                size >> 10,
                ours / size as f64,
                directed / size as f64
            ));
        }
        println!("{row}");
    }
}

/// Nanoseconds of one run after a warm one.
fn once(mut run: impl FnMut()) -> f64 {
    run();
    let begun = Instant::now();
    run();
    begun.elapsed().as_secs_f64() * 1e9
}

/// Microseconds per run, the best of eight batches. A batch is long, for the clock ticks slowly.
fn best(count: usize, mut run: impl FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..count {
        run();
    }
    let once = begun.elapsed().as_secs_f64() / count as f64;
    let count = ((0.15 / once) as usize).max(1);
    (0..8)
        .map(|_| {
            let begun = cpu();
            for _ in 0..count {
                run();
            }
            (cpu() - begun) / count as f64
        })
        .fold(f64::MAX, f64::min)
}

/// Microseconds of CPU this thread has used, so that other load does not count.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = text
        .split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0.0);
    nanoseconds / 1000.0
}
