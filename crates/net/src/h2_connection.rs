//! One HTTP/2 connection of a caller: hyper does frames and HPACK, every stream becomes the same `Head`.
//! Gives `run`, `BodyReader`. Connections that only cost are closed: idle ones, unread replies, too many resets.
//! Used by the listener for TLS connections that negotiated `h2`.
//! Start reading at `run`; heads are judged in `h2_connection::head`.

mod head;
mod reply;
mod shared;

use std::error::Error as _;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::{Request, Response};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use model::http::BodyLength;
use model::{Method, Reason, Reply};
use tokio::time::{Instant, interval, timeout_at};

use crate::guard::guarded;
use crate::h1_connection::Context;
use crate::reasons::{FRAMES_EXCESSIVE, FRAMES_MALFORMED, INTERNAL, NOT_READ, TIMEOUT};
use crate::spec::Bounds;
use crate::wire::Stream;
use crate::{Body, BodyFault, Service, Unreadable};

use reply::ReplyBody;
use shared::{OnStream, Shared};

/// Streams reset by the client before we looked at them; more end the connection (lx07).
const PENDING_RESETS_MAX: usize = 20;
/// Streams we had to reset for the client's faults; more end the connection (lx08).
const LOCAL_RESETS_MAX: usize = 100;
/// How often a connection is looked after.
const LOOK: Duration = Duration::from_secs(1);
/// Time between pings on a quiet connection, and for their answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a connection to its end.
pub(crate) async fn run<S: Service>(stream: Stream, context: Context<S>) {
    let context = Rc::new(context);
    let shared = Rc::new(Shared::new(Rc::clone(&context.life)));
    let (on_stream, of_stream) = (Rc::clone(&context), Rc::clone(&shared));
    let service = service_fn(move |request| {
        let (context, shared) = (Rc::clone(&on_stream), Rc::clone(&of_stream));
        async move { Ok::<_, std::convert::Infallible>(stream_answer(&context, &shared, request).await) }
    });
    let connection = builder(&context.bounds).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut look = interval(LOOK);
    let mut is_shutting_down = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    broken(&context, &error);
                }
                return;
            }
            _ = look.tick() => match looked_after(&context, &shared) {
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
                    return;
                }
            },
        }
    }
}

/// Counts a connection that the library ended for the client's faults. One that the client left is none.
fn broken<S>(context: &Context<S>, error: &hyper::Error) {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<h2::Error>());
    let Some(cause) = cause.filter(|cause| cause.is_library()) else {
        return;
    };
    let reason = match cause.reason() {
        Some(h2::Reason::ENHANCE_YOUR_CALM) => &FRAMES_EXCESSIVE,
        _ => &FRAMES_MALFORMED,
    };
    context
        .drops
        .one(&context.peer, reason, || cause.to_string());
}

fn builder(bounds: &Bounds) -> http2::Builder<Local> {
    let mut builder = http2::Builder::new(Local);
    let head_bytes = u32::try_from(bounds.head_bytes_max).unwrap_or(u32::MAX);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams_max)
        .max_header_list_size(head_bytes)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(LOCAL_RESETS_MAX)
        .max_send_buf_size(64 * 1024)
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
fn looked_after<S>(context: &Context<S>, shared: &Shared) -> Verdict {
    let bounds = &context.bounds;
    // A reader that grants no window holds replies in memory (lx10).
    if shared.has_stalled() {
        return Verdict::End(Some(&NOT_READ), "an answer was not taken in time");
    }
    if shared.rests_since(bounds.idle) {
        let reason = (shared.served() == 0).then_some(&TIMEOUT);
        return Verdict::End(reason, "no request came");
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
) -> Response<ReplyBody> {
    let place = OnStream::begin(shared);
    let (parts, incoming) = request.into_parts();
    let method = Method::parse(parts.method.as_str());
    let reply = match head::head(&parts, &incoming, &context.bounds) {
        Ok(request_head) => {
            let mut body = match request_head.body {
                BodyLength::None => Body::empty(),
                _ => Body::h2(BodyReader::new(incoming, &context.bounds)),
            };
            let work = context
                .service
                .answer(&context.peer, request_head, &mut body);
            match guarded(Box::pin(work)).await {
                Some(reply) => reply,
                None => refuse(context, panicked()).await,
            }
        }
        Err(what) => refuse(context, *what).await,
    };
    if reply.close {
        shared.end();
    }
    place.wait_for_reader(reply.body.len(), &context.bounds);
    reply::response(reply, method, place)
}

fn panicked() -> Unreadable {
    Unreadable::new(&INTERNAL, "the handling of the request panicked")
}

async fn refuse<S: Service>(context: &Context<S>, what: Unreadable) -> Reply {
    let status = what.status;
    let work = context.service.refuse(&context.peer, what);
    guarded(Box::pin(work))
        .await
        .unwrap_or_else(|| Reply::new(status, Vec::new()))
}

/// Reads one body from its stream.
pub(crate) struct BodyReader {
    incoming: Option<Incoming>,
    grace: Duration,
    rate: u64,
}

impl BodyReader {
    fn new(incoming: Incoming, bounds: &Bounds) -> Self {
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

/// Runs hyper's stream tasks on this thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, work: F) {
        tokio::task::spawn_local(work);
    }
}
