//! Checks a ledger independently of the recorder, and names the first record that is wrong or missing.
//! Exports `verify_export` (needs no keys), `verify_directory` and, quicker, `verify_newest`, each with a `Report`.
//! Used by `ledger verify`, `doctor`, the console and the tests of the promise "what was answered is in the ledger".
//! Start reading at `Report`; the two verifiers are `verify::file` and `verify::directory`.

mod directory;
mod file;
mod persons;

use crate::destruction::Destruction;
use crate::returned::{DestroyedKeys, Returned};
use crate::signer::{Ends, SignerEpoch, Signers};
use crate::subjects::ErasedSubject;
use crate::tree::Hash;

pub use directory::{verify_directory, verify_newest};
pub use file::verify_export;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records that are in order: all of them, or those in front of the first bad one.
    pub records: u64,
    /// Number of the first record looked at.
    pub first_seq: u64,
    /// Chain value after the last good record.
    pub head: Hash,
    /// Checkpoints whose signature, root and chain value were right.
    pub checkpoints: u64,
    /// Records with a smaller number are covered by one of them.
    pub covered: u64,
    /// Records whose key was destroyed: their chain and their signatures are in order, and nobody can read them.
    pub destroyed: u64,
    /// How these records were destroyed.
    pub destructions: Vec<Destruction>,
    /// Records of which a part was erased with the person it is about. They are in order, and nobody can read that part.
    pub erased: u64,
    /// Who was erased.
    pub erasures: Vec<ErasedSubject>,
    /// The keys that records say were destroyed.
    pub destroyed_keys: DestroyedKeys,
    /// Those of them that are there again: nothing is wrong with the records, and what nobody was to read any more can be read.
    pub returned: Returned,
    /// Bytes of a write that a crash left unfinished at the very end; cut off at the next start.
    pub torn_bytes: u64,
    /// Who signs now, in the form `name+id+key`. Compare it with the key you know.
    pub public_key: String,
    /// Who signed when; one epoch where the key that signs was never changed.
    pub signers: Vec<SignerEpoch>,
    /// The epoch of the key that was expected. What follows rests on it and on those behind it.
    pub expected_epoch: u64,
    /// The first thing wrong.
    pub first_bad: Option<Bad>,
    /// All that is wrong with an exported file is that it ends before its closing checkpoint: its export was not read to
    /// the end, or somebody cut it off. What is there hangs together, and nothing signs it.
    pub is_cut: bool,
    /// The exported file has form 1, in which nothing signs where an export begins and ends: its records are the ledger's,
    /// and others may have been cut off in front of them and behind them.
    pub has_open_ends: bool,
}

impl Report {
    /// Whether everything is in order.
    pub fn is_good(&self) -> bool {
        self.first_bad.is_none()
    }

    /// The first key that the verification rests on and that was given up as compromised. Whoever has it can write another
    /// ledger that verifies by the same expected key.
    pub fn compromised(&self) -> Option<&SignerEpoch> {
        let relied = self
            .signers
            .iter()
            .filter(|one| one.epoch >= self.expected_epoch);
        let mut relied = relied.filter(|one| one.ended == Some(Ends::Compromised));
        relied.next()
    }

    fn tell(&mut self, signers: &Signers) {
        self.public_key = signers.last().to_string();
        self.signers = signers.epochs();
    }

    /// Number of the last good record.
    pub fn last_seq(&self) -> Option<u64> {
        let last = self.records.checked_sub(1)?;
        Some(self.first_seq.saturating_add(last))
    }
}

/// The first record that is wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Its number.
    pub seq: u64,
    /// The last record the finding may concern: records of one sealed frame, or between two checkpoints,
    /// cannot be told apart.
    pub through: u64,
    /// What is wrong.
    pub what: String,
    /// File name.
    pub file: String,
    /// Place in the file in bytes: begin of the line, frame or checkpoint.
    pub offset: u64,
}
