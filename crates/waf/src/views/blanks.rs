//! What a database reads as a blank, written as one: comments, control characters, the blanks of other alphabets.
//! Exports `plain`.
//! Used by `forms`, so that rules and tokenisers are shown one spelling of a query.
//! Start reading at `plain`.

use crate::bytes::find_pair;

/// `1/**/union--x\nselect` as `1 union select`; `None` where the text has no such blank. Databases differ in what they
/// skip (MySQL `#…`, comments that run for one version; SQL Server and Oracle control characters and U+00A0, U+3000):
/// here all of them are.
pub(super) fn plain(text: &[u8]) -> Option<Vec<u8>> {
    if !may_hold(text) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    // One look for the end of a line is enough where there is none.
    let mut has_line = true;
    while let Some((first, tail)) = rest.split_first() {
        let after_ascii = out.last().is_none_or(u8::is_ascii);
        let used = comment(rest, &mut has_line).or_else(|| odd(rest, after_ascii));
        match used {
            Some(used) => {
                out.push(b' ');
                rest = rest.get(used..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    (out != text).then_some(out)
}

/// Whether there is something to write otherwise. Most texts have none.
pub(super) fn may_hold(text: &[u8]) -> bool {
    let line = || memchr::memchr(b'\n', text).is_some();
    let by_line = || memchr::memchr(b'#', text).is_some() || find_pair(text, *b"--").is_some();
    find_pair(text, *b"/*").is_some()
        || find_pair(text, *b"*/").is_some()
        || (line() && by_line())
        || has_odd(text)
}

fn has_odd(text: &[u8]) -> bool {
    let begins = |byte: &u8| is_control(*byte) || matches!(byte, 0xA0 | 0xC2 | 0xE1..=0xE3 | 0xEF);
    let mut from = 0;
    while let Some(found) = text
        .get(from..)
        .and_then(|rest| rest.iter().position(begins))
    {
        let at = from + found;
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let rest = text.get(at..).unwrap_or_default();
        if odd(rest, before.is_none_or(u8::is_ascii)).is_some() {
            return true;
        }
        from = at + 1;
    }
    false
}

/// How long the comment is that begins here. Of `/*!50000 …` only the mark: what stands inside runs.
fn comment(rest: &[u8], has_line: &mut bool) -> Option<usize> {
    match rest {
        [b'/', b'*', b'!', body @ ..] => {
            let digits = body.iter().take(6).take_while(|byte| byte.is_ascii_digit());
            Some(3 + digits.count())
        }
        [b'/', b'*', body @ ..] => Some(find_pair(body, *b"*/").map_or(rest.len(), |end| end + 4)),
        // In `*/*` a comment begins, and the star is a sign.
        [b'*', b'/', b'*', ..] => None,
        [b'*', b'/', ..] => Some(2),
        // A comment that ends with the text hides nothing behind it.
        [b'-', b'-', ..] | [b'#', ..] if *has_line => {
            let end = memchr::memchr(b'\n', rest);
            *has_line = end.is_some();
            end.map(|end| end + 1)
        }
        _ => None,
    }
}

/// How long the unusual blank is that begins here.
fn odd(rest: &[u8], after_ascii: bool) -> Option<usize> {
    match rest {
        [byte, ..] if is_control(*byte) => Some(1),
        // By itself it is a blank of Latin-1, behind other bytes a part of a letter.
        [0xA0, ..] if after_ascii => Some(1),
        [0xC2, 0x85 | 0xA0, ..] => Some(2),
        // U+1680, U+2000 to U+200B, U+2028, U+2029, U+202F, U+205F, U+3000, U+FEFF.
        [0xE1, 0x9A, 0x80, ..]
        | [0xE2, 0x80, 0x80..=0x8B | 0xA8 | 0xA9 | 0xAF, ..]
        | [0xE2, 0x81, 0x9F, ..]
        | [0xE3, 0x80, 0x80, ..]
        | [0xEF, 0xBB, 0xBF, ..] => Some(3),
        _ => None,
    }
}

fn is_control(byte: u8) -> bool {
    matches!(byte, 0x01..=0x08 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        plain(text.as_bytes()).map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn every_blank_of_a_database_reads_as_one() {
        for text in [
            "1/**/union/*x*/select",
            "1--a\nunion--b\r\nselect",
            "1#\nunion#x\nselect",
            "1\x0bunion\x0cselect",
            "1\u{1}union\u{1f}select",
            "1\u{a0}union\u{3000}select",
            "1\u{2000}union\u{feff}select",
            "1/*!union*/select",
            "1/*x*/union/**//*y*/select",
        ] {
            let read = read(text).unwrap();
            let words: Vec<&str> = read.split_whitespace().collect();
            assert_eq!(words, ["1", "union", "select"], "{text:?}");
        }
        assert_eq!(
            plain(b"1\xa0or\xa01").as_deref(),
            Some(b"1 or 1".as_slice())
        );
        assert_eq!(read("1 /*!50000union*/ x").as_deref(), Some("1  union  x"));
        assert_eq!(
            read("select/*x*/*/*x*/from").as_deref(),
            Some("select * from")
        );
        assert_eq!(read("admin'/* and the rest").as_deref(), Some("admin' "));
    }

    proptest! {
        #[test]
        fn what_was_written_plainly_stays(
            pieces in proptest::collection::vec("a|1| |\\*|/|-|#|\n|!|\u{a0}|\u{3000}|\u{b}|à|/\\*|\\*/|--", 0..40),
        ) {
            let text = pieces.concat();
            if let Some(once) = plain(text.as_bytes()) {
                prop_assert_eq!(plain(&once), None, "{:?}", text);
                prop_assert!(once.len() <= text.len());
            }
        }
    }

    #[test]
    fn letters_and_signs_of_sentences_stay() {
        for text in [
            "two lines\nof a note",
            "a -- b, and # 7",
            "voilà, 20 °C, Größe, 电, é",
            "one\ttwo\r\nthree",
            "",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
