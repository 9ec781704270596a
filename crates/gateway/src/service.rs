//! Opens the exchange, walks the road, renders the stop, records the decision: once, for every path.
//! Exports `Gateway`, the `net::Service` of the data plane; one lives on each worker thread.
//! Made by the binary.
//! Start reading at `Gateway::decide`.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::http::{Held, METHOD_NOT_ALLOWED};
use model::text::shared;
use model::{Event, Head, Headers, Kind, Method, Peer, Reason, Response, Stage};
use net::{Body, Dropped, HeldBytes, Pools, Service, Unreadable};
use policy::address;

use crate::context::RequestContext;
use crate::identity_token::Tokens;
use crate::ids::Ids;
use crate::metrics::CounterCache;
use crate::reasons::{LEDGER_UNAVAILABLE, UNRECORDED};
use crate::request_state::Sent;
use crate::stages::limit;
use crate::{
    RequestState, SharedState, Snapshot, Stop, browsers, connections, pipeline, problem, record,
};

/// The data plane's service on one thread.
pub struct Gateway {
    io: Arc<SharedState>,
    pools: Pools,
    tokens: Tokens,
    ids: Ids,
    lately: CounterCache,
}

impl Gateway {
    /// A service for one worker thread, with its connections to upstreams.
    pub fn new(io: Arc<SharedState>, pools: Pools) -> Self {
        Gateway {
            io,
            pools,
            tokens: Tokens::default(),
            ids: Ids::default(),
            lately: CounterCache::default(),
        }
    }

    /// Walks the road and answers; the answer leaves only after its record is durable.
    async fn decide(&self, peer: &Arc<Peer>, head: Head, body: &mut Body<'_>) -> Response {
        let snapshot = self.io.snapshot.load_full();
        let is_head = head.method == Method::Head;
        let road = self.road(&snapshot, peer);
        let mut x = self.open(peer, Some(head), body, &snapshot);
        // While records fail nothing reaches an upstream; each request tries the ledger again with its own record.
        let outcome = if self.io.is_ledger_down.load(Ordering::Acquire) {
            Err(Stop::Failed(
                LEDGER_UNAVAILABLE.because("the last record failed"),
            ))
        } else {
            pipeline::run(&mut x, &road).await
        };
        self.close(&mut x, outcome, is_head, &road).await
    }

    fn road<'a>(&'a self, snapshot: &'a Snapshot, peer: &Peer) -> RequestContext<'a> {
        let (listener, listener_id) = snapshot.listener_of(peer);
        RequestContext {
            snapshot,
            listener,
            listener_id,
            io: &self.io,
            pools: &self.pools,
            tokens: &self.tokens,
        }
    }

    fn open<'a, 'b>(
        &'a self,
        peer: &Arc<Peer>,
        head: Option<Head>,
        body: &'a mut Body<'b>,
        s: &Snapshot,
    ) -> RequestState<'a, 'b> {
        let (now, started) = (self.io.clock.now(), self.io.clock.tick());
        let mut event = Event {
            at: now,
            kind: Kind::Request.into(),
            listener: Some(shared(&peer.listener)),
            configuration: Some(s.short_hash.clone()),
            ..Event::default()
        };
        if let Some(head) = &head {
            record::note_head(&mut event, head);
        }
        RequestState {
            id: self.ids.next(now),
            now,
            moment: self.io.clock.monotonic(started),
            started,
            peer: Arc::clone(peer),
            address: peer.address,
            head,
            via: Arc::default(),
            body,
            stage: Stage::Tls,
            accept: None,
            resume: crate::cursor::Resume::default(),
            sealed: None,
            size: None,
            response_headers: Headers::new(),
            page: None,
            looked_up: None,
            event,
            turns: Vec::new(),
            reserved: Vec::new(),
            held: HeldBytes::default(),
            code: "",
            charged_to: None,
            is_charged_at_address: false,
            has_operation: false,
            sent: Sent::Nothing,
            answered: None,
            unrecorded: Some(&self.io),
        }
    }

    async fn close(
        &self,
        x: &mut RequestState<'_, '_>,
        outcome: Result<Response, Stop>,
        is_head: bool,
        r: &RequestContext<'_>,
    ) -> Response {
        limit::settle(x, &self.io);
        let mut response = match outcome {
            Ok(mut response) => {
                record::allowed(x);
                response.head_length = u64::try_from(response.body.len()).ok().filter(|_| is_head);
                response
            }
            Err(stop) => refused(x, &stop, is_head, r),
        };
        let counted = record::finish(x, &response, r.snapshot);
        let recorded = self.io.recorder.record(&x.event);
        // It is recorded from here on, whether anybody waits for it or not.
        x.unrecorded = None;
        let is_down = recorded.await.is_err();
        if is_down {
            // Fail closed: what is not on the record is not answered.
            let reason = match x.sent {
                Sent::Write => {
                    self.io.owed.keep(record::late(x));
                    &UNRECORDED
                }
                _ => &LEDGER_UNAVAILABLE,
            };
            response = problem::render(&reason.because(""), x.id, is_head);
        }
        if is_down != self.io.is_ledger_down.load(Ordering::Acquire) {
            self.io.is_ledger_down.store(is_down, Ordering::Release);
            if !is_down {
                self.io.owed.settle(&self.io.recorder).await;
            }
        }
        self.io.metrics.count(counted, &self.lately);
        response.caller = x.proven().map(|caller| caller.credential.bits());
        if let Some(page) = &x.page {
            browsers::mark(page, &mut response.headers);
        }
        response.headers.set("portcullis-decision", x.id.ascii());
        response.held = held(x, response.body.len());
        response
    }
}

/// What stays taken until the reader has the answer: whoever asks for much and reads nothing has asked for one thing at a time.
fn held(x: &mut RequestState<'_, '_>, bytes: usize) -> Held {
    let (turns, mut bytes_held) = (std::mem::take(&mut x.turns), std::mem::take(&mut x.held));
    bytes_held.shrink_to(bytes);
    if turns.is_empty() && bytes_held.is_empty() {
        return Held::default();
    }
    Held::of((turns, bytes_held))
}

/// Renders a stop, notes it, and counts it against whoever caused it.
fn refused(
    x: &mut RequestState<'_, '_>,
    stop: &Stop,
    is_head: bool,
    r: &RequestContext<'_>,
) -> Response {
    record::stopped(x, stop);
    if let Stop::Refused(refusal) = stop {
        record::charge(x, refusal, r);
    }
    let mut response = problem::render(stop.refusal(), x.id, is_head);
    for (name, value) in x.response_headers.iter() {
        response.headers.push(name, value);
    }
    response
}

impl Service for Gateway {
    fn admit(&self, address: IpAddr, listener: &str) -> Result<(), &'static Reason> {
        let snapshot = self.io.snapshot.load();
        // Lists and blocks are judged on the road, where the refusal is recorded and explained. Only an
        // address that a deny list names gets no handshake either; there is nobody to explain it to.
        let settings = snapshot.listener(listener);
        if settings.is_some_and(|l| !l.deny.contains(address)) {
            Ok(())
        } else {
            Err(&address::DENIED)
        }
    }

    async fn answer(&self, peer: &Arc<Peer>, head: Head, body: &mut Body<'_>) -> Response {
        self.decide(peer, head, body).await
    }

    async fn refuse(&self, peer: &Arc<Peer>, what: Unreadable) -> Response {
        let snapshot = self.io.snapshot.load_full();
        let mut nothing = Body::empty();
        let road = self.road(&snapshot, peer);
        let mut x = self.open(peer, None, &mut nothing, &snapshot);
        x.stage = what.reason.stage;
        record::note_seen(&mut x.event, what.head_seen.as_ref());
        if what.reason == &METHOD_NOT_ALLOWED {
            // RFC 9110 §10.2.1: nothing is allowed where only a tunnel could be meant.
            x.response_headers.push("allow", "");
        }
        let stop = if what.reason == &net::reasons::INTERNAL {
            Stop::Failed(what.into_refusal())
        } else {
            Stop::Refused(what.into_refusal())
        };
        self.close(&mut x, Err(stop), false, &road).await
    }

    async fn dropped(&self, dropped: Vec<Dropped>) {
        connections::record(&self.io, dropped).await;
    }
}
