//! Who signs the ledger from which record on: a chain of changes, each signed by the key before it and by its own.
//! Exports `Ends`, `SignerEpoch`, `Rotated`, `Signers`, `SignedChange`.
//! Used by the recorder, which makes changes, and by everybody who verifies a checkpoint.
//! Start reading at `Signers`; docs/decisions/040 says why, docs/ledger-format.md how.
//!
//! A checkpoint is signed by the key of its epoch: the number of changes among the records that it covers. So whoever knows
//! one key of the chain can tell which key signs later, and nobody but that key can say otherwise.

pub(crate) mod file;
pub(crate) mod key;

use std::sync::Arc;

use crypto::SigningKey;
use crypto::text::base64;
use model::{Kind, Word};
use serde::Deserialize;

use crate::checkpoint::{
    Checkpoint, PublicKey, SignedCheckpoint, decode_hash, is_origin, plain_number, signature_line,
    split_note,
};
use crate::tree::Hash;

/// Most changes of the signer in a ledger: an export carries all of them in its first line.
pub(crate) const CHANGES_MAX: usize = 100;

/// A record holds a change that the file of signers does not have.
pub(crate) const MISSING: &str = "this record changes the key that signs, and the file `signers` does not have the change: bring it back from a backup";

/// Why a key signs no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It was replaced in order.
    Routine,
    /// Somebody else may have it. What rests on its signature alone proves nothing any more.
    Compromised,
}

impl Ends {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Ends::Routine => "routine",
            Ends::Compromised => "compromised",
        }
    }

    fn parse(text: &str) -> Option<Ends> {
        let all = [Ends::Routine, Ends::Compromised];
        all.into_iter().find(|one| one.name() == text)
    }
}

/// One epoch of a ledger, as a verification reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerEpoch {
    /// Its number, from 0.
    pub epoch: u64,
    /// Who signs in it, in the form `name+id+key`.
    pub public_key: String,
    /// The record that began it; for the first one 0.
    pub from: u64,
    /// Why it ended; `None` for the last one.
    pub ended: Option<Ends>,
}

/// How another key came to sign.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The epoch that began.
    pub epoch: u64,
    /// The record that began it.
    pub record: u64,
    /// Who signed before.
    pub from: PublicKey,
    /// Who signs now.
    pub to: PublicKey,
    /// The first checkpoint of the new key; `None` where it could not be written yet.
    pub checkpoint: Option<Arc<SignedCheckpoint>>,
}

/// A change of the signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Name of the ledger.
    pub origin: String,
    /// Number of the epoch that it begins, from 1.
    pub epoch: u64,
    /// Number of the record that holds it.
    pub record: u64,
    /// Chain value before that record: the change belongs to this history and to no other.
    pub chain: Hash,
    /// Who signed before.
    pub from: PublicKey,
    /// Who signs what covers the record.
    pub to: PublicKey,
    /// Why.
    pub ends: Ends,
}

/// A change with its signatures, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedChange {
    pub change: Change,
    pub text: String,
}

impl Change {
    /// The signed bytes.
    fn body(&self) -> String {
        format!(
            "{}\nsigner {}\nrecord {}\nchain {}\nfrom {}\nto {}\nends {}\n",
            self.origin,
            self.epoch,
            self.record,
            base64(&self.chain),
            self.from,
            self.to,
            self.ends.name()
        )
    }

    /// Signs it with both keys.
    pub(crate) fn sign(self, from: &SigningKey, to: &SigningKey) -> SignedChange {
        let body = self.body();
        let [from, to] = [from, to].map(|key| signature_line(&self.origin, key, &body));
        SignedChange {
            text: format!("{body}\n{from}{to}"),
            change: self,
        }
    }

    fn parse_body(body: &str) -> Option<Change> {
        let mut lines = body.strip_suffix('\n')?.split('\n');
        let mut next = |key: &str| lines.next()?.strip_prefix(key);
        let change = Change {
            origin: next("").filter(|origin| is_origin(origin))?.to_owned(),
            epoch: plain_number(next("signer ")?)?,
            record: plain_number(next("record ")?)?,
            chain: decode_hash(next("chain ")?)?,
            from: PublicKey::parse(next("from ")?)?,
            to: PublicKey::parse(next("to ")?)?,
            ends: Ends::parse(next("ends ")?)?,
        };
        // One form only, and keys of this ledger.
        let is_plain = change.body() == body;
        let is_ours =
            [&change.from, &change.to].map(PublicKey::name) == [change.origin.as_str(); 2];
        (is_plain && is_ours).then_some(change)
    }
}

impl SignedChange {
    /// Reads the text; whether the keys have signed it, [`Signers::follow`] looks.
    fn parse(text: &str) -> Option<SignedChange> {
        let (body, signatures) = split_note(text)?;
        let change = Change::parse_body(body)?;
        (signatures.lines().count() == 2).then(|| SignedChange {
            change,
            text: text.to_owned(),
        })
    }
}

/// What is read of a record to find a change of the signer.
#[derive(Deserialize)]
struct Brief {
    kind: Word<Kind>,
    #[serde(default)]
    signer: Option<String>,
}

/// The text of the change that a record holds; empty where a record of this kind holds none.
pub(crate) fn change_in(record: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(record).ok()?;
    // Few records have the word, and it may stand in another field.
    if !text.contains("\"ledger.signer\"") {
        return None;
    }
    let brief: Brief = serde_json::from_str(text).ok()?;
    (brief.kind == Kind::LedgerSigner).then(|| brief.signer.unwrap_or_default())
}

/// The keys of a ledger in the order in which they signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signers {
    first: PublicKey,
    changes: Vec<SignedChange>,
}

impl Signers {
    /// A ledger that one key signs.
    pub(crate) fn only(first: PublicKey) -> Self {
        Signers {
            first,
            changes: Vec::new(),
        }
    }

    /// Number of the last epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.changes.len() as u64
    }

    /// The changes, as text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().map(|change| change.text.as_str())
    }

    /// Who signed first.
    pub(crate) fn first(&self) -> &PublicKey {
        &self.first
    }

    /// Who signs now.
    pub(crate) fn last(&self) -> &PublicKey {
        let last = self.changes.last();
        last.map_or(&self.first, |last| &last.change.to)
    }

    /// The record that began the last epoch.
    pub(crate) fn last_record(&self) -> Option<u64> {
        self.changes.last().map(|last| last.change.record)
    }

    /// Only the changes whose records a checkpoint over so many records covers.
    pub(crate) fn begun(mut self, size: u64) -> Self {
        let begun = usize::try_from(self.epoch_at(size)).unwrap_or(usize::MAX);
        self.changes.truncate(begun);
        self
    }

    /// Takes the last change back: its record never became part of the ledger.
    pub(crate) fn take_back(&mut self) {
        self.changes.pop();
    }

    /// The keys, the first one first.
    fn keys(&self) -> impl DoubleEndedIterator<Item = &PublicKey> {
        let later = self.changes.iter().map(|change| &change.change.to);
        std::iter::once(&self.first).chain(later)
    }

    /// The epoch in which this key signs.
    pub(crate) fn epoch_of(&self, key: &PublicKey) -> Option<u64> {
        let at = self.keys().position(|one| one == key)?;
        u64::try_from(at).ok()
    }

    /// The epoch that a checkpoint over so many records belongs to.
    pub(crate) fn epoch_at(&self, size: u64) -> u64 {
        let changes = &self.changes;
        changes.partition_point(|change| change.change.record < size) as u64
    }

    fn key_of(&self, epoch: u64) -> &PublicKey {
        let at = usize::try_from(epoch).unwrap_or(usize::MAX);
        self.keys().nth(at).unwrap_or(self.last())
    }

    fn change_at(&self, record: u64) -> Option<&SignedChange> {
        let at = usize::try_from(self.epoch_at(record)).ok()?;
        self.changes
            .get(at)
            .filter(|change| change.change.record == record)
    }

    /// Adds the next change.
    ///
    /// # Errors
    /// In one sentence: it is not the next one, or the keys did not sign it.
    pub(crate) fn follow(&mut self, text: &str) -> Result<(), String> {
        let next = self.epoch() + 1;
        let Some(signed) = SignedChange::parse(text) else {
            return Err(format!(
                "what should begin epoch {next} of the signer is no signed change"
            ));
        };
        let (change, before) = (&signed.change, self.last());
        let epoch = change.epoch;
        if epoch < next {
            return Err(format!(
                "two changes of the signer begin epoch {epoch}: the ledger forks there"
            ));
        }
        if epoch > next {
            return Err(format!(
                "the change of the signer that begins epoch {next} is missing; one for epoch {epoch} is there"
            ));
        }
        let wrong = if change.from != *before {
            "continues another key than that of the epoch before"
        } else if !before.has_signed_note(text) {
            "is not signed by the key of the epoch before"
        } else if !change.to.has_signed_note(text) {
            "is not signed by the key that it names"
        } else if self.epoch_of(&change.to).is_some() {
            "names a key that signed before"
        } else if self.last_record().is_some_and(|last| change.record <= last) {
            "stands in front of the one before it"
        } else if self.changes.len() >= CHANGES_MAX {
            "is one more than a ledger may have"
        } else {
            self.changes.push(signed);
            return Ok(());
        };
        Err(format!(
            "the change of the signer that begins epoch {epoch} {wrong}"
        ))
    }

    /// Compares a record with the changes that are known. `record` is `None` where it cannot be read any more; `Ok(Some)` is
    /// a change that was not known.
    ///
    /// # Errors
    /// In one sentence: a change that is not where it should be, or another one than the one that is known.
    pub(crate) fn compare(
        &self,
        seq: u64,
        before: &Hash,
        record: Option<&[u8]>,
    ) -> Result<Option<String>, String> {
        let found = record.map(change_in);
        let Some(known) = self.change_at(seq) else {
            return Ok(found.flatten());
        };
        let epoch = known.change.epoch;
        if known.change.chain != *before {
            return Err(format!(
                "the change of the signer that begins epoch {epoch} was made for another history"
            ));
        }
        match found {
            None => Ok(None),
            Some(Some(text)) if text == known.text => Ok(None),
            Some(Some(_)) => Err(format!(
                "two changes of the signer begin epoch {epoch}: the ledger forks there"
            )),
            Some(None) => Err(format!(
                "this record should begin epoch {epoch} of the signer, and is another one"
            )),
        }
    }

    /// Reads a checkpoint of the ledger, which the key of its epoch has signed.
    ///
    /// # Errors
    /// In one sentence: `otherwise`, or that the key of another epoch signed it.
    pub(crate) fn verify(&self, note: &str, otherwise: &str) -> Result<SignedCheckpoint, String> {
        self.verify_from(note, otherwise, false)
    }

    /// Reads a checkpoint that closes an export: whoever signs the ledger when it is made signs it.
    ///
    /// # Errors
    /// As [`Signers::verify`].
    pub(crate) fn verify_closing(
        &self,
        note: &str,
        otherwise: &str,
    ) -> Result<SignedCheckpoint, String> {
        self.verify_from(note, otherwise, true)
    }

    fn verify_from(
        &self,
        note: &str,
        otherwise: &str,
        is_later_good: bool,
    ) -> Result<SignedCheckpoint, String> {
        let stated = Checkpoint::stated_in(note).ok_or(otherwise)?;
        let due = self.epoch_at(stated.size);
        if let Some(signed) = SignedCheckpoint::verify(note, self.key_of(due)) {
            return as_it_says(signed, due);
        }
        let others = (0..=self.epoch()).rev().filter(|epoch| *epoch != due);
        let found = others.into_iter().find_map(|epoch| {
            let signed = SignedCheckpoint::verify(note, self.key_of(epoch))?;
            Some((epoch, signed))
        });
        match found {
            Some((epoch, signed)) if is_later_good && epoch > due => as_it_says(signed, epoch),
            Some((epoch, _)) => Err(format!(
                "the checkpoint over {} records is signed by the key of epoch {epoch}, where that of epoch {due} signs",
                stated.size
            )),
            None => Err(otherwise.to_owned()),
        }
    }

    /// The epoch whose key signed this note.
    pub(crate) fn epoch_signing(&self, note: &str) -> Option<u64> {
        let at = self.keys().position(|key| key.has_signed_note(note))?;
        u64::try_from(at).ok()
    }

    /// Whether a note claims a signature by one of the keys, valid or not.
    pub(crate) fn are_named_in(&self, note: &str) -> bool {
        self.keys().any(|key| key.is_named_in(note))
    }

    /// The epochs for a report.
    pub(crate) fn epochs(&self) -> Vec<SignerEpoch> {
        let begun = self.changes.iter().map(|change| change.change.record);
        let ended = self.changes.iter().map(|change| Some(change.change.ends));
        let all = self.keys().zip(std::iter::once(0).chain(begun));
        let all = (0..).zip(all).zip(ended.chain([None]));
        all.map(|((epoch, (key, from)), ended)| SignerEpoch {
            epoch,
            public_key: key.to_string(),
            from,
            ended,
        })
        .collect()
    }
}

/// A checkpoint says in which epoch it was signed: where changes of the signer were left out, its key would pass for an
/// earlier one.
fn as_it_says(signed: SignedCheckpoint, epoch: u64) -> Result<SignedCheckpoint, String> {
    match signed.checkpoint.by {
        Some(by) if by.epoch != epoch => Err(format!(
            "the checkpoint over {} records was signed in epoch {} of the signer, and the changes that are here make it epoch {epoch}: some were left out",
            signed.checkpoint.size, by.epoch
        )),
        _ => Ok(signed),
    }
}

#[cfg(test)]
mod tests;
