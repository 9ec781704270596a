//! Stage `lifecycle`: active passes, deprecated passes with its dates in the answer, retired ends.
//! Gives `check` and the live operation `Op`.
//! Used by the pipeline.
//! Start reading at `check`.

use std::sync::Arc;

use config::api::State;
use config::compiled::{ApiVersion, OperationPlan};
use contract::Operation;
use model::{Reason, Stage};
use policy::OperationRef;

use crate::snapshot::VersionRuntime;
use crate::stages::route::Target;
use crate::{Exchange, Snapshot, Stop};

/// The version is retired.
pub const RETIRED: Reason = Reason::new(
    Stage::Lifecycle,
    "lifecycle.retired",
    410,
    "This version of the API is retired.",
    "Move to the version that the answer's `Link` header names as successor.",
    "The version's state is `retired`: its operations are unreachable and every call is answered with 410 and the successor. \
     `portcullis ledger show --code lifecycle.retired` lists who still calls it.",
);

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

/// Judges the version's state.
pub fn check<'s>(
    x: &mut Exchange<'_, '_>,
    target: &Target,
    s: &'s Snapshot,
) -> Result<Op<'s>, Stop> {
    x.enter(Stage::Lifecycle);
    let (Some(version), Some(runtime)) = (
        s.compiled.versions.get(target.version),
        s.versions.get(target.version),
    ) else {
        return Err(RETIRED.because("the version is gone").into());
    };
    for (name, value) in &runtime.lifecycle_headers {
        x.reply_headers.push(name, value);
    }
    let live = target
        .operation
        .filter(|_| matches!(version.state, State::Active | State::Deprecated))
        .and_then(|index| {
            let plan = version.operations.get(index)?;
            Some((
                version.contract.as_ref()?.operations.get(index)?,
                plan,
                plan.policy?,
            ))
        });
    let Some((operation, plan, policy)) = live else {
        return Err(RETIRED
            .because(format!("{} is {}", version.name, version.state.name()))
            .into());
    };
    Ok(Op {
        version,
        runtime,
        version_index: target.version,
        operation,
        plan,
        policy,
    })
}
