//! The tables, their migrations, and how a connection is set up.
//! Exports `migrate`, `check`, `check_whole`, `harden`. A database of a newer format is refused.
//! Used when the database is opened.
//! Start reading at `MIGRATIONS`. A migration is never edited once released; a new one is appended.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::errors::Place;
use super::{read, write};
use crate::Fault;

/// `PCLS`: tells our files from other SQLite databases.
const APPLICATION_ID: i64 = 0x5043_4C53;

/// Name under which a clean stop is noted.
const STOPPED: &str = "stopped_cleanly";

/// A larger file that was closed in order is not read whole at every start.
const CHECKED_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// Every format of the database, in order: number and statements that lead to it.
const MIGRATIONS: &[(u32, &str)] = &[FIRST, WITH_INVENTORY];

/// Records name their version in their seal, and a named value says what there is. Older programs would neither read the
/// ones nor keep the other; both are written where the keys are known, when the store is opened.
const WITH_INVENTORY: (u32, &str) = (2, "");

const FIRST: (u32, &str) = (
    1,
    "CREATE TABLE meta (
         name TEXT NOT NULL PRIMARY KEY,
         value BLOB NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE records (
         kind TEXT NOT NULL,
         id TEXT NOT NULL,
         version INTEGER NOT NULL,
         key_version INTEGER NOT NULL,
         sealed BLOB NOT NULL,
         PRIMARY KEY (kind, id)
     ) STRICT;
     CREATE TABLE record_indexes (
         kind TEXT NOT NULL,
         name TEXT NOT NULL,
         value BLOB NOT NULL,
         id TEXT NOT NULL,
         PRIMARY KEY (kind, name, value, id)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX record_indexes_by_id ON record_indexes (kind, id);
     CREATE TABLE stream_entries (
         stream TEXT NOT NULL,
         position INTEGER NOT NULL,
         sealed BLOB NOT NULL,
         PRIMARY KEY (stream, position)
     ) STRICT;
     CREATE TABLE jobs (
         queue TEXT NOT NULL,
         id TEXT NOT NULL,
         due INTEGER NOT NULL,
         attempt INTEGER NOT NULL,
         sealed BLOB NOT NULL,
         PRIMARY KEY (queue, id)
     ) STRICT;
     CREATE INDEX jobs_by_due ON jobs (queue, due);
     CREATE TABLE counters (
         name TEXT NOT NULL,
         window_start INTEGER NOT NULL,
         keep_until INTEGER NOT NULL,
         total INTEGER NOT NULL,
         PRIMARY KEY (name, window_start)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX counters_by_end ON counters (keep_until);
     CREATE TABLE changes (
         position INTEGER PRIMARY KEY AUTOINCREMENT,
         kind TEXT NOT NULL,
         id TEXT NOT NULL
     ) STRICT;",
);

/// The newest format this program knows.
pub(crate) const FORMAT: u32 = match MIGRATIONS.last() {
    Some((format, _)) => *format,
    None => 0,
};

/// Sets a connection up to trust the file as little as possible.
pub(crate) fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // What is acknowledged is on the disk: the log is synced at every commit.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Deleted content is overwritten, sealed as it is.
    connection.pragma_update(None, "secure_delete", true)
}

/// Write-ahead logging: readers and the writer do not wait for each other.
pub(crate) fn write_ahead(connection: &Connection, place: &Place) -> Result<(), Fault> {
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(place.fails())?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    let detail = format!("its file system offers no write-ahead log (journal mode {mode})");
    Err(Fault::Denied {
        path: place.path().to_owned(),
        detail,
    })
}

/// Whether the file is ours and of a format we know.
pub(crate) fn check(connection: &Connection, place: &Place) -> Result<(), Fault> {
    let id: i64 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(place.fails())?;
    if id != APPLICATION_ID {
        return Err(place.corrupt("it is the database of another program"));
    }
    match format(connection, place)? {
        0 => Err(place.corrupt("it has no format number")),
        found if found > FORMAT => Err(Fault::TooNew {
            path: place.path().to_owned(),
            found,
            known: FORMAT,
        }),
        _ => Ok(()),
    }
}

/// Whether closing leaves the file as it is: what is in the write-ahead log stays there.
pub(crate) fn keep_untouched(connection: &Connection, is_kept: bool) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_kept)
        .map(drop)
}

/// Whether the whole file is to be checked: always, but for a large one that was closed in order. Checking reads
/// some hundred MiB in a second, and an installation with a thousand keys has one or two.
pub(crate) fn is_check_due(connection: &Connection, place: &Place) -> Result<bool, Fault> {
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .map_err(place.fails())?;
    let size: i64 = connection
        .pragma_query_value(None, "page_size", |row| row.get(0))
        .map_err(place.fails())?;
    let is_large = pages.saturating_mul(size) > CHECKED_BYTES_MAX;
    Ok(!is_large || !was_stopped_cleanly(connection, place)?)
}

/// Reads every page once.
pub(crate) fn check_whole(connection: &Connection, place: &Place) -> Result<(), Fault> {
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| place.corrupt(error.to_string()))?;
    if said == "ok" {
        Ok(())
    } else {
        Err(place.corrupt(said))
    }
}

/// Brings the database to the newest format: all of it, or none.
pub(crate) fn migrate(connection: &mut Connection, place: &Place) -> Result<(), Fault> {
    let from = format(connection, place)?;
    if from == FORMAT {
        return Ok(());
    }
    let migrated = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS formats (number INTEGER NOT NULL PRIMARY KEY) STRICT;",
        )?;
        for (number, statements) in MIGRATIONS.iter().filter(|(number, _)| *number > from) {
            transaction.execute_batch(statements)?;
            transaction.execute("INSERT INTO formats (number) VALUES (?1)", [number])?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()
    })();
    migrated.map_err(place.fails())
}

/// The database's format; 0 when it has none yet.
fn format(connection: &Connection, place: &Place) -> Result<u32, Fault> {
    let has_formats = connection
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'formats'",
            [],
            |_| Ok(()),
        )
        .optional()
        .map_err(place.fails())?;
    if has_formats.is_none() {
        return Ok(0);
    }
    let newest = connection.query_row("SELECT coalesce(max(number), 0) FROM formats", [], |row| {
        row.get(0)
    });
    newest.map_err(place.fails())
}

/// Whether the last process closed the database itself.
pub(crate) fn was_stopped_cleanly(connection: &Connection, place: &Place) -> Result<bool, Fault> {
    Ok(read::meta(connection, place, STOPPED)?.as_deref() == Some(b"yes"))
}

/// Notes that a process is at work. Being the first write, it also finds a directory that cannot be written.
pub(crate) fn mark_running(connection: &Connection, place: &Place) -> Result<(), Fault> {
    mark(connection, place, b"no")
}

/// Notes that everything was closed in order.
pub(crate) fn mark_stopped(connection: &Connection, place: &Place) -> Result<(), Fault> {
    mark(connection, place, b"yes")
}

fn mark(connection: &Connection, place: &Place, word: &[u8]) -> Result<(), Fault> {
    let before = read::meta(connection, place, STOPPED)?;
    write::set_meta(connection, place, STOPPED, before.as_deref(), word)
}
