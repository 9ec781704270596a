//! `portcullis serve`: runs a configuration directory until it is told to stop.
//! Exports `SUBCOMMAND`.
//! Used by `commands::COMMANDS`.
//! Start reading at `run`.

use clap::{Arg, ArgAction, ArgMatches, Command};
use installation::server::{self, Running, Signals, Watch};

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome};
use crate::{config_dir, output, terminal};

/// The subcommand.
pub const SUBCOMMAND: Subcommand = Subcommand {
    name: "serve",
    about: "Run the gateway for a configuration directory [runs]",
    command,
    run,
};

fn command() -> Command {
    Command::new("serve")
        .arg(config_dir::argument())
        .arg(Arg::new("no-watch").long("no-watch").action(ArgAction::SetTrue).help("Do not load changed files by themselves; `portcullis reload` and SIGHUP do"))
        .after_help("Example:\n  portcullis serve --config gate/\n\nSIGHUP and `portcullis reload` load the configuration again; a changed file does so by itself. SIGTERM and Ctrl-C finish the requests under way and stop; a second one cuts them.")
}

fn run(arguments: &ArgMatches) -> Outcome {
    // First of all: whoever stops a server that is starting is obeyed when it has started, and that is on the record.
    let mut signals = Signals::install()?;
    let watch = if arguments.get_flag("no-watch") {
        Watch::Nothing
    } else {
        Watch::Files
    };
    let running = server::start(&config_dir::of(arguments), watch, output::host())?;
    terminal::say(ready(&running));
    signals.until_stopped(&running);
    signals.next_one(&running);
    running.stop()?;
    Ok(Exit::Done)
}

fn ready(running: &Running) -> String {
    let snapshot = running.io.snapshot.load();
    let (exposed, declared) = snapshot.compiled.operation_counts();
    let listeners: Vec<String> = snapshot
        .compiled
        .server
        .listeners
        .iter()
        .filter_map(|l| {
            running
                .address(&l.name)
                .map(|address| format!("{} {address}", l.name))
        })
        .collect();
    format!(
        "portcullis: ready · configuration {} · {exposed} of {declared} operations exposed · {} · ledger at #{} · {}",
        snapshot.short_hash,
        output::counted(snapshot.compiled.integrations.len(), "integration"),
        running.io.recorder.status().records,
        listeners.join(" · ")
    )
}
