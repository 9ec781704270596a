//! `portcullis init`: a first configuration from an OpenAPI document. Everything stays unreachable, nothing is granted.
//! Exports `SUBCOMMAND`. Writes new files only; what is there is never overwritten.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`; what is written and guessed is decided in the room `init`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use config::Files;
use config::values::Origin;
use contract::Contract;
use crypto::Kek;
use init::{Facts, Planned};
use installation::new_files::{self, NewFile};
use installation::{InstallationError, bounded};

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::outputs::Written;
use crate::{output, outputs, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "init",
    about: "Write a first configuration from an OpenAPI document: nothing exposed, nothing granted [writes]",
    command,
    run,
};

/// Largest document.
const DOCUMENT_BYTES_MAX: usize = config::files::CONTRACT_BYTES_MAX;

fn command() -> Command {
    Command::new("init")
        .arg(Arg::new("openapi").long("openapi").required(true).value_name("FILE").value_parser(value_parser!(PathBuf)).help("OpenAPI 3.0 or 3.1 document, YAML or JSON"))
        .arg(Arg::new("dir").long("dir").value_name("DIR").default_value("gate").value_parser(value_parser!(PathBuf)).help("Where to write; files that are there are never overwritten"))
        .arg(Arg::new("name").long("name").value_name("NAME").help("Name of the api: field-service [default: from the file's name]"))
        .arg(Arg::new("upstream").long("upstream").value_name("URL").help("Where the api is served: http://127.0.0.1:9101"))
        .arg(output::argument())
        .after_help(
            "Example:\n  portcullis init --openapi field-service.yaml --upstream http://127.0.0.1:9101\n\n\
             It writes the server, the api with the contract beside it, an overlay with what was guessed of data and parameters, an example\n\
             integration without grants, and a new key-encryption key. Nothing can be reached until you list it.",
        )
}

fn run(arguments: &ArgMatches) -> Outcome {
    let dir = output::path(arguments, "dir");
    let source = output::path(arguments, "openapi");
    let text = read(&source)?;
    let contract = compiled(&source, &text)?;
    let upstream = upstream(arguments)?;
    let facts = Facts::of(
        &source,
        arguments.get_one::<String>("name").map(String::as_str),
        upstream,
        &contract,
        &text,
    )
    .map_err(|error| {
        let help = "Give one with --name: 1 to 63 of a-z, 0-9 and -, beginning with a letter.";
        CommandError::new(Exit::Usage, error, help)
    })?;
    let kek = Kek::generate_text();
    let planned = init::files(&facts, &text, kek.expose(), installation::now());
    let new: Vec<NewFile<'_>> = planned.iter().map(new_file).collect();
    new_files::write(&dir, &new)?;
    let written = Written {
        dir: dir.display().to_string(),
        api: format!("{}/{}", facts.name, facts.version),
        operations: facts.operations.len(),
        classes: facts.classes.len(),
        questions: facts.questions.len(),
        references: facts.references.len(),
        files: planned.iter().map(|file| file.path.clone()).collect(),
    };
    output::show(arguments, &outputs::INIT, &written, || {
        terminal::text(&init::next(&dir, &facts, &planned))
    })?;
    Ok(Exit::Done)
}

fn new_file(planned: &Planned) -> NewFile<'_> {
    NewFile {
        path: &planned.path,
        text: &planned.text,
        is_secret: planned.is_secret,
    }
}

fn read(source: &Path) -> Result<String, CommandError> {
    let cannot = |what: String| {
        CommandError::new(
            Exit::Failed,
            format!("{} {what}", source.display()),
            "Give an OpenAPI 3.0 or 3.1 document, YAML or JSON.",
        )
    };
    let meta = fs::metadata(source);
    let meta = meta.map_err(|error| cannot(format!("cannot be read: {error}")))?;
    // Opening a pipe waits for somebody who writes into it.
    if !meta.is_file() {
        let what = if meta.is_dir() {
            "is a directory"
        } else {
            "is a pipe or a device"
        };
        return Err(cannot(format!("{what} and no file")));
    }
    bounded::read_text(source, DOCUMENT_BYTES_MAX).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => cannot(format!(
            "is too large for a contract, which has at most {} MiB",
            DOCUMENT_BYTES_MAX >> 20
        )),
        _ => cannot(format!("cannot be read: {error}")),
    })
}

/// The document as `check` would compile it.
fn compiled(source: &Path, text: &str) -> Result<Contract, CommandError> {
    let file = source
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let read = init::read(&file, text);
    read.map_err(|mistakes| {
        let mut files = Files::new();
        files.insert(file.clone(), text.as_bytes().to_vec());
        let mut error = CommandError::from(InstallationError::mistaken(&mistakes, &files));
        error.message = error.message.replacen("the configuration has", "the contract has", 1);
        error.remedy = "Nothing was written. Fix the places above, or bundle a document of several files into one, and run it again.".to_owned();
        error
    })
}

fn upstream(arguments: &ArgMatches) -> Result<Option<String>, CommandError> {
    let Some(text) = arguments.get_one::<String>("upstream") else {
        return Ok(None);
    };
    match text.parse::<Origin>() {
        Ok(_) => Ok(Some(text.clone())),
        Err(why) => {
            let (message, help) = why.split_once('\n').unwrap_or((&why, ""));
            Err(CommandError::new(
                Exit::Usage,
                format!("--upstream: {message}"),
                help,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_contract_is_told_with_its_place() {
        let error = compiled(Path::new("x.yaml"), "openapi: 2.0\ninfo: {}\n").unwrap_err();
        assert_eq!(error.exit, Exit::Configuration);
        assert!(
            error.message.starts_with("the contract has")
                && error.remedy.starts_with("Nothing was written"),
            "{}",
            error.message
        );
    }
}
