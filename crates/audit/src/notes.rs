//! The file of checkpoints: signed notes one after another, only ever appended to.
//! Exports `Notes` (forward, bounded) and `newest` (the last complete one).
//! Used by recovery, the export and the directory verifier.
//! Start reading at `Notes`. Every note ends with its one signature line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::checkpoint::NOTE_BYTES_MAX;

/// Name of the file of checkpoints in the ledger's directory.
pub const FILE: &str = "checkpoints";
/// Most lines of a note: eight signed ones, an empty one, the signature.
const LINES_MAX: usize = 10;

/// One stretch of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Lines up to the one that follows an empty line, and where they begin.
    Whole(String, u64),
    /// What is left at the end of the file is less than a note: an append that was not finished.
    Torn { offset: u64, bytes: u64 },
    /// Not text, or lines longer than any note's.
    Garbled(u64),
}

/// Reads the notes that are there when it is opened, in order. Ends after anything that is not a whole note.
pub(crate) struct Notes {
    source: Option<io::Take<BufReader<File>>>,
    offset: u64,
}

impl Notes {
    pub(crate) fn open(dir: &Path) -> io::Result<Notes> {
        let file = File::open(dir.join(FILE))?;
        // The length of this moment: what the recorder adds meanwhile may speak of records read too early.
        let length = file.metadata()?.len();
        Ok(Notes {
            source: Some(BufReader::new(file).take(length)),
            offset: 0,
        })
    }

    /// No notes at all.
    pub(crate) fn none() -> Notes {
        Notes {
            source: None,
            offset: 0,
        }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Note>> {
        let Some(source) = &mut self.source else {
            return Ok(None);
        };
        let start = self.offset;
        let mut bytes = Vec::new();
        let mut bounded = source.take(NOTE_BYTES_MAX as u64);
        let (mut is_whole, mut is_torn) = (false, false);
        for _ in 0..LINES_MAX {
            let is_signature = bytes.ends_with(b"\n\n");
            let read = bounded.read_until(b'\n', &mut bytes)?;
            is_torn = read == 0 || bytes.last() != Some(&b'\n');
            is_whole = is_signature && !is_torn;
            if is_whole || is_torn {
                break;
            }
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.offset = start.saturating_add(length);
        let note = match String::from_utf8(bytes) {
            _ if length == 0 => return Ok(None),
            Ok(text) if is_whole => return Ok(Some(Note::Whole(text, start))),
            Ok(_) if is_torn && length < NOTE_BYTES_MAX as u64 => Note::Torn {
                offset: start,
                bytes: length,
            },
            _ => Note::Garbled(start),
        };
        self.source = None;
        Ok(Some(note))
    }
}

/// The last complete note, and the length of the file up to its end. `None` when there is none.
pub(crate) fn newest(dir: &Path) -> io::Result<Option<(String, u64)>> {
    let mut file = File::open(dir.join(FILE))?;
    let length = file.metadata()?.len();
    // Three notes fit: the newest complete one is in there, and the end of the one before it, however much of another was
    // begun.
    let from = length.saturating_sub(3 * NOTE_BYTES_MAX as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(3 * NOTE_BYTES_MAX as u64)
        .read_to_end(&mut bytes)?;
    Ok(last_note(&bytes).map(|(text, end)| (text, from.saturating_add(end))))
}

/// In front of a signature line: the end of the body, an empty line, a dash.
const MARK: &[u8] = "\n\n\u{2014} ".as_bytes();

/// Finds the last signature line that is complete and the body in front of it.
fn last_note(bytes: &[u8]) -> Option<(String, u64)> {
    let (at, end) = last_signature(bytes)?;
    // The body begins behind the signature line of the note before.
    let before = bytes.get(..at).and_then(last_signature);
    let start = before.map_or(0, |(_, end)| end);
    let text = String::from_utf8(bytes.get(start..end)?.to_vec()).ok()?;
    Some((text, u64::try_from(end).ok()?))
}

/// Where the mark of the last complete signature line stands, and where that line ends.
fn last_signature(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut before = bytes.len();
    loop {
        let found = bytes.get(..before)?;
        let at = found.windows(MARK.len()).rposition(|w| w == MARK)?;
        let line = bytes.get(at + MARK.len()..)?;
        if let Some(length) = line.iter().position(|byte| *byte == b'\n') {
            return Some((at, at + MARK.len() + length + 1));
        }
        before = at + MARK.len() - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(n: u32) -> String {
        format!("o\n{n}\nroot\nchain c\nafter 0\n\n\u{2014} o sig{n}\n")
    }

    #[test]
    fn the_newest_complete_note_is_found_whatever_follows_it() {
        let whole = format!("{}{}", note(1), note(2));
        let third = note(3);
        for cut in 0..third.len() {
            let mut bytes = whole.clone().into_bytes();
            bytes.extend_from_slice(&third.as_bytes()[..cut]);
            assert_eq!(
                last_note(&bytes),
                Some((note(2), whole.len() as u64)),
                "{cut}"
            );
        }
        assert_eq!(last_note(&note(1).as_bytes()[..20]), None);
        assert_eq!(
            last_note(note(1).as_bytes()),
            Some((note(1), note(1).len() as u64))
        );
    }

    #[test]
    fn notes_are_read_in_order_and_a_torn_one_ends_them() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join(FILE),
            format!("{}{}o\n3\n", note(1), note(2)),
        )
        .unwrap();
        let mut notes = Notes::open(dir.path()).unwrap();
        let second = note(1).len() as u64;
        assert_eq!(notes.next().unwrap(), Some(Note::Whole(note(1), 0)));
        assert_eq!(notes.next().unwrap(), Some(Note::Whole(note(2), second)));
        let torn = Note::Torn {
            offset: second * 2,
            bytes: 4,
        };
        assert_eq!(notes.next().unwrap(), Some(torn));
        assert_eq!(notes.next().unwrap(), None);
    }

    #[test]
    fn endless_lines_are_garbled_not_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "x".repeat(100_000)).unwrap();
        let mut notes = Notes::open(dir.path()).unwrap();
        assert_eq!(notes.next().unwrap(), Some(Note::Garbled(0)));
    }
}
