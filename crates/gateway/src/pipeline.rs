//! The road one request takes. Read `run` from top to bottom: that is the whole story.
//! Stage names are those of the product contract; the exchange carries the one it stands in.
//! Used by the service, which renders the stop and records the decision in one place.
//! Start reading at `run`.

use model::Reply;

use crate::context::Road;
use crate::stages::{
    answer, authn, authz, http, inspect, ip, lifecycle, limit, object, pages, parameters, route,
    tls, upstream, validate,
};
use crate::{Exchange, Stop};

/// Walks the road. The order is code, never configuration; settings only tune steps.
///
/// # Errors
/// The [`Stop`] of the stage that ended it.
pub async fn run(x: &mut Exchange<'_, '_>, r: &Road<'_>) -> Result<Reply, Stop> {
    // Plain text ends here: a credential on it is already lost, and a redirect would ask for the next one.
    tls::require(x, r.snapshot)?;
    // Lists, blocks and the limit of strangers per address: cheap, and a caller is looked for only where it would save one.
    ip::admit(x, r)?;
    // One request for routing, policy, limits, inspection, ledger and upstream alike.
    let mut asked = http::canonical(x)?;
    // Unknown or unexposed ends before anything costs money.
    let target = route::find(x, &asked, r.snapshot);
    let target = authn::attribute(x, &asked, r, target)?;
    // Retired ends; deprecated goes on with its dates in the answer.
    let op = lifecycle::check(x, &target, r.snapshot);
    let op = authn::attribute(x, &asked, r, op)?;
    // Only `identity` can make a caller. The credential ends here: no later stage sees it.
    let caller = authn::verify(x, &mut asked, &op, r)?;
    // Values that grants fix are written in first: everything later is decided on what is forwarded.
    parameters::fix_query(x, &caller, &mut asked, &op, r)?;
    // Only `policy` can make a permit; it carries what is owed for objects and fields.
    let mut permit = authz::decide(x, &caller, &target, &asked, &op, r)?;
    // After authn: quota belongs to an integration, and a shared office address must not starve.
    let _turns = limit::take(x, &caller, &op, r)?;
    // After authz: strangers do not get our memory or our parsers' time.
    pages::open(x, &mut asked, &permit, &caller, &op, r)?;
    let mut valid = validate::request(x, &asked, &target, &caller, &op, &mut permit, r).await?;
    // A cursor goes on with its own question only. Where objects may be left out of a list, the first page is asked for so
    // that it can be filled again.
    pages::ask(x, &mut valid, &asked, &permit, &op)?;
    // Attack detection on what the contract leaves free.
    let checked = inspect::request(x, asked, valid, target, &op, r)?;
    // Whose object is it, as far as request and look-ups can tell.
    let permit = object::before(x, permit, &caller, &checked, &op, r).await?;
    // Asks for the proofs: a caller, a cleared permit, a checked request.
    let came = upstream::forward(x, &caller, &permit, &checked, &op, r).await?;
    // What the answer means, then stages response, object and response again. What was carried out is never told as failed.
    answer::settle(x, permit, &caller, &checked, came, &op, r).await
}
