//! Commands asked of the running server through its local socket, or done on the installation itself while none runs.
//! Exports `call`, `ask`, `Answer`; `about`, which is the line of help of a command.
//! Used by every command of the command line that asks or changes something.
//! Start reading at `call`.

use std::path::PathBuf;

use control::commands::{Command, Impact};
use control::{Actor, AdminError, Kind, announcement, socket};
use serde_json::Value;

use crate::config_dir::Target;
use crate::exit::{Exit, Trouble};
use crate::installation::{self, data_dir};

/// What a command answered.
pub struct Answer<T> {
    /// As `-o json` prints it.
    pub document: Value,
    /// The same, for words.
    pub out: T,
}

/// First line of a command's help, with its effect in brackets.
pub fn about<C: Command>() -> String {
    format!("{} [{}]", C::INFO.summary, C::INFO.impact.name())
}

/// Who asks, as they call themselves. The server learns from the kernel which user that is.
pub fn name() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "operator".into());
    format!("{user} (local)")
}

/// Who works on the store itself.
pub fn on_store() -> Actor {
    Actor::on_store(&name(), rustix::process::geteuid().as_raw())
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

/// Asks the server behind these sockets; `None` when none runs.
///
/// # Errors
/// What the server says, or that it is of another version.
pub fn ask_at<C: Command>(
    sockets: &[PathBuf],
    command: &C,
) -> Option<Result<Answer<C::Out>, AdminError>> {
    let arguments = match arguments(command) {
        Ok(arguments) => arguments,
        Err(error) => return Some(Err(error)),
    };
    let answer = socket::ask(sockets, C::INFO.name, &arguments, &name())?;
    Some(answer.and_then(read::<C>))
}

/// Asks the server that runs on this installation; `None` when none runs.
///
/// # Errors
/// What the server says; exit 69 when a socket was named and nobody answers there.
pub fn ask_running<C: Command>(
    target: &Target,
    command: &C,
) -> Option<Result<Answer<C::Out>, Trouble>> {
    match ask_at(&sockets(target), command) {
        Some(answer) => Some(answer.map_err(trouble)),
        // Whoever names a socket means that server and nothing else.
        None if target.socket.is_some() => Some(Err(unreachable(target))),
        None => None,
    }
}

/// Asks the server that runs on this installation.
///
/// # Errors
/// What the server says; exit 69 when no server runs.
pub fn ask<C: Command>(target: &Target, command: &C) -> Result<Answer<C::Out>, Trouble> {
    ask_running(target, command).ok_or_else(|| unreachable(target))?
}

/// Asks the running server, or does the command on the store while none runs.
///
/// # Errors
/// What the server says, in the words of the question.
pub fn call<C: Command>(target: &Target, command: &C) -> Result<Answer<C::Out>, Trouble> {
    // The server first: it needs neither the files nor a secret of the one who asks.
    if let Some(answer) = ask_running(target, command) {
        return answer;
    }
    let arguments = arguments(command).map_err(trouble)?;
    let is_change = C::INFO.impact != Impact::ReadOnly;
    let done = installation::with_control(&target.dir, is_change, |control| {
        let answer = control.call(C::INFO.name, &arguments, &on_store());
        answer.and_then(read::<C>).map_err(trouble)
    });
    done.map_err(|trouble| match trouble.exit {
        Exit::Configuration => Trouble {
            remedy: format!(
                "{} Should a server be running all the same, name its socket with `--socket`.",
                trouble.remedy
            ),
            ..trouble
        },
        _ => trouble,
    })
}

fn arguments(command: &impl Command) -> Result<Value, AdminError> {
    serde_json::to_value(command).map_err(|error| {
        AdminError::failed(
            format!("the arguments cannot be written: {error}"),
            "Please report this line with the command.",
        )
    })
}

fn read<C: Command>(document: Value) -> Result<Answer<C::Out>, AdminError> {
    let out = serde_json::from_value(document.clone()).map_err(|error| {
        AdminError::failed(
            format!(
                "the answer to `{}` is not one of this version: {error}",
                C::INFO.name
            ),
            "Use the command line of the version that the server has.",
        )
    })?;
    Ok(Answer { document, out })
}

/// No server answers.
fn unreachable(target: &Target) -> Trouble {
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
    Trouble::new(Exit::Unreachable, message, remedy)
}

/// What the admin service says as trouble.
pub fn trouble(error: AdminError) -> Trouble {
    let exit = match error.kind {
        Kind::Asked | Kind::Failed => Exit::Failed,
        Kind::Integrity => Exit::Integrity,
        Kind::NotPermitted => Exit::NotPermitted,
    };
    Trouble::new(exit, error.message, error.remedy)
}
