//! The door between transport and road: what the road implements and what it may read.
//! Gives `Service`, `Body`, `Unreadable`. No transport library's type appears in a signature.
//! Implemented by the gateway and the desk; driven by the connections of this room.
//! Start reading at `Service`.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use model::{Head, Peer, Reason, Refusal, Reply};

use crate::reasons::{MALFORMED, TIMEOUT, TOO_LARGE};
use crate::{Dropped, h1_connection, h2_connection};

/// What answers requests. One value lives on each worker thread, so nothing here needs to be `Send`.
pub trait Service: 'static {
    /// Asked right after accept, before TLS.
    ///
    /// # Errors
    /// A reason closes the connection at once; it is counted and comes back by [`Service::dropped`].
    fn admit(&self, address: IpAddr, listener: &str) -> Result<(), &'static Reason>;

    /// Answers one well-formed request. The body is read only when the road asks for it.
    fn answer(
        &self,
        peer: &Arc<Peer>,
        head: Head,
        body: &mut Body<'_>,
    ) -> impl Future<Output = Reply>;

    /// Renders and records what never became a request: malformed, too large, too slow, plain on TLS,
    /// or stopped by an internal fault. The connection closes after the reply (HTTP/2: the stream).
    fn refuse(&self, peer: &Arc<Peer>, what: Unreadable) -> impl Future<Output = Reply>;

    /// Records connections that never became a request. Called on one worker, about once a second and only when there
    /// are some; their number is bounded. A service that keeps no record leaves this as it is.
    fn dropped(&self, dropped: Vec<Dropped>) -> impl Future<Output = ()> {
        drop(dropped);
        std::future::ready(())
    }
}

/// Bytes that did not become a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, with the stable code.
    pub reason: &'static Reason,
    /// Status of the answer; 414 or 431 where `http.too_large` means the head.
    pub status: u16,
    /// Private detail: ledger only.
    pub detail: String,
    /// Method and target as far as they could be read; bounded, control characters replaced.
    pub head_seen: Option<(String, String)>,
}

impl Unreadable {
    /// Unreadable for this reason, with the reason's own status.
    pub fn new(reason: &'static Reason, detail: impl Into<String>) -> Self {
        Unreadable {
            reason,
            status: reason.status,
            detail: detail.into(),
            head_seen: None,
        }
    }

    /// With another status than the reason's own.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The refusal to render and record.
    pub fn into_refusal(self) -> Box<Refusal> {
        let mut refusal = self.reason.because(self.detail);
        refusal.status = self.status;
        refusal
    }
}

/// The body of one request, read at most once and whole.
pub struct Body<'a> {
    source: Source<'a>,
}

enum Source<'a> {
    Empty,
    H1(h1_connection::BodyReader<'a>),
    H2(h2_connection::BodyReader),
}

impl<'a> Body<'a> {
    /// No body.
    pub fn empty() -> Body<'static> {
        Body {
            source: Source::Empty,
        }
    }

    pub(crate) fn h1(reader: h1_connection::BodyReader<'a>) -> Self {
        Body {
            source: Source::H1(reader),
        }
    }

    pub(crate) fn h2(reader: h2_connection::BodyReader) -> Body<'static> {
        Body {
            source: Source::H2(reader),
        }
    }

    /// Reads the whole body. Larger than `max` is refused before it is read, where its length is declared.
    /// A second call gives an empty body.
    ///
    /// # Errors
    /// [`BodyFault`]; the connection closes after the reply.
    pub async fn read(&mut self, max: usize) -> Result<Vec<u8>, BodyFault> {
        match &mut self.source {
            Source::Empty => Ok(Vec::new()),
            Source::H1(reader) => reader.read(max).await,
            Source::H2(reader) => reader.read(max).await,
        }
    }
}

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// Larger than allowed.
    #[error("the body is larger than {max} bytes")]
    TooLarge {
        /// The bound.
        max: usize,
    },
    /// The chunked coding is broken, or the frames are.
    #[error("the body's framing is broken: {0}")]
    Malformed(&'static str),
    /// Slower than the bounds allow.
    #[error("the body did not arrive in time")]
    Timeout,
    /// The client went away before the body was complete.
    #[error("the client closed the connection before the body was complete")]
    Closed,
}

impl BodyFault {
    /// The reason to refuse with.
    pub fn reason(&self) -> &'static Reason {
        match self {
            BodyFault::TooLarge { .. } => &TOO_LARGE,
            BodyFault::Timeout => &TIMEOUT,
            BodyFault::Malformed(_) | BodyFault::Closed => &MALFORMED,
        }
    }

    /// The refusal to render and record.
    pub fn into_refusal(self) -> Box<Refusal> {
        self.reason().because(self.to_string())
    }
}
