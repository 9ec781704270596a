//! The one owner of the running state (configuration, pauses, credentials, blocks), and the commands by which people change it.
//! Exports `Control`, `Actor`, `COMMANDS` (one file and one line each), `socket` (the local one) and `Health` (the admin listener).
//! Used by the binary: inside a running server, or directly on the store while none runs.
//! Start reading at `Control::call`, then at `order::Turn::commit`.

mod account;
pub mod actor;
pub mod announcement;
pub mod client;
pub mod commands;
pub mod delivery;
pub mod destroyed_keys;
mod error;
pub mod explain;
pub mod health;
pub mod journal;
pub mod maintenance;
mod order;
pub mod output;
pub mod owner;
pub mod reconcile;
mod refusals;
pub mod reload;
pub mod socket;
pub mod start;
pub mod supervisor;

#[cfg(test)]
mod simulation;

pub use actor::{Actor, Permission};
pub use commands::{COMMANDS, Command};
pub use error::{AdminError, AdminErrorKind};
pub use health::Health;
pub use journal::Journal;
pub use owner::{Control, ControlParts};
pub use reload::{
    ConfigurationInForce, ConfigurationSource, LoadedConfiguration, Loading, RefusedConfiguration,
};
