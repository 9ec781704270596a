//! The default pack against payloads of our own and ordinary texts of our own.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

mod corpus;

use std::collections::BTreeMap;
use waf::{Part, Place, Plan, RequestFacts, RuleFiles, Settings};

fn plan() -> Plan {
    waf::compile(&Settings::default(), &RuleFiles::none()).expect("the default pack compiles")
}

fn refused(plan: &Plan, text: &str) -> bool {
    let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
    waf::inspect(&parts, &RequestFacts::default(), plan, 0).refuse
}

#[test]
fn every_class_of_attack_is_refused_in_every_wrap() {
    let plan = plan();
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    let payloads = corpus::payloads();
    for (class, text) in &payloads {
        for wrap in corpus::WRAPS {
            let count = counts.entry((class, wrap)).or_default();
            count.1 += 1;
            if refused(&plan, &corpus::wrap(wrap, text)) {
                count.0 += 1;
            } else {
                missed.push(format!("{class} {wrap}: {text:?}"));
            }
        }
    }
    println!("{} payloads", payloads.len());
    for ((class, wrap), (hit, all)) in &counts {
        println!("{class:20} {wrap:8} {hit:5} of {all:5}");
    }
    println!("{}", missed.join("\n"));
    assert!(payloads.len() >= 2_000, "{} payloads", payloads.len());
    for ((class, wrap), (hit, all)) in counts {
        assert!(hit * 100 >= all * 97, "{class} {wrap}: {hit} of {all}");
    }
}

#[test]
fn ordinary_business_texts_pass() {
    let plan = plan();
    let texts = corpus::business();
    let mut wrong = Vec::new();
    for text in &texts {
        let parts = [Part::value(Place::Body, "/note", text.as_bytes())];
        let found = waf::inspect(&parts, &RequestFacts::default(), &plan, 0);
        if found.refuse {
            wrong.push(format!(
                "{text:?} {}",
                found
                    .findings
                    .iter()
                    .map(|hit| hit.rule.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            ));
        }
    }
    println!(
        "{} of {} refused\n{}",
        wrong.len(),
        texts.len(),
        wrong.join("\n")
    );
    assert!(texts.len() >= 3_000);
    assert!(
        wrong.len() * 100 <= texts.len(),
        "{} of {} refused",
        wrong.len(),
        texts.len()
    );
}
