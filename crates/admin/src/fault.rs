//! Why the desk did not do it, for the person who asked.
//! Gives `DeskFault` and its `Kind`, which the command line turns into an exit code.
//! Used by every command.
//! Start reading at `DeskFault`.

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

/// Why the desk did not do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct DeskFault {
    /// What kind of trouble.
    pub kind: Kind,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl DeskFault {
    /// Something about the question.
    pub fn asked(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        DeskFault {
            kind: Kind::Asked,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A change was asked of a desk that only reads.
    pub(crate) fn only_reads() -> Self {
        DeskFault::asked(
            "this desk only reads",
            "Changes go through the running server, or open the store alone.",
        )
    }
}

impl From<store::Fault> for DeskFault {
    fn from(fault: store::Fault) -> Self {
        DeskFault {
            kind: Kind::Failed,
            message: fault.to_string(),
            remedy: "Nothing was changed. See the server's log for more.".into(),
        }
    }
}

impl From<audit::LedgerFault> for DeskFault {
    fn from(fault: audit::LedgerFault) -> Self {
        DeskFault {
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
