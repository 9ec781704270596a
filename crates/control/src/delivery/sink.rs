//! Where bytes go: what a `Target` names, opened and written to. Another way out is another kind of sink here.
//! Exports `Sink`.
//! Used by `Delivery`.
//! Start reading at `Sink::send`.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use destinations::Target;
use rustix::fs::OFlags;

use super::unsent::Unsent;

/// The end of a file or a named pipe, open while it can be.
#[derive(Debug)]
pub(super) struct Sink {
    path: PathBuf,
    /// Directories in which nothing may be written: where the program keeps its own state.
    apart: Vec<PathBuf>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and number, by which it is noticed that another file has taken its place.
    identity: (u64, u64),
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Keeps what is written.
    Regular,
    /// Holds what is written until somebody reads it, and loses it where nobody has it open.
    Pipe,
    /// Whatever else takes bytes at once, as a terminal does.
    Other,
}

impl Sink {
    pub(super) fn new(target: Target<'_>, apart: &[PathBuf]) -> Sink {
        let Target::File(path) = target;
        Sink {
            path: path.to_path_buf(),
            apart: apart.to_vec(),
            open: None,
        }
    }

    /// Whether what it was sent to is there no more, or has nobody to read it: what was not taken has to go again.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub(super) fn is_gone(&self) -> io::Result<bool> {
        let Some(open) = &self.open else {
            return Ok(false);
        };
        let there = match fs::metadata(&self.path) {
            Ok(metadata) => identity(&metadata) == open.identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(self.named(error)),
        };
        // A pipe without a reader cannot be opened once more.
        let is_read = || open.kind != Kind::Pipe || options().open(&self.path).is_ok();
        Ok(!there || !is_read())
    }

    /// Opens it where it is not open.
    ///
    /// # Errors
    /// What the system says, or why nothing is written there, with the path.
    pub(super) fn open(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            let opened = opened(&self.path, &self.apart);
            self.open = Some(opened.map_err(|error| self.named(error))?);
        }
        Ok(())
    }

    /// Sends what it takes now. Whether that was everything; a pipe that is full takes more later.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub(super) fn send(&mut self, unsent: &mut Unsent) -> io::Result<bool> {
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        while !unsent.left().is_empty() {
            match open.file.write(unsent.left()) {
                Ok(0) => return Err(self.named(io::ErrorKind::WriteZero.into())),
                Ok(count) => unsent.advance(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(self.named(error)),
            }
        }
        Ok(true)
    }

    /// How many of the bytes that were written wait for a reader.
    pub(super) fn waiting(&self) -> u64 {
        match &self.open {
            Some(open) if open.kind == Kind::Pipe => {
                rustix::io::ioctl_fionread(&open.file).unwrap_or(u64::MAX)
            }
            _ => 0,
        }
    }

    /// Leaves it; what waits in a pipe that nobody else has open is lost.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Returns once what was sent is on the disk, where that can be.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.open {
            Some(open) if open.kind == Kind::Regular => open.file.sync_data(),
            _ => Ok(()),
        }
    }

    fn named(&self, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// A pipe that nobody reads is an error; one that is full does not hold up whoever writes.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600);
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    options
}

/// Opens it, and makes a file where there is none.
fn opened(path: &Path, apart: &[PathBuf]) -> io::Result<Open> {
    lies_apart(path, apart)?;
    let mut options = options();
    options.create(true);
    if !is_device(path) {
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed());
    }
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    let kind = kind(&metadata)?;
    if kind == Kind::Regular {
        end_line(path, &mut file, &metadata)?;
    }
    Ok(Open {
        identity: identity(&metadata),
        file,
        kind,
    })
}

/// Whoever can put a link into the directory of the records could have them written over any file of ours.
fn lies_apart(path: &Path, apart: &[PathBuf]) -> io::Result<()> {
    if is_device(path) {
        return Ok(());
    }
    if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
        return refused("it is a symbolic link; write the path that it leads to");
    }
    let Some(dir) = path.parent() else {
        return Ok(());
    };
    let dir = fs::canonicalize(dir)?;
    let apart = apart
        .iter()
        .map(|own| fs::canonicalize(own).unwrap_or_else(|_| own.clone()));
    match apart.into_iter().find(|own| dir.starts_with(own)) {
        Some(own) => refused(&format!(
            "it lies in {}, which holds files of the gateway itself",
            own.display()
        )),
        None => Ok(()),
    }
}

/// Standard output and the like are links there, which the system itself makes.
fn is_device(path: &Path) -> bool {
    path.starts_with("/dev") && !path.starts_with("/dev/shm")
}

fn kind(metadata: &Metadata) -> io::Result<Kind> {
    let kind = metadata.file_type();
    if kind.is_file() && metadata.nlink() > 1 {
        let message = format!(
            "the file has {} names; give it one of its own",
            metadata.nlink()
        );
        refused(&message)
    } else if kind.is_file() {
        Ok(Kind::Regular)
    } else if kind.is_fifo() {
        Ok(Kind::Pipe)
    } else if kind.is_char_device() {
        Ok(Kind::Other)
    } else {
        refused("it is neither a file nor a pipe")
    }
}

fn refused<T>(why: &str) -> io::Result<T> {
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        why.to_owned(),
    ))
}

/// Ends what stopped in the middle of a record, so that the record is whole on a line of its own when it goes again. It is not
/// cut off: whoever follows a file that gets shorter reads it from its beginning.
fn end_line(path: &Path, file: &mut File, metadata: &Metadata) -> io::Result<()> {
    if metadata.len() == 0 || ends_with_line(path)? {
        return Ok(());
    }
    // Where the disk has no room for this byte either, the next try begins here again.
    file.write_all(b"\n")
}

fn ends_with_line(path: &Path) -> io::Result<bool> {
    let (mut file, mut last) = (File::open(path)?, [0]);
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
