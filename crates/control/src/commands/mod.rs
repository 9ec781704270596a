//! What can be asked for: one file per noun, one line per command.
//! Gives `Command`, `COMMANDS`.
//! Used by `Control::call`.
//! Start reading at `COMMANDS`.

mod blocks;
mod decisions;
mod inspection;
mod integrations;
mod keys;
mod ledger;
mod server;

pub use blocks::{AddedBlock, added_blocks};
pub use integrations::paused;

use serde_json::Value;

use crate::{AdminError, Control};

/// One command.
pub struct Command {
    /// `noun.verb`.
    pub name: &'static str,
    /// Whether it changes something. What only reads works beside whoever holds the store.
    pub is_change: bool,
    /// Does it.
    pub run: fn(&Control, &Value, &str) -> Result<Value, AdminError>,
}

/// Every command, sorted by name.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "block.add",
        is_change: true,
        run: blocks::add,
    },
    Command {
        name: "block.lift",
        is_change: true,
        run: blocks::lift,
    },
    Command {
        name: "block.list",
        is_change: false,
        run: blocks::list,
    },
    Command {
        name: "decision.explain",
        is_change: false,
        run: decisions::explain,
    },
    Command {
        name: "inspection.fetch",
        is_change: true,
        run: inspection::fetch,
    },
    Command {
        name: "inspection.record",
        is_change: true,
        run: inspection::record,
    },
    Command {
        name: "integration.list",
        is_change: false,
        run: integrations::list,
    },
    Command {
        name: "integration.pause",
        is_change: true,
        run: integrations::pause,
    },
    Command {
        name: "integration.resume",
        is_change: true,
        run: integrations::resume,
    },
    Command {
        name: "key.create",
        is_change: true,
        run: keys::create,
    },
    Command {
        name: "key.list",
        is_change: false,
        run: keys::list,
    },
    Command {
        name: "key.revoke",
        is_change: true,
        run: keys::revoke,
    },
    Command {
        name: "key.rotate",
        is_change: true,
        run: keys::rotate,
    },
    Command {
        name: "ledger.checkpoint",
        is_change: true,
        run: ledger::checkpoint,
    },
    Command {
        name: "ledger.show",
        is_change: false,
        run: ledger::show,
    },
    Command {
        name: "server.reload",
        is_change: true,
        run: server::reload,
    },
    Command {
        name: "server.status",
        is_change: true,
        run: server::status,
    },
];
