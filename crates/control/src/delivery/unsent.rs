//! Records on their way out: written as they are sent, and how far they have gone.
//! Exports `Unsent`.
//! Used by `Delivery`, which fills it, and by what sends.
//! Start reading at `Unsent`.

/// Records on their way out.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    bytes: Vec<u8>,
    /// Where each record begins.
    starts: Vec<usize>,
    /// Bytes that have gone.
    sent: usize,
    /// The number behind the last of them.
    next_seq: u64,
}

impl Unsent {
    /// Adds a record, which writes itself.
    pub(super) fn add(&mut self, seq: u64, write: impl FnOnce(&mut Vec<u8>)) {
        self.starts.push(self.bytes.len());
        write(&mut self.bytes);
        self.next_seq = seq.saturating_add(1);
    }

    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What has yet to go.
    pub(super) fn left(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// So many bytes have gone.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes);
    }

    /// The other end is another one: a record that has gone in part goes again from its beginning.
    pub(super) fn rewind(&mut self) {
        let whole = self.starts.partition_point(|start| *start <= self.sent);
        let start = whole.checked_sub(1).and_then(|at| self.starts.get(at));
        if self.sent < self.bytes.len() {
            self.sent = start.copied().unwrap_or(0);
        }
    }

    /// Everything has gone: the number of the next record.
    pub(super) fn finish(&mut self) -> u64 {
        self.bytes.clear();
        self.starts.clear();
        self.sent = 0;
        self.next_seq
    }
}
