//! A running server: every room wired, started in order, stopped in order.
//! Exports `start`, `Running`, `Host`; `Signals` in `signals`.
//! Used by `serve` and the demo.
//! Start reading at `start`.

mod listeners;
mod panics;
mod signals;
mod tasks;

pub use panics::install as install_panic_hook;
pub use signals::Signals;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audit::Recorder;
use config::Compiled;
use config::server::ListenerKind;
use control::maintenance::{Witness, keep_witness};
use control::supervisor::Supervisor;
use control::{Control, ControlParts, Health, Loading, announcement, socket};
use gateway::{Gateway, SharedState, Snapshot};
use model::printable::counted;
use model::{Event, Outcome, Word};
use net::{DescriptorShare, Pools, Workers};
use store::Store;

use crate::certificates::{Slots, certificates};
use crate::descriptors::{self, Descriptors};
use crate::open::{self, Opened};
use crate::{Directory, InstallationError, Severity, files, intents};

/// Requests under way get at least this long to finish when the server stops, unless `defaults.timeouts.drain` says less.
const DRAIN_MIN: Duration = Duration::from_secs(10);
/// What a request needs beside the longest call of an upstream: its body, the stages, the record, the reply.
const DRAIN_MORE: Duration = Duration::from_secs(5);

/// A running server.
pub struct Running {
    /// What all requests share.
    pub io: Arc<SharedState>,
    /// The owner of what runs, for callers in the same process.
    pub control: Arc<Control>,
    /// Configuration directory.
    dir: PathBuf,
    /// Data directory.
    pub data: PathBuf,
    store: Store,
    witness: Witness,
    workers: Vec<Workers>,
    supervisor: Supervisor,
    host: Host,
    /// Somebody ended the wait for requests under way.
    is_hurried: Arc<AtomicBool>,
}

/// Whether changed files are loaded by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Within a second.
    Files,
    /// Only when somebody asks: `portcullis reload`, SIGHUP.
    Nothing,
}

/// What a server has no words for itself.
#[derive(Clone, Copy)]
pub struct Host {
    /// Prints lines for the operator.
    pub say: fn(&str),
    /// Version of the program, for the ledger.
    pub version: &'static str,
}

/// Starts a server for a configuration directory. Nothing listens before everything else stands.
///
/// # Errors
/// What is wrong; then nothing runs.
pub fn start(dir: &Path, watch: Watch, host: Host) -> Result<Running, InstallationError> {
    let texts = files::read(dir)?;
    let (compiled, warnings) = files::compile(&texts, crate::now())?;
    for lines in files::warned(&warnings, &texts) {
        (host.say)(&lines);
    }
    let compiled = Arc::new(compiled);
    let shares = open_files(&compiled, host)?;
    let slots = certificates(&compiled, dir, &texts)?;
    let opened = open::open(&compiled, dir, &texts)?;
    opened.recovered.iter().for_each(|line| (host.say)(line));
    let base = crate::snapshot(&compiled, None, dir)?;
    let io = control::start::shared(&opened.store, &opened.keys, &opened.recorder, &base)?;
    let control = Arc::new(control(dir, &io, base, &opened, &slots, host)?);
    let data = opened.dir.clone();
    destroy_again(&control, host)?;
    // Before the first record of this start, so that destinations get it.
    let apart = [dir.to_path_buf(), data.clone()];
    let deliveries = tasks::deliveries(&compiled, &apart, &io, &opened.store, host)?;
    // Before the first listener: no request is on the record in front of the start that served it.
    note(&io.recorder, "start", format!("version {}", host.version))?;
    let workers = open_sockets(&compiled, (&io, shares), &slots, &data, &control);
    let workers = workers.inspect_err(|trouble| {
        at_rest(
            &opened,
            &data,
            format!("not started: {}", trouble.message),
            host,
        );
    })?;
    // Where nothing can be written beside the configuration, the server is found by what its file says about the store.
    drop(announcement::announce(dir, &data.join(socket::NAME)));
    let mut beside = tasks::beside(&control, &opened.witness, watch, host);
    beside.push(tasks::announced(dir, &data));
    beside.extend(deliveries);
    let supervisor = Supervisor::start(beside, &control.tasks, host.say);
    Ok(Running {
        io,
        control,
        dir: dir.to_path_buf(),
        data,
        store: opened.store,
        witness: opened.witness,
        workers,
        supervisor,
        host,
        is_hurried: Arc::default(),
    })
}

/// Shares out the files that may be open. A server that would run out of them for its ledger does not start.
fn open_files(compiled: &Compiled, host: Host) -> Result<Descriptors, InstallationError> {
    let shares = Descriptors::of(descriptors::raise(), compiled, descriptors::workers());
    let shares = shares.map_err(|few| {
        InstallationError::new(
            Severity::Failed,
            format!("open files: {}", few.said()),
            few.advice(),
        )
    })?;
    if shares.is_short() {
        let (said, advice) = (shares.said(), shares.advice());
        (host.say)(&format!("portcullis: open files: {said}. {advice}"));
    }
    Ok(shares)
}

/// The local socket, then the listeners.
fn open_sockets(
    compiled: &Compiled,
    (io, shares): (&Arc<SharedState>, Descriptors),
    slots: &Slots,
    data: &Path,
    control: &Arc<Control>,
) -> Result<Vec<Workers>, InstallationError> {
    socket::listen(data, Arc::clone(control)).map_err(|error| {
        InstallationError::new(
            Severity::Failed,
            format!("cannot open the local socket {}: {error}", data.join(socket::NAME).display()),
            "A Unix socket's path may have about 100 characters; choose a shorter `store: { dir }`.",
        )
    })?;
    listen(compiled, (io, shares), slots)
}

/// Destroys keys of the ledger again that were destroyed and are there again. Nothing is served while somebody could read what
/// was promised to be unreadable.
fn destroy_again(control: &Control, host: Host) -> Result<(), InstallationError> {
    let returned = control::destroyed_keys::destroy_again(control).map_err(|error| {
        InstallationError::new(
            Severity::Failed,
            format!("keys that were destroyed are there again, or may be, and cannot be destroyed: {error}"),
            "Let the server's user write the ledger's directory and the database: what was destroyed must not become readable.",
        )
    })?;
    if !returned.is_empty() {
        (host.say)(&format!(
            "portcullis: {} that had been destroyed were there again, as from a backup, and are destroyed again; see \
             `portcullis ledger verify`. Destroy them in the backup too.",
            crate::ledger::text::keys(&returned)
        ));
    }
    Ok(())
}

/// Ends what was opened for a server that did not come to listen.
fn at_rest(opened: &Opened, data: &Path, why: String, host: Host) {
    drop(std::fs::remove_file(data.join(socket::NAME)));
    drop(note(&opened.recorder, "stop", why));
    drop(opened.close(host.say));
}

/// The owner of what runs, made of what was opened.
fn control(
    dir: &Path,
    io: &Arc<SharedState>,
    base: Snapshot,
    opened: &Opened,
    slots: &Slots,
    host: Host,
) -> Result<Control, InstallationError> {
    let parts = ControlParts {
        store: opened.store.clone(),
        ledger: opened.recorder.ledger().clone(),
        recorder: Some(Arc::clone(&opened.recorder)),
        keys: Arc::clone(&opened.keys),
    };
    let source = Box::new(Directory::new(dir, slots.clone(), host.say));
    let control = Control::running(parts, Arc::clone(io), base, Loading::new(source, host.say));
    Ok(control?)
}

/// Binds the data plane's listeners for every core, and the admin listener once.
fn listen(
    compiled: &Compiled,
    (io, shares): (&Arc<SharedState>, Descriptors),
    slots: &Slots,
) -> Result<Vec<Workers>, InstallationError> {
    let of_callers = Arc::new(DescriptorShare::new(shares.callers));
    let of_upstreams = Arc::new(DescriptorShare::new(shares.upstreams));
    let (control, data): (Vec<_>, Vec<_>) = compiled
        .server
        .listeners
        .iter()
        .partition(|l| l.kind == ListenerKind::Admin);
    let specs = |listeners: &[&config::compiled::ListenerSettings]| {
        listeners
            .iter()
            .map(|l| listeners::listener(l, &compiled.server, slots, &of_callers))
            .collect::<Vec<_>>()
    };
    let busy = |fault: net::ListenFault| {
        InstallationError::new(
            Severity::Failed,
            fault,
            "Free the port, or change the listener's `address`.",
        )
    };
    let for_gateway = Arc::clone(io);
    let mut all = vec![
        Workers::start(descriptors::workers(), specs(&data), move |_| {
            let pools = Pools::within(Arc::clone(&of_upstreams));
            Gateway::new(Arc::clone(&for_gateway), pools)
        })
        .map_err(busy)?,
    ];
    if !control.is_empty() {
        let for_admin = Arc::clone(io);
        all.push(
            Workers::start(1, specs(&control), move |_| {
                Health::new(Arc::clone(&for_admin))
            })
            .map_err(busy)?,
        );
    }
    Ok(all)
}

/// Records something about the server itself.
fn note(recorder: &Recorder, kind: &'static str, detail: String) -> Result<(), InstallationError> {
    let event = Event {
        at: crate::now(),
        kind: Word::new(kind),
        outcome: Outcome::Done.into(),
        detail: Some(detail.into()),
        ..Event::default()
    };
    let recorded = recorder.record(&event).wait();
    recorded.map(|_| ()).map_err(|fault| {
        InstallationError::new(
            Severity::Failed,
            fault,
            "The server does not run without its ledger.",
        )
    })
}

impl Running {
    /// Prints lines for the operator.
    pub fn say(&self, lines: &str) {
        (self.host.say)(lines);
    }

    /// How long requests under way may take when the server stops.
    fn drain(&self) -> Duration {
        let snapshot = self.io.snapshot.load();
        let written = snapshot.compiled.server.timeouts.drain;
        written.unwrap_or_else(|| {
            let longest = intents::longest_call(&snapshot.compiled);
            longest.saturating_add(DRAIN_MORE).max(DRAIN_MIN)
        })
    }

    /// Where a listener truly listens.
    pub fn address(&self, listener: &str) -> Option<std::net::SocketAddr> {
        self.workers
            .iter()
            .find_map(|workers| workers.address(listener))
    }

    /// Ends the wait of [`Running::stop`] for requests under way.
    pub fn hurry(&self) -> impl FnOnce() + Send + 'static {
        let all: Vec<_> = self.workers.iter().map(Workers::hurry).collect();
        let is_hurried = Arc::clone(&self.is_hurried);
        move || {
            is_hurried.store(true, Ordering::Release);
            all.iter().for_each(|hurry| hurry());
        }
    }

    /// Finishes requests under way, then the ledger.
    ///
    /// # Errors
    /// When the ledger could not be closed cleanly.
    pub fn stop(self) -> Result<(), InstallationError> {
        let grace = self.drain();
        let cut_before = self.io.metrics.calls_cut.get();
        self.io.is_stopping.store(true, Ordering::Release);
        for workers in self.workers {
            workers.stop(grace);
        }
        // Each of them has its record by now: the workers' threads have ended.
        let cut = self.io.metrics.calls_cut.get().saturating_sub(cut_before);
        let is_settled = self.io.owed.is_empty();
        self.io.owed.settle_at_last(&self.io.recorder);
        self.supervisor.stop();
        announcement::withdraw(&self.dir);
        drop(std::fs::remove_file(self.data.join(socket::NAME)));
        let how = match usize::try_from(cut).unwrap_or(usize::MAX) {
            0 => String::from("stopped in order"),
            cut => {
                let calls = counted(cut, "call");
                let why = if self.is_hurried.load(Ordering::Acquire) {
                    "by the second signal".to_owned()
                } else {
                    format!("after {} s", grace.as_secs())
                };
                (self.host.say)(&format!(
                    "portcullis: {calls} still under way cut {why}; see `portcullis ledger show --outcome fault`"
                ));
                format!("stopped; {calls} cut {why}")
            }
        };
        let noted = note(&self.io.recorder, "stop", how);
        let stopped = self.io.recorder.stop();
        // The last checkpoint covers the record of the stop: the database has to know that one.
        keep_witness(&self.store, &self.witness, is_settled, self.host.say);
        self.store.close();
        noted?;
        stopped.map(|_| ()).map_err(|fault| {
            InstallationError::new(
                Severity::Failed,
                fault,
                "The next start recovers the ledger to its last valid record.",
            )
        })
    }
}
