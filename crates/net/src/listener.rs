//! Sockets that accept: one per worker with SO_REUSEPORT, counted, handed to the connections.
//! Gives `ListenFault`.
//! Used by workers.
//! Start reading at `bind`.

use std::net::SocketAddr;
use std::sync::Arc;

/// Why a listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ListenFault {
    /// Somebody else has the port.
    #[error(
        "listener `{name}`: {address} is in use{holder}; stop that process or give the listener another port"
    )]
    Busy {
        /// Listener.
        name: Arc<str>,
        /// Address and port.
        address: SocketAddr,
        /// ` by NAME (pid N)` where that can be found out, else ` by another process`.
        holder: String,
    },
    /// Ports below 1024 need a privilege.
    #[error(
        "listener `{name}`: no permission to listen on {address}; use a port above 1023 or grant CAP_NET_BIND_SERVICE"
    )]
    NotPermitted {
        /// Listener.
        name: Arc<str>,
        /// Address and port.
        address: SocketAddr,
    },
    /// Anything else the system said.
    #[error("listener `{name}`: cannot listen on {address}: {cause}")]
    Other {
        /// Listener, or `worker`.
        name: Arc<str>,
        /// Address and port.
        address: SocketAddr,
        /// The system's words.
        cause: String,
    },
    /// A worker thread could not start.
    #[error("cannot start a worker thread: {0}")]
    Worker(String),
}
