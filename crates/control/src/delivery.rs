//! Delivers the records of the ledger to one destination: in order, each at least once, going on where the last start ended.
//! Exports `Delivery`; each of them is for a supervised task.
//! Made when a server starts, for each destination of its configuration.
//! Start reading at `Delivery::work`.
//!
//! Records come from the stream behind the ledger's writer. Where the destination is slow, stands still, or was there before
//! the server, they are read from the ledger. Nothing waits for a destination, and what it has yet to get is lost only where
//! it is destroyed in the ledger.

mod sink;
mod unsent;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit::{Entry, LedgerFault, Recorder, Subscription};
use destinations::{Record, Settings};
use gateway::SharedState;
use serde::{Deserialize, Serialize};
use store::{Fault, Step, Store, kinds};

use crate::supervisor::{Stop, Task};
use sink::Sink;
use unsent::Unsent;

/// How often new records are looked for.
const TICK: Duration = Duration::from_millis(250);
/// Its place is kept every so many ticks: after a kill it gets the records of that time again.
const KEEP_TICKS: u32 = 4;
/// Longest time between two tries where it cannot be written to.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// So many batches at most when the server stops: less than a stop waits for.
const LAST_BATCHES: usize = 64;
/// Records that are written together.
const BATCH_RECORDS: usize = 512;
/// Bytes after which a batch ends.
const BATCH_BYTES: usize = 1 << 20;

/// How far a destination has got. Kept in the store.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// The first record that it has yet to get.
    next_seq: u64,
}

/// One destination, and how far it has got.
pub struct Delivery {
    name: Arc<str>,
    settings: Settings,
    sink: Sink,
    io: Arc<SharedState>,
    recorder: Arc<Recorder>,
    store: Store,
    say: fn(&str),
    records: Subscription,
    /// Records taken from the stream or read from the ledger, the next one first.
    ahead: VecDeque<Entry>,
    /// It had to wait for a record that the stream did not tell.
    has_waited: bool,
    unsent: Unsent,
    /// The first record that has yet to be sent.
    next_seq: u64,
    /// The first record that it has yet to get, as the store has it.
    kept: Option<u64>,
    /// What went wrong last, so that it is said once.
    trouble: Option<String>,
    pause: Duration,
}

impl Delivery {
    /// A destination of the configuration. One that was not there before begins with what is recorded from here on. Nothing is
    /// written in the directories `apart`, which hold files of the program itself.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn new(
        name: &str,
        settings: &Settings,
        apart: &[PathBuf],
        io: &Arc<SharedState>,
        store: &Store,
        say: fn(&str),
    ) -> Result<Option<Delivery>, Fault> {
        let Some(destination) = settings.destination() else {
            return Ok(None);
        };
        let recorder = Arc::clone(&io.recorder);
        let records = recorder.subscribe(&format!("destination {name}"));
        let end = recorder.status().records;
        let kept = store.get::<Position>(&kinds::DESTINATION, name)?;
        let kept = kept.map(|stored| stored.value.next_seq);
        if let Some(ahead) = kept.filter(|kept| *kept > end) {
            // A ledger that was put back has numbers that the destination has seen with other records.
            say(&format!(
                "portcullis: the destination `{name}` has got {ahead} records, and the ledger holds {end}: it was put back; going on with record {end}"
            ));
        }
        let mut delivery = Delivery {
            name: name.into(),
            settings: settings.clone(),
            sink: Sink::new(destination.target(), apart),
            io: Arc::clone(io),
            recorder,
            store: store.clone(),
            say,
            records,
            ahead: VecDeque::new(),
            has_waited: false,
            unsent: Unsent::default(),
            next_seq: kept.unwrap_or(end).min(end),
            kept,
            trouble: None,
            pause: TICK,
        };
        // Kept before the first record: a server that is killed at once goes on from here.
        delivery.keep_position(delivery.next_seq)?;
        Ok(Some(delivery))
    }

    /// The same as a task.
    pub fn into_task(mut self) -> Task {
        Task {
            name: format!("to {}", self.name).into(),
            is_waited_for: true,
            work: Box::new(move |stop| self.work(stop)),
        }
    }

    /// Delivers until it is time to stop, and then what is there.
    fn work(&mut self, stop: &Stop) {
        let mut ticks = 0u32;
        loop {
            let is_last = stop.wait(self.pause);
            self.deliver(stop, is_last);
            ticks = ticks.wrapping_add(1);
            if is_last || ticks.is_multiple_of(KEEP_TICKS) {
                self.keep();
            }
            if is_last {
                return;
            }
        }
    }

    /// As much as there is and the destination takes. A stop ends it; in the last round it goes on for a while, and what is
    /// left then comes with the next start.
    fn deliver(&mut self, stop: &Stop, is_last: bool) {
        let most = if is_last { LAST_BATCHES } else { usize::MAX };
        for _ in 0..most {
            match self.batch() {
                Ok(true) => self.recovered(),
                Ok(false) => break,
                Err(error) => {
                    self.failed(&error);
                    break;
                }
            }
            if !is_last && stop.wait(Duration::ZERO) {
                break;
            }
        }
        let end = self.recorder.status().records;
        let waiting = end.saturating_sub(self.taken());
        self.io.metrics.note_waiting(&self.name, waiting);
    }

    /// Writes one batch. Whether there may be more to write now.
    fn batch(&mut self) -> io::Result<bool> {
        let written = self.try_batch();
        if written.is_err() {
            self.go_back();
        }
        written
    }

    fn try_batch(&mut self) -> io::Result<bool> {
        if self.sink.is_gone()? {
            self.go_back();
        }
        if self.unsent.is_sent() {
            // What was taken meanwhile need not be known any longer.
            self.taken();
            self.fill()?;
        }
        if self.unsent.is_sent() {
            return Ok(false);
        }
        self.sink.send(&mut self.unsent)
    }

    /// What the other end does not have whole goes again, to whatever is there then.
    fn go_back(&mut self) {
        self.next_seq = self.taken();
        self.sink.close();
        self.unsent = Unsent::default();
        self.ahead.clear();
    }

    /// The first record that the other end does not have whole: on a file what was not written, in a pipe what was not read.
    fn taken(&mut self) -> u64 {
        let waiting = self.sink.waiting();
        let first = self.unsent.first_not_taken(waiting);
        first.unwrap_or(self.next_seq)
    }

    /// Takes the next records and writes them as they are sent.
    fn fill(&mut self) -> io::Result<()> {
        let end = self.recorder.status().records;
        if self.next_seq >= end {
            self.has_waited = false;
            return Ok(());
        }
        self.sink.open()?;
        if !self.is_ahead() {
            self.ahead = self.records.take().into();
            while self
                .ahead
                .front()
                .is_some_and(|one| one.seq < self.next_seq)
            {
                self.ahead.pop_front();
            }
        }
        if !self.is_ahead() {
            // It is told a moment later where it became durable just now.
            if !std::mem::replace(&mut self.has_waited, true) {
                return Ok(());
            }
            self.read_ahead(end).map_err(io::Error::other)?;
        }
        self.has_waited = false;
        let Some(destination) = self.settings.destination() else {
            return Ok(());
        };
        for _ in 0..BATCH_RECORDS {
            if self.unsent.left().len() >= BATCH_BYTES {
                break;
            }
            let Some(entry) = self.ahead.pop_front() else {
                break;
            };
            let record = Record {
                seq: entry.seq,
                json: &entry.json,
            };
            self.unsent
                .add(entry.seq, |out| destination.write(&record, out));
            self.next_seq = entry.seq.saturating_add(1);
        }
        Ok(())
    }

    /// Whether the next record is at hand.
    fn is_ahead(&self) -> bool {
        let first = self.ahead.front();
        first.is_some_and(|entry| entry.seq == self.next_seq)
    }

    /// Reads the next records from the ledger. Those that were destroyed meanwhile are passed over, and that is said.
    fn read_ahead(&mut self, end: u64) -> Result<(), LedgerFault> {
        self.ahead.clear();
        let mut from = self.next_seq;
        while let Some(next) = self.read_from(from, end)? {
            from = next;
        }
        let first = self.ahead.front().map_or(end, |entry| entry.seq);
        if first > self.next_seq {
            let (from, to) = (self.next_seq, first - 1);
            (self.say)(&format!(
                "portcullis: the destination `{}` does not get the records {from} to {to}: they were destroyed",
                self.name
            ));
            self.next_seq = first;
        }
        Ok(())
    }

    /// Reads from a record on. Gives where to go on behind records that were destroyed.
    fn read_from(&mut self, from: u64, end: u64) -> Result<Option<u64>, LedgerFault> {
        for read in self.recorder.ledger().from_seq(from)? {
            match read {
                Ok(entry) if entry.seq < end => self.ahead.push_back(entry),
                Ok(_) => break,
                // Those behind a gap are told when they come first: the gap is said before them.
                Err(LedgerFault::Destroyed { .. }) if !self.ahead.is_empty() => break,
                Err(LedgerFault::Destroyed { next, .. }) => {
                    return Ok(Some(next).filter(|next| (from + 1..end).contains(next)));
                }
                Err(fault) => return Err(fault),
            }
            if self.ahead.len() >= BATCH_RECORDS {
                break;
            }
        }
        Ok(None)
    }

    fn recovered(&mut self) {
        self.pause = TICK;
        if self.trouble.take().is_some() {
            (self.say)(&format!(
                "portcullis: the destination `{}` takes records again",
                self.name
            ));
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        let trouble = error.to_string();
        if self.trouble.as_ref() != Some(&trouble) {
            (self.say)(&format!(
                "portcullis: the destination `{}` cannot be written to: {trouble}; retrying, the records wait in the ledger",
                self.name
            ));
            self.trouble = Some(trouble);
        }
    }

    /// Keeps its place, once what was written is on the disk.
    fn keep(&mut self) {
        let next_seq = self.taken();
        if self.kept == Some(next_seq) {
            return;
        }
        if let Err(error) = self.sink.sync() {
            return self.failed(&error);
        }
        if let Err(fault) = self.keep_position(next_seq) {
            self.failed(&io::Error::other(fault));
        }
    }

    fn keep_position(&mut self, next_seq: u64) -> Result<(), Fault> {
        let put = Step::put(&kinds::DESTINATION, &self.name, &Position { next_seq })?;
        self.store.transact(vec![put])?;
        self.kept = Some(next_seq);
        Ok(())
    }
}
