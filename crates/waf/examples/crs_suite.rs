//! Runs the regression suite of the Core Rule Set and prints what passes.
//! `cargo run -p waf --release --example crs_suite [FILE-PART]`
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring program may stop where it stands"
)]

#[path = "../tests/crs/corpus.rs"]
mod corpus;
#[path = "../tests/crs/mod.rs"]
mod crs;

use std::time::Instant;

fn main() {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let only = std::env::args().nth(1).unwrap_or_default();
    let begun = Instant::now();
    let files = corpus::rule_files(&folder, crs::SUITE_SETUP);
    let rules = match waf::seclang::RuleSet::load(&files) {
        Ok(rules) => rules,
        Err(errors) => {
            for error in &errors {
                println!("{error}");
            }
            println!("{} mistakes: nothing loads", errors.len());
            std::process::exit(1);
        }
    };
    println!(
        "{} rules of {} loaded in {:?}",
        rules.len(),
        rules.signature(),
        begun.elapsed()
    );
    let begun = Instant::now();
    let outcome = crs::run(&folder, &rules, &only);
    let accepted = crs::overrides();
    for miss in &outcome.misses {
        let reason = accepted.get(&(miss.rule, miss.test, miss.stage));
        let what = reason.map_or_else(|| miss.what.clone(), |reason| format!("accepted: {reason}"));
        println!(
            "MISS {} test {} stage {}: {what}",
            miss.rule, miss.test, miss.stage
        );
    }
    for (level, (passed, stages)) in &outcome.levels {
        let name = if *level == 0 {
            "rules without level".to_owned()
        } else {
            format!("PL{level} rules")
        };
        println!(
            "{name}: {passed} of {stages} stages pass ({:.2} %)",
            percent(*passed, *stages)
        );
    }
    println!(
        "{} stages assert on the HTTP server only: not runnable here",
        outcome.skipped
    );
    println!(
        "{} of {} stages pass ({:.2} %) in {:?}",
        outcome.passed,
        outcome.stages,
        percent(outcome.passed, outcome.stages),
        begun.elapsed()
    );
}

fn percent(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / (whole.max(1) as f64)
}
