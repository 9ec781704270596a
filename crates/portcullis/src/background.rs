//! What goes on beside the road: health checks, uses of keys, blocks that are over, the ledger's witness, changed files.
//! Gives `Background`.
//! Started and stopped by `running`.
//! Start reading at `Background::start`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use gateway::Io;
use identity::{Credential, credential};
use model::Event;
use store::{Expected, Fault, Step, Store, kinds};

use crate::panics::{self, guarded};
use crate::reload::Reload;
use crate::{running, terminal};

/// How often changed files are looked for, and the witness renewed.
const BEAT: Duration = Duration::from_millis(250);
/// Uses of keys are written every so many beats.
const USES_BEATS: u64 = 120;
/// Between an internal error of the health checks and their new beginning.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// The one record of its kind.
const NEWEST: &str = "newest";

/// Threads beside the road.
pub struct Background {
    is_stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts them. A thread that cannot be started is said on stderr; the road does not depend on it.
    pub fn start(
        io: Arc<Io>,
        store: Store,
        witness: Arc<Mutex<Option<String>>>,
        reload: Option<Arc<Reload>>,
    ) -> Background {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let (stop, for_health) = (Arc::clone(&is_stopping), Arc::clone(&io));
        let keeper = move || {
            for beat in 1u64.. {
                std::thread::sleep(BEAT);
                let is_last = stop.load(Ordering::Acquire);
                // Each for itself: what goes wrong in one must not end the others, nor the thread.
                guarded(|| keep_witness(&store, &witness));
                if beat.is_multiple_of(USES_BEATS) || is_last {
                    guarded(|| keep_uses(&io, &store));
                    guarded(|| forget_ended(&io, &store));
                }
                guarded(|| keep_panics(&io));
                if is_last {
                    return;
                }
                if let Some(reload) = &reload {
                    guarded(|| reload.on_change());
                }
            }
        };
        let threads = vec![
            spawn("keeper", keeper),
            spawn("health", move || {
                while guarded(|| health(&for_health)).is_none() {
                    terminal::say("portcullis: the health checks begin anew");
                    std::thread::sleep(RESTART_PAUSE);
                }
            }),
        ];
        Background {
            is_stopping,
            threads: threads.into_iter().flatten().take(1).collect(),
        }
    }

    /// Ends the keeper after a last round. The health thread ends with the process.
    pub fn stop(self) {
        self.is_stopping.store(true, Ordering::Release);
        for thread in self.threads {
            drop(thread.join());
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work);
    spawned
        .map_err(|error| {
            terminal::say(format_args!(
                "portcullis: cannot start the thread `{name}`: {error}"
            ));
        })
        .ok()
}

/// Takes blocks that are over out of the store. What cannot be taken out now stays, and ends by its own time.
fn forget_ended(io: &Io, store: &Store) {
    if let Err(fault) = admin::commands::forget_ended(io, store) {
        terminal::say(format_args!(
            "portcullis: a block that is over could not be taken out of the store: {fault}"
        ));
    }
}

/// Active health checks of whatever upstreams the snapshot names.
fn health(io: &Arc<Io>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        terminal::say("portcullis: no active health checks: the runtime cannot be made");
        return;
    };
    let current = || {
        io.snapshot
            .load()
            .versions
            .iter()
            .filter_map(|version| version.upstream.clone())
            .collect()
    };
    tokio::task::LocalSet::new().block_on(&runtime, net::upstream::watch_health(current));
}

/// Notes the newest checkpoint in the database: a ledger rolled back behind it is noticed at the next start.
pub fn keep_witness(store: &Store, witness: &Mutex<Option<String>>) {
    let newest = witness
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(text) = newest else { return };
    let put = Step::put(&kinds::LEDGER_WITNESS, NEWEST, &text)
        .and_then(|step| store.transact(vec![step]));
    if let Err(fault) = put {
        terminal::say(format_args!(
            "portcullis: the database could not witness the ledger's checkpoint: {fault}"
        ));
    }
}

/// Records what panicked, in whatever thread: it was said when it happened.
fn keep_panics(io: &Io) {
    for detail in panics::take() {
        let event = Event {
            at: running::now(),
            kind: "internal.error".into(),
            outcome: "failed".into(),
            detail: Some(detail.into()),
            ..Event::default()
        };
        if io.recorder.record(&event).wait().is_err() {
            terminal::say("portcullis: an internal error could not be recorded");
        }
    }
}

/// The checkpoint the database witnessed last.
///
/// # Errors
/// When the store cannot be read.
pub fn witnessed(store: &Store) -> Result<Option<String>, Fault> {
    Ok(store
        .get::<String>(&kinds::LEDGER_WITNESS, NEWEST)?
        .map(|stored| stored.value))
}

/// Writes when keys were used last. Put with the version that was read: a revocation in between is never undone.
fn keep_uses(io: &Io, store: &Store) {
    for (id, at) in io.credentials.load().take_uses() {
        let Ok(Some(stored)) = store.get::<Credential>(&kinds::CREDENTIAL, id) else {
            continue;
        };
        let used = credential::used(&stored.value, at);
        let Ok(put) = Step::put(&kinds::CREDENTIAL, id, &used) else {
            continue;
        };
        let expected = Step::expect(&kinds::CREDENTIAL, id, Expected::Version(stored.version));
        // A conflict means that somebody changed the key just now; the next use is noted again.
        drop(store.transact(vec![expected, put]));
    }
}
