//! Takes events from many threads and has them written, sealed, chained and flushed in groups.
//! Exports `Recorder::open`, `Recorder::record -> Pending`, checkpoints on demand and a clean stop.
//! Used by the gateway (one event per request) and control (one per change).
//! Start reading at `Recorder::record`; behind it are `queue`, and at its other end `writer`.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use model::{DecisionId, Event, Timestamp};

use crate::bus::{Followed, Label, Subscription};
use crate::checkpoint::SignedCheckpoint;
use crate::entry::Entry;
use crate::fault::LedgerFault;
use crate::pending::{Pending, lock};
use crate::queue::{Asked, KeyWork, Rotation, Shared, Status};
use crate::reader::{Filter, Ledger};
use crate::recovery::{self, Recovered};
use crate::settings::Opening;
use crate::signer::{Ends, Rotated};
use crate::subjects::{Subjects, sealed};
use crate::writer::Writer;

/// The one writer of a ledger. Shared by reference between threads; dropping it stops cleanly.
pub struct Recorder {
    shared: Arc<Shared>,
    ledger: Ledger,
    subjects: Arc<Subjects>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

thread_local! {
    /// Events are serialised into a buffer of their thread, outside every lock.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Recorder {
    /// Opens the ledger, recovers from a crash and starts the writer.
    ///
    /// Only the last segment is read. A torn tail is cut off and reported, unless a signed checkpoint
    /// covers it: then somebody changed the files, and recording on would hide it.
    ///
    /// # Errors
    /// [`LedgerFault::Integrity`] for changed files; others for keys, locks and disks.
    pub fn open(
        opening: Opening,
        now: Timestamp,
    ) -> Result<(Recorder, Option<Recovered>), LedgerFault> {
        let dir = opening.dir.clone();
        let keys = Arc::clone(&opening.keys);
        let origin = opening.settings.origin.clone();
        let settings = opening.settings.clone();
        let (state, recovered) = recovery::open(opening)?;
        let shared = Arc::new(Shared::new(state.tip(), &settings));
        let subjects = Arc::clone(&state.subjects);
        let writer = Writer::new(state, Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || writer.run())
            .map_err(|error| LedgerFault::io(&dir, &error))?;
        let recorder = Recorder {
            shared,
            ledger: Ledger::new(&dir, keys, &origin).with_subjects(Arc::clone(&subjects)),
            subjects,
            thread: Mutex::new(Some(thread)),
        };
        // What cannot be read here stays shown as it is; only searches by time may then end early.
        let newest = recorder.ledger.newest(&Filter {
            limit: 1,
            ..Filter::default()
        });
        let newest = newest.ok().and_then(|found| found.first()?.event().ok());
        if let Some(newest) = newest {
            let latest = newest.at.max(newest.latest.unwrap_or_default());
            recorder.shared.goes_on_from(latest);
        }
        if let Some(recovered) = &recovered {
            recorder.record(&recovered.event(now)).wait()?;
        }
        Ok((recorder, recovered))
    }

    /// Puts an event into the ledger. Never blocks on the disk: await or [`Pending::wait`] for the result.
    pub fn record(&self, event: &Event) -> Pending {
        let id = event.id.map_or(0, DecisionId::bits);
        let label = Label {
            kind: event.kind.clone(),
            outcome: event.outcome.clone(),
        };
        let named = match self.subjects.of_event(event) {
            Ok(named) => named,
            Err(fault) => return Pending::refused(fault),
        };
        SCRATCH.with_borrow_mut(|buffer| {
            let mut latest = None;
            let about = (id, &label, &named);
            // Written a second time where the clock has been set back, and again should it be set while this goes on.
            loop {
                buffer.clear();
                if named.is_empty() {
                    event.write_with(latest, buffer);
                } else {
                    sealed::write(event, &named, latest, buffer);
                }
                match self.shared.submit(buffer, about, event.at, latest) {
                    Ok(pending) => return pending,
                    Err(later) => latest = Some(later),
                }
            }
        })
    }

    /// Signs a checkpoint over everything recorded up to now. Blocks for about one flush.
    ///
    /// # Errors
    /// When the writer cannot write it.
    pub fn checkpoint(&self) -> Result<Arc<SignedCheckpoint>, LedgerFault> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.shared.ask(Asked::Checkpoint(sender))?;
        receiver.recv().unwrap_or(Err(LedgerFault::Stopped))
    }

    /// Has another key sign from here on, a new one. `event` is the record of it: it is completed with the change that both
    /// keys sign, and stands where the key changes. Blocks for about five flushes.
    ///
    /// # Errors
    /// When it cannot be written. Then the present key goes on.
    pub fn rotate_signer(&self, event: Event, ends: Ends) -> Result<Rotated, LedgerFault> {
        let (tell, receiver) = mpsc::sync_channel(1);
        let event = Box::new(event);
        let wanted = Rotation { event, ends, tell };
        self.shared.ask(Asked::Signer(wanted))?;
        receiver.recv().unwrap_or(Err(LedgerFault::Stopped))
    }

    /// Whether a record about this person of an integration can be written: there is a bound to how many can be told apart.
    pub fn has_room_for(&self, integration: &str, person: &str) -> bool {
        self.subjects.has_room_for(integration, person)
    }

    /// Makes everything unreadable that the ledger says of a person: destroys the key that their values are sealed with.
    /// Whoever calls it has recorded first what is going to be done: `record` is the number of that record. Gives whether there
    /// was a key. Blocks for about a flush.
    ///
    /// # Errors
    /// When `subject` is none as records name them, or the key cannot be destroyed.
    pub fn erase(&self, subject: &str, record: u64, at: Timestamp) -> Result<bool, LedgerFault> {
        let id = sealed::id(subject).ok_or_else(|| LedgerFault::Unusable {
            what: format!("`{subject}` is no subject of a ledger: these have 32 hex digits"),
        })?;
        let work = KeyWork::Erase {
            subject: id,
            at,
            record,
        };
        self.work_on_keys(work).map(|count| count > 0)
    }

    /// Drops the keys of persons whom no record names any more that can be read. Gives their number.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn drop_unused_subjects(&self) -> Result<usize, LedgerFault> {
        self.work_on_keys(KeyWork::Drop)
    }

    fn work_on_keys(&self, work: KeyWork) -> Result<usize, LedgerFault> {
        let (tell, receiver) = mpsc::sync_channel(1);
        self.shared.ask(Asked::Keys((work, tell)))?;
        receiver.recv().unwrap_or(Err(LedgerFault::Stopped))
    }

    /// Whether the writer ended although nobody stopped it. Then everything is refused until the ledger is opened again.
    pub fn has_ended(&self) -> bool {
        self.shared.has_ended()
    }

    /// Where the ledger stands and how it is.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// The record of a decision: at once for recent ones, else by searching the files, newest first.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn find(&self, id: DecisionId) -> Result<Option<Entry>, LedgerFault> {
        match self.shared.place(id.bits()) {
            Some(place) => self.ledger.at(&place),
            None => self.ledger.find(id),
        }
    }

    /// Follows the records from here on, as they become durable. `name` is what it is counted under when it is too slow.
    pub fn subscribe(&self, name: &str) -> Subscription {
        Subscription::new(Arc::clone(self.shared.events()), name)
    }

    #[cfg(test)]
    pub(crate) fn bus(&self) -> &crate::bus::EventBus {
        self.shared.events()
    }

    /// Who follows, and what each of them missed.
    pub fn followed(&self) -> Vec<Followed> {
        self.shared.events().followed()
    }

    /// The reading side of the same ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Writes what is queued, signs a last checkpoint and ends the writer. Events after it are refused.
    ///
    /// # Errors
    /// When the last checkpoint could not be written.
    pub fn stop(&self) -> Result<Option<Arc<SignedCheckpoint>>, LedgerFault> {
        self.shared.close();
        if let Some(thread) = lock(&self.thread).take() {
            // A panic of the writer has been turned into a fault by `Writer`'s drop.
            drop(thread.join());
        }
        let status = self.status();
        status.fault.map_or(Ok(status.checkpoint), Err)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Who wants to know how the end went calls `stop` first.
        drop(self.stop());
    }
}

#[cfg(test)]
mod tests;
