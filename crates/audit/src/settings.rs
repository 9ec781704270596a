//! How a ledger is recorded, and what is needed to open one for it.
//! Exports `Settings`, `Durability`, `Opening`, `OnCheckpoint`, `RECORD_BYTES_MAX`.
//! Used by whoever opens a ledger, by the queue, the writer and recovery.
//! Start reading at `Settings`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::checkpoint::SignedCheckpoint;
use crate::disk::{Disk, RealDisk};

/// Called with every new checkpoint, e.g. to keep it in the database as a second witness.
pub type OnCheckpoint = Box<dyn FnMut(&SignedCheckpoint) + Send>;

/// Largest record. Events are bounded far below it.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// When an event counts as recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After fdatasync: a power cut loses nothing that was answered.
    #[default]
    Sync,
    /// After write: a crash of the program loses nothing, a power cut up to the last checkpoint's age.
    Write,
}

/// How the recorder works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the ledger in its checkpoints: visible ASCII without spaces and `+`.
    pub origin: String,
    /// When an event counts as recorded. Default `sync`.
    pub durability: Durability,
    /// After a group of at least 8 events the writer waits until the next is as large, at most so long, and only while
    /// events come quickly: fewer, larger groups cost less CPU. Under light load nobody waits. Default 0.
    pub gather: Duration,
    /// A segment that has this size is closed and the next one begun. Default 64 MiB.
    pub segment_bytes: u64,
    /// A segment whose first record is so old is closed and the next one begun, so that records can be destroyed by their age
    /// however few there are. Default 1 day.
    pub segment_age: Duration,
    /// A checkpoint is signed after this many records. Default 1,000.
    pub checkpoint_records: u64,
    /// A checkpoint is signed at most this long after a record. Default 1 s.
    pub checkpoint_interval: Duration,
    /// Events that may wait for the disk; beyond it they are refused. Default 8,192.
    pub queue_records: usize,
    /// Persons who can be told apart, each with a key of their own; events about more are refused. Default, and at most,
    /// [`crate::SUBJECTS_MAX`].
    pub subjects_max: usize,
    /// Bytes of events that may wait for the disk. Default 8 MiB, at most 32 MiB.
    pub queue_bytes: usize,
}

impl Settings {
    /// The defaults, for a ledger of this name.
    pub fn new(origin: impl Into<String>) -> Self {
        Settings {
            origin: origin.into(),
            durability: Durability::Sync,
            gather: Duration::ZERO,
            segment_bytes: 64 * 1024 * 1024,
            segment_age: Duration::from_secs(86_400),
            checkpoint_records: 1_000,
            checkpoint_interval: Duration::from_secs(1),
            queue_records: 8_192,
            subjects_max: crate::SUBJECTS_MAX,
            queue_bytes: 8 * 1024 * 1024,
        }
    }
}

/// What is needed to open a ledger for recording.
pub struct Opening {
    /// Directory of the ledger; made when absent.
    pub dir: PathBuf,
    /// How to work.
    pub settings: Settings,
    /// Sealing and signing keys.
    pub keys: Arc<crypto::Keys>,
    /// The newest checkpoint known elsewhere (the database), as text: a ledger older than it was rolled back.
    pub witness: Option<String>,
    /// Called with every new checkpoint on the writer's thread; must be quick.
    pub on_checkpoint: Option<OnCheckpoint>,
    /// The files; tests put a failing disk here.
    pub disk: Arc<dyn Disk>,
}

impl Opening {
    /// With default hooks and the real disk.
    pub fn new(dir: impl Into<PathBuf>, settings: Settings, keys: Arc<crypto::Keys>) -> Self {
        Opening {
            dir: dir.into(),
            settings,
            keys,
            witness: None,
            on_checkpoint: None,
            disk: Arc::new(RealDisk),
        }
    }
}
