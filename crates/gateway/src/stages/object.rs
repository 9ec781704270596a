//! Stage `object`: may this caller touch this object, before and after the upstream answers.
//! Exports `before` (request and look-ups), which makes the proof `Cleared`, and `after` (the answer; fields and masks in
//! the same pass).
//! Used by the pipeline. The rules are policy's; only the look-up calls are made here.
//! Start reading at `before`.

use std::ops::Deref;
use std::sync::Arc;

use contract::Operation;
use model::{Cause, Headers, Json, Stage, json};
use policy::{Concealment, Lookup, Released};

use crate::bounds::RESPONSE_BOUNDS;
use crate::context::RequestContext;
use crate::meanings::leaves_the_object_open;
use crate::reasons::FAILED;
use crate::request_state::Sent;
use crate::stages::authz::Granted;
use crate::stages::calls;
use crate::stages::inspect::CheckedRequest;
use crate::stages::unchanged::LookedUp;
use crate::{RequestState, Stop, record};

/// A checked request of which nothing is owed before the call. Private field, made here only; without it
/// `upstream::forward` cannot be called.
pub struct Cleared<'r>(CheckedRequest<'r>);

impl<'r> Deref for Cleared<'r> {
    type Target = CheckedRequest<'r>;

    fn deref(&self) -> &CheckedRequest<'r> {
        &self.0
    }
}

/// Discharges what the request and look-ups can discharge.
pub async fn before<'r>(
    x: &mut RequestState<'_, '_>,
    mut checked: CheckedRequest<'r>,
    r: &RequestContext<'_>,
) -> Result<Cleared<'r>, Stop> {
    x.enter(Stage::Object);
    let outcome = judge(x, &mut checked, r).await;
    record::note_objects(&mut x.event, checked.permit().objects());
    outcome?;
    if !checked.permit().is_cleared() {
        return Err(policy::OBJECT_DENIED
            .because("an object rule is still open")
            .into());
    }
    Ok(Cleared(checked))
}

async fn judge(
    x: &mut RequestState<'_, '_>,
    checked: &mut CheckedRequest<'_>,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    let (permit, facts) = checked.split();
    let lookups = permit.before(&facts)?;
    look_up(x, checked, &lookups, r).await
}

/// Fetches what policy asks for and shows it, one object after the other.
async fn look_up(
    x: &mut RequestState<'_, '_>,
    checked: &mut CheckedRequest<'_>,
    lookups: &[Lookup],
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    for lookup in lookups {
        let fetched = fetch(x, checked, lookup, r).await;
        // Also where it failed: the call itself was not sent, or was answered before.
        x.enter(Stage::Object);
        let (found, looked_up) = fetched?;
        // What the request changes is changed as it was judged, or not at all.
        if checked.permit().is_changed(lookup) {
            x.looked_up = looked_up;
        }
        let (permit, facts) = checked.split();
        permit.judge(lookup, &facts, found.as_ref())?;
    }
    Ok(())
}

async fn fetch(
    x: &mut RequestState<'_, '_>,
    granted: &Granted<'_>,
    lookup: &Lookup,
    r: &RequestContext<'_>,
) -> Result<(Option<Json>, Option<LookedUp>), Stop> {
    let version = granted.op().version_index;
    let Some(other) = r.snapshot.operation(version, lookup.operation) else {
        return Err(policy::OBJECT_DENIED
            .because("the look-up's operation is unknown")
            .into());
    };
    // The id may come from a body or a query, and no template has judged it.
    if !r.snapshot.leads_to(version, lookup.operation, &lookup.path) {
        return Err(policy::ABSENT
            .because(format!(
                "`{}` cannot be looked up: an upstream could read the path of `{}` as another one",
                lookup.id, other.id
            ))
            .with_cause(Some(Cause::AmbiguousPath))
            .into());
    }
    called(x, granted, other, &lookup.path, r).await
}

/// Fetches one object with the operation the catalogue names for it.
async fn called(
    x: &mut RequestState<'_, '_>,
    granted: &Granted<'_>,
    by: &Operation,
    path_values: &[(Arc<str>, String)],
    r: &RequestContext<'_>,
) -> Result<(Option<Json>, Option<LookedUp>), Stop> {
    x.enter(Stage::Upstream);
    let target = calls::path(granted.op(), by, path_values);
    let mut headers = Headers::with_room(6, 512);
    headers.push("accept", by.media.accept().as_bytes());
    calls::ours(x, granted, r, &mut headers);
    if x.sent == Sent::Nothing {
        x.sent = Sent::LookUp;
    }
    let response = calls::call(x, granted, (by.method, &target), &headers, &[], r).await;
    let response = response.map_err(|fault| calls::fault_stop(fault, true))?;
    x.event.lookup_status = Some(response.status);
    match response.status {
        404 | 410 | 204 | 205 => Ok((None, None)),
        200..=299 if response.body.is_empty() => Ok((None, None)),
        200..=299 => whole(response.status, &response.body)
            .map(|body| (Some(body), LookedUp::of(&target, &response.headers)))
            .map_err(|detail| match granted.permit().concealment() {
                Concealment::Nothing => Stop::Failed(FAILED.because(detail)),
                // Told apart from a hidden object, it would say that there is none, or that there is one.
                _ => policy::ABSENT.because(detail).into(),
            }),
        status
            if leaves_the_object_open(status, by.declares(403), granted.permit().concealment()) =>
        {
            Err(policy::ABSENT
                .because(format!("the look-up was answered with {status}"))
                .into())
        }
        status => Err(calls::read_failed(
            x,
            "the look-up",
            status,
            &response.headers,
        )),
    }
}

/// The object that the answer of a look-up shows whole; in words why it does not.
fn whole(status: u16, body: &[u8]) -> Result<Json, String> {
    if matches!(status, 206 | 226) {
        return Err(format!("the look-up was answered with a part ({status})"));
    }
    json::parse(body, RESPONSE_BOUNDS).map_err(|problem| {
        let (kind, offset) = (problem.kind, problem.offset);
        format!("the look-up's answer is no JSON: {kind} at byte {offset}")
    })
}

/// Judges the answer and turns what may leave into bytes. An answer that does not show the object it should makes a
/// look-up necessary: nothing of it leaves before that. Uses the permit up.
pub async fn after(
    x: &mut RequestState<'_, '_>,
    Cleared(mut checked): Cleared<'_>,
    response: Option<&Json>,
    r: &RequestContext<'_>,
) -> Result<Released, Stop> {
    x.enter(Stage::Object);
    let (permit, facts) = checked.split();
    let lookups = permit.after(&facts, response)?;
    if !lookups.is_empty() {
        look_up(x, &mut checked, &lookups, r).await?;
    }
    Ok(checked.release(response)?)
}
