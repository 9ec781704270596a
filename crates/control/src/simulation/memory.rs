//! What the simulation puts in place of disk, ledger and directory. Each can be told to fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit::LedgerFault;
use config::Compiled;
use gateway::Snapshot;
use model::{Event, Timestamp};
use store::backend::{Everything, RawStep, Row};
use store::{Backend, Fault, Outcome, Ticket, Window};

use crate::{ConfigurationSource, Journal, LoadedConfiguration, RefusedConfiguration};

/// How the next write ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Write {
    /// Well.
    #[default]
    Good,
    /// Nothing is written: a full disk.
    Lost,
    /// All is written, and said to have failed: a lost answer.
    Unsaid,
}

#[derive(Default)]
struct Rows {
    meta: BTreeMap<String, Vec<u8>>,
    records: BTreeMap<(String, String), Row>,
    version: u64,
    next: Write,
}

/// A store's backend in memory.
#[derive(Default)]
pub struct Memory(Mutex<Rows>);

impl Memory {
    /// How the next write ends.
    pub fn peek(&self) -> Write {
        self.0.lock().unwrap().next
    }

    /// Says how the next write ends.
    pub fn next(&self, write: Write) {
        self.0.lock().unwrap().next = write;
    }
}

impl Rows {
    fn step(&mut self, step: RawStep) {
        match step {
            RawStep::Put {
                kind,
                id,
                key_version,
                sealed,
                ..
            } => {
                let row = Row {
                    id: id.clone(),
                    version: self.version,
                    key_version,
                    sealed,
                };
                self.records.insert((kind, id), row);
            }
            RawStep::Delete { kind, id } => drop(self.records.remove(&(kind, id))),
            RawStep::Version(version) => assert_eq!(version, self.version),
            RawStep::Meta {
                name,
                before,
                after,
            } => assert_eq!(self.meta.insert(name, after), before),
            RawStep::Expect { .. } | RawStep::Enqueue { .. } => {
                panic!("no command does that: {step:?}")
            }
        }
    }
}

impl Backend for Memory {
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.lock().unwrap().meta.get(name).cloned())
    }

    fn set_meta(&self, name: &str, _: Option<&[u8]>, after: &[u8]) -> Result<(), Fault> {
        let mut rows = self.0.lock().unwrap();
        rows.meta.insert(name.to_owned(), after.to_vec());
        Ok(())
    }

    fn get(&self, kind: &str, id: &str) -> Result<Option<Row>, Fault> {
        let rows = self.0.lock().unwrap();
        Ok(rows.records.get(&(kind.to_owned(), id.to_owned())).cloned())
    }

    fn list(
        &self,
        kind: &str,
        _: Option<(&str, &[u8])>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Row>, Fault> {
        let rows = self.0.lock().unwrap();
        let behind = rows
            .records
            .iter()
            .filter(|((k, id), _)| k == kind && id.as_str() > after);
        Ok(behind.map(|(_, row)| row.clone()).take(limit).collect())
    }

    fn everything(&self, name: &str, _: usize) -> Result<Everything, Fault> {
        let rows = self.0.lock().unwrap();
        let all = rows.records.iter();
        let all = all.map(|((kind, _), row)| (kind.clone(), row.clone()));
        Ok((rows.meta.get(name).cloned(), all.collect()))
    }

    fn entries_and_jobs(&self) -> Result<u64, Fault> {
        Err(Fault::Closed)
    }

    fn transact(&self, steps: Vec<RawStep>) -> Result<u64, Fault> {
        let mut rows = self.0.lock().unwrap();
        let full = || Fault::Full {
            path: "simulated".into(),
        };
        let write = std::mem::take(&mut rows.next);
        if write == Write::Lost {
            return Err(full());
        }
        rows.version += 1;
        for step in steps {
            rows.step(step);
        }
        match write {
            Write::Unsaid => Err(full()),
            _ => Ok(rows.version),
        }
    }

    fn stream_end(&self, _: &str) -> Result<u64, Fault> {
        Err(Fault::Closed)
    }

    fn append(&self, _: &str, _: u64, _: Vec<Vec<u8>>) -> Result<(), Fault> {
        Err(Fault::Closed)
    }

    fn read_stream(&self, _: &str, _: u64, _: usize) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        Err(Fault::Closed)
    }

    fn claim(
        &self,
        _: &str,
        _: Duration,
        _: usize,
        _: Timestamp,
    ) -> Result<Vec<(Ticket, Vec<u8>)>, Fault> {
        Err(Fault::Closed)
    }

    fn settle(&self, _: &Ticket, _: Outcome) -> Result<bool, Fault> {
        Err(Fault::Closed)
    }

    fn bump(&self, _: &str, _: Window, _: u32) -> Result<u64, Fault> {
        Err(Fault::Closed)
    }

    fn position(&self) -> Result<u64, Fault> {
        Ok(self.0.lock().unwrap().version)
    }

    fn watch(&self, _: u64, _: usize, _: Duration) -> Result<Vec<store::Change>, Fault> {
        Err(Fault::Closed)
    }
}

/// A ledger in memory.
#[derive(Default)]
pub struct Book {
    /// What was recorded.
    pub events: Mutex<Vec<Event>>,
    /// Records that are taken before one fails; none fails where there is no number.
    pub good: Mutex<Option<u32>>,
}

impl Journal for Book {
    fn record(&self, event: &Event) -> Result<u64, LedgerFault> {
        let mut good = self.good.lock().unwrap();
        match *good {
            Some(0) => {
                *good = None;
                return Err(LedgerFault::Full);
            }
            Some(left) => *good = Some(left - 1),
            None => {}
        }
        let mut events = self.events.lock().unwrap();
        events.push(event.clone());
        Ok(events.len() as u64)
    }
}

/// A configuration directory in memory.
pub struct Folder {
    /// Configurations it may hold; one more stands for a broken one.
    pub known: Vec<Arc<Compiled>>,
    /// Which of them lies there, and how often that was changed.
    pub lies: Arc<Mutex<(usize, u64)>>,
}

impl Folder {
    /// What is read now.
    pub fn read(
        &self,
        before: &Arc<Snapshot>,
    ) -> Result<LoadedConfiguration, RefusedConfiguration> {
        let (which, _) = *self.lies.lock().unwrap();
        let Some(compiled) = self.known.get(which) else {
            return Err(RefusedConfiguration {
                message: "broken".into(),
                remedy: String::new(),
            });
        };
        let none = |_: &str| Err(String::new());
        let snapshot = Snapshot::of(Arc::clone(compiled), Some(before), &none);
        Ok(LoadedConfiguration {
            snapshot: snapshot.unwrap(),
            removed: Vec::new(),
            hand_over: Box::new(|| Ok(())),
        })
    }
}

impl ConfigurationSource for Folder {
    fn stamp(&self) -> [u8; 32] {
        let (_, changes) = *self.lies.lock().unwrap();
        let mut stamp = [0; 32];
        stamp[..8].copy_from_slice(&changes.to_le_bytes());
        stamp
    }

    fn load(&self, before: &Arc<Snapshot>) -> Result<LoadedConfiguration, RefusedConfiguration> {
        self.read(before)
    }
}
