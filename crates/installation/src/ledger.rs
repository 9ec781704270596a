//! The ledger of an installation, opened to read beside whoever writes, whatever is wrong with the configuration.
//! Exports `look`, `LedgerFiles`.
//! Used by `portcullis ledger`.
//! Start reading at `look`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::{Ledger, PublicKey, Report};
use crypto::{Kek, Keys};
use store::Store;

use crate::{InstallationError, Severity, files, open};

/// Ledger, store and keys, open to read.
pub struct LedgerFiles {
    /// Directory of the ledger.
    pub dir: PathBuf,
    /// One key per purpose.
    pub keys: Arc<Keys>,
    /// The configuration has mistakes, and the ledger is read all the same.
    pub is_configuration_wrong: bool,
    store: Store,
}

/// Data directory, key, and whether the configuration has mistakes.
struct Found {
    data: PathBuf,
    kek: Kek,
    is_configuration_wrong: bool,
}

/// Opens them.
///
/// # Errors
/// Store and key troubles as everywhere; mistakes in the configuration only where they hide the store or its key.
pub fn look(dir: &Path) -> Result<LedgerFiles, InstallationError> {
    let found = find(dir)?;
    let opened = store::embedded::look(&found.data, &found.kek)?;
    Ok(LedgerFiles {
        dir: found.data.join("ledger"),
        keys: Arc::new(opened.keys),
        is_configuration_wrong: found.is_configuration_wrong,
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
            is_configuration_wrong: false,
        }),
        Err(mistaken) => {
            let reference = files::kek_reference(dir);
            let kek = reference.and_then(|reference| open::kek_at(&reference, dir).ok());
            Ok(Found {
                data: open::data_dir(dir),
                kek: kek.ok_or(mistaken)?,
                is_configuration_wrong: true,
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
        audit::verify_directory(
            &self.dir,
            &self.keys,
            pin.unwrap_or(&own),
            witness.as_deref(),
        )
        .map_err(|fault| {
            InstallationError::new(
                Severity::Failed,
                fault,
                "Let the user that runs Portcullis read the files of the ledger.",
            )
        })
    }
}
