//! How a record, a stream entry and a job are sealed before they reach a backend, and how index values are blinded.
//! Exports `Sealer`. The context of each seal names its place, and for a record its version, so that nothing sealed can be
//! moved elsewhere or put back.
//! Used by `Store` only.
//! Start reading at `Sealer::seal`.

use crypto::{Keys, MacKey, SealKey};

use crate::backend::Row;

/// Records of this form name no version in their seal: those of stores that were begun before there was a statement of what
/// a store holds (`inventory`).
pub(crate) const KEY_VERSION_OLD: u32 = 1;
/// The form in which records are sealed. Kept with every record, so that another one can be told apart.
pub(crate) const KEY_VERSION: u32 = 2;
/// The form of stream entries and jobs.
const OTHER_VERSION: u32 = 1;

/// A keyed digest of one record as it stands in the backend.
pub(crate) type Mark = [u8; 32];

/// Seals what goes into a backend.
#[derive(Debug)]
pub(crate) struct Sealer {
    key: SealKey,
    blind: MacKey,
    marks: MacKey,
}

/// A place in the store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// A record at one version; none for those of the old form.
    Record {
        kind: &'a str,
        id: &'a str,
        version: Option<u64>,
    },
    /// An entry of a stream.
    Entry { stream: &'a str, position: u64 },
    /// A job of a queue.
    Job { queue: &'a str, id: &'a str },
    /// The statement of what the store holds.
    Inventory,
}

impl Sealer {
    pub(crate) fn new(keys: &Keys) -> Self {
        Sealer {
            key: keys.store_records.clone(),
            blind: keys.blind_index.clone(),
            marks: keys.store_records.mac_subkey("marks of records"),
        }
    }

    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.key_for(place).seal(&context(place), plain)
    }

    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        self.key_for(place).open(&context(place), sealed).ok()
    }

    /// Opens a record as its row says it was sealed.
    pub(crate) fn open_row(&self, kind: &str, row: &Row) -> Option<Vec<u8>> {
        let version = match row.key_version {
            KEY_VERSION_OLD => None,
            KEY_VERSION => Some(row.version),
            _ => return None,
        };
        let id = &row.id;
        self.open(Place::Record { kind, id, version }, &row.sealed)
    }

    /// Tells a row from every other one, also from an earlier one of the same record.
    pub(crate) fn mark(&self, kind: &str, row: &Row) -> Mark {
        // Names hold no NUL, so the parts cannot be shifted.
        self.marks.mac(&[
            kind.as_bytes(),
            b"\0",
            row.id.as_bytes(),
            b"\0",
            &row.version.to_le_bytes(),
            &row.key_version.to_le_bytes(),
            &row.sealed,
        ])
    }

    /// One key per kind, stream and queue: each has the full allowance of 2^32 messages.
    fn key_for(&self, place: Place<'_>) -> SealKey {
        self.key.subkey(&match place {
            Place::Record { kind, .. } => format!("record/{kind}"),
            Place::Entry { stream, .. } => format!("stream/{stream}"),
            Place::Job { queue, .. } => format!("queue/{queue}"),
            Place::Inventory => String::from("inventory"),
        })
    }

    /// The keyed digest under which an index value stands in the file.
    pub(crate) fn blind(&self, kind: &str, field: &str, value: &str) -> Vec<u8> {
        self.blind
            .mac(&[
                kind.as_bytes(),
                b"\0",
                field.as_bytes(),
                b"\0",
                value.as_bytes(),
            ])
            .to_vec()
    }
}

/// What a seal is bound to: kind | id | version | form. Names hold no NUL, so the parts cannot be shifted.
fn context(place: Place<'_>) -> Vec<u8> {
    match place {
        Place::Record {
            kind,
            id,
            version: None,
        } => format!("record\0{kind}\0{id}\0{KEY_VERSION_OLD}"),
        Place::Record {
            kind,
            id,
            version: Some(version),
        } => format!("record\0{kind}\0{id}\0{version}\0{KEY_VERSION}"),
        Place::Entry { stream, position } => {
            format!("stream\0{stream}\0{position}\0{OTHER_VERSION}")
        }
        Place::Job { queue, id } => format!("queue\0{queue}\0{id}\0{OTHER_VERSION}"),
        Place::Inventory => format!("inventory\0{KEY_VERSION}"),
    }
    .into_bytes()
}
