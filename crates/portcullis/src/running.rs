//! A running server: every room wired, started in order, stopped in order.
//! Gives `start` and `Running`.
//! Used by `serve` and the demo.
//! Start reading at `start`.

mod parts;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admin::{Desk, Health, socket};
use audit::Recorder;
use config::Compiled;
use config::server::ListenerKind;
use gateway::{Gateway, Io};
use model::{Event, Timestamp};
use net::Workers;

use crate::background::Background;
use crate::exit::{Exit, Trouble};
use crate::reload::Reload;
use crate::{files, office};

pub use parts::{Slots, certificates, pair, slot};

/// Requests under way get this long to finish when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// A running server.
pub struct Running {
    /// What all roads share.
    pub io: Arc<Io>,
    /// The desk, for callers in the same process.
    pub desk: Arc<Desk>,
    /// Data directory.
    pub data: PathBuf,
    workers: Vec<Workers>,
    background: Background,
}

/// Whether changed files are loaded by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Within a second.
    Files,
    /// Only when somebody asks: `portcullis reload`, SIGHUP.
    Nothing,
}

/// The time, at the one level that may ask.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Starts a server for a configuration directory. Nothing listens before everything else stands.
///
/// # Errors
/// What is wrong, with its exit code; then nothing runs.
pub fn start(dir: &Path, watch: Watch) -> Result<Running, Trouble> {
    let texts = files::read(dir)?;
    let (compiled, warnings) = files::compile(&texts, now())?;
    files::warn(&warnings, &texts);
    let compiled = Arc::new(compiled);
    let slots = certificates(&compiled, dir, &texts)?;
    let opened = office::open(&compiled, dir, &texts)?;
    let io = parts::io(&compiled, dir, &opened)?;
    let reload = Arc::new(Reload::new(
        dir,
        Arc::clone(&io),
        slots.clone(),
        opened.store.clone(),
    ));
    let desk = Arc::new(desk(&io, &opened, &reload));
    let workers = listen(&compiled, &io, &slots)?;
    let data = opened.dir.clone();
    socket::listen(&data, Arc::clone(&desk)).map_err(|error| {
        Trouble::new(
            Exit::Failed,
            format!("cannot open the local door {}: {error}", data.join(socket::NAME).display()),
            "A Unix socket's path may have about 100 characters; choose a shorter `store: { dir }`.",
        )
    })?;
    note(
        &io.recorder,
        "start",
        format!("version {}", env!("CARGO_PKG_VERSION")),
    )?;
    let background = Background::start(
        Arc::clone(&io),
        opened.store.clone(),
        opened.witness.clone(),
        (watch == Watch::Files).then_some(reload),
    );
    Ok(Running {
        io,
        desk,
        data,
        workers,
        background,
    })
}

fn desk(io: &Arc<Io>, opened: &office::Opened, reload: &Arc<Reload>) -> Desk {
    let (current, reload) = (Arc::clone(io), Arc::clone(reload));
    Desk {
        store: opened.store.clone(),
        ledger: opened.recorder.ledger().clone(),
        recorder: Some(Arc::clone(&opened.recorder)),
        keys: Arc::clone(&opened.keys),
        io: Some(Arc::clone(io)),
        compiled: Box::new(move || Arc::clone(&current.snapshot.load().compiled)),
        reload: Box::new(move |who| reload.now(Some(who))),
    }
}

/// Binds the data plane's listeners for every core, and the admin listener once.
fn listen(compiled: &Compiled, io: &Arc<Io>, slots: &Slots) -> Result<Vec<Workers>, Trouble> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (desk, road): (Vec<_>, Vec<_>) = compiled
        .server
        .listeners
        .iter()
        .partition(|l| l.kind == ListenerKind::Admin);
    let specs = |listeners: &[&config::compiled::ListenerSettings]| {
        listeners
            .iter()
            .map(|l| parts::listener(l, &compiled.server, slots))
            .collect::<Vec<_>>()
    };
    let busy = |fault: net::ListenFault| {
        Trouble::new(
            Exit::Failed,
            fault,
            "Free the port, or change the listener's `address`.",
        )
    };
    let for_road = Arc::clone(io);
    let mut workers = vec![
        Workers::start(cores, specs(&road), move |_| {
            Gateway::new(Arc::clone(&for_road))
        })
        .map_err(busy)?,
    ];
    if !desk.is_empty() {
        let for_desk = Arc::clone(io);
        workers.push(
            Workers::start(1, specs(&desk), move |_| Health::new(Arc::clone(&for_desk)))
                .map_err(busy)?,
        );
    }
    Ok(workers)
}

/// Records something about the server itself.
fn note(recorder: &Recorder, kind: &'static str, detail: String) -> Result<(), Trouble> {
    let event = Event {
        at: now(),
        kind: kind.into(),
        outcome: "done".into(),
        detail: Some(detail.into()),
        ..Event::default()
    };
    let recorded = recorder.record(&event).wait();
    recorded.map(|_| ()).map_err(|fault| {
        Trouble::new(
            Exit::Failed,
            fault,
            "The server does not run without its ledger.",
        )
    })
}

impl Running {
    /// Where a listener truly listens.
    pub fn address(&self, listener: &str) -> Option<std::net::SocketAddr> {
        self.workers
            .iter()
            .find_map(|workers| workers.address(listener))
    }

    /// Finishes requests under way, then the ledger.
    ///
    /// # Errors
    /// When the ledger could not be closed cleanly.
    pub fn stop(self) -> Result<(), Trouble> {
        for workers in self.workers {
            workers.stop(GRACE);
        }
        self.background.stop();
        drop(std::fs::remove_file(self.data.join(socket::NAME)));
        note(&self.io.recorder, "stop", String::from("stopped in order"))?;
        let stopped = self.io.recorder.stop();
        stopped.map(|_| ()).map_err(|fault| {
            Trouble::new(
                Exit::Failed,
                fault,
                "The next start recovers the ledger to its last valid record.",
            )
        })
    }
}
