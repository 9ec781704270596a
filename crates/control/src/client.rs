//! Typed commands asked of a running server through its local socket.
//! Exports `ask`, `Answer`; `arguments` and `read` for whoever works on the store itself.
//! Used by the command line and by what looks at an installation.
//! Start reading at `ask`.

use std::path::PathBuf;

use serde_json::Value;

use crate::commands::Command;
use crate::{AdminError, socket};

/// What a command answered.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// As `-o json` prints it.
    pub document: Value,
    /// The same, for words.
    pub out: T,
}

/// Asks the server behind the first of these sockets on which one listens; `None` when there is none. `name` is what the one
/// who asks calls themselves.
///
/// # Errors
/// What the server says, or that it is of another version.
pub fn ask<C: Command>(
    sockets: &[PathBuf],
    command: &C,
    name: &str,
) -> Option<Result<Answer<C::Out>, AdminError>> {
    let arguments = match arguments(command) {
        Ok(arguments) => arguments,
        Err(error) => return Some(Err(error)),
    };
    let answer = socket::ask(sockets, C::INFO.name, &arguments, name)?;
    Some(answer.and_then(read::<C>))
}

/// A command's arguments as they are sent.
///
/// # Errors
/// When they cannot be written as JSON.
pub fn arguments(command: &impl Command) -> Result<Value, AdminError> {
    serde_json::to_value(command).map_err(|error| {
        AdminError::failed(
            format!("the arguments cannot be written: {error}"),
            "Please report this line with the command.",
        )
    })
}

/// A command's answer as it was sent.
///
/// # Errors
/// When it is not one of this version.
pub fn read<C: Command>(document: Value) -> Result<Answer<C::Out>, AdminError> {
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
