//! What commands print with `-o json` beside the answers of the admin service: one line for each document.
//! Exports a constant for each, and `OUTPUTS`.
//! Used by the commands; `portcullis schema` prints the schemas, and docs/schemas/outputs is written from them.
//! Start reading at `OUTPUTS`.

use control::output::{Output, OutputEntry};
use installation::check::CheckReport;
use installation::doctor::DoctorReport;
use installation::kek::RotatedKek;
use installation::ledger::VerifiedLedger;
use installation::root::RotatedRoot;
use review::access::{FieldAccess, IntegrationAccess};
use review::can::{Answer, Answers};
use review::replay::Report;
use schemars::JsonSchema;
use serde::Serialize;

/// `access NAME`
pub const ACCESS: Output<IntegrationAccess> = Output::new("access", 1);
/// `access --field PATH`
pub const ACCESS_FIELD: Output<FieldAccess> = Output::new("access-field", 1);
/// `can`
pub const CAN: Output<Answer> = Output::new("can", 1);
/// `can --questions`
pub const CAN_QUESTIONS: Output<Answers> = Output::new("can-questions", 1);
/// `check`
pub const CHECK: Output<CheckReport> = Output::new("check", 1);
/// `doctor`
pub const DOCTOR: Output<DoctorReport> = Output::new("doctor", 1);
/// Any command that failed: what it also says in words
pub const ERROR: Output<FailedCommand> = Output::new("error", 1);
/// `init`
pub const INIT: Output<Written> = Output::new("init", 1);
/// `inspect record`
pub const INSPECT_RECORD: Output<Recorded> = Output::new("inspect-record", 1);
/// `inspect replay`
pub const INSPECT_REPLAY: Output<Report> = Output::new("inspect-replay", 1);
/// `key check`
pub const KEY_CHECK: Output<CheckedKey> = Output::new("key-check", 1);
/// `key rotate-kek`
pub const KEY_ROTATE_KEK: Output<RotatedKek> = Output::new("key-rotate-kek", 1);
/// `key rotate-root`
pub const KEY_ROTATE_ROOT: Output<RotatedRoot> = Output::new("key-rotate-root", 1);
/// `ledger verify`
pub const LEDGER_VERIFY: Output<VerifiedLedger> = Output::new("ledger-verify", 1);

/// Every document, sorted by name.
pub const OUTPUTS: &[OutputEntry] = &[
    ACCESS.entry(),
    ACCESS_FIELD.entry(),
    CAN.entry(),
    CAN_QUESTIONS.entry(),
    CHECK.entry(),
    DOCTOR.entry(),
    ERROR.entry(),
    INIT.entry(),
    INSPECT_RECORD.entry(),
    INSPECT_REPLAY.entry(),
    KEY_CHECK.entry(),
    KEY_ROTATE_KEK.entry(),
    KEY_ROTATE_ROOT.entry(),
    LEDGER_VERIFY.entry(),
];

/// Why a command failed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailedCommand {
    /// The same as in words on standard error.
    pub error: FailedBecause,
}

/// What went wrong, and what to do about it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailedBecause {
    /// Exit code of the command.
    pub exit: u8,
    /// What went wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
}

/// A first configuration that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// Where to.
    pub dir: String,
    /// Version of the api: `field-service/v2`.
    pub api: String,
    /// Operations of the contract.
    pub operations: usize,
    /// Classes of data that were guessed.
    pub classes: usize,
    /// Places where it was guessed what parameters and pages ask and tell.
    pub questions: usize,
    /// Places that probably name other objects.
    pub references: usize,
    /// Files that were written, below the directory.
    pub files: Vec<String>,
}

/// A recording that is whole.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Recorded {
    /// Where it is.
    pub file: String,
    /// Requests recorded.
    pub requests: u64,
    /// Requests left out for their size.
    pub left_out: u64,
}

/// What a text is, by its form.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedKey {
    /// `plausible`, `mistyped`, `not_ours` or `nothing`.
    pub reading: String,
}
