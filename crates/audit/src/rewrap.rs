//! The keys of a ledger wrapped again, when the key-encryption key changes hands.
//! Exports `rewrap`.
//! Used by `key rotate-kek`.
//! Start reading at `rewrap`.

use std::io;
use std::path::Path;

use crypto::{Keys, WrapKey};

use crate::disk::{Disk, RealDisk};
use crate::fault::LedgerFault;
use crate::segment::key::{KeyFile, Opened, beside};
use crate::{segment, signer, subjects};

/// Wraps the key of every segment, the one of the persons and the one that signs, with each of `to`. A key that one of `known` opens is wrapped
/// again; destroyed ones stay destroyed. May be repeated: what was done before is done again. Gives the number of keys.
///
/// # Errors
/// When a key is wrapped with none of `known`, or a file cannot be read or written. Keys before it are wrapped already.
pub fn rewrap(
    dir: &Path,
    keys: &Keys,
    known: &[&WrapKey],
    to: &[&WrapKey],
) -> Result<usize, LedgerFault> {
    let segments = segments(dir, keys, known, to)?;
    let persons = subjects::row::rewrap(dir, &RealDisk, known, to)?;
    Ok(segments + persons + signer::key::rewrap(dir, known, to)?)
}

/// The same for the keys of segments.
fn segments(
    dir: &Path,
    keys: &Keys,
    known: &[&WrapKey],
    to: &[&WrapKey],
) -> Result<usize, LedgerFault> {
    let io = |path: &Path, error: &io::Error| LedgerFault::io(path, error);
    let mut count = 0;
    for (first_seq, path) in segment::list(dir).map_err(|error| io(dir, &error))? {
        let path = beside(&path);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // A segment of format 1 has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io(&path, &error)),
        };
        let wrong = |what: &str| LedgerFault::integrity(first_seq, &path, what);
        let (segment, _) =
            KeyFile::read(&bytes).ok_or_else(|| wrong("this is not the key of a segment"))?;
        let key = segment.open(&bytes, keys, known).map_err(wrong)?;
        if let Opened::Key(key) = key {
            let made = RealDisk.create(&path, &segment.wrap(&key, to));
            made.map_err(|error| io(&path, &error))?;
            count += 1;
        }
    }
    Ok(count)
}
