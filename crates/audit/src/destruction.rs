//! Records made unreadable for everybody and for ever: whole segments at a time, by destroying their keys.
//! Exports `COMMAND`, `older_than`, `Older`, `destroyable`, `destroy`; `destructions`, `destructions_within` for what was.
//! Used by `ledger destroy`, which records what is going to be destroyed before it is, and by the verifier.
//! Start reading at `older_than`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crypto::Keys;
use model::{Event, Kind, Timestamp};

use crate::disk::{Disk, RealDisk};
use crate::entry::moment_in;
use crate::fault::LedgerFault;
use crate::reader::{Filter, Ledger};
use crate::segment::key::{KeyFile, Segment, Tombstone, beside, note_beside};
use crate::segment::{self, Scanner};

/// The command that destroys; its intent is the record that a destroyed key names.
pub const COMMAND: &str = "ledger.destroy";

/// So much of the ledger is read at once to learn how old it is: some seconds, in which somebody waits for the answer.
const LOOK_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Records that are older than a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Older {
    /// What can be destroyed now.
    pub found: Destroyed,
    /// Whether the look ended before it met a younger record: there may be more once this is destroyed.
    pub has_more: bool,
}

/// Records that were made unreadable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destruction {
    /// Number of the first one.
    pub first_seq: u64,
    /// Number of the last one.
    pub last_seq: u64,
    /// When.
    pub at: Timestamp,
    /// The record that says so; `None` where it was destroyed before such records were named.
    pub record: Option<u64>,
    /// Who destroyed them; `None` where that record is none or was destroyed itself.
    pub by: Option<String>,
    /// What that record says about it.
    pub detail: Option<String>,
}

impl Destruction {
    /// Adds records, behind all of these, whose key has this note in its place.
    pub(crate) fn add(all: &mut Vec<Destruction>, note: Tombstone, first_seq: u64, last_seq: u64) {
        let is_same = |one: &&mut Destruction| {
            (one.record, one.at, one.last_seq + 1) == (note.record, note.at, first_seq)
        };
        if let Some(one) = all.last_mut().filter(is_same) {
            one.last_seq = last_seq;
            return;
        }
        all.push(Destruction {
            first_seq,
            last_seq,
            at: note.at,
            record: note.record,
            by: None,
            detail: None,
        });
    }
}

/// The records of a ledger that were destroyed, as the notes in the place of their keys say. However long the ledger is, only
/// these and the records that they name are read.
///
/// # Errors
/// When a file cannot be read.
pub fn destructions(ledger: &Ledger) -> Result<Vec<Destruction>, LedgerFault> {
    let dir = ledger.dir();
    let segments = segment::list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    let mut all = Vec::new();
    for pair in segments.windows(2) {
        let [(first_seq, path), (end_seq, _)] = pair else {
            continue;
        };
        if let Some(note) = note_beside(path, ledger.keys())? {
            Destruction::add(&mut all, note, *first_seq, end_seq - 1);
        }
    }
    for one in &mut all {
        // A record that was destroyed itself says nothing, and neither does one that is damaged: the verifier tells of that.
        let named = one.record.and_then(|seq| ledger.get(seq).ok().flatten());
        let told = named.and_then(|entry| told_in(entry.json.as_bytes()));
        (one.by, one.detail) = told.unzip();
    }
    Ok(all)
}

/// Those of them that a question may have meant: nobody can look whether they match.
///
/// # Errors
/// When a file cannot be read or is damaged.
pub fn destructions_within(
    ledger: &Ledger,
    filter: &Filter,
) -> Result<Vec<Destruction>, LedgerFault> {
    let mut all = destructions(ledger)?;
    let before = filter.before_seq.unwrap_or(u64::MAX);
    all.retain(|one| one.first_seq < before);
    let (Some(last), Some(since)) = (all.last(), filter.since) else {
        return Ok(all);
    };
    // When they were written, only the record behind them tells.
    let behind = ledger.from_seq(last.last_seq.saturating_add(1))?.next();
    let behind = behind.transpose()?;
    let moment = behind.and_then(|entry| moment_in(entry.json.as_bytes()));
    if moment.is_some_and(|moment| moment < since) {
        all.clear();
    }
    Ok(all)
}

/// The segments from the beginning of the ledger on whose records are all older than this moment, and which can be destroyed:
/// those that are closed, have a key of their own, and are not destroyed yet. Reads every one of them, up to a bound.
///
/// # Errors
/// When a file cannot be read or is damaged.
pub fn older_than(ledger: &Ledger, before: Timestamp) -> Result<Older, LedgerFault> {
    look(ledger, before, LOOK_BYTES_MAX)
}

fn look(ledger: &Ledger, before: Timestamp, bytes_max: u64) -> Result<Older, LedgerFault> {
    let dir = ledger.dir();
    let segments = segment::list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    let (mut bound, mut looked_at, mut has_more) = (0, 0_u64, false);
    for pair in segments.windows(2) {
        let [(_, path), (end, _)] = pair else {
            continue;
        };
        let mut scanner = ledger.scanner(path)?;
        if scanner.destroyed().is_none() {
            has_more = looked_at >= bytes_max;
            if has_more || !is_older(ledger, path, &mut scanner, before)? {
                break;
            }
            looked_at = looked_at.saturating_add(scanner.length());
        }
        bound = *end;
    }
    let found = destroyable(dir, bound)?;
    Ok(Older { found, has_more })
}

/// Whether every record of a segment is older.
fn is_older(
    ledger: &Ledger,
    path: &Path,
    scanner: &mut Scanner,
    before: Timestamp,
) -> Result<bool, LedgerFault> {
    while let Some(frame) = ledger.next_frame(scanner, path)? {
        let mut records = frame.records();
        if !records.all(|record| happened_before(record, before)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What was destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Segments.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Number of the first of them; 0 when there are none.
    pub first_seq: u64,
    /// Number behind the last of them; 0 when there are none.
    pub before_seq: u64,
}

/// The segments whose records all have a smaller number than `before_seq`, which can be destroyed: those of format 2 that
/// are closed and not destroyed yet.
///
/// # Errors
/// When a file cannot be read.
pub fn destroyable(dir: &Path, before_seq: u64) -> Result<Destroyed, LedgerFault> {
    closed(dir, before_seq).map(|all| sum(&all))
}

/// Destroys the keys of these segments. Whoever calls it has recorded first what is going to be destroyed: `record` is the
/// number of that record.
///
/// # Errors
/// When a file cannot be read or written. Keys before it are destroyed.
pub fn destroy(
    dir: &Path,
    keys: &Keys,
    before_seq: u64,
    record: u64,
    now: Timestamp,
) -> Result<Destroyed, LedgerFault> {
    let all = closed(dir, before_seq)?;
    let note = Tombstone {
        at: now,
        record: Some(record),
    };
    for one in &all {
        end(one, keys, note).map_err(|error| LedgerFault::io(&one.path, &error))?;
    }
    Ok(sum(&all))
}

/// A closed segment whose key can be destroyed.
pub(crate) struct Closed {
    path: PathBuf,
    pub segment: Segment,
    /// Number behind its last record.
    pub end_seq: u64,
}

/// The closed segments whose records all have a smaller number and whose key is there.
pub(crate) fn closed(dir: &Path, before_seq: u64) -> Result<Vec<Closed>, LedgerFault> {
    let segments = segment::list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    let mut out = Vec::new();
    for pair in segments.windows(2) {
        let [(_, path), (end_seq, _)] = pair else {
            continue;
        };
        if *end_seq > before_seq {
            break;
        }
        let path = beside(path);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(LedgerFault::io(&path, &error)),
        };
        if let Some((segment, KeyFile::Wrapped(_))) = KeyFile::read(&bytes) {
            out.push(Closed {
                path,
                segment,
                end_seq: *end_seq,
            });
        }
    }
    Ok(out)
}

fn sum(all: &[Closed]) -> Destroyed {
    let records = all.iter().map(|one| one.end_seq - one.segment.first_seq);
    Destroyed {
        segments: all.len() as u64,
        records: records.sum(),
        first_seq: all.first().map_or(0, |one| one.segment.first_seq),
        before_seq: all.last().map_or(0, |one| one.end_seq),
    }
}

/// Puts the note in the place of the key, and then writes over the key, as far as the disk does that in place. A crash in
/// between leaves a note, never half a key.
fn end(one: &Closed, keys: &Keys, note: Tombstone) -> io::Result<()> {
    let mut before = std::fs::OpenOptions::new().write(true).open(&one.path)?;
    let length = usize::try_from(before.metadata()?.len()).unwrap_or(0);
    RealDisk.create(&one.path, &one.segment.tombstone(keys, note))?;
    before.write_all(&vec![0; length.min(4096)])?;
    before.sync_all()
}

/// Whether a record is older. What cannot be read as one is not destroyed unseen.
fn happened_before(record: &[u8], before: Timestamp) -> bool {
    moment_in(record).is_some_and(|moment| moment < before)
}

/// What a record says about a destruction: who asked for it, and why. `None` for every other record.
pub(crate) fn told_in(record: &[u8]) -> Option<(String, String)> {
    let event: Event = serde_json::from_slice(record).ok()?;
    let is_one = event.kind == Kind::Intent && event.operation.as_deref() == Some(COMMAND);
    is_one.then(|| {
        let uid = event.actor.and_then(|actor| actor.uid);
        let uid = uid.map(|uid| format!(" (uid {uid})")).unwrap_or_default();
        let by = format!("{}{uid}", event.user.unwrap_or_default());
        (by, event.detail.unwrap_or_default().to_string())
    })
}

#[cfg(test)]
mod tests;
