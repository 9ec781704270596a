//! One word with a typo: told at that word, or where it is used when it is a name that others use; never accepted.
//! Start reading at `a_word_with_a_typo_is_told_at_that_word`.

use super::{base, options};
use config::{Files, compile_to_read};
use model::Mistake;

const FILES: [&str; 4] = [
    "apis/field-service.yaml",
    "integrations/accounting.yaml",
    "integrations/partner-north.yaml",
    "roles/partner.yaml",
];

/// Lines whose values are for people, or name what lies outside: anything may stand there.
const FREE: [&str; 3] = ["owner: ", "purpose: ", "targets: "];

/// Words that others are called by, or that nothing inside the directory could contradict: what is told of them is told
/// where they are used. `(file, line, word)`.
const NAMES: [(&str, &str, &str); 13] = [
    ("apis/field-service.yaml", "v2:", "v2"),
    ("apis/field-service.yaml", "v1:", "v1"),
    ("apis/field-service.yaml", "v0:", "v0"),
    ("apis/field-service.yaml", "base_path: /v2", "v2"),
    ("apis/field-service.yaml", "base_path: /v0", "v0"),
    ("apis/field-service.yaml", "health:", "health"),
    ("apis/field-service.yaml", "attributes:", "status"),
    ("apis/field-service.yaml", "attributes:", "partner"),
    (
        "integrations/accounting.yaml",
        "user_header:",
        "X-Acting-User",
    ),
    ("integrations/accounting.yaml", "when:", "completed"),
    ("integrations/partner-north.yaml", "attributes:", "partner"),
    ("integrations/partner-north.yaml", "attributes:", "north"),
    ("roles/partner.yaml", "-", "-"),
];

/// Words of a text: where they stand.
fn words(text: &str) -> Vec<(usize, usize)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut found = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (is_word(letter), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at - from));
                start = None;
            }
            _ => {}
        }
    }
    let is_name = |(from, len): &(usize, usize)| {
        text[*from..*from + *len].contains(|c: char| c.is_ascii_alphabetic())
    };
    found.retain(is_name);
    found
}

fn line_of(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[start..].lines().next().unwrap_or_default()
}

/// Whether a mistake points at the word: at it alone, or at the one value or path that it is part of.
fn points_at(mistake: &Mistake, file: &str, text: &str, (at, len): (usize, usize)) -> bool {
    let Some((start, length)) = mistake.span.filter(|_| mistake.file == file) else {
        return false;
    };
    let line = u32::try_from(text[..start].matches('\n').count() + 1).unwrap();
    let slice = text.get(start..start + length).unwrap_or_default();
    let is_around = start <= at && at + len <= start + length;
    is_around && mistake.line == Some(line) && !slice.contains('\n') && !slice.contains(": ")
}

#[test]
fn a_word_with_a_typo_is_told_at_that_word() {
    let (mut elsewhere, mut accepted, mut checked) = (Vec::new(), Vec::new(), 0);
    for file in FILES {
        let good = base().text(file).unwrap().to_owned();
        for (at, len) in words(&good) {
            let line = line_of(&good, at);
            let is_key = good[at + len..].starts_with(':');
            if FREE.iter().any(|free| line.contains(free)) && !is_key {
                continue;
            }
            // A letter too much, where the word is still one word of its kind.
            let middle = at + len.div_ceil(2);
            let text = format!("{}x{}", &good[..middle], &good[middle..]);
            let word = text[at..=at + len].to_owned();
            let is_name = NAMES.iter().any(|(in_file, in_line, name)| {
                *in_file == file && line.contains(in_line) && *name == &good[at..at + len]
            });
            let mut files = base();
            files.insert(file, text.clone().into_bytes());
            checked += 1;
            let case = format!("{file}: `{word}` in `{}`", line.trim());
            match told(&files) {
                (found, _)
                    if found
                        .iter()
                        .any(|m| points_at(m, file, &text, (at, len + 1))) => {}
                _ if is_name => {}
                (found, _) if found.is_empty() => accepted.push(case),
                (found, _) => elsewhere.push(format!(
                    "{case}: {:?}",
                    found
                        .iter()
                        .map(|m| (&m.file, m.line, &m.message))
                        .collect::<Vec<_>>()
                )),
            }
        }
    }
    assert!(checked > 100, "{checked}");
    assert!(
        accepted.is_empty() && elsewhere.is_empty(),
        "accepted {} of {checked}:\n{}\nelsewhere:\n{}",
        accepted.len(),
        accepted.join("\n"),
        elsewhere.join("\n")
    );
}

/// Mistakes, or else warnings.
fn told(files: &Files) -> (Vec<Mistake>, bool) {
    match compile_to_read(files, options()) {
        Ok((_, warnings)) => (warnings, false),
        Err(mistakes) => (mistakes, true),
    }
}
