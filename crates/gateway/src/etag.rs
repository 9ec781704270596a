//! Entity tags that tell nothing: the upstream's own tag, sealed for one integration and opened again on its way back.
//! Exports `key`, `hide`, `reveal`. Optimistic locking (RFC 9110 §13.1.1) goes on working; versions, times and hashes of
//! fields that were not granted stay inside, and so does the fact that they changed.
//! Used by stages `response` (hide) and `upstream` (reveal).
//! Start reading at `hide`.

use crypto::text::{base64url, unbase64url};
use crypto::{Keys, SealKey};

/// Longest tag of an upstream that is passed on.
const TAG_BYTES_MAX: usize = 256;
/// Most tags in one `If-Match`.
const TAGS_MAX: usize = 16;
/// What an upstream is asked for in place of a tag that was never given: nothing has this one.
const UNKNOWN: &str = "\"portcullis-unknown\"";

/// The key of this installation's tags.
pub fn key(keys: &Keys) -> SealKey {
    keys.store_records.subkey("http entity tags")
}

/// A tag for one integration. Each answer gets a fresh one, so that equal tags cannot be compared.
pub fn hide(key: &SealKey, tag: &[u8], integration: &str) -> Option<String> {
    let is_tag = matches!(tag, [b'"', .., b'"'] | [b'W', b'/', b'"', .., b'"']);
    if !is_tag || tag.len() > TAG_BYTES_MAX {
        return None;
    }
    Some(format!(
        "\"{}\"",
        base64url(&key.seal_one_of_many(integration.as_bytes(), tag))
    ))
}

/// The upstream's tags for a condition (`If-Match`, `If-None-Match`) that names ours. Several lines are one list (RFC 9110 §5.3).
/// `None` for more tags than are passed on, and for `*` beside a tag (§13.1.1): a write that loses a part of its condition does what it
/// was to be kept from.
pub fn reveal<'c>(
    key: &SealKey,
    lines: impl Iterator<Item = &'c [u8]>,
    integration: &str,
) -> Option<String> {
    // Also what is no text becomes a tag that nothing has.
    let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
    let members = lines.iter().flat_map(|line| line.split(',').map(str::trim));
    let tags: Vec<&str> = members.filter(|tag| !tag.is_empty()).collect();
    match tags.as_slice() {
        // An empty condition names a state that there is not.
        [] => Some(UNKNOWN.to_owned()),
        ["*"] => Some("*".to_owned()),
        tags if tags.len() > TAGS_MAX || tags.contains(&"*") => None,
        tags => {
            let tags = tags.iter().map(|tag| one(key, tag, integration));
            Some(tags.collect::<Vec<_>>().join(", "))
        }
    }
}

fn one(key: &SealKey, tag: &str, integration: &str) -> String {
    let inner = tag
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let opened = inner
        .and_then(unbase64url)
        .and_then(|sealed| key.open(integration.as_bytes(), &sealed).ok())
        .and_then(|tag| String::from_utf8(tag).ok());
    opened.unwrap_or_else(|| UNKNOWN.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation() -> SealKey {
        SealKey::from_secret(&crypto::Secret::new([7; 32]))
    }

    fn revealed(key: &SealKey, lines: &[&str]) -> Option<String> {
        reveal(key, lines.iter().map(|line| line.as_bytes()), "crm")
    }

    #[test]
    fn no_part_of_a_condition_is_lost() {
        let key = installation();
        assert_eq!(revealed(&key, &["*", "\"7\""]), None);
        assert_eq!(revealed(&key, &["\"7\", *"]), None);
        let tags = vec!["\"7\""; TAGS_MAX];
        assert!(revealed(&key, &tags).is_some());
        assert_eq!(
            revealed(&key, &[tags.as_slice(), &["\"7\""]].concat()),
            None
        );
    }

    #[test]
    fn a_tag_comes_back_as_the_upstream_gave_it_and_shows_nothing_meanwhile() {
        let key = installation();
        let (first, second) = (
            hide(&key, b"\"7\"", "crm").unwrap(),
            hide(&key, b"\"7\"", "crm").unwrap(),
        );
        assert_ne!(first, second);
        let both = Some("\"7\", \"7\"");
        assert_eq!(
            revealed(&key, &[&format!("{first}, {second}")]).as_deref(),
            both
        );
        assert_eq!(
            revealed(&key, &[&first, &second]).as_deref(),
            both,
            "two lines"
        );
        assert_eq!(revealed(&key, &[" * "]).as_deref(), Some("*"));
    }

    #[test]
    fn foreign_invented_and_odd_tags_match_nothing() {
        let key = installation();
        let others = hide(&key, b"W/\"7\"", "accounting").unwrap();
        for tag in [others.as_str(), "\"7\"", "7", "\"", ""] {
            assert_eq!(revealed(&key, &[tag]).as_deref(), Some(UNKNOWN), "{tag}");
        }
        assert_eq!(hide(&key, b"7", "crm"), None);
    }
}
