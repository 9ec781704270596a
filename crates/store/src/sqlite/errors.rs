//! SQLite's errors as faults with a remedy.
//! Exports `Place`: the path an error belongs to.
//! Used by every call of this backend.
//! Start reading at `Place::fault`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Error, ErrorCode};

use crate::Fault;

/// The file an error is about.
#[derive(Clone, Debug)]
pub(crate) struct Place(Arc<PathBuf>);

impl Place {
    pub(crate) fn of(path: &Path) -> Place {
        Place(Arc::new(path.to_owned()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The fault for an error of SQLite.
    pub(crate) fn fault(&self, error: &Error) -> Fault {
        let path = self.path().to_owned();
        // SQLite's own sentences name tables and columns, never values: every value travels as a parameter.
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Fault::Full { path },
            Some(ErrorCode::ReadOnly) => Fault::ReadOnly { path, detail },
            Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Fault::Denied { path, detail }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Fault::Corrupt { path, detail }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Busy { path },
            Some(ErrorCode::TooBig) => Fault::TooLarge {
                what: String::from("the record"),
                max: crate::backend::SEALED_LEN_MAX,
            },
            // A value of another type than the schema's can only come from a damaged or edited file.
            None => Fault::Corrupt { path, detail },
            Some(_) => Fault::Io { path, detail },
        }
    }

    /// For `map_err`.
    pub(crate) fn fails(&self) -> impl Fn(Error) -> Fault + use<'_> {
        |error| self.fault(&error)
    }

    /// The file holds something it cannot hold.
    pub(crate) fn corrupt(&self, detail: impl Into<String>) -> Fault {
        Fault::Corrupt {
            path: self.path().to_owned(),
            detail: detail.into(),
        }
    }
}
