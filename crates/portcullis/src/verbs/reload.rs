//! `portcullis reload`: tells the running server to load its configuration again, and says how that ended.
//! Exports `VERB`.
//! Used by `verbs::VERBS`.
//! Start reading at `run`.

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use crate::exit::{Exit, Outcome, Trouble};
use crate::verbs::Verb;
use crate::{config_dir, office, output, terminal};

/// The verb.
pub const VERB: Verb = Verb {
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
    let answer = office::ask(&config_dir::target(arguments), "server.reload", &json!({}))?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let (outcome, hash) = (text("outcome"), text("configuration"));
    if outcome == "refused" {
        output::print(arguments, &answer, || {});
        // As `check` prints it: the server rendered it, and `say_all` lets nothing in it act.
        return Err(Trouble::report(
            Exit::Configuration,
            text("mistakes").to_owned(),
            format!("Fix the places above. Configuration {hash} keeps serving."),
        ));
    }
    output::print(arguments, &answer, || {
        terminal::line(format_args!("{outcome}: configuration {hash} is in force"));
        let removed = answer.get("removed").and_then(Value::as_array);
        for name in removed.into_iter().flatten().filter_map(Value::as_str) {
            terminal::line(format_args!("  it no longer has {name}"));
        }
    });
    Ok(Exit::Done)
}
