//! `portcullis explain`: why one request was decided as it was.
//! Gives `VERB`.
//! Used by `verbs::VERBS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use crate::exit::{Exit, Outcome};
use crate::verbs::Verb;
use crate::verbs::key::asked;
use crate::{config_dir, office, output, terminal};

/// The verb.
pub const VERB: Verb = Verb {
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
    let explained = office::call(
        &config_dir::target(arguments),
        "decision.explain",
        &asked(arguments, &[("id", "id")]),
    )?;
    let document = json!({ "schema_version": 1, "decision": explained.get("decision") });
    output::print(arguments, &document, || {
        let text = explained.get("text").and_then(Value::as_str);
        terminal::text(text.unwrap_or_default());
    });
    Ok(Exit::Done)
}
