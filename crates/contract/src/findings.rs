//! What a request is judged to be, part by part: typed parameters, and what is wrong with them.
//! Exports `Findings` and `JudgedParameter`.
//! Used by the judges of parameters and bodies.
//! Start reading at `Findings`.

use std::sync::Arc;

use model::{FieldError, Json, Mode, Reason, Refusal};

use crate::plan::Place;

/// One parameter with its typed value.
#[derive(Clone, Debug)]
pub struct JudgedParameter {
    /// Name as declared; header names in lower case.
    pub name: Arc<str>,
    /// Place.
    pub place: Place,
    /// Typed value.
    pub value: Json,
}

/// What was found wrong in one part of a request.
#[derive(Debug)]
pub(crate) struct Findings {
    /// How strictly schemas are held against it. What cannot be read without doubt is refused in every mode.
    pub(crate) mode: Mode,
    /// Problems, at most [`Refusal::ERRORS_MAX`].
    pub(crate) errors: Vec<FieldError>,
    /// One of them leaves in doubt what was sent.
    is_unreadable: bool,
    /// Something passes that no schema vouches for.
    pub(crate) is_unproven: bool,
}

impl Findings {
    /// Nothing found yet.
    pub(crate) fn new(mode: Mode) -> Findings {
        Findings {
            mode,
            errors: Vec::new(),
            is_unreadable: false,
            is_unproven: mode == Mode::Off,
        }
    }

    /// A problem that leaves in doubt what was sent: refused in every mode.
    pub(crate) fn unreadable(&mut self, error: FieldError) {
        self.is_unreadable = true;
        self.push(error);
    }

    /// A value that was read and breaks its schema.
    pub(crate) fn broken(&mut self, error: FieldError) {
        self.is_unproven = true;
        if self.mode != Mode::Off {
            self.push(error);
        }
    }

    /// Whether further problems would not be told.
    pub(crate) fn is_full(&self) -> bool {
        self.errors.len() >= Refusal::ERRORS_MAX
    }

    fn push(&mut self, error: FieldError) {
        if !self.is_full() {
            self.errors.push(error);
        }
    }

    /// Ends one part: a refusal, or nothing more to say about it. What was noted stays.
    pub(crate) fn settle(&mut self, reason: &'static Reason) -> Result<(), Box<Refusal>> {
        if self.is_unreadable || self.mode == Mode::Enforce {
            return refuse(reason, std::mem::take(&mut self.errors));
        }
        Ok(())
    }
}

fn refuse(reason: &'static Reason, errors: Vec<FieldError>) -> Result<(), Box<Refusal>> {
    if errors.is_empty() {
        return Ok(());
    }
    let detail = errors
        .iter()
        .take(3)
        .map(|error| format!("{} {} {}", error.place, error.pointer, error.keyword))
        .collect::<Vec<_>>()
        .join("; ");
    Err(reason.because(detail).with_errors(errors))
}
