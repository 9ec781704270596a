//! The data directory: who may look inside (its owner), and who may write (one process).
//! Exports `Lock`, `prepare` and the careful making of files.
//! Used by `embedded`.
//! Start reading at `prepare`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Fault;

/// Name of the database in the data directory.
pub const DATABASE: &str = "store.db";
const LOCK: &str = "lock";

/// Makes the directory if it is not there, readable by its owner only.
pub(crate) fn prepare(dir: &Path) -> Result<(), Fault> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| Fault::at(dir, &error))?;
    let found = fs::metadata(dir).map_err(|error| Fault::at(dir, &error))?;
    if found.mode() & 0o077 == 0 {
        return Ok(());
    }
    // Mounted directories often arrive as 0755. Tighten what we can; refuse what others could write.
    let tightened = fs::set_permissions(dir, Permissions::from_mode(0o700));
    if tightened.is_err() && found.mode() & 0o022 != 0 {
        let detail = format!("others may write in it (mode {:o})", found.mode() & 0o777);
        return Err(Fault::Denied {
            path: dir.to_owned(),
            detail,
        });
    }
    Ok(())
}

/// The right to write in a data directory. The system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock and writes this process's id into its file.
    ///
    /// # Errors
    /// [`Fault::InUse`] with the holder's process id, and faults of the file system.
    pub fn take(dir: &Path) -> Result<Lock, Fault> {
        let path = dir.join(LOCK);
        let fault = |error: &std::io::Error| Fault::at(&path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| fault(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Fault::InUse {
                    dir: dir.to_owned(),
                    pid: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(fault(&error)),
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        written.map_err(|error| fault(&error))?;
        Ok(Lock { _file: file })
    }
}

/// The process id in the lock file, if there is a plain number.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text);
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if read.is_ok() && is_number {
        text
    } else {
        String::from("unknown")
    }
}

/// Makes an empty file for its owner only; what is left of an earlier attempt goes first.
pub(crate) fn make_file(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Fault::at(path, &error));
        }
        _ => {}
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    made.map(drop).map_err(|error| Fault::at(path, &error))
}

/// Gives a finished file its name. Afterwards the name is durable, or the old state is.
pub(crate) fn put_in_place(finished: &Path, path: &Path) -> Result<(), Fault> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    let parent = path.parent().unwrap_or(Path::new("."));
    let placed = sync(finished)
        .and_then(|()| fs::rename(finished, path))
        .and_then(|()| sync(parent));
    placed.map_err(|error| Fault::at(path, &error))
}

/// Remains of an installation whose database is gone: a write-ahead log or a ledger with content.
pub(crate) fn remains(dir: &Path) -> Option<PathBuf> {
    let log = dir.join(format!("{DATABASE}-wal"));
    let ledger = dir.join("ledger");
    let has_entries = fs::read_dir(&ledger).is_ok_and(|mut entries| entries.next().is_some());
    if log.exists() {
        return Some(log);
    }
    has_entries.then_some(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_the_pid_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(dir.path()).unwrap();
        let fault = Lock::take(dir.path()).unwrap_err();
        assert_eq!(
            fault,
            Fault::InUse {
                dir: dir.path().to_owned(),
                pid: std::process::id().to_string()
            }
        );
        assert!(
            fault
                .to_string()
                .contains(&format!("process {}", std::process::id()))
        );
        drop(lock);
        assert!(Lock::take(dir.path()).is_ok());
    }

    #[test]
    fn a_stale_lock_file_of_a_dead_process_does_not_hinder() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LOCK), "999999999999").unwrap();
        assert!(Lock::take(dir.path()).is_ok());
        assert_eq!(
            fs::read_to_string(dir.path().join(LOCK)).unwrap(),
            std::process::id().to_string()
        );
    }

    #[test]
    fn the_directory_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let (new, loose) = (dir.path().join("a/b"), dir.path().join("loose"));
        fs::create_dir(&loose).unwrap();
        fs::set_permissions(&loose, Permissions::from_mode(0o755)).unwrap();
        for path in [new, loose] {
            prepare(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_file_where_the_directory_should_be_is_a_clear_fault() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(prepare(&file).is_err());
        assert!(matches!(
            prepare(&file.join("data")),
            Err(Fault::Denied { .. })
        ));
    }
}
