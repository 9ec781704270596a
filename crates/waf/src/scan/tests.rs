use super::*;
use proptest::prelude::*;

#[test]
fn a_pattern_left_out_cannot_match() {
    let set = PatternSet::compile([
        "(?i)union\\s+select",
        "a{3}b",
        "x.?y",
        "[<>]foo|bar[0-9]",
        "^$",
        "\\bid\\b|w$",
    ])
    .unwrap();
    for text in [
        "UNION  SELECT",
        "aaab",
        "xy",
        "x-y",
        ">foo",
        "bar7",
        "",
        "nothing here",
        "bar",
        "id",
        "w",
    ] {
        hold(&set, text.as_bytes());
    }
    let mut found = Candidates::default();
    set.candidates(b"plain letters", &mut found);
    assert_eq!(found.iter().filter(|id| *id < 4).count(), 0);
}

fn hold(set: &PatternSet, text: &[u8]) {
    let mut found = Candidates::default();
    set.candidates(text, &mut found);
    for id in 0..u32::try_from(set.len()).unwrap() {
        assert!(
            found.has(id) || !set.is_match(id, text),
            "pattern {id} matches {:?} but was left out",
            String::from_utf8_lossy(text)
        );
    }
}

/// Pieces of expressions, put together at random.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-d]{1,4}",
        Just("[a-c]".to_owned()),
        Just("[^b]".to_owned()),
        Just(".".to_owned()),
        Just("\\s".to_owned()),
        Just("\\b".to_owned()),
        Just("(?i:Ab)".to_owned()),
        Just("\\x00".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            proptest::collection::vec(inner.clone(), 1..4)
                .prop_map(|parts| format!("(?:{})", parts.join("|"))),
            inner.clone().prop_map(|part| format!("(?:{part})?")),
            inner.clone().prop_map(|part| format!("(?:{part})*")),
            inner.clone().prop_map(|part| format!("({part})+")),
            inner.prop_map(|part| format!("(?:{part}){{2,3}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_filter_never_removes_a_true_match(
        patterns in proptest::collection::vec(expression(), 1..5),
        texts in proptest::collection::vec("[a-eAB \\x00]{0,12}", 1..12),
    ) {
        let set = PatternSet::compile(patterns.iter().map(String::as_str)).unwrap();
        for text in texts {
            hold(&set, text.as_bytes());
        }
    }
}
