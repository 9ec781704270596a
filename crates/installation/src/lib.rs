//! What lies on disk for a server: its configuration directory, secrets, certificates, store and ledger.
//! Exports `files` (the directory as texts), `open` (store and ledger), `secrets`, `certificates`, `Directory` (where a running
//! server gets its next configuration from), and `doctor` (is all of it fit to serve?).
//! Used by the binary, which has the words. Start reading at `open::open`; why this is a room is in docs/decisions/034.

pub mod certificates;
pub mod doctor;
mod error;
pub mod files;
pub mod open;
pub mod secrets;
mod source;

pub use error::{InstallationError, Severity};
pub use source::{Directory, snapshot};
