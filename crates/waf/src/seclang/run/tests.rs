use super::*;
use crate::seclang::compile::tests::load;
use crate::seclang::store::{Message, Scope};

/// The rules that log something about a header and an argument.
fn judged(rules: &RuleSet, level: Option<i64>, header: &str, argument: &str) -> Vec<u32> {
    let message = Message {
        method: b"GET".to_vec(),
        target: b"/".to_vec(),
        headers: vec![(b"X-Note".to_vec(), header.as_bytes().to_vec())],
        is_cut: true,
        ..Message::default()
    };
    let mut transaction = Transaction::new(rules, &message, Mode::On);
    if let Some(level) = level {
        transaction.set("detection_paranoia_level", level);
    }
    transaction.phase(1);
    transaction.argument(Source::Body, b"a", argument.as_bytes(), Scope::Both);
    transaction.phase(2);
    transaction.events().iter().map(|event| event.id).collect()
}

const LEVELS: &str = r#"
SecRule REQUEST_HEADERS "@rx needle[0-9]" "id:1,phase:1,pass,log,tag:'paranoia-level/1'"
SecRule ARGS "@rx needle[0-9]" "id:2,phase:2,pass,log,tag:'paranoia-level/1'"
SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 3" "id:3,phase:2,pass,nolog,skipAfter:END"
SecRule ARGS "@rx needle[a-z]" "id:4,phase:2,pass,log,tag:'paranoia-level/3'"
SecMarker END
SecRule ARGS "@rx pin[a-z]" "id:5,phase:2,pass,log,tag:'paranoia-level/4'"
"#;

#[test]
fn a_level_leaves_out_what_the_rules_skip_and_nothing_else() {
    let rules = load(LEVELS).unwrap();
    let text = "needle1 needlex pinx";
    for (level, expected) in [
        (None, vec![1, 2, 4, 5]),
        (Some(0), vec![1, 2, 5]),
        // Rule 5 stands above the level, but no rule skips it.
        (Some(1), vec![1, 2, 5]),
        (Some(3), vec![1, 2, 4, 5]),
        (Some(9), vec![1, 2, 4, 5]),
    ] {
        assert_eq!(judged(&rules, level, text, text), expected, "{level:?}");
    }
}

#[test]
fn a_rule_that_raises_the_level_is_obeyed() {
    let raise = "SecAction \"id:9,phase:1,pass,nolog,setvar:tx.detection_paranoia_level=4\"";
    let rules = load(&format!("{raise}{LEVELS}")).unwrap();
    assert_eq!(judged(&rules, Some(1), "", "needlex"), [4]);
}

#[test]
fn a_header_that_came_before_is_judged_as_the_first_time() {
    let rules = load(LEVELS).unwrap();
    for _ in 0..3 {
        assert_eq!(judged(&rules, Some(1), "needle7", ""), [1]);
        assert_eq!(judged(&rules, Some(1), "needle", ""), [] as [u32; 0]);
    }
    // The same header under other rules.
    let others = load("SecRule REQUEST_HEADERS \"@rx ^needle\" \"id:8,phase:1,pass,log\"").unwrap();
    assert_eq!(judged(&others, Some(1), "needle", ""), [8]);
    assert_eq!(judged(&rules, Some(1), "needle", ""), [] as [u32; 0]);
}
