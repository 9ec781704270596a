//! What the desk can be asked to do: one file per noun, one line per command.
//! Gives `Command`, `COMMANDS`.
//! Used by `Desk::call`.
//! Start reading at `COMMANDS`.

mod blocks;
mod decisions;
mod integrations;
mod keys;
mod ledger;
mod server;

pub use integrations::paused;

use serde_json::Value;

use crate::{Desk, DeskFault};

/// One command.
pub struct Command {
    /// `noun.verb`.
    pub name: &'static str,
    /// Does it.
    pub run: fn(&Desk, &Value, &str) -> Result<Value, DeskFault>,
}

/// Every command, sorted by name.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "block.forgive",
        run: blocks::forgive,
    },
    Command {
        name: "decision.explain",
        run: decisions::explain,
    },
    Command {
        name: "integration.list",
        run: integrations::list,
    },
    Command {
        name: "integration.pause",
        run: integrations::pause,
    },
    Command {
        name: "integration.resume",
        run: integrations::resume,
    },
    Command {
        name: "key.create",
        run: keys::create,
    },
    Command {
        name: "key.list",
        run: keys::list,
    },
    Command {
        name: "key.revoke",
        run: keys::revoke,
    },
    Command {
        name: "key.rotate",
        run: keys::rotate,
    },
    Command {
        name: "ledger.checkpoint",
        run: ledger::checkpoint,
    },
    Command {
        name: "ledger.show",
        run: ledger::show,
    },
    Command {
        name: "server.reload",
        run: server::reload,
    },
    Command {
        name: "server.status",
        run: server::status,
    },
];
