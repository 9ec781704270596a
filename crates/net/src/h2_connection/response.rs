//! A reply as HTTP/2 frames: fields without those of a connection, our own date, the whole body.
//! Exports `response`, `ResponseStream`.
//! Used by h2_connection.
//! Start reading at `response`; what an answer keeps until it has gone out is `Delivery`.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::body::{Body, Buf, Bytes, Frame, SizeHint};
use hyper::http::header::{CONTENT_LENGTH, DATE, HeaderName, HeaderValue};
use hyper::http::{HeaderMap, Response as HttpResponse, StatusCode};
use model::{Method, Response};

use super::meter::HeldUntilLast;
use super::shared::OnStream;
use crate::date;
use crate::h1::write;

/// Largest piece handed to hyper at once.
const FRAME_BYTES: usize = 16 * 1024;
/// The library copies so much of a frame into its own buffer and writes the rest from ours, so the end of an answer is not seen coming where
/// less than this is left of it. Then it counts as gone.
const COPIED_BYTES: usize = 256;

/// What an answer keeps until it has gone out. The library takes pieces long before it can send them: the first one without any window,
/// and others up to its buffer. So this lives as long as any piece does, and not as long as we are asked for pieces.
#[derive(Debug)]
struct Delivery {
    place: OnStream,
    held: HeldUntilLast,
}

/// A whole body, cut into pieces as the library asks for them.
#[derive(Debug)]
pub(super) struct ResponseStream {
    data: Option<Bytes>,
    delivery: Rc<Delivery>,
}

/// A piece of a body. The library looks at it when it writes it, and moves on by what the connection took.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    is_last: bool,
    delivery: Rc<Delivery>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Called when this piece is next to be written.
    fn chunk(&self) -> &[u8] {
        let Delivery { place, held } = &*self.delivery;
        if self.is_last && self.bytes.len() < COPIED_BYTES {
            held.give_back();
        } else {
            place.offers(self.is_last.then_some(held));
        }
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.delivery.place.took(count);
    }
}

impl Body for ResponseStream {
    type Data = Piece;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, Infallible>>> {
        let Some(mut data) = self.data.take() else {
            return Poll::Ready(None);
        };
        let bytes = data.split_to(data.len().min(FRAME_BYTES));
        self.data = (!data.is_empty()).then_some(data);
        let piece = Piece {
            bytes,
            is_last: self.data.is_none(),
            delivery: Rc::clone(&self.delivery),
        };
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
        delivery: Rc::new(Delivery {
            place,
            held: HeldUntilLast::new(response.held),
        }),
    });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
