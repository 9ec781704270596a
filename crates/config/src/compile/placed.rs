//! Where a mistake of another room stands in our files.
//! Exports `placed`.
//! Used by whatever passes mistakes of contracts and policies on.
//! Start reading at `placed`.

use model::Mistake;

use crate::Files;
use crate::de::sentence;

/// Fills in the file, the line and the span of another room's mistake.
pub(super) fn placed(mut mistake: Mistake, file: &str, files: &Files) -> Mistake {
    if mistake.file.is_empty() {
        mistake.file = file.to_owned();
    }
    mistake.help = sentence(&mistake.help);
    let Some(text) = files.text(&mistake.file) else {
        return mistake;
    };
    mistake.span = match mistake.span {
        None => {
            let pointer = mistake.pointer.as_deref();
            let by_pointer = pointer.and_then(|pointer| contract::locate(text, pointer));
            by_pointer.or_else(|| {
                let line = line_span(text, mistake.line?)?;
                Some(token(text, line, &mistake.message).unwrap_or(line))
            })
        }
        Some(span) => {
            let word = token(text, span, &mistake.message);
            Some(word.unwrap_or_else(|| first_line(text, span)))
        }
    };
    if let Some((start, _)) = mistake.span {
        mistake.line = line_of(text, start);
    }
    mistake
}

/// The bytes of a line without the white space around them.
fn line_span(text: &str, line: u32) -> Option<(usize, usize)> {
    let number = usize::try_from(line).ok()?.checked_sub(1)?;
    let before = text.split_inclusive('\n').take(number);
    let start = before.map(str::len).sum::<usize>();
    let whole = text.get(start..)?.lines().next()?;
    let indent = whole.len().saturating_sub(whole.trim_start().len());
    Some((start.saturating_add(indent), whole.trim().len()))
}

/// The part of a span that stands in its first line.
fn first_line(text: &str, (start, len): (usize, usize)) -> (usize, usize) {
    let part = text
        .get(start..start.saturating_add(len))
        .unwrap_or_default();
    (start, part.lines().next().map_or(len, str::len))
}

/// The first word in backticks that stands in this part of a text as a word of its own.
fn token(text: &str, (start, len): (usize, usize), message: &str) -> Option<(usize, usize)> {
    let part = text.get(start..start.saturating_add(len))?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    quoted.find_map(|word| {
        let at = word_in(part, word)?;
        Some((start.saturating_add(at), word.len()))
    })
}

/// Where a word stands in a text, with no letter or digit right before or after it.
fn word_in(text: &str, word: &str) -> Option<usize> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = text.match_indices(word).filter(|_| !word.is_empty());
    let alone = found.find(|(at, _)| {
        let before = text
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        let after = text.get(at.saturating_add(word.len())..);
        let after = after.and_then(|after| after.chars().next());
        !before.is_some_and(is_letter) && !after.is_some_and(is_letter)
    });
    alone.map(|(at, _)| at)
}

fn line_of(text: &str, offset: usize) -> Option<u32> {
    let before = text.get(..offset)?;
    u32::try_from(before.matches('\n').count().saturating_add(1)).ok()
}
