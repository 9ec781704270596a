//! What the outside asks of this room, as plain data: listeners, bounds, upstreams.
//! Exports `ListenerSpec`, `Bounds`, `UpstreamSpec`. Configuration compiles into these.
//! Used by the gateway and the binary.
//! Start reading at `ListenerSpec`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::{DescriptorShare, TlsSlot};

/// One address to listen on.
#[derive(Clone, Debug)]
pub struct ListenerSpec {
    /// Name as configured; travels in `Peer::listener`.
    pub name: Arc<str>,
    /// Address and port. Port 0 takes a free one (see `Workers::addresses`).
    pub address: SocketAddr,
    /// Certificate and rules for TLS; `None` is a plain listener.
    pub tls: Option<Arc<TlsSlot>>,
    /// Sizes, times and counts.
    pub bounds: Bounds,
    /// Most connections at once on this listener, over all workers. Further ones are closed at once.
    pub connections_max: usize,
    /// Most connections at once from one address (one /64 for IPv6).
    pub per_address_connections_max: usize,
    /// Descriptors that connections of callers may take together, on all listeners that have this share.
    pub descriptors: Arc<DescriptorShare>,
    /// Place among the listeners of the process; travels in `Peer::listener_place`.
    pub(crate) place: usize,
}

impl ListenerSpec {
    /// A listener with usual bounds.
    pub fn new(name: impl Into<Arc<str>>, address: SocketAddr) -> Self {
        ListenerSpec {
            name: name.into(),
            address,
            tls: None,
            bounds: Bounds::default(),
            connections_max: 20_000,
            per_address_connections_max: 1_000,
            descriptors: Arc::default(),
            place: 0,
        }
    }
}

/// What one connection may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Largest request head.
    pub head_bytes_max: usize,
    /// Largest request target.
    pub target_bytes_max: usize,
    /// Most header fields.
    pub fields_max: usize,
    /// How long a connection may rest between requests.
    pub idle: Duration,
    /// Time for a whole head, from its first byte (from accept, for the first one).
    pub head_read: Duration,
    /// Time a body may take on top of its size divided by `rate_min`.
    pub body_grace: Duration,
    /// How long the reader of a reply may pause; in the long run it has to take `rate_min`.
    pub write_grace: Duration,
    /// Slowest acceptable transfer in bytes per second.
    pub rate_min: u64,
    /// Time for a TLS handshake.
    pub handshake: Duration,
    /// Most handshakes at once per worker; further ones wait within their time.
    pub handshakes_max: usize,
    /// Requests after which a connection is closed.
    pub requests_per_connection_max: u32,
    /// HTTP/2: most streams at once.
    pub streams_max: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            head_bytes_max: 32 * 1024,
            target_bytes_max: 8 * 1024,
            fields_max: 100,
            idle: Duration::from_secs(60),
            head_read: Duration::from_secs(10),
            body_grace: Duration::from_secs(10),
            write_grace: Duration::from_secs(10),
            rate_min: 8 * 1024,
            handshake: Duration::from_secs(10),
            handshakes_max: 256,
            requests_per_connection_max: 100_000,
            streams_max: model::http::STREAMS_MAX,
        }
    }
}

/// One upstream: the company's system behind an API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSpec {
    /// Name for messages and metrics, e.g. `field-service/v2`.
    pub name: Arc<str>,
    /// `http://host:port` or `https://host:port`; no path, no credentials.
    pub targets: Vec<String>,
    /// How calls are spread.
    pub balance: Balance,
    /// Active checks; `None` leaves only passive ejection.
    pub health: Option<HealthSpec>,
    /// Certificate authorities for https targets (PEM); the system's own trust when absent.
    pub ca_pem: Option<Vec<u8>>,
    /// Time for name resolution, TCP connect and TLS handshake together.
    pub connect_timeout: Duration,
    /// Largest answer body.
    pub answer_bytes_max: usize,
    /// Most calls under way at once, over all workers; no caller has more of them than are free.
    pub calls_max: u32,
    /// Idle connections kept per target and worker.
    pub idle_max: usize,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
}

impl UpstreamSpec {
    /// An upstream with usual settings.
    pub fn new(name: impl Into<Arc<str>>, targets: Vec<String>) -> Self {
        UpstreamSpec {
            name: name.into(),
            targets,
            balance: Balance::RoundRobin,
            health: None,
            ca_pem: None,
            connect_timeout: Duration::from_secs(2),
            answer_bytes_max: 8 * 1024 * 1024,
            calls_max: 4096,
            idle_max: 256,
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// How calls are spread over healthy targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The target with the fewest calls under way.
    LeastRequests,
}

/// Active health checks of each target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSpec {
    /// Path asked with GET; any 2xx is healthy.
    pub path: String,
    /// Time between checks of one target.
    pub interval: Duration,
    /// Time for one check.
    pub timeout: Duration,
    /// Failed checks in a row that take a target out.
    pub unhealthy_after: u32,
    /// Good checks in a row that bring it back.
    pub healthy_after: u32,
}

impl HealthSpec {
    /// Checks of this path with usual times.
    pub fn new(path: impl Into<String>) -> Self {
        HealthSpec {
            path: path.into(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            unhealthy_after: 3,
            healthy_after: 2,
        }
    }
}
