//! The file of signers: the changes of the key that signs, one after another, as they stand in the records.
//! Exports `NAME`, `read`, `read_own`, `unknown_key`, `Found`.
//! Used by everybody who opens a ledger: nobody has to search the records for changes, and they outlive the records.
//! Start reading at `read`.
//!
//! A change stands here before its record is written. One whose record is not there was never made; the next start cuts it off.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{CHANGES_MAX, SignedChange, Signers, key};
use crate::checkpoint::{NOTE_BYTES_MAX, PublicKey};
use crate::fault::LedgerFault;
use crate::notes;

/// Name of the file.
pub(crate) const NAME: &str = "signers";
/// Lines of a change: seven signed ones, an empty one, two signatures.
const LINES: usize = 10;

/// What the file holds.
pub(crate) struct Found {
    /// Who signs when.
    pub signers: Signers,
    /// Length of the file up to the end of each change.
    pub ends: Vec<u64>,
}

impl Found {
    /// Length of the file up to the end of the last change.
    pub(crate) fn length(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }
}

/// Reads the changes; an unfinished one at the end is passed over. `known` is the one key of a ledger without changes.
///
/// # Errors
/// When the file cannot be read, or its changes do not follow one from another.
pub(crate) fn read(dir: &Path, known: &PublicKey) -> Result<Found, LedgerFault> {
    let path = dir.join(NAME);
    let text = text(&path).map_err(|error| LedgerFault::io(&path, &error))?;
    let wrong = |seq: u64, what: String| LedgerFault::integrity(seq, &path, what);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let whole: Vec<String> = lines.chunks_exact(LINES).map(<[&str]>::concat).collect();
    let is_whole = |change: &&String| change.ends_with('\n');
    let first = whole.first().and_then(|change| SignedChange::parse(change));
    let first = first.map_or_else(|| known.clone(), |signed| signed.change.from);
    let mut found = Found {
        signers: Signers::only(first),
        ends: Vec::new(),
    };
    for change in whole.iter().filter(is_whole) {
        let last = found.signers.last_record().unwrap_or(0);
        let followed = found.signers.follow(change);
        followed.map_err(|what| wrong(last, what))?;
        found.ends.push(found.length() + change.len() as u64);
    }
    Ok(found)
}

/// The same, of the ledger whose first key is `first`.
///
/// # Errors
/// As [`read`], and when another key began the chain.
pub(crate) fn read_own(dir: &Path, first: &PublicKey) -> Result<Found, LedgerFault> {
    let found = read(dir, first)?;
    if found.signers.first() == first {
        return Ok(found);
    }
    let what = "the changes of the signer begin with the key of another ledger";
    Err(LedgerFault::integrity(0, &dir.join(NAME), what))
}

/// What is wrong with a ledger whose newest checkpoint names none of the keys.
pub(crate) fn unknown_key(dir: &Path, signers: &Signers) -> LedgerFault {
    let path = dir.join(notes::FILE);
    let was_changed = signers.epoch() > 0 || key::list(dir).is_ok_and(|keys| !keys.is_empty());
    if was_changed {
        let what = "the newest checkpoint is signed by a key that the file `signers` does not name: bring that file back from a backup";
        return LedgerFault::integrity(signers.last_record().unwrap_or(0), &path, what);
    }
    let file = path.display().to_string();
    LedgerFault::WrongKey { file }
}

/// The text of the file; empty where there is none.
fn text(path: &Path) -> io::Result<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let bound = CHANGES_MAX.saturating_mul(NOTE_BYTES_MAX) as u64;
    let mut bytes = Vec::new();
    file.take(bound).read_to_end(&mut bytes)?;
    // What is no text is no change either, and is refused as one.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
