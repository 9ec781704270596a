//! One connection with its buffer and its alarm clock, the same for callers and upstreams.
//! Exports `Wire`, `Stream`, `Pace`, `ReadRate`. Bodies are read whole, within a size and a pace.
//! Used by h1_connection, upstream and client.
//! Start reading at `Wire::fill`.

mod alarm;
mod buffers;
mod stream;

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

pub(crate) use alarm::Alarm;
pub(crate) use stream::{AtRest, Stream};

use crate::descriptors::Descriptor;
use crate::h1::chunked::{ChunkFault, Chunked, Side};

/// Room that is made for one read of a head.
const READ_BYTES: usize = 4 * 1024;
/// Room that is made for one read of a body.
const BODY_READ_BYTES: usize = 16 * 1024;
/// Bodies up to this size are copied behind their head: one plain write is cheaper than two pieces.
pub(crate) const JOINED_BYTES: usize = 8 * 1024;

/// How long a body is read on whose request was refused before all of it had come. The connection keeps its place meanwhile, but gives
/// way as one at rest does.
pub(crate) const LINGER: Duration = Duration::from_secs(10);
/// The same without a byte.
pub(crate) const SILENCE: Duration = Duration::from_secs(1);
/// Most bytes that are read so on one connection.
pub(crate) const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// A connection.
pub(crate) struct Wire {
    stream: Stream,
    input: Vec<u8>,
    start: usize,
    alarm: Alarm,
    /// Status of the answer being read from an upstream.
    pub(crate) answered: Option<u16>,
    /// What the connection has taken of the descriptors for upstreams.
    pub(crate) descriptor: Option<Descriptor>,
}

/// Why reading or writing stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireFault {
    /// Not in time.
    Timeout,
    /// The other end closed or reset.
    Closed,
    /// The same, and it is certain that not one byte of what was to be sent went out.
    NothingSent,
    /// Broken framing.
    Malformed(&'static str),
    /// Larger than allowed.
    TooLarge,
    /// No room to keep it, by the word of whoever was asked.
    NoRoom,
}

/// Until when the other end has to have delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A fixed moment.
    Until(Instant),
    /// `grace` from `start`, and more for every byte at `rate` bytes per second.
    Rate {
        start: Instant,
        grace: Duration,
        rate: u64,
    },
}

/// How fast the other end has to take what is written: bytes per second, and how long it may pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadRate {
    pub(crate) grace: Duration,
    pub(crate) rate: u64,
}

impl ReadRate {
    /// The moment by which more has to be taken, after `bytes` were, where it was `deadline` before. Being fast earns no more than one
    /// pause: whoever takes the beginning at once, or has a kernel that does, does not keep the rest in memory for long.
    pub(crate) fn after(self, deadline: Instant, bytes: usize) -> Instant {
        (deadline + earned(bytes, self.rate)).min(Instant::now() + self.grace * 2)
    }
}

impl Pace {
    fn deadline(self, bytes: usize) -> Instant {
        match self {
            Pace::Until(deadline) => deadline,
            Pace::Rate { start, grace, rate } => start + grace + earned(bytes, rate),
        }
    }
}

/// Time that so many bytes may take.
fn earned(bytes: usize, rate: u64) -> Duration {
    Duration::from_millis(bytes as u64 * 1000 / rate.max(1))
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Self {
        Wire {
            stream,
            input: Vec::new(),
            start: 0,
            alarm: Alarm::default(),
            answered: None,
            descriptor: None,
        }
    }

    /// Received and not yet consumed.
    pub(crate) fn buffered(&self) -> &[u8] {
        self.input.get(self.start..).unwrap_or_default()
    }

    /// Marks received bytes as used.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.input.len());
        if self.start == self.input.len() {
            self.input.clear();
            self.start = 0;
        }
    }

    /// Waits for more bytes; 0 means the other end has closed.
    pub(crate) async fn fill(&mut self, deadline: Instant) -> Result<usize, WireFault> {
        if self.start > 0 {
            self.input.drain(..self.start);
            self.start = 0;
        }
        if self.input.capacity() - self.input.len() < READ_BYTES / 4 {
            self.input.reserve(READ_BYTES);
        }
        let read = self.stream.read_buf(&mut self.input);
        match self.alarm.within(|| deadline, read).await {
            Some(Ok(count)) => Ok(count),
            Some(Err(_)) => Err(WireFault::Closed),
            None => Err(WireFault::Timeout),
        }
    }

    /// Gives back the room of a large head, so that a resting connection stays small.
    pub(crate) fn rest(&mut self) {
        if self.input.is_empty() && self.input.capacity() > READ_BYTES {
            self.input = Vec::new();
        }
    }

    /// Writes head and body, in one piece where the body is small.
    pub(crate) async fn send(
        &mut self,
        head: &mut Vec<u8>,
        body: &[u8],
        pace: Pace,
    ) -> Result<(), WireFault> {
        let bytes = head.len() + body.len();
        let stream = &mut self.stream;
        // TLS may have sent a part of what it reports as failed.
        let mut may_be_sent = !matches!(stream, Stream::Plain(_));
        let write = async {
            let (first, rest) = if body.len() <= JOINED_BYTES {
                head.extend_from_slice(body);
                (stream.write(head).await?, &[][..])
            } else {
                let pieces = [io::IoSlice::new(head), io::IoSlice::new(body)];
                (stream.write_vectored(&pieces).await?, body)
            };
            may_be_sent |= first > 0;
            write_rest(stream, head, rest, first).await?;
            stream.flush().await
        };
        match self.alarm.within(|| pace.deadline(bytes), write).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) if !may_be_sent => Err(WireFault::NothingSent),
            Some(Err(_)) => Err(WireFault::Closed),
            None => Err(WireFault::Timeout),
        }
    }

    /// Writes an answer to a reader who has to take it at this rate. `is_nearly_out` is called when all but the last piece was taken:
    /// what is held for the answer is free before the reader can have seen its end and asks for the next one.
    pub(crate) async fn send_response(
        &mut self,
        head: &mut Vec<u8>,
        body: &[u8],
        rate: ReadRate,
        is_nearly_out: impl FnOnce(),
    ) -> Result<(), WireFault> {
        let Wire { stream, alarm, .. } = self;
        let last = body.len().saturating_sub(JOINED_BYTES);
        let (most, tail) = body.split_at_checked(last).unwrap_or((body, &[]));
        // Counted from the first wait: most answers never have one, and reading the clock costs more than finding that out.
        let deadline = Cell::new(None);
        if !most.is_empty() {
            let all = head.len() + most.len();
            let mut taken = 0;
            while taken < all {
                let of_body = taken.saturating_sub(head.len());
                let pieces = [
                    io::IoSlice::new(head.get(taken..).unwrap_or_default()),
                    io::IoSlice::new(most.get(of_body..).unwrap_or_default()),
                ];
                let write = stream.write_vectored(&pieces);
                let count = in_time(alarm, &deadline, rate, write).await?;
                if let Some(by) = deadline.get() {
                    deadline.set(Some(rate.after(by, count)));
                }
                taken += count;
            }
            head.clear();
        }
        is_nearly_out();
        head.extend_from_slice(tail);
        let mut taken = 0;
        while taken < head.len() {
            let rest = head.get(taken..).unwrap_or_default();
            taken += in_time(alarm, &deadline, rate, stream.write(rest)).await?;
        }
        let flush = async { stream.flush().await.map(|()| 1) };
        in_time(alarm, &deadline, rate, flush).await.map(|_| ())
    }

    /// Reads a body of known length. The caller has compared the length with its bound.
    pub(crate) async fn read_known(
        &mut self,
        length: usize,
        pace: Pace,
    ) -> Result<Vec<u8>, WireFault> {
        let ready = self.buffered();
        let ready = ready.get(..length.min(ready.len())).unwrap_or_default();
        let mut body = Vec::with_capacity(length.min(ready.len().max(BODY_READ_BYTES)));
        body.extend_from_slice(ready);
        self.consume(body.len());
        while body.len() < length {
            // Room grows with what has arrived: announcing a large body costs nothing here.
            let wanted = (length - body.len()).min(body.len().max(BODY_READ_BYTES));
            body.reserve_exact(wanted);
            let arrived = body.len();
            let mut limited = (&mut self.stream).take(wanted as u64);
            match self
                .alarm
                .within(|| pace.deadline(arrived), limited.read_buf(&mut body))
                .await
            {
                Some(Ok(0) | Err(_)) => return Err(WireFault::Closed),
                Some(Ok(_)) => {}
                None => return Err(WireFault::Timeout),
            }
        }
        Ok(body)
    }

    /// Reads a chunked body of at most `max` bytes. `has_room` is asked whether so many may be kept.
    pub(crate) async fn read_chunked(
        &mut self,
        side: Side,
        max: usize,
        pace: Pace,
        mut has_room: impl FnMut(usize) -> bool,
    ) -> Result<Vec<u8>, WireFault> {
        let mut decoder = Chunked::new(side);
        let mut body = Vec::new();
        loop {
            let ready = self.input.get(self.start..).unwrap_or_default();
            let fed = decoder.feed(ready, &mut body, max).map_err(|e| match e {
                ChunkFault::Malformed(what) => WireFault::Malformed(what),
                ChunkFault::TooLarge => WireFault::TooLarge,
            })?;
            self.consume(fed.consumed);
            if !has_room(body.len()) {
                return Err(WireFault::NoRoom);
            }
            if fed.is_done {
                return Ok(body);
            }
            if self.fill(pace.deadline(body.len())).await? == 0 {
                return Err(WireFault::Closed);
            }
        }
    }

    /// Reads until the other end closes in order. A TLS connection that ends without `close_notify` is a fault.
    pub(crate) async fn read_to_close(
        &mut self,
        max: usize,
        pace: Pace,
        mut has_room: impl FnMut(usize) -> bool,
    ) -> Result<Vec<u8>, WireFault> {
        let mut body = Vec::new();
        loop {
            body.extend_from_slice(self.buffered());
            self.consume(self.input.len());
            if !has_room(body.len()) {
                return Err(WireFault::NoRoom);
            }
            if body.len() > max {
                return Err(WireFault::TooLarge);
            }
            if self.fill(pace.deadline(body.len())).await? == 0 {
                return Ok(body);
            }
        }
    }

    /// Ends our side and reads on for a while, so that the last answer is not lost in a reset: a client that is still sending a body when
    /// its refusal comes looks for the answer only when it has sent all of it. What is read is thrown away, never taken for a request.
    /// `is_stopping` cuts it short.
    pub(crate) async fn linger(mut self, is_stopping: impl Fn() -> bool) {
        let begun = Instant::now();
        let shutdown = self.stream.shutdown();
        let by = begun + SILENCE;
        if !matches!(self.alarm.within(|| by, shutdown).await, Some(Ok(()))) {
            return;
        }
        let mut total = self.buffered().len();
        while total < LINGER_BYTES {
            self.consume(self.input.len());
            let all = if is_stopping() { SILENCE } else { LINGER };
            let deadline = (begun + all).min(Instant::now() + SILENCE);
            match self.fill(deadline).await {
                Ok(0) | Err(_) => return,
                Ok(count) => total += count,
            }
        }
    }

    /// What a connection that nobody has asked anything says. Only a quiet one can carry a call: what it said before is
    /// no answer to what is sent next.
    pub(crate) fn at_rest(&mut self) -> AtRest {
        if self.buffered().is_empty() {
            self.stream.at_rest()
        } else {
            AtRest::Spoke
        }
    }

    /// Whether a connection that was just made has said something already.
    pub(crate) fn has_spoken(&mut self) -> bool {
        !self.buffered().is_empty() || self.stream.has_spoken()
    }

    /// Whether bytes have arrived that were not read yet. Encrypted ones count, whatever they will turn out to be.
    pub(crate) fn has_arrived(&self) -> bool {
        !self.buffered().is_empty() || self.stream.has_arrived()
    }
}

/// Waits for one write as long as the reader may take. The first wait sets the moment.
async fn in_time(
    alarm: &mut Alarm,
    deadline: &Cell<Option<Instant>>,
    rate: ReadRate,
    write: impl Future<Output = io::Result<usize>>,
) -> Result<usize, WireFault> {
    let by = || {
        let by = deadline
            .get()
            .unwrap_or_else(|| Instant::now() + rate.grace);
        deadline.set(Some(by));
        by
    };
    match alarm.within(by, write).await {
        Some(Ok(0) | Err(_)) => Err(WireFault::Closed),
        Some(Ok(count)) => Ok(count),
        None => Err(WireFault::Timeout),
    }
}

/// Writes what a first write of so many bytes left.
async fn write_rest(
    stream: &mut Stream,
    head: &[u8],
    body: &[u8],
    written: usize,
) -> io::Result<()> {
    if written == 0 && !(head.is_empty() && body.is_empty()) {
        return Err(io::ErrorKind::WriteZero.into());
    }
    let head_left = head.get(written..).unwrap_or_default();
    if !head_left.is_empty() {
        stream.write_all(head_left).await?;
    }
    let body_done = written.saturating_sub(head.len());
    let body_left = body.get(body_done..).unwrap_or_default();
    if body_left.is_empty() {
        return Ok(());
    }
    stream.write_all(body_left).await
}

pub(crate) use buffers::with_buffer;
