//! What lies on disk for a server, and the server that is started from it: configuration directory, secrets, certificates, store, ledger.
//! Exports `files` (the directory as texts), `open` (store and ledger), `secrets`, `certificates`, `Directory` (where a running
//! server gets its next configuration from), `server` (every room wired), and `doctor` (is all of it fit to serve?).
//! Used by the binary, which has the words. Start reading at `open::open`; why this is a room is in docs/decisions/034.

pub mod bounded;
pub mod certificates;
pub mod check;
mod descriptors;
pub mod doctor;
mod error;
pub mod files;
mod intents;
pub mod kek;
mod layout;
pub mod ledger;
pub mod new_files;
pub mod open;
mod places;
pub mod root;
mod secrets;
pub mod server;
mod source;

pub use error::{InstallationError, Severity};
pub use source::{Directory, snapshot};

use gateway::Clock;
use model::Timestamp;

/// The time.
pub fn now() -> Timestamp {
    Clock::default().now()
}
