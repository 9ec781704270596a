//! `portcullis schema`: the JSON Schema of a kind of configuration file, for editors.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::terminal;

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "schema",
    about: "Print the JSON Schema of a kind of configuration file [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("schema")
        .arg(
            Arg::new("kind")
                .required(true)
                .help("server, api, integration or role"),
        )
        .after_help("Example:\n  portcullis schema integration > integration.schema.json")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let kind = arguments
        .get_one::<String>("kind")
        .map(String::as_str)
        .unwrap_or_default();
    let Some(schema) = config::schema(kind) else {
        return Err(CommandError::new(
            Exit::Usage,
            format!("there is no kind of file called `{kind}`"),
            format!("The kinds are {}.", config::kinds().join(", ")),
        ));
    };
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    terminal::text(&(text + "\n"));
    Ok(Exit::Done)
}
