//! How a record, a stream entry and a job are sealed before they reach a backend, and how index values are blinded.
//! Exports `Sealer`. The context of each seal names its place, so that nothing sealed can be moved elsewhere.
//! Used by `Store` only.
//! Start reading at `Sealer::record`.

use crypto::{Keys, MacKey, SealKey};

/// Version of the records key. Kept with every record, so that a later key can be told apart.
pub(crate) const KEY_VERSION: u32 = 1;

/// Seals what goes into a backend.
#[derive(Debug)]
pub(crate) struct Sealer {
    key: SealKey,
    blind: MacKey,
}

/// A place in the store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// A record.
    Record { kind: &'a str, id: &'a str },
    /// An entry of a stream.
    Entry { stream: &'a str, position: u64 },
    /// A job of a queue.
    Job { queue: &'a str, id: &'a str },
}

impl Sealer {
    pub(crate) fn new(keys: &Keys) -> Self {
        Sealer {
            key: keys.store_records.clone(),
            blind: keys.blind_index.clone(),
        }
    }

    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.key_for(place).seal(&context(place), plain)
    }

    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        self.key_for(place).open(&context(place), sealed).ok()
    }

    /// One key per kind, stream and queue: each has the full allowance of 2^32 messages.
    fn key_for(&self, place: Place<'_>) -> SealKey {
        self.key.subkey(&match place {
            Place::Record { kind, .. } => format!("record/{kind}"),
            Place::Entry { stream, .. } => format!("stream/{stream}"),
            Place::Job { queue, .. } => format!("queue/{queue}"),
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

/// What a seal is bound to: kind | id | key version. Names hold no NUL, so the parts cannot be shifted.
fn context(place: Place<'_>) -> Vec<u8> {
    match place {
        Place::Record { kind, id } => format!("record\0{kind}\0{id}\0{KEY_VERSION}"),
        Place::Entry { stream, position } => format!("stream\0{stream}\0{position}\0{KEY_VERSION}"),
        Place::Job { queue, id } => format!("queue\0{queue}\0{id}\0{KEY_VERSION}"),
    }
    .into_bytes()
}
