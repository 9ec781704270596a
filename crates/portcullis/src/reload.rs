//! A new configuration in a running server: read whole, compiled whole, swapped whole, or refused whole.
//! Gives `Reload`: on SIGHUP, on changed files, and when the desk asks.
//! Used by `running` and `background`.
//! Start reading at `Reload::now`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use admin::Reloaded;
use admin::commands::paused;
use config::compiled::ListenerSettings;
use config::{Compiled, Files};
use gateway::{Io, Snapshot};
use model::Event;
use store::Store;

use crate::exit::Trouble;
use crate::panics::guarded;
use crate::running::{Slots, pair};
use crate::{files, running, terminal};

/// The way to a new configuration.
pub struct Reload {
    dir: PathBuf,
    io: Arc<Io>,
    slots: Slots,
    store: Store,
    /// What was last tried, good or bad: the same texts are not tried twice.
    tried: Mutex<[u8; 32]>,
    /// What the last look saw: an editor that writes several files is waited for.
    seen: Mutex<[u8; 32]>,
    /// Other directories as they were named at the last try.
    layout: Mutex<files::Layout>,
}

impl Reload {
    /// For a running server.
    pub fn new(dir: &Path, io: Arc<Io>, slots: Slots, store: Store) -> Self {
        let layout = files::layout(dir);
        let stamp = files::stamp(dir, &layout);
        Reload {
            dir: dir.to_path_buf(),
            io,
            slots,
            store,
            tried: Mutex::new(stamp),
            seen: Mutex::new(stamp),
            layout: Mutex::new(layout),
        }
    }

    /// Loads the directory now, for whoever asked. Returns what is in force, or everything that is wrong; then nothing changed.
    pub fn now(&self, who: Option<&str>) -> Result<Reloaded, String> {
        // Seen before it is read: whatever changes meanwhile is looked at once more.
        *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = files::layout(&self.dir);
        *self.tried.lock().unwrap_or_else(PoisonError::into_inner) = self.stamp();
        let outcome = guarded(|| files::read(&self.dir).and_then(|texts| self.apply(&texts)))
            .unwrap_or_else(|| Err(broken()));
        match outcome {
            Ok(loaded) => {
                self.io.metrics.swaps.inc();
                self.note("configuration.applied", "done", who, &recorded(&loaded));
                terminal::say(format_args!(
                    "portcullis: configuration {} is in force",
                    loaded.hash
                ));
                for removed in &loaded.removed {
                    terminal::say(format_args!("portcullis: it no longer has {removed}"));
                }
                Ok(loaded)
            }
            Err(trouble) => {
                self.io.metrics.swaps_refused.inc();
                let first = trouble
                    .message
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                self.note("configuration.refused", "failed", who, &first);
                let hash = self.io.snapshot.load().short_hash.to_string();
                trouble.print();
                terminal::say(format_args!(
                    "portcullis: configuration {hash} goes on serving"
                ));
                Err(trouble.message)
            }
        }
    }

    /// Loads the directory when its files changed since the last try, and have stopped changing.
    pub fn on_change(&self) {
        let now = self.stamp();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_settled = std::mem::replace(&mut *seen, now) == now;
        let is_tried = *self.tried.lock().unwrap_or_else(PoisonError::into_inner) == now;
        drop(seen);
        if is_settled && !is_tried {
            drop(self.now(None));
        }
    }

    fn stamp(&self) -> [u8; 32] {
        let layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        files::stamp(&self.dir, &layout)
    }

    fn apply(&self, texts: &Files) -> Result<Reloaded, Trouble> {
        let before = self.io.snapshot.load_full();
        let (compiled, warnings) = files::compile_after(texts, running::now(), &before.compiled)?;
        files::warn(&warnings, texts);
        let compiled = Arc::new(compiled);
        fixed(&before.compiled, &compiled, texts)?;
        running::certificates(&compiled, &self.dir, texts)?;
        let paused = paused(&self.store).map_err(|fault| crate::office::store_trouble(&fault))?;
        let read = |path: &str| {
            std::fs::read(self.dir.join(path)).map_err(|error| format!("{path}: {error}"))
        };
        let next = Snapshot::of(Arc::clone(&compiled), Some(&before), &paused, &read).map_err(
            |cannot| {
                Trouble::new(
                    crate::exit::Exit::Configuration,
                    cannot,
                    "Mend the upstream in the api's file.",
                )
            },
        )?;
        let hash = next.short_hash.to_string();
        self.certificates(&compiled, texts)?;
        let loaded = Reloaded {
            hash,
            is_changed: before.compiled.hash != compiled.hash,
            removed: config::removed(&before.compiled, &compiled),
        };
        self.io.snapshot.store(Arc::new(next));
        if compiled.server.blocks.is_none() {
            self.io.blocks.forget_refusals();
        }
        Ok(loaded)
    }

    /// Puts changed certificates into the open listeners; they were checked before.
    fn certificates(&self, compiled: &Compiled, texts: &Files) -> Result<(), Trouble> {
        for listener in &compiled.server.listeners {
            let (Some(tls), Some(slot)) = (&listener.tls, self.slots.get(&listener.name)) else {
                continue;
            };
            let (cert, key) =
                pair(tls, &self.dir).map_err(|mistake| files::mistaken(&[*mistake], texts))?;
            slot.replace(&cert, &key).map_err(|fault| {
                files::mistaken(
                    &[tls
                        .cert
                        .place
                        .mistake(fault.to_string(), "The old certificate goes on serving.")],
                    texts,
                )
            })?;
        }
        Ok(())
    }

    fn note(&self, kind: &'static str, outcome: &'static str, who: Option<&str>, detail: &str) {
        let event = Event {
            at: running::now(),
            kind: kind.into(),
            outcome: outcome.into(),
            user: who.map(model::Text::new),
            detail: Some(detail.to_owned().into()),
            ..Event::default()
        };
        if self.io.recorder.record(&event).wait().is_err() {
            terminal::say("portcullis: the change of configuration could not be recorded");
        }
    }
}

/// A configuration that cannot be taken for a fault of ours must not end hot reload, nor the server.
fn broken() -> Trouble {
    Trouble::new(
        crate::exit::Exit::Failed,
        "the configuration could not be taken: an internal error, told in the line above",
        "Please report that line with the file that was changed last. The next change is tried again.",
    )
}

/// What the ledger keeps of a swap: the hash, and what is gone.
fn recorded(loaded: &Reloaded) -> String {
    match loaded.removed.is_empty() {
        true => loaded.hash.clone(),
        false => format!("{}; removed: {}", loaded.hash, loaded.removed.join("; ")),
    }
}

/// Settings that a running server cannot change: they are refused, not ignored.
fn fixed(before: &Compiled, after: &Compiled, texts: &Files) -> Result<(), Trouble> {
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
        Err(files::mistaken(&mistakes, texts))
    }
}
