//! What can go wrong with the ledger, said for the operator.
//! Exports `LedgerFault`. Cloneable, because one failed write answers many waiting callers.
//! Used by every module of this room; the gateway answers 503 on any of them.
//! Start reading at `LedgerFault`.

use std::io;
use std::path::Path;

/// A fault of the ledger. Whatever it is, the event it was returned for is not in the ledger for certain,
/// and the answer that depends on it must not be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerFault {
    /// The queue in front of the writer is full: events arrive faster than the disk takes them.
    #[error("the ledger's queue is full; the disk is slower than the traffic")]
    Busy,
    /// The disk is full. New events are refused until there is space; no restart is needed then.
    #[error("the disk that holds the ledger is full; free some space, recording goes on by itself")]
    Full,
    /// The next file of the ledger cannot be made. Nothing that is there has changed, so it is tried again with the next event.
    #[error(
        "the ledger cannot make its next file ({what}); let the server's user write its directory, recording goes on by itself"
    )]
    Unready {
        /// The error of the operating system.
        what: String,
    },
    /// A write or flush failed in a way that leaves the file's state unknown. Nothing is accepted until reopened.
    #[error("the ledger stopped after a disk error ({what}); check the disk, then restart")]
    Broken {
        /// The error of the operating system.
        what: String,
    },
    /// The event is larger than a record may be.
    #[error("the event has {bytes} bytes; a record may have {max}", max = crate::RECORD_BYTES_MAX)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// So many persons are named in the ledger that no other one can have a key of their own.
    #[error(
        "the ledger names {max} persons, and no more can be told apart; destroy old records (`portcullis ledger destroy`), \
         and see whether an integration states something else than persons",
        max = crate::SUBJECTS_MAX
    )]
    TooManyPersons,
    /// The recorder was stopped.
    #[error("the ledger was closed")]
    Stopped,
    /// Another process records into the same directory.
    #[error("another process has the ledger {path} open; stop it, or use another data directory")]
    Locked {
        /// The directory.
        path: String,
    },
    /// The sealing key is not the one the ledger was written with.
    #[error(
        "the ledger {file} was sealed with another key; use the key-encryption key it was written with"
    )]
    WrongKey {
        /// The segment.
        file: String,
    },
    /// Reading or writing a file failed.
    #[error("{path}: {what}")]
    Io {
        /// The file.
        path: String,
        /// The error of the operating system.
        what: String,
    },
    /// The files are not what the signed checkpoints say they were: somebody or something changed them.
    #[error("the ledger does not hold together from record {seq} on ({file}): {what}")]
    Integrity {
        /// First record that cannot be relied upon.
        seq: u64,
        /// Where it was seen.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The private key that signs is not there, or is not the one that the ledger names. The records are in order.
    #[error(
        "{path}: {what}. The records are in order, and nothing new can be signed: bring this file back from a backup, or, while a server still runs with this key, have it make another with `ledger rotate-signer`"
    )]
    Signer {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file that is being written was taken away or replaced: what is appended to it would reach nobody.
    #[error(
        "the ledger stopped: {path} was taken away or replaced while it was written to; put it back as it was, then restart"
    )]
    Displaced {
        /// The file.
        path: String,
    },
    /// The key of these records was destroyed. The chain over them still holds.
    #[error(
        "the records #{seq} to #{last} were destroyed and cannot be read any more; begin with #{next}",
        last = .next.saturating_sub(1)
    )]
    Destroyed {
        /// The first record that was asked for and cannot be read.
        seq: u64,
        /// The first one behind it that can.
        next: u64,
    },
    /// A setting or argument cannot be used.
    #[error("{what}")]
    Unusable {
        /// What is wrong with it.
        what: String,
    },
}

impl LedgerFault {
    /// Whether the ledger was found changed; the program ends with exit code 3 then.
    pub fn is_integrity(&self) -> bool {
        matches!(
            self,
            LedgerFault::Integrity { .. } | LedgerFault::Signer { .. }
        )
    }

    /// Whether the same event may be accepted a little later without a restart.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            LedgerFault::Busy | LedgerFault::Full | LedgerFault::Unready { .. }
        )
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        LedgerFault::Io {
            path: path.display().to_string(),
            what: error.to_string(),
        }
    }

    pub(crate) fn integrity(seq: u64, path: &Path, what: impl Into<String>) -> Self {
        let file = path.file_name().unwrap_or(path.as_os_str());
        LedgerFault::Integrity {
            seq,
            file: file.to_string_lossy().into_owned(),
            what: what.into(),
        }
    }
}
