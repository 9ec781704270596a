//! What could not be read of a request, and the reason to refuse it with.
//! Exports `Unreadable`, for bytes that did not become a request, and `BodyFault`, for a body behind a good head.
//! Used by the connections of callers, and by the road, which renders and records both.
//! Start reading at `Unreadable`.

use model::{Reason, Refusal};

use crate::reasons::{MALFORMED, TIMEOUT, TOO_LARGE};

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
