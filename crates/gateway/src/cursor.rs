//! Cursors that tell nothing: where the next page begins, sealed for one integration, one operation and one question.
//! Exports `Resume`, `Question`, `question`, `key`, `seal` and `open`. An upstream's own cursor may name a hidden object or hold a hidden value.
//! Used by stage `pages`.
//! Start reading at `seal`.

use crypto::text::{base64url, unbase64url};
use crypto::{SealKey, sha256};

/// Longest cursor of an upstream.
const CURSOR_BYTES_MAX: usize = 2_048;
/// What is sealed has one of these lengths, because a length would tell something too: how long the next object's id is, where
/// the upstream's cursor holds it.
const LENGTHS: [usize; 3] = [96, 384, 2_112];

/// What stands before the upstream's cursor: the question, whether there is one, items to pass over, its length.
const HEAD: usize = 32 + 1 + 4 + 2;

/// Digest of what a list was asked, without cursor and page size.
pub type Question = [u8; 32];

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// The upstream's cursor of the page; `None` for its first one.
    pub cursor: Option<String>,
    /// Items of that page that were dealt with already.
    pub skip: u32,
}

/// The digest of a question: the path, named values whose order does not matter (that of one name's values does), the body.
pub fn question(path: &str, mut values: Vec<(&str, &[u8])>, body: &[u8]) -> Question {
    values.sort_by_key(|(name, _)| *name);
    let mut plain = Vec::with_capacity(256);
    let named = values
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), value]);
    for part in [path.as_bytes(), &sha256(&[body])].into_iter().chain(named) {
        plain.extend_from_slice(&part.len().to_le_bytes());
        plain.extend_from_slice(part);
    }
    sha256(&[&plain])
}

/// The key of this installation's cursors.
pub fn key(etags: &SealKey) -> SealKey {
    etags.subkey("page cursors")
}

/// A cursor for one integration, operation and question. `None` for one that is too long.
pub fn seal(
    key: &SealKey,
    (integration, operation): (&str, &str),
    question: &Question,
    at: &Resume,
) -> Option<String> {
    let cursor = at.cursor.as_deref().unwrap_or_default().as_bytes();
    let length = u16::try_from(cursor.len())
        .ok()
        .filter(|_| cursor.len() <= CURSOR_BYTES_MAX)?;
    let needed = cursor.len().saturating_add(HEAD);
    let room = LENGTHS.into_iter().find(|length| *length >= needed)?;
    let mut plain = Vec::with_capacity(room);
    plain.extend_from_slice(question);
    plain.push(u8::from(at.cursor.is_some()));
    plain.extend_from_slice(&at.skip.to_le_bytes());
    plain.extend_from_slice(&length.to_le_bytes());
    plain.extend_from_slice(cursor);
    plain.resize(room, 0);
    let whose = whose(integration, operation);
    Some(base64url(&key.seal_one_of_many(&whose, &plain)))
}

/// What a cursor says, and the question it belongs to; `None` for every text that was not given to this integration for
/// this operation. The caller compares the question when the whole request is known.
pub fn open(
    key: &SealKey,
    (integration, operation): (&str, &str),
    text: &str,
) -> Option<(Question, Resume)> {
    let plain = key
        .open(&whose(integration, operation), &unbase64url(text)?)
        .ok()?;
    let (question, rest) = plain.split_first_chunk::<32>()?;
    let (has_cursor, rest) = rest.split_first()?;
    let (skip, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let cursor = rest.get(..usize::from(u16::from_le_bytes(*length)))?;
    let cursor = String::from_utf8(cursor.to_vec()).ok()?;
    let resume = Resume {
        cursor: (*has_cursor == 1).then_some(cursor),
        skip: u32::from_le_bytes(*skip),
    };
    Some((*question, resume))
}

fn whose(integration: &str, operation: &str) -> Vec<u8> {
    format!("{integration}\0{operation}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation() -> SealKey {
        key(&SealKey::from_secret(&crypto::Secret::new([7; 32])))
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_and_only_to_whom_it_was_given() {
        let key = installation();
        for at in [
            Resume::default(),
            Resume {
                cursor: Some("after-7".into()),
                skip: 3,
            },
            Resume {
                cursor: Some(String::new()),
                skip: u32::MAX,
            },
        ] {
            let sealed = seal(&key, ("north", "a/v1:list"), &[7; 32], &at).unwrap();
            let opened = open(&key, ("north", "a/v1:list"), &sealed);
            assert_eq!(opened, Some(([7; 32], at)));
            assert_eq!(open(&key, ("south", "a/v1:list"), &sealed), None);
            assert_eq!(open(&key, ("north", "a/v1:other"), &sealed), None);
        }
        for forged in ["", "after-7", "AAAA", "?"] {
            assert_eq!(open(&key, ("north", "a/v1:list"), forged), None, "{forged}");
        }
    }

    #[test]
    fn the_length_of_a_cursor_says_nothing_of_short_ones_and_long_ones_are_not_given() {
        let key = installation();
        let length = |cursor: &str, skip| {
            let at = Resume {
                cursor: Some(cursor.into()),
                skip,
            };
            seal(&key, ("a", "b"), &[0; 32], &at).map(|sealed| sealed.len())
        };
        assert_eq!(length("1", 0), length("after-0123456789-0123456789", 99));
        assert_eq!(length(&"x".repeat(3_000), 0), None);
        // However long the upstream's own is, there are few lengths.
        let all = (0..=CURSOR_BYTES_MAX).map(|bytes| length(&"x".repeat(bytes), 7));
        let all: std::collections::BTreeSet<_> = all.collect();
        assert_eq!(all.len(), LENGTHS.len(), "{all:?}");
        assert!(!all.contains(&None), "{all:?}");
    }

    #[test]
    fn a_question_is_its_path_values_and_body_whatever_the_order_of_names() {
        let of = |path, values: &[(&'static str, &'static str)], body: &str| {
            let values = values.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
            question(path, values, body.as_bytes())
        };
        let one = of("/jobs", &[("q", "an"), ("status", "open")], "");
        assert_eq!(one, of("/jobs", &[("status", "open"), ("q", "an")], ""));
        for other in [
            of("/tools", &[("q", "an"), ("status", "open")], ""),
            of("/jobs", &[("q", "an")], ""),
            of("/jobs", &[("q", "anstatus"), ("", "open")], ""),
            of("/jobs", &[("q", "open"), ("status", "an")], ""),
            of("/jobs", &[("q", "an"), ("status", "open")], "{}"),
        ] {
            assert_ne!(one, other);
        }
        assert_ne!(
            of("/jobs", &[("q", "a"), ("q", "b")], ""),
            of("/jobs", &[("q", "b"), ("q", "a")], "")
        );
    }
}
