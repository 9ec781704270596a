//! Opens a ledger for writing: finds where it stands, cuts off what a crash left half-written.
//! Exports `open`, `rehearse` and `Recovered`. Reads the newest checkpoint and the last segment only.
//! Used by `Recorder::open`.
//! Start reading at `open`. Nothing that a signed checkpoint covers is ever cut: that would hide tampering.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{Event, Kind, Outcome, Timestamp};

use crate::checkpoint::{Checkpoint, PublicKey, SignedCheckpoint, is_origin};
use crate::disk::DiskFile;
use crate::entry::moment_in;
use crate::fault::LedgerFault;
use crate::notes;
use crate::segment::{self, Damage, FRAME_BYTES_MAX, Frame, Scanner, SegmentKey, Tip};
use crate::settings::Opening;
use crate::signer::key::Signer;
use crate::signer::{self, Signers};
use crate::subjects::Subjects;
use crate::writer::{Good, State, begin, sign};

/// What a crash had left unfinished, and was cut off when the ledger was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The segment.
    pub file: String,
    /// Bytes cut off its end.
    pub bytes: u64,
    /// Records in the ledger after the cut.
    pub records: u64,
    /// Why the bytes were no record.
    pub what: String,
    /// Where the cut bytes are kept for inspection.
    pub kept: Option<PathBuf>,
}

impl Recovered {
    pub(crate) fn event(&self, now: Timestamp) -> Event {
        Event {
            at: now,
            kind: Kind::LedgerRecovered.into(),
            outcome: Outcome::Done.into(),
            detail: Some(
                format!(
                    "{} bytes cut off {} after record count {}: {}",
                    self.bytes, self.file, self.records, self.what
                )
                .into(),
            ),
            ..Event::default()
        }
    }
}

/// Opens the ledger and stands at its end.
pub(crate) fn open(opening: Opening) -> Result<(State, Option<Recovered>), LedgerFault> {
    let lock = prepare(&opening.dir)?;
    let seen = look(&opening)?;
    let (last, checkpoints) = carry_on(&opening, &seen)?;
    let end = match seen.stand {
        Some(stand) => resume(&opening, stand)?,
        None => begin_first(&opening)?,
    };
    cut_unbegun(&opening, &seen.found)?;
    let signers = seen.found.signers;
    let tidied = signer::key::remove_others(&opening.dir, signers.epoch());
    tidied.map_err(|error| LedgerFault::io(&opening.dir, &error))?;
    let next_seq = end.tip.next_seq();
    let max = opening.settings.subjects_max;
    let subjects = Subjects::open(&opening.dir, &opening.keys, &*opening.disk, next_seq, max)?;
    // Where a crash came between the destruction of records and this.
    subjects.drop_before(&*opening.disk, segment::first_readable(&opening.dir)?)?;
    let mut state = State {
        dir: opening.dir,
        settings: opening.settings,
        keys: opening.keys,
        disk: opening.disk,
        on_checkpoint: opening.on_checkpoint,
        tip: end.tip,
        segment: end.segment,
        segment_key: end.key,
        segment_since: end.since,
        checkpoints,
        last: Arc::new(last),
        signers,
        signer: seen.signer,
        subjects: Arc::new(subjects),
        broken: None,
        _lock: lock,
    };
    // A segment of an older format or root is left as it is, and the next one begun, unless it is empty: they would have one name.
    if !state.segment_key.may_go_on() && state.tip.next_seq() > state.segment_start() {
        state.roll()?;
    }
    Ok((state, end.recovered))
}

/// Whether a start could open this ledger: everything is looked at that a start looks at, and nothing is written. Says
/// little while somebody records into it, and nothing of disks that are full.
///
/// # Errors
/// What a start would end with.
pub fn rehearse(opening: &Opening) -> Result<(), LedgerFault> {
    look(opening)?;
    Subjects::read(&opening.dir, &opening.keys).map(drop)
}

/// What the files of a ledger say, before anything is written.
struct Seen {
    found: signer::file::Found,
    /// The newest checkpoint, and the length of its file up to its end; `None` in a ledger that begins.
    newest: Option<(SignedCheckpoint, u64)>,
    /// Where the newest segment ends; `None` where there is none.
    stand: Option<Stand>,
    signer: Signer,
}

/// Looks at everything that a start needs.
fn look(opening: &Opening) -> Result<Seen, LedgerFault> {
    let origin = opening.settings.origin.clone();
    if !is_origin(&origin) {
        let what =
            format!("{origin:?} cannot name a ledger: use visible ASCII without spaces and \"+\"");
        return Err(LedgerFault::Unusable { what });
    }
    let first = PublicKey::new(&origin, opening.keys.ledger_signing.verifying_key());
    let mut found = signer::file::read_own(&opening.dir, &first)?;
    let witness = opening
        .witness
        .as_deref()
        .map(|text| trusted(text, &found.signers, &opening.dir));
    let witness = witness.transpose()?;
    let segments = segment::list(&opening.dir).map_err(|e| LedgerFault::io(&opening.dir, &e))?;
    let newest = newest_checkpoint(opening, &found.signers, segments.is_empty())?;
    let own = newest.as_ref().map(|(signed, _)| &signed.checkpoint);
    let promises: Vec<&Checkpoint> = own.into_iter().chain(&witness).collect();
    let stand = match segments.last() {
        Some((seq, path)) => Some(stand_at_end(
            opening,
            *seq,
            path,
            &promises,
            &found.signers,
        )?),
        None => nothing_promised(opening, &promises)?,
    };
    let next_seq = stand.as_ref().map_or(0, |stand| stand.tip.next_seq());
    begun_only(opening, &mut found, next_seq)?;
    let signer = signer::key::open(&opening.dir, &found.signers, &opening.keys)?;
    Ok(Seen {
        found,
        newest,
        stand,
        signer,
    })
}

/// The end of the newest segment.
struct Stand {
    path: PathBuf,
    tip: Tip,
    key: SegmentKey,
    /// The moment of the segment's first record.
    since: Option<Timestamp>,
    /// Length up to the end of the last good frame, and in all.
    good: u64,
    all: u64,
    /// What is wrong behind it.
    damage: Option<Damage>,
}

struct End {
    tip: Tip,
    segment: Good,
    key: SegmentKey,
    /// The moment of the segment's first record.
    since: Option<Timestamp>,
    recovered: Option<Recovered>,
}

/// Makes the directory, locks it and removes what an unfinished creation left.
fn prepare(dir: &Path) -> Result<File, LedgerFault> {
    let io = |error: std::io::Error| LedgerFault::io(dir, &error);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir).map_err(io)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let lock = options.open(dir.join("lock")).map_err(io)?;
    take(&lock, dir)?;
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            std::fs::remove_file(&path).map_err(io)?;
        }
    }
    Ok(lock)
}

/// Locks the ledger. Waits a moment: a predecessor may be ending, and a child process that is just being
/// started holds copies of all files until it executes its program.
fn take(lock: &File, dir: &Path) -> Result<(), LedgerFault> {
    for _ in 0..100 {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(error)) => return Err(LedgerFault::io(dir, &error)),
        }
    }
    let path = dir.display().to_string();
    Err(LedgerFault::Locked { path })
}

/// Takes a change back whose record a crash kept from being written.
fn begun_only(
    opening: &Opening,
    found: &mut signer::file::Found,
    next_seq: u64,
) -> Result<(), LedgerFault> {
    let path = opening.dir.join(signer::file::NAME);
    let is_unbegun = |signers: &Signers| signers.last_record().is_some_and(|at| at >= next_seq);
    if is_unbegun(&found.signers) {
        found.signers.take_back();
        found.ends.pop();
    }
    if is_unbegun(&found.signers) {
        let what = "the signer was changed in records that are not there";
        return Err(LedgerFault::integrity(next_seq, &path, what));
    }
    Ok(())
}

/// Cuts off what is no part of the ledger from the file of signers: an unfinished change, and one that was taken back.
fn cut_unbegun(opening: &Opening, found: &signer::file::Found) -> Result<(), LedgerFault> {
    let path = opening.dir.join(signer::file::NAME);
    let io = |error: std::io::Error| LedgerFault::io(&path, &error);
    let length = std::fs::metadata(&path).map_or(0, |file| file.len());
    if length > found.length() {
        let mut file = opening.disk.open(&path).map_err(io)?;
        file.truncate(found.length()).map_err(io)?;
        file.sync().map_err(io)?;
    }
    Ok(())
}

/// Checks a checkpoint that came from elsewhere.
fn trusted(text: &str, signers: &Signers, dir: &Path) -> Result<Checkpoint, LedgerFault> {
    let what = "the checkpoint kept outside the ledger is not signed by this ledger's key";
    let signed = signers.verify(text, what);
    let signed = signed.map_err(|what| LedgerFault::integrity(0, dir, what))?;
    Ok(signed.checkpoint)
}

/// The newest checkpoint, and where it ends in its file; `None` in a ledger that begins.
fn newest_checkpoint(
    opening: &Opening,
    signers: &Signers,
    is_new: bool,
) -> Result<Option<(SignedCheckpoint, u64)>, LedgerFault> {
    let path = opening.dir.join(notes::FILE);
    let newest = match notes::newest(&opening.dir) {
        Ok(newest) => newest,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(LedgerFault::io(&path, &error)),
    };
    let Some((text, length)) = newest else {
        let what = "the checkpoints are gone";
        let gone = || LedgerFault::integrity(0, &path, what);
        return is_new.then_some(None).ok_or_else(gone);
    };
    if !signers.are_named_in(&text) {
        return Err(signer::file::unknown_key(&opening.dir, signers));
    }
    let what = "the signature of the newest checkpoint does not verify";
    let signed = signers.verify(&text, what);
    let signed = signed.map_err(|what| LedgerFault::integrity(0, &path, what))?;
    Ok(Some((signed, length)))
}

/// The newest checkpoint, and its file ready to be appended to.
fn carry_on(opening: &Opening, seen: &Seen) -> Result<(SignedCheckpoint, Good), LedgerFault> {
    let path = opening.dir.join(notes::FILE);
    let io = |error: std::io::Error| LedgerFault::io(&path, &error);
    let mut file = opening.disk.open(&path).map_err(io)?;
    if let Some((signed, length)) = &seen.newest {
        file.truncate(*length).map_err(io)?;
        let (signed, length) = (signed.clone(), *length);
        return Ok((signed, Good { path, file, length }));
    }
    let key = &opening.keys.ledger_signing;
    let first = sign(&opening.settings.origin, &Tip::empty(), 0, (0, key));
    file.truncate(0).map_err(io)?;
    file.append(first.text.as_bytes()).map_err(io)?;
    file.sync().map_err(io)?;
    let length = first.text.len() as u64;
    Ok((first, Good { path, file, length }))
}

/// There are no segments: only right before the first record.
fn nothing_promised(
    opening: &Opening,
    promises: &[&Checkpoint],
) -> Result<Option<Stand>, LedgerFault> {
    let promised = promises.iter().map(|promise| promise.size).max();
    let promised = promised.unwrap_or(0);
    if promised > 0 {
        let what = format!("all segments are gone; a checkpoint covers {promised} records");
        return Err(LedgerFault::integrity(0, &opening.dir, what));
    }
    Ok(None)
}

/// Begins the first segment.
fn begin_first(opening: &Opening) -> Result<End, LedgerFault> {
    let path = opening.dir.join(segment::file_name(0));
    let tip = Tip::empty();
    let origin = &opening.settings.origin;
    let (segment, key) = begin(&*opening.disk, path, &tip, origin, &opening.keys)
        .map_err(|e| LedgerFault::io(&opening.dir, &e))?;
    Ok(End {
        tip,
        segment,
        key,
        since: None,
        recovered: None,
    })
}

/// Reads the last segment and compares it with the checkpoints.
fn stand_at_end(
    opening: &Opening,
    first_seq: u64,
    path: &Path,
    promises: &[&Checkpoint],
    signers: &Signers,
) -> Result<Stand, LedgerFault> {
    let io = |error: std::io::Error| LedgerFault::io(path, &error);
    let scanner = Scanner::open(path, &opening.keys).map_err(io)?;
    let mut scanner =
        scanner.map_err(|damage| LedgerFault::integrity(first_seq, path, damage.what))?;
    if scanner.start().next_seq() != first_seq {
        return Err(LedgerFault::integrity(
            first_seq,
            path,
            "the file's name is not its first record",
        ));
    }
    // The ledger's own newest checkpoint comes first.
    let covered = promises.first().map_or(0, |newest| newest.size);
    if covered < first_seq {
        let what = format!(
            "the newest checkpoint covers only {covered} records: checkpoints were removed"
        );
        return Err(LedgerFault::integrity(covered, path, what));
    }
    let (mut tip, mut since) = (scanner.start().clone(), None);
    compare(&tip, promises, path)?;
    let damage = loop {
        match scanner.next().map_err(io)? {
            Ok(Some(frame)) => {
                since = since.or_else(|| moment_in(frame.records().next()?));
                pass(&mut tip, &frame, promises, signers, path)?;
            }
            Ok(None) => break None,
            Err(damage) => break Some(damage),
        }
    };
    if let Some(promise) = promises
        .iter()
        .find(|promise| promise.size > tip.next_seq())
    {
        let found = damage.map_or("the ledger ends here", |damage| damage.what);
        let what = format!("{found}, but a checkpoint covers {} records", promise.size);
        return Err(LedgerFault::integrity(tip.next_seq(), path, what));
    }
    let (good, all, key) = (scanner.offset(), scanner.length(), scanner.into_key());
    if !key.can_write() {
        let what = "the key of the newest segment was destroyed, so nothing can be added to it";
        return Err(LedgerFault::integrity(first_seq, path, what));
    }
    Ok(Stand {
        path: path.to_owned(),
        tip,
        key,
        since,
        good,
        all,
        damage,
    })
}

/// Has the newest segment ready to be appended to, without what a crash left half-written.
fn resume(opening: &Opening, stand: Stand) -> Result<End, LedgerFault> {
    let (path, length) = (stand.path, stand.good);
    let file = opening.disk.open(&path);
    let mut file = file.map_err(|error| LedgerFault::io(&path, &error))?;
    let cut = |damage: Damage| cut(&mut *file, &path, length, stand.all, &stand.tip, &damage);
    let recovered = stand.damage.map(cut).transpose()?;
    Ok(End {
        tip: stand.tip,
        segment: Good { path, file, length },
        key: stand.key,
        since: stand.since,
        recovered,
    })
}

/// Passes a frame's records, comparing them with the changes of the signer and with what the checkpoints say.
fn pass(
    tip: &mut Tip,
    frame: &Frame,
    promises: &[&Checkpoint],
    signers: &Signers,
    path: &Path,
) -> Result<(), LedgerFault> {
    for (leaf, record) in frame.passing() {
        let seq = tip.next_seq();
        let unknown = signers.compare(seq, &tip.chain, record);
        let wrong = |what: String| LedgerFault::integrity(seq, path, what);
        if unknown.map_err(wrong)?.is_some() {
            return Err(wrong(signer::MISSING.into()));
        }
        tip.push(*leaf);
        compare(tip, promises, path)?;
    }
    Ok(())
}

/// Where a checkpoint speaks of this very length, it must speak of these very records.
fn compare(tip: &Tip, promises: &[&Checkpoint], path: &Path) -> Result<(), LedgerFault> {
    for promise in promises
        .iter()
        .filter(|promise| promise.size == tip.next_seq())
    {
        if promise.chain != tip.chain || promise.root != tip.tree.root() {
            let what = format!(
                "the records up to {} are not those the checkpoint signed",
                promise.size
            );
            return Err(LedgerFault::integrity(promise.after, path, what));
        }
    }
    Ok(())
}

/// Cuts the file back to its last valid frame and keeps what was cut beside it.
fn cut(
    file: &mut dyn DiskFile,
    path: &Path,
    good: u64,
    all: u64,
    tip: &Tip,
    damage: &Damage,
) -> Result<Recovered, LedgerFault> {
    let io = |error: std::io::Error| LedgerFault::io(path, &error);
    let kept = keep(path, good).ok();
    file.truncate(good).map_err(io)?;
    file.sync().map_err(io)?;
    Ok(Recovered {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        bytes: all.saturating_sub(good),
        records: tip.next_seq(),
        what: damage.what.to_owned(),
        kept,
    })
}

/// Copies the tail to `NAME.OFFSET.cut`. On a full disk this fails, and recovery goes on without.
fn keep(path: &Path, from: u64) -> std::io::Result<PathBuf> {
    let mut source = File::open(path)?;
    source.seek(SeekFrom::Start(from))?;
    let target = path.with_extension(format!("{from}.cut"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut copy = options.open(&target)?;
    std::io::copy(&mut source.take(2 * FRAME_BYTES_MAX as u64), &mut copy)?;
    Ok(target)
}

#[cfg(test)]
mod tests;
