//! The reading verbs in SQL.
//! Exports one function per verb. Statements are kept prepared; every value is a parameter.
//! Used by the backend's readers and, within its transaction, by the writer.
//! Start reading at `get`.

use rusqlite::{Connection, OptionalExtension, params};

use super::errors::Place;
use crate::Fault;
use crate::backend::{Change, Everything, Row};

pub(crate) fn meta(
    connection: &Connection,
    place: &Place,
    name: &str,
) -> Result<Option<Vec<u8>>, Fault> {
    let found = connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")
        .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional());
    found.map_err(place.fails())
}

pub(crate) fn get(
    connection: &Connection,
    place: &Place,
    kind: &str,
    id: &str,
) -> Result<Option<Row>, Fault> {
    let found = connection
        .prepare_cached(
            "SELECT id, version, key_version, sealed FROM records WHERE kind = ?1 AND id = ?2",
        )
        .and_then(|mut statement| statement.query_row([kind, id], record).optional());
    found.map_err(place.fails())
}

pub(crate) fn list(
    connection: &Connection,
    place: &Place,
    kind: &str,
    index: Option<(&str, &[u8])>,
    after: &str,
    limit: usize,
) -> Result<Vec<Row>, Fault> {
    let limit = count(limit);
    let rows = match index {
        None => connection
            .prepare_cached(
                "SELECT id, version, key_version, sealed FROM records
                 WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )
            .and_then(|mut statement| statement.query_map(params![kind, after, limit], record)?.collect()),
        Some((name, value)) => connection
            .prepare_cached(
                "SELECT r.id, r.version, r.key_version, r.sealed
                 FROM record_indexes i JOIN records r ON r.kind = i.kind AND r.id = i.id
                 WHERE i.kind = ?1 AND i.name = ?2 AND i.value = ?3 AND i.id > ?4 ORDER BY i.id LIMIT ?5",
            )
            .and_then(|mut statement| statement.query_map(params![kind, name, value, after, limit], record)?.collect()),
    };
    rows.map_err(place.fails())
}

pub(crate) fn everything(
    connection: &Connection,
    place: &Place,
    name: &str,
    limit: usize,
) -> Result<Everything, Fault> {
    // One transaction sees one moment, whoever writes meanwhile. It ends when it is dropped.
    let moment = connection.unchecked_transaction().map_err(place.fails())?;
    let value = meta(&moment, place, name)?;
    let more = count(limit).saturating_add(1);
    let rows = moment
        .prepare_cached(
            "SELECT id, version, key_version, sealed, kind FROM records ORDER BY kind, id LIMIT ?1",
        )
        .and_then(|mut statement| {
            let of_kind = |row: &rusqlite::Row<'_>| Ok((row.get(4)?, record(row)?));
            statement.query_map([more], of_kind)?.collect()
        });
    let rows: Vec<(String, Row)> = rows.map_err(place.fails())?;
    if rows.len() > limit {
        return Err(Fault::TooLarge {
            what: String::from("the number of records"),
            max: limit,
        });
    }
    Ok((value, rows))
}

pub(crate) fn entries_and_jobs(connection: &Connection, place: &Place) -> Result<u64, Fault> {
    let both = connection.query_row(
        "SELECT (SELECT count(*) FROM stream_entries) + (SELECT count(*) FROM jobs)",
        [],
        |row| number(row, 0),
    );
    both.map_err(place.fails())
}

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        version: number(row, 1)?,
        key_version: row.get(2)?,
        sealed: row.get(3)?,
    })
}

pub(crate) fn stream_end(
    connection: &Connection,
    place: &Place,
    stream: &str,
) -> Result<u64, Fault> {
    let end = connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM stream_entries WHERE stream = ?1")
        .and_then(|mut statement| statement.query_row([stream], |row| number(row, 0)));
    end.map_err(place.fails())
}

pub(crate) fn stream(
    connection: &Connection,
    place: &Place,
    stream: &str,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
    let entries = connection
        .prepare_cached("SELECT position, sealed FROM stream_entries WHERE stream = ?1 AND position >= ?2 ORDER BY position LIMIT ?3")
        .and_then(|mut statement| {
            let entry = |row: &rusqlite::Row<'_>| Ok((number(row, 0)?, row.get(1)?));
            statement.query_map(params![stream, at(from), count(limit)], entry)?.collect()
        });
    entries.map_err(place.fails())
}

pub(crate) fn position(connection: &Connection, place: &Place) -> Result<u64, Fault> {
    let newest = connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'")
        .and_then(|mut statement| statement.query_row([], |row| number(row, 0)));
    newest.map_err(place.fails())
}

pub(crate) fn changes(
    connection: &Connection,
    place: &Place,
    after: u64,
    limit: usize,
) -> Result<Vec<Change>, Fault> {
    let oldest = connection
        .prepare_cached("SELECT min(position) FROM changes")
        .and_then(|mut statement| statement.query_row([], |row| row.get::<_, Option<i64>>(0)))
        .map_err(place.fails())?;
    let oldest = oldest
        .and_then(|oldest| u64::try_from(oldest).ok())
        .unwrap_or(0);
    if oldest > after.saturating_add(1) {
        return Err(Fault::Missed { oldest });
    }
    let changes = connection
        .prepare_cached(
            "SELECT position, kind, id FROM changes WHERE position > ?1 ORDER BY position LIMIT ?2",
        )
        .and_then(|mut statement| {
            let change = |row: &rusqlite::Row<'_>| {
                Ok(Change {
                    position: number(row, 0)?,
                    kind: row.get(1)?,
                    id: row.get(2)?,
                })
            };
            statement
                .query_map(params![at(after), count(limit)], change)?
                .collect()
        });
    changes.map_err(place.fails())
}

/// SQLite's integers are signed; ours of this kind never are.
pub(crate) fn number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let signed: i64 = row.get(column)?;
    u64::try_from(signed).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, signed))
}

pub(crate) fn at(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
