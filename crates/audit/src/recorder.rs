//! Takes events from many threads and has them written, sealed, chained and flushed in groups.
//! Exports `Recorder::open`, `Recorder::record -> Pending`, checkpoints on demand and a clean stop.
//! Used by the gateway (one event per request) and control (one per change).
//! Start reading at `Recorder::record`; the other end of the queue is `writer`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::{DecisionId, Event, Timestamp};

use crate::bus::{EventBus, Followed, Label, Subscription};
use crate::checkpoint::SignedCheckpoint;
use crate::disk::{Disk, RealDisk};
use crate::fault::LedgerFault;
use crate::pending::{Group, Pending, lock};
use crate::reader::{Entry, Filter, Ledger, SET_BACK_MIN};
use crate::recovery::{self, Recovered};
use crate::signer::Ends;
use crate::tree::{Hash, leaf_hash};
use crate::writer::{OnCheckpoint, Rotated, Writer};

/// Largest record. Events are bounded far below it.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// A group of so many records means that many wait: gathering as many again saves flushes and delays nobody who is alone.
const BUSY_GROUP: usize = 8;
/// Gathering pays while records come at least so quickly; a flush costs about three times as much CPU.
const PACE: Duration = Duration::from_micros(60);
/// So many of the newest decisions are found without searching the files.
const RECENT_MAX: usize = 65_536;

/// When an event counts as recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After fdatasync: a power cut loses nothing that was answered.
    #[default]
    Sync,
    /// After write: a crash of the program loses nothing, a power cut up to the last checkpoint's age.
    Write,
}

/// How the recorder works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the ledger in its checkpoints: visible ASCII without spaces and `+`.
    pub origin: String,
    /// When an event counts as recorded. Default `sync`.
    pub durability: Durability,
    /// After a group of at least 8 events the writer waits until the next is as large, at most so long, and only while
    /// events come quickly: fewer, larger groups cost less CPU. Under light load nobody waits. Default 0.
    pub gather: Duration,
    /// A segment that has this size is closed and the next one begun. Default 64 MiB.
    pub segment_bytes: u64,
    /// A segment whose first record is so old is closed and the next one begun, so that records can be destroyed by their age
    /// however few there are. Default 1 day.
    pub segment_age: Duration,
    /// A checkpoint is signed after this many records. Default 1,000.
    pub checkpoint_records: u64,
    /// A checkpoint is signed at most this long after a record. Default 1 s.
    pub checkpoint_interval: Duration,
    /// Events that may wait for the disk; beyond it they are refused. Default 8,192.
    pub queue_records: usize,
    /// Bytes of events that may wait for the disk. Default 8 MiB, at most 32 MiB.
    pub queue_bytes: usize,
}

impl Settings {
    /// The defaults, for a ledger of this name.
    pub fn new(origin: impl Into<String>) -> Self {
        Settings {
            origin: origin.into(),
            durability: Durability::Sync,
            gather: Duration::ZERO,
            segment_bytes: 64 * 1024 * 1024,
            segment_age: Duration::from_secs(86_400),
            checkpoint_records: 1_000,
            checkpoint_interval: Duration::from_secs(1),
            queue_records: 8_192,
            queue_bytes: 8 * 1024 * 1024,
        }
    }
}

/// What is needed to open a ledger for recording.
pub struct Opening {
    /// Directory of the ledger; made when absent.
    pub dir: PathBuf,
    /// How to work.
    pub settings: Settings,
    /// Sealing and signing keys.
    pub keys: Arc<crypto::Keys>,
    /// The newest checkpoint known elsewhere (the database), as text: a ledger older than it was rolled back.
    pub witness: Option<String>,
    /// Called with every new checkpoint on the writer's thread; must be quick.
    pub on_checkpoint: Option<OnCheckpoint>,
    /// The files; tests put a failing disk here.
    pub disk: Arc<dyn Disk>,
}

impl Opening {
    /// With default hooks and the real disk.
    pub fn new(dir: impl Into<PathBuf>, settings: Settings, keys: Arc<crypto::Keys>) -> Self {
        Opening {
            dir: dir.into(),
            settings,
            keys,
            witness: None,
            on_checkpoint: None,
            disk: Arc::new(RealDisk),
        }
    }
}

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

/// The one writer of a ledger. Shared by reference between threads; dropping it stops cleanly.
pub struct Recorder {
    shared: Arc<Shared>,
    ledger: Ledger,
    thread: Mutex<Option<JoinHandle<()>>>,
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
    /// The latest moment of any record so far.
    pub at: Timestamp,
}

/// What the writer was woken for.
pub(crate) struct Work {
    pub batch: Batch,
    pub wanted: Vec<Wanted>,
    pub rotations: Vec<Rotation>,
    pub is_closing: bool,
}

/// A written frame whose decisions can be found at once.
pub(crate) struct RecentFrame {
    pub segment: PathBuf,
    pub offset: u64,
    pub first_seq: u64,
    pub before: Hash,
    pub ids: Vec<u128>,
}

#[derive(Default)]
struct Recent {
    frames: VecDeque<RecentFrame>,
    count: usize,
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
        let writer = Writer::new(state, Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || writer.run())
            .map_err(|error| LedgerFault::io(&dir, &error))?;
        let recorder = Recorder {
            shared,
            ledger: Ledger::new(&dir, keys, &origin),
            thread: Mutex::new(Some(thread)),
        };
        // What cannot be read here stays shown as it is; only searches by time may then end early.
        let newest = recorder.ledger.newest(&Filter {
            limit: 1,
            ..Filter::default()
        });
        let newest = newest.ok().and_then(|found| found.first()?.event().ok());
        if let Some(newest) = newest {
            lock(&recorder.shared.queue).latest = newest.at.max(newest.latest.unwrap_or_default());
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
        SCRATCH.with_borrow_mut(|buffer| {
            let mut latest = None;
            // Written a second time where the clock has been set back, and again should it be set while this goes on.
            loop {
                buffer.clear();
                event.write_with(latest, buffer);
                match self.shared.submit(buffer, (id, &label), event.at, latest) {
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
        self.ask(|queue| queue.wanted.push(sender))?;
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
        self.ask(|queue| queue.rotations.push(Rotation { event, ends, tell }))?;
        receiver.recv().unwrap_or(Err(LedgerFault::Stopped))
    }

    /// Puts something beside the records for the writer to do.
    fn ask(&self, put: impl FnOnce(&mut Queue)) -> Result<(), LedgerFault> {
        let mut queue = lock(&self.shared.queue);
        if let Some(fault) = queue.refuses() {
            return Err(fault);
        }
        put(&mut queue);
        self.shared.rouse(&mut queue);
        Ok(())
    }

    /// Whether the writer ended although nobody stopped it. Then everything is refused until the ledger is opened again.
    pub fn has_ended(&self) -> bool {
        let queue = lock(&self.shared.queue);
        queue.broken.is_some() && !queue.is_closing
    }

    /// Where the ledger stands and how it is.
    pub fn status(&self) -> Status {
        let waiting = lock(&self.shared.queue).batch.leaves.len();
        let mut status = lock(&self.shared.status).clone();
        status.waiting = waiting;
        status
    }

    /// The record of a decision: at once for recent ones, else by searching the files, newest first.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn find(&self, id: DecisionId) -> Result<Option<Entry>, LedgerFault> {
        let place = lock(&self.shared.recent).place(id.bits());
        match place {
            Some(place) => self.ledger.at(&place),
            None => self.ledger.find(id),
        }
    }

    /// Follows the records from here on, as they become durable. `name` is what it is counted under when it is too slow.
    pub fn subscribe(&self, name: &'static str) -> Subscription {
        Subscription::new(Arc::clone(&self.shared.events), name)
    }

    #[cfg(test)]
    pub(crate) fn bus(&self) -> &EventBus {
        &self.shared.events
    }

    /// Who follows, and what each of them missed.
    pub fn followed(&self) -> Vec<Followed> {
        self.shared.events.followed()
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
        {
            let mut queue = lock(&self.shared.queue);
            queue.is_closing = true;
            self.shared.rouse(&mut queue);
        }
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

impl Shared {
    fn new(tip: (u64, Hash, Option<Arc<SignedCheckpoint>>), settings: &Settings) -> Self {
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
    fn submit(
        &self,
        record: &[u8],
        (id, label): (u128, &Label),
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
        let pending = Pending::queued(Arc::clone(&batch.group), index);
        let is_enough = queue.is_enough();
        drop(queue);
        if is_enough {
            self.work.notify_one();
        }
        Ok(pending)
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
    pub(crate) fn events(&self) -> &EventBus {
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
        let group = std::mem::take(&mut queue.batch).group;
        drop(queue);
        group.finish(Err(fault.clone()));
    }
}

impl Queue {
    /// Whether something beside records is to be done.
    fn is_asked(&self) -> bool {
        self.is_closing || !self.wanted.is_empty() || !self.rotations.is_empty()
    }

    fn refuses(&self) -> Option<LedgerFault> {
        let closed = self.is_closing.then_some(LedgerFault::Stopped);
        self.broken.clone().or(closed)
    }
}

impl Recent {
    fn add(&mut self, frame: RecentFrame) {
        self.count = self.count.saturating_add(frame.ids.len());
        self.frames.push_back(frame);
        while self.count > RECENT_MAX && self.frames.len() > 1 {
            let gone = self.frames.pop_front().map_or(0, |frame| frame.ids.len());
            self.count = self.count.saturating_sub(gone);
        }
    }

    fn place(&self, id: u128) -> Option<Place> {
        self.frames.iter().rev().find_map(|frame| {
            let index = frame.ids.iter().rposition(|known| *known == id)?;
            Some(Place {
                segment: frame.segment.clone(),
                offset: frame.offset,
                first_seq: frame.first_seq,
                before: frame.before,
                index,
            })
        })
    }
}

/// Where a record stands.
#[derive(Clone)]
pub(crate) struct Place {
    pub segment: PathBuf,
    pub offset: u64,
    pub first_seq: u64,
    pub before: Hash,
    pub index: usize,
}

#[cfg(test)]
mod tests;
