//! Where the newest decisions stand in the files, so that they are found without searching.
//! Exports `Recent`, `RecentFrame`, `Place`.
//! Filled by the writer; asked by `Recorder::find`.
//! Start reading at `Recent`.

use std::collections::VecDeque;
use std::path::PathBuf;

use crate::tree::Hash;

/// So many of the newest decisions are found without searching the files.
const RECENT_MAX: usize = 65_536;

/// Where a record stands.
#[derive(Clone)]
pub(crate) struct Place {
    pub segment: PathBuf,
    pub offset: u64,
    pub first_seq: u64,
    pub before: Hash,
    pub index: usize,
}

/// A written frame whose decisions can be found at once.
pub(crate) struct RecentFrame {
    pub segment: PathBuf,
    pub offset: u64,
    pub first_seq: u64,
    pub before: Hash,
    pub ids: Vec<u128>,
}

/// The newest frames.
#[derive(Default)]
pub(crate) struct Recent {
    frames: VecDeque<RecentFrame>,
    count: usize,
}

impl Recent {
    /// Adds one, and lets go of the oldest where they are too many.
    pub(crate) fn add(&mut self, frame: RecentFrame) {
        self.count = self.count.saturating_add(frame.ids.len());
        self.frames.push_back(frame);
        while self.count > RECENT_MAX && self.frames.len() > 1 {
            let gone = self.frames.pop_front().map_or(0, |frame| frame.ids.len());
            self.count = self.count.saturating_sub(gone);
        }
    }

    /// Where the record of a decision stands.
    pub(crate) fn place(&self, id: u128) -> Option<Place> {
        self.frames.iter().rev().find_map(|frame| {
            let index = frame.ids.iter().rposition(|known| *known == id)?;
            Some(Place {
                segment: frame.segment.clone(),
                offset: frame.offset,
                first_seq: frame.first_seq,
                before: frame.before,
                index,
            })
        })
    }
}
