//! The thread that owns the ledger's files: one group, one frame, one write, one flush.
//! Exports `Writer::run` and `State`, what must be known to append.
//! Started by `Recorder::open`; the only code that changes the ledger while the product runs.
//! Start reading at `Writer::run`, then `State::commit`. After a failed flush nothing is accepted (fail closed).

mod keys;
mod outage;
mod rotate;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use model::{Event, Kind, Outcome, Timestamp};

use crate::bus::Label;
use crate::checkpoint::{Checkpoint, SignedBy, SignedCheckpoint};
use crate::disk::{Disk, DiskFile};
use crate::fault::LedgerFault;
use crate::queue::{Batch, Shared};
use crate::recent::RecentFrame;
use crate::segment::{self, Group, Header, SegmentKey, Tip};
use crate::settings::{Durability, OnCheckpoint, RECORD_BYTES_MAX, Settings};
use crate::signer::Signers;
use crate::signer::key::Signer;
use crate::subjects::{Named, Subjects};
use crate::tree::{Hash, leaf_hash};

/// A file and the length up to which it is good.
pub(crate) struct Good {
    pub path: PathBuf,
    pub file: Box<dyn DiskFile>,
    pub length: u64,
}

/// Everything that must be known to append.
pub(crate) struct State {
    pub dir: PathBuf,
    pub settings: Settings,
    pub keys: Arc<crypto::Keys>,
    pub disk: Arc<dyn Disk>,
    pub on_checkpoint: Option<OnCheckpoint>,
    pub tip: Tip,
    pub segment: Good,
    pub segment_key: SegmentKey,
    /// The moment of the segment's first record; `None` while it has none.
    pub segment_since: Option<Timestamp>,
    pub checkpoints: Good,
    pub last: Arc<SignedCheckpoint>,
    /// Who signs, and who signed before.
    pub signers: Signers,
    /// The private key of the last of them.
    pub signer: Signer,
    /// The keys of persons.
    pub subjects: Arc<Subjects>,
    /// Set for good by an error that leaves a file's state unknown.
    pub broken: Option<LedgerFault>,
    /// Held as long as the ledger is open.
    pub _lock: std::fs::File,
}

/// The thread.
pub(crate) struct Writer {
    state: State,
    shared: Arc<Shared>,
    /// When the oldest record without a checkpoint must have one.
    due: Option<Instant>,
    /// The group at work, so that nobody waits forever should this thread panic.
    current: Batch,
    /// What could not be written of late, and is on no record yet.
    outage: Option<outage::Outage>,
}

impl Writer {
    pub(crate) fn new(state: State, shared: Arc<Shared>) -> Self {
        Writer {
            state,
            shared,
            due: None,
            current: Batch::default(),
            outage: None,
        }
    }

    /// Works until the recorder is stopped.
    pub(crate) fn run(mut self) {
        loop {
            let spare = self.spare();
            let work = self.shared.next(self.due, spare);
            self.current = work.batch;
            if !self.current.leaves.is_empty() {
                // Whoever waits for the group is told; nobody waits here.
                let (count, at) = (self.current.leaves.len(), self.current.at);
                let outcome = self.commit();
                self.keep_outage(outcome.err(), count, at);
            }
            for (wanted, tell) in work.key_work {
                drop(tell.try_send(self.state.work_on_keys(&wanted)));
            }
            for rotation in work.rotations {
                let done = self.rotate(&rotation);
                drop(rotation.tell.try_send(done));
            }
            if self.is_checkpoint_due() || !work.wanted.is_empty() || work.is_closing {
                let signed = self.checkpoint();
                for wanted in work.wanted {
                    // Who no longer listens has given up waiting.
                    drop(wanted.try_send(signed.clone()));
                }
            }
            if work.is_closing {
                if let Err(fault) = self.state.restore_signers() {
                    self.shared.troubled(&fault);
                }
                return;
            }
        }
    }

    /// Keeps the buffers of the last group for the next but one.
    fn spare(&mut self) -> Batch {
        let mut spare = std::mem::take(&mut self.current);
        spare.payload.clear();
        spare.leaves.clear();
        spare.labels.clear();
        spare.subjects.clear();
        spare.ids = Vec::with_capacity(spare.leaves.capacity().min(1024));
        spare.group = Arc::default();
        spare
    }

    /// Writes the group at work and tells everybody. Gives the number of its first record.
    fn commit(&mut self) -> Result<u64, LedgerFault> {
        let (offset, before) = (self.state.segment.length, self.state.tip.chain);
        let outcome = self.state.commit(&self.current);
        match &outcome {
            Ok((first_seq, rolled)) => {
                let frame = RecentFrame {
                    segment: self.state.segment.path.clone(),
                    offset: rolled.unwrap_or(offset),
                    first_seq: *first_seq,
                    before,
                    ids: std::mem::take(&mut self.current.ids),
                };
                self.shared
                    .written(self.state.tip.next_seq(), self.state.tip.chain, frame);
                if rolled.is_some() {
                    self.shared.signed(&self.state.last);
                }
                let (labels, payload) = (&mut self.current.labels, &mut self.current.payload);
                self.shared.events().publish(*first_seq, labels, payload);
                let due = || Instant::now() + self.state.settings.checkpoint_interval;
                self.due.get_or_insert_with(due);
            }
            Err(fault) => self.shared.troubled(fault),
        }
        let outcome = outcome.map(|(first_seq, _)| first_seq);
        self.current.group.finish(outcome.clone());
        outcome
    }

    fn is_checkpoint_due(&self) -> bool {
        let uncovered = self
            .state
            .tip
            .next_seq()
            .saturating_sub(self.state.last.checkpoint.size);
        let is_late = self.due.is_some_and(|due| due <= Instant::now());
        uncovered > 0 && (is_late || uncovered >= self.state.settings.checkpoint_records)
    }

    fn checkpoint(&mut self) -> Result<Arc<SignedCheckpoint>, LedgerFault> {
        let restored = self.state.keys_in_place();
        let signed = restored.and_then(|restored| {
            restored.iter().for_each(|name| self.tell_restored(name));
            self.state.checkpoint()
        });
        match &signed {
            Ok(checkpoint) => {
                self.due = None;
                self.shared.signed(checkpoint);
            }
            Err(fault) => {
                self.due = Some(Instant::now() + self.state.settings.checkpoint_interval);
                self.shared.troubled(fault);
            }
        }
        signed
    }

    /// Has a record say that a file was written again. It comes with the next group.
    fn tell_restored(&self, name: &str) {
        let at = self.shared.latest();
        let event = Event {
            at,
            kind: Kind::LedgerRecovered.into(),
            outcome: Outcome::Done.into(),
            detail: Some(
                format!("the file `{name}` was taken away, replaced or cut short while the ledger was open; it was written again").into(),
            ),
            ..Event::default()
        };
        let mut line = Vec::new();
        event.write(&mut line);
        let label = Label {
            kind: event.kind,
            outcome: event.outcome,
        };
        // A ledger that is being closed takes no more records.
        drop(
            self.shared
                .submit(&line, (0, &label, &Named::default()), at, None),
        );
    }
}

impl Drop for Writer {
    /// Also runs when the thread panics: whoever waits is told, whoever comes is refused.
    fn drop(&mut self) {
        let fault = match (&self.state.broken, std::thread::panicking()) {
            (Some(fault), _) => fault.clone(),
            (None, false) => LedgerFault::Stopped,
            (None, true) => LedgerFault::Broken {
                what: "the writer ended unexpectedly".into(),
            },
        };
        if fault != LedgerFault::Stopped {
            self.shared.troubled(&fault);
        }
        self.current.group.finish(Err(fault.clone()));
        self.shared.ended(&fault);
    }
}

impl State {
    /// Appends the batch as one frame. Gives the number of its first record, and the frame's place
    /// when a new segment was begun for it.
    fn commit(&mut self, batch: &Batch) -> Result<(u64, Option<u64>), LedgerFault> {
        self.is_whole()?;
        let age = self.segment_since.map(|since| batch.at.since(since));
        let is_full = self.segment.length >= self.settings.segment_bytes
            || age.is_some_and(|age| age > self.settings.segment_age);
        let rolled = is_full && self.tip.next_seq() > self.segment_start();
        if rolled {
            self.roll()?;
        }
        self.keys_first(&batch.subjects)?;
        let offset = self.segment.length;
        let first_seq = self.tip.next_seq();
        let mut next = self.tip.clone();
        batch.leaves.iter().for_each(|leaf| next.push(*leaf));
        let frame = self.segment_key.frame(&Group {
            payload: &batch.payload,
            leaves: &batch.leaves,
            first_seq,
            before: &self.tip.chain,
            after: &next.chain,
        });
        let frame = frame.ok_or_else(|| LedgerFault::Broken {
            what: "the key of the newest segment was destroyed".into(),
        })?;
        Self::append(&mut self.segment, &frame, &mut self.broken)?;
        if self.settings.durability == Durability::Sync {
            Self::sync(&mut self.segment, &mut self.broken)?;
        }
        self.tip = next;
        self.segment_since.get_or_insert(batch.at);
        Ok((first_seq, rolled.then_some(offset)))
    }

    /// Signs where the ledger stands and appends it to the checkpoints.
    pub(crate) fn checkpoint(&mut self) -> Result<Arc<SignedCheckpoint>, LedgerFault> {
        self.is_whole()?;
        self.is_in_place()?;
        if self.last.checkpoint.size == self.tip.next_seq() {
            return Ok(Arc::clone(&self.last));
        }
        // A checkpoint must never promise more than the disk holds, or a power cut would look like tampering.
        if self.settings.durability == Durability::Write {
            self.keys_flushed()?;
            Self::sync(&mut self.segment, &mut self.broken)?;
        }
        let signed = sign(
            &self.settings.origin,
            &self.tip,
            self.last.checkpoint.size,
            (self.signers.epoch(), self.signer.key()),
        );
        Self::append(
            &mut self.checkpoints,
            signed.text.as_bytes(),
            &mut self.broken,
        )?;
        Self::sync(&mut self.checkpoints, &mut self.broken)?;
        self.last = Arc::new(signed);
        if let Some(tell) = &mut self.on_checkpoint {
            tell(&self.last);
        }
        Ok(Arc::clone(&self.last))
    }

    /// Closes the segment and begins the next one. The checkpoint comes first, so that the newest
    /// checkpoint is never older than the newest segment and opening has to read only that one.
    pub(crate) fn roll(&mut self) -> Result<(), LedgerFault> {
        self.checkpoint()?;
        let path = self.dir.join(segment::file_name(self.tip.next_seq()));
        let (disk, origin) = (Arc::clone(&self.disk), self.settings.origin.clone());
        let (segment, key) =
            begin(&*disk, path, &self.tip, &origin, &self.keys).map_err(|error| unready(&error))?;
        (self.segment, self.segment_key) = (segment, key);
        self.segment_since = None;
        Ok(())
    }

    /// Number of the first record of the open segment: its file name.
    pub(crate) fn segment_start(&self) -> u64 {
        let name = self.segment.path.file_stem().and_then(|stem| stem.to_str());
        name.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    fn is_whole(&self) -> Result<(), LedgerFault> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Whether the files that are written to are still those that a start would find. What is appended to a file that was
    /// taken away is on no disk that anybody reads, so nothing is answered for it any more.
    fn is_in_place(&mut self) -> Result<(), LedgerFault> {
        for good in [&self.segment, &self.checkpoints] {
            if !good.file.is_at(&good.path) {
                let path = good.path.display().to_string();
                let fault = LedgerFault::Displaced { path };
                self.broken = Some(fault.clone());
                return Err(fault);
            }
        }
        Ok(())
    }

    fn judge(&mut self, error: &io::Error) -> LedgerFault {
        if is_full(error) {
            return LedgerFault::Full;
        }
        let fault = broken(error);
        self.broken = Some(fault.clone());
        fault
    }

    /// All of the bytes or none: an unfinished append is cut off again, so that going on is safe when
    /// the disk was merely full. Any other error is for good.
    fn append(
        good: &mut Good,
        bytes: &[u8],
        broken_for_good: &mut Option<LedgerFault>,
    ) -> Result<(), LedgerFault> {
        let Err(error) = good.file.append(bytes) else {
            good.length = good
                .length
                .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            return Ok(());
        };
        let cut = good.file.truncate(good.length);
        if cut.is_ok() && is_full(&error) {
            return Err(LedgerFault::Full);
        }
        let fault = broken(&error);
        *broken_for_good = Some(fault.clone());
        Err(fault)
    }

    /// A failed flush is for good: the system may have dropped the pages, and a second try may lie.
    fn sync(good: &mut Good, broken_for_good: &mut Option<LedgerFault>) -> Result<(), LedgerFault> {
        good.file.sync().map_err(|error| {
            let fault = broken(&error);
            *broken_for_good = Some(fault.clone());
            fault
        })
    }

    /// What the status begins with.
    pub(crate) fn tip(&self) -> (u64, Hash, Option<Arc<SignedCheckpoint>>) {
        (
            self.tip.next_seq(),
            self.tip.chain,
            Some(Arc::clone(&self.last)),
        )
    }
}

/// An event of the ledger itself as a group of its own.
fn single(event: &Event, latest: Option<Timestamp>) -> Result<Batch, LedgerFault> {
    let mut record = Vec::new();
    event.write_with(latest, &mut record);
    if record.len() > RECORD_BYTES_MAX {
        let bytes = record.len();
        return Err(LedgerFault::TooLarge { bytes });
    }
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    let mut payload = length.to_le_bytes().to_vec();
    payload.extend_from_slice(&record);
    Ok(Batch {
        group: Arc::default(),
        payload,
        leaves: vec![leaf_hash(&record)],
        ids: vec![event.id.map_or(0, model::DecisionId::bits)],
        labels: vec![Label {
            kind: event.kind.clone(),
            outcome: event.outcome.clone(),
        }],
        subjects: Vec::new(),
        at: event.at,
    })
}

/// Begins a segment at the tip.
pub(crate) fn begin(
    disk: &dyn Disk,
    path: PathBuf,
    tip: &Tip,
    origin: &str,
    keys: &crypto::Keys,
) -> io::Result<(Good, SegmentKey)> {
    let header = Header::new(tip.clone(), origin, crypto::random());
    let begun = header.begin(keys, &crypto::random_secret());
    // The key first: a segment without its key would hold records that nobody can read.
    disk.create(&segment::key::beside(&path), &begun.key_file)?;
    let file = disk.create(&path, &begun.header)?;
    let length = u64::try_from(begun.header.len()).unwrap_or(u64::MAX);
    Ok((Good { path, file, length }, begun.key))
}

/// Signs where the ledger stands, by the key of this epoch.
pub(crate) fn sign(
    origin: &str,
    tip: &Tip,
    after: u64,
    signer: (u64, &crypto::SigningKey),
) -> SignedCheckpoint {
    sign_as(None, origin, tip, after, signer)
}

/// The same, for the end of an export that begins with this record.
pub(crate) fn sign_as(
    closes: Option<u64>,
    origin: &str,
    tip: &Tip,
    after: u64,
    (epoch, key): (u64, &crypto::SigningKey),
) -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: tip.next_seq(),
        root: tip.tree.root(),
        chain: tip.chain,
        after,
        closes,
        by: Some(SignedBy::today(epoch)),
    };
    checkpoint.sign(key)
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// A file that could not be made: it appears whole or not at all, and the files that are there are as they were.
fn unready(error: &io::Error) -> LedgerFault {
    if is_full(error) {
        return LedgerFault::Full;
    }
    LedgerFault::Unready {
        what: error.to_string(),
    }
}

fn broken(error: &io::Error) -> LedgerFault {
    LedgerFault::Broken {
        what: error.to_string(),
    }
}
