//! `portcullis completion`: completions for a shell.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::terminal;

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "completion",
    about: "Print completions for a shell [read-only]",
    command,
    run,
};

fn command() -> Command {
    Command::new("completion")
        .arg(
            Arg::new("shell")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("bash, zsh, fish, elvish or powershell"),
        )
        .after_help("Example:\n  portcullis completion bash > /etc/bash_completion.d/portcullis")
}

fn run(arguments: &ArgMatches) -> Outcome {
    if let Some(shell) = arguments.get_one::<Shell>("shell") {
        // The generator panics where its writer fails, so it writes to memory.
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut crate::command(), "portcullis", &mut script);
        terminal::exact(&script);
    }
    Ok(Exit::Done)
}
