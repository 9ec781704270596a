//! What stands between those who record and the thread that writes: the queue, and what is known of the ledger.
//! Exports `Shared`, `Batch`, `Work`, `Asked`, `Status`.
//! Used by the recorder at one end and by the writer at the other.
//! Start reading at `Shared::submit`, then at `Shared::next`.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use model::{Event, Timestamp};

use crate::bus::{EventBus, Label};
use crate::checkpoint::SignedCheckpoint;
use crate::entry::SET_BACK_MIN;
use crate::fault::LedgerFault;
use crate::pending::{Group, Pending, lock};
use crate::recent::{Place, Recent, RecentFrame};
use crate::settings::{RECORD_BYTES_MAX, Settings};
use crate::signer::{Ends, Rotated};
use crate::subjects::row::SubjectId;
use crate::subjects::{Named, Subject};
use crate::tree::{Hash, leaf_hash};

/// A group of so many records means that many wait: gathering as many again saves flushes and delays nobody who is alone.
const BUSY_GROUP: usize = 8;
/// Gathering pays while records come at least so quickly; a flush costs about three times as much CPU.
const PACE: Duration = Duration::from_micros(60);

/// Where the ledger stands and how it is.
#[derive(Clone, Debug)]
pub struct Status {
    /// Records so far; also the number of the next one.
    pub records: u64,
    /// Chain value after the last one.
    pub head: Hash,
    /// Newest checkpoint.
    pub checkpoint: Option<Arc<SignedCheckpoint>>,
    /// What the last group met, if it met trouble; `None` when all is well.
    pub fault: Option<LedgerFault>,
    /// Groups written since the start.
    pub groups: u64,
    /// Events waiting for the disk now.
    pub waiting: usize,
}

/// What callers and the writer's thread share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    status: Mutex<Status>,
    recent: Mutex<Recent>,
    events: Arc<EventBus>,
    queue_records: usize,
    queue_bytes: usize,
    gather: Duration,
}

#[derive(Default)]
struct Queue {
    batch: Batch,
    sleeps: Sleeps,
    is_closing: bool,
    /// Records worth waiting for.
    enough: usize,
    /// Set for good when the writer cannot go on.
    broken: Option<LedgerFault>,
    wanted: Vec<Wanted>,
    rotations: Vec<Rotation>,
    key_work: Vec<WantedKeyWork>,
    /// The latest moment of any record.
    latest: Timestamp,
}

/// Whether the writer sleeps, and what wakes it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Sleeps {
    #[default]
    No,
    /// Any record.
    Idle,
    /// So many records, or a moment that it knows itself.
    Gathering(usize),
}

impl Queue {
    /// Whether the writer has to be woken now that a record was added; tells so once.
    fn is_enough(&mut self) -> bool {
        let is_enough = match self.sleeps {
            Sleeps::No => false,
            Sleeps::Idle => true,
            Sleeps::Gathering(records) => self.batch.leaves.len() >= records,
        };
        if is_enough {
            self.sleeps = Sleeps::No;
        }
        is_enough
    }
}

/// Someone who waits for a fresh checkpoint.
pub(crate) type Wanted = mpsc::SyncSender<Result<Arc<SignedCheckpoint>, LedgerFault>>;

/// Someone who wants another key to sign.
pub(crate) struct Rotation {
    /// The record of it, which the writer completes.
    pub event: Box<Event>,
    /// Why the present key signs no longer.
    pub ends: Ends,
    /// Who is told.
    pub tell: mpsc::SyncSender<Result<Rotated, LedgerFault>>,
}

/// Something to be done to the keys of persons.
pub(crate) enum KeyWork {
    /// The key of this one destroyed, as this record says.
    Erase {
        /// Who.
        subject: SubjectId,
        /// When.
        at: Timestamp,
        /// The record's number.
        record: u64,
    },
    /// Keys dropped that no record needs any more.
    Drop,
}

/// Somebody who wants it done, and is told how many keys there are less.
pub(crate) type WantedKeyWork = (KeyWork, mpsc::SyncSender<Result<usize, LedgerFault>>);

/// What can be asked of the writer beside records.
pub(crate) enum Asked {
    /// A checkpoint over everything up to now.
    Checkpoint(Wanted),
    /// Another key to sign.
    Signer(Rotation),
    /// Keys of persons destroyed or dropped.
    Keys(WantedKeyWork),
}

/// What the writer takes at once.
#[derive(Default)]
pub(crate) struct Batch {
    pub group: Arc<Group>,
    /// Records, each after its length.
    pub payload: Vec<u8>,
    pub leaves: Vec<Hash>,
    /// Decision of each record; 0 for none.
    pub ids: Vec<u128>,
    /// What each record is about.
    pub labels: Vec<Label>,
    /// Persons whose values are sealed in them.
    pub subjects: Vec<Arc<Subject>>,
    /// The latest moment of any record so far.
    pub at: Timestamp,
}

/// What the writer was woken for.
pub(crate) struct Work {
    pub batch: Batch,
    pub wanted: Vec<Wanted>,
    pub rotations: Vec<Rotation>,
    pub key_work: Vec<WantedKeyWork>,
    pub is_closing: bool,
}

impl Shared {
    pub(crate) fn new(
        tip: (u64, Hash, Option<Arc<SignedCheckpoint>>),
        settings: &Settings,
    ) -> Self {
        let (records, head, checkpoint) = tip;
        Shared {
            events: Arc::new(EventBus::new(records)),
            queue: Mutex::default(),
            work: Condvar::new(),
            status: Mutex::new(Status {
                records,
                head,
                checkpoint,
                fault: None,
                groups: 0,
                waiting: 0,
            }),
            recent: Mutex::default(),
            queue_records: settings.queue_records,
            queue_bytes: settings.queue_bytes.min(32 * 1024 * 1024),
            gather: settings.gather,
        }
    }

    /// Queues a record; `marked` is the latest moment that it names. Gives the one it has to name where its own moment lies
    /// so far before it that a search by time could not know.
    pub(crate) fn submit(
        &self,
        record: &[u8],
        (id, label, named): (u128, &Label, &Named),
        at: Timestamp,
        marked: Option<Timestamp>,
    ) -> Result<Pending, Timestamp> {
        if record.len() > RECORD_BYTES_MAX {
            return Ok(Pending::refused(LedgerFault::TooLarge {
                bytes: record.len(),
            }));
        }
        let leaf = leaf_hash(record);
        let length = u32::try_from(record.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes();
        let mut queue = lock(&self.queue);
        if let Some(fault) = queue.refuses() {
            return Ok(Pending::refused(fault));
        }
        if queue.latest.since(at) > SET_BACK_MIN && marked < Some(queue.latest) {
            return Err(queue.latest);
        }
        queue.latest = queue.latest.max(at);
        let batch = &mut queue.batch;
        let is_full = batch.leaves.len() >= self.queue_records
            || batch.payload.len().saturating_add(record.len() + 4) > self.queue_bytes;
        if is_full {
            return Ok(Pending::refused(LedgerFault::Busy));
        }
        let index = u64::try_from(batch.leaves.len()).unwrap_or(u64::MAX);
        batch.payload.extend_from_slice(&length);
        batch.payload.extend_from_slice(record);
        batch.leaves.push(leaf);
        batch.ids.push(id);
        batch.labels.push(label.clone());
        let objects = named.objects.iter().map(|(_, subject)| subject);
        let subjects = named.stated.iter().chain(objects).chain(&named.others);
        batch.subjects.extend(subjects.cloned());
        let pending = Pending::queued(Arc::clone(&batch.group), index);
        let is_enough = queue.is_enough();
        drop(queue);
        if is_enough {
            self.work.notify_one();
        }
        Ok(pending)
    }

    /// Puts something beside the records for the writer to do.
    pub(crate) fn ask(&self, wanted: Asked) -> Result<(), LedgerFault> {
        let mut queue = lock(&self.queue);
        if let Some(fault) = queue.refuses() {
            return Err(fault);
        }
        match wanted {
            Asked::Checkpoint(one) => queue.wanted.push(one),
            Asked::Signer(one) => queue.rotations.push(one),
            Asked::Keys(one) => queue.key_work.push(one),
        }
        self.rouse(&mut queue);
        Ok(())
    }

    /// Takes no more records, and lets the writer end.
    pub(crate) fn close(&self) {
        let mut queue = lock(&self.queue);
        queue.is_closing = true;
        self.rouse(&mut queue);
    }

    /// Whether the writer ended although nobody closed the queue.
    pub(crate) fn has_ended(&self) -> bool {
        let queue = lock(&self.queue);
        queue.broken.is_some() && !queue.is_closing
    }

    /// The latest moment of the records that are in the ledger already.
    pub(crate) fn goes_on_from(&self, latest: Timestamp) {
        lock(&self.queue).latest = latest;
    }

    /// The latest moment of any record.
    pub(crate) fn latest(&self) -> Timestamp {
        lock(&self.queue).latest
    }

    /// Where the ledger stands and how it is.
    pub(crate) fn status(&self) -> Status {
        let waiting = lock(&self.queue).batch.leaves.len();
        let mut status = lock(&self.status).clone();
        status.waiting = waiting;
        status
    }

    /// Where the record of a recent decision stands.
    pub(crate) fn place(&self, id: u128) -> Option<Place> {
        lock(&self.recent).place(id)
    }

    /// Wakes the writer, if it sleeps. While it is busy it looks at the queue by itself.
    fn rouse(&self, queue: &mut Queue) {
        if std::mem::take(&mut queue.sleeps) != Sleeps::No {
            self.work.notify_one();
        }
    }

    /// Waits until there is something to do or the moment has come. `spare` becomes the next batch's buffers.
    pub(crate) fn next(&self, until: Option<Instant>, spare: Batch) -> Work {
        let (mut queue, is_slow) = self.gathered(lock(&self.queue));
        while queue.batch.leaves.is_empty() && !queue.is_asked() {
            queue.sleeps = Sleeps::Idle;
            let Some(until) = until else {
                queue = self
                    .work
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.work.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.sleeps = Sleeps::No;
        let records = queue.batch.leaves.len();
        queue.enough = records - if is_slow { records / 4 } else { 0 };
        let mut batch = std::mem::replace(&mut queue.batch, spare);
        batch.at = queue.latest;
        Work {
            batch,
            wanted: std::mem::take(&mut queue.wanted),
            rotations: std::mem::take(&mut queue.rotations),
            key_work: std::mem::take(&mut queue.key_work),
            is_closing: queue.is_closing,
        }
    }

    /// After a large group: waits until the next is as large, but no longer than `gather`. Tells whether the records came
    /// slowly: then less is enough the next time, so that one burst does not make all later records wait.
    fn gathered<'q>(&'q self, mut queue: MutexGuard<'q, Queue>) -> (MutexGuard<'q, Queue>, bool) {
        let enough = queue.enough;
        if enough < BUSY_GROUP || self.gather.is_zero() {
            return (queue, false);
        }
        let begin = Instant::now();
        while queue.batch.leaves.len() < enough && !queue.is_asked() {
            let left = self.gather.saturating_sub(begin.elapsed());
            if left.is_zero() {
                break;
            }
            queue.sleeps = Sleeps::Gathering(enough);
            let waited = self.work.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let records = u32::try_from(queue.batch.leaves.len()).unwrap_or(u32::MAX);
        let is_slow = begin.elapsed() > PACE.saturating_mul(records);
        (queue, is_slow)
    }

    /// For a record that passes the queue by: the latest moment, where it has to name that.
    pub(crate) fn latest_to_name(&self, at: Timestamp) -> Option<Timestamp> {
        let mut queue = lock(&self.queue);
        let latest = queue.latest;
        queue.latest = latest.max(at);
        (latest.since(at) > SET_BACK_MIN).then_some(latest)
    }

    /// Where followers hear of what is in the file.
    pub(crate) fn events(&self) -> &Arc<EventBus> {
        &self.events
    }

    /// A group is in the file.
    pub(crate) fn written(&self, records: u64, head: Hash, frame: RecentFrame) {
        let mut status = lock(&self.status);
        (status.records, status.head, status.fault) = (records, head, None);
        status.groups = status.groups.saturating_add(1);
        drop(status);
        lock(&self.recent).add(frame);
    }

    /// A checkpoint is in the file.
    pub(crate) fn signed(&self, checkpoint: &Arc<SignedCheckpoint>) {
        let mut status = lock(&self.status);
        (status.checkpoint, status.fault) = (Some(Arc::clone(checkpoint)), None);
    }

    /// Trouble, which may pass.
    pub(crate) fn troubled(&self, fault: &LedgerFault) {
        lock(&self.status).fault = Some(fault.clone());
    }

    /// The writer ends: nobody may wait for it any more.
    pub(crate) fn ended(&self, fault: &LedgerFault) {
        let mut queue = lock(&self.queue);
        queue.broken = Some(fault.clone());
        queue.wanted.clear();
        queue.rotations.clear();
        queue.key_work.clear();
        let group = std::mem::take(&mut queue.batch).group;
        drop(queue);
        group.finish(Err(fault.clone()));
    }
}

impl Queue {
    /// Whether something beside records is to be done.
    fn is_asked(&self) -> bool {
        self.is_closing
            || !self.wanted.is_empty()
            || !self.rotations.is_empty()
            || !self.key_work.is_empty()
    }

    fn refuses(&self) -> Option<LedgerFault> {
        let closed = self.is_closing.then_some(LedgerFault::Stopped);
        self.broken.clone().or(closed)
    }
}
