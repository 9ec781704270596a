//! Fieldworks on a loopback port, over the same listener the gateway uses.
//! Exports `Hosted`.
//! Used by the `demo` verb and testkit.
//! Start reading at `Fieldworks::host`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::{Head, Peer, Reason, Response};
use net::{Body, ListenFault, ListenerSpec, Service, Unreadable, Workers};

use super::Fieldworks;

/// Largest body fieldworks reads.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The listener's name.
const NAME: &str = "fieldworks";

/// Why fieldworks could not be hosted.
pub type HostFault = ListenFault;

/// A running fieldworks. It runs until it is stopped.
#[derive(Debug)]
pub struct Hosted {
    /// Where it listens.
    pub address: SocketAddr,
    workers: Workers,
}

impl Hosted {
    /// Stops it; requests under way may finish within half a second.
    pub fn stop(self) {
        self.workers.stop(Duration::from_millis(500));
    }
}

impl Fieldworks {
    /// Listens on this loopback port; 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn host(&self, port: u16) -> Result<Hosted, HostFault> {
        let wanted = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let careless = self.clone();
        let workers = Workers::start(1, vec![ListenerSpec::new(NAME, wanted)], move |_| {
            careless.clone()
        })?;
        let address = workers.address(NAME).unwrap_or(wanted);
        Ok(Hosted { address, workers })
    }
}

impl Service for Fieldworks {
    fn admit(&self, _address: IpAddr, _listener: &str) -> Result<(), &'static Reason> {
        Ok(())
    }

    async fn answer(&self, _peer: &Arc<Peer>, head: Head, body: &mut Body<'_>) -> Response {
        match body.read(BODY_BYTES_MAX).await {
            Ok(bytes) => self.handle(head.method, &head.target, &head.headers, &bytes),
            Err(fault) => Response::new(400, fault.to_string().into_bytes()),
        }
    }

    async fn refuse(&self, _peer: &Arc<Peer>, what: Unreadable) -> Response {
        Response::new(what.status, what.detail.into_bytes())
    }
}
