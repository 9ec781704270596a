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
#[path = "corpus/measure.rs"]
mod measure;
#[path = "corpus/mod.rs"]
mod payloads;

use measure::{alone, judged, ordinary, together};
use waf::{Plan, Settings};

/// How many of the published false positives are refused. A better count replaces a number; a worse one fails.
const PUBLISHED_ALONE: usize = 10;
const PUBLISHED_WITH_RULES: usize = 10;

fn refused<'t>(plan: &Plan, texts: &'t [String]) -> Vec<&'t String> {
    texts
        .iter()
        .filter(|text| judged(plan, text).refuse)
        .collect()
}

#[test]
fn attacks_are_refused_in_every_class_and_wrap() {
    let all = measure::attacks();
    let counts = measure::detected(&measure::alone(), &all, |class, wraps, text| {
        println!("missed {class} {}: {text:?}", wraps.join(","));
    });
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
    let wrong = refused(&together(&Settings::default(), &folder), &texts);
    println!("{} of {} refused", wrong.len(), texts.len());
    assert!(wrong.len() * 100 <= texts.len(), "{wrong:#?}");
}

#[test]
fn the_published_false_positives_only_become_fewer() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let texts = measure::published(&folder);
    let both = [
        (alone(), PUBLISHED_ALONE),
        (
            together(&Settings::default(), &folder),
            PUBLISHED_WITH_RULES,
        ),
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
    let plan = together(&Settings::default(), &folder);
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
    assert!(judged(&together(&strict, &folder), text).refuse);
    let only = Settings {
        default_pack: false,
        ..Settings::default()
    };
    assert!(
        judged(&together(&only, &folder), text).refuse,
        "without the pack the rule set judges by itself"
    );
}
