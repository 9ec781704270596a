//! The ledger of an installation, opened to read beside whoever writes, whatever is wrong with the configuration.
//! Exports `open_read`, `LedgerFiles`, `VerifiedLedger` for tools, and `text` for people.
//! Used by `portcullis ledger`.
//! Start reading at `open_read`.

pub mod text;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::{Ends, ErasedSubject, Ledger, PublicKey, Report, Returned, SignerEpoch};
use control::commands::ledger::DestroyedRecords;
use crypto::{Kek, Keys};
use schemars::JsonSchema;
use serde::Serialize;
use store::Store;

use crate::{InstallationError, Severity, files, layout, open};

/// A verification as tools read it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerifiedLedger {
    /// Whether everything is in order.
    pub is_good: bool,
    /// Records that are in order: all of them, or those in front of the first bad one.
    pub records: u64,
    /// Number of the first record looked at.
    pub first_seq: u64,
    /// Number of the last good record; null where there is none.
    pub last_seq: Option<u64>,
    /// Chain value after the last good record, in hexadecimal.
    pub head: String,
    /// Checkpoints whose signature, root and chain value were right.
    pub checkpoints: u64,
    /// Records with a smaller number are covered by one of them.
    pub covered: u64,
    /// Records whose key was destroyed: chain and signatures are in order, and nobody can read them.
    pub destroyed: u64,
    /// How these records were destroyed.
    pub destructions: Vec<DestroyedRecords>,
    /// Records of which a part was erased with the person it is about: nobody can read that part, and all else is in order.
    pub erased: u64,
    /// Who was erased.
    pub erasures: Vec<ErasedPerson>,
    /// Keys that were destroyed and are there again: what they open can be read. Null where there are none.
    pub returned: Option<ReturnedKeys>,
    /// Bytes of a write that a crash left unfinished at the very end.
    pub torn_bytes: u64,
    /// Whether all that is wrong with an exported file is that it ends early.
    pub is_cut: bool,
    /// Whether an exported file has form 1, in which nothing signs where an export begins and ends: records may have been cut
    /// off in front of those that are here and behind them.
    pub has_open_ends: bool,
    /// Who signs now, in the form `name+id+key`.
    pub public_key: String,
    /// The epoch of the key that was expected; what follows rests on it and on those behind it.
    pub expected_epoch: u64,
    /// Who signed when; one epoch where the key was never changed.
    pub signers: Vec<Signer>,
    /// The first epoch that the verification rests on and whose key was given up as compromised; null where there is none.
    pub compromised_epoch: Option<u64>,
    /// The first thing wrong; null where everything is in order.
    pub first_bad: Option<BadRecord>,
}

/// A person whose values were made unreadable.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErasedPerson {
    /// As records name them.
    pub subject: String,
    /// When, UTC.
    pub at: String,
    /// The record that says so.
    pub record: u64,
}

/// Keys that were destroyed and are there again, as from a backup.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReturnedKeys {
    /// Records that can be read again.
    pub records: u64,
    /// Their segments.
    pub segments: Vec<ReturnedSegment>,
    /// Erased persons of whom can be read again what records say, as these name them.
    pub subjects: Vec<String>,
}

/// A segment whose records can be read again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReturnedSegment {
    /// Number of the first one.
    pub first_seq: u64,
    /// Number of the last one.
    pub last_seq: u64,
}

/// One epoch of a ledger: the time of one key that signs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Signer {
    /// Its number, from 0.
    pub epoch: u64,
    /// The key, in the form `name+id+key`.
    pub public_key: String,
    /// Number of its first record.
    pub from: u64,
    /// `routine` or `compromised`; null of the key that signs now.
    pub ended: Option<String>,
}

/// The first record that is wrong or missing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BadRecord {
    /// Its number.
    pub seq: u64,
    /// The last record that the finding may be about.
    pub through: u64,
    /// What is wrong.
    pub what: String,
    /// File name.
    pub file: String,
    /// Place in the file in bytes.
    pub offset: u64,
}

impl From<&Report> for VerifiedLedger {
    fn from(report: &Report) -> VerifiedLedger {
        let bad = report.first_bad.as_ref().map(|bad| BadRecord {
            seq: bad.seq,
            through: bad.through,
            what: bad.what.clone(),
            file: bad.file.clone(),
            offset: bad.offset,
        });
        VerifiedLedger {
            is_good: report.is_good(),
            records: report.records,
            first_seq: report.first_seq,
            last_seq: report.last_seq(),
            head: crypto::text::hex(&report.head),
            checkpoints: report.checkpoints,
            covered: report.covered,
            destroyed: report.destroyed,
            destructions: report
                .destructions
                .iter()
                .map(DestroyedRecords::from)
                .collect(),
            erased: report.erased,
            erasures: report.erasures.iter().map(erased).collect(),
            returned: returned(&report.returned),
            torn_bytes: report.torn_bytes,
            is_cut: report.is_cut,
            has_open_ends: report.has_open_ends,
            public_key: report.public_key.clone(),
            expected_epoch: report.expected_epoch,
            signers: report.signers.iter().map(signer).collect(),
            compromised_epoch: report.compromised().map(|one| one.epoch),
            first_bad: bad,
        }
    }
}

fn erased(one: &ErasedSubject) -> ErasedPerson {
    ErasedPerson {
        subject: one.subject.clone(),
        at: one.at.to_string(),
        record: one.record,
    }
}

fn returned(returned: &Returned) -> Option<ReturnedKeys> {
    let segments = returned.segments.iter();
    let segments = segments.map(|&(first_seq, last_seq)| ReturnedSegment {
        first_seq,
        last_seq,
    });
    (!returned.is_empty()).then(|| ReturnedKeys {
        records: returned.records(),
        segments: segments.collect(),
        subjects: returned.subjects.clone(),
    })
}

fn signer(one: &SignerEpoch) -> Signer {
    Signer {
        epoch: one.epoch,
        public_key: one.public_key.clone(),
        from: one.from,
        ended: one.ended.map(|how| Ends::name(how).to_owned()),
    }
}

/// Ledger, store and keys, open to read.
pub struct LedgerFiles {
    /// Directory of the ledger.
    pub dir: PathBuf,
    /// One key per purpose.
    pub keys: Arc<Keys>,
    /// The configuration has mistakes, and the ledger is read all the same.
    pub is_configuration_wrong: bool,
    /// The integrations it has, sorted; `None` where it has mistakes.
    pub integrations: Option<Vec<Arc<str>>>,
    store: Store,
}

/// Data directory, key, and the integrations where the configuration has no mistakes.
struct Found {
    data: PathBuf,
    kek: Kek,
    integrations: Option<Vec<Arc<str>>>,
}

/// Opens them.
///
/// # Errors
/// Store and key troubles as everywhere; mistakes in the configuration only where they hide the store or its key.
pub fn open_read(dir: &Path) -> Result<LedgerFiles, InstallationError> {
    let found = find(dir)?;
    let opened = store::embedded::look(&found.data, &found.kek)?;
    Ok(LedgerFiles {
        dir: found.data.join("ledger"),
        keys: Arc::new(opened.keys),
        is_configuration_wrong: found.integrations.is_none(),
        integrations: found.integrations,
        store: opened.store,
    })
}

/// What was recorded can be read whatever is wrong with the configuration, as long as the server's file still says where
/// the data and the key are.
fn find(dir: &Path) -> Result<Found, InstallationError> {
    let compiled = files::read(dir).and_then(|texts| {
        let (compiled, _) = files::compile_to_read(&texts, crate::now())?;
        Ok((texts, compiled))
    });
    match compiled {
        Ok((texts, compiled)) => Ok(Found {
            data: dir.join(&compiled.server.store_dir.value),
            kek: open::kek(&compiled, dir, &texts)?,
            integrations: Some(compiled.integrations.keys().cloned().collect()),
        }),
        Err(mistaken) => {
            let reference = layout::kek_reference(dir);
            let kek = reference.and_then(|reference| open::kek_at(&reference, dir).ok());
            Ok(Found {
                data: open::data_dir(dir),
                kek: kek.ok_or(mistaken)?,
                integrations: None,
            })
        }
    }
}

impl LedgerFiles {
    /// The ledger for reading.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn ledger(&self) -> Result<Ledger, InstallationError> {
        Ok(Ledger::open_read(&self.dir, Arc::clone(&self.keys))?)
    }

    /// Verifies it against the checkpoint that the database witnessed; signed by this key or by one that followed it, or else
    /// by its own.
    ///
    /// # Errors
    /// When its files cannot be read. What is wrong with them is in the report.
    pub fn verify(&self, pin: Option<&PublicKey>) -> Result<Report, InstallationError> {
        let witness = control::maintenance::witnessed(&self.store)?;
        let name = open::origin(&self.dir, witness.as_deref())?;
        let ledger = Ledger::new(&self.dir, Arc::clone(&self.keys), &name);
        // What is wrong with a ledger that cannot say so much, the verification finds.
        let own = ledger.present_key();
        let own = own.unwrap_or_else(|_| ledger.first_key().clone());
        let known = control::destroyed_keys::known(&self.store)?;
        let unread = |fault| {
            InstallationError::new(
                Severity::Failed,
                fault,
                "Let the user that runs Portcullis read the files of the ledger.",
            )
        };
        let pin = pin.unwrap_or(&own);
        let report = audit::verify_directory(&self.dir, &self.keys, pin, witness.as_deref());
        let mut report = report.map_err(unread)?;
        // The store remembers also what no record says any more.
        let known = known.and(&report.destroyed_keys);
        report.returned = audit::returned(&self.dir, &self.keys, &known).map_err(unread)?;
        Ok(report)
    }
}
