//! Records on their way out: written as they are sent, how far they have gone, and which of them the other end has taken.
//! Exports `Unsent`.
//! Used by `Delivery`, which fills it, and by what sends.
//! Start reading at `Unsent`.

use std::collections::VecDeque;

/// Records on their way out. Bytes are counted from when the target was opened.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    /// What is being sent.
    bytes: Vec<u8>,
    /// How much of it has gone.
    sent: usize,
    /// What had gone before it.
    before: u64,
    /// The records of which not every byte was taken, as far as is known: their numbers, and where they end.
    ends: VecDeque<(u64, u64)>,
}

impl Unsent {
    /// Adds a record, which writes itself.
    pub(super) fn add(&mut self, seq: u64, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_sent() {
            self.before += self.bytes.len() as u64;
            self.bytes.clear();
            self.sent = 0;
        }
        write(&mut self.bytes);
        self.ends
            .push_back((seq, self.before + self.bytes.len() as u64));
    }

    /// Whether everything has gone, to wherever it waits for who takes it.
    pub(super) fn is_sent(&self) -> bool {
        self.sent >= self.bytes.len()
    }

    /// What has yet to go.
    pub(super) fn left(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// So many bytes have gone.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes).min(self.bytes.len());
    }

    /// The other end has yet to take so many of the bytes that have gone: the first record that it does not have whole. `None`
    /// where it has all that were added.
    pub(super) fn first_not_taken(&mut self, waiting: u64) -> Option<u64> {
        let gone = self.before + self.sent as u64;
        let taken = gone.saturating_sub(waiting);
        while self.ends.pop_front_if(|(_, end)| *end <= taken).is_some() {}
        self.ends.front().map(|(seq, _)| *seq)
    }
}
