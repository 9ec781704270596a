//! placeholder
use crate::exit::{Exit, Outcome};
use crate::verbs::Verb;
use clap::Command;
pub const VERB: Verb = Verb {
    name: "access",
    about: "x",
    command: || Command::new("access").after_help("Example"),
    run,
};
fn run(_: &clap::ArgMatches) -> Outcome {
    Ok(Exit::Failed)
}
