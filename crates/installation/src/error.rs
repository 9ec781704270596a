//! What is wrong with an installation, for the person who runs it.
//! Exports `InstallationError` and its `Severity`, which the command line turns into an exit code.
//! Used by everything in this room.
//! Start reading at `InstallationError`.

use std::fmt::Display;

use audit::LedgerFault;
use config::{Files, Look};
use control::reconcile::ReconcileError;
use model::{Mistake, printable};

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It could not be done.
    Failed,
    /// The configuration, or a secret or certificate it names, is wrong.
    Configuration,
    /// Store or ledger do not hold what they should.
    Integrity,
}

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InstallationError {
    /// What kind of trouble.
    pub severity: Severity,
    /// What is wrong; several lines where places in files are shown. Safe to print.
    pub message: String,
    /// What to do about it; may be empty.
    pub remedy: String,
}

impl InstallationError {
    /// One line each: what they quote cannot make another line.
    pub fn new(severity: Severity, message: impl Display, remedy: impl Display) -> Self {
        let one_line = |text: String| printable::line(&text).into_owned();
        InstallationError {
            severity,
            message: one_line(message.to_string()),
            remedy: one_line(remedy.to_string()),
        }
    }

    /// Every mistake in a configuration, with its place.
    pub fn mistaken(mistakes: &[Mistake], files: &Files) -> Self {
        let rendered = config::render_all(mistakes, files, Look::default());
        let count = printable::counted(mistakes.len(), "mistake");
        InstallationError {
            severity: Severity::Configuration,
            message: format!("the configuration has {count}\n\n{}", rendered.join("\n")),
            remedy: "Nothing was changed. Fix the places above and run `portcullis check` again."
                .into(),
        }
    }
}

impl From<store::Fault> for InstallationError {
    fn from(fault: store::Fault) -> Self {
        let severity = match &fault {
            store::Fault::Key(_) => Severity::Configuration,
            store::Fault::Corrupt { .. }
            | store::Fault::Lost { .. }
            | store::Fault::NotAsWritten { .. }
            | store::Fault::Unreadable { .. } => Severity::Integrity,
            _ => Severity::Failed,
        };
        InstallationError::new(severity, fault, "")
    }
}

impl From<ReconcileError> for InstallationError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Store(fault) => fault.into(),
            ReconcileError::Ledger(fault) => fault.into(),
            other if other.is_integrity() => InstallationError::new(
                Severity::Integrity,
                other,
                "Nothing was changed. Keep the files as evidence.",
            ),
            other => InstallationError::new(Severity::Failed, other, ""),
        }
    }
}

impl From<LedgerFault> for InstallationError {
    fn from(fault: LedgerFault) -> Self {
        if let LedgerFault::Signer { .. } = fault {
            let remedy = "Without a backup of it this ledger cannot be carried on: docs/operating.md says what is left to do.";
            InstallationError::new(Severity::Integrity, fault, remedy)
        } else if fault.is_integrity() {
            let remedy =
                "Run `portcullis ledger verify` to see what is wrong; keep the files as evidence.";
            InstallationError::new(Severity::Integrity, fault, remedy)
        } else {
            InstallationError::new(Severity::Failed, fault, "")
        }
    }
}
