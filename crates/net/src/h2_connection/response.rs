//! A reply as HTTP/2 frames: fields without those of a connection, our own date, the whole body.
//! Exports `response`, `ResponseStream`.
//! Used by h2_connection.
//! Start reading at `response`.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::http::header::{CONTENT_LENGTH, DATE, HeaderName, HeaderValue};
use hyper::http::{HeaderMap, Response as HttpResponse, StatusCode};
use model::http::Held;
use model::{Method, Response};

use super::shared::OnStream;
use crate::date;
use crate::h1::write;

/// Largest piece handed to hyper at once.
const FRAME_BYTES: usize = 16 * 1024;

/// A whole body; as long as it lives, the client has not taken it.
#[derive(Debug)]
pub(super) struct ResponseStream {
    data: Option<Bytes>,
    place: OnStream,
    held: Held,
}

impl Body for ResponseStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(mut data) = self.data.take() else {
            return Poll::Ready(None);
        };
        // Piece by piece: hyper asks for the next one when the client has granted window for it.
        let piece = data.split_to(data.len().min(FRAME_BYTES));
        self.place.took(piece.len());
        self.data = (!data.is_empty()).then_some(data);
        if self.data.is_none() {
            // Before the client can have seen the end and asks for the next one.
            self.held = Held::default();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, Bytes::len) as u64)
    }
}

/// The response for hyper.
pub(super) fn response(
    response: Response,
    method: Option<Method>,
    place: OnStream,
) -> HttpResponse<ResponseStream> {
    let mut headers = HeaderMap::with_capacity(response.headers.len() + 2);
    for (name, value) in response.headers.iter() {
        if write::is_own(name) {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    if let Ok(date) = date::with(HeaderValue::from_bytes) {
        headers.insert(DATE, date);
    }
    if let Some(length) = write::stated_length(&response, method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let has_body = write::has_body(response.status, method) && !response.body.is_empty();
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::new(ResponseStream {
        data: has_body.then(|| Bytes::from(response.body)),
        place,
        held: response.held,
    });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
