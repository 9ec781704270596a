//! Exit codes, and the error that ends a command with one of them.
//! Exports `Exit`, `CommandError`, `finish`. Words go to stderr; data went to stdout before.
//! Used by every command.
//! Start reading at `Exit`.

use std::fmt::Display;
use std::process::ExitCode;

use identity::api_key::redacted;
use installation::{InstallationError, Severity};
use model::printable;
use review::NameError;

use crate::outputs::{self, FailedBecause, FailedCommand};
use crate::terminal;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Worked, and there is something to look at.
    Findings = 2,
    /// The ledger or the store does not hold what it should.
    Integrity = 3,
    /// The command line is wrong.
    Usage = 64,
    /// The server cannot be reached.
    Unreachable = 69,
    /// Not permitted.
    NotPermitted = 77,
    /// The configuration is invalid.
    Configuration = 78,
}

/// Printed below the help of the whole command line.
pub const HELP: &str = "Exit codes: 0 done · 1 failed · 2 worked, and there is something to look at · 3 integrity failure · 64 usage · \
69 server unreachable · 77 not permitted · 78 configuration invalid";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// How the command ends, once everything is written: output that was lost is a failure, a reader who left is not.
pub fn finish(exit: Exit) -> ExitCode {
    let Some(why) = terminal::failure() else {
        return exit.into();
    };
    terminal::say(format_args!(
        "portcullis: cannot write to standard output: {why}"
    ));
    match exit {
        Exit::Done | Exit::Findings => Exit::Failed,
        worse => worse,
    }
    .into()
}

/// What went wrong, and what to do about it.
#[derive(Debug)]
pub struct CommandError {
    /// How the command ends.
    pub exit: Exit,
    /// What went wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub remedy: String,
}

impl CommandError {
    /// An error with a remedy, one line each: what they quote cannot make another line.
    pub fn new(exit: Exit, message: impl Display, remedy: impl Display) -> Self {
        let one_line = |text: String| printable::line(&text).into_owned();
        CommandError {
            exit,
            message: one_line(message.to_string()),
            remedy: one_line(remedy.to_string()),
        }
    }

    /// An error whose message has several lines; their fields were made safe by who rendered them.
    pub fn report(exit: Exit, message: String, remedy: impl Display) -> Self {
        CommandError {
            message,
            ..CommandError::new(exit, "", remedy)
        }
    }

    /// Prints both to stderr, and to stdout as a document where that was asked for. A key typed in the wrong place is not
    /// repeated.
    pub fn print(&self, is_json: bool) {
        self.say();
        if is_json {
            self.print_document();
        }
    }

    /// Prints it to stdout as a document, unless the command has printed one of its own, which says how it ended.
    pub fn print_document(&self) {
        if terminal::has_document() {
            return;
        }
        let error = FailedBecause {
            exit: self.exit as u8,
            message: redacted(&self.message).into_owned(),
            help: redacted(&self.remedy).into_owned(),
        };
        if let Ok(document) = outputs::ERROR.document(&FailedCommand { error }) {
            terminal::json(&document);
        }
    }

    fn say(&self) {
        if !self.message.is_empty() {
            terminal::say_all(format_args!("portcullis: {}", redacted(&self.message)));
        }
        if !self.remedy.is_empty() {
            terminal::say_all(format_args!("  help: {}", redacted(&self.remedy)));
        }
    }
}

impl From<InstallationError> for CommandError {
    fn from(error: InstallationError) -> CommandError {
        let exit = Exit::from(error.severity);
        // Places in files are shown in several lines, which were made safe.
        CommandError::report(exit, error.message, error.remedy)
    }
}

impl From<Severity> for Exit {
    fn from(severity: Severity) -> Exit {
        match severity {
            Severity::Failed => Exit::Failed,
            Severity::Configuration => Exit::Configuration,
            Severity::Integrity => Exit::Integrity,
        }
    }
}

impl From<store::Fault> for CommandError {
    fn from(fault: store::Fault) -> CommandError {
        InstallationError::from(fault).into()
    }
}

impl From<audit::LedgerFault> for CommandError {
    fn from(fault: audit::LedgerFault) -> CommandError {
        InstallationError::from(fault).into()
    }
}

impl From<NameError> for CommandError {
    fn from(error: NameError) -> CommandError {
        let exit = if error.is_unclear {
            Exit::Usage
        } else {
            Exit::Failed
        };
        CommandError::new(exit, error.message, error.help)
    }
}

/// What a command gives back.
pub type Outcome = Result<Exit, CommandError>;
