//! What may an integration do, and who may see a field? Asked of a configuration's rules by the code that enforces them.
//! Exports `can` (one question), `access` (everything an integration may do), `replay` (requests decided again).
//! Used by `portcullis can`, `access` and `inspect replay`. Needs no server, clock or file.
//! Start reading at `can::ask`; why this is a room is in docs/decisions/033.

pub mod access;
pub mod can;
pub mod replay;

/// A name in a question that the configuration does not have, or has several times.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NameError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// Whether the name is there, and more has to be said.
    pub is_unclear: bool,
}

impl NameError {
    fn unknown(message: String, help: String) -> NameError {
        NameError {
            message,
            help,
            is_unclear: false,
        }
    }

    /// A name that is not among these, which are called so: `Versions`.
    fn among(message: String, name: &str, known: &[&str], all: &str) -> NameError {
        let help = config::nearest(name, known)
            .unwrap_or_else(|| format!("{all} are {}.", config::listed(known)));
        NameError::unknown(message, help)
    }

    fn unclear(message: String, help: String) -> NameError {
        NameError {
            is_unclear: true,
            ..NameError::unknown(message, help)
        }
    }
}
