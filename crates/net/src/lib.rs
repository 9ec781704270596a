//! How bytes come and go: listeners, TLS, HTTP/1.1 and HTTP/2, pooled upstreams, a small client.
//! Exports `Workers`, `Service`, `Dropped`, `TlsSlot`, `Upstream`, `Pools`, `client`. No transport library's type leaves this room.
//! Used by the gateway (both sides of the road), the admin service (its listener) and the binary (tools).
//! Start reading at `Service`; the codec is `h1`, explained in docs/decisions/002.

mod body;
pub mod client;
mod connection;
mod date;
mod descriptors;
pub mod dropped;
mod guard;
pub mod h1;
mod h1_connection;
mod h2_connection;
mod listener;
mod local_peer;
mod network;
pub mod reasons;
pub mod service;
pub mod spec;
pub mod tls;
mod unreadable;
pub mod upstream;
mod wire;
mod workers;

pub use body::Body;
pub use descriptors::DescriptorShare;
pub use dropped::{Dropped, Origin};
pub use listener::{KEPT_CONNECTIONS, ListenFault};
pub use local_peer::LocalPeer;
pub use reasons::REASONS;
pub use service::Service;
pub use spec::{Balance, Bounds, HealthSpec, ListenerSpec, UpstreamSpec};
pub use tls::{ClientCertificates, TlsFault, TlsSlot};
pub use unreadable::{BodyFault, Unreadable};
pub use upstream::{
    HeldBytes, Pools, ResponseBudget, ResponseRoom, TargetState, Upstream, UpstreamCall,
    UpstreamFault, UpstreamFaultKind, UpstreamMistake, UpstreamResponse, watch_health,
};
pub use workers::Workers;

#[cfg(test)]
mod tests;
