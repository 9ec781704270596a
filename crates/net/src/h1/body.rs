//! One request body of an HTTP/1.1 connection: read whole, or thrown away where that is safe.
//! Exports `BodyReader` and `BodyState`, what of the body is still on the wire.
//! Used by the connection, which closes unless the body is done with.
//! Start reading at `BodyReader::read`.

use model::http::BodyLength;
use tokio::time::Instant;

use super::chunked::{Chunked, Side};
use super::request::Request;
use super::write;
use crate::spec::Bounds;
use crate::unreadable::BodyFault;
use crate::wire::{Pace, Wire, WireFault};

/// How much of a request's body is still on the wire.
#[derive(Debug)]
pub(crate) struct BodyState {
    left: BodyLength,
    waits_for_continue: bool,
    is_broken: bool,
}

impl BodyState {
    /// Nothing of it was read yet.
    pub(crate) fn of(request: &Request) -> Self {
        BodyState {
            left: request.head.body,
            waits_for_continue: request.expects_continue,
            is_broken: false,
        }
    }

    /// Whether nothing of it is left there.
    pub(crate) fn is_done(&self) -> bool {
        self.left == BodyLength::None && !self.is_broken
    }

    /// Throws an unread body away where all of it has already arrived. `false`: the connection must close,
    /// because what is still to come must never be read as a request.
    pub(crate) fn discard(&mut self, wire: &mut Wire) -> bool {
        if self.is_broken {
            return false;
        }
        let ready = wire.buffered();
        let used = match self.left {
            BodyLength::None => Some(0),
            BodyLength::Known(left) => usize::try_from(left).ok().filter(|n| *n <= ready.len()),
            BodyLength::Open => {
                let mut thrown = Vec::new();
                let fed = Chunked::new(Side::Request).feed(ready, &mut thrown, ready.len());
                fed.ok().filter(|fed| fed.is_done).map(|fed| fed.consumed)
            }
        };
        match used {
            Some(bytes) => {
                wire.consume(bytes);
                self.left = BodyLength::None;
                true
            }
            None => false,
        }
    }
}

/// Reads one body from the connection.
pub(crate) struct BodyReader<'a> {
    wire: &'a mut Wire,
    state: &'a mut BodyState,
    bounds: &'a Bounds,
}

impl<'a> BodyReader<'a> {
    pub(crate) fn new(wire: &'a mut Wire, state: &'a mut BodyState, bounds: &'a Bounds) -> Self {
        BodyReader {
            wire,
            state,
            bounds,
        }
    }

    pub(crate) async fn read(&mut self, max: usize) -> Result<Vec<u8>, BodyFault> {
        if self.state.is_broken || self.state.left == BodyLength::None {
            return Ok(Vec::new());
        }
        // Broken until proven whole: also when this future is dropped half-way.
        self.state.is_broken = true;
        let body = self.read_whole(max).await.map_err(|fault| match fault {
            WireFault::Timeout => BodyFault::Timeout,
            WireFault::Closed | WireFault::NothingSent => BodyFault::Closed,
            WireFault::Malformed(what) => BodyFault::Malformed(what),
            WireFault::TooLarge | WireFault::NoRoom => BodyFault::TooLarge { max },
        })?;
        self.state.is_broken = false;
        self.state.left = BodyLength::None;
        Ok(body)
    }

    async fn read_whole(&mut self, max: usize) -> Result<Vec<u8>, WireFault> {
        let length = match self.state.left {
            BodyLength::Known(left) => match usize::try_from(left) {
                Ok(length) if length <= max => Some(length),
                _ => return Err(WireFault::TooLarge),
            },
            _ => None,
        };
        let pace = Pace::Rate {
            start: Instant::now(),
            grace: self.bounds.body_grace,
            rate: self.bounds.rate_min,
        };
        if self.state.waits_for_continue && self.wire.buffered().is_empty() {
            let mut interim = write::CONTINUE.to_vec();
            self.wire.send(&mut interim, &[], pace).await?;
        }
        match length {
            Some(length) => self.wire.read_known(length, pace).await,
            None => {
                let wire = &mut *self.wire;
                wire.read_chunked(Side::Request, max, pace, |_| true).await
            }
        }
    }
}
