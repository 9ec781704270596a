//! The store as the rooms use it: typed records in, sealed bytes out.
//! Exports `Store` with the eight verbs, `Step`, `Filter`, `Page`.
//! Used by gateway, admin, flows and the command line; calls block, so the doors make them from a blocking thread.
//! Start reading at `Store::over`, then `Store::transact`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crypto::{Kek, Keys, Root, Secret};
use model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::{Backend, Change, Outcome, ROOT, ROWS_MAX, RawStep, Row, Ticket, Window};
use crate::records::{Records, Write, bounded, named};
use crate::seal::{Place, Sealer};
use crate::{Fault, Index, Kind, Lock, indexes};

/// What we remember.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    records: Arc<Records>,
    _lock: Option<Arc<Lock>>,
    /// Held while a stream's next position is chosen and written.
    appending: Arc<Mutex<()>>,
}

/// A store just opened, with the keys of its installation.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// One key per purpose, derived from the root that the store keeps wrapped.
    pub keys: Keys,
    /// The data directory was begun by this call.
    pub is_new: bool,
}

/// What a store is opened for.
pub(crate) enum Opening {
    /// To read, beside whoever writes.
    Reading,
    /// To write, alone, with the lock that says so where there is one.
    Writing(Option<Lock>),
}

/// A record with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// Id.
    pub id: String,
    /// Version, for [`Step::expect`].
    pub version: u64,
    /// The record.
    pub value: T,
}

/// A claimed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job<T> {
    /// The right to settle it.
    pub ticket: Ticket,
    /// What is to be done.
    pub value: T,
}

/// Which records to list.
#[derive(Clone, Copy, Debug)]
pub enum Filter<'a> {
    /// All of the kind.
    All,
    /// Those whose declared index field has this value.
    Is(&'a str, &'a str),
}

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// After this id; empty for the beginning.
    pub after: &'a str,
    /// At most so many (and at most 1,000).
    pub limit: usize,
}

impl Page<'_> {
    /// The first page of full length.
    pub const FIRST: Page<'static> = Page {
        after: "",
        limit: ROWS_MAX,
    };
}

/// Whether a record must be there, and at which version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There must be none.
    Absent,
    /// It must be at this version.
    Version(u64),
}

/// One step of a transaction, content not sealed yet. Wipes its content.
pub struct Step(Plain);

enum Plain {
    Expect {
        kind: &'static Kind,
        id: String,
        version: u64,
    },
    Put {
        kind: &'static Kind,
        id: String,
        json: Secret<Vec<u8>>,
        indexes: Vec<(&'static Index, String)>,
    },
    Delete {
        kind: &'static Kind,
        id: String,
    },
    Enqueue {
        queue: &'static str,
        due: Timestamp,
        json: Secret<Vec<u8>>,
    },
}

/// Names the place, never the content.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Plain::Expect { kind, id, version } => {
                write!(f, "expect {} {id} at {version}", kind.name)
            }
            Plain::Put { kind, id, .. } => write!(f, "put {} {id}", kind.name),
            Plain::Delete { kind, id } => write!(f, "delete {} {id}", kind.name),
            Plain::Enqueue { queue, .. } => write!(f, "enqueue {queue}"),
        }
    }
}

impl Step {
    /// Goes on only if the record is as expected.
    pub fn expect(kind: &'static Kind, id: impl fmt::Display, expected: Expected) -> Step {
        let version = match expected {
            Expected::Absent => 0,
            Expected::Version(version) => version,
        };
        Step(Plain::Expect {
            kind,
            id: id.to_string(),
            version,
        })
    }

    /// Adds or replaces a record. Its declared index fields are read from its JSON form.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] when the value has no JSON form, or an index field is not a plain value.
    pub fn put<T: Serialize>(
        kind: &'static Kind,
        id: impl fmt::Display,
        value: &T,
    ) -> Result<Step, Fault> {
        let id = id.to_string();
        let wrong = |detail: &str| Fault::Unreadable {
            kind: kind.name.to_owned(),
            id: id.clone(),
            detail: detail.to_owned(),
        };
        let json = serde_json::to_value(value).map_err(|_| wrong("it has no JSON form"))?;
        let indexes = indexes::values(kind, &json).map_err(wrong)?;
        let json = serde_json::to_vec(value).map_err(|_| wrong("it has no JSON form"))?;
        Ok(Step(Plain::Put {
            kind,
            id,
            json: Secret::new(json),
            indexes,
        }))
    }

    /// Removes a record; none there is fine.
    pub fn delete(kind: &'static Kind, id: impl fmt::Display) -> Step {
        Step(Plain::Delete {
            kind,
            id: id.to_string(),
        })
    }

    /// Adds a job to a queue, in the same transaction as the records that ask for it.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] when the value has no JSON form.
    pub fn enqueue<T: Serialize>(
        queue: &'static str,
        due: Timestamp,
        value: &T,
    ) -> Result<Step, Fault> {
        let json = to_json(queue, "job", value)?;
        Ok(Step(Plain::Enqueue { queue, due, json }))
    }
}

impl Store {
    /// A store over any backend whose named values already hold a wrapped root key.
    ///
    /// # Errors
    /// [`Fault::Key`] when the root does not open, and faults of reading.
    pub fn over(backend: Arc<dyn Backend>, kek: &Kek) -> Result<Opened, Fault> {
        Store::with_backend(backend, kek, Opening::Writing(None))
    }

    /// The same, for whoever reads, and for a process that holds the lock of a data directory as long as the store is open.
    pub(crate) fn with_backend(
        backend: Arc<dyn Backend>,
        kek: &Kek,
        opening: Opening,
    ) -> Result<Opened, Fault> {
        let wrapped = backend.meta(ROOT)?.ok_or(crypto::KeyFault::Damaged)?;
        let keys = Keys::new(&kek.open(&wrapped)?, kek);
        let (is_writer, lock) = match opening {
            Opening::Reading => (false, None),
            Opening::Writing(lock) => (true, lock),
        };
        let records = Records::open(Arc::clone(&backend), Sealer::new(&keys), is_writer)?;
        let store = Store {
            backend,
            records: Arc::new(records),
            _lock: lock.map(Arc::new),
            appending: Arc::default(),
        };
        Ok(Opened {
            store,
            keys,
            is_new: false,
        })
    }

    /// Wraps the root key with another key-encryption key. No record changes; the old key opens nothing afterwards.
    ///
    /// # Errors
    /// [`Fault::Key`] when `old` is not the present one, and faults of writing.
    pub fn change_kek(&self, old: &Kek, new: &Kek) -> Result<(), Fault> {
        let before = self.backend.meta(ROOT)?.ok_or(crypto::KeyFault::Damaged)?;
        let after = Kek::rewrap(old, new, &before)?;
        self.backend.set_meta(ROOT, Some(&before), &after)
    }

    /// The root key, and those that it replaced.
    ///
    /// # Errors
    /// [`Fault::Key`] when `kek` is not the present one, and faults of reading.
    pub fn root(&self, kek: &Kek) -> Result<Root, Fault> {
        let wrapped = self.backend.meta(ROOT)?.ok_or(crypto::KeyFault::Damaged)?;
        Ok(kek.open(&wrapped)?)
    }

    /// Puts another root key in the place of the present one and seals every record under it, in one write. The store has to
    /// be opened again afterwards: this one reads and writes nothing any more.
    ///
    /// # Errors
    /// [`Fault::Key`] when `kek` is not the present one; [`Fault::HasJobs`] where there are stream entries or jobs; and
    /// faults of reading and writing.
    pub fn change_root(&self, kek: &Kek, next: &Root) -> Result<(), Fault> {
        // Nothing that Portcullis does leaves any; they would be lost.
        if self.backend.entries_and_jobs()? > 0 {
            return Err(Fault::HasJobs);
        }
        let before = self.backend.meta(ROOT)?.ok_or(crypto::KeyFault::Damaged)?;
        kek.open(&before)?;
        let change = RawStep::Meta {
            name: ROOT.to_owned(),
            before: Some(before),
            after: kek.wrap(next),
        };
        let sealer = Sealer::new(&Keys::new(next, kek));
        self.records.seal_anew(&sealer, change)
    }

    /// One record.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] when it does not open, [`Fault::NotAsWritten`] when it is not the one that was written last, and
    /// faults of reading.
    pub fn get<T: DeserializeOwned>(
        &self,
        kind: &'static Kind,
        id: impl fmt::Display,
    ) -> Result<Option<Stored<T>>, Fault> {
        let row = self.records.get(kind.name, &id.to_string())?;
        row.map(|row| self.unsealed(kind, row)).transpose()
    }

    /// Records by id.
    ///
    /// # Errors
    /// As [`Store::get`]; a field that is no declared index finds nothing to list and is refused.
    pub fn list<T: DeserializeOwned>(
        &self,
        kind: &'static Kind,
        filter: Filter<'_>,
        page: Page<'_>,
    ) -> Result<Vec<Stored<T>>, Fault> {
        let value;
        let index = match filter {
            Filter::All => None,
            Filter::Is(field, wanted) => {
                let Some(index) = kind.indexes.iter().find(|index| index.field == field) else {
                    let detail = format!("`{field}` is not a declared index");
                    return Err(Fault::Unreadable {
                        kind: kind.name.to_owned(),
                        id: String::new(),
                        detail,
                    });
                };
                value = indexes::stored(self.records.sealer(), kind.name, index, wanted);
                Some((index.field, value.as_slice()))
            }
        };
        let rows = self
            .records
            .list(kind.name, index, page.after, page.limit.min(ROWS_MAX))?;
        rows.into_iter()
            .map(|row| self.unsealed(kind, row))
            .collect()
    }

    /// All records, page by page, up to `max`.
    ///
    /// # Errors
    /// As [`Store::list`]; [`Fault::TooLarge`] when there are more than `max`.
    pub fn list_all<T: DeserializeOwned>(
        &self,
        kind: &'static Kind,
        filter: Filter<'_>,
        max: usize,
    ) -> Result<Vec<Stored<T>>, Fault> {
        let mut all: Vec<Stored<T>> = Vec::new();
        loop {
            let after = all
                .last()
                .map(|stored| stored.id.clone())
                .unwrap_or_default();
            let page = self.list(
                kind,
                filter,
                Page {
                    after: &after,
                    limit: ROWS_MAX,
                },
            )?;
            let is_last = page.len() < ROWS_MAX;
            all.extend(page);
            if all.len() > max {
                return Err(Fault::TooLarge {
                    what: format!("the list of {} records", kind.name),
                    max,
                });
            }
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Does all steps or none, in order; durable when it returns. Gives the version of the records it put.
    ///
    /// # Errors
    /// [`Fault::Conflict`] when an expectation fails, [`Fault::TooLarge`] and [`Fault::WornOut`] at a bound,
    /// [`Fault::NotAsWritten`] when what is there is not what was written last, and faults of writing.
    pub fn transact(&self, steps: Vec<Step>) -> Result<u64, Fault> {
        if steps.len() > ROWS_MAX {
            return Err(Fault::TooLarge {
                what: String::from("the transaction"),
                max: ROWS_MAX,
            });
        }
        let writes = steps.into_iter().map(|step| self.write(step));
        self.records.transact(writes.collect::<Result<_, _>>()?)
    }

    /// Appends an entry to a stream and gives its position, counted from 1.
    ///
    /// # Errors
    /// [`Fault::Conflict`] when others keep appending first, and faults of writing.
    pub fn append<T: Serialize>(&self, stream: &'static str, value: &T) -> Result<u64, Fault> {
        let json = to_json(stream, "entry", value)?;
        let mut last = None;
        // The position is part of the seal, so it is chosen before writing. Appenders of this process take turns; who
        // loses a race against another process tries again.
        let _turn = self
            .appending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for _ in 0..APPEND_TRIES {
            let position = self.backend.stream_end(stream)?.saturating_add(1);
            let sealed = bounded(
                self.records
                    .sealer()
                    .seal(Place::Entry { stream, position }, json.expose()),
            )?;
            match self.backend.append(stream, position, vec![sealed]) {
                Ok(()) => return Ok(position),
                Err(conflict @ Fault::Conflict { .. }) => last = Some(conflict),
                Err(other) => return Err(other),
            }
        }
        Err(last.unwrap_or(Fault::Closed))
    }

    /// Entries of a stream from a position on, each with its position.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] when one does not open, and faults of reading.
    pub fn read_stream<T: DeserializeOwned>(
        &self,
        stream: &'static str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, T)>, Fault> {
        let entries = self
            .backend
            .read_stream(stream, from, limit.min(ROWS_MAX))?;
        let opened = |(position, sealed): (u64, Vec<u8>)| {
            let json = self
                .records
                .sealer()
                .open(Place::Entry { stream, position }, &sealed);
            Ok((position, from_json(stream, &position.to_string(), json)?))
        };
        entries.into_iter().map(opened).collect()
    }

    /// Takes up to `limit` due jobs for the time of `lease`. Unsettled ones come back when it ends.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] when one does not open, and faults of writing.
    pub fn claim<T: DeserializeOwned>(
        &self,
        queue: &'static str,
        lease: Duration,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Job<T>>, Fault> {
        let claimed = self.backend.claim(queue, lease, limit.min(ROWS_MAX), now)?;
        let opened = |(ticket, sealed): (Ticket, Vec<u8>)| {
            let json = self.records.sealer().open(
                Place::Job {
                    queue,
                    id: &ticket.id,
                },
                &sealed,
            );
            Ok(Job {
                value: from_json(queue, &ticket.id, json)?,
                ticket,
            })
        };
        claimed.into_iter().map(opened).collect()
    }

    /// Says what became of a job. `false` when somebody else has claimed it since.
    ///
    /// # Errors
    /// Faults of writing.
    pub fn settle(&self, ticket: &Ticket, outcome: Outcome) -> Result<bool, Fault> {
        self.backend.settle(ticket, outcome)
    }

    /// Adds to a counter and gives its new total. Counters are not sealed: name them by ids, not by persons.
    ///
    /// # Errors
    /// Faults of writing.
    pub fn bump(&self, counter: &str, window: Window, by: u32) -> Result<u64, Fault> {
        self.backend.bump(named(counter)?, window, by)
    }

    /// Position of the latest change, to watch from.
    ///
    /// # Errors
    /// Faults of reading.
    pub fn position(&self) -> Result<u64, Fault> {
        self.backend.position()
    }

    /// Changes after a position; waits up to `wait` for the first one.
    ///
    /// # Errors
    /// [`Fault::Missed`] when they are no longer all kept, and faults of reading.
    pub fn watch(&self, after: u64, wait: Duration) -> Result<Vec<Change>, Fault> {
        self.backend.watch(after, ROWS_MAX, wait)
    }

    /// Ends in order, also where others still hold it: what was written is durable, no log is left beside the database,
    /// and every later call is refused.
    pub fn close(&self) {
        self.backend.close();
    }

    fn write(&self, step: Step) -> Result<Write, Fault> {
        Ok(match step.0 {
            Plain::Expect { kind, id, version } => Write::Raw(RawStep::Expect {
                kind: kind.name.to_owned(),
                id,
                version,
            }),
            Plain::Delete { kind, id } => Write::Delete {
                kind: kind.name,
                id,
            },
            Plain::Put {
                kind,
                id,
                json,
                indexes,
            } => {
                let stored = |(index, text): (&'static Index, String)| {
                    let sealer = self.records.sealer();
                    let value = indexes::stored(sealer, kind.name, index, named(&text)?);
                    Ok((index.field.to_owned(), value))
                };
                let indexes = indexes.into_iter().map(stored);
                Write::Put {
                    kind: kind.name,
                    id,
                    json,
                    indexes: indexes.collect::<Result<_, Fault>>()?,
                }
            }
            Plain::Enqueue { queue, due, json } => {
                let id = crypto::text::hex(&crypto::random::<16>());
                let place = Place::Job { queue, id: &id };
                let sealed = self.records.sealer().seal(place, json.expose());
                Write::Raw(RawStep::Enqueue {
                    queue: queue.to_owned(),
                    sealed: bounded(sealed)?,
                    id,
                    due,
                })
            }
        })
    }

    fn unsealed<T: DeserializeOwned>(
        &self,
        kind: &'static Kind,
        row: Row,
    ) -> Result<Stored<T>, Fault> {
        let json = self.records.sealer().open_row(kind.name, &row);
        let value = from_json(kind.name, &row.id, json)?;
        Ok(Stored {
            id: row.id,
            version: row.version,
            value,
        })
    }
}

const APPEND_TRIES: usize = 16;

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

fn to_json<T: Serialize>(kind: &str, what: &str, value: &T) -> Result<Secret<Vec<u8>>, Fault> {
    let wrong = |_| Fault::Unreadable {
        kind: kind.to_owned(),
        id: what.to_owned(),
        detail: String::from("it has no JSON form"),
    };
    serde_json::to_vec(value).map(Secret::new).map_err(wrong)
}

/// Reads an opened record. The reason of a failure is told without quoting content.
fn from_json<T: DeserializeOwned>(kind: &str, id: &str, json: Option<Vec<u8>>) -> Result<T, Fault> {
    let wrong = |detail: &str| Fault::Unreadable {
        kind: kind.to_owned(),
        id: id.to_owned(),
        detail: detail.to_owned(),
    };
    let json = json
        .map(Secret::new)
        .ok_or_else(|| wrong("its seal does not open"))?;
    serde_json::from_slice(json.expose())
        .map_err(|_| wrong("it does not have the form this program knows"))
}

#[cfg(test)]
mod tests;
