//! `portcullis serve`: runs a configuration directory until it is told to stop.
//! Gives `VERB` and `until_stopped`.
//! Used by `verbs::VERBS` and the demo.
//! Start reading at `run`.

use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::{Exit, Outcome, Trouble};
use crate::running::{self, Running, Watch};
use crate::verbs::Verb;
use crate::{config_dir, output, terminal};

/// The verb.
pub const VERB: Verb = Verb {
    name: "serve",
    about: "Run the gateway for a configuration directory [runs]",
    command,
    run,
};

fn command() -> Command {
    Command::new("serve")
        .arg(config_dir::argument())
        .arg(Arg::new("no-watch").long("no-watch").action(ArgAction::SetTrue).help("Do not load changed files by themselves; `portcullis reload` and SIGHUP do"))
        .after_help("Example:\n  portcullis serve --config gate/\n\nSIGHUP and `portcullis reload` load the configuration again; a changed file does so by itself. SIGTERM and Ctrl-C finish the requests under way and stop.")
}

fn run(arguments: &ArgMatches) -> Outcome {
    let watch = if arguments.get_flag("no-watch") {
        Watch::Nothing
    } else {
        Watch::Files
    };
    let running = running::start(&config_dir::of(arguments), watch)?;
    terminal::say(ready(&running));
    until_stopped(&running)?;
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

/// Waits for SIGTERM or SIGINT; reloads on SIGHUP meanwhile.
///
/// # Errors
/// When signals cannot be waited for.
pub fn until_stopped(running: &Running) -> Result<(), Trouble> {
    let failed = |error: std::io::Error| {
        Trouble::new(
            Exit::Failed,
            format!("cannot wait for signals: {error}"),
            "",
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let mut term = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        loop {
            tokio::select! {
                _ = hangup.recv() => drop((running.desk.reload)("SIGHUP")),
                _ = term.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
            }
        }
    })
}
