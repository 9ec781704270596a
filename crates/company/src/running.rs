//! The company's processes in one: upstream, gateway, keys, gentle traffic.
//! Exports `Company`, `Worker`, `is_running`, `remembered`.
//! Used by `portcullis demo` and the tour.
//! Start reading at `Company::start`.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use demo::fieldworks::Hosted;
use demo::tour::Wire;
use demo::{Fieldworks, Mix, Ports};
use installation::server::{self, Host, Running, Watch};
use installation::{InstallationError, Severity};

use crate::Keyring;

/// Time between two calls of the gentle traffic.
const PACE: Duration = Duration::from_millis(333);

/// The demo company running.
pub struct Company {
    /// The gateway.
    pub running: Running,
    /// Its ports.
    pub ports: Ports,
    /// The demo's directory.
    pub dir: PathBuf,
    /// Demo keys by integration.
    pub keys: Keyring,
    upstream: Hosted,
}

/// Whether a demo is running on this directory.
pub fn is_running(dir: &Path) -> bool {
    UnixStream::connect(dir.join("gate/data").join(control::socket::NAME)).is_ok()
}

/// A thread that can be told to stop.
pub struct Worker {
    is_stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs `work` until it says so itself or is told to stop.
    pub fn start(work: impl FnOnce(&AtomicBool) + Send + 'static) -> Worker {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_stopping);
        let thread = std::thread::Builder::new().spawn(move || work(&told)).ok();
        Worker {
            is_stopping,
            thread,
        }
    }

    /// Stops it and waits.
    pub fn stop(mut self) {
        self.is_stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Starts with other ports, when those that were free no longer are.
const TRIES_MAX: u32 = 5;

impl Company {
    /// Prepares the files, starts upstream and gateway, and makes the demo's keys.
    ///
    /// # Errors
    /// What is wrong.
    pub fn start(dir: &Path, seed: u64, host: Host) -> Result<Company, InstallationError> {
        // Before anything is written: the files belong to the demo that runs.
        if is_running(dir) {
            return Err(InstallationError::new(
                Severity::Failed,
                format!("the demo in {} is running already", dir.display()),
                "Use it, stop it with Ctrl-C, or start another one with `--dir OTHER`.",
            ));
        }
        let mut tries = 1;
        loop {
            let ports = free_ports(host);
            match Company::start_on(dir, seed, host, ports) {
                // Another program took one of them between the look and the start.
                Err(_) if tries < TRIES_MAX && !are_free(&ports) => tries += 1,
                outcome => return outcome,
            }
        }
    }

    fn start_on(
        dir: &Path,
        seed: u64,
        host: Host,
        ports: Ports,
    ) -> Result<Company, InstallationError> {
        demo::gate::prepare(dir, &ports, installation::now()).map_err(|error| {
            InstallationError::new(
                Severity::Failed,
                format!("cannot prepare {}: {error}", dir.display()),
                "Choose a directory that can be written with `--dir`.",
            )
        })?;
        remember(dir, &ports)?;
        let upstream = Fieldworks::new(seed)
            .host(ports.upstream)
            .map_err(|fault| {
                InstallationError::new(Severity::Failed, fault, "Free the port and try again.")
            })?;
        let running = match server::start(&dir.join("gate"), Watch::Files, host) {
            Ok(running) => running,
            Err(error) => {
                upstream.stop();
                return Err(error);
            }
        };
        let keys = Keyring::complete(dir, &running)?;
        Ok(Company {
            running,
            ports,
            dir: dir.to_path_buf(),
            keys,
            upstream,
        })
    }

    /// Makes gentle traffic: about three calls a second, some of them refused.
    pub fn traffic(&self, seed: u64) -> Worker {
        let (ports, keys, dir) = (self.ports, self.keys.clone(), self.dir.clone());
        Worker::start(move |is_stopping| {
            let Ok(wire) = Wire::new(ports, fs::read(dir.join("ca.pem")).unwrap_or_default())
            else {
                return;
            };
            for call in Mix::new(seed) {
                if is_stopping.load(Ordering::Acquire) {
                    return;
                }
                let key = call.who.and_then(|who| keys.of(who));
                // A call that finds the gateway stopping says nothing new.
                drop(wire.send(&call, key));
                std::thread::sleep(PACE);
            }
        })
    }

    /// Stops gateway and upstream in order.
    ///
    /// # Errors
    /// When the ledger could not be closed cleanly.
    pub fn stop(self) -> Result<(), InstallationError> {
        let stopped = self.running.stop();
        self.upstream.stop();
        stopped
    }
}

/// Whether nobody listens on any of these ports.
fn are_free(ports: &Ports) -> bool {
    let all = [
        ports.local,
        ports.public,
        ports.internal,
        ports.admin,
        ports.upstream,
    ];
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    all.into_iter().all(is_free)
}

/// The usual ports, or the next free ones, which is then said.
fn free_ports(host: Host) -> Ports {
    let usual = Ports::default();
    let mut taken = Vec::new();
    let mut next = |wanted: u16| {
        let port = (wanted..wanted.saturating_add(200))
            .step_by(10)
            .find(|port| !taken.contains(port) && TcpListener::bind(("127.0.0.1", *port)).is_ok())
            .unwrap_or(wanted);
        if port != wanted {
            (host.say)(&format!(
                "portcullis: port {wanted} is in use; the demo takes {port}"
            ));
        }
        taken.push(port);
        port
    };
    Ports {
        local: next(usual.local),
        public: next(usual.public),
        internal: next(usual.internal),
        admin: next(usual.admin),
        upstream: next(usual.upstream),
    }
}

const PORTS: &str = "ports";

/// Notes the ports for `demo tour` and `demo env` of another process.
fn remember(dir: &Path, ports: &Ports) -> Result<(), InstallationError> {
    let text = format!(
        "{} {} {} {} {}\n",
        ports.local, ports.public, ports.internal, ports.admin, ports.upstream
    );
    fs::write(dir.join(PORTS), text).map_err(|error| {
        InstallationError::new(
            Severity::Failed,
            format!("cannot write {}: {error}", dir.join(PORTS).display()),
            "",
        )
    })
}

/// The ports of the demo that runs (or ran last) in this directory.
pub fn remembered(dir: &Path) -> Option<Ports> {
    let text = fs::read_to_string(dir.join(PORTS)).ok()?;
    let mut numbers = text
        .split_whitespace()
        .map(|number| number.parse::<u16>().ok());
    let mut next = || numbers.next().flatten();
    Some(Ports {
        local: next()?,
        public: next()?,
        internal: next()?,
        admin: next()?,
        upstream: next()?,
    })
}
