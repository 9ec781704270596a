use super::*;
use crate::bytes::find_pair;
use proptest::prelude::*;

#[test]
fn patterns_that_plain_texts_keep_alive_are_gathered() {
    let mut set =
        PatternSet::compile(["[a-z]+[0-9]{3}", "[a-z] +[0-9]{6}", "rare literal", "[a-z]"])
            .unwrap();
    set.gather(&[u64::MAX]);
    let crowd = set.crowd.as_ref().expect("two patterns to gather");
    let gathered = |marks: &[u64]| {
        let mut left = marks.to_vec();
        crowd.settle(b"plain words 12", &mut left, marks.iter().copied());
        marks[0] & !left[0]
    };
    // The last one matches nearly everything, the third is seldom a candidate.
    assert_eq!(gathered(&[0b1111]), 0b0011);
    assert_eq!(gathered(&[0b0001]), 0, "one alone is asked by itself");
}

#[test]
fn a_pair_is_found_where_it_first_stands() {
    assert_eq!(find_pair(b"a-b--c--", *b"--"), Some(3));
    assert_eq!(find_pair(b"---", *b"--"), Some(0));
    assert_eq!(find_pair(b"-", *b"--"), None);
    assert_eq!(find_pair(b"", *b"--"), None);
}

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

    #[test]
    fn patterns_asked_together_answer_as_each_alone(
        patterns in proptest::collection::vec(expression(), 2..6),
        texts in proptest::collection::vec("[a-eAB \\x00]{0,12}", 1..12),
    ) {
        let set = PatternSet::compile(patterns.iter().map(String::as_str)).unwrap();
        let members = set.patterns.iter().zip(0u32..);
        let crowd = CombinedDfa::of(members.map(|(pattern, id)| (id, &pattern.parsed)).collect(), 1);
        let crowd = crowd.unwrap();
        for text in texts {
            let text = text.as_bytes();
            let mut marks = [u64::MAX];
            assert!(crowd.settle(text, &mut marks, std::iter::once(u64::MAX)));
            let matching = (0..u32::try_from(set.len()).unwrap()).any(|id| set.is_match(id, text));
            let ours = (1u64 << set.len()) - 1;
            assert_eq!(marks[0] & ours != 0, matching);
            assert_eq!(marks[0] | ours, u64::MAX, "others are left alone");
        }
    }

    #[test]
    fn a_pattern_that_needs_other_bytes_cannot_match(
        pattern in expression(),
        text in "[a-eAB \\x00]{0,12}",
    ) {
        let set = PatternSet::compile([pattern.as_str()]).unwrap();
        let present = ByteSet::of(text.as_bytes());
        let lacks = set.lacks_bytes(std::iter::once(1), &present);
        assert!(!(lacks && set.is_match(0, text.as_bytes())));
    }
}
