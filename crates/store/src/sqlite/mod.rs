//! The embedded backend: one SQLite file, one writer thread with group commit, a few readers.
//! Exports `Sqlite`, `begin_if_absent`. A file that is damaged, foreign or newer is refused and left as it is.
//! Used by `embedded`.
//! Start reading at `begin_if_absent`, then `Sqlite::open`; the verbs are in `read` and `write`.

mod errors;
mod news;
mod read;
mod schema;
mod write;
mod writer;

use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use crypto::{Kek, Root};
use model::Timestamp;
use rusqlite::{Connection, OpenFlags};

use self::errors::Place;
use self::news::{News, lock};
use self::writer::Writer;
use crate::Fault;
use crate::backend::{Backend, Change, Everything, Outcome, ROOT, RawStep, Row, Ticket, Window};
use crate::data_dir::{DATABASE, make_file, put_in_place, remains};

const READERS: usize = 2;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The SQLite backend.
#[derive(Debug)]
pub(crate) struct Sqlite {
    place: Place,
    /// Empty once it is closed.
    readers: Vec<Mutex<Option<Connection>>>,
    /// Absent when opened for reading only.
    writer: Option<Writer>,
    news: Arc<News>,
}

/// Makes the database with its wrapped root key, if there is none. It gets its name when it is whole, so that
/// a crash leaves either nothing or all of it.
pub(crate) fn begin_if_absent(dir: &Path, kek: &Kek) -> Result<bool, Fault> {
    let path = dir.join(DATABASE);
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    if let Some(beside) = remains(dir) {
        return Err(Fault::Lost { path, beside });
    }
    let unfinished = dir.join(format!("{DATABASE}.new"));
    make_file(&unfinished)?;
    let place = Place::of(&unfinished);
    let mut connection = connect(&place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::migrate(&mut connection, &place)?;
    write::set_meta(
        &connection,
        &place,
        ROOT,
        None,
        &kek.wrap(&Root::generate()),
    )?;
    connection
        .close()
        .map_err(|(_, error)| place.fault(&error))?;
    put_in_place(&unfinished, &path)?;
    Ok(true)
}

impl Sqlite {
    /// Opens for reading and writing. The data directory's lock must be held. Nothing is written before the whole file
    /// was found in order and the key was found to be the right one.
    pub(crate) fn open(dir: &Path, kek: &Kek) -> Result<Sqlite, Fault> {
        let place = Place::of(&whole_file(dir)?);
        let mut connection = connect(&place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::keep_untouched(&connection, true).map_err(place.fails())?;
        schema::check(&connection, &place)?;
        if schema::is_check_due(&connection, &place)? {
            schema::check_whole(&connection, &place)?;
        }
        let wrapped = read::meta(&connection, &place, ROOT)?;
        kek.open(&wrapped.ok_or(crypto::KeyFault::Damaged)?)?;
        schema::keep_untouched(&connection, false).map_err(place.fails())?;
        schema::write_ahead(&connection, &place)?;
        schema::migrate(&mut connection, &place)?;
        schema::mark_running(&connection, &place)?;
        let news = Arc::new(News::default());
        let writer = Writer::start(connection, place.clone(), Arc::clone(&news))?;
        Ok(Sqlite {
            readers: readers(&place)?,
            writer: Some(writer),
            news,
            place,
        })
    }

    /// Opens for reading, beside whoever writes.
    pub(crate) fn look(dir: &Path) -> Result<Sqlite, Fault> {
        let place = Place::of(&whole_file(dir)?);
        let readers = if is_at_rest(dir) {
            vec![Mutex::new(Some(connect_at_rest(&place)?))]
        } else {
            readers(&place)?
        };
        if let Some(first) = readers
            .first()
            .map(lock)
            .as_deref()
            .and_then(Option::as_ref)
        {
            schema::check(first, &place)?;
        }
        Ok(Sqlite {
            place,
            readers,
            writer: None,
            news: Arc::default(),
        })
    }

    /// Reads every page once, beside whoever writes. No key is needed.
    pub(crate) fn check_whole(dir: &Path) -> Result<(), Fault> {
        let place = Place::of(&whole_file(dir)?);
        if is_at_rest(dir) {
            let checked = checked_whole(&connect_at_rest(&place)?, &place);
            // Whoever began to write meanwhile was not waited for: what was found then says nothing.
            if checked.is_ok() || is_at_rest(dir) {
                return checked;
            }
        }
        checked_whole(&connect(&place, OpenFlags::SQLITE_OPEN_READ_ONLY)?, &place)
    }

    fn writer(&self) -> Result<&Writer, Fault> {
        self.writer.as_ref().ok_or(Fault::ReadingOnly)
    }

    /// Reads by a free reader, or by the first one when it becomes free.
    fn read<R>(&self, work: impl FnOnce(&Connection) -> Result<R, Fault>) -> Result<R, Fault> {
        let reader = self.reader().ok_or(Fault::Closed)?;
        work(reader.as_ref().ok_or(Fault::Closed)?)
    }

    fn reader(&self) -> Option<MutexGuard<'_, Option<Connection>>> {
        for reader in &self.readers {
            match reader.try_lock() {
                Ok(free) => return Some(free),
                Err(TryLockError::Poisoned(free)) => return Some(free.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.readers.first().map(lock)
    }
}

/// The database file, if it begins like one.
fn whole_file(dir: &Path) -> Result<PathBuf, Fault> {
    let path = dir.join(DATABASE);
    let mut head = [0; 16];
    let read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut head));
    match read {
        Ok(()) if &head == b"SQLite format 3\0" => Ok(path),
        Ok(()) => Err(Fault::Corrupt {
            path,
            detail: String::from("it is no database"),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Fault::Absent { path }),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Fault::Corrupt {
            path,
            detail: String::from("it is empty or cut off"),
        }),
        Err(error) => Err(Fault::at(&path, &error)),
    }
}

fn connect(place: &Place, flags: OpenFlags) -> Result<Connection, Fault> {
    connect_to(place.path(), place, flags)
}

fn connect_to(name: &Path, place: &Place, flags: OpenFlags) -> Result<Connection, Fault> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let opened = Connection::open_with_flags(name, flags).and_then(|connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        schema::harden(&connection)?;
        Ok(connection)
    });
    opened.map_err(|error| place.fault(&error))
}

/// Whether nobody has the database open and nothing waits in its log: closing in order takes both files away.
fn is_at_rest(dir: &Path) -> bool {
    let is_there = |end: &str| dir.join(format!("{DATABASE}{end}")).exists();
    !is_there("-wal") && !is_there("-shm")
}

/// Opens a database at rest without leaving a trace: read like this, SQLite makes no files beside it.
fn connect_at_rest(place: &Place) -> Result<Connection, Fault> {
    let mut uri = String::from("file:");
    for byte in place.path().as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    connect_to(Path::new(&uri), place, flags)
}

fn checked_whole(connection: &Connection, place: &Place) -> Result<(), Fault> {
    schema::check(connection, place)?;
    schema::check_whole(connection, place)
}

fn readers(place: &Place) -> Result<Vec<Mutex<Option<Connection>>>, Fault> {
    let reader = || connect(place, OpenFlags::SQLITE_OPEN_READ_ONLY);
    (0..READERS)
        .map(|_| reader().map(|connection| Mutex::new(Some(connection))))
        .collect()
}

impl Backend for Sqlite {
    /// The readers first: whoever closes last takes the log of the database away.
    fn close(&self) {
        for reader in &self.readers {
            drop(lock(reader).take());
        }
        if let Some(writer) = &self.writer {
            writer.stop();
        }
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.read(|connection| read::meta(connection, &self.place, name))
    }

    fn set_meta(&self, name: &str, before: Option<&[u8]>, after: &[u8]) -> Result<(), Fault> {
        let (name, before, after) = (name.to_owned(), before.map(<[u8]>::to_vec), after.to_vec());
        self.writer()?.run(move |connection, place| {
            write::set_meta(connection, place, &name, before.as_deref(), &after)
        })
    }

    fn get(&self, kind: &str, id: &str) -> Result<Option<Row>, Fault> {
        self.read(|connection| read::get(connection, &self.place, kind, id))
    }

    fn list(
        &self,
        kind: &str,
        index: Option<(&str, &[u8])>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Row>, Fault> {
        self.read(|connection| read::list(connection, &self.place, kind, index, after, limit))
    }

    fn everything(&self, name: &str, limit: usize) -> Result<Everything, Fault> {
        self.read(|connection| read::everything(connection, &self.place, name, limit))
    }

    fn entries_and_jobs(&self) -> Result<u64, Fault> {
        self.read(|connection| read::entries_and_jobs(connection, &self.place))
    }

    fn transact(&self, steps: Vec<RawStep>) -> Result<u64, Fault> {
        self.writer()?
            .run(move |connection, place| write::transact(connection, place, &steps))
    }

    fn stream_end(&self, stream: &str) -> Result<u64, Fault> {
        self.read(|connection| read::stream_end(connection, &self.place, stream))
    }

    fn append(&self, stream: &str, first: u64, entries: Vec<Vec<u8>>) -> Result<(), Fault> {
        let stream = stream.to_owned();
        self.writer()?.run(move |connection, place| {
            write::append(connection, place, &stream, first, &entries)
        })
    }

    fn read_stream(
        &self,
        stream: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        self.read(|connection| read::stream(connection, &self.place, stream, from, limit))
    }

    fn claim(
        &self,
        queue: &str,
        lease: Duration,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<(Ticket, Vec<u8>)>, Fault> {
        let queue = queue.to_owned();
        self.writer()?.run(move |connection, place| {
            write::claim(connection, place, &queue, lease, limit, now)
        })
    }

    fn settle(&self, ticket: &Ticket, outcome: Outcome) -> Result<bool, Fault> {
        let ticket = ticket.clone();
        self.writer()?
            .run(move |connection, place| write::settle(connection, place, &ticket, outcome))
    }

    fn bump(&self, counter: &str, window: Window, by: u32) -> Result<u64, Fault> {
        let counter = counter.to_owned();
        self.writer()?
            .run(move |connection, place| write::bump(connection, place, &counter, window, by))
    }

    fn position(&self) -> Result<u64, Fault> {
        self.read(|connection| read::position(connection, &self.place))
    }

    fn watch(&self, after: u64, limit: usize, wait: Duration) -> Result<Vec<Change>, Fault> {
        let deadline = Instant::now() + wait;
        loop {
            let seen = self.news.seen();
            let changes =
                self.read(|connection| read::changes(connection, &self.place, after, limit))?;
            let left = deadline.saturating_duration_since(Instant::now());
            if !changes.is_empty() || left.is_zero() {
                return Ok(changes);
            }
            self.news.wait(seen, left);
        }
    }
}

#[cfg(test)]
mod tests;
