//! `portcullis schema`: the JSON Schema of a kind of configuration file, for editors, or of what a command prints; or what the admin
//! service is asked, as OpenAPI.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use control::output::OutputEntry;
use serde_json::Value;

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::outputs::OUTPUTS;
use crate::terminal;

/// No kind of file: what the admin service is asked.
const ADMIN: &str = "admin";
/// Every document of the command line, by name.
const OUTPUTS_ALL: &str = "outputs";
/// Before the name of one document of the command line.
const OUTPUT: &str = "output/";

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "schema",
    about: "Print the JSON Schema of a kind of configuration file or of a command's output, or the admin commands as OpenAPI [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("schema")
        .arg(
            Arg::new("kind")
                .required(true)
                .help("server, api, integration or role; admin for the commands of the admin service; output/NAME for what a command prints with `-o json`, outputs for all of those"),
        )
        .after_help("Example:\n  portcullis schema integration > integration.schema.json\n  portcullis schema admin > admin.openapi.json\n  portcullis schema output/ledger-verify")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let kind = arguments
        .get_one::<String>("kind")
        .map(String::as_str)
        .unwrap_or_default();
    let schema = schema(kind).ok_or_else(|| {
        let outputs: Vec<String> = OUTPUTS
            .iter()
            .map(|one| format!("{OUTPUT}{}", one.name))
            .collect();
        CommandError::new(
            Exit::Usage,
            format!("nothing called `{kind}` has a schema"),
            format!(
                "There are {}, {ADMIN}, {OUTPUTS_ALL}, {}.",
                config::kinds().join(", "),
                outputs.join(", ")
            ),
        )
    })?;
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    terminal::text(&(text + "\n"));
    Ok(Exit::Done)
}

fn schema(kind: &str) -> Option<Value> {
    if let Some(name) = kind.strip_prefix(OUTPUT) {
        let found = OUTPUTS.iter().find(|one| one.name == name);
        return found.map(OutputEntry::schema);
    }
    match kind {
        ADMIN => Some(control::commands::openapi()),
        OUTPUTS_ALL => {
            let all = OUTPUTS
                .iter()
                .map(|one| (one.name.to_owned(), one.schema()));
            Some(Value::Object(all.collect()))
        }
        kind => config::schema(kind),
    }
}
