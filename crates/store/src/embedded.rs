//! The store in one file of a data directory, for an installation without a database server.
//! Exports `open`, `look` and `check_whole`.
//! Used by whoever starts a server, and by commands beside one.
//! Start reading at `open`. Another backend is opened elsewhere and given to `Store::over`.

use std::path::Path;
use std::sync::Arc;

use crypto::Kek;

use crate::sqlite::Sqlite;
use crate::store::Opening;
use crate::{Fault, Lock, Opened, Store, data_dir, sqlite};

/// Opens the store of a data directory for this process alone, and begins it when the directory is empty.
/// A damaged, foreign or newer database is never replaced.
///
/// # Errors
/// A [`Fault`] with its remedy: in use, wrong key, damaged, newer, read-only, full.
pub fn open(dir: &Path, kek: &Kek) -> Result<Opened, Fault> {
    data_dir::prepare(dir)?;
    let lock = Lock::take(dir)?;
    let is_new = sqlite::begin_if_absent(dir, kek)?;
    let backend = Sqlite::open(dir, kek)?;
    let opening = Opening::Writing(Some(lock));
    let opened = Store::with_backend(Arc::new(backend), kek, opening)?;
    Ok(Opened { is_new, ..opened })
}

/// Opens the store for reading beside a running server: for `explain`, `key list`, `ledger verify`.
///
/// # Errors
/// As [`open`]; [`Fault::Absent`] when there is none yet.
pub fn look(dir: &Path, kek: &Kek) -> Result<Opened, Fault> {
    let backend = Sqlite::look(dir)?;
    Store::with_backend(Arc::new(backend), kek, Opening::Reading)
}

/// Reads every page of the database once, beside whoever writes. No key is needed, and no file changes.
///
/// # Errors
/// [`Fault::Corrupt`] with what is wrong, [`Fault::Absent`] when there is none yet, and faults of reading.
pub fn check_whole(dir: &Path) -> Result<(), Fault> {
    Sqlite::check_whole(dir)
}
