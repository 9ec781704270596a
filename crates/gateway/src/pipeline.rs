//! The road one request takes. Read `run` from top to bottom: that is the whole story.
//! Stage names are those of the product contract; the exchange carries the one it stands in.
//! Used by the service, which renders the stop and records the decision in one place.
//! Start reading at `run`.

use model::Response;

use crate::context::RequestContext;
use crate::stages::{
    authn, authz, browsers, http, inspect, ip, lifecycle, limit, object, outcome, parameters,
    route, tls, transform, upstream, validate,
};
use crate::{RequestState, Stop};

/// Walks the road. The order is code, never configuration; settings only tune steps.
///
/// # Errors
/// The [`Stop`] of the stage that ended it.
pub async fn run(x: &mut RequestState<'_, '_>, r: &RequestContext<'_>) -> Result<Response, Stop> {
    // Plain text ends here: a credential on it is already lost, and a redirect would ask for the next one.
    tls::require(x, r)?;
    // Lists, blocks and the limit of strangers per address: cheap, and a caller is looked for only where it would save one.
    ip::admit(x, r)?;
    // One request for routing, policy, limits, inspection, ledger and upstream alike.
    let mut asked = http::canonical(x, r)?;
    // Unknown or unexposed ends before anything costs money.
    // What a browser asks before a call of a page is about no operation and carries no credential.
    if let Some(answered) = browsers::meet(x, &asked, r)? {
        return Ok(answered);
    }
    let target = route::find(x, &asked, r);
    let target = authn::attribute(x, &asked, r, target)?;
    // Retired ends; deprecated goes on with its dates in the answer.
    let op = lifecycle::check(x, &target, r.snapshot);
    let op = authn::attribute(x, &asked, r, op)?;
    // Only `identity` can make a caller. The credential ends here: no later stage sees it.
    let caller = authn::verify(x, &mut asked, &op, r)?;
    // Values that grants fix are written in first: everything later is decided on what is forwarded.
    parameters::fix_query(x, &caller, &mut asked, &op, r)?;
    // Only `policy` can make a permit. From here on each proof holds the ones before it, so that none can be exchanged.
    let granted = authz::decide(x, &caller, target, &asked, op, r)?;
    // After authn: quota belongs to an integration, and a shared office address must not starve.
    limit::take(x, &granted, r)?;
    // After authz: strangers do not get our memory or our parsers' time.
    let validated = validate::request(x, granted, asked, r).await?;
    // Stage `limit` again, for limits that count what a request says: now there is one reading of it.
    limit::take_by_value(x, &validated, r)?;
    // Attack detection on what the contract leaves free.
    let checked = inspect::request(x, validated, r)?;
    // Whose object is it, as far as request and look-ups can tell.
    let cleared = object::before(x, checked, r).await?;
    // Whatever rewrites what was judged has done so when this returns: the bytes are fixed.
    let ready = transform::request(x, cleared);
    // Asks for the last proof, and by it for all of them.
    let came = upstream::forward(x, &ready, r).await?;
    // Some limits count only calls that fail.
    limit::note_outcome(x, &came, r);
    // What the answer means, then stages response, object and response again. What was carried out is never told as failed.
    outcome::settle(x, ready, came, r).await
}
