//! Weighs the frames of one HTTP/2 connection: answers earn credit, frames that carry no request spend it.
//! Exports `Meter`, `Metered`, the stream that hyper reads and writes through it, and `HeldUntilLast`.
//! The library bounds memory; this bounds what a client may make us do without ever asking for something.
//! Used by h2_connection. Start reading at `State::spend`.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use model::http::Held;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::fragment::{CutPath, PathWatch};
use super::frames::{ACK, END_HEADERS, END_STREAM, Frame, Frames, Seen, kind};
use crate::wire::Stream;

/// Octets of the client's preface.
const PREFACE: usize = 24;
/// Credit a connection begins with, and the most it can save.
const CREDIT: u32 = 600;
/// Credit that comes back every second, for keep-alive and window updates of a slow day.
const PER_SECOND: u32 = 20;
/// A head, until the road has it: a burst may bring more of them at once than there may be streams, but not twice as many.
/// Those that never get there (too large, malformed) are not given back.
const HEAD: u32 = 3;
/// What a whole answer earns: one cancelled request, or a handful of window updates.
const ANSWER: u32 = 5;
/// What a DATA frame of an answer earns: a window update for stream and connection each, and more of them for a long one,
/// because some clients send both after every 4 KiB.
const PIECE: u32 = 2;
const PIECE_BYTES: u32 = 1024;
/// A ping, priority, window update, empty DATA, or something unknown.
const IDLE_FRAME: u32 = 1;
/// A cancelled request or new settings: work of ours that nobody wants (CVE-2023-44487). A connection that gets no answer
/// can cancel about as many requests as it may have at once.
const CANCEL: u32 = 5;
/// A stream that we had to reset for a fault of the client's (CVE-2025-8671).
const FAULT: u32 = 10;

/// A stream beyond those at once. An honest client may send a burst before it has read the settings.
const TOO_MANY: u32 = 2;

/// Most paths with a fragment that are kept at once: as many as one client may have requests under way, and more.
const CUT_PATHS_MAX: usize = 256;

/// Error codes (RFC 9113 §7) of our resets; the first three are not faults of the client.
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const CANCELLED: u32 = 8;
const REFUSED_STREAM: u32 = 7;

/// The account of one connection.
#[derive(Debug, Default)]
pub(super) struct Meter(RefCell<State>, RefCell<Option<HeldUntilLast>>);

/// What is kept for an answer until its last frame is handed to the socket, or until nothing of it is left here.
#[derive(Clone, Debug)]
pub(super) struct HeldUntilLast(Rc<RefCell<Held>>);

impl HeldUntilLast {
    pub(super) fn new(held: Held) -> Self {
        HeldUntilLast(Rc::new(RefCell::new(held)))
    }

    pub(super) fn give_back(&self) {
        drop(self.0.take());
    }
}

#[derive(Debug)]
struct State {
    from_client: Frames,
    to_client: Frames,
    credit: u32,
    excess: Option<&'static str>,
    is_in_head: bool,
    /// The newest stream of the client's.
    newest: u32,
    /// Heads of new streams that are whole and not, or not yet, a request of the road's.
    unserved: u64,
    /// Looks since the head under way began.
    head_looks: u32,
    faults: u64,
    last_fault: u32,
    paths: PathWatch,
    /// Paths that had a fragment, of requests that the road has not seen yet.
    cut_paths: Vec<CutPath>,
}

impl Default for State {
    fn default() -> Self {
        State {
            from_client: Frames::behind(PREFACE),
            to_client: Frames::behind(0),
            credit: CREDIT,
            excess: None,
            is_in_head: false,
            newest: 0,
            unserved: 0,
            head_looks: 0,
            faults: 0,
            last_fault: 0,
            paths: PathWatch::default(),
            cut_paths: Vec::new(),
        }
    }
}

impl Meter {
    /// What there was too much of, once the credit is spent.
    pub(super) fn excess(&self) -> Option<&'static str> {
        self.0.borrow().excess
    }

    /// Once a second: some credit comes back. Gives for how many looks the same header block has been unfinished.
    pub(super) fn look(&self) -> u32 {
        let state = &mut *self.0.borrow_mut();
        state.earn(PER_SECOND);
        if state.is_in_head {
            state.head_looks = state.head_looks.saturating_add(1);
        }
        state.head_looks
    }

    /// The road has a request of this connection.
    pub(super) fn served(&self) {
        let state = &mut *self.0.borrow_mut();
        state.unserved = state.unserved.saturating_sub(1);
        state.earn(HEAD);
    }

    /// Whether a request of this path was sent with a fragment, which the library has cut off. Each is answered for once.
    pub(super) fn was_cut(&self, path: &str) -> bool {
        let cut_paths = &mut self.0.borrow_mut().cut_paths;
        if cut_paths.is_empty() {
            return false;
        }
        let path = CutPath::of(path);
        let at = cut_paths.iter().position(|cut| *cut == path);
        at.map(|at| cut_paths.remove(at)).is_some()
    }

    /// A request was cancelled after a long wait: the client's patience ended, which is no abuse.
    pub(super) fn waited(&self) {
        self.0.borrow_mut().earn(CANCEL);
    }

    /// Streams that the library reset or answered by itself since the last call, at least, and the error code of the last
    /// reset, where there was one. Asked between two polls of the library, when no head is on its way to the road.
    pub(super) fn take_faults(&self) -> (u64, Option<u32>) {
        let state = &mut *self.0.borrow_mut();
        let (faults, unserved) = (state.faults, state.unserved);
        (state.faults, state.unserved) = (0, 0);
        // A stream may be in both numbers, so they are not added up.
        let last = (faults > 0).then_some(state.last_fault);
        (faults.max(unserved), last)
    }

    fn read(&self, bytes: &[u8]) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        let mut frames = std::mem::replace(&mut state.from_client, Frames::behind(0));
        frames.feed(bytes, |seen| state.came(seen));
        state.from_client = frames;
        match state.excess {
            Some(what) => Err(io::Error::other(what)),
            None => Ok(()),
        }
    }

    /// A frame is next to be written. `held` is kept for the answer that it may be the last one of.
    pub(super) fn offers(&self, held: Option<&HeldUntilLast>) {
        *self.1.borrow_mut() = held.cloned();
    }

    /// These bytes are written next. Where they begin the last frame of an answer, what is kept for it is given back now: once they are
    /// out, its reader may ask for the next one, on another connection and another thread. What the window cut short is not the last.
    fn writes<'b>(&self, pieces: impl Iterator<Item = &'b [u8]>) {
        let offered = &mut *self.1.borrow_mut();
        if offered.is_none() {
            return;
        }
        let mut ahead = self.0.borrow().to_client.clone();
        let mut is_last = false;
        for piece in pieces {
            ahead.feed(piece, |seen| {
                if let Seen::Begin(frame) = seen {
                    is_last |= frame.kind == kind::DATA && frame.flags & END_STREAM != 0;
                }
            });
        }
        if is_last && let Some(held) = offered.take() {
            held.give_back();
        }
    }

    fn wrote(&self, bytes: &[u8]) {
        let state = &mut *self.0.borrow_mut();
        let mut frames = std::mem::replace(&mut state.to_client, Frames::behind(0));
        frames.feed(bytes, |seen| {
            if let Seen::End(frame) = seen {
                state.went(frame);
            }
        });
        state.to_client = frames;
    }
}

impl State {
    /// A frame of the client's.
    fn came(&mut self, seen: Seen<'_>) {
        let (frame, is_whole) = match seen {
            Seen::Begin(frame) => {
                self.paths.begin(&frame);
                (frame, false)
            }
            Seen::Payload(frame, bytes) => return self.came_inside(frame, bytes),
            Seen::End(frame) => (frame, true),
        };
        if matches!(frame.kind, kind::HEADERS | kind::CONTINUATION) {
            let is_done = is_whole && frame.flags & END_HEADERS != 0;
            if is_done || (!is_whole && frame.kind == kind::HEADERS) {
                self.head_looks = 0;
            }
            self.is_in_head = !is_done;
            if is_done && frame.stream > self.newest {
                self.newest = frame.stream;
                self.unserved = self.unserved.saturating_add(1);
            }
        }
        if !is_whole {
            return;
        }
        match frame.kind {
            kind::HEADERS => self.spend(HEAD, "heads that are no requests"),
            kind::DATA if frame.length > 0 || frame.flags & END_STREAM != 0 => {}
            kind::DATA => self.spend(IDLE_FRAME, "empty DATA frames"),
            kind::RST_STREAM => self.spend(CANCEL, "cancelled requests"),
            kind::SETTINGS if frame.flags & ACK == 0 => self.spend(CANCEL, "SETTINGS frames"),
            kind::CONTINUATION => self.spend(IDLE_FRAME, "CONTINUATION frames"),
            _ => self.spend(IDLE_FRAME, "control frames"),
        }
    }

    /// Octets of a frame of the client's.
    fn came_inside(&mut self, frame: Frame, bytes: &[u8]) {
        if !matches!(frame.kind, kind::HEADERS | kind::CONTINUATION) {
            return;
        }
        if let Some(cut) = self.paths.read(bytes) {
            if self.cut_paths.len() == CUT_PATHS_MAX {
                self.excess = self.excess.or(Some("paths with a fragment"));
            } else {
                self.cut_paths.push(cut);
            }
        }
    }

    /// A frame of ours.
    fn went(&mut self, frame: Frame) {
        match frame.kind {
            kind::DATA => {
                let is_last = frame.flags & END_STREAM != 0;
                let response = if is_last { ANSWER } else { 0 };
                self.earn(response + PIECE + frame.length / PIECE_BYTES);
            }
            kind::RST_STREAM if !matches!(frame.word, NO_ERROR | INTERNAL_ERROR | CANCELLED) => {
                self.faults = self.faults.saturating_add(1);
                self.last_fault = frame.word;
                let cost = match frame.word {
                    REFUSED_STREAM => TOO_MANY,
                    _ => FAULT,
                };
                self.spend(cost, "streams that had to be reset");
            }
            _ => {}
        }
    }

    fn earn(&mut self, credit: u32) {
        self.credit = self.credit.saturating_add(credit).min(CREDIT);
    }

    /// Pays for a frame. Who cannot pay has sent too much of it.
    fn spend(&mut self, cost: u32, what: &'static str) {
        match self.credit.checked_sub(cost) {
            Some(left) => self.credit = left,
            None => self.excess = self.excess.or(Some(what)),
        }
    }
}

/// A stream whose frames are weighed. Reading fails once there was too much.
pub(super) struct Metered {
    stream: Stream,
    meter: Rc<Meter>,
}

impl Metered {
    pub(super) fn new(stream: Stream, meter: &Rc<Meter>) -> Self {
        Metered {
            stream,
            meter: Rc::clone(meter),
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let new = buf.filled().get(before..).unwrap_or_default();
                Poll::Ready(this.meter.read(new))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.meter.writes(std::iter::once(buf));
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = &written {
            this.meter.wrote(buf.get(..*count).unwrap_or_default());
        }
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.meter.writes(bufs.iter().map(|buf| &**buf));
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(count)) = &written {
            let mut left = *count;
            for buf in bufs {
                let part = buf.get(..left.min(buf.len())).unwrap_or_default();
                this.meter.wrote(part);
                left -= part.len();
            }
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags, 0, 0, 0, 1]);
        bytes.extend(payload);
        bytes
    }

    /// A whole head of this stream.
    fn head(stream: u32) -> Vec<u8> {
        let mut bytes = frame(kind::HEADERS, END_STREAM | END_HEADERS, &[1]);
        bytes[5..9].copy_from_slice(&stream.to_be_bytes());
        bytes
    }

    fn begun() -> Meter {
        let meter = Meter::default();
        meter.read(&[0; PREFACE]).unwrap();
        meter
    }

    /// How many of these frames pass before the account is empty.
    fn passes(bytes: &[u8]) -> usize {
        let meter = begun();
        (0..100_000)
            .take_while(|_| meter.read(bytes).is_ok())
            .count()
    }

    #[test]
    fn frames_without_a_request_end_a_connection_soon() {
        let none = |kind: u8| passes(&frame(kind, 0, &[]));
        assert_eq!(none(kind::DATA), 600, "empty DATA");
        assert_eq!(passes(&frame(6, 0, &[0; 8])), 600, "PING");
        assert_eq!(passes(&frame(2, 0, &[0; 5])), 600, "PRIORITY");
        assert_eq!(passes(&frame(8, 0, &[0, 0, 0, 1])), 600, "WINDOW_UPDATE");
        assert_eq!(none(kind::SETTINGS), 120);
        assert_eq!(none(0xfe), 600, "a type nobody knows");
        assert_eq!(none(kind::HEADERS), 200, "heads that the road never sees");
        let meter = begun();
        let rapid = |n: u32| {
            meter.read(&head(2 * n + 1))?;
            meter.served();
            meter.read(&frame(3, 0, &[0, 0, 0, 8]))
        };
        assert_eq!((0..1000).take_while(|n| rapid(*n).is_ok()).count(), 120);
    }

    #[test]
    fn a_client_that_takes_its_answers_never_runs_out() {
        let meter = begun();
        for n in 0..10_000 {
            meter.read(&head(4 * n + 1)).unwrap();
            meter.served();
            meter.wrote(&frame(kind::HEADERS, 4, &[1]));
            for _ in 0..3 {
                meter.wrote(&frame(kind::DATA, 0, &[0; 100]));
                meter.read(&frame(8, 0, &[0, 0, 0, 1])).unwrap();
                meter.read(&frame(8, 0, &[0, 0, 0, 1])).unwrap();
            }
            meter.wrote(&frame(kind::DATA, END_STREAM, &[0; 100]));
            // A request cancelled for each that was answered.
            meter.read(&head(4 * n + 3)).unwrap();
            meter.served();
            meter.read(&frame(3, 0, &[0, 0, 0, 8])).unwrap();
        }
        assert_eq!((meter.excess(), meter.take_faults()), (None, (0, None)));
    }

    #[test]
    fn faults_that_we_reset_streams_for_are_counted_and_paid_for() {
        let meter = begun();
        for _ in 0..60 {
            meter.wrote(&frame(3, 0, &[0, 0, 0, 1]));
        }
        assert_eq!((meter.excess(), meter.take_faults()), (None, (60, Some(1))));
        meter.wrote(&frame(3, 0, &[0, 0, 0, NO_ERROR as u8]));
        assert_eq!(
            meter.take_faults().0,
            0,
            "a body that nobody needed is no fault"
        );
        meter.wrote(&frame(3, 0, &[0, 0, 0, 3]));
        assert_eq!(meter.excess(), Some("streams that had to be reset"));
    }

    #[test]
    fn heads_that_the_library_answers_by_itself_are_counted() {
        let meter = begun();
        for n in 0..30 {
            meter.read(&head(2 * n + 1)).unwrap();
            if n % 3 == 0 {
                meter.served();
            }
        }
        meter.read(&head(1)).unwrap();
        assert_eq!(meter.take_faults(), (20, None), "trailers are no heads");
        assert_eq!(meter.take_faults(), (0, None));
    }

    #[test]
    fn an_unfinished_head_is_known_for_as_long_as_it_lasts() {
        let meter = begun();
        let head = frame(kind::HEADERS, END_HEADERS, &[1; 20]);
        meter.read(&head[..15]).unwrap();
        assert_eq!((meter.look(), meter.look()), (1, 2));
        meter.read(&head[15..]).unwrap();
        assert_eq!(meter.look(), 0);
        meter.read(&frame(kind::HEADERS, 0, &[1])).unwrap();
        assert_eq!(meter.look(), 1);
        meter.read(&frame(kind::CONTINUATION, 0, &[1])).unwrap();
        assert_eq!(meter.look(), 2, "a drop more does not buy time");
        meter
            .read(&frame(kind::CONTINUATION, END_HEADERS, &[1]))
            .unwrap();
        assert_eq!(meter.look(), 0);
    }
}
