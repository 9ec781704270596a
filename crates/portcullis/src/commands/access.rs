//! `portcullis access`: everything an integration may call, ask, see and send, as `review::access` finds it.
//! Exports `SUBCOMMAND`. Needs the configuration only, no server.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`; `review::access::text` makes it readable.

use clap::{Arg, ArgMatches, Command};
use config::Compiled;
use installation::files;
use review::access::{self, text};

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{config_dir, output, outputs, table, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "access",
    about: "Show what an integration may call, ask, see and send, or who can see a field [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("access")
        .arg(Arg::new("who").value_name("WHO").required_unless_present("field").help("Name of the integration"))
        .arg(Arg::new("field").long("field").value_name("PATH").help("Only this field, and what is below it: customer.taxId. Without WHO: of every integration"))
        .args([config_dir::argument(), output::argument()])
        .after_help("Example:\n  portcullis access accounting\n  portcullis access --field customer.taxId")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let dir = config_dir::of(arguments);
    let (compiled, _) = files::compile_to_read(&files::read(&dir)?, installation::now())?;
    let who = output::given(arguments, "who");
    match output::given(arguments, "field") {
        None => of_integration(arguments, &compiled, &who.unwrap_or_default()),
        Some(field) => of_field(arguments, &compiled, who.as_deref(), &field),
    }
}

fn of_integration(arguments: &ArgMatches, compiled: &Compiled, who: &str) -> Outcome {
    let found = access::of_integration(compiled, who)?;
    output::show(arguments, &outputs::ACCESS, &found, || {
        terminal::text(&text::page(&found, compiled))
    })?;
    Ok(Exit::Done)
}

fn of_field(
    arguments: &ArgMatches,
    compiled: &Compiled,
    who: Option<&str>,
    field: &str,
) -> Outcome {
    let found = access::of_field(compiled, who, field)?;
    output::show(arguments, &outputs::ACCESS_FIELD, &found, || {
        if found.rows.is_empty() {
            terminal::line(format_args!("nobody can see or send {field}"));
            return;
        }
        let rows = found.rows.iter();
        let rows: Vec<Vec<String>> = rows.map(|row| text::field_row(row, compiled)).collect();
        let headings = ["INTEGRATION", "OPERATION", "FIELD", "HOW", "RULE", "WHEN"];
        terminal::text(&table::render(&headings, &rows));
    })?;
    Ok(Exit::Done)
}
