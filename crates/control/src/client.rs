//! Typed commands asked of a running server through its local socket.
//! Exports `ask`, `Answer`; `read` for whoever works on the store itself.
//! Used by the command line and by what looks at an installation.
//! Start reading at `ask`.

use std::path::PathBuf;

use serde_json::Value;

use crate::commands::{self, Command};
use crate::{AdminError, socket};

/// What a command answered.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// As `-o json` prints it.
    pub document: Value,
    /// The same, for words.
    pub out: T,
}

impl<T> Answer<T> {
    /// Whether the command changed anything; what was asked for may have held already.
    pub fn has_changed(&self) -> bool {
        commands::has_changed(&self.document)
    }
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
    let arguments = match commands::arguments_of(command) {
        Ok(arguments) => arguments,
        Err(error) => return Some(Err(error)),
    };
    let answer = socket::ask(sockets, C::INFO.name, &arguments, name)?;
    Some(answer.and_then(read::<C>))
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
