//! What do we remember? Eight verbs over sealed records, in one SQLite file beside the configuration.
//! Exports `Store` (typed, sealing), `embedded` (opens it in a directory), `Backend` (the narrow trait) and `conformance` (what every backend must do).
//! Used by gateway, admin and the command line. The road of a request never calls it: it reads its snapshot.
//! Start reading at `embedded::open`; kinds of records are declared in `kinds`.
//!
//! What sealing hides and what it does not: record contents, stream entries and jobs are AES-256-GCM, and blind
//! indexes are keyed digests. Kinds, ids, plain indexes, counters, sizes and times stay visible in the file.
//!
//! What it keeps from being put back: every record names its version in its seal, and a sealed statement says what there is.

pub mod backend;
pub mod conformance;
mod data_dir;
pub mod embedded;
mod fault;
pub mod faulty;
mod indexes;
mod inventory;
pub mod kinds;
mod records;
mod seal;
mod sqlite;
mod store;

pub use backend::{Backend, Change, Outcome, Ticket, Window};
pub use data_dir::{DATABASE, Lock};
pub use fault::{Fault, Whose};
pub use kinds::{Index, IndexForm, Kind};
pub use store::{Expected, Filter, Job, Opened, Page, Step, Store, Stored};
