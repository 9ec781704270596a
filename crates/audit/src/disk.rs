//! The few file operations the recorder's safety depends on, as a seam for fault injection.
//! Exports `Disk`, `DiskFile` and `RealDisk`.
//! Used by the writer; tests put a full, failing or torn disk in its place.
//! Start reading at `DiskFile`.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file that only grows at its end, unless an unfinished append is taken back.
pub trait DiskFile: Send {
    /// Appends all bytes. After an error any part of them may be in the file.
    ///
    /// # Errors
    /// The operating system's.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended survive a power cut (fdatasync).
    ///
    /// # Errors
    /// The operating system's; what was appended must then be taken as lost.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to this length.
    ///
    /// # Errors
    /// The operating system's.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Whether whoever opens this path finds this file.
    fn is_at(&self, path: &Path) -> bool;
}

/// Opens files for the recorder.
pub trait Disk: Send + Sync {
    /// Opens a file to append, and makes it when it is absent.
    ///
    /// # Errors
    /// The operating system's.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes a file appear under its name with all of `bytes` or not at all.
    ///
    /// # Errors
    /// The operating system's.
    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>>;
    /// Writes over parts of a file in place, each at its offset, and makes it when it is absent. What was written survives a
    /// power cut where `is_flushed`. After an error any part may have been written.
    ///
    /// # Errors
    /// The operating system's.
    fn write_over(&self, path: &Path, parts: &[(u64, Vec<u8>)], is_flushed: bool)
    -> io::Result<()>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn is_at(&self, path: &Path) -> bool {
        match (self.metadata(), std::fs::metadata(path)) {
            (Ok(ours), Ok(found)) => (ours.dev(), ours.ino()) == (found.dev(), found.ino()),
            _ => false,
        }
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let is_new = !path.exists();
        let file = private(OpenOptions::new().append(true).create(true)).open(path)?;
        if is_new {
            sync_parent(path)?;
        }
        Ok(Box::new(file))
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
        let unfinished = path.with_extension("new");
        let mut file = private(OpenOptions::new().write(true).create(true).truncate(true))
            .open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        sync_parent(path)?;
        self.open(path)
    }

    fn write_over(
        &self,
        path: &Path,
        parts: &[(u64, Vec<u8>)],
        is_flushed: bool,
    ) -> io::Result<()> {
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let mut file = private(options.write(true).create(true).truncate(false)).open(path)?;
        for (offset, bytes) in parts {
            file.seek(SeekFrom::Start(*offset))?;
            file.write_all(bytes)?;
        }
        if is_flushed {
            file.sync_data()?;
        }
        if is_new { sync_parent(path) } else { Ok(()) }
    }
}

/// Readable by the owner only.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// A new name survives a power cut only once its directory was flushed.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
