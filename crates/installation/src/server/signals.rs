//! What a server is told from outside: reload, stop, stop at once.
//! Exports `Signals`.
//! Used by whoever runs a server in the foreground.
//! Start reading at `Signals::until_stopped`.

use std::sync::Arc;
use std::time::Duration;

use control::Actor;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::interval;

use super::Running;
use crate::{InstallationError, Severity};

/// How often the ledger's writer is looked for.
const LOOK: Duration = Duration::from_millis(250);

/// Loads the configuration on a thread of its own: a load that takes long does not keep the next signal waiting.
fn reload(running: &Running) {
    let control = Arc::clone(&running.control);
    let load = std::thread::Builder::new().name("reload".into());
    // How it ends is said by whoever loads.
    let spawned = load.spawn(move || drop(control.reload(Some(&Actor::server("SIGHUP")))));
    if let Err(error) = spawned {
        running.say(&format!("portcullis: SIGHUP could not be obeyed: {error}"));
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
    pub fn install() -> Result<Signals, InstallationError> {
        let failed = |error: std::io::Error| {
            InstallationError::new(
                Severity::Failed,
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
                        running.say("portcullis: the ledger's writer ended unexpectedly; the server stops, and a new start recovers the ledger");
                        return;
                    },
                }
            }
        });
    }

    /// Waits on a thread of its own for one more SIGTERM or SIGINT: somebody does not want to wait any longer for the stop.
    pub fn next_one(mut self, running: &Running) {
        let hurry = running.hurry();
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
            running.say(&format!(
                "portcullis: a second signal will not end the wait: {error}"
            ));
        }
    }
}
