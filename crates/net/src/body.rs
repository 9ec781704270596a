//! The body of one request, wherever it comes from.
//! Exports `Body`. No transport library's type appears in a signature.
//! Made by the connections of callers; read by the road.
//! Start reading at `Body::read`.

use hyper::body::Incoming;

use crate::h1::body::BodyReader as H1Reader;
use crate::h2_connection::body::BodyReader as H2Reader;
use crate::unreadable::BodyFault;

/// The body of one request, read at most once and whole.
pub struct Body<'a> {
    source: Source<'a>,
}

enum Source<'a> {
    Empty,
    Ready(Vec<u8>),
    H1(H1Reader<'a>),
    H2(H2Reader),
}

impl<'a> Body<'a> {
    /// No body.
    pub fn empty() -> Body<'static> {
        Body {
            source: Source::Empty,
        }
    }

    /// A body that is here already, for a road that is walked without a connection.
    pub fn of(bytes: Vec<u8>) -> Body<'static> {
        Body {
            source: Source::Ready(bytes),
        }
    }

    pub(crate) fn h1(reader: H1Reader<'a>) -> Self {
        Body {
            source: Source::H1(reader),
        }
    }

    pub(crate) fn h2(reader: H2Reader) -> Body<'static> {
        Body {
            source: Source::H2(reader),
        }
    }

    /// What is left of a stream's body that nobody has read to its end.
    pub(crate) fn into_rest(self) -> Option<Incoming> {
        match self.source {
            Source::H2(reader) => reader.into_rest(),
            _ => None,
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
            Source::Ready(bytes) if bytes.len() > max => Err(BodyFault::TooLarge { max }),
            Source::Ready(bytes) => Ok(std::mem::take(bytes)),
            Source::H1(reader) => reader.read(max).await,
            Source::H2(reader) => reader.read(max).await,
        }
    }
}
