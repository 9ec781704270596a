//! One request body of an HTTP/2 stream: read whole, frame by frame, or thrown away.
//! Exports `BodyReader`, `discard`.
//! Used by the connection.
//! Start reading at `BodyReader::read`.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Bytes, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::spec::Bounds;
use crate::unreadable::BodyFault;
use crate::wire::{LINGER, SILENCE};

/// Reads one body from its stream.
pub(crate) struct BodyReader {
    incoming: Option<Incoming>,
    /// What is left of a body that was too large.
    rest: Option<Incoming>,
    /// What `content-length` says, where it says something.
    stated: Option<u64>,
    grace: Duration,
    rate: u64,
}

impl BodyReader {
    pub(crate) fn new(incoming: Incoming, stated: Option<u64>, bounds: &Bounds) -> Self {
        BodyReader {
            incoming: Some(incoming),
            rest: None,
            stated,
            grace: bounds.body_grace,
            rate: bounds.rate_min.max(1),
        }
    }

    pub(crate) async fn read(&mut self, max: usize) -> Result<Vec<u8>, BodyFault> {
        let Some(mut incoming) = self.incoming.take() else {
            return Ok(Vec::new());
        };
        let body = self.read_from(&mut incoming, max).await;
        if matches!(body, Err(BodyFault::TooLarge { .. })) {
            self.rest = Some(incoming);
        }
        body
    }

    /// A body of which nobody has read the end.
    pub(crate) fn into_rest(self) -> Option<Incoming> {
        self.incoming.or(self.rest)
    }

    async fn read_from(&self, incoming: &mut Incoming, max: usize) -> Result<Vec<u8>, BodyFault> {
        if incoming.size_hint().lower() > max as u64 {
            return Err(BodyFault::TooLarge { max });
        }
        let start = Instant::now();
        let mut body = Vec::new();
        loop {
            let earned = Duration::from_millis(body.len() as u64 * 1000 / self.rate);
            let frame = timeout_at(start + self.grace + earned, incoming.frame()).await;
            let frame = match frame {
                Err(_) => return Err(BodyFault::Timeout),
                Ok(None) => return whole(body, incoming.is_end_stream(), self.stated),
                Ok(Some(Err(_))) => return Err(BodyFault::Closed),
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers end here, as they do with HTTP/1.1 (RFC 9110 §6.5.1).
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if data.len() > max.saturating_sub(body.len()) {
                return Err(BodyFault::TooLarge { max });
            }
            body.extend_from_slice(&data);
        }
    }
}

/// Reads on in a body whose request was answered before all of it had come, and throws it away. A client may take that answer and stop
/// (RFC 9113 §8.1), and several do not look for it before they have sent everything: they wait for window that a stream which was
/// reset will never get. `has_room` counts the bytes of all bodies of the connection; `is_stopping` cuts it short.
pub(super) async fn discard(
    mut incoming: Incoming,
    has_room: impl Fn(usize) -> bool,
    is_stopping: impl Fn() -> bool,
) {
    let begun = Instant::now();
    while !incoming.is_end_stream() {
        let all = if is_stopping() { SILENCE } else { LINGER };
        let deadline = (begun + all).min(Instant::now() + SILENCE);
        match timeout_at(deadline, incoming.frame()).await {
            Ok(Some(Ok(frame))) if has_room(frame.data_ref().map_or(0, Bytes::len)) => {}
            _ => return,
        }
    }
}

/// A body is whole when its stream said so (END_STREAM) and it is as long as was stated. The library also reports the end of one that
/// the client reset, and a stated length is compared with frames that may arrive after the request was handed over (RFC 9113 §8.1.1).
fn whole(body: Vec<u8>, has_ended: bool, stated: Option<u64>) -> Result<Vec<u8>, BodyFault> {
    if !has_ended {
        return Err(BodyFault::Closed);
    }
    match stated {
        Some(length) if length != body.len() as u64 => Err(BodyFault::Malformed(
            "the frames hold another number of bytes than `content-length` states",
        )),
        _ => Ok(body),
    }
}
