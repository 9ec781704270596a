//! What a connection of a caller needs beside its stream.
//! Exports `Context`.
//! Made by the listener; used by the connections of both protocols.
//! Start reading at `Context`.

use std::rc::Rc;
use std::sync::Arc;

use model::{Peer, Reason};

use crate::dropped::Drops;
use crate::listener::life::ConnectionHandle;
use crate::spec::Bounds;

/// What a connection needs beside its stream.
pub(crate) struct Context<S> {
    pub(crate) service: Rc<S>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) bounds: Rc<Bounds>,
    pub(crate) life: Rc<ConnectionHandle>,
    pub(crate) drops: Arc<Drops>,
}

impl<S> Context<S> {
    /// Counts this connection among those that ended without a request's record to say why.
    pub(crate) fn drop_for(&self, reason: &'static Reason, detail: &str) {
        self.drops.one(&self.peer, reason, || detail.to_owned());
    }
}
