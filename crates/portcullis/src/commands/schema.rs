//! `portcullis schema`: the JSON Schema of a kind of configuration file, for editors; or what the admin service is asked, as OpenAPI.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::terminal;

/// No kind of file: what the admin service is asked.
const ADMIN: &str = "admin";

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "schema",
    about: "Print the JSON Schema of a kind of configuration file, or the admin commands as OpenAPI [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("schema")
        .arg(
            Arg::new("kind")
                .required(true)
                .help("server, api, integration or role; admin for the commands of the admin service"),
        )
        .after_help("Example:\n  portcullis schema integration > integration.schema.json\n  portcullis schema admin > admin.openapi.json")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let kind = arguments
        .get_one::<String>("kind")
        .map(String::as_str)
        .unwrap_or_default();
    let schema = match kind {
        ADMIN => Some(control::commands::openapi()),
        kind => config::schema(kind),
    };
    let schema = schema.ok_or_else(|| {
        CommandError::new(
            Exit::Usage,
            format!("there is no kind of file called `{kind}`"),
            format!("The kinds are {}, and {ADMIN}.", config::kinds().join(", ")),
        )
    })?;
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    terminal::text(&(text + "\n"));
    Ok(Exit::Done)
}
