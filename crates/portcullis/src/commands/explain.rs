//! `portcullis explain`: why one request was decided as it was.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use control::commands::decision::ExplainDecision;

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{admin_client, config_dir, output, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "explain",
    about: "Say why a request was allowed or refused, by the id in its answer [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("explain")
        .arg(
            Arg::new("id")
                .required(true)
                .value_name("DECISION")
                .help("The id: `decision_id` of a refusal, or the header Portcullis-Decision of any answer"),
        )
        .args([config_dir::argument(), config_dir::socket(), output::argument()])
        .after_help(
            "Example:\n  portcullis explain dec_01KA7ZQ4X8M2V5T9B3N6C1R0WY\n\n\
             What it says is for the operator: it names rules and other integrations. The caller never sees it.",
        )
}

fn run(arguments: &ArgMatches) -> Outcome {
    let asked = ExplainDecision {
        id: output::text(arguments, "id").to_owned(),
    };
    let answer = admin_client::call(&config_dir::target(arguments), &asked)?;
    output::print(arguments, &answer.document, || {
        terminal::text(&answer.out.text);
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_help_says_what_the_registry_says() {
        assert_eq!(SUBCOMMAND.about, admin_client::about::<ExplainDecision>());
    }
}
