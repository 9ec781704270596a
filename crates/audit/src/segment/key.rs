//! The key of one segment: random, wrapped, and kept in a file beside it.
//! Exports `KeyFile`, `Segment`, `Tombstone`, `beside` and `note_beside`.
//! Used by the segment's header, by `rewrap` and by whoever destroys what may no longer be read.
//! Start reading at `KeyFile`; the layout for auditors is docs/ledger-format.md.
//!
//! Wrapping the key again touches no segment. Destroying it makes the segment's records unreadable for everybody, whatever
//! copies of the segment exist, and leaves the chain verifiable: the leaves of the tree are sealed under another key.

use std::path::{Path, PathBuf};

use crypto::{Keys, Secret, WrapKey};
use model::Timestamp;

use crate::fault::LedgerFault;
use crate::wrapped::{self, Unopened, Wraps};

const MAGIC: &[u8; 8] = b"PORTLKEY";
const VERSION: u32 = 1;
/// How the files of keys are called in a finding about several of them.
pub(crate) const KIND: &str = "*.key";
/// Bytes in front of what the state decides: magic, version, number of the first record, salt, state.
const FIXED: usize = 8 + 4 + 8 + 16 + 1;

/// Which segment a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Number of its first record.
    pub first_seq: u64,
    /// The salt in its header.
    pub salt: [u8; 16],
}

/// What stands beside a segment.
pub(crate) enum KeyFile {
    /// The key, which one of the wrapping keys opens.
    Wrapped(Wraps),
    /// The key was destroyed. The note is sealed, so that nobody without the root can claim it.
    Destroyed(Tombstone),
}

/// The note in the place of a key that was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tombstone {
    /// When.
    pub at: Timestamp,
    /// The record that says who destroyed it, and why; none in notes of the first form.
    pub record: Option<u64>,
}

impl Tombstone {
    /// Bytes of the note in front of its seal, and what says which form it has.
    fn form(self) -> (usize, u8) {
        match self.record {
            None => (FIXED + 8, 2),
            Some(_) => (FIXED + 16, 3),
        }
    }
}

/// What a key's file gives to whoever may open it.
pub(crate) enum Opened {
    /// The key.
    Key(Secret<[u8; 32]>),
    /// There is none any more.
    Destroyed(Tombstone),
}

/// Where the key of a segment stands.
pub(crate) fn beside(segment: &Path) -> PathBuf {
    segment.with_extension("key")
}

/// The note in the place of the key of a segment; none where the key is there, or where the note was forged or put here from
/// another segment.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn note_beside(segment: &Path, keys: &Keys) -> Result<Option<Tombstone>, LedgerFault> {
    let path = beside(segment);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        // A segment of format 1 has none.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LedgerFault::io(&path, &error)),
    };
    let Some((named, KeyFile::Destroyed(note))) = KeyFile::read(&bytes) else {
        return Ok(None);
    };
    let is_here = segment.ends_with(super::file_name(named.first_seq));
    let is_ours = is_here && named.open(&bytes, keys, &[]).is_ok();
    Ok(is_ours.then_some(note))
}

impl Segment {
    fn fixed(&self, state: u8) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.first_seq.to_le_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes.push(state);
        bytes
    }

    /// A file in which every one of `to` wraps the key.
    pub(crate) fn wrap(&self, key: &Secret<[u8; 32]>, to: &[&WrapKey]) -> Vec<u8> {
        wrapped::seal(&self.fixed(1), key, to)
    }

    /// A file that says the key is gone.
    pub(crate) fn tombstone(&self, keys: &Keys, note: Tombstone) -> Vec<u8> {
        let mut bytes = self.fixed(note.form().1);
        bytes.extend_from_slice(&note.at.micros().to_le_bytes());
        if let Some(record) = note.record {
            bytes.extend_from_slice(&record.to_le_bytes());
        }
        let seal = self.tombstone_key(&keys.ledger_seal).seal(&bytes, &[]);
        bytes.extend_from_slice(&seal);
        bytes
    }

    fn tombstone_key(&self, seals: &crypto::SealKey) -> crypto::SealKey {
        let salt = crypto::text::hex(&self.salt);
        let purpose = format!("ledger segment destroyed {} {salt}", self.first_seq);
        seals.subkey(&purpose)
    }

    /// The key in a file, with one of the wrapping keys that are known.
    pub(crate) fn open(
        &self,
        bytes: &[u8],
        keys: &Keys,
        known: &[&WrapKey],
    ) -> Result<Opened, &'static str> {
        let (segment, file) = KeyFile::read(bytes).ok_or("this is not the key of a segment")?;
        if segment != *self {
            return Err("the key beside the segment belongs to another one");
        }
        let wraps = match file {
            KeyFile::Wrapped(wraps) => wraps,
            KeyFile::Destroyed(note) => {
                let (plain, seal) = bytes.split_at_checked(note.form().0).unwrap_or_default();
                let mut notes = keys.ledger_seals().map(|seals| self.tombstone_key(seals));
                let is_ours = notes.any(|key| key.open(plain, seal).is_ok());
                return is_ours
                    .then_some(Opened::Destroyed(note))
                    .ok_or("the note that the key was destroyed is not ours");
            }
        };
        let key = wrapped::open(&self.fixed(1), &wraps, known);
        key.map(Opened::Key).map_err(|why| match why {
            Unopened::OtherKey => {
                "the key of the segment is wrapped with another key-encryption key"
            }
            Unopened::Damaged => "the key of the segment does not open",
        })
    }
}

impl KeyFile {
    /// Which segment the file belongs to, and what it says.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Segment, KeyFile)> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let (state, rest) = rest.split_first()?;
        if magic != MAGIC || u32::from_le_bytes(*version) != VERSION {
            return None;
        }
        let segment = Segment {
            first_seq: u64::from_le_bytes(*seq),
            salt: *salt,
        };
        let file = match state {
            1 => KeyFile::Wrapped(wrapped::read(rest)?),
            2 | 3 => KeyFile::Destroyed(note(*state, rest)?),
            _ => return None,
        };
        Some((segment, file))
    }
}

/// What follows the state of a destroyed key: when, by which record, and a seal over it.
fn note(state: u8, rest: &[u8]) -> Option<Tombstone> {
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let at = Timestamp::from_micros(i64::from_le_bytes(*at));
    let (record, seal) = if state == 3 {
        let (record, rest) = rest.split_first_chunk::<8>()?;
        (Some(u64::from_le_bytes(*record)), rest)
    } else {
        (None, rest)
    };
    (seal.len() == crypto::SealKey::OVERHEAD).then_some(Tombstone { at, record })
}

#[cfg(test)]
mod tests;
