//! The one way to standard output and standard error. What others wrote cannot act there, and a reader who left, a full disk or
//! a closed stream ends in an exit code, never in a panic.
//! Exports `line`, `text`, `json`, `has_document`, `Out` for data; `say` and `say_all` for words; `hand_over`, `is_nowhere`; `failure`.
//! Used by every command, by the server's log lines and by `panics`. `cargo xtask tidy` refuses other ways.
//! Start reading at `write`; what is escaped is decided in `model::printable`.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use model::printable;
use rustix::fs::FileType;
use serde_json::Value;

/// The reader of standard output left: nothing more is written, and the command goes on to its own end.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);
/// Why standard output took no more, when nobody left: a full disk, a bad descriptor.
static FAILED: Mutex<Option<String>> = Mutex::new(None);

/// A document was printed: whoever reads standard output expects no other one behind it.
static HAS_DOCUMENT: AtomicBool = AtomicBool::new(false);

/// Data: one line, whatever the value holds.
pub fn line(value: impl Display) {
    let value = value.to_string();
    write(format!("{}\n", printable::line(&value)).as_bytes());
}

/// Data: a text of several lines whose fields were made safe by who put it together (`table::render`, `printable::line`).
pub fn text(text: &str) {
    write(printable::lines(text).as_bytes());
}

/// Data: a document.
pub fn json(value: &Value) {
    HAS_DOCUMENT.store(true, Ordering::Relaxed);
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    write(format!("{}\n", printable::json(&text)).as_bytes());
}

/// Whether a document was printed.
pub fn has_document() -> bool {
    HAS_DOCUMENT.load(Ordering::Relaxed)
}

/// Data whose bytes are exact: an export, a script for a shell.
pub fn exact(bytes: &[u8]) {
    write(bytes);
}

/// Words for the person: one line on standard error. A log that cannot be written must not end the server.
pub fn say(value: impl Display) {
    let value = value.to_string();
    whisper(&format!("{}\n", printable::line(&value)));
}

/// The same with several lines, made as for [`text`].
pub fn say_all(text: impl Display) {
    let text = text.to_string();
    whisper(&format!("{}\n", printable::lines(&text)));
}

/// A question on standard error, without an end of line.
pub fn ask(question: impl Display) {
    let question = question.to_string();
    whisper(&printable::line(&question));
}

/// Writes what exists once and cannot be shown again. The caller undoes what it did when this fails.
///
/// # Errors
/// Whatever standard output says, a reader who left included.
pub fn hand_over(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// Whether what is handed over would be lost without an error: standard output was closed before the start, for which
/// Rust's runtime opens `/dev/null`, or is `/dev/null` itself. A secret that is shown once is not made then.
pub fn is_nowhere() -> bool {
    let Ok(out) = rustix::fs::fstat(io::stdout()) else {
        return true;
    };
    let is_device = FileType::from_raw_mode(out.st_mode) == FileType::CharacterDevice;
    is_device && rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == out.st_rdev)
}

/// Whether nobody reads what is written to standard output.
pub fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Whether standard output took no more although somebody reads.
pub fn has_failed() -> bool {
    FAILED.lock().is_ok_and(|failed| failed.is_some())
}

/// Standard output for what writes piece by piece, buffered; a reader who left is an error there, so that endless work ends.
#[derive(Debug, Default)]
pub struct Out {
    /// Bytes pass as they are, instead of as printable text.
    pub is_exact: bool,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.is_exact {
            hand_over(bytes)
        } else {
            hand_over(printable::lines(&String::from_utf8_lossy(bytes)).as_bytes())
        };
        match written {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                note(&error);
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(bytes: &[u8]) {
    if !is_closed()
        && !has_failed()
        && let Err(error) = hand_over(bytes)
    {
        note(&error);
    }
}

fn note(error: &io::Error) {
    match error.kind() {
        ErrorKind::BrokenPipe => IS_CLOSED.store(true, Ordering::Relaxed),
        _ => {
            if let Ok(mut failed) = FAILED.lock() {
                failed.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// One write, so that lines of several threads do not mix. Where standard error takes nothing, nobody can be told.
fn whisper(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Why standard output took no more, where it did not; said once.
pub fn failure() -> Option<String> {
    FAILED.lock().ok().and_then(|mut failed| failed.take())
}
