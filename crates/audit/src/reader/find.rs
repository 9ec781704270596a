//! Finds the record of a decision by the moment in its id, without reading the whole ledger.
//! Gives `Ledger` its `find`.
//! Used by `explain`, and by a start that finishes what an intent says.
//! Start reading at `Ledger::find`.
//!
//! A record's `at` is within an hour of the moment in its id, and records are in the order of their moments but for half an hour:
//! one that lies further behind says so itself, by its `latest`. So two searches by halves bound where the record can stand, and
//! records with `latest` alone can stand behind that.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use model::{DecisionId, Kind, Timestamp};

use super::{CHUNK, LATE, Ledger};
use crate::entry::{Entry, SET_BACK_MIN, moment_in};
use crate::fault::LedgerFault;
use crate::pending::lock;
use crate::recent::Place;

/// Closed segments, by their first record, in which the clock was never behind: no record has `latest`. Learned while they are
/// searched.
pub(super) type InOrder = Arc<Mutex<HashSet<u64>>>;

/// Moments between which the record of a decision stands, unless the clock was behind when it was written.
#[derive(Clone, Copy)]
struct Window {
    from: Timestamp,
    until: Timestamp,
}

impl Window {
    fn around(moment: Timestamp) -> Window {
        let slack = LATE.saturating_add(SET_BACK_MIN);
        let micros = i64::try_from(slack.as_micros()).unwrap_or(i64::MAX);
        Window {
            from: Timestamp::from_micros(moment.micros().saturating_sub(micros)),
            until: moment.plus(slack),
        }
    }
}

/// What a search goes through.
struct Search {
    id: DecisionId,
    text: String,
    found: Option<Entry>,
    /// Whether a record was seen that was written while the clock was behind.
    has_latest: bool,
}

impl Search {
    fn new(id: DecisionId) -> Search {
        Search {
            id,
            text: id.to_string(),
            found: None,
            has_latest: false,
        }
    }

    /// Whether to go on.
    fn look(&mut self, entry: Entry) -> bool {
        self.has_latest |= entry.json.contains(r#","latest":"#);
        // Another record may mention the id in a detail; only its own has it as id.
        let is_it = entry.json.contains(&self.text)
            && entry.event().is_ok_and(|event| event.id == Some(self.id));
        if is_it {
            self.found = Some(entry);
        }
        self.found.is_none()
    }
}

impl Ledger {
    /// The newest record of a decision: how it ended, where that is recorded, else its intent. Where the ledger has none, the records
    /// since the moment in the id are read once; later searches pass over the segments in which the clock was never behind.
    ///
    /// # Errors
    /// When a file cannot be read or is damaged.
    pub fn find(&self, id: DecisionId) -> Result<Option<Entry>, LedgerFault> {
        let segments = self.segments()?;
        let window = Window::around(id.moment());
        let begin = self.boundary(&segments, window.from)?.saturating_sub(1);
        let (_, ours) = segments.split_at(begin.min(segments.len()));
        let end = self.boundary(ours, window.until)?;
        let mut search = Search::new(id);
        for (_, path) in ours.iter().take(end).rev() {
            self.search_window(path, window, &mut search)?;
            if search.found.is_some() {
                break;
            }
        }
        // An outcome may be recorded long after its intent: by the start after a crash, or when the disk was full.
        let is_open = |entry: &Entry| entry.event().is_ok_and(|event| event.kind == Kind::Intent);
        let found = match search.found.take() {
            Some(intent) if is_open(&intent) => Some(self.newer(&intent, id)?.unwrap_or(intent)),
            Some(found) => Some(found),
            None => self.search_behind(ours, id)?,
        };
        found.map(|entry| self.opened(entry)).transpose()
    }

    /// The first of these segments that begins at this moment or later; their number where none does.
    fn boundary(
        &self,
        segments: &[(u64, PathBuf)],
        moment: Timestamp,
    ) -> Result<usize, LedgerFault> {
        first_from(segments.len(), moment, |index| match segments.get(index) {
            Some((_, path)) => self.first_moment(path),
            None => Ok(None),
        })
    }

    /// The moment of a segment's first record. What was destroyed is older than all that can be read, because records go from the
    /// beginning on. `None` in a segment that has none yet.
    fn first_moment(&self, path: &Path) -> Result<Option<Timestamp>, LedgerFault> {
        let mut scanner = self.scanner(path)?;
        if scanner.destroyed().is_some() {
            return Ok(Some(Timestamp::from_micros(i64::MIN)));
        }
        let frame = self.next_frame(&mut scanner, path)?;
        Ok(frame.and_then(|frame| moment_in(frame.records().next()?)))
    }

    /// Searches the frames of a segment that lie in the window, the newest first.
    fn search_window(
        &self,
        path: &Path,
        window: Window,
        search: &mut Search,
    ) -> Result<(), LedgerFault> {
        let places = self.readable_frames(path)?;
        let begin = self.frame_boundary(path, &places, window.from)?;
        let (_, ours) = places.split_at(begin.saturating_sub(1));
        let end = self.frame_boundary(path, ours, window.until)?;
        self.search(path, ours.get(..end).unwrap_or(ours), search)
    }

    /// As [`Ledger::boundary`], of frames.
    fn frame_boundary(
        &self,
        path: &Path,
        places: &[Place],
        moment: Timestamp,
    ) -> Result<usize, LedgerFault> {
        first_from(places.len(), moment, |index| {
            let place = places.get(index..=index).unwrap_or_default();
            let first = self.chunk(path, place)?.into_iter().next();
            Ok(first.and_then(|entry| moment_in(entry.json.as_bytes())))
        })
    }

    /// Searches all of these segments in which a record may have been written while the clock was behind.
    fn search_behind(
        &self,
        segments: &[(u64, PathBuf)],
        id: DecisionId,
    ) -> Result<Option<Entry>, LedgerFault> {
        let newest = segments.last().map(|(first_seq, _)| *first_seq);
        for (first_seq, path) in segments.iter().rev() {
            if lock(&self.in_order).contains(first_seq) {
                continue;
            }
            let mut search = Search::new(id);
            let places = self.readable_frames(path)?;
            self.search(path, &places, &mut search)?;
            if search.found.is_some() {
                return Ok(search.found);
            }
            // The newest one still grows.
            if !search.has_latest && newest != Some(*first_seq) {
                lock(&self.in_order).insert(*first_seq);
            }
        }
        Ok(None)
    }

    /// The newest record of this decision behind its intent.
    fn newer(&self, intent: &Entry, id: DecisionId) -> Result<Option<Entry>, LedgerFault> {
        let mut search = Search::new(id);
        self.walk_newest(|entry| entry.seq > intent.seq && search.look(entry))?;
        Ok(search.found)
    }

    fn search(
        &self,
        path: &Path,
        places: &[Place],
        search: &mut Search,
    ) -> Result<(), LedgerFault> {
        for chunk in places.chunks(CHUNK).rev() {
            let entries = self.chunk(path, chunk)?;
            if !entries.into_iter().rev().all(|entry| search.look(entry)) {
                break;
            }
        }
        Ok(())
    }

    /// Where the frames of a segment stand; none where nobody can read them.
    pub(super) fn readable_frames(&self, path: &Path) -> Result<Vec<Place>, LedgerFault> {
        let is_destroyed = self.scanner(path)?.destroyed().is_some();
        if is_destroyed {
            return Ok(Vec::new());
        }
        self.frames(path)
    }
}

/// The first of so many that begins at this moment or later, found by halves; their number where none does. One without a moment
/// is taken as later: then more is searched, and not less.
fn first_from(
    count: usize,
    moment: Timestamp,
    begins: impl Fn(usize) -> Result<Option<Timestamp>, LedgerFault>,
) -> Result<usize, LedgerFault> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if begins(middle)?.is_some_and(|begins| begins < moment) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests;
