//! One request body of an HTTP/2 stream: read whole, frame by frame.
//! Exports `BodyReader`.
//! Used by the connection.
//! Start reading at `BodyReader::read`.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::spec::Bounds;
use crate::unreadable::BodyFault;

/// Reads one body from its stream.
pub(crate) struct BodyReader {
    incoming: Option<Incoming>,
    grace: Duration,
    rate: u64,
}

impl BodyReader {
    pub(crate) fn new(incoming: Incoming, bounds: &Bounds) -> Self {
        BodyReader {
            incoming: Some(incoming),
            grace: bounds.body_grace,
            rate: bounds.rate_min.max(1),
        }
    }

    pub(crate) async fn read(&mut self, max: usize) -> Result<Vec<u8>, BodyFault> {
        let Some(mut incoming) = self.incoming.take() else {
            return Ok(Vec::new());
        };
        if hyper::body::Body::size_hint(&incoming).lower() > max as u64 {
            return Err(BodyFault::TooLarge { max });
        }
        let start = Instant::now();
        let mut body = Vec::new();
        loop {
            let earned = Duration::from_millis(body.len() as u64 * 1000 / self.rate);
            let frame = timeout_at(start + self.grace + earned, incoming.frame()).await;
            let frame = match frame {
                Err(_) => return Err(BodyFault::Timeout),
                Ok(None) => return Ok(body),
                Ok(Some(Err(_))) => return Err(BodyFault::Closed),
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(data) = frame.into_data() else {
                return Err(BodyFault::Malformed("trailers are not accepted"));
            };
            if data.len() > max.saturating_sub(body.len()) {
                return Err(BodyFault::TooLarge { max });
            }
            body.extend_from_slice(&data);
        }
    }
}
