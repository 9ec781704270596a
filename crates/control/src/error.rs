//! Why a command was not done, for the person who asked.
//! Gives `AdminError` and its `Kind`, which the command line turns into an exit code.
//! Used by every command.
//! Start reading at `AdminError`.

use serde::{Deserialize, Serialize};

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What was asked for does not fit: unknown name, wrong argument.
    Asked,
    /// It could not be done.
    Failed,
    /// Store or ledger do not hold what they should.
    Integrity,
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// What kind of trouble.
    pub kind: Kind,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl AdminError {
    /// Something about the question.
    pub fn asked(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        AdminError {
            kind: Kind::Asked,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A change was asked of somebody who only reads.
    pub(crate) fn only_reads() -> Self {
        AdminError::asked(
            "this only reads",
            "Changes go through the running server, or open the store alone.",
        )
    }
}

impl From<store::Fault> for AdminError {
    fn from(fault: store::Fault) -> Self {
        AdminError {
            kind: Kind::Failed,
            message: fault.to_string(),
            remedy: "Nothing was changed. See the server's log for more.".into(),
        }
    }
}

impl From<audit::LedgerFault> for AdminError {
    fn from(fault: audit::LedgerFault) -> Self {
        AdminError {
            kind: if fault.is_integrity() {
                Kind::Integrity
            } else {
                Kind::Failed
            },
            message: fault.to_string(),
            remedy: "Run `portcullis ledger verify`; the ledger takes no change while this lasts."
                .into(),
        }
    }
}
