//! One HTTP/1.1 connection of a caller: request after request, each answered before the next is looked at.
//! Exports `run`. Every wait has an end; after a refusal the connection closes.
//! Used by the listener.
//! Start reading at `run`.

use model::http::BodyLength;
use model::{Method, Response};
use tokio::time::Instant;

use crate::body::Body;
use crate::connection::Context;
use crate::date;
use crate::guard::guarded;
use crate::h1::body::{BodyReader, BodyState};
use crate::h1::request::{Reader, Request, is_blank};
use crate::h1::write;
use crate::reasons::{INTERNAL, MALFORMED, NOT_READ, TIMEOUT};
use crate::service::Service;
use crate::unreadable::Unreadable;
use crate::wire::{ReadRate, Stream, Wire, WireFault, with_buffer};

/// What came next on the connection.
enum Next {
    Request(Request),
    Unreadable(Box<Unreadable>),
    Gone,
}

/// Serves a connection to its end.
pub(crate) async fn run<S: Service>(stream: Stream, context: Context<S>) {
    let mut wire = Wire::new(stream);
    let mut served = 0;
    loop {
        match next(&mut wire, &context, served == 0).await {
            Next::Gone => return,
            Next::Unreadable(what) => {
                refuse(&mut wire, &context, *what).await;
                break;
            }
            Next::Request(request) => {
                served += 1;
                let is_last = served >= context.bounds.requests_per_connection_max;
                if !answer(&mut wire, &context, request, is_last).await {
                    break;
                }
            }
        }
    }
    wire.linger(|| context.life.is_draining()).await;
}

/// Says one last thing and closes; for bytes that are no HTTP at all.
pub(crate) async fn refuse_and_close<S: Service>(
    stream: Stream,
    context: Context<S>,
    what: Unreadable,
) {
    let mut wire = Wire::new(stream);
    context.life.begin();
    refuse(&mut wire, &context, what).await;
    wire.linger(|| context.life.is_draining()).await;
}

async fn next<S>(wire: &mut Wire, context: &Context<S>, is_first: bool) -> Next {
    let bounds = &context.bounds;
    let mut reader = Reader::default();
    let patience = if is_first {
        bounds.head_read
    } else {
        bounds.idle
    };
    let mut deadline = Instant::now() + patience;
    let mut has_begun = false;
    if is_blank(wire.buffered()) {
        context.life.rest();
        wire.rest();
    }
    loop {
        if !is_blank(wire.buffered()) {
            let begins = !std::mem::replace(&mut has_begun, true);
            if begins {
                context.life.begin();
            }
            match reader.read(wire.buffered(), bounds) {
                Ok(Some(request)) => return Next::Request(request),
                Ok(None) if begins && !is_first => deadline = Instant::now() + bounds.head_read,
                Ok(None) => {}
                Err(what) => return Next::Unreadable(what),
            }
        }
        match (wire.fill(deadline).await, has_begun) {
            (Ok(count), _) if count > 0 => {}
            (Err(WireFault::Timeout), false) if is_first => {
                context.drop_for(&TIMEOUT, "no request came");
                return Next::Gone;
            }
            (_, false) => return Next::Gone,
            (Err(WireFault::Closed), true) => {
                context.drop_for(&MALFORMED, "the connection was reset inside the head");
                return Next::Gone;
            }
            (Err(WireFault::Timeout), true) => {
                let what = Unreadable::new(&TIMEOUT, "the head was not complete in time");
                return Next::Unreadable(Box::new(what));
            }
            (_, true) => {
                let what = Unreadable::new(&MALFORMED, "the connection ended inside the head");
                return Next::Unreadable(Box::new(what));
            }
        }
    }
}

/// Answers one request; `false` when the connection has to end.
async fn answer<S: Service>(
    wire: &mut Wire,
    context: &Context<S>,
    request: Request,
    is_last: bool,
) -> bool {
    let Some(under_way) = context.life.request() else {
        return false;
    };
    wire.consume(request.consumed);
    let method = request.head.method;
    let mut state = BodyState::of(&request);
    let response = {
        let mut body = match request.head.body {
            BodyLength::None => Body::empty(),
            _ => Body::h1(BodyReader::new(wire, &mut state, &context.bounds)),
        };
        // Boxed: a resting connection must not carry the room of a whole road.
        let work = context
            .service
            .answer(&context.peer, request.head, &mut body);
        guarded(Box::pin(work)).await
    };
    let Some(response) = response else {
        let what = Unreadable::new(&INTERNAL, "the handling of the request panicked");
        refuse(wire, context, what).await;
        return false;
    };
    let _under_way = context.life.decided(under_way, response.caller);
    let is_whole = state.is_done() || state.discard(wire);
    let closes = !request.is_keep_alive
        || !is_whole
        || response.close
        || is_last
        || context.life.is_draining();
    write_response(wire, context, response, Some(method), closes).await && !closes
}

async fn refuse<S: Service>(wire: &mut Wire, context: &Context<S>, what: Unreadable) {
    let is_head = what.head_seen.as_ref().is_some_and(|(m, _)| m == "HEAD");
    let method = is_head.then_some(Method::Head);
    let status = what.status;
    let work = context.service.refuse(&context.peer, what);
    let response = guarded(Box::pin(work))
        .await
        .unwrap_or_else(|| Response::new(status, Vec::new()));
    write_response(wire, context, response, method, true).await;
}

/// `false` when the caller did not take the reply.
async fn write_response<S>(
    wire: &mut Wire,
    context: &Context<S>,
    mut response: Response,
    method: Option<Method>,
    closes: bool,
) -> bool {
    let bounds = &context.bounds;
    let rate = ReadRate {
        grace: bounds.write_grace,
        rate: bounds.rate_min,
    };
    let held = std::mem::take(&mut response.held);
    let body = if write::has_body(response.status, method) {
        response.body.as_slice()
    } else {
        &[]
    };
    with_buffer(async |out| {
        date::with(|date| write::response_head(out, &response, method, date, closes));
        match wire.send_response(out, body, rate, || drop(held)).await {
            Ok(()) => true,
            Err(fault) => {
                if fault == WireFault::Timeout {
                    context.drop_for(&NOT_READ, "the answer was not taken in time");
                }
                false
            }
        }
    })
    .await
}
