//! The demo company running: upstream, gateway, keys, gentle traffic, and the tour through all of it.
//! Exports `Company`, `Worker`, `Keyring`, `is_running`, `remembered`, `tour`.
//! Used by `portcullis demo`, which has the words. The company itself, its contract and its data are in the room `demo`.
//! Start reading at `Company::start`.

mod keys;
mod running;
pub mod tour;

pub use keys::Keyring;
pub use running::{Company, Worker, is_running, remembered};
