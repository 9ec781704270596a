//! The configuration directory as a source of configurations for a running server.
//! Exports `Directory`, and `snapshot` for the first one.
//! Used by whoever starts a server.
//! Start reading at `Directory::load`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use config::compiled::ListenerSettings;
use config::files::SERVER_FILE;
use config::{Compiled, Files};
use control::{ConfigurationSource, LoadedConfiguration, RefusedConfiguration};
use gateway::Snapshot;
use model::Mistake;
use net::TlsSlot;

use crate::certificates::{Slots, certificates, pair};
use crate::{InstallationError, Severity, bounded, files, layout};

/// A configuration directory, and the listeners whose certificates it names.
pub struct Directory {
    dir: PathBuf,
    slots: Slots,
    /// Other directories as they were named at the last load.
    layout: Mutex<layout::Layout>,
    /// What the directory looked like when it could last be seen.
    seen: Mutex<[u8; 32]>,
    /// Prints lines for the operator.
    say: fn(&str),
}

/// A listener's certificate and key, checked.
type Pair = (Arc<TlsSlot>, Vec<u8>, Vec<u8>);

impl Directory {
    /// For the listeners of a running server; `say` prints lines for the operator.
    pub fn new(dir: &Path, slots: Slots, say: fn(&str)) -> Self {
        Directory {
            dir: dir.to_path_buf(),
            slots,
            layout: Mutex::new(layout::layout(dir)),
            seen: Mutex::default(),
            say,
        }
    }

    fn prepared(&self, before: &Arc<Snapshot>) -> Result<LoadedConfiguration, InstallationError> {
        let texts = files::read(&self.dir)?;
        let (compiled, warnings) = files::compile_after(&texts, crate::now(), &before.compiled)?;
        files::warned(&warnings, &texts)
            .iter()
            .for_each(|lines| (self.say)(lines));
        let compiled = Arc::new(compiled);
        fixed(&before.compiled, &compiled, &texts)?;
        certificates(&compiled, &self.dir, &texts)?;
        let snapshot = snapshot(&compiled, Some(before), &self.dir)?;
        let pairs = self.pairs(&compiled, &texts)?;
        Ok(LoadedConfiguration {
            removed: config::removed(&before.compiled, &compiled),
            snapshot,
            hand_over: Box::new(move || replace(&pairs)),
        })
    }

    /// Certificates and keys for the open listeners, checked.
    fn pairs(&self, compiled: &Compiled, texts: &Files) -> Result<Vec<Pair>, InstallationError> {
        let mut pairs = Vec::new();
        for listener in &compiled.server.listeners {
            let (Some(tls), Some(slot)) = (&listener.tls, self.slots.get(&listener.name)) else {
                continue;
            };
            let (cert, key) = pair(tls, &self.dir)
                .map_err(|mistake| InstallationError::mistaken(&[*mistake], texts))?;
            // The files may have changed since they were checked; these very bytes are put in place.
            TlsSlot::new(&cert, &key, None).map_err(|fault| {
                let help = "The old certificate keeps serving.";
                InstallationError::mistaken(
                    &[tls.cert.place.mistake(fault.to_string(), help)],
                    texts,
                )
            })?;
            pairs.push((Arc::clone(slot), cert, key));
        }
        Ok(pairs)
    }
}

impl ConfigurationSource for Directory {
    fn begin(&self) -> [u8; 32] {
        let layout = layout::layout(&self.dir);
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = layout;
        self.stamp()
    }

    fn stamp(&self) -> [u8; 32] {
        let layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A server out of descriptors goes by what it saw before: its files have not changed for that.
        if let Some(now) = files::stamp(&self.dir, &layout) {
            *seen = now;
        }
        *seen
    }

    fn load(&self, before: &Arc<Snapshot>) -> Result<LoadedConfiguration, RefusedConfiguration> {
        self.prepared(before).map_err(|error| RefusedConfiguration {
            message: error.message,
            remedy: error.remedy,
        })
    }
}

/// What requests are decided by, made of a compiled configuration and of the files that it names.
///
/// # Errors
/// When an upstream cannot be used.
pub fn snapshot(
    compiled: &Arc<Compiled>,
    before: Option<&Snapshot>,
    dir: &Path,
) -> Result<Snapshot, InstallationError> {
    let read = |path: &str| {
        bounded::read(&dir.join(path), bounded::CERTIFICATES_BYTES_MAX)
            .map_err(|error| format!("{path}: {error}"))
    };
    Snapshot::of(Arc::clone(compiled), before, &read).map_err(|cannot| {
        let remedy = "Fix the upstream in the api's file.";
        InstallationError::new(Severity::Configuration, cannot, remedy)
    })
}

fn replace(pairs: &[Pair]) -> Result<(), String> {
    pairs.iter().try_for_each(|(slot, cert, key)| {
        slot.replace(cert, key)
            .map_err(|fault| format!("a certificate that was checked cannot be used: {fault}"))
    })
}

/// Settings that a running server cannot change: they are refused, not ignored, each at its own place.
fn fixed(before: &Compiled, after: &Compiled, texts: &Files) -> Result<(), InstallationError> {
    let (a, b) = (&before.server, &after.server);
    let mut mistakes = moved_listeners(&a.listeners, &b.listeners);
    let lasting = |name: &str| {
        let message = format!("`{name}` cannot be changed while the server runs");
        let help = format!("Restart the server to change `{name}`, or put it back.");
        (message, help)
    };
    if a.store_dir.value != b.store_dir.value {
        let (message, help) = lasting("store");
        mistakes.push(b.store_dir.place.mistake(message, help));
    }
    if a.kek.value != b.kek.value {
        let (message, help) = lasting("keys");
        mistakes.push(b.kek.place.mistake(message, help));
    }
    let is_ledger_other =
        a.durability != b.durability || a.segment_bytes != b.segment_bytes || a.intent != b.intent;
    let others = [
        ("ledger", is_ledger_other),
        ("defaults.timeouts", a.timeouts != b.timeouts),
        ("destinations", a.destinations != b.destinations),
    ];
    for (name, _) in others.into_iter().filter(|(_, is_other)| *is_other) {
        let (message, help) = lasting(name);
        mistakes.push(Mistake::new(message, help).in_file(SERVER_FILE));
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(InstallationError::mistaken(&mistakes, texts))
    }
}

/// One mistake for each listener that was added, removed or moved, at its own place where it has one.
fn moved_listeners(before: &[ListenerSettings], after: &[ListenerSettings]) -> Vec<Mistake> {
    let shape = |one: &ListenerSettings| (one.address, one.tls.is_some(), one.kind);
    let help = "Restart the server to change its listeners, or put it back.";
    let mut mistakes = Vec::new();
    for listener in after {
        let what = match before.iter().find(|old| old.name == listener.name) {
            None => "added",
            Some(old) if shape(old) != shape(listener) => "moved",
            Some(_) => continue,
        };
        let message = message(&listener.name, what);
        mistakes.push(listener.place.mistake(message, help));
    }
    let is_kept = |old: &&ListenerSettings| after.iter().any(|new| new.name == old.name);
    mistakes.extend(
        before
            .iter()
            .filter(|old| !is_kept(old))
            .map(|old| Mistake::new(message(&old.name, "removed"), help).in_file(SERVER_FILE)),
    );
    mistakes
}

fn message(listener: &str, what: &str) -> String {
    format!("the listener `{listener}` cannot be {what} while the server runs")
}
