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
        self.mistakes.dedup();
        self.mistakes.truncate(MISTAKES_MAX);
        Err(self.mistakes)
    }
}

fn sort(found: &mut [Mistake]) {
    found.sort_by(|a, b| {
        let key = |m: &Mistake| (m.line, m.span.map(|(start, _)| start));
        a.file.cmp(&b.file).then_with(|| key(a).cmp(&key(b)))
    });
}
