//! Texts of a world that stand in an answer.
//! Exports `tokens`.

use std::collections::BTreeSet;

/// Texts that nobody else has.
pub fn tokens(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("zq") {
        let rest = &text[at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(rest.len());
        let token = &rest[..end];
        if is_planted(token) {
            found.insert(token.to_owned());
        }
    }
    found
}

/// Whether this is an id or a text as `Object` writes them. Sealed texts hold any letters: a number and a dash were met
/// in one of them, so the end counts as well.
fn is_planted(token: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((number, rest)) = token[2..].split_once('-') else {
        return false;
    };
    digits(number) && (rest == "id" || rest.strip_suffix(['a', 'b']).is_some_and(digits))
}

#[test]
fn only_what_was_planted_counts_as_planted() {
    for (token, is) in [
        ("zq8-id", true),
        ("zq9999-0a", true),
        ("zq12-10b", true),
        ("zq8-invdirA", false),
        ("zq-id", false),
        ("zq8-a", false),
        ("zq8", false),
    ] {
        assert_eq!(is_planted(token), is, "{token}");
    }
}
