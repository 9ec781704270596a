//! Chooses a target, takes or makes a connection, repeats only where that is safe.
//! Gives `Pools`, one per worker thread: a call and its connection never cross threads.
//! Used by the gateway's upstream stage.
//! Start reading at `Pools::send`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

use super::exchange::Answered;
use super::target::{ms_at, now_ms};
use super::{
    Exchange, ExchangeFault, Target, Upstream, UpstreamAnswer, UpstreamCall, UpstreamFault,
    UpstreamFaultKind as Kind, dial, exchange, is_plain_path,
};
use crate::spec::Balance;
use crate::wire::Wire;

/// Most attempts of one call, over all targets.
const ATTEMPTS_MAX: u8 = 3;
/// Calls between two looks for connections that have rested too long.
const SWEEP_EVERY: u32 = 1024;

/// Idle connections of one worker thread.
#[derive(Default)]
pub struct Pools {
    idle: RefCell<HashMap<(u64, usize), Vec<Idle>>>,
    calls: std::cell::Cell<u32>,
}

/// A connection at rest.
struct Idle {
    wire: Wire,
    until: Instant,
}

/// One try on one target.
struct Attempt {
    result: Result<Answered, ExchangeFault>,
    connect_us: u32,
    is_reused: bool,
}

impl Pools {
    /// No connections yet.
    pub fn new() -> Self {
        Pools::default()
    }

    /// Sends one call and reads the whole answer.
    ///
    /// # Errors
    /// [`UpstreamFault`]; nothing partial is ever returned.
    pub async fn send(
        &self,
        upstream: &Arc<Upstream>,
        call: UpstreamCall<'_>,
    ) -> Result<UpstreamAnswer, UpstreamFault> {
        let _under_way = admitted(upstream, &call)?;
        self.sweep();
        let start = Instant::from_std(call.begun);
        let deadline = start + call.timeout;
        let mut retries = 0;
        let mut tried = Vec::new();
        let mut wants_fresh = false;
        let mut last = None;
        loop {
            let now = if retries == 0 {
                ms_at(call.begun)
            } else {
                now_ms()
            };
            let Some((index, target)) = choose(upstream, &tried, now) else {
                return Err(last.unwrap_or_else(|| none_left(upstream)));
            };
            let times = (start, deadline);
            match self
                .attempt(upstream, (index, target), &call, times, wants_fresh)
                .await
            {
                Ok(Attempt {
                    result: Ok(answered),
                    connect_us,
                    ..
                }) => {
                    target.succeeded();
                    return Ok(answer(answered, target, connect_us, start, retries));
                }
                Ok(Attempt {
                    result: Err(fault),
                    is_reused,
                    ..
                }) => {
                    // A rested connection that turns out closed says nothing about the target.
                    let is_stale = is_reused && fault == ExchangeFault::ClosedBeforeAnswer;
                    if !is_stale {
                        tried.push(index);
                    }
                    if !is_stale && shows_sickness(fault) {
                        target.failed(now_ms());
                    }
                    wants_fresh = is_stale;
                    let fault = described(fault, target);
                    if !may_repeat(&call, &fault, is_stale) {
                        return Err(fault);
                    }
                    last = Some(fault);
                }
                Err(fault) => {
                    // Nothing was sent: another target may be tried whatever the method is.
                    target.failed(now_ms());
                    tried.push(index);
                    last = Some(fault);
                }
            }
            retries += 1;
            if retries >= ATTEMPTS_MAX || Instant::now() >= deadline {
                return Err(last.unwrap_or_else(|| none_left(upstream)));
            }
        }
    }

    /// One try. `Err`: not connected, nothing sent.
    async fn attempt(
        &self,
        upstream: &Upstream,
        (index, target): (usize, &Target),
        call: &UpstreamCall<'_>,
        (begun, deadline): (Instant, Instant),
        wants_fresh: bool,
    ) -> Result<Attempt, UpstreamFault> {
        let key = (upstream.id, index);
        let Some(_under_way) = Under::begin(&target.calls, u32::MAX) else {
            return Err(UpstreamFault::new(Kind::Overloaded, "the target is full"));
        };
        let reused = if wants_fresh {
            None
        } else {
            self.take(key, begun)
        };
        let is_reused = reused.is_some();
        let mut connect_us = 0;
        let mut wire = match reused {
            Some(wire) => wire,
            None => {
                let start = Instant::now();
                let connect_by = deadline.min(start + upstream.spec.connect_timeout);
                let dialled = dial(&target.origin, upstream.tls.as_ref(), connect_by).await;
                connect_us = micros(start);
                match dialled {
                    Ok(stream) => Wire::new(stream),
                    Err(e) => return Err(UpstreamFault::new(Kind::Unreachable, e.0)),
                }
            }
        };
        let result = exchange(
            &mut wire,
            &Exchange {
                method: call.method,
                path_and_query: call.path_and_query,
                authority: call.authority.unwrap_or(&target.origin.authority),
                headers: call.headers,
                body: call.body,
                answer_bytes_max: upstream.spec.answer_bytes_max,
                deadline,
            },
        )
        .await;
        if result.as_ref().is_ok_and(|a| a.is_reusable) {
            self.put(key, upstream, wire, begun);
        }
        Ok(Attempt {
            result,
            connect_us,
            is_reused,
        })
    }

    /// The connection used last, if it is still quiet: it is the likeliest to be alive.
    fn take(&self, key: (u64, usize), now: Instant) -> Option<Wire> {
        let mut idle = self.idle.borrow_mut();
        let resting = idle.get_mut(&key)?;
        while let Some(mut connection) = resting.pop() {
            if connection.until > now && connection.wire.is_quiet() {
                return Some(connection.wire);
            }
        }
        None
    }

    /// Its rest counts from the beginning of the call, which is known without asking the clock again.
    fn put(&self, key: (u64, usize), upstream: &Upstream, mut wire: Wire, begun: Instant) {
        wire.rest();
        let mut idle = self.idle.borrow_mut();
        let resting = idle.entry(key).or_default();
        if resting.len() < upstream.spec.idle_max {
            resting.push(Idle {
                wire,
                until: begun + upstream.spec.idle_timeout,
            });
        }
    }

    /// Now and then drops what has rested too long, also of upstreams that no longer exist.
    fn sweep(&self) {
        let calls = self.calls.get().wrapping_add(1);
        self.calls.set(calls);
        if calls.is_multiple_of(SWEEP_EVERY) {
            let now = Instant::now();
            self.idle.borrow_mut().retain(|_, resting| {
                resting.retain(|connection| connection.until > now);
                !resting.is_empty()
            });
        }
    }
}

/// Prints counts only.
impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle: usize = self.idle.borrow().values().map(Vec::len).sum();
        f.debug_struct("Pools").field("idle", &idle).finish()
    }
}

/// A healthy target that this call has not tried. With every target unhealthy there is none: waiting for a dead
/// system costs more than a quick answer, and one call per pause still goes through as a probe.
fn choose<'u>(upstream: &'u Upstream, tried: &[usize], now: u64) -> Option<(usize, &'u Target)> {
    let count = upstream.targets.len();
    let turn = upstream.turn.fetch_add(1, Ordering::Relaxed);
    let in_turn = (0..count).map(|step| turn.wrapping_add(step) % count);
    let mut candidates = in_turn
        .filter(|index| !tried.contains(index))
        .filter_map(|index| Some((index, upstream.targets.get(index)?)))
        .filter(|(_, target)| target.is_available(now));
    if upstream.spec.balance != Balance::LeastRequests || count == 1 {
        return candidates.find(|(_, target)| target.admits(now));
    }
    let mut ranked: Vec<(usize, &Target)> = candidates.collect();
    ranked.sort_by_key(|(_, target)| target.calls.load(Ordering::Relaxed));
    ranked.into_iter().find(|(_, target)| target.admits(now))
}

fn none_left(upstream: &Upstream) -> UpstreamFault {
    let detail = format!("every target of `{}` is marked unhealthy", upstream.name());
    UpstreamFault::new(Kind::Unreachable, detail)
}

/// Bytes were sent. Repeating is safe for idempotent methods only (RFC 9110 §9.2.2), and only where no answer had begun.
fn may_repeat(call: &UpstreamCall<'_>, fault: &UpstreamFault, is_stale: bool) -> bool {
    let has_no_answer = is_stale || fault.kind == Kind::Unreachable;
    call.is_retryable && call.method.is_idempotent() && has_no_answer
}

/// An answer that is too large or odd may be one caller's doing and must not take the target away from the others.
fn shows_sickness(fault: ExchangeFault) -> bool {
    matches!(
        fault,
        ExchangeFault::ClosedBeforeAnswer | ExchangeFault::Timeout
    )
}

fn described(fault: ExchangeFault, target: &Target) -> UpstreamFault {
    let (kind, what) = match fault {
        ExchangeFault::ClosedBeforeAnswer => {
            (Kind::Unreachable, "closed the connection without an answer")
        }
        ExchangeFault::Timeout => (Kind::Timeout, "gave no whole answer in time"),
        ExchangeFault::TooLarge => (Kind::TooLarge, "answered with more than is allowed"),
        ExchangeFault::Broken(what) => (Kind::Protocol, what),
    };
    UpstreamFault::new(kind, format!("{}: {what}", target.name))
}

fn answer(
    answered: Answered,
    target: &Target,
    connect_us: u32,
    start: Instant,
    retries: u8,
) -> UpstreamAnswer {
    UpstreamAnswer {
        status: answered.head.status,
        headers: answered.head.headers,
        body: answered.body,
        head_length: answered.head.length,
        target: Arc::clone(&target.name),
        connect_us,
        answer_us: micros(start),
        retries,
    }
}

fn micros(start: Instant) -> u32 {
    u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// Counts a call while it is under way.
struct Under<'a>(&'a AtomicU32);

impl<'a> Under<'a> {
    fn begin(count: &'a AtomicU32, max: u32) -> Option<Under<'a>> {
        if count.fetch_add(1, Ordering::Relaxed) >= max {
            count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Under(count))
    }
}

impl Drop for Under<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Judges a call before anything is opened for it, and counts it while it is under way.
fn admitted<'a>(
    upstream: &'a Upstream,
    call: &UpstreamCall<'_>,
) -> Result<Under<'a>, UpstreamFault> {
    if !is_plain_path(call.path_and_query) {
        return Err(UpstreamFault::new(
            Kind::Protocol,
            "the path to send is not plain",
        ));
    }
    let most = upstream.spec.calls_max;
    Under::begin(&upstream.calls, most).ok_or_else(|| {
        let detail = format!("{most} calls to `{}` are under way", upstream.name());
        UpstreamFault::new(Kind::Overloaded, detail)
    })
}
