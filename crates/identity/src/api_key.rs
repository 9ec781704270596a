//! The form of an API key: `pk_live_` + 43 random letters and digits + 6 of checksum.
//! Exports `ApiKey::generate`, `read` (offline check), `digest`, `redacted`, `is_in` and the published `PATTERN`.
//! Used by `credential` (to make keys), the api_key method, `portcullis key check`, and whatever writes down texts that
//! strangers sent.
//! Start reading at `read`. The prefix lets scanners find leaked keys; the checksum keeps them from false alarms.

use std::borrow::Cow;

use crypto::text::{BASE62_LEN_32, base62, base62_u32, crc32};
use crypto::{MacKey, Secret};

/// Prefix of keys for real work.
pub const PREFIX_LIVE: &str = "pk_live_";
/// Prefix of keys for trials: the same rules, told apart at sight and by [`crate::Caller::is_live`].
pub const PREFIX_TEST: &str = "pk_test_";
/// Published for secret scanners: matches every key, and every match should be checked with its checksum.
pub const PATTERN: &str = "\\bpk_(live|test)_[0-9A-Za-z]{49}\\b";

const CHECKSUM_LEN: usize = 6;

/// Makes keys.
#[derive(Debug)]
pub struct ApiKey;

impl ApiKey {
    /// The text of a new key. It is shown once and kept by its owner only.
    pub fn generate(random: [u8; 32], is_live: bool) -> Secret<String> {
        let prefix = if is_live { PREFIX_LIVE } else { PREFIX_TEST };
        // Room for all of it at once: growing would leave a copy behind.
        let mut text = String::with_capacity(prefix.len() + BASE62_LEN_32 + CHECKSUM_LEN);
        text.push_str(prefix);
        text.push_str(Secret::new(base62(&random)).expose());
        let checksum = base62_u32(crc32(text.as_bytes()));
        text.push_str(&checksum);
        Secret::new(text)
    }
}

/// What a text looks like, judged without any server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Well-formed: it may be a key of this or another installation.
    Plausible,
    /// Begins like a key, but is cut off, mistyped or padded.
    Mistyped,
    /// Something else altogether.
    NotOurs,
}

/// Judges the form of a text.
pub fn read(text: &str) -> Reading {
    let Some(rest) = text
        .strip_prefix(PREFIX_LIVE)
        .or_else(|| text.strip_prefix(PREFIX_TEST))
    else {
        return Reading::NotOurs;
    };
    let Some((body, checksum)) = rest.split_at_checked(BASE62_LEN_32) else {
        return Reading::Mistyped;
    };
    let checked = text.strip_suffix(checksum).unwrap_or_default();
    // The body is not decoded: the checksum finds slips, and only the keyed digest opens anything.
    let is_plain = body.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_whole = is_plain && base62_u32(crc32(checked.as_bytes())) == checksum;
    if is_whole {
        Reading::Plausible
    } else {
        Reading::Mistyped
    }
}

/// What is stored of a key: useless without the installation's own digest key.
pub fn digest(key: &MacKey, text: &str) -> [u8; 32] {
    key.mac(&[text.as_bytes()])
}

/// What may be shown of a key: `pk_live_Ab3d…x9Kq`, four characters of each end.
pub(crate) fn hint(text: &str) -> String {
    let end_of_head = PREFIX_LIVE.len() + 4;
    let start_of_tail = text.len().saturating_sub(4).max(end_of_head);
    let (head, tail) = (text.get(..end_of_head), text.get(start_of_tail..));
    format!("{}…{}", head.unwrap_or_default(), tail.unwrap_or_default())
}

/// The text without the secret part of any key in it. Keys end up in paths, bodies, names of fields and command lines by
/// mistake; what is written down about such a request must not open a door.
pub fn redacted(text: &str) -> Cow<'_, str> {
    if find(text.as_bytes()).is_some() {
        return Cow::Owned(without_keys(text));
    }
    // A key may hide behind percent-encoding; then the decoded text is what is kept.
    if text.contains('%') {
        let decoded = percent_decoded(text);
        if find(decoded.as_bytes()).is_some() {
            return Cow::Owned(without_keys(&decoded));
        }
    }
    Cow::Borrowed(text)
}

/// Whether the bytes hold a key, or the better part of one.
pub fn is_in(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = find(rest) {
        rest = rest.get(at + PREFIX_LIVE.len()..).unwrap_or_default();
        let run = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric());
        if run.count() >= BASE62_LEN_32 / 2 {
            return true;
        }
    }
    false
}

/// Where the first prefix of a key stands, in whatever case. Both prefixes have their first `_` behind two
/// letters, so only those places are compared: several texts of every request are searched, some twice.
fn find(bytes: &[u8]) -> Option<usize> {
    let is_prefix = |start: &usize| {
        let eight = bytes.get(*start..*start + PREFIX_LIVE.len());
        eight.is_some_and(|eight| {
            [PREFIX_LIVE, PREFIX_TEST]
                .iter()
                .any(|prefix| eight.eq_ignore_ascii_case(prefix.as_bytes()))
        })
    };
    memchr::memchr_iter(b'_', bytes)
        .filter_map(|underscore| underscore.checked_sub(2))
        .find(is_prefix)
}

fn without_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest.as_bytes()) {
        let (before, key) = rest
            .split_at_checked(at + PREFIX_LIVE.len())
            .unwrap_or((rest, ""));
        out.push_str(before);
        out.push_str("***");
        // The secret part ends where the next key begins, even with nothing between them.
        let run = key.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let end = find(key.as_bytes()).map_or(run, |next| next.min(run));
        rest = key.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Decodes escapes until there are no more, at most three times: one layer per system that escaped again.
fn percent_decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..3 {
        if !text.contains('%') {
            break;
        }
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((byte, after)) = rest.split_first() {
            let pair = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            let value = pair.and_then(|two| u8::from_str_radix(two, 16).ok());
            match (byte, value) {
                (b'%', Some(value)) => {
                    bytes.push(value);
                    rest = after.get(2..).unwrap_or_default();
                }
                _ => {
                    bytes.push(*byte);
                    rest = after;
                }
            }
        }
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_taken_out_of_texts() {
        let key = ApiKey::generate([7; 32], true);
        let key = key.expose();
        for (text, wanted) in [
            (format!("/v2/{key}/x"), "/v2/pk_live_***/x".to_owned()),
            (format!("{key}{key}"), "pk_live_***pk_live_***".to_owned()),
            (
                format!("a {key}, pk_test_0"),
                "a pk_live_***, pk_test_***".to_owned(),
            ),
            (key.to_uppercase(), "PK_LIVE_***".to_owned()),
            (key.get(..20).unwrap().to_owned(), "pk_live_***".to_owned()),
            (
                format!("/é/{}", key.replace('_', "%5f")),
                "/é/pk_live_***".to_owned(),
            ),
            (
                format!("/{}", key.replace("pk", "%2570k")),
                "/pk_live_***".to_owned(),
            ),
        ] {
            assert_eq!(redacted(&text), wanted, "{text}");
        }
        assert!(
            is_in(format!("a{key}b").as_bytes())
                && is_in(format!("pk_live_ pk_test_{}", key.get(8..30).unwrap()).as_bytes())
        );
        assert!(!is_in(b"keys begin with pk_live_ or pk_test_x") && !is_in(b""));
        for text in [
            "",
            "/v2/work-orders/4711",
            "pk_dead_abc",
            "100%",
            "%zz%7",
            "pk_live",
            "ä_ö_pk_liv_",
        ] {
            assert!(
                matches!(redacted(text), Cow::Borrowed(kept) if kept == text),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_has_the_published_form() {
        let pattern = regex::Regex::new(PATTERN).unwrap();
        for is_live in [true, false] {
            let key = ApiKey::generate([7; 32], is_live);
            assert!(pattern.is_match(&format!("key=\"{}\"", key.expose())));
            assert_eq!(key.expose().len(), 57);
            assert_eq!(read(key.expose()), Reading::Plausible);
        }
    }

    /// A golden value: the format of keys in the field must never change silently.
    #[test]
    fn the_form_never_changes() {
        let key = ApiKey::generate([0; 32], true);
        let golden = "pk_live_00000000000000000000000000000000000000000003xC1Wz";
        assert_eq!(key.expose(), golden);
    }

    #[test]
    fn other_texts_are_told_apart() {
        let key = ApiKey::generate([7; 32], true);
        let cut = key.expose().get(..56).unwrap();
        assert_eq!(read(cut), Reading::Mistyped);
        assert_eq!(read(&format!("{} ", key.expose())), Reading::Mistyped);
        assert_eq!(
            read(&key.expose().replace("live", "test")),
            Reading::Mistyped
        );
        for text in [
            "pk_live_",
            "pk_live_äöü",
            &format!("pk_live_{}", "é".repeat(43)),
        ] {
            assert_eq!(read(text), Reading::Mistyped, "{text}");
        }
        for text in ["", "eyJhbGciOi", "sk_live_abc", "PK_LIVE_abc"] {
            assert_eq!(read(text), Reading::NotOurs, "{text}");
        }
    }

    #[test]
    fn the_hint_shows_four_characters_of_each_end() {
        let key = ApiKey::generate([7; 32], true);
        let (text, hint) = (key.expose(), hint(key.expose()));
        assert_eq!(
            hint,
            format!("{}…{}", text.get(..12).unwrap(), text.get(53..).unwrap())
        );
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_key(random: [u8; 32], before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let key = ApiKey::generate(random, true);
            let secret = key.expose().strip_prefix(PREFIX_LIVE).unwrap().to_owned();
            let text = format!("{before}{}{after}", key.expose());
            prop_assert!(!redacted(&text).contains(&secret));
        }

        #[test]
        fn one_changed_character_is_always_noticed(random: [u8; 32], at in 0..57_usize, other in "[0-9A-Za-z_]") {
            let key = ApiKey::generate(random, true);
            let mut changed = key.expose().clone();
            changed.replace_range(at..at + 1, &other);
            prop_assert_eq!(read(&changed) == Reading::Plausible, changed == *key.expose());
        }

        #[test]
        fn neighbours_typed_in_the_wrong_order_are_always_noticed(random: [u8; 32], at in 8..56_usize) {
            let key = ApiKey::generate(random, false);
            let mut bytes = key.expose().clone().into_bytes();
            bytes.swap(at, at + 1);
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(read(&changed) == Reading::Plausible, changed == *key.expose());
        }

        #[test]
        fn no_text_breaks_the_reader(text in "(pk_(live|test)_)?\\PC{0,80}") {
            prop_assert_ne!(read(&text), Reading::Plausible);
        }
    }
}
