//! What every kind of destination has in common.
//! Exports `Destination`, `Record` and `Target`.
//! Used by `kinds`, which implement it, and by whoever delivers.
//! Start reading at `Destination`.

use std::fmt;
use std::path::Path;

use model::Mistake;

/// The settings of one destination, which know how to check themselves, where they lead and how a record reads there.
pub trait Destination: fmt::Debug {
    /// Adds what is wrong with them; pointers begin at the settings (`/path`).
    fn check(&self, found: &mut Vec<Mistake>);

    /// Where the bytes go.
    fn target(&self) -> Target<'_>;

    /// Appends the record as it is sent. Called again for the same record where it could not be sent whole.
    fn write(&self, record: &Record<'_>, out: &mut Vec<u8>);
}

/// A record to be delivered.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// Its number in the ledger. A record that comes twice comes with the same one.
    pub seq: u64,
    /// Its exact text in the ledger: one JSON object on one line.
    pub json: &'r str,
}

/// Where bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'s> {
    /// To the end of a file or a named pipe. A file is made where there is none, for its owner alone; where another one has
    /// taken its place, that one is written from there on.
    File(&'s Path),
}
