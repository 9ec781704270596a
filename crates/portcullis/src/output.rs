//! How commands print: data on stdout as a table or JSON, words on stderr.
//! Exports `argument`, `print` for answers of the admin service, `show` for the command line's own documents, `create` for what goes to a file, and readers of common arguments.
//! Used by every command.
//! Start reading at `print`.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches};
use control::output::Output;
use identity::api_key::redacted;
use installation::server::Host;
pub use model::printable::counted;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::admin_client::command_error;
use crate::exit::{CommandError, Exit};
use crate::terminal;

/// The `-o` argument.
pub fn argument() -> Arg {
    Arg::new("output")
        .short('o')
        .long("output")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("How to print")
}

/// Whether JSON is wanted.
pub fn is_json(arguments: &ArgMatches) -> bool {
    arguments
        .get_one::<String>("output")
        .is_some_and(|output| output == "json")
}

/// Whether JSON is asked for on a command line that may be wrong.
pub fn is_json_asked(given: impl Iterator<Item = OsString>) -> bool {
    let given = given.map(|argument| argument.to_string_lossy().into_owned());
    let given: Vec<String> = given.take_while(|argument| argument != "--").collect();
    let is_pair = |pair: &[String]| match pair {
        [name, value] => matches!(name.as_str(), "-o" | "--output") && value == "json",
        _ => false,
    };
    let is_one = |one: &String| matches!(one.as_str(), "-ojson" | "-o=json" | "--output=json");
    given.windows(2).any(is_pair) || given.iter().any(is_one)
}

/// Prints the value as JSON, or lets `text` print it for people.
pub fn print(arguments: &ArgMatches, value: &Value, text: impl FnOnce()) {
    if is_json(arguments) {
        terminal::json(value)
    } else {
        text()
    }
}

/// Prints a document of the command line as JSON, or lets `text` print it for people.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn show<T: Serialize + JsonSchema>(
    arguments: &ArgMatches,
    output: &Output<T>,
    value: &T,
    text: impl FnOnce(),
) -> Result<(), CommandError> {
    if is_json(arguments) {
        terminal::json(&output.document(value).map_err(command_error)?);
    } else {
        text();
    }
    Ok(())
}

/// What a server is given by its host: words on standard error.
pub fn host() -> Host {
    Host {
        // A key is not repeated.
        say: |lines| terminal::say_all(redacted(lines)),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// A new file for its owner only: records name integrations, objects and addresses.
///
/// # Errors
/// When the name is taken or the directory is closed.
pub fn create(path: &Path) -> Result<File, CommandError> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    made.map_err(|error| {
        CommandError::new(
            Exit::Failed,
            format!("cannot make {}: {error}", path.display()),
            "Choose a name that is not taken, in a directory you may write to.",
        )
    })
}

/// What is said when such a file cannot be written on.
pub fn unwritten(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::new(
        Exit::Failed,
        format!("cannot write {}: {error}", path.display()),
        "Make room on the disk, or write to another one.",
    )
}

/// A path argument; the command line guarantees that it is there or has a default.
pub fn path(arguments: &ArgMatches, name: &str) -> PathBuf {
    arguments
        .get_one::<PathBuf>(name)
        .cloned()
        .unwrap_or_default()
}

/// A text argument where it was given.
pub fn given(arguments: &ArgMatches, name: &str) -> Option<String> {
    arguments.get_one::<String>(name).cloned()
}

/// A text argument, empty when absent.
pub fn text<'a>(arguments: &'a ArgMatches, name: &str) -> &'a str {
    arguments
        .get_one::<String>(name)
        .map(String::as_str)
        .unwrap_or_default()
}
