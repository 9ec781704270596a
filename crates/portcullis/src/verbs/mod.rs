//! The verbs of the command line: one file each, one line each in `VERBS`.
//! Gives `Verb`, `VERBS`.
//! Used by `main`; help, completions and the manual come from here.
//! Start reading at `VERBS`.

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

/// One verb.
pub struct Verb {
    /// As typed.
    pub name: &'static str,
    /// First line of its help, with its effect in brackets.
    pub about: &'static str,
    /// Its arguments.
    pub command: fn() -> Command,
    /// What it does.
    pub run: fn(&ArgMatches) -> Outcome,
}

/// Every verb, sorted by name.
pub const VERBS: &[Verb] = &[
    access::VERB,
    block::VERB,
    can::VERB,
    check::VERB,
    completion::VERB,
    demo::VERB,
    doctor::VERB,
    explain::VERB,
    init::VERB,
    inspect::VERB,
    integration::VERB,
    key::VERB,
    ledger::VERB,
    reload::VERB,
    schema::VERB,
    serve::VERB,
];
