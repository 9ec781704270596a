//! placeholder
use crate::exit::{Exit, Outcome};
use crate::verbs::Verb;
use clap::Command;
pub const VERB: Verb = Verb {
    name: "ledger",
    about: "x",
    command: || Command::new("ledger").after_help("Example"),
    run,
};
fn run(_: &clap::ArgMatches) -> Outcome {
    Ok(Exit::Failed)
}
