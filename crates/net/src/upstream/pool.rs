//! Chooses a target, takes or makes a connection, repeats only where that is safe.
//! Exports `Pools`, one per worker thread: a call and its connection never cross threads.
//! Used by the gateway's upstream stage.
//! Start reading at `Pools::send`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::Instant;

use super::choice::{View, prefer};
use super::condition::Outcome;
use super::connect::{DialFault, DialFaultKind};
use super::exchange::ExchangeResponse;
use super::idle::{IdleConnections, Owner, TargetKey};
use super::listening::before_the_call;
use super::shares::{NoPlace, Place, Shares};
use super::target::{now_us, us_at};
use super::{
    ExchangeFault, Target, Upstream, UpstreamCall, UpstreamFault, UpstreamFaultKind as Kind,
    UpstreamRequest, UpstreamResponse, dial, exchange, is_plain_path,
};
use crate::DescriptorShare;
use crate::descriptors::Descriptor;
use crate::spec::Balance;
use crate::wire::{Stream, Wire};

/// Most repeats of a call that was sent. Targets to which nothing was sent are not counted: each is asked at most once.
const REPEATS_MAX: u8 = 2;
/// Calls between two looks for connections that have rested too long.
const SWEEP_EVERY: u32 = 1024;

/// Idle connections of one worker thread.
#[derive(Default)]
pub struct Pools {
    idle: IdleConnections,
    calls: std::cell::Cell<u32>,
    descriptors: Arc<DescriptorShare>,
}

/// One try on one target.
struct Attempt {
    result: Result<ExchangeResponse, ExchangeFault>,
    /// Status of the answer, as far as it was read.
    status: Option<u16>,
    connect_us: u32,
    is_reused: bool,
}

/// The moments of one call.
#[derive(Clone, Copy)]
struct Times {
    begun: Instant,
    deadline: Instant,
}

/// What a failed attempt leaves to do.
enum Next {
    /// The target that was tried is not asked again; another one may be.
    Another(UpstreamFault),
    /// The same target, on a connection made for this call.
    Fresh(UpstreamFault),
    /// Nothing.
    Stop(UpstreamFault),
}

impl Pools {
    /// No connections yet.
    pub fn new() -> Self {
        Pools::default()
    }

    /// The same for connections that take descriptors of this share, and wait for none.
    pub fn within(descriptors: Arc<DescriptorShare>) -> Self {
        Pools {
            descriptors,
            ..Pools::default()
        }
    }

    /// Sends one call and reads the whole answer. Runs inside a `LocalSet`: probes of resting targets are tasks of it.
    ///
    /// # Errors
    /// [`UpstreamFault`]; nothing partial is ever returned.
    pub async fn send(
        &self,
        upstream: &Arc<Upstream>,
        call: UpstreamCall<'_>,
    ) -> Result<UpstreamResponse, UpstreamFault> {
        let _under_way = admitted(upstream, &call)?;
        self.sweep();
        let begun = Instant::from_std(call.begun);
        let times = Times {
            begun,
            deadline: begun + call.timeout,
        };
        if upstream.targets.len() > 1 {
            probe_the_resting(upstream, us_at(call.begun));
        }
        let (mut retries, mut repeats, mut is_second) = (0u8, 0u8, false);
        let mut tried = Vec::new();
        let mut wants_fresh = None;
        let mut last = None;
        loop {
            let index = wants_fresh.or_else(|| choose(upstream, &tried));
            let Some((index, target)) = index.and_then(|i| Some((i, upstream.targets.get(i)?)))
            else {
                return Err(last.unwrap_or_else(|| none_left(upstream)));
            };
            let is_fresh = wants_fresh.is_some();
            let attempt = self
                .attempt(upstream, (index, target), &call, times, is_fresh)
                .await;
            let next = match attempt {
                Ok(Attempt {
                    result: Ok(answered),
                    connect_us,
                    ..
                }) => {
                    let response = answer(answered, target, connect_us, begun, retries);
                    return Ok(UpstreamResponse {
                        is_second,
                        ..response
                    });
                }
                Ok(failed) => {
                    is_second |= !matches!(failed.result, Err(ExchangeFault::NothingSent));
                    after_sending(&failed, &call, target, &mut repeats)
                }
                Err(fault) => after_dialling(fault),
            };
            let fault = match next {
                Next::Stop(fault) => return Err(fault),
                Next::Fresh(fault) => {
                    wants_fresh = Some(index);
                    fault
                }
                Next::Another(fault) => {
                    wants_fresh = None;
                    tried.push(index);
                    fault
                }
            };
            if Instant::now() >= times.deadline {
                return Err(fault);
            }
            last = Some(fault);
            retries = retries.saturating_add(1);
        }
    }

    /// One try. `Err`: not connected, nothing sent.
    async fn attempt(
        &self,
        upstream: &Upstream,
        (index, target): (usize, &Target),
        call: &UpstreamCall<'_>,
        times: Times,
        wants_fresh: bool,
    ) -> Result<Attempt, DialFault> {
        let (key, owner) = ((upstream.id, index), Owner::of(call));
        let _under_way = Under::count(&target.calls);
        let reused = if wants_fresh {
            None
        } else {
            self.idle.take(key, target, owner, times.begun)
        };
        let is_reused = reused.is_some();
        let (mut wire, connected_in) = match reused {
            Some(wire) => (wire, Duration::ZERO),
            None => {
                let start = Instant::now();
                let descriptor = self.descriptor()?;
                let stream = connect(upstream, target, times.deadline).await?;
                let mut wire = Wire::new(stream);
                wire.descriptor = Some(descriptor);
                (wire, start.elapsed())
            }
        };
        let quiet = if is_reused {
            Ok(())
        } else {
            before_the_call(&mut wire, target, connected_in, times.deadline).await
        };
        let result = match quiet {
            Err(fault) => Err(fault),
            Ok(()) => {
                let request = UpstreamRequest {
                    method: call.method,
                    path_and_query: call.path_and_query,
                    authority: call.authority.unwrap_or(&target.origin.authority),
                    headers: call.headers,
                    body: call.body,
                    answer_bytes_max: upstream.spec.answer_bytes_max,
                    room: call.room.map(|room| (room, call.caller)),
                    deadline: times.deadline,
                };
                exchange(&mut wire, &request).await
            }
        };
        let status = wire.answered.take();
        self.settle(&result, (upstream, key, target), owner, wire, times.begun);
        Ok(Attempt {
            result,
            status,
            connect_us: to_micros(connected_in),
            is_reused,
        })
    }

    /// One for a new connection; where there is none, the connection of this worker that has rested longest gives its own.
    fn descriptor(&self) -> Result<Descriptor, DialFault> {
        loop {
            if let Some(descriptor) = DescriptorShare::take(&self.descriptors) {
                return Ok(descriptor);
            }
            if !self.idle.close_one() {
                let max = self.descriptors.max();
                let detail = format!(
                    "all {max} file descriptors that there are for connections to upstreams are taken"
                );
                let kind = DialFaultKind::OutOfResources;
                return Err(DialFault { kind, detail });
            }
        }
    }

    /// What a call that is over means for its connection and for the target.
    fn settle(
        &self,
        result: &Result<ExchangeResponse, ExchangeFault>,
        (upstream, key, target): (&Upstream, TargetKey, &Target),
        owner: Owner<'_>,
        wire: Wire,
        begun: Instant,
    ) {
        match result {
            Ok(answered) if answered.is_reusable && !self.descriptors.is_short() => {
                self.idle.put(key, upstream, owner, wire, begun);
            }
            Ok(_) if !wire.buffered().is_empty() => target.count_surplus(),
            Ok(_) => {}
            // Our own want says nothing about the target.
            Err(ExchangeFault::NoRoom) => {}
            Err(_) => learn(target, Outcome::CallFailed, begun),
        }
    }

    /// Now and then drops what has rested too long, also of upstreams that no longer exist.
    fn sweep(&self) {
        let calls = self.calls.get().wrapping_add(1);
        self.calls.set(calls);
        if calls.is_multiple_of(SWEEP_EVERY) {
            self.idle.sweep(Instant::now());
        }
    }
}

/// Prints counts only.
impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = self.idle.count();
        f.debug_struct("Pools").field("idle", &idle).finish()
    }
}

/// Connects within the call's time, and notes what that says about the target.
async fn connect(
    upstream: &Upstream,
    target: &Target,
    deadline: Instant,
) -> Result<Stream, DialFault> {
    let began = Instant::now();
    let connect_by = began + upstream.spec.connect_timeout;
    let by = connect_by.min(deadline);
    let dialled = dial(&target.origin, upstream.tls.as_ref(), by).await;
    let outcome = match &dialled {
        Ok(_) => Outcome::Connected,
        Err(fault) => match fault.kind {
            DialFaultKind::OutOfResources => Outcome::OutOfResources,
            DialFaultKind::Timeout if deadline < connect_by => Outcome::CallTimedOut,
            DialFaultKind::Timeout | DialFaultKind::Refused => Outcome::TargetFailed,
        },
    };
    learn(target, outcome, began);
    dialled
}

fn learn(target: &Target, outcome: Outcome, began: Instant) {
    if let Some(event) = outcome.event(us_at(began.into_std())) {
        target.note(event, now_us());
    }
}

/// Targets that took no connection are tried again beside the calls, not by one of them: nobody waits for the outcome.
fn probe_the_resting(upstream: &Arc<Upstream>, now_us: u64) {
    for (index, target) in upstream.targets.iter().enumerate() {
        if target.takes_probe(now_us) {
            let upstream = Arc::clone(upstream);
            spawn_local(async move {
                if let Some(target) = upstream.targets.get(index) {
                    let deadline = Instant::now() + upstream.spec.connect_timeout;
                    drop(connect(&upstream, target, deadline).await);
                }
            });
        }
    }
}

/// The best target that this call has not tried.
fn choose(upstream: &Upstream, tried: &[usize]) -> Option<usize> {
    if upstream.targets.len() == 1 {
        return tried.is_empty().then_some(0);
    }
    let turn = upstream.turn.fetch_add(1, Ordering::Relaxed);
    let weighs_load = upstream.spec.balance == Balance::LeastRequests;
    let views = upstream.targets.iter().map(|target| {
        let condition = target.condition();
        View {
            is_resting: condition.is_resting(),
            is_out: condition.is_out(),
            load: if weighs_load {
                target.calls.load(Ordering::Relaxed)
            } else {
                0
            },
        }
    });
    prefer(views, |index| tried.contains(&index), turn)
}

fn none_left(upstream: &Upstream) -> UpstreamFault {
    let detail = format!("`{}` has no target to ask", upstream.name());
    UpstreamFault::new(Kind::Unreachable, detail)
}

/// Nothing was sent: another target may be asked whatever the method is. What this machine lacks, it lacks for all of them.
fn after_dialling(fault: DialFault) -> Next {
    match fault.kind {
        DialFaultKind::OutOfResources => {
            Next::Stop(UpstreamFault::new(Kind::Overloaded, fault.detail))
        }
        DialFaultKind::Refused | DialFaultKind::Timeout => {
            Next::Another(UpstreamFault::new(Kind::Unreachable, fault.detail))
        }
    }
}

/// Whether the call may go out again, and where. A call of which no byte was sent may always. Once bytes were sent,
/// repeating is safe for idempotent methods only (RFC 9110 §9.2.2), and only where no answer had begun.
fn after_sending(
    failed: &Attempt,
    call: &UpstreamCall<'_>,
    target: &Target,
    repeats: &mut u8,
) -> Next {
    let Err(fault) = failed.result else {
        return Next::Stop(UpstreamFault::new(
            Kind::Protocol,
            "an answer is no failure",
        ));
    };
    let is_unsent = matches!(
        fault,
        ExchangeFault::NothingSent | ExchangeFault::SpokeFirst
    );
    let described = if is_unsent {
        described(fault, target)
    } else {
        described(fault, target).sent(failed.status)
    };
    let is_unanswered = matches!(
        fault,
        ExchangeFault::NothingSent | ExchangeFault::ClosedBeforeResponse
    );
    let is_safe = is_unsent || (call.is_retryable && call.method.is_idempotent());
    if !is_unanswered || !is_safe || *repeats >= REPEATS_MAX {
        return Next::Stop(described);
    }
    *repeats = repeats.saturating_add(1);
    // A rested connection that turns out closed says nothing about the target.
    if failed.is_reused {
        Next::Fresh(described)
    } else {
        Next::Another(described)
    }
}

fn described(fault: ExchangeFault, target: &Target) -> UpstreamFault {
    let (kind, what) = match fault {
        ExchangeFault::NothingSent => (Kind::Unreachable, "closed the connection beforehand"),
        ExchangeFault::ClosedBeforeResponse => {
            (Kind::Unreachable, "closed the connection without an answer")
        }
        ExchangeFault::SpokeFirst => (Kind::Protocol, "answered before it was asked"),
        ExchangeFault::Timeout => (Kind::Timeout, "gave no whole answer in time"),
        ExchangeFault::TooLarge => (Kind::TooLarge, "answered with more than is allowed"),
        ExchangeFault::NoRoom => (
            Kind::Overloaded,
            "answered, and too many answers wait in memory for whoever asked (`answers_bytes_max`)",
        ),
        ExchangeFault::Broken(what) => (Kind::Protocol, what),
    };
    UpstreamFault::new(kind, format!("{}: {what}", target.name))
}

fn answer(
    answered: ExchangeResponse,
    target: &Target,
    connect_us: u32,
    start: Instant,
    retries: u8,
) -> UpstreamResponse {
    UpstreamResponse {
        status: answered.head.status,
        headers: answered.head.headers,
        body: answered.body,
        held: answered.held,
        head_length: answered.head.length,
        target: Arc::clone(&target.name),
        connect_us,
        response_us: micros(start),
        retries,
        is_second: false,
    }
}

fn micros(start: Instant) -> u32 {
    to_micros(start.elapsed())
}

fn to_micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// Counts a target's call while it is under way.
struct Under<'a>(&'a AtomicU32);

impl<'a> Under<'a> {
    fn count(count: &'a AtomicU32) -> Under<'a> {
        count.fetch_add(1, Ordering::Relaxed);
        Under(count)
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
) -> Result<Place<&'a Shares>, UpstreamFault> {
    if !is_plain_path(call.path_and_query) {
        return Err(UpstreamFault::new(
            Kind::Protocol,
            "the path to send is not plain",
        ));
    }
    let most = upstream.spec.calls_max;
    upstream.calls.take(call.caller, most).map_err(|no_place| {
        let name = upstream.name();
        let detail = match no_place {
            NoPlace::Full => format!("{most} calls to `{name}` are under way"),
            NoPlace::Share { mine, free } => format!(
                "this caller has {mine} calls to `{name}` under way; of {most} at once {free} are free, and those are for others"
            ),
        };
        UpstreamFault::new(Kind::Overloaded, detail)
    })
}
