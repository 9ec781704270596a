//! placeholder
use crate::exit::{Exit, Outcome};
use crate::verbs::Verb;
use clap::Command;
pub const VERB: Verb = Verb {
    name: "key",
    about: "x",
    command: || Command::new("key").after_help("Example"),
    run,
};
fn run(_: &clap::ArgMatches) -> Outcome {
    Ok(Exit::Failed)
}
