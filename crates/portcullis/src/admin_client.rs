//! Commands asked of the running server through its local socket, or done on the installation itself while none runs.
//! Exports `call`, `ask`, `Answer`; `exit`, which is how a change ends; `about`, which is the line of help of a command.
//! Used by every command of the command line that asks or changes something.
//! Start reading at `call`.

use std::path::PathBuf;

use control::commands::{self, Command};
use control::{Actor, AdminError, AdminErrorKind, announcement, client, socket};
use installation::open::{self, data_dir};
use installation::{InstallationError, Severity};

use crate::config_dir::Target;
use crate::exit::{CommandError, Exit};
use crate::terminal;

pub use control::client::Answer;

/// What to do where a server runs that its directory does not lead to.
const ELSEWHERE: &str = "Should a server be running all the same, name its socket with `--socket`: it is admin.sock in its data directory.";

/// First line of a command's help, with its effect in brackets.
pub fn about<C: Command>() -> String {
    format!("{} [{}]", C::INFO.summary, C::INFO.impact.name())
}

/// Who asks, as they call themselves: somebody who became another user by sudo, or the user. The server learns from the kernel
/// which account that is, and keeps this beside it.
pub fn name() -> String {
    let named = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    named("SUDO_USER")
        .or_else(|| named("USER"))
        .unwrap_or_default()
}

/// Who works on the store itself.
pub fn on_store() -> Actor {
    Actor::on_store(&name(), rustix::process::geteuid().as_raw())
}

fn say(line: &str) {
    terminal::say(line);
}

/// Where the server of an installation may listen, the likeliest first.
fn sockets(target: &Target) -> Vec<PathBuf> {
    if let Some(socket) = &target.socket {
        return vec![socket.clone()];
    }
    let announced = announcement::announced(&target.dir).into_iter();
    let usual = socket::in_data(&data_dir(&target.dir));
    announced.chain(usual).collect()
}

/// Asks the server that runs on this installation; `None` when none runs.
///
/// # Errors
/// What the server says; exit 69 when a socket was named and nobody answers there.
pub fn ask_running<C: Command>(
    target: &Target,
    command: &C,
) -> Option<Result<Answer<C::Out>, CommandError>> {
    match client::ask(&sockets(target), command, &name()) {
        Some(answer) => Some(answer.map_err(command_error)),
        // Whoever names a socket means that server and nothing else.
        None if target.socket.is_some() => Some(Err(unreachable(target))),
        None => None,
    }
}

/// Asks the server that runs on this installation.
///
/// # Errors
/// What the server says; exit 69 when no server runs.
pub fn ask<C: Command>(target: &Target, command: &C) -> Result<Answer<C::Out>, CommandError> {
    ask_running(target, command).ok_or_else(|| unreachable(target))?
}

/// Asks the running server, or does the command on the store while none runs.
///
/// # Errors
/// What the server says, in the words of the question.
pub fn call<C: Command>(target: &Target, command: &C) -> Result<Answer<C::Out>, CommandError> {
    // The server first: it needs neither the files nor a secret of the one who asks.
    if let Some(answer) = ask_running(target, command) {
        return answer;
    }
    let arguments = commands::arguments_of(command).map_err(command_error)?;
    // What reads the record is recorded, so it needs the ledger for writing as well.
    let is_recorded = C::INFO.records.is_some();
    let done = open::with_control(&target.dir, is_recorded, say, |control| {
        let answer = control.call(C::INFO.name, &arguments, &on_store());
        answer.and_then(client::read::<C>)
    });
    let answer = done.map_err(|error| match error.severity {
        Severity::Configuration | Severity::Failed => InstallationError {
            remedy: format!("{} {ELSEWHERE}", error.remedy).trim().to_owned(),
            ..error
        },
        Severity::Integrity => error,
    })?;
    answer.map_err(command_error)
}

/// The same for what reads the ledger's files itself afterwards: a server that runs has to record it; where none does and it cannot
/// be recorded (the configuration has mistakes, or the files cannot be written), that is said and no hindrance. Whoever has
/// files and key can read them without this program.
///
/// # Errors
/// What the server says.
pub fn note<C: Command>(
    target: &Target,
    command: &C,
) -> Result<Option<Answer<C::Out>>, CommandError> {
    if let Some(answer) = ask_running(target, command) {
        return answer.map(Some);
    }
    match call(target, command) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.exit == Exit::Usage => Err(error),
        Err(error) => {
            terminal::say(format_args!(
                "portcullis: not recorded that these records are read: {}",
                error.message
            ));
            Ok(None)
        }
    }
}

/// No server answers.
fn unreachable(target: &Target) -> CommandError {
    let (message, remedy) = match &target.socket {
        Some(socket) => (
            format!("no server answers at {}", socket.display()),
            "Name the socket of the running server, or leave `--socket` out.",
        ),
        None => (
            "no server is running on this configuration".to_owned(),
            "Start it with `portcullis serve`.",
        ),
    };
    let elsewhere = target.socket.is_none().then_some(ELSEWHERE);
    let remedy = format!("{remedy} {}", elsewhere.unwrap_or_default());
    CommandError::new(Exit::Unreachable, message, remedy.trim())
}

/// How a change ends: what was asked for may have held already.
pub fn exit<T>(answer: &Answer<T>) -> Exit {
    if answer.has_changed() {
        Exit::Done
    } else {
        Exit::Findings
    }
}

/// What the admin service says, as the command ends with it.
pub fn command_error(error: AdminError) -> CommandError {
    let exit = match error.kind {
        AdminErrorKind::Argument => Exit::Usage,
        AdminErrorKind::Asked | AdminErrorKind::Failed => Exit::Failed,
        AdminErrorKind::Integrity => Exit::Integrity,
        AdminErrorKind::NotPermitted => Exit::NotPermitted,
    };
    CommandError::new(exit, error.message, error.remedy)
}
