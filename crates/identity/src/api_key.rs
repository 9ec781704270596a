//! The form of an API key: `pk_live_` + 43 random letters and digits + 6 of checksum.
//! Gives `ApiKey::generate`, `read` (offline check), `digest` and the published `PATTERN`.
//! Used by `credential` (to make keys), the api_key method and `portcullis key check`.
//! Start reading at `read`. The prefix lets scanners find leaked keys; the checksum keeps them from false alarms.

use crypto::text::{BASE62_LEN_32, base62, base62_u32, crc32, unbase62};
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
    let is_whole = unbase62(body).is_some() && base62_u32(crc32(checked.as_bytes())) == checksum;
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
