//! The door between transport and road: what the road implements and what it may read.
//! Exports `Service`. No transport library's type appears in a signature.
//! Implemented by the gateway and the admin listener; driven by the connections of this room.
//! Start reading at `Service`.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use model::{Head, Peer, Reason, Response};

use crate::Dropped;
use crate::body::Body;
use crate::unreadable::Unreadable;

/// What answers requests. One value lives on each worker thread, so nothing here needs to be `Send`.
pub trait Service: 'static {
    /// Asked right after accept, before TLS.
    ///
    /// # Errors
    /// A reason closes the connection at once; it is counted and comes back by [`Service::dropped`].
    fn admit(&self, address: IpAddr, listener: &str) -> Result<(), &'static Reason>;

    /// Answers one well-formed request. The body is read only when the road asks for it.
    fn answer(
        &self,
        peer: &Arc<Peer>,
        head: Head,
        body: &mut Body<'_>,
    ) -> impl Future<Output = Response>;

    /// Renders and records what never became a request: malformed, too large, too slow, plain on TLS,
    /// or stopped by an internal fault. The connection closes after the reply (HTTP/2: the stream).
    fn refuse(&self, peer: &Arc<Peer>, what: Unreadable) -> impl Future<Output = Response>;

    /// Records connections that never became a request. Called on one worker, about once a second and only when there
    /// are some; their number is bounded. A service that keeps no record leaves this as it is.
    fn dropped(&self, dropped: Vec<Dropped>) -> impl Future<Output = ()> {
        drop(dropped);
        std::future::ready(())
    }
}
