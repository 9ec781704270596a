//! The private key that signs now: of the first epoch derived from the root, later a random one, wrapped, in a file.
//! Exports `Signer`, `path`, `wrap`, `open`, `rewrap`, `remove`, `remove_others`.
//! Used by the writer, by exports and by `key rotate-kek`.
//! Start reading at `open`; the layout for auditors is docs/ledger-format.md.
//!
//! A random key follows from nothing: whoever learned the root and the old keys cannot make it. The key of an epoch that
//! ended is removed, so that nobody signs with it any more.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crypto::{Keys, Secret, SigningKey, VerifyingKey, WrapKey};

use super::Signers;
use crate::checkpoint::PublicKey;
use crate::disk::{Disk, RealDisk, sync_parent};
use crate::fault::LedgerFault;
use crate::wrapped::{self, Unopened, Wraps};

const MAGIC: &[u8; 8] = b"PORTSIGN";
const VERSION: u32 = 1;
/// Magic, version, epoch, public key.
const FIXED: usize = 8 + 4 + 8 + 32;

/// Who signs.
pub(crate) enum Signer {
    /// The key that follows from the root.
    First(Arc<Keys>),
    /// The key of a later epoch.
    Later(SigningKey),
}

impl Signer {
    /// The key.
    pub(crate) fn key(&self) -> &SigningKey {
        match self {
            Signer::First(keys) => &keys.ledger_signing,
            Signer::Later(key) => key,
        }
    }
}

/// Where the key of an epoch stands.
pub(crate) fn path(dir: &Path, epoch: u64) -> PathBuf {
    dir.join(format!("signer-{epoch}.key"))
}

/// The file of a key.
pub(crate) fn wrap(
    epoch: u64,
    seed: &Secret<[u8; 32]>,
    public: VerifyingKey,
    to: &[&WrapKey],
) -> Vec<u8> {
    wrapped::seal(&fixed(epoch, public), seed, to)
}

fn fixed(epoch: u64, public: VerifyingKey) -> Vec<u8> {
    let mut plain = Vec::with_capacity(FIXED);
    plain.extend_from_slice(MAGIC);
    plain.extend_from_slice(&VERSION.to_le_bytes());
    plain.extend_from_slice(&epoch.to_le_bytes());
    plain.extend_from_slice(&public.to_bytes());
    plain
}

/// Epoch, public key and what wraps the private one.
fn parse(bytes: &[u8]) -> Option<(u64, VerifyingKey, Wraps)> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (epoch, rest) = rest.split_first_chunk::<8>()?;
    let (public, rest) = rest.split_first_chunk::<32>()?;
    let is_known = magic == MAGIC && u32::from_le_bytes(*version) == VERSION;
    let wraps = wrapped::read(rest).filter(|_| is_known)?;
    Some((
        u64::from_le_bytes(*epoch),
        VerifyingKey::from_bytes(*public),
        wraps,
    ))
}

/// The key that signs in the last epoch.
///
/// # Errors
/// When it is not there, or is not the one that the last change names.
pub(crate) fn open(dir: &Path, signers: &Signers, keys: &Arc<Keys>) -> Result<Signer, LedgerFault> {
    let later = later(dir, signers, keys)?;
    Ok(later.map_or_else(|| Signer::First(Arc::clone(keys)), Signer::Later))
}

/// The same, of an epoch behind the first one; `None` in that, whose key follows from the root.
///
/// # Errors
/// As [`open`].
pub(crate) fn later(
    dir: &Path,
    signers: &Signers,
    keys: &Keys,
) -> Result<Option<SigningKey>, LedgerFault> {
    let (epoch, public) = (signers.epoch(), signers.last());
    let path = path(dir, epoch);
    let wrong = |what: String| LedgerFault::Signer {
        path: path.display().to_string(),
        what,
    };
    let is_ours = |key: &SigningKey| PublicKey::new(public.name(), key.verifying_key()) == *public;
    if epoch == 0 {
        let what = "the key that follows from the root is not the one that signed the ledger first";
        return if is_ours(&keys.ledger_signing) {
            Ok(None)
        } else {
            Err(wrong(what.into()))
        };
    }
    let bytes = std::fs::read(&path).map_err(|error| {
        wrong(format!(
            "the key that signs the ledger cannot be read ({error})"
        ))
    })?;
    let seed = seed_in(&bytes, &[&keys.ledger_wrap]).map_err(|what| wrong(what.into()))?;
    let key = SigningKey::from_seed(&seed);
    if is_ours(&key) {
        return Ok(Some(key));
    }
    let what =
        "the key that signs the ledger is not the one that the last change of the signer names";
    Err(wrong(what.into()))
}

fn seed_in(bytes: &[u8], known: &[&WrapKey]) -> Result<Secret<[u8; 32]>, &'static str> {
    let (epoch, public, wraps) =
        parse(bytes).ok_or("this is not the file of the key that signs the ledger")?;
    wrapped::open(&fixed(epoch, public), &wraps, known).map_err(|why| match why {
        Unopened::OtherKey => {
            "the key that signs the ledger is wrapped with another key-encryption key"
        }
        Unopened::Damaged => "the key that signs the ledger does not open",
    })
}

/// Wraps the keys again with each of `to`. Gives their number.
///
/// # Errors
/// When a key is wrapped with none of `known`, or a file cannot be read or written.
pub(crate) fn rewrap(
    dir: &Path,
    known: &[&WrapKey],
    to: &[&WrapKey],
) -> Result<usize, LedgerFault> {
    let all = list(dir).map_err(|error| LedgerFault::io(dir, &error))?;
    for (_, path) in &all {
        let io = |error: io::Error| LedgerFault::io(path, &error);
        let bytes = std::fs::read(path).map_err(io)?;
        let wrong = |what: &str| LedgerFault::integrity(0, path, what);
        let seed = seed_in(&bytes, known).map_err(wrong)?;
        let (plain, _) = bytes.split_at_checked(FIXED).unwrap_or_default();
        RealDisk
            .create(path, &wrapped::seal(plain, &seed, to))
            .map_err(io)?;
    }
    Ok(all.len())
}

/// The files of keys, with their epochs.
pub(super) fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let epoch = name
            .and_then(|name| name.strip_prefix("signer-")?.strip_suffix(".key"))
            .and_then(|digits| digits.parse().ok());
        if let Some(epoch) = epoch {
            found.push((epoch, path));
        }
    }
    Ok(found)
}

/// Removes the keys of all other epochs: of one that ended, and of one that a crash left unbegun.
pub(crate) fn remove_others(dir: &Path, epoch: u64) -> io::Result<()> {
    for (_, path) in list(dir)?.iter().filter(|(other, _)| *other != epoch) {
        remove(path)?;
    }
    Ok(())
}

/// Writes over a key, as far as the disk does that in place, and removes it.
fn remove(path: &Path) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; length.min(4096)])?;
    file.sync_all()?;
    std::fs::remove_file(path)?;
    sync_parent(path)
}
