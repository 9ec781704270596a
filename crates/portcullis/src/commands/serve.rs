//! `portcullis serve`: runs a configuration directory until it is told to stop.
//! Gives `SUBCOMMAND` and `Signals`.
//! Used by `commands::COMMANDS` and the demo.
//! Start reading at `run`.

use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use control::Actor;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::interval;

use crate::commands::Subcommand;
use crate::exit::{Exit, Outcome, Trouble};
use crate::running::{self, Running, Watch};
use crate::{config_dir, output, terminal};

/// How often the ledger's writer is looked for.
const LOOK: Duration = Duration::from_millis(250);

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
    let running = running::start(&config_dir::of(arguments), watch)?;
    terminal::say(ready(&running));
    signals.until_stopped(&running);
    signals.next_one(running.hurry());
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

/// Loads the configuration on a thread of its own: a load that takes long does not keep the next signal waiting.
fn reload(running: &Running) {
    let control = Arc::clone(&running.control);
    let load = std::thread::Builder::new().name("reload".into());
    // How it ends is said by whoever loads.
    let spawned = load.spawn(move || drop(control.reload(Some(&Actor::server("SIGHUP")))));
    if let Err(error) = spawned {
        terminal::say(format!("portcullis: SIGHUP could not be obeyed: {error}"));
    }
}

/// What the process is told from outside. From its making on no signal ends the process by itself.
pub struct Signals {
    runtime: Runtime,
    hangup: Signal,
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen for SIGTERM, SIGINT and SIGHUP.
    ///
    /// # Errors
    /// When signals cannot be waited for.
    pub fn install() -> Result<Signals, Trouble> {
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
        let entered = runtime.enter();
        let hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let term = signal(SignalKind::terminate()).map_err(failed)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        drop(entered);
        Ok(Signals {
            runtime,
            hangup,
            term,
            interrupt,
        })
    }

    /// Waits for SIGTERM or SIGINT; reloads on SIGHUP meanwhile. One that came since `install` counts.
    ///
    /// Also ends when the ledger's writer has: what state it left is known only to a new start, which reads it from the disk.
    pub fn until_stopped(&mut self, running: &Running) {
        self.runtime.block_on(async {
            let mut look = interval(LOOK);
            loop {
                tokio::select! {
                    _ = self.hangup.recv() => reload(running),
                    _ = self.term.recv() => return,
                    _ = self.interrupt.recv() => return,
                    _ = look.tick() => if running.io.recorder.has_ended() {
                        terminal::say("portcullis: the ledger's writer ended unexpectedly; the server stops, and a new start recovers the ledger");
                        return;
                    },
                }
            }
        });
    }

    /// Waits on a thread of its own for one more SIGTERM or SIGINT: somebody does not want to wait any longer.
    pub fn next_one(mut self, hurry: impl FnOnce() + Send + 'static) {
        let waiting = std::thread::Builder::new().name("signals".into());
        let spawned = waiting.spawn(move || {
            self.runtime.block_on(async {
                tokio::select! {
                    _ = self.term.recv() => {}
                    _ = self.interrupt.recv() => {}
                }
            });
            hurry();
        });
        if let Err(error) = spawned {
            terminal::say(format!(
                "portcullis: a second signal will not end the wait: {error}"
            ));
        }
    }
}
