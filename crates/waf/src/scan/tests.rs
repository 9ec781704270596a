use super::*;

#[test]
fn a_pattern_left_out_cannot_match() {
    let set =
        PatternSet::compile(["(?i)union\\s+select", "a{3}b", "x.?y", "[<>]foo|bar[0-9]"]).unwrap();
    let mut found = Candidates::default();
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
    ] {
        set.candidates(text.as_bytes(), &mut found);
        for id in 0..4 {
            assert!(
                found.has(id) || !set.is_match(id, text.as_bytes()),
                "{id} {text}"
            );
        }
    }
    set.candidates(b"plain words", &mut found);
    assert_eq!(found.iter().count(), 0);
}
