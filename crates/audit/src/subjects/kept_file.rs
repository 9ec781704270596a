//! The file of rows as it was opened, so that one that was taken away or replaced is noticed.
//! Exports `KeptFile`.
//! Used by `subjects`.
//! Start reading at `KeptFile::is_whole`.

use std::io;
use std::path::Path;

use crate::disk::{Disk, DiskFile};
use crate::fault::LedgerFault;

/// The file. Held open, so that no other one can have its number.
#[derive(Default)]
pub(super) struct KeptFile {
    /// `None` while there is none: nobody was met.
    file: Option<Box<dyn DiskFile>>,
    /// Its least length.
    length: u64,
}

impl KeptFile {
    /// The one that is there.
    pub(super) fn open(path: &Path, disk: &dyn Disk) -> Result<Self, LedgerFault> {
        let wrong = |error: io::Error| LedgerFault::io(path, &error);
        let length = match std::fs::metadata(path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(wrong(error)),
        };
        let file = disk.open(path).map_err(wrong)?;
        Ok(KeptFile {
            file: Some(file),
            length,
        })
    }

    /// Whether whoever opens the path finds this file, as long as it was written.
    pub(super) fn is_whole(&self, path: &Path) -> bool {
        let Some(file) = &self.file else {
            return !path.exists();
        };
        let is_long = || std::fs::metadata(path).is_ok_and(|found| found.len() >= self.length);
        file.is_at(path) && is_long()
    }

    /// As [`Disk::write_over`].
    pub(super) fn write_over(
        &mut self,
        path: &Path,
        disk: &dyn Disk,
        parts: &[(u64, Vec<u8>)],
        is_flushed: bool,
    ) -> io::Result<()> {
        disk.write_over(path, parts, is_flushed)?;
        let ends = parts
            .iter()
            .map(|(offset, bytes)| offset + bytes.len() as u64);
        self.length = self.length.max(ends.max().unwrap_or_default());
        if self.file.is_none() {
            self.file = Some(disk.open(path)?);
        }
        Ok(())
    }

    /// Puts a file with these bytes in its place.
    pub(super) fn write_again(
        &mut self,
        path: &Path,
        disk: &dyn Disk,
        bytes: &[u8],
    ) -> io::Result<()> {
        self.file = Some(disk.create(path, bytes)?);
        self.length = bytes.len() as u64;
        Ok(())
    }
}
