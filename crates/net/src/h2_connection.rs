//! One HTTP/2 connection of a caller: hyper does frames and HPACK, `meter` weighs them, every stream becomes the same `Head`.
//! Exports `run`. Connections that only cost are closed: idle ones, unread replies, too many resets.
//! Used by the listener for TLS connections that negotiated `h2`.
//! Start reading at `run`; heads are judged in `h2_connection::head`.

pub(crate) mod body;
mod fragment;
mod frames;
mod head;
mod meter;
mod response;
mod shared;

use std::error::Error as _;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::http::{Request, Response as HttpResponse};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use model::http::BodyLength;
use model::{Method, Reason, Response};
use tokio::time::interval;

use crate::body::Body;
use crate::connection::Context;
use crate::guard::guarded;
use crate::reasons::{
    FRAMES_EXCESSIVE, FRAMES_MALFORMED, INTERNAL, NOT_READ, STREAMS_RESET, TIMEOUT,
};
use crate::service::Service;
use crate::spec::Bounds;
use crate::unreadable::Unreadable;
use crate::wire::Stream;

use body::{BodyReader, discard};
use meter::{Meter, Metered};
use response::ResponseStream;
use shared::{OnStream, Shared};

/// Streams reset by the client before we looked at them; more end the connection (lx07).
const PENDING_RESETS_MAX: usize = 20;
/// Streams we had to reset for the client's faults; more end the connection (lx08).
const LOCAL_RESETS_MAX: usize = 100;
/// Bytes of bodies that one stream, and one connection, may send ahead of their reader.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// How often a connection is looked after.
const LOOK: Duration = Duration::from_secs(1);
/// Time between pings on a quiet connection, and for their answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a connection to its end.
pub(crate) async fn run<S: Service>(stream: Stream, context: Context<S>) {
    let context = Rc::new(context);
    let meter = Rc::new(Meter::default());
    let ended = serve(stream, &context, &meter).await;
    count_faults(&context, &meter);
    let broken = ended.and_then(|error| broken(&error));
    match (meter.excess(), broken) {
        (Some(what), _) => context.drop_for(&FRAMES_EXCESSIVE, &format!("too many {what}")),
        (None, Some((reason, cause))) => context.drop_for(reason, &cause),
        (None, None) => {}
    }
}

/// Serves until either side ends the connection; gives the library's word where it was the library.
async fn serve<S: Service>(
    stream: Stream,
    context: &Rc<Context<S>>,
    meter: &Rc<Meter>,
) -> Option<hyper::Error> {
    let shared = Rc::new(Shared::new(Rc::clone(&context.life), Rc::clone(meter)));
    let (on_stream, of_stream) = (Rc::clone(context), Rc::clone(&shared));
    let on_road = Rc::clone(meter);
    let service = service_fn(move |request| {
        // Here and not in the stream's own task, which runs later: nothing may look unserved meanwhile.
        on_road.served();
        let (context, shared) = (Rc::clone(&on_stream), Rc::clone(&of_stream));
        async move { Ok::<_, std::convert::Infallible>(stream_answer(&context, &shared, request).await) }
    });
    let stream = TokioIo::new(Metered::new(stream, meter));
    let connection = builder(&context.bounds).serve_connection(stream, service);
    let mut connection = pin!(connection);
    let mut look = interval(LOOK);
    let mut is_shutting_down = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended.err(),
            _ = look.tick() => {
                count_faults(context, meter);
                match looked_after(context, &shared, meter) {
                    Verdict::Serve => {}
                    Verdict::Finish if is_shutting_down => {}
                    Verdict::Finish => {
                        is_shutting_down = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    Verdict::End(reason, detail) => {
                        if let Some(reason) = reason {
                            context.drop_for(reason, detail);
                        }
                        return None;
                    }
                }
            },
        }
    }
}

/// Why the library ended a connection for the client's faults. One that the client left is none.
fn broken(error: &hyper::Error) -> Option<(&'static Reason, String)> {
    let cause = error.source()?.downcast_ref::<h2::Error>()?;
    let reason = match cause.reason() {
        Some(h2::Reason::ENHANCE_YOUR_CALM) => &FRAMES_EXCESSIVE,
        _ => &FRAMES_MALFORMED,
    };
    cause.is_library().then(|| (reason, cause.to_string()))
}

/// Counts streams that the library reset: most of them never became a request, and nothing else would tell of them.
fn count_faults<S>(context: &Context<S>, meter: &Meter) {
    let (faults, last) = meter.take_faults();
    if faults > 0 {
        let from = (&context.peer.listener, context.peer.address);
        let detail = || match last {
            Some(code) => format!("reset for: {}", h2::Reason::from(code)),
            None => String::from("answered 431 or ended before there was a request"),
        };
        context.drops.count(from, &STREAMS_RESET, faults, detail);
    }
}

fn builder(bounds: &Bounds) -> http2::Builder<Local> {
    let mut builder = http2::Builder::new(Local);
    let head_bytes = u32::try_from(bounds.head_bytes_max).unwrap_or(u32::MAX);
    let list_bytes = head_bytes.saturating_mul(2);
    builder
        .timer(TokioTimer::new())
        // Streams beyond it are refused, before there is a request (RFC 9113 §5.1.2).
        .max_concurrent_streams(bounds.streams_max)
        // The decoded size. What is larger than a head may be and fits here is refused by us, with a record. The library
        // answers larger lists 431 by itself, and ends the connection for far larger ones and for long rows of
        // CONTINUATION frames (CVE-2024-27316, and small blocks that unfold into large lists).
        .max_header_list_size(list_bytes)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(LOCAL_RESETS_MAX)
        // What a stranger can make us hold: bodies wait here until the road has accepted a caller and reads them.
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(64 * 1024)
        // A peer that is gone, or takes nothing, not even a ping.
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .auto_date_header(false);
    builder
}

enum Verdict {
    Serve,
    Finish,
    /// At once, and why where that is worth a record.
    End(Option<&'static Reason>, &'static str),
}

/// Judges a connection once a second.
fn looked_after<S>(context: &Context<S>, shared: &Shared, meter: &Meter) -> Verdict {
    let bounds = &context.bounds;
    if LOOK * meter.look() > bounds.head_read {
        return Verdict::End(Some(&TIMEOUT), "a head was not complete in time");
    }
    // A reader that grants no window holds replies in memory (lx10).
    if shared.has_stalled() {
        return Verdict::End(Some(&NOT_READ), "an answer was not taken in time");
    }
    if shared.served() == 0 && shared.rests_since(bounds.head_read) {
        return Verdict::End(Some(&TIMEOUT), "no request came");
    }
    if shared.rests_since(bounds.idle) {
        return Verdict::End(None, "");
    }
    let is_worn = shared.served() >= bounds.requests_per_connection_max;
    if is_worn || shared.is_ending() || context.life.is_draining() {
        return Verdict::Finish;
    }
    Verdict::Serve
}

/// Answers one stream.
async fn stream_answer<S: Service>(
    context: &Context<S>,
    shared: &Rc<Shared>,
    request: Request<Incoming>,
) -> HttpResponse<ResponseStream> {
    let mut place = OnStream::begin(shared);
    let Some(under_way) = context.life.request() else {
        // The connection is being ended to make room for another one: nobody reads this.
        return response::response(Response::new(503, Vec::new()), None, place);
    };
    let (parts, incoming) = request.into_parts();
    let method = Method::parse(parts.method.as_str());
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let was_cut = shared.was_cut(path);
    let (response, rest) = match head::head(&parts, was_cut, &incoming, &context.bounds) {
        Ok((request_head, stated)) => {
            let mut body = match request_head.body {
                BodyLength::None => Body::empty(),
                _ => Body::h2(BodyReader::new(incoming, stated, &context.bounds)),
            };
            let work = context
                .service
                .answer(&context.peer, request_head, &mut body);
            let response = match guarded(Box::pin(work)).await {
                Some(response) => response,
                None => refuse(context, panicked()).await,
            };
            (response, body.into_rest())
        }
        Err(what) => (refuse(context, *what).await, Some(incoming)),
    };
    if let Some(rest) = rest.filter(|rest| !rest.is_end_stream()) {
        let (shared, life) = (Rc::clone(shared), Rc::clone(&context.life));
        let has_room = move |bytes| shared.discards(bytes);
        tokio::task::spawn_local(discard(rest, has_room, move || life.is_draining()));
    }
    if response.close || was_cut {
        shared.end();
    }
    let under_way = context.life.decided(under_way, response.caller);
    place.wait_for_reader(under_way, &context.bounds);
    response::response(response, method, place)
}

fn panicked() -> Unreadable {
    Unreadable::new(&INTERNAL, "the handling of the request panicked")
}

async fn refuse<S: Service>(context: &Context<S>, what: Unreadable) -> Response {
    let status = what.status;
    let work = context.service.refuse(&context.peer, what);
    guarded(Box::pin(work))
        .await
        .unwrap_or_else(|| Response::new(status, Vec::new()))
}

/// Runs hyper's stream tasks on this thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, work: F) {
        tokio::task::spawn_local(work);
    }
}
