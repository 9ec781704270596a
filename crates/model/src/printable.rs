//! Text from outside as it may stand in a terminal, a log or a file: what could act there becomes visible instead.
//! Exports `line`, `lines`, `json`, `in_place`, `cut`, `counted`, `seconds`, `wrapped`, and `is_ignorable`. Pure.
//! Used by everything that prints or quotes what others wrote, and by the one reading of a path.
//! Start reading at `is_active`.

use std::borrow::Cow;
use std::fmt::Write;

/// Characters that act instead of being shown: controls (C0, DEL, C1), and those that turn or break the direction of
/// writing or the line (Unicode TR 9 and TR 36), tags and other characters that are never visible.
pub fn is_active(letter: char) -> bool {
    matches!(letter,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Characters that have no width and no meaning of their own, so that comparisons may pass over them: the code points with
/// the property `Default_Ignorable_Code_Point` (Unicode 16, DerivedCoreProperties). Two texts that differ in them only may
/// be one name to somebody else.
pub fn is_ignorable(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A moment, as it was written, without the parts of its second; a dash where there is none.
pub fn seconds(moment: &str) -> String {
    match moment.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None if moment.is_empty() => "-".to_owned(),
        None => moment.to_owned(),
    }
}

/// A number with its word: `1 integration`, `2 integrations`.
pub fn counted(number: usize, one: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {one}{end}")
}

/// Text that stands in one line, whatever it holds: line breaks are escaped as well.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| letter, &mut |out, letter| match letter {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        letter => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
        }
    })
}

/// Text of several lines that we made: only its line feeds act.
pub fn lines(text: &str) -> Cow<'_, str> {
    if !text
        .chars()
        .any(|letter| is_active(letter) && letter != '\n')
    {
        return Cow::Borrowed(text);
    }
    let all: Vec<Cow<'_, str>> = text.split('\n').map(line).collect();
    Cow::Owned(all.join("\n"))
}

/// A JSON text in which nothing acts but its own line feeds; it means the same.
pub fn json(text: &str) -> Cow<'_, str> {
    let shown = |letter| if letter == '\n' { ' ' } else { letter };
    escaped(text, shown, &mut |out, letter| {
        // Outside strings only spaces and line feeds occur, so every other one stands inside a string (RFC 8259 §7).
        let mut units = [0; 2];
        for unit in letter.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

/// Text of the same length in bytes, for snippets whose places are counted in bytes. Line feeds and tabs stay: whoever
/// renders snippets expands them.
pub fn in_place(text: &str) -> Cow<'_, str> {
    let shown = |letter| match letter {
        '\n' | '\t' => ' ',
        letter => letter,
    };
    escaped(text, shown, &mut |out, letter| match letter.len_utf8() {
        1 if letter == '\r' => out.push(' '),
        1 => out.push('?'),
        2 => out.push('¿'),
        3 => out.push('\u{fffd}'),
        _ => out.push_str("????"),
    })
}

/// At most so many characters, with a mark where more were.
pub fn cut(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{}…", text.get(..at).unwrap_or_default())),
    }
}

/// Copies only where something acts. `as_judged` says as what a letter is looked at.
fn escaped<'t>(
    text: &'t str,
    as_judged: impl Fn(char) -> char,
    escape: &mut dyn FnMut(&mut String, char),
) -> Cow<'t, str> {
    let acts = |letter: char| is_active(as_judged(letter));
    // Most texts are plain ASCII: one pass over bytes says so.
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if acts(letter) {
            escape(&mut out, letter)
        } else {
            out.push(letter)
        }
    }
    Cow::Owned(out)
}

/// Words in lines of at most `width` characters; a word that is longer has a line of its own.
pub fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() + 2 <= width => {
                line.push_str("  ");
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\x1b]52;c;AAAA\x07b\rc\nd\u{202e}e\u{9b}31m\u{2066}f\u{e0041}\0\x7f\tg";

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(
            line(HOSTILE),
            "a\\u{1b}]52;c;AAAA\\u{7}b\\rc\\nd\\u{202e}e\\u{9b}31m\\u{2066}f\\u{e0041}\\u{0}\\u{7f}\\tg"
        );
        assert!(matches!(
            line("Müller & Söhne, 株式会社 👩‍🔧"),
            Cow::Borrowed(_)
        ));
        assert_eq!(lines("a\nb\r\nc"), "a\nb\\r\nc");
    }

    #[test]
    fn json_means_the_same_and_holds_nothing_that_acts() {
        let text =
            serde_json::to_string_pretty(&serde_json::json!({ "a": HOSTILE, "b": [1] })).unwrap();
        let safe = json(&text);
        assert!(!safe.chars().any(|c| c != '\n' && is_active(c)), "{safe}");
        let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(read["a"], HOSTILE);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
    }

    proptest::proptest! {
        #[test]
        fn nothing_active_survives_and_nothing_moves(text in "\\PC*|[\\x00-\\x1f\\x7f-\\u{9f}\\u{2028}-\\u{202e}\\u{2060}-\\u{206f}a-z]{0,40}") {
            proptest::prop_assert!(!line(&text).chars().any(is_active));
            proptest::prop_assert!(!lines(&text).chars().any(|c| c != '\n' && is_active(c)));
            let same = in_place(&text);
            proptest::prop_assert_eq!(same.len(), text.len());
            proptest::prop_assert!(!same.chars().any(|c| !"\n\t".contains(c) && is_active(c)));
            let quoted = serde_json::to_string(&text).unwrap();
            let read: String = serde_json::from_str(&json(&quoted)).unwrap();
            proptest::prop_assert_eq!(read, text);
        }
    }

    #[test]
    fn lines_break_between_words() {
        let words: Vec<String> = ["aa", "bb", "cc"].map(String::from).to_vec();
        assert_eq!(wrapped(&words, 6), ["aa  bb", "cc"]);
        assert_eq!(wrapped(&words, 1), ["aa", "bb", "cc"]);
    }
}
