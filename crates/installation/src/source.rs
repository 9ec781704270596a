//! The configuration directory as a source of configurations for a running server.
//! Exports `Directory`, and `snapshot` for the first one.
//! Used by whoever starts a server.
//! Start reading at `Directory::load`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use config::compiled::ListenerSettings;
use config::{Compiled, Files};
use control::{ConfigurationSource, LoadedConfiguration, RefusedConfiguration};
use gateway::Snapshot;
use net::TlsSlot;

use crate::certificates::{Slots, certificates, pair};
use crate::{InstallationError, Severity, files};

/// A configuration directory, and the listeners whose certificates it names.
pub struct Directory {
    dir: PathBuf,
    slots: Slots,
    /// Other directories as they were named at the last load.
    layout: Mutex<files::Layout>,
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
            layout: Mutex::new(files::layout(dir)),
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
        let layout = files::layout(&self.dir);
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
    let read =
        |path: &str| std::fs::read(dir.join(path)).map_err(|error| format!("{path}: {error}"));
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

/// Settings that a running server cannot change: they are refused, not ignored.
fn fixed(before: &Compiled, after: &Compiled, texts: &Files) -> Result<(), InstallationError> {
    let shape = |listener: &ListenerSettings| {
        (
            listener.name.clone(),
            listener.address,
            listener.tls.is_some(),
            listener.kind,
        )
    };
    let shapes = |compiled: &Compiled| {
        compiled
            .server
            .listeners
            .iter()
            .map(shape)
            .collect::<Vec<_>>()
    };
    let (a, b) = (&before.server, &after.server);
    let mut mistakes = Vec::new();
    if shapes(before) != shapes(after)
        && let Some(first) = after.server.listeners.first()
    {
        mistakes.push(first.place.mistake(
            "listeners cannot be added, removed or moved while the server runs",
            "Restart the server to change its listeners, or put them back.",
        ));
    }
    if a.store_dir.value != b.store_dir.value || a.kek.value != b.kek.value {
        mistakes.push(b.store_dir.place.mistake(
            "store and keys cannot be changed while the server runs",
            "Restart the server to change `store` or `keys`, or put them back.",
        ));
    }
    if a.durability != b.durability
        || a.segment_bytes != b.segment_bytes
        || a.intent != b.intent
        || a.timeouts != b.timeouts
    {
        mistakes.push(b.kek.place.mistake(
            "`ledger` and `defaults.timeouts` cannot be changed while the server runs",
            "Restart the server to change them, or put them back.",
        ));
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(InstallationError::mistaken(&mistakes, texts))
    }
}
