//! The writing verbs in SQL. Each runs inside the writer's transaction, behind a savepoint of its own.
//! Exports one function per verb.
//! Used by the writer thread, and directly while the database is begun.
//! Start reading at `transact`.

use std::time::Duration;

use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::errors::Place;
use super::read::{self, at, number};
use crate::Fault;
use crate::backend::{CHANGES_KEPT, Outcome, RawStep, Ticket, Window};

pub(crate) fn set_meta(
    connection: &Connection,
    place: &Place,
    name: &str,
    before: Option<&[u8]>,
    after: &[u8],
) -> Result<(), Fault> {
    if read::meta(connection, place, name)?.as_deref() != before {
        return Err(Fault::Conflict {
            kind: String::from("value"),
            id: name.to_owned(),
        });
    }
    let set = connection
        .prepare_cached("INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")
        .and_then(|mut statement| statement.execute(params![name, after]));
    set.map(drop).map_err(place.fails())
}

pub(crate) fn transact(
    connection: &Connection,
    place: &Place,
    steps: &[RawStep],
) -> Result<u64, Fault> {
    // The position of the first change is the version of all: it only grows, and is never given twice.
    let version = read::position(connection, place)?.saturating_add(1);
    for step in steps {
        match step {
            RawStep::Expect { kind, id, version } => expect(connection, place, kind, id, *version)?,
            RawStep::Put {
                kind,
                id,
                key_version,
                sealed,
                indexes,
            } => {
                put(connection, kind, id, version, *key_version, sealed, indexes)
                    .map_err(place.fails())?;
            }
            RawStep::Delete { kind, id } => delete(connection, kind, id).map_err(place.fails())?,
            RawStep::Version(wanted) if *wanted == version => {}
            RawStep::Version(wanted) => {
                return Err(Fault::Conflict {
                    kind: String::from("version"),
                    id: wanted.to_string(),
                });
            }
            RawStep::Meta {
                name,
                before,
                after,
            } => set_meta(connection, place, name, before.as_deref(), after)?,
            RawStep::Enqueue {
                queue,
                id,
                due,
                sealed,
            } => enqueue(connection, queue, id, *due, sealed).map_err(place.fails())?,
        }
    }
    forget_old_changes(connection).map_err(place.fails())?;
    Ok(version)
}

fn expect(
    connection: &Connection,
    place: &Place,
    kind: &str,
    id: &str,
    version: u64,
) -> Result<(), Fault> {
    let found = connection
        .prepare_cached("SELECT version FROM records WHERE kind = ?1 AND id = ?2")
        .and_then(|mut statement| {
            statement
                .query_row([kind, id], |row| number(row, 0))
                .optional()
        })
        .map_err(place.fails())?;
    if found.unwrap_or(0) == version {
        return Ok(());
    }
    Err(Fault::Conflict {
        kind: kind.to_owned(),
        id: id.to_owned(),
    })
}

fn put(
    connection: &Connection,
    kind: &str,
    id: &str,
    version: u64,
    key_version: u32,
    sealed: &[u8],
    indexes: &[(String, Vec<u8>)],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO records (kind, id, version, key_version, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (kind, id) DO UPDATE SET version = ?3, key_version = ?4, sealed = ?5",
        )?
        .execute(params![kind, id, at(version), key_version, sealed])?;
    unindex(connection, kind, id)?;
    for (name, value) in indexes {
        connection
            .prepare_cached(
                "INSERT INTO record_indexes (kind, name, value, id) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![kind, name, value, id])?;
    }
    note(connection, kind, id)
}

fn delete(connection: &Connection, kind: &str, id: &str) -> rusqlite::Result<()> {
    let gone = connection
        .prepare_cached("DELETE FROM records WHERE kind = ?1 AND id = ?2")?
        .execute([kind, id])?;
    if gone == 0 {
        return Ok(());
    }
    unindex(connection, kind, id)?;
    note(connection, kind, id)
}

fn unindex(connection: &Connection, kind: &str, id: &str) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("DELETE FROM record_indexes WHERE kind = ?1 AND id = ?2")?;
    statement.execute([kind, id]).map(drop)
}

fn note(connection: &Connection, kind: &str, id: &str) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT INTO changes (kind, id) VALUES (?1, ?2)")?;
    statement.execute([kind, id]).map(drop)
}

fn forget_old_changes(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM changes WHERE position <= (SELECT max(position) FROM changes) - ?1",
    )?;
    statement.execute([at(CHANGES_KEPT)]).map(drop)
}

fn enqueue(
    connection: &Connection,
    queue: &str,
    id: &str,
    due: Timestamp,
    sealed: &[u8],
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO jobs (queue, id, due, attempt, sealed) VALUES (?1, ?2, ?3, 0, ?4)",
    )?;
    statement
        .execute(params![queue, id, due.micros(), sealed])
        .map(drop)
}

pub(crate) fn append(
    connection: &Connection,
    place: &Place,
    stream: &str,
    first: u64,
    entries: &[Vec<u8>],
) -> Result<(), Fault> {
    if read::stream_end(connection, place, stream)?.saturating_add(1) != first {
        return Err(Fault::Conflict {
            kind: String::from("stream"),
            id: stream.to_owned(),
        });
    }
    let appended = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO stream_entries (stream, position, sealed) VALUES (?1, ?2, ?3)",
        )?;
        for (position, sealed) in (first..).zip(entries) {
            statement.execute(params![stream, at(position), sealed])?;
        }
        Ok(())
    };
    appended().map_err(place.fails())
}

pub(crate) fn claim(
    connection: &Connection,
    place: &Place,
    queue: &str,
    lease: Duration,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<(Ticket, Vec<u8>)>, Fault> {
    // A claimed job is simply due again when the lease ends; the attempt number tells the holders apart.
    let claimed = || -> rusqlite::Result<Vec<(Ticket, Vec<u8>)>> {
        let mut due = connection.prepare_cached(
            "SELECT id, attempt, sealed FROM jobs WHERE queue = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3",
        )?;
        let job = |row: &rusqlite::Row<'_>| {
            let attempt: u32 = row.get(1)?;
            Ok((
                Ticket {
                    queue: queue.to_owned(),
                    id: row.get(0)?,
                    attempt: attempt.saturating_add(1),
                },
                row.get(2)?,
            ))
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let jobs = due
            .query_map(params![queue, now.micros(), limit], job)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut take = connection.prepare_cached(
            "UPDATE jobs SET attempt = ?3, due = ?4 WHERE queue = ?1 AND id = ?2",
        )?;
        for (ticket, _) in &jobs {
            take.execute(params![
                queue,
                ticket.id,
                ticket.attempt,
                now.plus(lease).micros()
            ])?;
        }
        Ok(jobs)
    };
    claimed().map_err(place.fails())
}

pub(crate) fn settle(
    connection: &Connection,
    place: &Place,
    ticket: &Ticket,
    outcome: Outcome,
) -> Result<bool, Fault> {
    let Ticket { queue, id, attempt } = ticket;
    let settled = match outcome {
        Outcome::Done => connection
            .prepare_cached("DELETE FROM jobs WHERE queue = ?1 AND id = ?2 AND attempt = ?3")
            .and_then(|mut statement| statement.execute(params![queue, id, attempt])),
        Outcome::Again(due) => connection
            .prepare_cached(
                "UPDATE jobs SET due = ?4 WHERE queue = ?1 AND id = ?2 AND attempt = ?3",
            )
            .and_then(|mut statement| statement.execute(params![queue, id, attempt, due.micros()])),
    };
    settled.map(|rows| rows > 0).map_err(place.fails())
}

pub(crate) fn bump(
    connection: &Connection,
    place: &Place,
    counter: &str,
    window: Window,
    by: u32,
) -> Result<u64, Fault> {
    let bumped = || -> rusqlite::Result<u64> {
        connection
            .prepare_cached("DELETE FROM counters WHERE keep_until < ?1")?
            .execute([window.start.micros()])?;
        let mut statement = connection.prepare_cached(
            "INSERT INTO counters (name, window_start, keep_until, total) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name, window_start) DO UPDATE SET total = total + ?4 RETURNING total",
        )?;
        let (start, end) = (window.start.micros(), window.keep_until.micros());
        statement.query_row(params![counter, start, end, by], |row| number(row, 0))
    };
    bumped().map_err(place.fails())
}
