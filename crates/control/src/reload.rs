//! A new configuration in a running server: read whole, made ready whole, swapped whole, or refused whole.
//! Exports `Control::reload`, `Control::reload_on_change`, and `ConfigurationSource`, which is where configurations come from.
//! Used by `server.reload`, by SIGHUP, and by the maintenance when files changed.
//! Start reading at `Control::reload`.
//!
//! Reading and compiling may take long, and happens outside the order of changes: an integration can be paused meanwhile.
//! Loads are numbered. One that took longer than a later one is dropped, and one whose files changed while it was read
//! begins again, so what is in force at the end is what lies in the directory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gateway::Snapshot;
use model::{Event, Outcome, Word, printable};

use crate::Control;
use crate::actor::Actor;
use crate::order::Turn;

/// Loads that may be under way at once. More than one is needed: what was put right must not wait for what takes long.
const UNDER_WAY_MAX: usize = 3;
/// A directory that changes whenever it is read is believed after so many tries.
const ROUNDS_MAX: u32 = 5;

/// Where configurations come from.
pub trait ConfigurationSource: Send + Sync {
    /// What the directory looks like: names, sizes and times of everything a configuration depends on. Cheap.
    fn stamp(&self) -> [u8; 32];

    /// The same at the beginning of a load: whatever was remembered of the directory is looked up again.
    fn begin(&self) -> [u8; 32] {
        self.stamp()
    }

    /// Reads it and makes it ready to run after `before`; changes nothing. May take long.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn load(&self, before: &Arc<Snapshot>) -> Result<LoadedConfiguration, RefusedConfiguration>;
}

/// A configuration that is ready to be in force.
pub struct LoadedConfiguration {
    /// What to run, with nobody paused.
    pub snapshot: Snapshot,
    /// What it no longer has, by name, bounded.
    pub removed: Vec<String>,
    /// Puts into place what the snapshot does not hold: certificates. Everything in it was checked.
    pub hand_over: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

/// A configuration that cannot be in force.
#[derive(Clone, Debug)]
pub struct RefusedConfiguration {
    /// Everything that is wrong, in lines that are safe to print.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// A configuration that was loaded again.
#[derive(Clone, Debug)]
pub struct ConfigurationInForce {
    /// The hash in force, short.
    pub hash: String,
    /// Whether its files differ from those before.
    pub is_changed: bool,
    /// What it no longer has, by name, bounded.
    pub removed: Vec<String>,
}

/// The way to another configuration, and to the log.
pub struct Loading {
    /// Where it comes from.
    pub(crate) source: Box<dyn ConfigurationSource>,
    say: fn(&str),
    /// What was last tried, good or bad: the same files are not tried twice.
    tried: Mutex<[u8; 32]>,
    /// What the last look saw: an editor that writes several files is waited for.
    seen: Mutex<[u8; 32]>,
    under_way: AtomicUsize,
}

impl Loading {
    /// From this source; `say` prints lines for the operator.
    pub fn new(source: Box<dyn ConfigurationSource>, say: fn(&str)) -> Loading {
        let stamp = source.stamp();
        Loading {
            source,
            say,
            tried: Mutex::new(stamp),
            seen: Mutex::new(stamp),
            under_way: AtomicUsize::new(0),
        }
    }

    /// A place among the loads under way, if there is one.
    fn enter(&self) -> Option<Place<'_>> {
        let place = Place(&self.under_way);
        let before = self.under_way.fetch_add(1, Ordering::AcqRel);
        (before < UNDER_WAY_MAX).then_some(place)
    }
}

/// A place among the loads under way, given back when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One load under way.
pub(crate) struct Ticket {
    number: u64,
    stamp: [u8; 32],
    /// Whether it may not begin again.
    is_last: bool,
}

/// How a load ended.
pub(crate) enum Ended {
    /// It is in force, or what is in force is newer.
    Done(ConfigurationInForce, Option<&'static str>),
    /// The files are no longer what was read.
    Again,
    Refused(RefusedConfiguration),
}

impl Control {
    /// Loads the directory now, for whoever asked. Returns what is in force, or everything that is wrong; then nothing
    /// changed.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, and that it could not be recorded.
    pub fn reload(
        &self,
        who: Option<&Actor>,
    ) -> Result<ConfigurationInForce, RefusedConfiguration> {
        let Some(loading) = &self.loading else {
            return Err(RefusedConfiguration {
                message: "no server is running".into(),
                remedy: "Start it with `portcullis serve`.".into(),
            });
        };
        let Some(_place) = loading.enter() else {
            let refused = RefusedConfiguration {
                message: format!(
                    "{UNDER_WAY_MAX} loads of the configuration are under way already"
                ),
                remedy: "Wait for them. They load what lies in the directory at their end.".into(),
            };
            return Err(self.refused(loading, who, refused));
        };
        let mut round = 1;
        loop {
            match self.load(loading, who, round == ROUNDS_MAX) {
                Ended::Again => round += 1,
                Ended::Done(loaded, note) => {
                    if let Some(note) = note {
                        (loading.say)(&format!(
                            "portcullis: a configuration that was read earlier is dropped: {note}"
                        ));
                    }
                    return Ok(loaded);
                }
                Ended::Refused(refused) => return Err(self.refused(loading, who, refused)),
            }
        }
    }

    /// Loads the directory when its files changed since the last try, and have stopped changing.
    pub fn reload_on_change(&self) {
        let Some(loading) = &self.loading else { return };
        let now = loading.source.stamp();
        let before = std::mem::replace(&mut *locked(&loading.seen), now);
        if before == now && *locked(&loading.tried) != now {
            drop(self.reload(None));
        }
    }

    /// One load from its beginning to its end.
    fn load(&self, loading: &Loading, who: Option<&Actor>, is_last: bool) -> Ended {
        // Seen before it is read: whatever changes meanwhile is noticed.
        let (ticket, before) = self.begin(loading, is_last);
        let Some(before) = before else {
            return Ended::Refused(broken());
        };
        let load = AssertUnwindSafe(|| loading.source.load(&before));
        let outcome = catch_unwind(load).unwrap_or_else(|_| Err(broken()));
        self.finish(loading, &ticket, &before, who, outcome)
    }

    /// Takes a number for a load.
    pub(crate) fn begin(
        &self,
        loading: &Loading,
        is_last: bool,
    ) -> (Ticket, Option<Arc<Snapshot>>) {
        let mut turn = self.turn();
        turn.state.begun += 1;
        let number = turn.state.begun;
        let before = turn.state.base.clone();
        drop(turn);
        let stamp = loading.source.begin();
        *locked(&loading.tried) = stamp;
        let ticket = Ticket {
            number,
            stamp,
            is_last,
        };
        (ticket, before)
    }

    /// Puts what was made ready in force, in its turn, unless something newer is or waits.
    pub(crate) fn finish(
        &self,
        loading: &Loading,
        ticket: &Ticket,
        before: &Arc<Snapshot>,
        who: Option<&Actor>,
        outcome: Result<LoadedConfiguration, RefusedConfiguration>,
    ) -> Ended {
        let mut turn = self.turn();
        let there = loading.source.stamp();
        let is_in_force = turn.state.stamp == there && turn.state.applied > ticket.number;
        if is_in_force || (ticket.is_last && turn.state.applied > ticket.number) {
            return turn.newer(before);
        }
        if there != ticket.stamp && !ticket.is_last {
            return Ended::Again;
        }
        match outcome {
            Ok(loaded) => turn.swap(loading, ticket, before, who, loaded),
            Err(refused) => Ended::Refused(refused),
        }
    }

    /// Says and records that a configuration was refused.
    fn refused(
        &self,
        loading: &Loading,
        who: Option<&Actor>,
        refused: RefusedConfiguration,
    ) -> RefusedConfiguration {
        let first = refused.message.lines().next().unwrap_or_default();
        let event = note(self, "configuration.refused", Outcome::Failed, who, first);
        if !self.has_recorded(&event) {
            (loading.say)("portcullis: the change of configuration could not be recorded");
        }
        let hash = self.io.as_ref().map(|io| {
            io.metrics.swaps_refused.inc();
            io.snapshot.load().short_hash.to_string()
        });
        (loading.say)(&format!("portcullis: {}", refused.message));
        if !refused.remedy.is_empty() {
            (loading.say)(&format!("  help: {}", refused.remedy));
        }
        (loading.say)(&format!(
            "portcullis: configuration {} keeps serving",
            hash.unwrap_or_default()
        ));
        refused
    }
}

impl Turn<'_> {
    /// What is in force is newer than what was loaded.
    fn newer(&self, before: &Arc<Snapshot>) -> Ended {
        let base = self.state.base.as_ref().unwrap_or(before);
        let loaded = ConfigurationInForce {
            hash: base.short_hash.to_string(),
            is_changed: base.compiled.hash != before.compiled.hash,
            removed: config::removed(&before.compiled, &base.compiled),
        };
        Ended::Done(loaded, Some("a newer one is in force"))
    }

    /// On the record first, then in force: nothing after the record can fail but what was checked before.
    fn swap(
        &mut self,
        loading: &Loading,
        ticket: &Ticket,
        before: &Arc<Snapshot>,
        who: Option<&Actor>,
        loaded: LoadedConfiguration,
    ) -> Ended {
        let LoadedConfiguration {
            snapshot,
            removed,
            hand_over,
        } = loaded;
        let done = ConfigurationInForce {
            hash: snapshot.short_hash.to_string(),
            is_changed: before.compiled.hash != snapshot.compiled.hash,
            removed,
        };
        let event = note(
            self.control,
            "configuration.applied",
            Outcome::Done,
            who,
            &recorded(&done),
        );
        if !self.control.has_recorded(&event) {
            return Ended::Refused(RefusedConfiguration {
                message: "the change of configuration could not be recorded".into(),
                remedy: "Nothing was changed. See the server's log for what the ledger lacks, then reload again.".into(),
            });
        }
        if let Err(message) = hand_over() {
            let remedy = "Please report this line. Reload again.".into();
            return Ended::Refused(RefusedConfiguration { message, remedy });
        }
        self.put_in_force(snapshot, ticket);
        (loading.say)(&format!(
            "portcullis: configuration {} is in force",
            done.hash
        ));
        for gone in &done.removed {
            let gone = printable::line(gone);
            (loading.say)(&format!("portcullis: it no longer has {gone}"));
        }
        Ended::Done(done, None)
    }

    fn put_in_force(&mut self, snapshot: Snapshot, ticket: &Ticket) {
        let blocks_refusals = snapshot.compiled.server.blocks.is_some();
        self.state.base = Some(Arc::new(snapshot));
        self.state.applied = ticket.number;
        self.state.stamp = ticket.stamp;
        self.publish_snapshot();
        if let Some(io) = &self.control.io {
            io.metrics.swaps.inc();
            if !blocks_refusals {
                io.blocks.forget_refusals();
            }
        }
    }
}

fn note(
    control: &Control,
    kind: &'static str,
    outcome: Outcome,
    who: Option<&Actor>,
    detail: &str,
) -> Event {
    match who {
        Some(actor) => control.event(kind, outcome, actor, detail),
        // The files changed, and nobody asked.
        None => Event {
            at: control.now(),
            kind: Word::new(kind),
            outcome: outcome.into(),
            detail: Some(detail.into()),
            ..Event::default()
        },
    }
}

/// A configuration that cannot be taken for a fault of ours must not end hot reload, nor the server.
fn broken() -> RefusedConfiguration {
    RefusedConfiguration {
        message: "the configuration could not be taken: an internal error, told in the line above".into(),
        remedy: "Please report that line with the file that was changed last. The next change is tried again.".into(),
    }
}

/// What the ledger keeps of a swap: the hash, and what is gone.
fn recorded(loaded: &ConfigurationInForce) -> String {
    if loaded.removed.is_empty() {
        loaded.hash.clone()
    } else {
        format!("{}; removed: {}", loaded.hash, loaded.removed.join("; "))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
