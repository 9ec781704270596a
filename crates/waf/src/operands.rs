//! Counts names, numbers and texts that stand side by side, as they do in a sentence and in no language that is broken into.
//! Exports `row_of` and `may_be_query`.
//! Used by the detector for sentences, and by the pack for what stands before a match.
//! Start reading at `row_of`.

/// Words that join others in the languages that are broken into.
const JOINING: [&[u8]; 48] = [
    b"all",
    b"and",
    b"any",
    b"as",
    b"asc",
    b"between",
    b"binary",
    b"by",
    b"case",
    b"collate",
    b"delete",
    b"desc",
    b"distinct",
    b"div",
    b"else",
    b"end",
    b"escape",
    b"exists",
    b"false",
    b"from",
    b"group",
    b"having",
    b"in",
    b"insert",
    b"interval",
    b"into",
    b"is",
    b"like",
    b"limit",
    b"mod",
    b"not",
    b"null",
    b"offset",
    b"or",
    b"order",
    b"regexp",
    b"rlike",
    b"select",
    b"set",
    b"some",
    b"sounds",
    b"then",
    b"true",
    b"union",
    b"update",
    b"when",
    b"where",
    b"xor",
];

/// Where so many operands in a row end first: names, numbers and texts in quotes with nothing but blanks between them. `before`
/// says how many of them stand before the text.
pub(crate) fn row_of(count: usize, text: &[u8], before: usize) -> Option<usize> {
    each(text, before, |run| run >= count)
}

/// Walks over the operands of a text, until `ends` says so of how many are in a row; gives where that one ends.
fn each(text: &[u8], before: usize, mut ends: impl FnMut(usize) -> bool) -> Option<usize> {
    let mut run = before;
    let mut rest = text;
    while let Some(first) = rest.first().copied() {
        let is_inside = text.len().checked_sub(rest.len() + 1);
        let is_inside = is_inside
            .and_then(|before| text.get(before))
            .is_some_and(|byte| is_word(*byte));
        let length = rest
            .iter()
            .position(|byte| !is_word(*byte))
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        // Behind a letter it is an apostrophe, or ends something.
        let quoted = quoted(rest).filter(|_| !is_inside);
        if length == 0 && quoted.is_none() {
            run = match first {
                b' ' | b'\t' | b'\r' | b'\n' => run,
                b')' | b']' | b'}' => 1,
                _ => 0,
            };
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        rest = quoted.unwrap_or(behind);
        run = if joins(word) { 0 } else { run + 1 };
        if run > 0 && ends(run) {
            return Some(text.len() - rest.len());
        }
    }
    None
}

fn joins(word: &[u8]) -> bool {
    JOINING
        .binary_search(&word.to_ascii_lowercase().as_slice())
        .is_ok()
}

/// Whether a text could be read as a query by whatever stands around it: from its beginning, or behind one of the quotes that no
/// sentence has, up to the next one, the end of a statement or a comment. Four operands in a row are words of a sentence, and so
/// are three times two of them: names that are given in a query are not so many.
pub(crate) fn may_be_query(text: &[u8], odd: &[usize]) -> bool {
    const RUN_MIN: usize = 4;
    const PAIRS_MIN: usize = 3;
    const QUOTES_MAX: usize = 64;
    let begins = std::iter::once((0, 0)).chain(odd.iter().map(|quote| (quote + 1, 1)));
    let mut begins = begins.take(QUOTES_MAX + 1);
    odd.len() > QUOTES_MAX
        || begins.any(|(from, before)| {
            let rest = text.get(from..).unwrap_or_default();
            let next = odd.get(odd.partition_point(|quote| *quote < from));
            let length = next.map_or(rest.len(), |quote| quote.saturating_sub(from));
            let part = rest.get(..length).unwrap_or(rest);
            let mut pairs = 0;
            let is_sentence = |run: usize| {
                pairs += usize::from(run >= 2);
                run >= RUN_MIN || pairs >= PAIRS_MIN
            };
            each(statement(part), before, is_sentence).is_none()
        })
}

/// The text up to the end of a statement or the beginning of a comment.
fn statement(text: &[u8]) -> &[u8] {
    let ends = |at: &usize| {
        let rest = text.get(*at..).unwrap_or_default();
        matches!(
            rest,
            [b';' | b'#', ..] | [b'-', b'-', ..] | [b'/', b'*', ..]
        )
    };
    let end = (0..text.len()).find(ends).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// What is left behind a text in quotes.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let (quote, tail) = text.split_first()?;
    if !matches!(quote, b'\'' | b'"' | b'`') {
        return None;
    }
    let end = memchr::memchr(*quote, tail)?;
    tail.get(end + 1..)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'@' | b'$') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prose;

    #[test]
    fn joining_words_are_sorted() {
        assert!(JOINING.is_sorted());
    }

    #[test]
    fn a_sentence_is_no_query_and_what_follows_a_quote_may_be_one() {
        let may =
            |text: &str| may_be_query(text.as_bytes(), &prose::quotations(text.as_bytes()).odd);
        for text in [
            "1 or 1=1",
            "select a b from users u where c = 1",
            "all of it went well today' or 1=1 --",
            "1 or 1=1 -- all of it went well today",
            "1; all of it went well today",
            "waitfor delay '0:0:5'",
        ] {
            assert!(may(text), "{text}");
        }
        for text in [
            "count(25) and sum(7) do not match the sheet",
            "(cn=Tom) is the entry. It is old. See me. Or Anna. All fine. Go on, go home, all done",
            "all of it went \"very well\" today",
            "all of it went well, it's 5\" and rather too long now",
        ] {
            assert!(!may(text), "{text}");
        }
    }
}
