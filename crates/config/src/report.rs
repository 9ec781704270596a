//! Everything found wrong while a configuration is read and compiled.
//! Exports `Report`: mistakes refuse the configuration, warnings do not.
//! Used by read and by every part of compile.
//! Start reading at `Report::finish`.

use std::collections::{BTreeMap, BTreeSet};

use model::Mistake;

use crate::merge::once;
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
    /// Sentences about a name that leads nowhere.
    named: BTreeSet<String>,
    /// Places of parts that could not be read, by file.
    unread: BTreeMap<String, Vec<(usize, usize)>>,
}

impl Report {
    /// Adds a mistake, unless it follows from one that was found while reading.
    pub fn add(&mut self, mistake: Mistake) {
        if !self.is_consequence(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// Adds a mistake about a name that leads nowhere: when the name is what is right, and what it should lead to is
    /// misspelt, every use says the same, and only the first is shown with its lines.
    pub fn unknown(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.add_unknown(place.mistake(message, help));
    }

    /// The same for a mistake that has its place.
    pub fn add_unknown(&mut self, mistake: Mistake) {
        self.named.insert(mistake.message.clone());
        self.add(mistake);
    }

    /// Adds a mistake for which a part of a file was left out.
    pub fn unread(&mut self, mistake: Mistake) {
        let parts = self.unread.entry(mistake.file.clone()).or_default();
        parts.extend(mistake.span);
        self.mistakes.push(mistake);
    }

    /// Adds a mistake at a place, unless it follows from one that was found while reading.
    pub fn wrong(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.add(place.mistake(message, help));
    }

    /// What is said of an entry as a whole, of which a part was left out, says that this part is missing.
    fn is_consequence(&self, mistake: &Mistake) -> bool {
        let (Some(parts), Some((start, len))) = (self.unread.get(&mistake.file), mistake.span)
        else {
            return false;
        };
        let end = start.saturating_add(len);
        let is_inside = |(at, of): &(usize, usize)| {
            (start..end).contains(at) && at.saturating_add(*of) <= end && *of < len
        };
        parts.iter().any(is_inside)
    }

    /// How many mistakes were found so far.
    pub fn len(&self) -> usize {
        self.mistakes.len()
    }

    /// Adds a warning at a place.
    pub fn warn(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.warnings.push(place.mistake(message, help));
    }

    /// Adds a warning.
    pub fn note(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// The warnings, or all mistakes; both in the order of file and place, what is said twice only once.
    pub fn finish(self) -> Result<Vec<Warning>, Vec<Mistake>> {
        if self.mistakes.is_empty() {
            return Ok(once(self.warnings, &self.named));
        }
        let mut mistakes = once(self.mistakes, &self.named);
        mistakes.truncate(MISTAKES_MAX);
        Err(mistakes)
    }
}
