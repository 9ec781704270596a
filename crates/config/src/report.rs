//! Everything found wrong while a configuration is read and compiled.
//! Gives `Report`: mistakes refuse the configuration, warnings do not.
//! Used by read and by every part of compile.
//! Start reading at `Report::finish`.

use std::collections::BTreeSet;

use model::Mistake;

use crate::spanned::Place;

/// Something to look at that does not refuse the configuration. Has the same parts as a mistake.
pub type Warning = Mistake;

/// Most mistakes that are reported at once; more would not be read.
pub const MISTAKES_MAX: usize = 200;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    mistakes: Vec<Mistake>,
    warnings: Vec<Warning>,
}

impl Report {
    /// Adds a mistake.
    pub fn add(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// Adds a mistake at a place.
    pub fn wrong(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(place.mistake(message, help));
    }

    /// Adds a warning at a place.
    pub fn warn(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.warnings.push(place.mistake(message, help));
    }

    /// Adds a warning.
    pub fn note(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// The lines that have a mistake already.
    pub fn lines(&self) -> BTreeSet<(String, Option<u32>)> {
        let with_line = self.mistakes.iter().filter(|m| m.line.is_some());
        with_line.map(|m| (m.file.clone(), m.line)).collect()
    }

    /// Whether a file of this directory has a mistake.
    pub fn has_below(&self, directory: &str) -> bool {
        self.mistakes.iter().any(|m| m.file.starts_with(directory))
    }

    /// The warnings, or all mistakes; both in the order of file and place.
    pub fn finish(mut self) -> Result<Vec<Warning>, Vec<Mistake>> {
        if self.mistakes.is_empty() {
            sort(&mut self.warnings);
            return Ok(self.warnings);
        }
        sort(&mut self.mistakes);
        self.mistakes
            .dedup_by(|later, first| is_merged(first, later));
        self.mistakes.truncate(MISTAKES_MAX);
        Err(self.mistakes)
    }
}

/// Takes a later mistake into an earlier one about the same words: a field that two operations of one grant lack is one
/// mistake of the person typing. The two say the same but for the name at their end.
fn is_merged(first: &mut Mistake, later: &Mistake) -> bool {
    if first == later {
        return true;
    }
    let is_same_place =
        first.file == later.file && first.span == later.span && first.span.is_some();
    let Some((said, name)) = ending(&later.message).filter(|_| is_same_place) else {
        return false;
    };
    let names = first.message.strip_prefix(said).unwrap_or_default();
    let is_name = |word: &str| word.len() > 2 && word.starts_with('`') && word.ends_with('`');
    let is_same = names.split(", ").all(is_name);
    if is_same {
        first.message = format!("{}, `{name}`", first.message);
    }
    is_same
}

/// The last name in backticks, and what stands before it.
fn ending(message: &str) -> Option<(&str, &str)> {
    message.strip_suffix('`')?.rsplit_once('`')
}

fn sort(found: &mut [Mistake]) {
    found.sort_by(|a, b| {
        let key = |m: &Mistake| (m.line, m.span.map(|(start, _)| start));
        a.file.cmp(&b.file).then_with(|| key(a).cmp(&key(b)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(messages: &[(&str, usize)]) -> Vec<String> {
        let mut report = Report::default();
        for (message, start) in messages {
            report.add(
                Mistake::new(*message, "Help.")
                    .in_file("a.yaml")
                    .at(*start, 3)
                    .at_line(1),
            );
        }
        let mistakes = report.finish().unwrap_err();
        mistakes.into_iter().map(|m| m.message).collect()
    }

    #[test]
    fn one_word_that_several_operations_lack_is_one_mistake() {
        let found = said(&[
            ("no field `x` in `a`", 5),
            ("no field `x` in `b`", 5),
            ("no field `x` in `c`", 5),
            ("no field `x` in `a`", 9),
        ]);
        assert_eq!(
            found,
            ["no field `x` in `a`, `b`, `c`", "no field `x` in `a`"]
        );
    }

    #[test]
    fn different_sentences_about_one_place_stay_apart() {
        let found = said(&[
            ("no field `x` in `a`", 5),
            ("no mask for `x` in `a`", 5),
            ("the place is empty", 5),
        ]);
        assert_eq!(found.len(), 3);
    }
}
