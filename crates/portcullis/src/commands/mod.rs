//! The subcommands of the command line: one file each, one line each in `COMMANDS`.
//! Exports `Subcommand`, `COMMANDS`.
//! Used by `main`; help, completions and the manual come from here.
//! Start reading at `COMMANDS`.

mod access;
mod block;
mod can;
mod check;
mod completion;
mod demo;
mod doctor;
mod explain;
mod init;
mod inspect;
mod integration;
mod key;
mod ledger;
mod reload;
mod schema;
mod serve;

use clap::{ArgMatches, Command};

use crate::exit::Outcome;

/// One subcommand.
pub struct Subcommand {
    /// As typed.
    pub name: &'static str,
    /// First line of its help, with its effect in brackets.
    pub about: &'static str,
    /// Its arguments.
    pub command: fn() -> Command,
    /// What it does.
    pub run: fn(&ArgMatches) -> Outcome,
}

/// Every subcommand, sorted by name.
pub const COMMANDS: &[Subcommand] = &[
    access::SUBCOMMAND,
    block::SUBCOMMAND,
    can::SUBCOMMAND,
    check::SUBCOMMAND,
    completion::SUBCOMMAND,
    demo::SUBCOMMAND,
    doctor::SUBCOMMAND,
    explain::SUBCOMMAND,
    init::SUBCOMMAND,
    inspect::SUBCOMMAND,
    integration::SUBCOMMAND,
    key::SUBCOMMAND,
    ledger::SUBCOMMAND,
    reload::SUBCOMMAND,
    schema::SUBCOMMAND,
    serve::SUBCOMMAND,
];
