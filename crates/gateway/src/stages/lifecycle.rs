//! Stage `lifecycle`: active passes, deprecated passes with its dates in the answer, retired ends.
//! Exports `check`, which makes the live operation `Op`.
//! Used by the pipeline.
//! Start reading at `check`.

use config::api::State;
use model::Stage;

use crate::context::{Op, Target};
use crate::reasons::RETIRED;
use crate::{RequestState, Snapshot, Stop, record};

/// Judges the version's state.
pub fn check<'s>(
    x: &mut RequestState<'_, '_>,
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
        x.response_headers.push(name, value);
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
    // Also what is refused from here on says which object it asked for.
    let named = policy::object_in_path(&s.compiled.rules, policy, &target.path_values);
    record::note_objects(&mut x.event, named.as_slice());
    record::note_persons(&mut x.event, &plan.persons, &target.path_values);
    x.has_operation = true;
    Ok(Op {
        version,
        runtime,
        version_index: target.version,
        operation,
        plan,
        policy,
    })
}
