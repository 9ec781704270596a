//! What the default pack refuses, alone and together with the Core Rule Set: attacks by class and wrap,
//! ordinary texts, and the published lists. Prints every miss and every wrong refusal.
//! `cargo run -p waf --release --example waf_detection [texts FILE | attacks FILE]`; FILE holds texts or attacks of your
//! own, one per line, attacks below lines `## class`, written as in the corpus.
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
#[path = "../tests/corpus/measure.rs"]
mod measure;
#[path = "../tests/corpus/mod.rs"]
mod payloads;

use std::collections::BTreeMap;
use std::path::Path;
use waf::{Plan, Settings};

fn main() {
    let mut plans = vec![("pack alone", measure::alone())];
    let folder = corpus::folder();
    if let Some(folder) = &folder {
        let together = measure::together(&Settings::default(), folder);
        plans.push(("pack and rule set", together));
    }
    let published = folder.map(|folder| measure::published(&folder));
    let mut arguments = std::env::args().skip(1);
    let own = arguments.next().zip(arguments.next()).map(|(what, path)| {
        let text = corpus::read(Path::new(&path));
        (what, String::from_utf8_lossy(&text).into_owned())
    });
    for (name, plan) in &plans {
        println!("== {name}");
        match &own {
            Some((what, text)) if what == "attacks" => {
                detects(plan, &files::by_class(text));
                continue;
            }
            Some((_, text)) => {
                passes("own file", plan, &files::lines(text));
                continue;
            }
            None => detects(plan, &measure::attacks()),
        }
        passes("ordinary texts", plan, &measure::ordinary());
        let published = published.as_deref().unwrap_or_default();
        passes("published false positives", plan, published);
    }
}

fn detects(plan: &Plan, attacks: &[(&str, String)]) {
    let counts = measure::detected(plan, attacks, |class, wraps, text| {
        println!("missed {class} {}: {text:?}", wraps.join(","));
    });
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
        let found = measure::judged(plan, text);
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
