//! Cuts a rule file into directives and their words.
//! Exports `directives`: continued lines joined, comments gone, quoted words unquoted.
//! Used by `parse`.
//! Start reading at `directives`.

use crate::settings::LoadError;

/// One directive with the line it began on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) line: u32,
    pub(super) words: Vec<String>,
}

/// The directives of a file. Bytes beyond ASCII stay as they are; a file that is not UTF-8 is refused.
pub(super) fn directives(file: &str, text: &[u8]) -> Result<Vec<Directive>, LoadError> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(LoadError {
            file: file.to_owned(),
            line: 0,
            message: "the file is not UTF-8".to_owned(),
            help: "Save it as UTF-8.".to_owned(),
        });
    };
    let mut found = Vec::new();
    let mut joined = String::new();
    let mut begun = 0u32;
    for (line, number) in text.lines().zip(1u32..) {
        let trimmed = line.trim();
        if joined.is_empty() {
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            begun = number;
        }
        if let Some(head) = trimmed.strip_suffix('\\') {
            joined.push_str(head);
            continue;
        }
        joined.push_str(trimmed);
        let words = words(&joined).map_err(|message| LoadError {
            file: file.to_owned(),
            line: begun,
            message,
            help: "Close the quotation mark.".to_owned(),
        })?;
        found.push(Directive { line: begun, words });
        joined.clear();
    }
    if joined.is_empty() {
        return Ok(found);
    }
    Err(LoadError {
        file: file.to_owned(),
        line: begun,
        message: "the file ends inside a directive".to_owned(),
        help: "Remove the backslash at its last line.".to_owned(),
    })
}

/// Words are separated by blanks; in quotes a backslash protects a quotation mark.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let Some(first) = letters.next() else {
            return Ok(found);
        };
        let mut word = String::new();
        if first != '"' {
            word.push(first);
            while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
                word.push(letter);
            }
            found.push(word);
            continue;
        }
        loop {
            match letters.next() {
                None => return Err("a quotation mark is not closed".to_owned()),
                Some('"') => break,
                Some('\\') if letters.next_if_eq(&'"').is_some() => word.push('"'),
                Some(letter) => word.push(letter),
            }
        }
        found.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_and_quotes() {
        let text = b"# note\nSecRule ARGS \"@rx a\\\"b\\s\" \\\n    \"id:1,\\\n    pass\"\n\nSecMarker END\n";
        let found = directives("f", text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].words,
            ["SecRule", "ARGS", "@rx a\"b\\s", "id:1,pass"]
        );
        assert_eq!((found[0].line, found[1].line), (2, 6));
        assert!(directives("f", b"SecRule \"open").is_err());
    }
}
