//! Where bytes go: what a `Target` names, opened and written to. Another way out is another kind of sink here.
//! Exports `Sink`.
//! Used by `Delivery`.
//! Start reading at `Sink::send`.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use destinations::Target;
use rustix::fs::OFlags;

use super::unsent::Unsent;

/// The end of a file or a named pipe, open while it can be.
#[derive(Debug)]
pub(super) struct Sink {
    path: PathBuf,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and number, by which it is noticed that another file has taken its place.
    identity: (u64, u64),
    is_regular: bool,
}

impl Sink {
    pub(super) fn new(target: Target<'_>) -> Sink {
        let Target::File(path) = target;
        Sink {
            path: path.to_path_buf(),
            open: None,
        }
    }

    /// Sends what it takes now. Whether that was everything; a pipe that is full takes more later.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub(super) fn send(&mut self, unsent: &mut Unsent) -> io::Result<bool> {
        let sent = self.try_send(unsent);
        sent.map_err(|error| {
            self.open = None;
            unsent.rewind();
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        })
    }

    fn try_send(&mut self, unsent: &mut Unsent) -> io::Result<bool> {
        let there = match std::fs::metadata(&self.path) {
            Ok(metadata) => Some(identity(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let open = match self.open.take_if(|open| there == Some(open.identity)) {
            Some(open) => self.open.insert(open),
            None => {
                unsent.rewind();
                self.open.insert(opened(&self.path)?)
            }
        };
        while !unsent.left().is_empty() {
            match open.file.write(unsent.left()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => unsent.advance(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Returns once what was sent is on the disk, where that can be.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.open {
            Some(open) if open.is_regular => open.file.sync_data(),
            _ => Ok(()),
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Opens it. A pipe that nobody reads is an error; one that is full does not hold up whoever writes.
fn opened(path: &Path) -> io::Result<Open> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    let is_regular = metadata.is_file();
    if is_regular && metadata.len() > 0 && !ends_with_line(path)? {
        // Whatever stopped in the middle of a record: the next one begins a line of its own.
        file.write_all(b"\n")?;
    }
    Ok(Open {
        identity: identity(&metadata),
        file,
        is_regular,
    })
}

fn ends_with_line(path: &Path) -> io::Result<bool> {
    let (mut file, mut last) = (File::open(path)?, [0]);
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
