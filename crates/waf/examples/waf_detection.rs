//! What the default pack refuses, alone and together with the Core Rule Set: attacks by class and wrap,
//! ordinary texts, and the published lists. Prints every miss and every wrong refusal.
//! `cargo run -p waf --release --example waf_detection [FILE]`; FILE holds texts of your own, one per line.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring program may stop where it stands"
)]

#[path = "../tests/crs/corpus.rs"]
mod corpus;
#[path = "../tests/corpus/files.rs"]
mod files;
#[path = "../tests/corpus/mod.rs"]
mod payloads;

use std::collections::BTreeMap;
use std::path::Path;
use waf::{Findings, Part, Place, Plan, RequestFacts, RuleFiles, Settings};

const SETUP: &str = "SecAction \"id:900000,phase:1,nolog,pass,setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'\"\n";

fn main() {
    let mut plans = vec![("pack alone", compiled(&RuleFiles::none()))];
    let folder = corpus::folder();
    if let Some(folder) = &folder {
        plans.push((
            "pack and rule set",
            compiled(&corpus::rule_files(folder, SETUP)),
        ));
    }
    let attacks: Vec<(&str, String)> = payloads::payloads()
        .into_iter()
        .chain(files::attacks())
        .collect();
    let mut ordinary = payloads::business();
    ordinary.extend(files::ordinary());
    let published = folder.map(|folder| published(&folder)).unwrap_or_default();
    let own = std::env::args()
        .nth(1)
        .map(|path| String::from_utf8_lossy(&corpus::read(Path::new(&path))).into_owned());
    for (name, plan) in &plans {
        println!("== {name}");
        if let Some(own) = &own {
            passes(
                "own file",
                plan,
                &own.lines().map(str::to_owned).collect::<Vec<_>>(),
            );
            continue;
        }
        detects(plan, &attacks);
        passes("ordinary texts", plan, &ordinary);
        passes("published false positives", plan, &published);
    }
}

fn compiled(rules: &RuleFiles) -> Plan {
    waf::compile(&Settings::default(), rules).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn judged(plan: &Plan, text: &str) -> Findings {
    let length = text.len().to_string();
    let headers: [(&str, &[u8]); 5] = [
        ("Host", b"api.example.com"),
        ("User-Agent", b"facility-app/2.1"),
        ("Accept", b"application/json"),
        ("Content-Type", b"application/json"),
        ("Content-Length", length.as_bytes()),
    ];
    let facts = RequestFacts {
        method: "POST",
        path: "/v2/work-orders",
        protocol: "HTTP/1.1",
        client: "203.0.113.9",
        headers: &headers,
        body_bytes: text.len(),
        ..RequestFacts::default()
    };
    let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
    waf::inspect(&parts, &facts, plan, 0)
}

fn detects(plan: &Plan, attacks: &[(&str, String)]) {
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for (class, text) in attacks {
        let mut missed = Vec::new();
        for wrap in payloads::WRAPS {
            let count = counts.entry((class, wrap)).or_default();
            count.1 += 1;
            if judged(plan, &payloads::wrap(wrap, text)).refuse {
                count.0 += 1;
            } else {
                missed.push(wrap);
            }
        }
        if !missed.is_empty() {
            println!("missed {class} {}: {text:?}", missed.join(","));
        }
    }
    for ((class, wrap), (hit, all)) in counts {
        println!(
            "{class:20} {wrap:8} {hit:5} of {all:5} {:6.2} %",
            percent(hit, all)
        );
    }
}

fn passes(name: &str, plan: &Plan, texts: &[String]) {
    let mut wrong = 0;
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for text in texts {
        let found = judged(plan, text);
        if !found.refuse {
            continue;
        }
        wrong += 1;
        let ids: Vec<&str> = found.findings.iter().map(|hit| hit.rule.as_str()).collect();
        for id in &ids {
            *rules.entry((*id).to_owned()).or_default() += 1;
        }
        println!("refused {text:?} {}", ids.join(" "));
    }
    for (rule, count) in rules {
        println!("  {count:4} {rule}");
    }
    println!(
        "{name}: {wrong} of {} refused, {:.2} %",
        texts.len(),
        percent(wrong, texts.len())
    );
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

fn published(folder: &Path) -> Vec<String> {
    let path = folder.join("../libinjection/data/false_positives.txt");
    let text = std::fs::read(path).expect("the published list");
    String::from_utf8_lossy(&text)
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}
