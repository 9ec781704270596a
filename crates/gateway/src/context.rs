//! What a request carries from stage to stage besides its exchange: the road's means, the target, the live operation.
//! Exports `RequestContext`, `Target` and `Op`. Nothing is decided here.
//! Made by the service and by stages `route` and `lifecycle`; read by every later stage.
//! Start reading at `RequestContext`.

use std::sync::Arc;

use config::compiled::{ApiVersion, ListenerSettings, OperationPlan};
use contract::Operation;
use model::ListenerId;
use net::Pools;
use policy::OperationRef;

use crate::identity_token::Tokens;
use crate::snapshot::VersionRuntime;
use crate::{SharedState, Snapshot};

/// What the stages may use, for the time of one request.
pub struct RequestContext<'a> {
    /// The configuration, the same one from the first stage to the last.
    pub snapshot: &'a Snapshot,
    /// The listener that accepted the connection; `None` where it is no longer configured.
    pub listener: Option<&'a ListenerSettings>,
    /// The same listener as the router knows it.
    pub listener_id: ListenerId,
    /// What all roads share.
    pub io: &'a SharedState,
    /// This thread's upstream connections.
    pub pools: &'a Pools,
    /// This thread's identity tokens.
    pub tokens: &'a Tokens,
}

/// The operation a request is for.
#[derive(Clone, Debug)]
pub struct Target {
    /// Index of the version in the snapshot.
    pub version: usize,
    /// Index of the operation in its contract; `None` for a retired version, which has none.
    pub operation: Option<usize>,
    /// Path parameters with their decoded texts.
    pub path_values: Vec<(Arc<str>, String)>,
}

/// A live operation and everything compiled for it.
#[derive(Clone, Copy)]
pub struct Op<'s> {
    /// Its version.
    pub version: &'s ApiVersion,
    /// What the version needs to run.
    pub runtime: &'s VersionRuntime,
    /// Index of the version in the snapshot.
    pub version_index: usize,
    /// The operation as the contract has it.
    pub operation: &'s Operation,
    /// How it is checked.
    pub plan: &'s OperationPlan,
    /// The operation as policy knows it.
    pub policy: OperationRef,
}

impl Op<'_> {
    /// `field-service/v2`
    pub fn version_name(&self) -> &Arc<str> {
        &self.version.name
    }
}
