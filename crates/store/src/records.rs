//! Records as a backend holds them, each checked against what was written last, and written with a new statement of it.
//! Exports `Records`, `Write`.
//! Used by `Store`, which gives them types.
//! Start reading at `Records::open`, then at `Records::transact`.
//!
//! The statement is kept in memory by whoever holds the store alone, so a record that was put back is noticed by the next
//! read of it. Whoever reads beside a server checks everything once, when it opens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::Secret;
use serde_json::Value;

use crate::backend::{Backend, NAME_LEN_MAX, RawStep, Row, SEALED_LEN_MAX};
use crate::inventory::{INVENTORY, Inventory, Left};
use crate::kinds::KINDS;
use crate::seal::{KEY_VERSION, Place, Sealer};
use crate::{Fault, Kind, indexes};

/// Most records of a store: the credentials of an installation, and room for everything else.
const RECORDS_MAX: usize = 400_000;

/// One step of a transaction, not sealed yet.
pub(crate) enum Write {
    /// Adds or replaces a record.
    Put {
        kind: &'static str,
        id: String,
        json: Secret<Vec<u8>>,
        /// Index names with their values as they stand in the backend.
        indexes: Vec<(String, Vec<u8>)>,
    },
    /// Removes a record; none there is fine.
    Delete { kind: &'static str, id: String },
    /// As it is.
    Raw(RawStep),
}

/// The records of a backend.
pub(crate) struct Records {
    backend: Arc<dyn Backend>,
    sealer: Sealer,
    /// What the store holds; unknown after a write that failed, as that may have reached the disk all the same. None of
    /// it for whoever only reads.
    held: Option<Mutex<Option<Inventory>>>,
}

impl Records {
    /// Checks every record against the statement of what the store holds. A store of before there was one gets it, if it is
    /// opened for writing.
    ///
    /// # Errors
    /// [`Fault::NotAsWritten`], and faults of reading and writing.
    pub(crate) fn open(
        backend: Arc<dyn Backend>,
        sealer: Sealer,
        is_writer: bool,
    ) -> Result<Records, Fault> {
        let records = Records {
            held: is_writer.then(Mutex::default),
            backend,
            sealer,
        };
        let (found, rows) = records.read()?;
        if let Some(mut held) = records.held() {
            *held = match found {
                Some(found) => Some(found),
                None => {
                    // Both in one transaction, so that a store is never without one again.
                    let mut begun = Inventory::default();
                    let writes = rows.iter().map(|(kind, row)| records.again(kind, row));
                    records.write(&mut begun, writes.collect::<Result<_, _>>()?)?;
                    Some(begun)
                }
            };
        }
        Ok(records)
    }

    /// What seals them.
    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// One record.
    ///
    /// # Errors
    /// [`Fault::NotAsWritten`], and faults of reading.
    pub(crate) fn get(&self, kind: &str, id: &str) -> Result<Option<Row>, Fault> {
        let Some(mut held) = self.held() else {
            return self.backend.get(kind, id);
        };
        let held = self.known(&mut held)?;
        let row = self.backend.get(kind, id)?;
        self.check(held, kind, id, row.as_ref())?;
        Ok(row)
    }

    /// Records by id, as [`Backend::list`].
    ///
    /// # Errors
    /// As [`Records::get`].
    pub(crate) fn list(
        &self,
        kind: &str,
        index: Option<(&str, &[u8])>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Row>, Fault> {
        let Some(mut held) = self.held() else {
            return self.backend.list(kind, index, after, limit);
        };
        let held = self.known(&mut held)?;
        let rows = self.backend.list(kind, index, after, limit)?;
        for row in &rows {
            self.check(held, kind, &row.id, Some(row))?;
        }
        if index.is_none() {
            let mut listed = rows.iter().map(|row| row.id.as_str());
            let mut expected = held.ids_after(kind, after).take(limit);
            if let Some(missing) = expected.find(|id| listed.next() != Some(*id)) {
                return Err(not_as_written(kind, missing, "is missing"));
            }
        }
        Ok(rows)
    }

    fn check(
        &self,
        held: &Inventory,
        kind: &str,
        id: &str,
        row: Option<&Row>,
    ) -> Result<(), Fault> {
        let what = match (
            row.map(|row| self.sealer.mark(kind, row)),
            held.mark(kind, id),
        ) {
            (found, written) if found == written => return Ok(()),
            (None, _) => "is missing",
            (_, None) => "was put there by somebody else",
            _ => "was replaced by another, such as an older one",
        };
        Err(not_as_written(kind, id, what))
    }

    /// Does all steps or none, in order, and states what the store holds then; durable when it returns. Gives the version of
    /// the records it put.
    ///
    /// # Errors
    /// As [`Backend::transact`]; [`Fault::TooLarge`], [`Fault::WornOut`] and [`Fault::NotAsWritten`].
    pub(crate) fn transact(&self, writes: Vec<Write>) -> Result<u64, Fault> {
        let mut held = self.held().ok_or(Fault::ReadingOnly)?;
        let known = self.known(&mut held)?;
        let done = self.write(known, writes);
        if done.is_err() {
            *held = None;
        }
        done
    }

    fn write(&self, known: &mut Inventory, writes: Vec<Write>) -> Result<u64, Fault> {
        let version = self.backend.position()?.saturating_add(1);
        let (mut steps, left) = sealed(&self.sealer, writes, version)?;
        let next = known.after(left, version)?;
        let statement = next.seal(&self.sealer);
        steps.push(RawStep::Meta {
            name: INVENTORY.to_owned(),
            before: known.sealed().map(<[u8]>::to_vec),
            after: statement.clone(),
        });
        self.backend.transact(steps)?;
        known.adopt(next, statement);
        Ok(version)
    }

    /// Seals every record anew, by `to`, and does `with` in the same transaction. Afterwards only `to` opens them: the store
    /// has to be opened again.
    ///
    /// # Errors
    /// As [`Records::transact`].
    pub(crate) fn seal_anew(&self, to: &Sealer, with: RawStep) -> Result<(), Fault> {
        let mut held = self.held().ok_or(Fault::ReadingOnly)?;
        let before = self.known(&mut held)?.sealed().map(<[u8]>::to_vec);
        // Whatever becomes of it, what is known here says nothing of it.
        *held = None;
        let (_, rows) = self.read()?;
        let writes = rows
            .iter()
            .map(|(kind, row)| again(&self.sealer, to, kind, row));
        let writes: Vec<Write> = writes.collect::<Result<_, _>>()?;
        let version = self.backend.position()?.saturating_add(1);
        let (mut steps, left) = sealed(to, writes, version)?;
        let statement = Inventory::anew(left, version)?.seal(to);
        steps.push(with);
        steps.push(RawStep::Meta {
            name: INVENTORY.to_owned(),
            before,
            after: statement,
        });
        self.backend.transact(steps).map(drop)
    }

    fn again(&self, kind: &str, row: &Row) -> Result<Write, Fault> {
        again(&self.sealer, &self.sealer, kind, row)
    }

    fn held(&self) -> Option<MutexGuard<'_, Option<Inventory>>> {
        let held = self.held.as_ref()?;
        Some(held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the store holds, read again where that is not known.
    fn known<'h>(&self, held: &'h mut Option<Inventory>) -> Result<&'h mut Inventory, Fault> {
        if held.is_none() {
            *held = self.read()?.0;
        }
        held.as_mut().ok_or_else(|| Fault::NotAsWritten {
            what: String::from("the statement of what it holds is missing"),
        })
    }

    fn read(&self) -> Result<Read, Fault> {
        let (statement, rows) = self.backend.everything(INVENTORY, RECORDS_MAX)?;
        let found = Inventory::read(&self.sealer, statement, &rows)?;
        Ok((found, rows))
    }
}

/// What the store holds, where there is a statement of it, and every record with its kind.
type Read = (Option<Inventory>, Vec<(String, Row)>);

/// A record to be sealed anew as it is.
fn again(from: &Sealer, to: &Sealer, kind: &str, row: &Row) -> Result<Write, Fault> {
    let wrong = |detail: &str| Fault::Unreadable {
        kind: kind.to_owned(),
        id: row.id.clone(),
        detail: detail.to_owned(),
    };
    let known = KINDS.iter().copied().find(|one| one.name == kind);
    let known: &'static Kind = known.ok_or_else(|| wrong("this program knows no such kind"))?;
    let json = from.open_row(kind, row).map(Secret::new);
    let json = json.ok_or_else(|| wrong("its seal does not open"))?;
    let value: Value = serde_json::from_slice(json.expose())
        .map_err(|_| wrong("it does not have the form this program knows"))?;
    let values = indexes::values(known, &value).map_err(wrong)?;
    let stored = values.iter().map(|(index, text)| {
        let value = indexes::stored(to, kind, index, text);
        (index.field.to_owned(), value)
    });
    Ok(Write::Put {
        kind: known.name,
        id: row.id.clone(),
        json,
        indexes: stored.collect(),
    })
}

/// The steps as a backend takes them, and what they leave. The version stands in the seals, so it is chosen before.
fn sealed(
    sealer: &Sealer,
    writes: Vec<Write>,
    version: u64,
) -> Result<(Vec<RawStep>, Vec<Left>), Fault> {
    let mut steps = Vec::with_capacity(writes.len().saturating_add(2));
    let mut left = Vec::with_capacity(writes.len());
    steps.push(RawStep::Version(version));
    for write in writes {
        steps.push(match write {
            Write::Put {
                kind,
                id,
                json,
                indexes,
            } => {
                named(&id)?;
                let place = Place::Record {
                    kind,
                    id: &id,
                    version: Some(version),
                };
                let row = Row {
                    version,
                    key_version: KEY_VERSION,
                    sealed: bounded(sealer.seal(place, json.expose()))?,
                    id,
                };
                left.push((
                    kind.to_owned(),
                    row.id.clone(),
                    Some(sealer.mark(kind, &row)),
                ));
                RawStep::Put {
                    kind: kind.to_owned(),
                    id: row.id,
                    key_version: row.key_version,
                    sealed: row.sealed,
                    indexes,
                }
            }
            Write::Delete { kind, id } => {
                let kind = kind.to_owned();
                left.push((kind.clone(), id.clone(), None));
                RawStep::Delete { kind, id }
            }
            Write::Raw(step) => step,
        });
    }
    Ok((steps, left))
}

fn not_as_written(kind: &str, id: &str, what: &str) -> Fault {
    Fault::NotAsWritten {
        what: format!("{kind} {id} {what}"),
    }
}

/// A name within bounds. NUL is kept out, because it separates the parts of a seal's context.
pub(crate) fn named(name: &str) -> Result<&str, Fault> {
    if name.is_empty() || name.len() > NAME_LEN_MAX || name.contains('\0') {
        return Err(Fault::TooLarge {
            what: String::from("a name (1 byte at least, no NUL)"),
            max: NAME_LEN_MAX,
        });
    }
    Ok(name)
}

pub(crate) fn bounded(sealed: Vec<u8>) -> Result<Vec<u8>, Fault> {
    if sealed.len() > SEALED_LEN_MAX {
        return Err(Fault::TooLarge {
            what: String::from("the record"),
            max: SEALED_LEN_MAX,
        });
    }
    Ok(sealed)
}
