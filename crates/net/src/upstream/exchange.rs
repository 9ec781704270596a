//! One call on one connection: head and body out, a whole answer in, or a fault that says how far it got.
//! Exports `exchange`, `UpstreamRequest`, `ExchangeFault`.
//! Used by the pools, the health checks and the small client.
//! Start reading at `exchange`.

use model::{Headers, Method};
use tokio::time::Instant;

use crate::h1::chunked::Side;
use crate::h1::response::{Reader, ResponseBody, ResponseHead};
use crate::h1::write;
use crate::upstream::room::{HeldBytes, ResponseRoom};
use crate::wire::{JOINED_BYTES, Pace, Wire, WireFault, with_buffer};

/// Interim answers that are read over.
const INTERIM_MAX: u32 = 8;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpstreamRequest<'a> {
    pub(crate) method: Method,
    pub(crate) path_and_query: &'a str,
    pub(crate) authority: &'a str,
    pub(crate) headers: &'a Headers,
    pub(crate) body: &'a [u8],
    pub(crate) answer_bytes_max: usize,
    /// Where answers are counted, and whose this one is.
    pub(crate) room: Option<(ResponseRoom<'a>, u128)>,
    pub(crate) deadline: Instant,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct ExchangeResponse {
    pub(crate) head: ResponseHead,
    pub(crate) body: Vec<u8>,
    /// The room that the body takes.
    pub(crate) held: HeldBytes,
    /// The connection may carry another call.
    pub(crate) is_reusable: bool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExchangeFault {
    /// The connection was closed already: not one byte of the call went out.
    NothingSent,
    /// The connection was just made and said something before it was asked: nothing was sent.
    SpokeFirst,
    /// The connection ended before the first byte of an answer: on a reused connection the usual race.
    ClosedBeforeResponse,
    /// Nothing or not everything in time.
    Timeout,
    /// The answer is larger than allowed.
    TooLarge,
    /// Too much of other answers waits for its readers.
    NoRoom,
    /// The answer breaks the rules or ended early.
    Broken(&'static str),
}

/// Sends and reads. After a fault the connection is of no use.
pub(crate) async fn exchange(
    wire: &mut Wire,
    call: &UpstreamRequest<'_>,
) -> Result<ExchangeResponse, ExchangeFault> {
    let sent = with_buffer(async |out| {
        write::request_head(
            out,
            call.method,
            call.path_and_query,
            call.authority,
            call.headers,
            call.body.len(),
        );
        wire.send(out, call.body, Pace::Until(call.deadline)).await
    })
    .await;
    match sent {
        Err(WireFault::Timeout) => return Err(ExchangeFault::Timeout),
        Err(WireFault::NothingSent) => return Err(ExchangeFault::NothingSent),
        _ => {}
    }
    // A call in one piece cannot be answered before it was sent.
    let is_early = call.body.len() > JOINED_BYTES && wire.has_arrived();
    // A target may answer and close without reading the whole call: its answer counts.
    let (head, interim) = head(wire, call).await?;
    wire.answered = Some(head.status);
    let mut held = HeldBytes::default();
    let body = body(wire, call, head.body, &mut held).await;
    let body = body.map_err(|fault| match fault {
        WireFault::Timeout => ExchangeFault::Timeout,
        WireFault::TooLarge => ExchangeFault::TooLarge,
        WireFault::NoRoom => ExchangeFault::NoRoom,
        WireFault::Closed | WireFault::NothingSent => {
            ExchangeFault::Broken("the answer ended before its body was complete")
        }
        WireFault::Malformed(what) => ExchangeFault::Broken(what),
    })?;
    held.shrink_to(body.len());
    let is_certain = !is_early && interim == 0 && is_end_certain(&head, call.method);
    Ok(ExchangeResponse {
        // What follows an answer was not asked for; such a connection is not used again (fp22).
        is_reusable: head.is_keep_alive && sent.is_ok() && is_certain && wire.buffered().is_empty(),
        head,
        body,
        held,
    })
}

/// The whole body, as far as there is room for it.
async fn body(
    wire: &mut Wire,
    call: &UpstreamRequest<'_>,
    framed: ResponseBody,
    held: &mut HeldBytes,
) -> Result<Vec<u8>, WireFault> {
    let (pace, max) = (Pace::Until(call.deadline), call.answer_bytes_max);
    let has_room = |bytes: usize| match call.room {
        Some((room, caller)) => room.admits_so_far(caller, bytes, held),
        None => true,
    };
    match framed {
        ResponseBody::None => Ok(Vec::new()),
        ResponseBody::Chunked => wire.read_chunked(Side::Response, max, pace, has_room).await,
        ResponseBody::UntilClose => wire.read_to_close(max, pace, has_room).await,
        ResponseBody::Known(length) => match (usize::try_from(length), call.room) {
            (Ok(length), Some((room, caller))) if length <= max => {
                if !room.admits(caller, length, held) {
                    return Err(WireFault::NoRoom);
                }
                wire.read_known(length, pace).await
            }
            (Ok(length), None) if length <= max => wire.read_known(length, pace).await,
            _ => Err(WireFault::TooLarge),
        },
    }
}

/// Whether both sides agree where the answer ends. Careless servers send a body that must not be there: with HEAD, and with
/// a 204 or 304 that states its length. Read as an answer to the next call it would be the wrong one.
fn is_end_certain(head: &ResponseHead, method: Method) -> bool {
    let states_what_is_not_sent =
        matches!(head.status, 204 | 304) && head.length.is_some_and(|length| length > 0);
    method != Method::Head && !states_what_is_not_sent
}

/// The final head, and how many interim ones were read over (RFC 9110 §15.2).
async fn head(
    wire: &mut Wire,
    call: &UpstreamRequest<'_>,
) -> Result<(ResponseHead, u32), ExchangeFault> {
    let mut reader = Reader::default();
    let mut interim = 0;
    loop {
        if let Some(head) = reader
            .read(wire.buffered(), call.method == Method::Head)
            .map_err(ExchangeFault::Broken)?
        {
            wire.consume(head.consumed);
            match head.status {
                101 => return Err(ExchangeFault::Broken("the answer switches protocols")),
                100..200 if interim >= INTERIM_MAX => {
                    return Err(ExchangeFault::Broken("too many interim answers"));
                }
                100..200 => {
                    interim += 1;
                    reader = Reader::default();
                    continue;
                }
                _ => return Ok((head, interim)),
            }
        }
        let is_silent = wire.buffered().is_empty() && interim == 0;
        match wire.fill(call.deadline).await {
            Ok(count) if count > 0 => {}
            Err(WireFault::Timeout) => return Err(ExchangeFault::Timeout),
            _ if is_silent => return Err(ExchangeFault::ClosedBeforeResponse),
            _ => return Err(ExchangeFault::Broken("the answer ended inside its head")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::Stream;

    /// The other end resets the connection while it rests; what is sent then never leaves.
    #[tokio::test]
    async fn a_call_on_a_reset_connection_is_known_not_to_have_been_sent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (other, _) = listener.accept().await.unwrap();
        other.set_zero_linger().unwrap();
        drop(other);
        // The reset is noticed by the first read or write; until then nothing may look different.
        while stream.peer_addr().is_ok() {
            tokio::task::yield_now().await;
        }
        let call = UpstreamRequest {
            method: Method::Post,
            path_and_query: "/",
            authority: "a.test",
            headers: &Headers::new(),
            body: b"once",
            answer_bytes_max: 1,
            room: None,
            deadline: Instant::now() + Duration::from_secs(5),
        };
        let fault = exchange(&mut Wire::new(Stream::Plain(stream)), &call).await;
        assert_eq!(fault.unwrap_err(), ExchangeFault::NothingSent);
    }
}
