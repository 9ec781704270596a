//! Persons whose values in the ledger are sealed under a key of their own, so that one person's can be made unreadable.
//! Exports `Subjects`, `ErasedSubject`, `SUBJECTS_MAX`, `COMMAND`.
//! Used by the recorder, which seals, by the writer, which puts keys on the disk before the records they seal, and by the reader.
//! Start reading at `Subjects::of_event`; why the keys stand beside the ledger, docs/decisions/049 says.

pub(crate) mod row;
pub(crate) mod sealed;
mod table;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use crypto::text::hex;
use crypto::{Keys, MacKey, SealKey};
use model::{Event, Timestamp};

use crate::disk::Disk;
use crate::fault::LedgerFault;
use crate::pending::lock;
use row::{Erased, FILE, Kept, ROW, Row, SubjectId, USED_AT};
use sealed::{Known, OpenedValue};
pub(crate) use table::Subject;
use table::Table;

/// The command that erases a person; its intent is the record that an erased key names.
pub const COMMAND: &str = "ledger.erase";

/// Most persons whose values a ledger can hold, those that were erased included while a record names them.
pub const SUBJECTS_MAX: usize = 100_000;

/// A person whose values were made unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedSubject {
    /// As records name them.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// Number of the record that says so.
    pub record: u64,
}

/// Everybody who has a key, and who had one.
pub(crate) struct Subjects {
    path: PathBuf,
    /// Digests of names.
    names: MacKey,
    /// Wraps the keys in the file.
    wrap: SealKey,
    /// Number of the first record whose personal values are sealed.
    since: u64,
    table: ArcSwap<Table>,
    rows: Mutex<Rows>,
    /// Whether nobody more can be met.
    is_full: AtomicBool,
}

/// What stands in the file. Nobody takes this lock who records something about a person that was met before.
#[derive(Default)]
struct Rows {
    by_id: HashMap<SubjectId, Place>,
    /// Rows that can be used again.
    free: Vec<usize>,
    /// Rows in the file, those in the making included.
    end: usize,
    /// Most rows.
    max: usize,
    /// Written, and perhaps not on the disk yet.
    is_unflushed: bool,
    /// Met, and not in the file yet.
    unwritten: Vec<Arc<Subject>>,
}

enum Place {
    Kept(Arc<Subject>),
    Erased(usize, Erased),
    /// Neither; at this row.
    Damaged(usize),
}

/// How the key of a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is there.
    Kept,
    /// It was destroyed.
    Erased,
    /// It is missing, or is none.
    Damaged,
}

impl Place {
    fn state(&self) -> State {
        match self {
            Place::Kept(_) => State::Kept,
            Place::Erased(..) => State::Erased,
            Place::Damaged(_) => State::Damaged,
        }
    }
}

/// What has to be in the file before a group is.
pub(crate) struct Due {
    parts: Vec<(u64, Vec<u8>)>,
    new: Vec<Arc<Subject>>,
    used: Vec<Arc<Subject>>,
}

impl Subjects {
    /// Those of a ledger that is read; nobody where it is older than their keys.
    ///
    /// # Errors
    /// When their files cannot be read, or are not what was written.
    pub(crate) fn read(dir: &Path, keys: &Keys) -> Result<Option<Self>, LedgerFault> {
        let Some(master) = row::read_key(dir, keys)? else {
            if !dir.join(FILE).exists() {
                return Ok(None);
            }
            let what = "the key of the ledger's persons is gone; bring its file back from a backup";
            return Err(LedgerFault::integrity(0, &dir.join(row::KEY_FILE), what));
        };
        Subjects::with(dir, master).map(Some)
    }

    /// Those of a ledger that is written; `next_seq` is the number of its next record.
    ///
    /// # Errors
    /// As [`Subjects::read`], and when the files cannot be written.
    pub(crate) fn open(
        dir: &Path,
        keys: &Keys,
        disk: &dyn Disk,
        next_seq: u64,
        max: usize,
    ) -> Result<Self, LedgerFault> {
        let found = match Subjects::read(dir, keys)? {
            Some(found) => found,
            None => Subjects::with(dir, row::begin_key(dir, keys, disk, next_seq)?)?,
        };
        let mut rows = lock(&found.rows);
        rows.max = max.min(SUBJECTS_MAX);
        found.is_full.store(rows.is_full(), Ordering::Release);
        drop(rows);
        Ok(found)
    }

    fn with(dir: &Path, master: row::Master) -> Result<Self, LedgerFault> {
        let path = dir.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(LedgerFault::io(&path, &error)),
        };
        if bytes.len() > SUBJECTS_MAX * ROW {
            let what = "there are more persons than a ledger can hold";
            return Err(LedgerFault::integrity(0, &path, what));
        }
        let wrap = master.key.subkey("ledger subject keys");
        let mut rows = Rows::default();
        // A row that was cut short was never flushed, and no record needs it.
        for (row, bytes) in bytes.chunks_exact(ROW).enumerate() {
            match Row::read(bytes, &wrap) {
                Row::Free => rows.free.push(row),
                Row::Kept(kept) => {
                    let subject = Arc::new(Subject::new(kept, row));
                    rows.by_id.insert(subject.id, Place::Kept(subject));
                }
                Row::Erased(erased) => {
                    rows.by_id.insert(erased.id, Place::Erased(row, erased));
                }
                Row::Damaged(id) => {
                    rows.by_id.entry(id).or_insert(Place::Damaged(row));
                }
            }
            rows.end = row + 1;
        }
        let table = Table::new(rows.kept().cloned());
        Ok(Subjects {
            path,
            names: master.key.mac_subkey("ledger subject names"),
            wrap,
            since: master.since,
            table: ArcSwap::from_pointee(table),
            is_full: AtomicBool::new(rows.is_full()),
            rows: Mutex::new(rows),
        })
    }

    /// Number of the first record whose personal values are sealed: those before it name persons as they are.
    pub(crate) fn since(&self) -> u64 {
        self.since
    }

    /// Whose values the event holds. A person who was not met before gets a key, which the writer puts on the disk before the
    /// record.
    ///
    /// # Errors
    /// When nobody more can be met.
    pub(crate) fn of_event(&self, event: &Event) -> Result<Option<Arc<Subject>>, LedgerFault> {
        let Some((integration, name)) = event.stated_person() else {
            return Ok(None);
        };
        let who = self.who(integration, name);
        if let Some(known) = self.table.load().get(&who) {
            return Ok(Some(Arc::clone(known)));
        }
        self.meet(who, self.name(name)).map(Some)
    }

    /// Whether a record about this person can be sealed.
    pub(crate) fn has_room_for(&self, integration: &str, name: &str) -> bool {
        let is_known = || {
            let table = self.table.load();
            table.get(&self.who(integration, name)).is_some()
        };
        !self.is_full.load(Ordering::Acquire) || is_known()
    }

    fn meet(&self, who: [u8; 16], name: [u8; 16]) -> Result<Arc<Subject>, LedgerFault> {
        let mut rows = lock(&self.rows);
        // Two calls of a person who is new may come at once.
        let table = self.table.load_full();
        if let Some(known) = table.get(&who) {
            return Ok(Arc::clone(known));
        }
        if rows.is_full() {
            return Err(LedgerFault::TooManyPersons);
        }
        let key = crypto::random_secret();
        let kept = Kept {
            id: row::id_of(&key),
            who,
            name,
            used: 0,
            key,
        };
        let row = rows.free.pop().unwrap_or(rows.end);
        rows.end = rows.end.max(row + 1);
        let subject = Arc::new(Subject::met(kept, row));
        rows.by_id
            .insert(subject.id, Place::Kept(Arc::clone(&subject)));
        rows.unwritten.push(Arc::clone(&subject));
        self.is_full.store(rows.is_full(), Ordering::Release);
        self.table.store(Arc::new(table.with(Arc::clone(&subject))));
        Ok(subject)
    }

    /// What has to be in the file before a group that names `named` is appended to the segment that begins with this record.
    ///
    /// # Errors
    /// When the key of one of them was dropped in this very moment: then the group is refused.
    pub(crate) fn due(&self, named: &[Arc<Subject>], segment: u64) -> Result<Due, LedgerFault> {
        if named.iter().any(|subject| subject.is_dropped()) {
            return Err(LedgerFault::Busy);
        }
        let mut rows = lock(&self.rows);
        let new = std::mem::take(&mut rows.unwritten);
        let used = named.iter().filter(|subject| subject.used() != segment);
        let used: Vec<Arc<Subject>> = used.cloned().collect();
        drop(rows);
        let whole = new.iter().map(|subject| {
            let row = Row::Kept(Kept {
                id: subject.id,
                who: subject.who,
                name: subject.name,
                used: segment,
                key: subject.key.clone(),
            });
            (offset(subject.row), row.write(&self.wrap))
        });
        // Behind the whole rows: the same bytes once more where somebody is new.
        let marks = used.iter().map(|subject| {
            let place = offset(subject.row) + USED_AT;
            (place, segment.to_le_bytes().to_vec())
        });
        let parts = whole.chain(marks).collect();
        Ok(Due { parts, new, used })
    }

    /// Writes that. Nothing to be written costs nothing.
    ///
    /// # Errors
    /// The operating system's; then it is due again.
    pub(crate) fn put(
        &self,
        disk: &dyn Disk,
        due: Due,
        segment: u64,
        is_flushed: bool,
    ) -> io::Result<()> {
        if due.parts.is_empty() {
            return Ok(());
        }
        let written = disk.write_over(&self.path, &due.parts, is_flushed);
        let mut rows = lock(&self.rows);
        if written.is_err() {
            rows.unwritten.extend(due.new);
            return written;
        }
        rows.is_unflushed |= !is_flushed;
        for subject in due.new.iter().chain(&due.used) {
            subject.set_used(segment);
            if let Some(Place::Erased(_, erased)) = rows.by_id.get_mut(&subject.id) {
                erased.used = segment;
            }
        }
        Ok(())
    }

    /// Has everything on the disk that was written.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn flush(&self, disk: &dyn Disk) -> io::Result<()> {
        if !lock(&self.rows).is_unflushed {
            return Ok(());
        }
        disk.write_over(&self.path, &[], true)?;
        lock(&self.rows).is_unflushed = false;
        Ok(())
    }

    /// Destroys the key of a subject. Whether there was one. Only the writer's thread does it, so that no row is written
    /// meanwhile.
    ///
    /// # Errors
    /// When it cannot be written. Then the key may be there still.
    pub(crate) fn erase(
        &self,
        disk: &dyn Disk,
        id: &SubjectId,
        (at, record): (Timestamp, u64),
        segment: u64,
    ) -> Result<bool, LedgerFault> {
        let mut rows = lock(&self.rows);
        rows.unwritten.retain(|subject| subject.id != *id);
        let (row, subject) = match rows.by_id.get(id) {
            Some(Place::Kept(subject)) => (subject.row, Some(Arc::clone(subject))),
            Some(Place::Damaged(row)) => (*row, None),
            Some(Place::Erased(..)) | None => return Ok(false),
        };
        let erased = Erased {
            id: *id,
            used: segment,
            at,
            record,
        };
        drop(rows);
        let part = (offset(row), Row::Erased(erased).write(&self.wrap));
        disk.write_over(&self.path, &[part], true)
            .map_err(|error| LedgerFault::io(&self.path, &error))?;
        let mut rows = lock(&self.rows);
        rows.by_id.insert(*id, Place::Erased(row, erased));
        if let Some(subject) = subject {
            let table = self.table.load_full();
            self.table.store(Arc::new(table.without(&subject)));
        }
        Ok(true)
    }

    /// Drops whoever no record names any more: the records of all segments before the one that begins with this record were
    /// destroyed. Gives their number. Only the writer's thread does it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn drop_before(&self, disk: &dyn Disk, segment: u64) -> Result<usize, LedgerFault> {
        let mut rows = lock(&self.rows);
        let mut gone = Vec::new();
        rows.by_id.retain(|_, place| {
            let (row, used) = match place {
                Place::Kept(subject) => (subject.row, subject.used()),
                Place::Erased(row, erased) => (*row, erased.used),
                Place::Damaged(_) => return true,
            };
            if used >= segment {
                return true;
            }
            if let Place::Kept(subject) = place {
                subject.set_dropped();
            }
            gone.push(row);
            false
        });
        if gone.is_empty() {
            return Ok(0);
        }
        let table = Table::new(rows.kept().cloned());
        self.table.store(Arc::new(table));
        drop(rows);
        let parts: Vec<_> = gone
            .iter()
            .map(|row| (offset(*row), vec![0; ROW]))
            .collect();
        disk.write_over(&self.path, &parts, true)
            .map_err(|error| LedgerFault::io(&self.path, &error))?;
        let count = gone.len();
        let mut rows = lock(&self.rows);
        rows.free.extend(gone);
        self.is_full.store(rows.is_full(), Ordering::Release);
        Ok(count)
    }

    /// The subjects of this name that have a key; of all integrations where none is given.
    pub(crate) fn named(&self, name: &str, integration: Option<&str>) -> Vec<String> {
        let digest = self.name(name);
        let who = integration.map(|integration| self.who(integration, name));
        let rows = lock(&self.rows);
        let ours = rows
            .kept()
            .filter(|subject| subject.name == digest && who.is_none_or(|who| subject.who == who));
        ours.map(|subject| hex(&subject.id)).collect()
    }

    /// Whose values were erased, by the number of the record that says so.
    pub(crate) fn erased(&self) -> Vec<ErasedSubject> {
        let rows = lock(&self.rows);
        let erased = rows.by_id.values().filter_map(|place| match place {
            Place::Erased(_, erased) => Some(ErasedSubject {
                subject: hex(&erased.id),
                at: erased.at,
                record: erased.record,
            }),
            _ => None,
        });
        let mut all: Vec<_> = erased.collect();
        all.sort_by(|a, b| (a.record, &a.subject).cmp(&(b.record, &b.subject)));
        all
    }

    /// How the key of a subject is.
    pub(crate) fn state(&self, subject: &str) -> State {
        let id = sealed::id(subject);
        match id.and_then(|id| lock(&self.rows).by_id.get(&id).map(Place::state)) {
            Some(state) => state,
            None => State::Damaged,
        }
    }

    /// The record with its sealed values in their places; `None` where it has none.
    pub(crate) fn opened(&self, json: &str) -> Option<String> {
        sealed::open(json, |id| self.known(id))
    }

    /// Its sealed values; `None` where it has none.
    pub(crate) fn values(&self, json: &str) -> Option<Vec<Result<OpenedValue, &'static str>>> {
        sealed::values(json, |id| self.known(id))
    }

    fn known(&self, id: &SubjectId) -> Known {
        match lock(&self.rows).by_id.get(id) {
            Some(Place::Kept(subject)) => Known::Key(subject.key.clone()),
            Some(Place::Erased(..)) => Known::Erased,
            Some(Place::Damaged(_)) | None => Known::Damaged,
        }
    }

    /// Names of a person are told apart by integration: two integrations may each state a `17`.
    fn who(&self, integration: &str, name: &str) -> [u8; 16] {
        let length = (integration.len() as u64).to_le_bytes();
        let parts: [&[u8]; 4] = [b"user", &length, integration.as_bytes(), name.as_bytes()];
        first_half(self.names.mac(&parts))
    }

    fn name(&self, name: &str) -> [u8; 16] {
        first_half(self.names.mac(&[b"name", name.as_bytes()]))
    }
}

impl Rows {
    fn is_full(&self) -> bool {
        self.free.is_empty() && self.end >= self.max
    }

    fn kept(&self) -> impl Iterator<Item = &Arc<Subject>> {
        self.by_id.values().filter_map(|place| match place {
            Place::Kept(subject) => Some(subject),
            _ => None,
        })
    }
}

fn first_half(digest: [u8; 32]) -> [u8; 16] {
    digest.first_chunk().copied().unwrap_or_default()
}

fn offset(row: usize) -> u64 {
    (row as u64).saturating_mul(ROW as u64)
}

#[cfg(test)]
mod tests;
