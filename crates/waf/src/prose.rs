//! Tells quotation marks of a sentence from quotes that end a value.
//! Exports `without_quotations`.
//! Used by the detector for sentences and by rules about quotes that break out.
//! Start reading at `without_quotations`.

/// Longer quotations are not looked at as such.
const QUOTATION_MAX: usize = 240;

/// The text with every quotation read as one word, when all its quotes are those of a sentence: they open
/// before a word and close after it, in pairs, or stand inside a word (`don't`). `None` when it has no
/// quotes, or one of them stands where a sentence has none. `x' or 'y` and `' or ''='` are such.
pub(crate) fn without_quotations(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr3(b'\'', b'"', b'`', text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut last_inside = None;
    while let Some(byte) = text.get(at).copied() {
        if !matches!(byte, b'\'' | b'"' | b'`') {
            out.push(byte);
            at += 1;
            continue;
        }
        if byte == b'\'' && stands_inside_a_word(text, at) {
            if last_inside.is_some_and(|from| is_operator(text.get(from + 1..at))) {
                return None;
            }
            last_inside = Some(at);
            at += 1;
            continue;
        }
        let end = quotation(text, at, byte)?;
        out.push(b'x');
        at = end + 1;
    }
    Some(out)
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

/// Where the quotation that opens at `at` closes.
fn quotation(text: &[u8], at: usize, quote: u8) -> Option<usize> {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let opens =
        before.is_none_or(|byte| byte.is_ascii_whitespace() || b"([{=,:>-/+".contains(byte));
    let body = text.get(at + 1..).unwrap_or_default();
    let body = body
        .get(..body.len().min(QUOTATION_MAX))
        .unwrap_or_default();
    if !opens || body.first().is_none_or(|byte| byte.is_ascii_whitespace()) {
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
        let ends =
            after.is_none_or(|byte| byte.is_ascii_whitespace() || b".,;:!?)]}>/".contains(byte));
        return ((worded || signs_only) && closes && ends).then_some(place);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        without_quotations(text.as_bytes()).map(|text| String::from_utf8_lossy(&text).into_owned())
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
