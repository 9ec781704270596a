//! Calls to the company's own systems: targets, balance, health, pooled connections, safe retries.
//! Exports `Upstream` (shared, one per configured upstream) and `Pools` (one per worker thread).
//! Used by the gateway's upstream stage. No redirects, no proxies, certificates always verified.
//! Start reading at `Pools::send`.

mod choice;
mod condition;
mod connect;
mod exchange;
mod health;
mod idle;
mod listening;
mod pool;
mod room;
mod shares;
#[cfg(test)]
mod simulation;
mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use model::{Headers, Method, Reason};
use rustls::ClientConfig;

use crate::reasons::{
    UPSTREAM_OVERLOADED, UPSTREAM_PROTOCOL, UPSTREAM_TIMEOUT, UPSTREAM_UNREACHABLE,
};
use crate::spec::UpstreamSpec;
use crate::tls::client_config;

pub use health::watch_health;
pub use pool::Pools;
pub use room::{HeldBytes, ResponseBudget, ResponseRoom};

pub(crate) use connect::dial;
pub(crate) use exchange::{ExchangeFault, UpstreamRequest, exchange};
pub(crate) use target::{Origin, Target};

use shares::Shares;

/// One configured upstream with the health of its targets, shared by all threads.
#[derive(Debug)]
pub struct Upstream {
    id: u64,
    spec: UpstreamSpec,
    targets: Vec<Target>,
    tls: Option<Arc<ClientConfig>>,
    turn: AtomicUsize,
    calls: Shares,
}

/// What cannot be an upstream. The operator's mistake.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamMistake {
    /// No target at all.
    #[error("an upstream needs at least one target such as `http://127.0.0.1:9101`")]
    NoTarget,
    /// A target that is not `scheme://host[:port]`.
    #[error("`{target}` is not a target: {why}; write `http://host:port` or `https://host:port`")]
    Target {
        /// The text given.
        target: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The health path does not begin with `/`.
    #[error("the health path `{0}` must begin with `/` and hold plain characters only")]
    HealthPath(String),
    /// The authorities cannot be used.
    #[error("{0}")]
    Authority(String),
}

impl Upstream {
    /// Checks targets and trust. No connection is made.
    ///
    /// # Errors
    /// [`UpstreamMistake`] names the target.
    pub fn new(spec: UpstreamSpec) -> Result<Arc<Upstream>, UpstreamMistake> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut targets = Vec::with_capacity(spec.targets.len());
        for text in &spec.targets {
            let origin = Origin::parse(text).map_err(|why| UpstreamMistake::Target {
                target: text.clone(),
                why,
            })?;
            targets.push(Target::new(origin, text.as_str()));
        }
        if targets.is_empty() {
            return Err(UpstreamMistake::NoTarget);
        }
        if let Some(health) = &spec.health
            && !is_plain_path(&health.path)
        {
            return Err(UpstreamMistake::HealthPath(health.path.clone()));
        }
        let tls = if targets.iter().any(|t| t.origin.is_tls) {
            let config = client_config(spec.ca_pem.as_deref());
            Some(config.map_err(|e| UpstreamMistake::Authority(e.to_string()))?)
        } else {
            None
        };
        Ok(Arc::new(Upstream {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            spec,
            targets,
            tls,
            turn: AtomicUsize::new(0),
            calls: Shares::default(),
        }))
    }

    /// Like [`Upstream::new`], but an unchanged specification keeps the previous value with its health and connections.
    ///
    /// # Errors
    /// [`UpstreamMistake`] names the target.
    pub fn renew(
        spec: UpstreamSpec,
        previous: Option<&Arc<Upstream>>,
    ) -> Result<Arc<Upstream>, UpstreamMistake> {
        match previous {
            Some(previous) if previous.spec == spec => Ok(Arc::clone(previous)),
            _ => Upstream::new(spec),
        }
    }

    /// Name as configured.
    pub fn name(&self) -> &Arc<str> {
        &self.spec.name
    }

    /// How often each target sent bytes that nobody had asked for, since this was last asked. Targets without any are
    /// left out.
    pub fn take_surplus(&self) -> impl Iterator<Item = (Arc<str>, u64)> {
        let counted = |target: &Target| {
            let count = target.surplus.swap(0, Ordering::Relaxed);
            (count > 0).then(|| (Arc::clone(&target.name), count))
        };
        self.targets.iter().filter_map(counted)
    }

    /// State of each target, for metrics, `doctor` and readiness.
    pub fn targets(&self) -> Vec<TargetState> {
        self.targets
            .iter()
            .map(|t| {
                let condition = t.condition();
                TargetState {
                    target: Arc::clone(&t.name),
                    is_healthy: !condition.is_out() && !condition.is_resting(),
                    calls: t.calls.load(Ordering::Relaxed),
                }
            })
            .collect()
    }
}

/// Origin form in visible ASCII, so that nothing in it can end the request line.
pub(crate) fn is_plain_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

/// How one target is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    /// `http://host:port` as configured.
    pub target: Arc<str>,
    /// Whether it takes connections and its checks are good. Others are asked only when no such target is left.
    pub is_healthy: bool,
    /// Calls under way.
    pub calls: u32,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamCall<'a> {
    /// Method.
    pub method: Method,
    /// Whose call it is; no caller takes the places of all others, and none is given a connection of another.
    pub caller: u128,
    /// The person behind it, where the caller names one; connections are kept apart by persons as well.
    pub user: Option<&'a str>,
    /// Canonical path and query.
    pub path_and_query: &'a str,
    /// `host` to send; the target's own when absent.
    pub authority: Option<&'a str>,
    /// Fields to send; framing and hop-by-hop ones are left out.
    pub headers: &'a Headers,
    /// Whole body.
    pub body: &'a [u8],
    /// The moment the call's time counts from.
    pub begun: std::time::Instant,
    /// Time for everything: connecting, sending, answer, retries.
    pub timeout: Duration,
    /// Where its answer is counted while it is in memory; `None` where somebody reads it at once.
    pub room: Option<ResponseRoom<'a>>,
    /// Whether the call may be repeated at all. Even then only idempotent methods are repeated once bytes were sent.
    pub is_retryable: bool,
}

/// A whole answer.
#[derive(Debug)]
pub struct UpstreamResponse {
    /// Status.
    pub status: u16,
    /// Fields without framing and hop-by-hop ones.
    pub headers: Headers,
    /// Whole body, complete by its framing.
    pub body: Vec<u8>,
    /// The room that it takes, to be kept as long as it, or what is made of it, is in memory.
    pub held: HeldBytes,
    /// Length stated in an answer to HEAD.
    pub head_length: Option<u64>,
    /// Which target answered.
    pub target: Arc<str>,
    /// Microseconds spent connecting; 0 on a pooled connection.
    pub connect_us: u32,
    /// Microseconds from sending to the last byte.
    pub response_us: u32,
    /// How often the call was repeated.
    pub retries: u8,
    /// An earlier attempt was sent and went unanswered, so that the call may have been carried out before this answer.
    pub is_second: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct UpstreamFault {
    /// What kind of fault.
    pub kind: UpstreamFaultKind,
    /// Private detail with the target: ledger only.
    pub detail: String,
    /// Bytes of the call may have reached a target, so that it may have been carried out.
    pub is_sent: bool,
    /// The status of the answer, where its head was read and its body was not.
    pub status: Option<u16>,
}

/// Kinds of faults of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamFaultKind {
    /// No target accepted the connection.
    Unreachable,
    /// No whole answer in time.
    Timeout,
    /// The answer is larger than allowed.
    TooLarge,
    /// The answer is not acceptable HTTP or ended early.
    Protocol,
    /// Too many calls under way, or this machine has no descriptor, port or memory for one more.
    Overloaded,
}

impl UpstreamFault {
    pub(crate) fn new(kind: UpstreamFaultKind, detail: impl Into<String>) -> Self {
        UpstreamFault {
            kind,
            detail: detail.into(),
            is_sent: false,
            status: None,
        }
    }

    /// The same for a call of which bytes went out, and as far as the answer was read.
    pub(crate) fn sent(mut self, status: Option<u16>) -> Self {
        (self.is_sent, self.status) = (true, status);
        self
    }

    /// There is nothing to send a call to.
    pub fn unconfigured() -> Self {
        UpstreamFault::new(UpstreamFaultKind::Unreachable, "no upstream is configured")
    }

    /// What happened, by the names of RFC 9209 §2.3.
    pub fn proxy_error(&self) -> &'static str {
        match (self.kind, self.is_sent) {
            (UpstreamFaultKind::Unreachable, false) => "destination_unavailable",
            (UpstreamFaultKind::Unreachable, true) => "connection_terminated",
            (UpstreamFaultKind::Timeout, _) => "http_response_timeout",
            (UpstreamFaultKind::TooLarge, _) => "http_response_body_size",
            (UpstreamFaultKind::Protocol, _) => "http_protocol_error",
            (UpstreamFaultKind::Overloaded, _) => "connection_limit_reached",
        }
    }

    /// The reason to refuse with.
    pub fn reason(&self) -> &'static Reason {
        match self.kind {
            UpstreamFaultKind::Unreachable => &UPSTREAM_UNREACHABLE,
            UpstreamFaultKind::Timeout => &UPSTREAM_TIMEOUT,
            UpstreamFaultKind::TooLarge | UpstreamFaultKind::Protocol => &UPSTREAM_PROTOCOL,
            UpstreamFaultKind::Overloaded => &UPSTREAM_OVERLOADED,
        }
    }
}
