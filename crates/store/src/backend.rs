//! The narrow trait behind the store: kind, id, declared index values and sealed bytes; no business, no secrets.
//! Exports `Backend`. Everything is bounded; every change is durable when the call returns.
//! Implemented by the embedded SQLite file and by the fault-injecting wrapper; `conformance` states what it must do.
//! Start reading at `Backend`.

use std::time::Duration;

use model::Timestamp;

use crate::Fault;

/// Name under which the wrapped root key stands in the backend's named values.
pub(crate) const ROOT: &str = "root";

/// Longest name of a kind, id, index value, stream, queue or counter, in bytes.
pub const NAME_LEN_MAX: usize = 256;
/// Largest sealed record, stream entry or job, in bytes.
pub const SEALED_LEN_MAX: usize = 1 << 20;
/// Most steps in one transaction and most rows in one answer.
pub const ROWS_MAX: usize = 1_000;
/// Changes kept for watchers.
pub const CHANGES_KEPT: u64 = 10_000;

/// A record as the backend sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Changes with every put; never used twice for one id.
    pub version: u64,
    /// Version of the sealing key.
    pub key_version: u32,
    /// Sealed content.
    pub sealed: Vec<u8>,
}

/// One step of a transaction. All take effect, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawStep {
    /// Goes on only if the record is at this version; 0 means that there is none.
    Expect {
        /// Kind.
        kind: String,
        /// Id.
        id: String,
        /// Expected version.
        version: u64,
    },
    /// Adds or replaces a record.
    Put {
        /// Kind.
        kind: String,
        /// Id.
        id: String,
        /// Version of the sealing key.
        key_version: u32,
        /// Sealed content.
        sealed: Vec<u8>,
        /// Index names with their values as they stand in the file.
        indexes: Vec<(String, Vec<u8>)>,
    },
    /// Removes a record; none there is fine.
    Delete {
        /// Kind.
        kind: String,
        /// Id.
        id: String,
    },
    /// Goes on only if this is the version that the records of this transaction get.
    Version(u64),
    /// Replaces a named value outside the records if it is still `before`.
    Meta {
        /// Its name.
        name: String,
        /// What it was.
        before: Option<Vec<u8>>,
        /// What it is to be.
        after: Vec<u8>,
    },
    /// Adds a job to a queue.
    Enqueue {
        /// Queue.
        queue: String,
        /// The job's id.
        id: String,
        /// Not before this moment.
        due: Timestamp,
        /// Sealed content.
        sealed: Vec<u8>,
    },
}

/// The right to settle a claimed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Queue.
    pub queue: String,
    /// The job's id.
    pub id: String,
    /// How often it was claimed, this time included.
    pub attempt: u32,
}

/// What became of a claimed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done (or given up): the job goes away.
    Done,
    /// Again, not before this moment.
    Again(Timestamp),
}

/// The window of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning; with the name it identifies the counter.
    pub start: Timestamp,
    /// When it may be forgotten.
    pub keep_until: Timestamp,
}

/// A record was put or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where to go on watching from.
    pub position: u64,
    /// Kind.
    pub kind: String,
    /// Id.
    pub id: String,
}

/// A named value, and every record with its kind.
pub type Everything = (Option<Vec<u8>>, Vec<(String, Row)>);

/// What a place to remember must be able to do.
pub trait Backend: Send + Sync {
    /// Ends everything in order, also where others still hold it; every later call is refused. Nothing to do by default.
    fn close(&self) {}

    /// A named value outside the records, such as the wrapped root key.
    ///
    /// # Errors
    /// Any [`Fault`] of reading; so for every reading verb below.
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, Fault>;

    /// Replaces a named value if it is still `before`.
    ///
    /// # Errors
    /// [`Fault::Conflict`] when it is not; any fault of writing. So for every writing verb below.
    fn set_meta(&self, name: &str, before: Option<&[u8]>, after: &[u8]) -> Result<(), Fault>;

    /// One record.
    ///
    /// # Errors
    /// As [`Backend::meta`].
    fn get(&self, kind: &str, id: &str) -> Result<Option<Row>, Fault>;

    /// Records by id, from after `after`, all or those with an index value; at most `limit`.
    ///
    /// # Errors
    /// As [`Backend::meta`].
    fn list(
        &self,
        kind: &str,
        index: Option<(&str, &[u8])>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Row>, Fault>;

    /// A named value and every record, by kind and id, as they were at one moment.
    ///
    /// # Errors
    /// As [`Backend::meta`]; [`Fault::TooLarge`] when there are more than `limit` records.
    fn everything(&self, name: &str, limit: usize) -> Result<Everything, Fault>;

    /// How many stream entries and jobs there are.
    ///
    /// # Errors
    /// As [`Backend::meta`].
    fn entries_and_jobs(&self) -> Result<u64, Fault>;

    /// Does all steps or none, in order. Gives the version of the records it put.
    ///
    /// # Errors
    /// As [`Backend::set_meta`].
    fn transact(&self, steps: Vec<RawStep>) -> Result<u64, Fault>;

    /// Position of a stream's last entry; 0 when it is empty.
    ///
    /// # Errors
    /// As [`Backend::meta`].
    fn stream_end(&self, stream: &str) -> Result<u64, Fault>;

    /// Appends entries at positions `first`, `first + 1`, … where `first` must follow the last one.
    ///
    /// # Errors
    /// As [`Backend::set_meta`]; [`Fault::Conflict`] when somebody else appended first.
    fn append(&self, stream: &str, first: u64, entries: Vec<Vec<u8>>) -> Result<(), Fault>;

    /// Entries from position `from` on, at most `limit`.
    ///
    /// # Errors
    /// As [`Backend::meta`].
    fn read_stream(
        &self,
        stream: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, Fault>;

    /// Takes up to `limit` due jobs for the time of `lease`. Unsettled ones come back when it ends.
    ///
    /// # Errors
    /// As [`Backend::set_meta`].
    fn claim(
        &self,
        queue: &str,
        lease: Duration,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<(Ticket, Vec<u8>)>, Fault>;

    /// Says what became of a job. `false` when somebody else has claimed it since.
    ///
    /// # Errors
    /// As [`Backend::set_meta`].
    fn settle(&self, ticket: &Ticket, outcome: Outcome) -> Result<bool, Fault>;

    /// Adds to a counter and gives its new total.
    ///
    /// # Errors
    /// As [`Backend::set_meta`].
    fn bump(&self, counter: &str, window: Window, by: u32) -> Result<u64, Fault>;

    /// Position of the latest change.
    ///
    /// # Errors
    /// As [`Backend::meta`].
    fn position(&self) -> Result<u64, Fault>;

    /// Changes after a position, at most `limit`; waits up to `wait` for the first one.
    ///
    /// # Errors
    /// As [`Backend::meta`]; [`Fault::Missed`] when they are no longer all kept.
    fn watch(&self, after: u64, limit: usize, wait: Duration) -> Result<Vec<Change>, Fault>;
}
