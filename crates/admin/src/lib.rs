//! The desk: what an operator sees and changes. Keys, explanations, blocks, health and metrics.
//! Gives `Desk`, `COMMANDS` (one file and one line each), `socket` (the local door) and `Health` (the admin listener).
//! Used by the binary: inside a running server, or directly on the store while none runs.
//! Start reading at `Desk::call`.

pub mod announcement;
pub mod commands;
pub mod desk;
pub mod explain;
mod fault;
pub mod health;
mod ids;
pub mod journal;
pub mod maintenance;
mod order;
pub mod reload;
pub mod socket;
pub mod start;
pub mod supervisor;

#[cfg(test)]
mod simulation;

pub use commands::{COMMANDS, Command};
pub use desk::{Desk, Parts};
pub use fault::{DeskFault, Kind};
pub use health::Health;
pub use journal::Journal;
pub use reload::{Loaded, Loading, Refused, Reloaded, Source};
