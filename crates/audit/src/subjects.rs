//! Persons whose values in the ledger are sealed under a key of their own, so that one person's can be made unreadable.
//! Exports `Subjects`, `ErasedSubject`, `SUBJECTS_MAX`, `COMMAND`.
//! Used by the recorder, which seals, by the writer, which puts keys on the disk before the records they seal, and by the reader.
//! Start reading at `Subjects::of_event`; why the keys stand beside the ledger, docs/decisions/049 says, and docs/decisions/064
//! what of objects is sealed.

mod kept_file;
mod named;
mod names;
pub(crate) mod row;
pub(crate) mod sealed;
mod table;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crypto::text::hex;
use crypto::{Keys, SealKey};
use model::{Event, ObjectRef, Timestamp};

use crate::disk::Disk;
use crate::fault::LedgerFault;
use crate::pending::lock;
use kept_file::KeptFile;
pub(crate) use named::Named;
use names::{Digests, Names};
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
    names: Names,
    /// Wraps the keys in the file.
    wrap: SealKey,
    /// Number of the first record whose personal values are sealed.
    since: u64,
    /// The file of the key that wraps them, as it was opened.
    key_file: Vec<u8>,
    table: Table,
    /// Whoever has no key of their own.
    others: Digests,
    rows: Mutex<Rows>,
    /// The file. Only the writer's thread takes this lock, and only it waits for the disk.
    file: Mutex<KeptFile>,
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
    /// How many objects the calls of each integration have named that nobody had named before, since the start.
    met: HashMap<Box<str>, usize>,
}

enum Place {
    Kept(Arc<Subject>),
    Erased(usize, Erased),
    /// Neither; at this row, with what stands there.
    Damaged(usize, Box<[u8]>),
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
            Place::Damaged(..) => State::Damaged,
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
        *lock(&found.file) = KeptFile::open(&found.path, disk)?;
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
        // One more than persons: those without a key of their own share one.
        if bytes.len() > (SUBJECTS_MAX + 1) * ROW {
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
                    let place = Place::Damaged(row, bytes.into());
                    rows.by_id.entry(id).or_insert(place);
                }
            }
            rows.end = row + 1;
        }
        let table = Table::new(rows.kept().cloned());
        let names = Names::new(&master.key);
        Ok(Subjects {
            path,
            others: names.others(),
            names,
            wrap,
            since: master.since,
            key_file: master.file,
            table,
            is_full: AtomicBool::new(rows.is_full()),
            rows: Mutex::new(rows),
            file: Mutex::default(),
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
    /// When an integration states somebody, and nobody more can be met.
    pub(crate) fn of_event(&self, event: &Event) -> Result<Named, LedgerFault> {
        let mut named = Named::default();
        if let Some((integration, name)) = event.stated_person() {
            named.stated = Some(self.stated(integration, name)?);
        }
        let objects = event.objects.iter().zip(0..);
        for (object, place) in objects.filter(|(object, _)| object.is_person) {
            named.objects.push((place, self.object(event, object)));
        }
        if event.may_name_persons && event.has_sentences() {
            named.others = Some(self.others());
        }
        Ok(named)
    }

    fn stated(&self, integration: &str, name: &str) -> Result<Arc<Subject>, LedgerFault> {
        let who = self.names.who_is_stated(integration, name);
        if let Some(known) = self.table.get(&who) {
            return Ok(known);
        }
        let digests = Digests {
            who,
            name: self.names.stated_name(name),
        };
        let met = self.meet(digests, |rows| !rows.is_full());
        met.ok_or(LedgerFault::TooManyPersons)
    }

    /// Objects are named by whoever calls, who may make them up. So strangers make nobody known, and one integration fills no
    /// more than half of what others have left: beyond that, persons share a key, and are erased together.
    fn object(&self, event: &Event, object: &ObjectRef) -> Arc<Subject> {
        let (api, kind, id) = (event.api_name(), &object.kind, &object.id);
        let who = self.names.who_is_object(api, kind, id);
        if let Some(known) = self.table.get(&who) {
            return known;
        }
        let integration = event.integration.as_deref();
        let integration = integration.filter(|_| !event.is_of_stranger && !id.is_empty());
        let own = integration.and_then(|integration| {
            let digests = self.names.object(api, kind, id);
            self.meet(digests, |rows| rows.takes_share(integration))
        });
        own.unwrap_or_else(|| self.others())
    }

    /// The subject of everybody who has no key of their own.
    fn others(&self) -> Arc<Subject> {
        let known = self.table.get(&self.others.who);
        known.unwrap_or_else(|| self.new_subject(&mut lock(&self.rows), self.others))
    }

    /// Whether a record about this person can be sealed.
    pub(crate) fn has_room_for(&self, integration: &str, name: &str) -> bool {
        let who = || self.names.who_is_stated(integration, name);
        !self.is_full.load(Ordering::Acquire) || self.table.get(&who()).is_some()
    }

    /// Somebody new, where there is room. One part of the table is copied under the lock, which only those take who meet somebody.
    fn meet(
        &self,
        digests: Digests,
        has_room: impl FnOnce(&mut Rows) -> bool,
    ) -> Option<Arc<Subject>> {
        let mut rows = lock(&self.rows);
        // Two calls that name somebody new may come at once.
        if let Some(known) = self.table.get(&digests.who) {
            return Some(known);
        }
        has_room(&mut rows).then(|| self.new_subject(&mut rows, digests))
    }

    fn new_subject(&self, rows: &mut Rows, digests: Digests) -> Arc<Subject> {
        if let Some(known) = self.table.get(&digests.who) {
            return known;
        }
        let key = crypto::random_secret();
        let kept = Kept {
            id: row::id_of(&key),
            who: digests.who,
            name: digests.name,
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
        self.table.add(&subject);
        subject
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
        drop(rows);
        let used = named.iter().filter(|subject| subject.used() != segment);
        let mut used: Vec<Arc<Subject>> = used.cloned().collect();
        used.sort_unstable_by_key(|subject| subject.row);
        used.dedup_by_key(|subject| subject.row);
        let whole = new.iter().map(|subject| {
            let row = Row::Kept(Kept {
                used: segment,
                ..subject.kept()
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
        let written = self.write_over(disk, &due.parts, is_flushed);
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
        self.write_over(disk, &[], true)?;
        lock(&self.rows).is_unflushed = false;
        Ok(())
    }

    /// Writes the files again where they were taken away, replaced or cut short: what is known here are the keys that records
    /// need, and whom nobody may read any more. Gives the names of those that were.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn restore(&self, disk: &dyn Disk) -> io::Result<Vec<&'static str>> {
        let mut restored = Vec::new();
        let path = self.path.with_file_name(row::KEY_FILE);
        let is_ours = |found: Vec<u8>| found == self.key_file || row::may_hold(&found, self.since);
        if !std::fs::read(&path).is_ok_and(is_ours) {
            disk.create(&path, &self.key_file)?;
            restored.push(row::KEY_FILE);
        }
        if self.restore_rows(disk)? {
            restored.push(FILE);
        }
        Ok(restored)
    }

    fn restore_rows(&self, disk: &dyn Disk) -> io::Result<bool> {
        let mut file = lock(&self.file);
        if file.is_whole(&self.path) {
            return Ok(false);
        }
        let bytes = lock(&self.rows).bytes(&self.wrap);
        file.write_again(&self.path, disk, &bytes)?;
        Ok(true)
    }

    /// Nothing is written into a file that somebody put there.
    fn write_over(
        &self,
        disk: &dyn Disk,
        parts: &[(u64, Vec<u8>)],
        is_flushed: bool,
    ) -> io::Result<()> {
        self.restore_rows(disk)?;
        lock(&self.file).write_over(&self.path, disk, parts, is_flushed)
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
            Some(Place::Damaged(row, _)) => (*row, None),
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
        self.write_over(disk, &[part], true)
            .map_err(|error| LedgerFault::io(&self.path, &error))?;
        let mut rows = lock(&self.rows);
        rows.by_id.insert(*id, Place::Erased(row, erased));
        if let Some(subject) = subject {
            self.table.remove(&subject);
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
                Place::Damaged(..) => return true,
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
        self.table.replace(rows.kept().cloned());
        drop(rows);
        let parts: Vec<_> = gone
            .iter()
            .map(|row| (offset(*row), vec![0; ROW]))
            .collect();
        self.write_over(disk, &parts, true)
            .map_err(|error| LedgerFault::io(&self.path, &error))?;
        let count = gone.len();
        let mut rows = lock(&self.rows);
        rows.free.extend(gone);
        rows.met.clear();
        self.is_full.store(rows.is_full(), Ordering::Release);
        Ok(count)
    }

    /// The subjects of this name that have a key; of all integrations where none is given.
    pub(crate) fn named(&self, name: &str, integration: Option<&str>) -> Vec<String> {
        let who = integration.map(|integration| self.names.who_is_stated(integration, name));
        self.found(self.names.stated_name(name), who)
    }

    /// The same of an object; of all apis where none is given.
    pub(crate) fn of_object(&self, kind: &str, id: &str, api: Option<&str>) -> Vec<String> {
        let who = api.map(|api| self.names.who_is_object(api, kind, id));
        self.found(self.names.object_name(kind, id), who)
    }

    /// The subject of everybody who has no key of their own, where there is one.
    pub(crate) fn of_others(&self) -> Option<String> {
        self.found(self.others.name, Some(self.others.who)).pop()
    }

    fn found(&self, name: [u8; 16], who: Option<[u8; 16]>) -> Vec<String> {
        let rows = lock(&self.rows);
        let ours = rows
            .kept()
            .filter(|subject| subject.name == name && who.is_none_or(|who| subject.who == who));
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
            Some(Place::Damaged(..)) | None => Known::Damaged,
        }
    }
}

impl Rows {
    fn is_full(&self) -> bool {
        self.left() == 0
    }

    /// How many more can be met.
    fn left(&self) -> usize {
        (self.max + self.free.len()).saturating_sub(self.end)
    }

    /// Whether one more can be met whom a call of this integration names, which counts them. One that names persons without end
    /// leaves as many for all others as it took.
    fn takes_share(&mut self, integration: &str) -> bool {
        let left = self.left();
        match self.met.get_mut(integration) {
            Some(met) if *met < left => *met += 1,
            None if left > 0 => drop(self.met.insert(integration.into(), 1)),
            _ => return false,
        }
        true
    }

    /// The file as it has to be. Whoever was met and is not in it yet is written later.
    fn bytes(&self, wrap: &SealKey) -> Vec<u8> {
        let mut bytes = vec![0; self.end * ROW];
        for place in self.by_id.values() {
            let (row, written) = match place {
                Place::Kept(subject) if subject.is_new() => continue,
                Place::Kept(subject) => (subject.row, Row::Kept(subject.kept()).write(wrap)),
                Place::Erased(row, erased) => (*row, Row::Erased(*erased).write(wrap)),
                Place::Damaged(row, found) => (*row, found.to_vec()),
            };
            let part = bytes
                .get_mut(row * ROW..)
                .and_then(|rest| rest.get_mut(..ROW));
            if let Some(part) = part.filter(|_| written.len() == ROW) {
                part.copy_from_slice(&written);
            }
        }
        bytes
    }

    fn kept(&self) -> impl Iterator<Item = &Arc<Subject>> {
        self.by_id.values().filter_map(|place| match place {
            Place::Kept(subject) => Some(subject),
            _ => None,
        })
    }
}

fn offset(row: usize) -> u64 {
    (row as u64).saturating_mul(ROW as u64)
}

#[cfg(test)]
mod tests;
