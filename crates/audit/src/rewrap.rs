//! The keys of a ledger wrapped again, when the key-encryption key changes hands.
//! Exports `rewrap`.
//! Used by `key rotate-kek`.
//! Start reading at `rewrap`.

use std::path::Path;

use crypto::{Keys, WrapKey};

use crate::fault::LedgerFault;
use crate::{segment, signer};

/// Wraps the key of every segment, and the one that signs, with each of `to`. A key that one of `known` opens is wrapped
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
    let segments = segment::key::rewrap(dir, keys, known, to)?;
    Ok(segments + signer::key::rewrap(dir, known, to)?)
}
