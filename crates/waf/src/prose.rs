//! Tells quotation marks of a sentence from quotes that end a value, and rows of a table from pipes.
//! Exports `quotations` and `without_tables`.
//! Used by the detector for sentences and by rules about what breaks out.
//! Start reading at `quotations`.

/// Longer quotations are not looked at as such.
const QUOTATION_MAX: usize = 240;

/// A text and its quotes.
#[derive(Debug, Default)]
pub(crate) struct Quotations {
    /// The text with every quotation of a sentence read as one word, and without the apostrophes inside of words.
    pub(crate) words: Vec<u8>,
    /// Where in the text the quotes stand that no sentence has, in order: what ends a value is among them.
    pub(crate) odd: Vec<usize>,
    /// Whether there are quotes at all.
    pub(crate) is_quoted: bool,
}

/// Reads the quotes of a text. Those of a sentence open before a word and close after it, in pairs, or stand inside a word
/// (`don't`). `x' or 'y` and `' or ''='` are none.
pub(crate) fn quotations(text: &[u8]) -> Quotations {
    let mut read = Quotations::default();
    if memchr::memchr3(b'\'', b'"', b'`', text).is_none() {
        return read;
    }
    read.is_quoted = true;
    read.words.reserve(text.len());
    let mut at = 0;
    let mut last_inside: Option<usize> = None;
    while let Some(byte) = text.get(at).copied() {
        if !matches!(byte, b'\'' | b'"' | b'`') {
            read.words.push(byte);
            at += 1;
            continue;
        }
        if byte == b'\'' && stands_inside_a_word(text, at) {
            // Of `x'or'y` neither is an apostrophe.
            let before = last_inside.filter(|from| is_operator(text.get(from + 1..at)));
            if let Some(from) = before {
                read.odd.push(from);
                read.odd.push(at);
            }
            last_inside = Some(at);
            at += 1;
            continue;
        }
        match quotation(text, at, byte) {
            Some(end) => {
                read.words.push(b'x');
                at = end + 1;
            }
            None => {
                read.odd.push(at);
                read.words.push(byte);
                at += 1;
            }
        }
    }
    read.odd.sort_unstable();
    read.odd.dedup();
    read
}

/// The text with blanks for the pipes of its tables. `None` when it has no table.
///
/// A table is two lines or more, one below the other, that begin and end with a pipe. A shell runs none of them: a line cannot
/// begin with a pipe, and what begins with one row goes on in the next.
pub(crate) fn without_tables(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'|', text)?;
    let is_row = |line: &[u8]| {
        let line = line.trim_ascii();
        line.len() > 1 && line.starts_with(b"|") && line.ends_with(b"|")
    };
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let rows: Vec<bool> = lines.iter().map(|line| is_row(line)).collect();
    let mut out = Vec::with_capacity(text.len());
    for (number, line) in lines.iter().enumerate() {
        let is_at = |number: Option<usize>| {
            number
                .and_then(|number| rows.get(number))
                .copied()
                .unwrap_or(false)
        };
        let in_table =
            is_at(Some(number)) && (is_at(number.checked_sub(1)) || is_at(number.checked_add(1)));
        let cell = |byte: &u8| {
            if in_table && *byte == b'|' {
                b' '
            } else {
                *byte
            }
        };
        out.extend(line.iter().map(cell));
    }
    (out != text).then_some(out)
}

fn stands_inside_a_word(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let is_letter =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    is_letter(before) && is_letter(text.get(at + 1))
}

/// `'or'` between two letters is no word with apostrophes.
fn is_operator(between: Option<&[u8]>) -> bool {
    let Some(word) = between.filter(|word| word.len() <= 6) else {
        return false;
    };
    let word = word.to_ascii_lowercase();
    matches!(
        word.as_slice(),
        b"or" | b"and" | b"xor" | b"like" | b"rlike" | b"regexp" | b"div" | b"mod" | b"is" | b"in"
    )
}

/// Longest letter of UTF-8.
const LETTER_MAX: usize = 4;

fn first_letter(text: &[u8]) -> Option<char> {
    let near = text.get(..text.len().min(LETTER_MAX))?;
    near.utf8_chunks().next()?.valid().chars().next()
}

fn last_letter(text: &[u8]) -> Option<char> {
    let near = text.get(text.len().saturating_sub(LETTER_MAX)..)?;
    near.utf8_chunks().last()?.valid().chars().next_back()
}

/// A sign of print, such as the quotes and brackets that stand around others: `«"all"»`, `「"all"」`.
fn is_sign(letter: char) -> bool {
    !letter.is_ascii() && !letter.is_alphanumeric()
}

/// Where the quotation that opens at `at` closes.
fn quotation(text: &[u8], at: usize, quote: u8) -> Option<usize> {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let opens = before
        .is_none_or(|byte| byte.is_ascii_whitespace() || b"([{=,:;|>-/+".contains(byte))
        || text.get(..at).and_then(last_letter).is_some_and(is_sign);
    let body = text.get(at + 1..).unwrap_or_default();
    let body = body
        .get(..body.len().min(QUOTATION_MAX))
        .unwrap_or_default();
    // Doubled they stand for themselves inside of other quotes: `"the ""blue"" one"`.
    if let Some(inner) = body.strip_prefix(&[quote]) {
        let twice = [quote, quote];
        let end = memchr::memmem::find(inner, &twice).filter(|_| opens)?;
        let word = inner.get(..end)?;
        let is_worded = word
            .first()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
            && word.last().is_some_and(|byte| !byte.is_ascii_whitespace());
        let place = at + end + 3;
        let after = text.get(place + 1);
        let ends = after.is_none_or(|byte| {
            byte.is_ascii_whitespace() || b".,;:!?)]}>|".contains(byte) || *byte == quote
        });
        return (is_worded && ends).then_some(place);
    }
    if !opens || body.first().is_none_or(|byte| byte.is_ascii_whitespace()) {
        return None;
    }
    // `'; shutdown;'` goes on behind a value; `';'` is a sign between quotes.
    let goes_on =
        matches!(body, [b';' | b')' | b'|' | b'&' | b',' | b'=', next, ..] if *next != quote);
    if goes_on {
        return None;
    }
    for length in memchr::memchr_iter(quote, body) {
        let place = at + 1 + length;
        if quote == b'\'' && stands_inside_a_word(text, place) {
            continue;
        }
        let inner = body.get(..length).unwrap_or_default();
        let worded = inner
            .iter()
            .any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
        let signs_only = !worded && before.is_some();
        let closes = inner.last().is_some_and(|byte| !byte.is_ascii_whitespace());
        let after = text.get(place + 1);
        let ends = after
            .is_none_or(|byte| byte.is_ascii_whitespace() || b".,;:!?)]}>/|".contains(byte))
            || text
                .get(place + 1..)
                .and_then(first_letter)
                .is_some_and(is_sign);
        return ((worded || signs_only) && closes && ends).then_some(place);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a text in which all quotes are those of a sentence.
    fn read(text: &str) -> Option<String> {
        let read = quotations(text.as_bytes());
        let is_plain = read.is_quoted && read.odd.is_empty();
        is_plain.then(|| String::from_utf8_lossy(&read.words).into_owned())
    }

    #[test]
    fn quotations_of_a_sentence_read_as_words() {
        assert_eq!(
            read("press \"OK\" or 'Cancel'.").as_deref(),
            Some("press x or x.")
        );
        assert_eq!(
            read("don't; it's O'Brien's").as_deref(),
            Some("dont; its OBriens")
        );
        assert_eq!(read("rock 'n' roll").as_deref(), Some("rock x roll"));
        assert_eq!(read("no quotes"), None);
    }

    #[test]
    fn an_odd_quote_is_told_by_its_place_and_leaves_the_others_alone() {
        let read = quotations(b"a 5\" bolt, \"OK\" or 'no'; x' or '1'='1");
        assert_eq!(
            String::from_utf8_lossy(&read.words),
            "a 5\" bolt, x or x; x' or '1'='1"
        );
        assert_eq!(read.odd, [3, 26, 31, 33, 35]);
        assert_eq!(quotations(b"x'or'y").odd, [1, 4]);
        assert!(quotations(b"don't, can't").odd.is_empty());
    }

    #[test]
    fn pipes_of_a_table_are_blanks_and_those_of_a_command_stay() {
        let plain = |text: &str| {
            without_tables(text.as_bytes()).map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        assert_eq!(
            plain("see\n| who | ls |\n|---|---|\nend | cat x").as_deref(),
            Some("see\n  who   ls  \n --- --- \nend | cat x")
        );
        for text in [
            "x | who",
            "| who |",
            "| who |\nls | id",
            "a\n| who",
            "no pipe",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn quotes_that_end_a_value_are_not_quotations() {
        for text in [
            "x' or 'y'='y",
            "' or ''='",
            "1\" or \"1\"=\"1",
            "'or'1'='1",
            "'-'",
            "x'or'y",
            "admin'--",
            "' or \"a\" or '",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
