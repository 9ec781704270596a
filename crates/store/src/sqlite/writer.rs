//! The one thread that writes. Calls that arrive together share one commit, and so one sync of the disk.
//! Exports `Writer`. A call returns after its commit; one that fails takes nothing else with it.
//! Used by the SQLite backend.
//! Start reading at `group`.

use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::errors::Place;
use super::news::{News, lock};
use super::schema;
use crate::Fault;

/// Calls waiting for the writer; more than these wait for a place.
const QUEUE_MAX: usize = 256;
/// Most calls in one commit.
const GROUP_MAX: usize = 64;

/// Runs the call, or tells it the fault that keeps it from running. What it gives back tells the caller later
/// how the commit went; a call that failed was told at once.
type Call = Box<dyn FnOnce(Result<&Connection, Fault>, &Place) -> Result<Answer, Fault> + Send>;
type Answer = Box<dyn FnOnce(Result<(), Fault>)>;

/// The writer thread. It stops, and notes a clean stop, when this is dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    calls: Mutex<Option<SyncSender<Call>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        place: Place,
        news: Arc<News>,
    ) -> Result<Writer, Fault> {
        let (calls, waiting) = sync_channel(QUEUE_MAX);
        let path = place.path().to_owned();
        let thread = std::thread::Builder::new()
            .name(String::from("store-writer"))
            .spawn(move || work(connection, &place, &waiting, &news))
            .map_err(|error| Fault::at(&path, &error))?;
        Ok(Writer {
            calls: Mutex::new(Some(calls)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs a verb in the writer's transaction and waits until it is durable.
    pub(crate) fn run<R: Send + 'static>(
        &self,
        verb: impl FnOnce(&Connection, &Place) -> Result<R, Fault> + Send + 'static,
    ) -> Result<R, Fault> {
        let (tell, told) = sync_channel(1);
        let call: Call = Box::new(move |connection, place| {
            // A caller that went away does not hinder the commit; hence the ignored results of `send`.
            match connection.and_then(|connection| verb(connection, place)) {
                Ok(value) => Ok(Box::new(move |committed| {
                    drop(tell.send(committed.map(|()| value)))
                })),
                Err(fault) => {
                    drop(tell.send(Err(fault.clone())));
                    Err(fault)
                }
            }
        });
        let calls = lock(&self.calls).clone().ok_or(Fault::Closed)?;
        calls.send(call).map_err(|_| Fault::Closed)?;
        // The thread ends when the last sender is gone; this one must not keep it while it waits.
        drop(calls);
        told.recv().map_err(|_| Fault::Closed)?
    }

    /// Ends the thread after the calls that are already waiting, and waits for it. Later calls are refused.
    pub(crate) fn stop(&self) {
        drop(lock(&self.calls).take());
        if let Some(thread) = lock(&self.thread).take() {
            drop(thread.join());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn work(connection: Connection, place: &Place, waiting: &Receiver<Call>, news: &News) {
    let own = identity(place);
    while let Ok(first) = waiting.recv() {
        let calls = std::iter::once(first)
            .chain(waiting.try_iter().take(GROUP_MAX - 1))
            .collect();
        group(&connection, place, own, calls);
        news.tell();
    }
    // Without the note the next start checks the whole file: slower, never wrong.
    if schema::mark_stopped(&connection, place).is_ok() {
        drop(connection.close());
    }
}

/// Device and number of the file at a place: what tells it from another one that was put there.
fn identity(place: &Place) -> Option<(u64, u64)> {
    let found = std::fs::metadata(place.path()).ok()?;
    Some((found.dev(), found.ino()))
}

/// One commit for several calls. `own` is the file that was opened: what is written to it when it is somewhere else, no start reads.
fn group(connection: &Connection, place: &Place, own: Option<(u64, u64)>, calls: Vec<Call>) {
    let mut answers = Vec::with_capacity(calls.len());
    let is_in_place = own.is_some() && identity(place) == own;
    let displaced = || Fault::Displaced {
        path: place.path().to_owned(),
    };
    let begun = is_in_place.then_some(()).ok_or_else(displaced);
    let begin = "BEGIN IMMEDIATE";
    let mut state = begun.and_then(|()| connection.execute_batch(begin).map_err(place.fails()));
    for call in calls {
        state = match state {
            Ok(()) => one(connection, place, call, &mut answers),
            // The group is lost already: this call is told the same.
            Err(fault) => call(Err(fault), place).map(drop),
        };
    }
    let committed = state.and_then(|()| connection.execute_batch("COMMIT").map_err(place.fails()));
    if committed.is_err() && !connection.is_autocommit() {
        drop(connection.execute_batch("ROLLBACK"));
    }
    for answer in answers {
        answer(committed.clone());
    }
}

/// One call behind its own savepoint: if it fails, its changes go and the group goes on.
fn one(
    connection: &Connection,
    place: &Place,
    call: Call,
    answers: &mut Vec<Answer>,
) -> Result<(), Fault> {
    if let Err(error) = connection.execute_batch("SAVEPOINT call") {
        return call(Err(place.fault(&error)), place).map(drop);
    }
    match call(Ok(connection), place) {
        Ok(answer) => {
            answers.push(answer);
            connection
                .execute_batch("RELEASE call")
                .map_err(place.fails())
        }
        // After a full disk or a failed read SQLite may have rolled everything back; then the group is lost.
        Err(fault) if connection.is_autocommit() => Err(fault),
        Err(_) => connection
            .execute_batch("ROLLBACK TO call; RELEASE call")
            .map_err(place.fails()),
    }
}
