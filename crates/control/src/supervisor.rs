//! Threads that run beside the requests: named, begun again after a panic, ended in order.
//! Exports `Supervisor`, `Task`, `Stop`, `TaskStatus`.
//! Used by whoever starts a server; `server.status` and the metrics say how they are.
//! Start reading at `Supervisor::start`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Between a panic and the next beginning; doubled with each one.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long a stop waits for one task that has something to finish.
const STOP_MAX: Duration = Duration::from_secs(10);

/// One piece of work that goes on until it is told to stop.
pub struct Task {
    /// Name of the thread.
    pub name: Arc<str>,
    /// Whether a stop waits for its last round. Others end with the process.
    pub is_waited_for: bool,
    /// The work. It returns when `Stop` says so, or when there is nothing left to do.
    pub work: Box<dyn FnMut(&Stop) + Send>,
}

/// Whether it is time to stop.
#[derive(Debug, Default)]
pub struct Stop {
    is_stopping: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    /// Waits for this long, or until it is time to stop; whether it is.
    pub fn wait(&self, at_most: Duration) -> bool {
        let stopping = self
            .is_stopping
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .told
            .wait_timeout_while(stopping, at_most, |stopping| !*stopping);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn now(&self) {
        *self
            .is_stopping
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }
}

/// How a task is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskStatus {
    /// Its name.
    pub name: String,
    /// Whether it runs; between a panic and the next beginning it does not.
    pub is_running: bool,
    /// How often it panicked and was begun again.
    pub restarts: u64,
}

/// What is known of one task.
#[derive(Debug)]
struct Watched {
    name: Arc<str>,
    is_running: AtomicBool,
    restarts: AtomicU64,
}

/// How all tasks are, for whoever wants to know.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Mutex<Vec<Arc<Watched>>>>);

impl Tasks {
    /// How each of them is, in the order they were started.
    pub fn status(&self) -> Vec<TaskStatus> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let status = |one: &Arc<Watched>| TaskStatus {
            name: one.name.to_string(),
            is_running: one.is_running.load(Ordering::Acquire),
            restarts: one.restarts.load(Ordering::Acquire),
        };
        all.iter().map(status).collect()
    }

    fn watch(&self, name: Arc<str>) -> Arc<Watched> {
        let one = Arc::new(Watched {
            name,
            is_running: AtomicBool::new(true),
            restarts: AtomicU64::new(0),
        });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&one));
        one
    }
}

/// Tasks that run.
pub struct Supervisor {
    stop: Arc<Stop>,
    /// Those a stop waits for, with the sign of their end.
    waited_for: Vec<(Arc<str>, Receiver<()>)>,
    say: fn(&str),
}

impl Supervisor {
    /// Starts them in this order. One that cannot be started is said; requests do not depend on it.
    pub fn start(tasks: Vec<Task>, watch: &Tasks, say: fn(&str)) -> Supervisor {
        let stop = Arc::new(Stop::default());
        let mut waited_for = Vec::new();
        for task in tasks {
            let (name, is_waited_for) = (Arc::clone(&task.name), task.is_waited_for);
            let (watched, stop) = (watch.watch(Arc::clone(&name)), Arc::clone(&stop));
            let seen = Arc::clone(&watched);
            let (ended, end) = channel();
            let spawned = std::thread::Builder::new()
                .name(name.to_string())
                .spawn(move || supervise(task, &seen, &stop, say, &ended));
            match spawned {
                Ok(_) if is_waited_for => waited_for.push((name, end)),
                Ok(_) => {}
                Err(error) => {
                    watched.is_running.store(false, Ordering::Release);
                    say(&format!(
                        "portcullis: cannot start the thread `{name}`: {error}"
                    ));
                }
            }
        }
        Supervisor {
            stop,
            waited_for,
            say,
        }
    }

    /// Tells all of them to stop and waits for those that have something to finish, the last one started first, each for a
    /// bounded time.
    pub fn stop(self) {
        self.stop.now();
        for (name, end) in self.waited_for.into_iter().rev() {
            // An error is an end as well: the thread has dropped its sender.
            if end.recv_timeout(STOP_MAX) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                (self.say)(&format!(
                    "portcullis: the thread `{name}` does not end; it is left behind"
                ));
            }
        }
    }
}

fn supervise(mut task: Task, watched: &Watched, stop: &Stop, say: fn(&str), _ended: &Sender<()>) {
    let mut pause = PAUSE_MIN;
    loop {
        watched.is_running.store(true, Ordering::Release);
        // Whatever the work shares must bear being left half done: locks are taken with their poison, and what is swapped
        // is swapped whole.
        let done = catch_unwind(AssertUnwindSafe(|| (task.work)(stop)));
        watched.is_running.store(false, Ordering::Release);
        if done.is_ok() {
            return;
        }
        say(&format!(
            "portcullis: the thread `{}` begins again in {} s",
            task.name,
            pause.as_secs()
        ));
        if stop.wait(pause) {
            return;
        }
        watched.restarts.fetch_add(1, Ordering::AcqRel);
        pause = pause.saturating_mul(2).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests;
