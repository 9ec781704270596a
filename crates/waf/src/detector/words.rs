//! Tells without tokenising that a text cannot read as SQL injection: it is made of ordinary words.
//! Exports `are_ordinary`. One-sided: a text it does not vouch for is tokenised.
//! Used by `Libinjection`. It relies on the fingerprints of the detector, and tests hold it to them.
//! Start reading at `are_ordinary`.

use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What the words of a text have been so far.
#[derive(Default)]
struct Seen {
    keyword: bool,
    operator: bool,
    /// The word before, in upper case, when it may begin a keyword of two words.
    before: Option<Vec<u8>>,
}

/// Longer words are no keywords.
const WORD_MAX: usize = 32;
/// A word that begins with a digit may hide a keyword behind its number; long ones are tokenised.
const NUMBERED_MAX: usize = 40;

/// No fingerprint of injection consists of barewords, numbers, commas, dots, colons and functions without
/// their brackets; with operators or with keywords there is none either (`INTO` aside), only with both.
pub(super) fn are_ordinary(text: &[u8]) -> bool {
    let mut seen = Seen::default();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if is_word(*first) {
            let end = rest
                .iter()
                .position(|byte| !is_word(*byte))
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if !seen.word(word) {
                return false;
            }
            rest = after;
            continue;
        }
        match first {
            0..=32 | 127 | 160 | b',' | b'.' | b':' => {}
            b'-' if tail.first() != Some(&b'-') => seen.operator = true,
            b'/' if !matches!(tail.first(), Some(b'*' | b'/')) => seen.operator = true,
            b'+' => seen.operator = true,
            _ => return false,
        }
        // `10.` and `.5` are numbers, `a.b` two words to some keywords: the dot only separates here.
        rest = tail;
    }
    !(seen.keyword && seen.operator)
}

/// What belongs to a word for the tokeniser, the dot aside. Bytes above ASCII do, the blank of Latin-1 does not.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || (byte > 127 && byte != 160)
}

impl Seen {
    /// Notes a word; false when it takes the tokeniser.
    fn word(&mut self, word: &[u8]) -> bool {
        if !word.first().is_some_and(u8::is_ascii_digit) {
            return self.one(word);
        }
        // The number may end anywhere and a keyword begin.
        word.len() <= NUMBERED_MAX
            && (0..word.len()).all(|from| self.one(word.get(from..).unwrap_or_default()))
    }

    fn one(&mut self, word: &[u8]) -> bool {
        let before = self.before.take();
        if word.len() > WORD_MAX {
            return true;
        }
        let table = &*TABLE;
        if let Some(mut pair) = before {
            pair.push(b' ');
            pair.extend(word.iter().map(u8::to_ascii_uppercase));
            if table.kinds.contains_key(pair.as_slice()) {
                return false;
            }
        }
        if !table.may_hold(word) {
            return true;
        }
        let mut upper = [0u8; WORD_MAX];
        for (place, byte) in upper.iter_mut().zip(word) {
            *place = byte.to_ascii_uppercase();
        }
        let upper = upper.get(..word.len()).unwrap_or_default();
        let Some((kind, is_head)) = table.kinds.get(upper).copied() else {
            return true;
        };
        if is_head {
            self.before = Some(upper.to_vec());
        }
        match kind {
            b'f' | b'n' | b'1' => {}
            b'o' => self.operator = true,
            b'k' if upper != b"INTO" => self.keyword = true,
            _ => return false,
        }
        true
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

struct Table {
    /// Keyword → its kind, and whether it begins a keyword of several words.
    kinds: HashMap<&'static [u8], (u8, bool)>,
    /// For each length the first letters that occur.
    letters: [u32; WORD_MAX + 1],
}

impl Table {
    fn new() -> Table {
        let mut table = Table {
            kinds: HashMap::new(),
            letters: [0; WORD_MAX + 1],
        };
        let words = || SQL_KEYWORDS.iter().filter(|word| word.token_type != b'F');
        for keyword in words() {
            let word = keyword.word.as_bytes();
            table.kinds.insert(word, (keyword.token_type, false));
            table.note(word);
        }
        for keyword in words() {
            if let Some((head, _)) = keyword.word.split_once(' ') {
                let head = head.as_bytes();
                table.kinds.entry(head).or_insert((b'n', false)).1 = true;
                table.note(head);
            }
        }
        table
    }

    fn note(&mut self, word: &[u8]) {
        if let (Some(letters), Some(first)) = (self.letters.get_mut(word.len()), word.first()) {
            *letters |= bit(*first);
        }
    }

    /// Most words begin with a letter no keyword of their length begins with, or are longer than all.
    fn may_hold(&self, word: &[u8]) -> bool {
        let letters = self.letters.get(word.len()).copied().unwrap_or(0);
        word.first()
            .is_some_and(|first| letters & bit(first.to_ascii_uppercase()) != 0)
    }
}

fn bit(first: u8) -> u32 {
    1 << (first & 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use libinjectionrs::{SqliFlags, SqliState};
    use proptest::prelude::*;

    #[test]
    fn no_fingerprint_of_ordinary_tokens_is_an_injection() {
        let prints = || {
            SQL_KEYWORDS
                .iter()
                .filter(|word| word.token_type == b'F')
                .filter_map(|word| word.word.strip_prefix('0'))
        };
        let of = |kinds: &str, print: &str| print.chars().all(|kind| kinds.contains(kind));
        assert!(prints().count() > 8_000);
        assert_eq!(prints().find(|print| of("N1O,.:F", print)), None);
        // Three tokens around a keyword: only INTO counts there.
        let with_keyword: Vec<&str> = prints().filter(|print| of("N1,.:FK", print)).collect();
        assert_eq!(with_keyword, ["1K1", "1KN", "NK1", "NKN"]);
    }

    #[test]
    fn ordinary_texts_are_known_and_others_are_not() {
        for text in [
            "Replace the circulation pump in the boiler room",
            "json.site.postal_code",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3300",
            "2026-11-24T08:00:00Z",
            "GRF-88213-B",
        ] {
            assert!(are_ordinary(text.as_bytes()), "{text}");
        }
        for text in ["1 union select 2", "a and b", "1--", "x'", "1;drop", "f(1)"] {
            assert!(!are_ordinary(text.as_bytes()), "{text}");
        }
    }

    fn piece() -> impl Strategy<Value = String> {
        let count = SQL_KEYWORDS.len();
        prop_oneof![
            3 => (0..count).prop_map(|at| match SQL_KEYWORDS[at].token_type {
                b'F' => "word".to_owned(),
                _ => SQL_KEYWORDS[at].word.to_ascii_lowercase(),
            }),
            2 => "[a-z0-9]{1,4}",
            1 => "[0-9]{1,3}(\\.[0-9]|e|x|b|d|f)?",
            1 => Just("into outfile".to_owned()),
            1 => Just("\u{a0}".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_is_called_ordinary_is_no_injection(
            pieces in proptest::collection::vec((piece(), "[ ,.:/+-]{0,2}"), 1..8),
        ) {
            let text: String = pieces.iter().map(|(word, mark)| format!("{word}{mark}")).collect();
            if are_ordinary(text.as_bytes()) {
                let mut state = SqliState::new(text.as_bytes(), SqliFlags::FLAG_NONE);
                prop_assert!(!state.detect(), "{:?} {}", text, state.fingerprint_string());
            }
        }
    }
}
