//! A first configuration from a contract: everything stays unreachable, nothing is granted, and what is guessed stands in comments.
//! Exports `read` (the contract), `Facts` (what can be told or guessed from it), `files` (what is to be written), `next` (what to do then).
//! Used by `portcullis init`. Pure: whoever writes the files also gives the time and a new key.
//! Start reading at `texts::files`; guesses are in `classes`, `questions` and `references`.

mod classes;
mod facts;
mod names;
mod objects;
mod questions;
mod references;
mod texts;

use contract::{Contract, Source};
use model::Mistake;

pub use facts::Facts;
pub use texts::{files, next};

/// One file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Below the directory.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// For its owner only.
    pub is_secret: bool,
}

/// A name that cannot be an api's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot name an api")]
pub struct NameError {
    /// The name, as it was given or made from the document.
    pub name: String,
}

/// The document as `check` would compile it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(file: &str, text: &str) -> Result<Contract, Vec<Mistake>> {
    contract::compile(&Source {
        file,
        text,
        overlay: None,
        // One file is copied; a document in several files has to be bundled first, and the mistake says which is missing.
        load: &|_| None,
        unknown_fields: contract::UnknownFields::Refuse,
        bounds: model::json::Bounds::default(),
    })
}

#[cfg(test)]
mod tests;
