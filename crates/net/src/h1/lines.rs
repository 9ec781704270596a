//! Finds the end of a head, line by line, and refuses what is already wrong on the way.
//! Exports `Lines`. Verdicts depend on the bytes only, never on how they were split into reads.
//! Used by `request` and `response`.
//! Start reading at `Lines::scan`.

use memchr::memchr2;

/// What is wrong with the lines of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFault {
    /// The first line is longer than allowed.
    FirstLineTooLong,
    /// The head is longer than allowed.
    HeadTooLong,
    /// More fields than allowed.
    TooManyFields,
    /// A line feed without carriage return, or a carriage return without line feed.
    BareLineEnd,
    /// The first line is empty or not of HTTP/1.
    NotHttp,
}

/// Bounds of one head.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineBounds {
    pub(super) first_line: usize,
    pub(super) head: usize,
    pub(super) fields: usize,
}

/// How far a head has been looked through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    line_start: usize,
    searched: usize,
    lines: usize,
}

impl Lines {
    /// Looks through what is new in `bytes` (the same head, grown). `Some(end)` when the head is whole.
    /// `is_first_line` judges the finished first line without its line end.
    pub(super) fn scan(
        &mut self,
        bytes: &[u8],
        bounds: LineBounds,
        is_first_line: fn(&[u8]) -> bool,
    ) -> Result<Option<usize>, LineFault> {
        loop {
            let rest = bytes.get(self.searched..).unwrap_or_default();
            let Some(offset) = memchr2(b'\r', b'\n', rest) else {
                self.bounded(bytes.len(), bounds)?;
                self.searched = bytes.len();
                return Ok(None);
            };
            let end = self.searched + offset;
            self.bounded(end, bounds)?;
            match (bytes.get(end), bytes.get(end + 1)) {
                (Some(b'\r'), None) => {
                    self.searched = end;
                    return Ok(None);
                }
                (Some(b'\r'), Some(b'\n')) => {}
                _ => return Err(LineFault::BareLineEnd),
            }
            let line = bytes.get(self.line_start..end).unwrap_or_default();
            self.line_start = end + 2;
            self.searched = end + 2;
            if self.lines == 0 && !is_first_line(line) {
                return Err(LineFault::NotHttp);
            }
            if line.is_empty() {
                return Ok(Some(end + 2));
            }
            self.lines += 1;
            if self.lines > bounds.fields + 1 {
                return Err(LineFault::TooManyFields);
            }
        }
    }

    /// Judges the bounds as if the current line ended at `end` at the earliest.
    fn bounded(&self, end: usize, bounds: LineBounds) -> Result<(), LineFault> {
        if self.lines == 0 && end > bounds.first_line {
            return Err(LineFault::FirstLineTooLong);
        }
        if end > bounds.head {
            return Err(LineFault::HeadTooLong);
        }
        Ok(())
    }
}
