//! The keys of persons on the disk: a file of rows, and beside it the key that wraps them.
//! Exports `Row` and `read_key`, `begin_key`, `rewrap`.
//! Used by `subjects`, which decides what stands in which row.
//! Start reading at `Row`; the layout for auditors is docs/ledger-format.md.
//!
//! A row never crosses a sector of 512 bytes, so that a power cut leaves the old one or the new one.

use std::io;
use std::path::{Path, PathBuf};

use crypto::{Keys, SealKey, Secret, WrapKey, sha256};
use model::Timestamp;

use crate::disk::Disk;
use crate::fault::LedgerFault;
use crate::wrapped::{self, Unopened};

/// Bytes of a row.
pub(crate) const ROW: usize = 128;
/// The file of rows.
pub(crate) const FILE: &str = "subjects";
/// The file of the key that wraps them.
pub(crate) const KEY_FILE: &str = "subjects.key";

const MAGIC: &[u8; 8] = b"PORTSUBJ";
const VERSION: u32 = 1;
/// Magic, version, number of the first record.
const FIXED: usize = 8 + 4 + 8;
/// Bytes of a sealed key.
const SEALED: usize = 32 + SealKey::OVERHEAD;

/// What a subject is called in records: it follows from the key, and from no name.
pub(crate) type SubjectId = [u8; 16];

/// One row.
#[derive(Debug)]
pub(crate) enum Row {
    /// Nothing, or no more.
    Free,
    /// A subject.
    Kept(Kept),
    /// A subject whose key was destroyed.
    Erased(Erased),
    /// Something that is neither, with the id that stands there.
    Damaged(SubjectId),
}

/// A subject with its key.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its id.
    pub id: SubjectId,
    /// Keyed digest of integration and name.
    pub who: [u8; 16],
    /// Keyed digest of the name alone.
    pub name: [u8; 16],
    /// First record of the segment that names it last.
    pub used: u64,
    /// The key.
    pub key: Secret<[u8; 32]>,
}

/// What is left of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Erased {
    /// Its id.
    pub id: SubjectId,
    /// First record of the segment that names it last.
    pub used: u64,
    /// When its key was destroyed.
    pub at: Timestamp,
    /// Number of the record that says so.
    pub record: u64,
}

/// Where in its row a subject's last segment is written.
pub(crate) const USED_AT: u64 = 49;

/// The id of the subject that has this key.
pub(crate) fn id_of(key: &Secret<[u8; 32]>) -> SubjectId {
    let digest = sha256(&[b"portcullis/v1/ledger/subject", key.expose()]);
    digest.first_chunk().copied().unwrap_or_default()
}

impl Row {
    /// Its bytes.
    pub(crate) fn write(&self, wrap: &SealKey) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ROW);
        match self {
            Row::Free | Row::Damaged(_) => {}
            Row::Kept(kept) => {
                bytes.push(1);
                bytes.extend_from_slice(&kept.id);
                bytes.extend_from_slice(&kept.who);
                bytes.extend_from_slice(&kept.name);
                let sealed = wrap.seal(&bytes, kept.key.expose());
                bytes.extend_from_slice(&kept.used.to_le_bytes());
                bytes.extend_from_slice(&sealed);
            }
            Row::Erased(erased) => {
                bytes.push(2);
                bytes.extend_from_slice(&erased.id);
                bytes.extend_from_slice(&[0; 32]);
                bytes.extend_from_slice(&erased.used.to_le_bytes());
                let note = erased.note();
                bytes.extend_from_slice(note.get(16..).unwrap_or_default());
                bytes.extend_from_slice(&wrap.seal(&note, &[]));
            }
        }
        bytes.resize(ROW, 0);
        bytes
    }

    /// What stands in these bytes.
    pub(crate) fn read(bytes: &[u8], wrap: &SealKey) -> Row {
        let Some((state, rest)) = bytes.split_first() else {
            return Row::Free;
        };
        let id = rest.first_chunk::<16>().copied().unwrap_or_default();
        let found = match state {
            0 => Some(Row::Free),
            1 => kept(bytes, wrap).map(Row::Kept),
            2 => erased(bytes, wrap).map(Row::Erased),
            _ => None,
        };
        found.unwrap_or(Row::Damaged(id))
    }
}

impl Erased {
    /// What the seal of the row vouches for.
    fn note(&self) -> Vec<u8> {
        let mut note = self.id.to_vec();
        note.extend_from_slice(&self.at.micros().to_le_bytes());
        note.extend_from_slice(&self.record.to_le_bytes());
        note
    }
}

fn kept(bytes: &[u8], wrap: &SealKey) -> Option<Kept> {
    let (plain, rest) = bytes.split_at_checked(49)?;
    let (id, digests) = plain.get(1..)?.split_first_chunk::<16>()?;
    let (who, name) = digests.split_first_chunk::<16>()?;
    let (used, rest) = rest.split_first_chunk::<8>()?;
    let opened = wrap
        .open(plain, rest.get(..SEALED)?)
        .ok()
        .map(Secret::new)?;
    let key = Secret::new(<[u8; 32]>::try_from(opened.expose().as_slice()).ok()?);
    (id_of(&key) == *id).then(|| Kept {
        id: *id,
        who: *who,
        name: name.first_chunk().copied().unwrap_or_default(),
        used: u64::from_le_bytes(*used),
        key,
    })
}

fn erased(bytes: &[u8], wrap: &SealKey) -> Option<Erased> {
    let (id, rest) = bytes.get(1..)?.split_first_chunk::<16>()?;
    let (used, rest) = rest.get(32..)?.split_first_chunk::<8>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (record, rest) = rest.split_first_chunk::<8>()?;
    let erased = Erased {
        id: *id,
        used: u64::from_le_bytes(*used),
        at: Timestamp::from_micros(i64::from_le_bytes(*at)),
        record: u64::from_le_bytes(*record),
    };
    let sealed = rest.get(..SealKey::OVERHEAD)?;
    wrap.open(&erased.note(), sealed).is_ok().then_some(erased)
}

/// The key that wraps the rows, and the number of the first record whose personal values are sealed.
pub(crate) struct Master {
    pub key: SealKey,
    pub since: u64,
    /// Its file, in which it is wrapped.
    pub file: Vec<u8>,
}

/// The number of the first record whose personal values are sealed, the key, and its file.
type Found = (u64, Secret<[u8; 32]>, Vec<u8>);

fn path(dir: &Path) -> PathBuf {
    dir.join(KEY_FILE)
}

fn fixed(since: u64) -> Vec<u8> {
    let mut plain = Vec::with_capacity(FIXED);
    plain.extend_from_slice(MAGIC);
    plain.extend_from_slice(&VERSION.to_le_bytes());
    plain.extend_from_slice(&since.to_le_bytes());
    plain
}

/// The key that wraps the rows; `None` where there is none yet.
///
/// # Errors
/// When it cannot be read, or does not open.
pub(crate) fn read_key(dir: &Path, keys: &Keys) -> Result<Option<Master>, LedgerFault> {
    let found = opened(dir, &[&keys.ledger_wrap])?;
    Ok(found.map(|(since, key, file)| Master {
        key: SealKey::from_secret(&key),
        since,
        file,
    }))
}

/// Whether a file may be that of this key: it is one, of a ledger whose records are sealed since then. Whom it is wrapped for may
/// have changed.
pub(crate) fn may_hold(file: &[u8], since: u64) -> bool {
    file.split_at_checked(FIXED)
        .is_some_and(|(plain, rest)| plain == fixed(since) && wrapped::read(rest).is_some())
}

/// Makes a new one.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn begin_key(
    dir: &Path,
    keys: &Keys,
    disk: &dyn Disk,
    since: u64,
) -> Result<Master, LedgerFault> {
    let key = crypto::random_secret::<32>();
    let bytes = wrapped::seal(&fixed(since), &key, &[&keys.ledger_wrap]);
    let made = disk.create(&path(dir), &bytes);
    made.map_err(|error| LedgerFault::io(&path(dir), &error))?;
    Ok(Master {
        key: SealKey::from_secret(&key),
        since,
        file: bytes,
    })
}

/// Wraps the key again with each of `to`. Gives the number of keys, which is one or none.
///
/// # Errors
/// When it is wrapped with none of `known`, or the file cannot be read or written.
pub(crate) fn rewrap(
    dir: &Path,
    disk: &dyn Disk,
    known: &[&WrapKey],
    to: &[&WrapKey],
) -> Result<usize, LedgerFault> {
    let Some((since, key, _)) = opened(dir, known)? else {
        return Ok(0);
    };
    let made = disk.create(&path(dir), &wrapped::seal(&fixed(since), &key, to));
    made.map_err(|error| LedgerFault::io(&path(dir), &error))?;
    Ok(1)
}

fn opened(dir: &Path, known: &[&WrapKey]) -> Result<Option<Found>, LedgerFault> {
    let path = path(dir);
    let wrong = |what: &str| LedgerFault::integrity(0, &path, what);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LedgerFault::io(&path, &error)),
    };
    let unknown = || wrong("this is not the key of the ledger's persons");
    let (plain, rest) = bytes.split_at_checked(FIXED).ok_or_else(unknown)?;
    let since = plain.last_chunk::<8>().copied().unwrap_or_default();
    let since = u64::from_le_bytes(since);
    let wraps = wrapped::read(rest).filter(|_| plain == fixed(since));
    let wraps = wraps.ok_or_else(unknown)?;
    let key = wrapped::open(plain, &wraps, known).map_err(|why| match why {
        Unopened::OtherKey => {
            wrong("the key of the ledger's persons is wrapped with another key-encryption key")
        }
        Unopened::Damaged => wrong("the key of the ledger's persons does not open"),
    })?;
    Ok(Some((since, key, bytes)))
}
