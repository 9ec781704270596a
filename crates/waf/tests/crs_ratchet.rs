//! The regression suite of the Core Rule Set never gets worse.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands"
)]

#[path = "crs/corpus.rs"]
mod corpus;
mod crs;

#[test]
fn every_stage_passes_or_its_miss_is_accepted_with_a_reason() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let files = corpus::rule_files(&folder, crs::SUITE_SETUP);
    let rules = waf::seclang::RuleSet::load(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
    let outcome = crs::run(&folder, &rules, "");
    let accepted = crs::overrides();
    for miss in &outcome.misses {
        let key = (miss.rule, miss.test, miss.stage);
        assert!(accepted.contains_key(&key), "{key:?}: {}", miss.what);
    }
    for key in accepted.keys() {
        let still = outcome
            .misses
            .iter()
            .any(|miss| (miss.rule, miss.test, miss.stage) == *key);
        assert!(
            still,
            "{key:?} passes now: remove it from the accepted misses"
        );
    }
    assert!(outcome.stages >= 5_000, "{} stages", outcome.stages);
}
