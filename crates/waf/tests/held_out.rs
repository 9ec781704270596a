//! The default pack, alone and together with the Core Rule Set, against attacks and ordinary texts that
//! the rules were not written from, and against the published list of false positives.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

#[path = "crs/corpus.rs"]
mod corpus;
#[path = "corpus/files.rs"]
mod files;
#[path = "corpus/mod.rs"]
mod payloads;

use std::collections::BTreeMap;
use std::path::Path;
use waf::{Findings, Part, Place, Plan, RequestFacts, RuleFiles, Settings};

/// How many of the published false positives are refused. A better count replaces a number; a worse one fails.
const PUBLISHED_ALONE: usize = 11;
const PUBLISHED_WITH_RULES: usize = 11;

const SETUP: &str = "SecAction \"id:900000,phase:1,nolog,pass,setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE'\"\n";

fn alone() -> Plan {
    waf::compile(&Settings::default(), &RuleFiles::none()).expect("the default pack compiles")
}

fn together(folder: &Path) -> Plan {
    waf::compile(&Settings::default(), &corpus::rule_files(folder, SETUP))
        .unwrap_or_else(|errors| panic!("{errors:?}"))
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

fn refused<'t>(plan: &Plan, texts: &'t [String]) -> Vec<&'t String> {
    texts
        .iter()
        .filter(|text| judged(plan, text).refuse)
        .collect()
}

fn ordinary() -> Vec<String> {
    let mut texts = payloads::business();
    texts.extend(files::ordinary());
    texts
}

fn published() -> Option<Vec<String>> {
    let folder = corpus::folder()?;
    let text = std::fs::read(folder.join("../libinjection/data/false_positives.txt"))
        .expect("the published list");
    let lines = String::from_utf8_lossy(&text).into_owned();
    let wanted = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    Some(lines.lines().filter(wanted).map(str::to_owned).collect())
}

#[test]
fn attacks_are_refused_in_every_class_and_wrap() {
    let plan = alone();
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let all: Vec<(&str, String)> = payloads::payloads()
        .into_iter()
        .chain(files::attacks())
        .collect();
    for (class, text) in &all {
        for wrap in payloads::WRAPS {
            let count = counts.entry((class, wrap)).or_default();
            count.1 += 1;
            if judged(&plan, &payloads::wrap(wrap, text)).refuse {
                count.0 += 1;
            }
        }
    }
    assert!(all.len() >= 3_000, "{} attacks", all.len());
    for ((class, wrap), (hit, count)) in counts {
        println!("{class:20} {wrap:8} {hit:5} of {count:5}");
        assert!(hit * 100 >= count * 97, "{class} {wrap}: {hit} of {count}");
    }
}

#[test]
fn ordinary_texts_pass_the_pack() {
    let texts = ordinary();
    let wrong = refused(&alone(), &texts);
    println!("{} of {} refused", wrong.len(), texts.len());
    assert!(texts.len() >= 4_000);
    assert!(wrong.len() * 100 <= texts.len(), "{wrong:#?}");
}

#[test]
fn ordinary_texts_pass_the_pack_together_with_the_rule_set() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let texts = ordinary();
    let wrong = refused(&together(&folder), &texts);
    println!("{} of {} refused", wrong.len(), texts.len());
    assert!(wrong.len() * 100 <= texts.len(), "{wrong:#?}");
}

#[test]
fn the_published_false_positives_only_become_fewer() {
    let (Some(folder), Some(texts)) = (corpus::folder(), published()) else {
        return;
    };
    let both = [
        (alone(), PUBLISHED_ALONE),
        (together(&folder), PUBLISHED_WITH_RULES),
    ];
    for (plan, known) in both {
        let wrong = refused(&plan, &texts);
        println!("{} of {} refused", wrong.len(), texts.len());
        assert!(wrong.len() <= known, "{wrong:#?}");
    }
}

#[test]
fn a_rule_met_by_ordinary_words_counts_in_company_and_at_level_two() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let plan = together(&folder);
    let text = "Union Square, select committee, from 10 to 12";
    let hint = judged(&plan, text);
    assert!(!hint.refuse && hint.score == 0, "{hint:?}");
    assert!(
        hint.excluded.iter().any(|finding| finding.rule == "942270"),
        "{hint:?}"
    );
    let company = judged(&plan, &format!("{text}; <script>alert(1)</script>"));
    assert!(
        company
            .findings
            .iter()
            .any(|finding| finding.rule == "942270"),
        "{company:?}"
    );
    let strict = Settings {
        paranoia: 2,
        ..Settings::default()
    };
    let strict = waf::compile(&strict, &corpus::rule_files(&folder, SETUP)).expect("compiles");
    assert!(judged(&strict, text).refuse);
    let only = Settings {
        default_pack: false,
        ..Settings::default()
    };
    let only = waf::compile(&only, &corpus::rule_files(&folder, SETUP)).expect("compiles");
    assert!(
        judged(&only, text).refuse,
        "without the pack the rule set judges by itself"
    );
}
