//! What can go wrong with remembering, whose it is, and what to do about it.
//! Exports `Fault`. Every message ends with a remedy; none holds the content of a record.
//! Used by everything that opens or calls the store.
//! Start reading at `Fault`.

use std::io;
use std::path::{Path, PathBuf};

use crypto::KeyFault;

/// Something went wrong with the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another process has the data directory open for writing.
    #[error("{} is in use by process {pid}. Stop that process, or give this one another `store.dir`", dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// The holder's process id, `unknown` when it did not say.
        pid: String,
    },
    /// The keys do not open the data.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The file is not a whole database of ours.
    #[error(
        "{} is damaged: {detail}. Nothing was changed. Restore the file from a backup; \
         keep the damaged one until the restored one is checked", path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The database is gone while other data of the same installation is still there.
    #[error(
        "{} is missing, but {} is there. A new database would not be able to read it, so none was made. \
         Restore the database from a backup, or move the rest away to begin anew", path.display(), beside.display()
    )]
    Lost {
        /// The missing file.
        path: PathBuf,
        /// What is there.
        beside: PathBuf,
    },
    /// The database was taken away or replaced while it is open.
    #[error(
        "{} was taken away or replaced while it is open: nothing is written to it any more, because no start would find it. \
         Put it back as it was, with the files beside it, or restart", path.display()
    )]
    Displaced {
        /// Where it was.
        path: PathBuf,
    },
    /// There is nothing to read yet.
    #[error("{} does not exist yet. Start the server once, or point `store.dir` at the right directory", path.display())]
    Absent {
        /// The missing file.
        path: PathBuf,
    },
    /// A newer Portcullis wrote the database.
    #[error(
        "{} has format {found}, this program knows formats up to {known}. Nothing was changed. \
         Use the newer Portcullis that wrote it, or restore a backup from before the upgrade", path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format we know.
        known: u32,
    },
    /// No room left.
    #[error("no room left on the disk of {}. Nothing was half-written. Free some space; the store goes on by itself", path.display())]
    Full {
        /// The file or directory.
        path: PathBuf,
    },
    /// Writing is not possible there.
    #[error("{} cannot be written: {detail}. Make the directory writable for this user, or give another `store.dir`", path.display())]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The system does not let us.
    #[error("{} cannot be used: {detail}. Make it accessible to this user and to nobody else (directory 0700, files 0600)", path.display())]
    Denied {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Reading or writing failed.
    #[error("reading or writing {} failed: {detail}. Check the disk; retry when it is well", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Somebody else holds the database for too long.
    #[error("{} is busy. Another program reads or copies it; retry in a moment", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A record is not at the version that was expected.
    #[error(
        "{kind} {id} was changed by somebody else in the meantime. Read it again and repeat the change"
    )]
    Conflict {
        /// Kind of the record.
        kind: String,
        /// Its id.
        id: String,
    },
    /// A record does not open or does not have its form.
    #[error("{kind} {id} cannot be read: {detail}. Restore the database from a backup")]
    Unreadable {
        /// Kind of the record.
        kind: String,
        /// Its id.
        id: String,
        /// What is wrong; never content.
        detail: String,
    },
    /// What is there is not what was written last: somebody else wrote to the database.
    #[error(
        "the database is not as Portcullis left it: {what}. Somebody else wrote to it; keep the file as evidence. Restore it from a \
         backup of the data directory: what was revoked, paused and blocked since then holds again at the next start, as the \
         ledger has it"
    )]
    NotAsWritten {
        /// What was found.
        what: String,
    },
    /// The keys of the store have sealed as much as they may.
    #[error(
        "the keys of the store have sealed {max} changes, and may seal no more. Stop the server and run `portcullis key rotate-root`"
    )]
    WornOut {
        /// The bound.
        max: u64,
    },
    /// Something waits in streams or queues, which is not sealed anew.
    #[error(
        "streams or queues of the database are not empty, so its root key cannot be replaced. Nothing was changed; please report it"
    )]
    HasJobs,
    /// A bound of the store was exceeded.
    #[error("{what} is larger than the store accepts ({max})")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The bound.
        max: usize,
    },
    /// A watcher was away for too long.
    #[error(
        "changes up to {oldest} are no longer kept. Read everything again, then watch from there"
    )]
    Missed {
        /// Oldest position that is still kept.
        oldest: u64,
    },
    /// The store was opened for reading only.
    #[error("the store was opened for reading only; changes go through the running server")]
    ReadingOnly,
    /// The store is closed.
    #[error("the store is closed; the process is stopping")]
    Closed,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The operator's: configuration, keys, rights, room.
    Operator,
    /// The machine's: disk and file system.
    Machine,
    /// Nobody's: two changes met.
    Nobody,
    /// Ours.
    Portcullis,
}

impl Fault {
    /// Whose fault it is.
    pub const fn whose(&self) -> Whose {
        match self {
            Fault::InUse { .. } | Fault::Key(_) | Fault::Lost { .. } | Fault::Absent { .. } => {
                Whose::Operator
            }
            Fault::NotAsWritten { .. }
            | Fault::WornOut { .. }
            | Fault::TooNew { .. }
            | Fault::Displaced { .. }
            | Fault::Full { .. }
            | Fault::ReadOnly { .. }
            | Fault::Denied { .. } => Whose::Operator,
            Fault::Corrupt { .. } | Fault::Io { .. } | Fault::Unreadable { .. } => Whose::Machine,
            Fault::Busy { .. } | Fault::Conflict { .. } | Fault::Missed { .. } | Fault::Closed => {
                Whose::Nobody
            }
            Fault::TooLarge { .. } | Fault::HasJobs | Fault::ReadingOnly => Whose::Portcullis,
        }
    }

    /// Whether the same call can succeed later without anybody changing the call.
    pub const fn is_worth_retrying(&self) -> bool {
        matches!(
            self,
            Fault::Full { .. } | Fault::Io { .. } | Fault::Busy { .. } | Fault::ReadOnly { .. }
        )
    }

    /// The fault for an error of the file system at a path.
    pub(crate) fn at(path: &Path, error: &io::Error) -> Fault {
        let (path, detail) = (path.to_owned(), error.to_string());
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full { path },
            io::ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly { path, detail },
            io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory => {
                Fault::Denied { path, detail }
            }
            _ => Fault::Io { path, detail },
        }
    }
}
