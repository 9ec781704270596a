//! Stage `object`: may this caller touch this object, before and after the upstream answers.
//! Gives `before` (request and look-ups) and `after` (the answer; fields and masks in the same pass).
//! Used by the pipeline. The rules are policy's; only the look-up calls are made here.
//! Start reading at `before`.

use identity::Caller;
use model::{Json, Stage};
use policy::{Lookup, Permit, Released, RequestFacts};

use crate::context::{Op, Road};
use crate::stages::inspect::CheckedRequest;
use crate::stages::unchanged::LookedUp;
use crate::stages::upstream;
use crate::{Exchange, Stop};

/// Discharges what the request and look-ups can discharge.
pub async fn before(
    x: &mut Exchange<'_, '_>,
    mut permit: Permit,
    caller: &Caller,
    checked: &CheckedRequest,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Permit, Stop> {
    x.enter(Stage::Object);
    let facts = facts_of(checked);
    let outcome = judge(x, &mut permit, caller, &facts, op, r).await;
    x.event.objects = permit.objects().to_vec();
    outcome?;
    if !permit.is_cleared() {
        return Err(policy::OBJECT_DENIED
            .because("an object rule is still open")
            .into());
    }
    Ok(permit)
}

async fn judge(
    x: &mut Exchange<'_, '_>,
    permit: &mut Permit,
    caller: &Caller,
    facts: &RequestFacts<'_>,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<(), Stop> {
    let lookups = permit.before(facts)?;
    look_up(x, permit, &lookups, (caller, facts), op, r).await
}

/// Fetches what policy asks for and shows it, one object after the other.
async fn look_up(
    x: &mut Exchange<'_, '_>,
    permit: &mut Permit,
    lookups: &[Lookup],
    (caller, facts): (&Caller, &RequestFacts<'_>),
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<(), Stop> {
    for lookup in lookups {
        let fetched = fetch(x, lookup, caller, op, r).await;
        // Also where it failed: the call itself was not sent, or was answered before.
        x.enter(Stage::Object);
        let (found, looked_up) = fetched?;
        // What the request changes is changed as it was judged, or not at all.
        if permit.is_changed(lookup) {
            x.looked_up = looked_up;
        }
        permit.judge(lookup, facts, found.as_ref())?;
    }
    Ok(())
}

async fn fetch(
    x: &mut Exchange<'_, '_>,
    lookup: &Lookup,
    caller: &Caller,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<(Option<Json>, Option<LookedUp>), Stop> {
    let Some(other) = r.snapshot.operation(op.version_index, lookup.operation) else {
        return Err(policy::OBJECT_DENIED
            .because("the look-up's operation is unknown")
            .into());
    };
    // The id may come from a body or a query, and no template has judged it.
    if !r
        .snapshot
        .leads_to(op.version_index, lookup.operation, &lookup.path)
    {
        return Err(policy::ABSENT
            .because(format!(
                "`{}` cannot be looked up: an upstream could read the path of `{}` as another one",
                lookup.id, other.id
            ))
            .into());
    }
    upstream::look_up(x, caller, op, other, &lookup.path, r).await
}

/// Judges the answer and turns what may leave into bytes. An answer that does not show the object it should makes a
/// look-up necessary: nothing of it leaves before that.
pub async fn after(
    x: &mut Exchange<'_, '_>,
    mut permit: Permit,
    caller: &Caller,
    checked: &CheckedRequest,
    answer: Option<&Json>,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Released, Stop> {
    x.enter(Stage::Object);
    let facts = facts_of(checked);
    let lookups = permit.after(&facts, answer)?;
    if !lookups.is_empty() {
        look_up(x, &mut permit, &lookups, (caller, &facts), op, r).await?;
    }
    Ok(permit.release(&facts, answer)?)
}

/// What policy needs to know of the request.
pub fn facts_of(checked: &CheckedRequest) -> RequestFacts<'_> {
    RequestFacts {
        path: checked.path_values(),
        query: checked.asked().query(),
        body: checked.valid().body.as_ref(),
    }
}
