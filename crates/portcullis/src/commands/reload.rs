//! `portcullis reload`: tells the running server to load its configuration again, and says how that ended.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{ArgMatches, Command};
use control::commands::server::{ReloadOutcome, ReloadServer};

use crate::commands::Subcommand;
use crate::exit::{CommandError, Exit, Outcome};
use crate::{admin_client, config_dir, output, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "reload",
    about: "Tell the running server to load its configuration again [writes]",
    command,
    run,
};

fn command() -> Command {
    Command::new("reload")
        .args([config_dir::argument(), config_dir::socket()])
        .arg(output::argument())
        .after_help(
            "Example:\n  portcullis reload --config gate/\n\n\
             The configuration is read, compiled and swapped whole, or refused whole; then the last good one keeps serving. What the new one \
             no longer has (policies, files, grants, operations) is listed. Certificates are read again in any case.\n\n\
             Exit codes: 0 swapped or unchanged · 69 no server is running · 78 refused",
        )
}

fn run(arguments: &ArgMatches) -> Outcome {
    let answer = admin_client::ask(&config_dir::target(arguments), &ReloadServer {})?;
    let (ended, hash) = (&answer.out, &answer.out.configuration);
    if ended.outcome == ReloadOutcome::Refused {
        output::print(arguments, &answer.document, || {});
        // As `check` prints it: the server rendered it, and `say_all` lets nothing in it act.
        return Err(CommandError::report(
            Exit::Configuration,
            ended.mistakes.clone().unwrap_or_default(),
            format!("Fix the places above. Configuration {hash} keeps serving."),
        ));
    }
    // A directory that is in force already is nothing to look at.
    output::print(arguments, &answer.document, || {
        let outcome = ended.outcome.name();
        terminal::line(format_args!("{outcome}: configuration {hash} is in force"));
        for name in ended.removed.iter().flatten() {
            terminal::line(format_args!("  it no longer has {name}"));
        }
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_help_says_what_the_registry_says() {
        assert_eq!(SUBCOMMAND.about, admin_client::about::<ReloadServer>());
    }
}
