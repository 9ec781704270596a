//! Why a command was not done, for the person who asked.
//! Exports `AdminError` and its `AdminErrorKind`, which the command line turns into an exit code.
//! Used by every command.
//! Start reading at `AdminError`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::Permission;

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdminErrorKind {
    /// What was asked for does not fit: there is no such thing, or it is not in a state for this.
    Asked,
    /// An argument is none: an unknown word, out of its bounds, or not readable as what it should be.
    Argument,
    /// It could not be done.
    Failed,
    /// Store or ledger do not hold what they should.
    Integrity,
    /// They may not do it.
    NotPermitted,
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// What kind of trouble.
    pub kind: AdminErrorKind,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// The argument it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl AdminError {
    /// Something about the question.
    pub fn asked(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        AdminError {
            kind: AdminErrorKind::Asked,
            message: message.into(),
            remedy: remedy.into(),
            field: None,
        }
    }

    /// One argument that is none, whatever the installation holds: nobody has to be asked to know it.
    pub fn of_argument(field: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        AdminError {
            kind: AdminErrorKind::Argument,
            ..AdminError::of_field(field, message, remedy)
        }
    }

    /// What one argument of the question names.
    pub fn of_field(field: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        AdminError {
            field: Some(field.to_owned()),
            ..AdminError::asked(message, remedy)
        }
    }

    /// Something went wrong while it was done.
    pub fn failed(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        AdminError {
            kind: AdminErrorKind::Failed,
            ..AdminError::asked(message, remedy)
        }
    }

    /// They may not do it.
    pub(crate) fn not_permitted(command: &str, permission: Permission) -> Self {
        AdminError {
            kind: AdminErrorKind::NotPermitted,
            ..AdminError::asked(
                format!("`{command}` needs the permission {permission}, which you do not have"),
                "Ask as the user that runs the server, or as root.",
            )
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
        let kind = match fault {
            store::Fault::NotAsWritten { .. } => AdminErrorKind::Integrity,
            _ => AdminErrorKind::Failed,
        };
        AdminError {
            kind,
            ..AdminError::failed(
                fault.to_string(),
                "Nothing was changed. See the server's log for more.",
            )
        }
    }
}

impl From<audit::LedgerFault> for AdminError {
    fn from(fault: audit::LedgerFault) -> Self {
        AdminError {
            kind: if fault.is_integrity() {
                AdminErrorKind::Integrity
            } else {
                AdminErrorKind::Failed
            },
            ..AdminError::failed(
                fault.to_string(),
                "Run `portcullis ledger verify`; the ledger takes no change while this lasts.",
            )
        }
    }
}
