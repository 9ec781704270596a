use super::*;
use crate::detector::Libinjection;
use crate::scan::{Candidates, PatternSet};
use proptest::prelude::*;

#[test]
fn ids_are_unique_and_begin_with_their_class() {
    let rules = rules::all();
    for (number, rule) in rules.iter().enumerate() {
        let class = rule.class.code().trim_start_matches("inspect.");
        assert!(
            rule.id.starts_with(&format!("pack.{class}.")),
            "{}",
            rule.id
        );
        assert!(
            !rules
                .iter()
                .skip(number + 1)
                .any(|other| other.id == rule.id),
            "{}",
            rule.id
        );
    }
}

#[test]
fn a_pattern_is_written_in_pieces_that_can_be_read() {
    // Every file of the room: patterns stand beside `leak` as well.
    let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let inside = std::fs::read_dir(&path).unwrap();
            open.extend(inside.map(|entry| entry.unwrap().path()));
            continue;
        }
        files += 1;
        let source = std::fs::read_to_string(&path).unwrap();
        // A piece stands on a line of its own.
        for line in source.lines() {
            let (length, path) = (line.len(), path.display());
            assert!(length <= 230, "{path}: {length} bytes: {line}");
        }
    }
    assert!(files > 50, "{files} files");
}

static COMPILED: std::sync::LazyLock<(Vec<Rule>, PatternSet)> = std::sync::LazyLock::new(|| {
    let rules = rules::all();
    let set = PatternSet::compile(rules.iter().map(|rule| rule.pattern)).unwrap();
    (rules, set)
});

proptest! {
    #[test]
    fn the_filter_never_hides_an_attack_from_a_rule(text in ".{0,60}", at in 0usize..60, seed in 0usize..8) {
        let seeds = ["' or 1=1 --", "<script>alert(1)</script>", "; cat /etc/passwd", "../../etc/passwd", "${jndi:ldap://x}", "{{7*7}}", "*)(uid=*", "<!DOCTYPE a ["];
        let mut letters: Vec<char> = text.chars().collect();
        let place = at.min(letters.len());
        letters.splice(place..place, seeds[seed].chars());
        let text: String = letters.into_iter().collect();
        let (rules, set) = &*COMPILED;
        let mut found = Candidates::default();
        set.candidates(text.as_bytes(), &mut found);
        for id in 0..u32::try_from(rules.len()).unwrap() {
            prop_assert!(found.has(id) || !set.is_match(id, text.as_bytes()), "{} {text}", rules[id as usize].id);
        }
    }

    #[test]
    fn the_gate_of_the_script_detector_changes_nothing(text in "[a-z<=>\"' /:;()!-]{0,40}") {
        let plain = libinjectionrs::detect_xss(text.as_bytes()).is_injection();
        prop_assert_eq!(Libinjection.xss(text.as_bytes()), plain);
    }

    #[test]
    fn the_gate_of_the_sql_detector_changes_nothing(text in "[a-zA-Z0-9_]{0,12}") {
        prop_assert_eq!(Libinjection.sqli(text.as_bytes()).is_some(), libinjectionrs::detect_sqli(text.as_bytes()).is_injection());
    }

    #[test]
    fn decoding_stays_within_its_bounds(text in ".{0,400}") {
        let (found, _) = crate::views::views(text.as_bytes(), PartKind::Value, true);
        prop_assert!(found.len() <= crate::views::VIEWS_MAX);
        prop_assert!(found.iter().all(|view| view.chain.len() <= crate::views::DEPTH_MAX + 1));
    }
}

fn refused(text: &str) -> bool {
    let plan = crate::compile(&crate::Settings::default(), &crate::RuleFiles::none()).unwrap();
    let parts = [Part::value(crate::Place::Body, "/a", text.as_bytes())];
    crate::inspect(&parts, &crate::RequestFacts::default(), &plan, 0).refuse
}

#[test]
fn padding_does_not_hide_an_encoded_attack() {
    // `' OR 1=1--` behind many readable base64 words, and behind many strings of nested JSON.
    let words = "UmVwbGFjZSB0aGUgcHVtcA== ".repeat(3)
        + &(0..60)
            .map(|n| format!("cHVtcCBudW1iZXIg{n:02}zz "))
            .collect::<String>();
    assert!(refused(&format!("{words} JyBPUiAxPTEtLQ==")));
    let strings: Vec<String> = (0..300).map(|n| format!("\"word {n}\"")).collect();
    assert!(refused(&format!("[{},\"' OR 1=1--\"]", strings.join(","))));
    let names: Vec<String> = (0..300).map(|n| format!("\"k{n}\":1")).collect();
    assert!(refused(&format!("{{{},\"$where\":1}}", names.join(","))));
    assert!(!refused(&format!("[{}]", strings.join(","))));
}

#[test]
fn a_comparison_is_an_attack_where_both_sides_are_the_same() {
    for text in [
        "4 or plant=plant",
        "x) or (b=a) or (a = A",
        "12 and lower('x')=lower('x')",
        "@@port=@@PORT",
        ";c=id;$c",
        "..%c0%2f..%c0%2f..",
    ] {
        assert!(refused(text), "{text}");
    }
    // Nor can it be hidden behind others.
    assert!(refused(&format!("1{} or x=x", " or a=b".repeat(300))));
    assert!(!refused(&" or a=b".repeat(100)));
    for text in [
        "colour=red or size=big",
        "f(1)=g(1)",
        "x=1;$y",
        "so..%..so?..so",
    ] {
        assert!(!refused(text), "{text}");
    }
}

#[test]
fn a_nul_in_what_base64_decodes_to_counts_behind_the_name_of_a_file() {
    // `report.php`, NUL, `.png`.
    assert!(refused("cmVwb3J0LnBocAAucG5n"));
    for text in [
        "UABSIWVD",
        "ZHEA2451",
        "SURFACE_DTX",
        "box CloudABI",
        "AAAAAAAAAAAAAAAAAAAAAA==",
        "UgBlAGMAaABuAHUAbgBnACAANAAyAA==",
        "dXNlcgBwYXNzd29yZA==",
    ] {
        assert!(!refused(text), "{text}");
    }
}
