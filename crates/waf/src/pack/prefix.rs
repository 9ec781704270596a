//! Tells what could be a value, or SQL that goes on from one, from the words of a sentence.
//! Exports `Values`, `is_header`.
//! Used by the pack, for rules about what a text goes on with.
//! Start reading at `Values`.
//!
//! What breaks out of a value without a quote goes on from the beginning of the text; with one it goes on behind that quote. In
//! between stands the language that is broken into, and in it no two words or numbers stand side by side.

use crate::operands;

/// Where in a text something may go on from a value. Worked out once, because many matches may ask.
#[derive(Debug)]
pub(super) struct Values {
    /// Where what goes on begins, and how far it reads as one of those languages: from the beginning of the text, and behind each
    /// quote that no sentence has, up to the next one.
    parts: Vec<(usize, usize)>,
}

impl Values {
    /// Of a text. `odd` are the places of the quotes that no sentence has.
    pub(super) fn of(text: &[u8], odd: &[usize]) -> Values {
        let begins = std::iter::once((0, 0)).chain(odd.iter().map(|quote| (quote + 1, 1)));
        let ends = odd.iter().copied().chain([text.len()]);
        let part = |((from, before), end): ((usize, usize), usize)| {
            let part = text.get(from..end.max(from)).unwrap_or_default();
            let reach = operands::row_of(2, part, before);
            (from, reach.map_or(usize::MAX, |reach| from + reach))
        };
        Values {
            parts: begins.zip(ends).map(part).collect(),
        }
    }

    /// Whether what stands before `at` can be a value with what follows from it.
    pub(super) fn are_before(&self, at: usize) -> bool {
        let next = self.parts.partition_point(|(from, _)| *from <= at);
        let part = next.checked_sub(1).and_then(|last| self.parts.get(last));
        // A row that ends at `at` stands before it.
        part.is_some_and(|(_, reach)| at < *reach)
    }
}

/// Fields that a mail begins with.
const MAIL: [&[u8]; 14] = [
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"sent",
    b"received",
    b"return-path",
    b"message-id",
    b"delivered-to",
    b"reply-to",
    b"von",
    b"an",
    b"betreff",
];

/// Fields of which a mail has none.
const NO_MAIL: [&[u8]; 11] = [
    b"set-cookie",
    b"location",
    b"content-length",
    b"content-security",
    b"transfer-encoding",
    b"access-control",
    b"http/",
    b"remote-addr",
    b"host",
    b"x-forwarded",
    b"x-injected",
];

/// Whether the field that begins in `found` would be one of the message around the text: only one line, or fields, stand before
/// it. A mail that somebody pasted has fields of its own.
pub(super) fn is_header(text: &[u8], (from, to): (usize, usize)) -> bool {
    let before = text.get(..from).unwrap_or_default();
    let mut lines = before.split(|byte| matches!(byte, b'\r' | b'\n'));
    let first = lines.next().unwrap_or_default();
    let mut is_mail = MAIL.iter().any(|name| is_field(first, name));
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let name = line.iter().take_while(|byte| is_name(byte)).count();
        if name == 0 || line.get(name) != Some(&b':') {
            return false;
        }
        is_mail |= MAIL.iter().any(|name| is_field(line, name));
    }
    let found = text.get(from..to).unwrap_or_default().trim_ascii_start();
    let begins = |name: &&[u8]| {
        found
            .get(..name.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(name))
    };
    !is_mail || NO_MAIL.iter().any(begins)
}

fn is_field(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(name))
        && line.get(name.len()) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prose;

    fn value(text: &str, word: &str) -> bool {
        let at = text.find(word).unwrap();
        let odd = prose::quotations(text.as_bytes()).odd;
        Values::of(text.as_bytes(), &odd).are_before(at)
    }

    #[test]
    fn sql_goes_on_from_a_value_and_a_sentence_does_not() {
        for text in [
            "1 OR 2",
            "x' OR 2",
            "OR 2",
            "-1) OR 2",
            "a@b.example OR 2",
            "1 and 2=2 OR 3",
            "it was fine' OR 2",
            "press \"OK\" x' and 'a'='a' OR 2",
            "1, 2 OR 3",
            "f(1) OR 2",
            "x' and 'a b' = 'a b' OR 2",
        ] {
            assert!(value(text, "OR"), "{text}");
        }
        for text in [
            "read 20 OR 40",
            "lights off OR 2",
            "it's 5' long OR 3",
            "press \"OK\" now OR 2",
            "Anna said: both fine, 3 OR 4",
            "f(1) x OR 2",
        ] {
            assert!(!value(text, "OR"), "{text}");
        }
    }

    #[test]
    fn a_field_of_the_message_around_is_told_from_a_mail() {
        let header = |text: &str, name: &str| {
            let at = text.find(name).unwrap();
            is_header(text.as_bytes(), (at - 1, at + name.len()))
        };
        assert!(header("en\nSet-Cookie: a=b", "Set-Cookie"));
        assert!(header("en\r\nA: b\r\nSet-Cookie: a=b", "Set-Cookie"));
        assert!(header("From: a\r\nSet-Cookie: a=b", "Set-Cookie"));
        assert!(!header("it said\nall is well\nHTTP/1.1 503", "HTTP"));
        assert!(!header(
            "From: a\r\nTo: b\r\nContent-Type: text/plain",
            "Content-Type"
        ));
    }
}
