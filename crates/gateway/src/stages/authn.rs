//! Stage `authn`: who is calling.
//! Exports `verify`, and `proven` and `attribute` for stages before it. Takes the credential out of the request, so that nothing behind this stage can leak it.
//! Used by the pipeline.
//! Start reading at `verify`.

use std::sync::Arc;

use identity::methods::credential_headers;
use identity::{Caller, IntegrationFacts, Presented, VerifyContext};
use model::http::METHOD_NOT_ALLOWED;
use model::text::shared;
use model::{CanonicalRequest, Headers, KeyId, Refusal, Stage};

use crate::context::{Op, RequestContext};
use crate::reasons::TOO_MANY_PERSONS;
use crate::stages::{address_limit, route};
use crate::{Charged, RequestState, Stop, etag, record, request_fields};

/// Conditions on entity tags. Answers carry tags sealed for the caller; from here on they are the upstream's own again,
/// so that the contract judges and the upstream reads what the upstream gave.
pub const ON_TAGS: [&str; 2] = ["if-match", "if-none-match"];

/// Names the caller.
pub fn verify(
    x: &mut RequestState<'_, '_>,
    asked: &mut CanonicalRequest,
    op: &Op<'_>,
    r: &RequestContext<'_>,
) -> Result<Caller, Stop> {
    x.enter(Stage::Authn);
    let verdict = match presented(x, &of_canonical(x, asked), r) {
        Err(refusal) => nobody(x, refusal, op, r),
        proven => proven,
    };
    let is_passed = op
        .version
        .upstream
        .as_ref()
        .is_some_and(|upstream| upstream.pass_credential);
    for name in credential_headers().filter(|_| !is_passed) {
        asked.drop_header(name);
    }
    match contract::declared_cookies(op.operation, asked.headers()) {
        Some(declared) => asked.set_header("cookie", &declared),
        None => asked.drop_header("cookie"),
    }
    let caller = match verdict {
        Ok(caller) => caller,
        Err(refusal) => {
            // The dates and the successor of a version would say that there is one.
            x.response_headers = Headers::new();
            return Err(refusal.into());
        }
    };
    caller.touch(x.now);
    charge_to(x, &caller);
    admit(x, &caller, r)?;
    for name in ON_TAGS {
        if asked.headers().get(name).is_none() {
            continue;
        }
        // Nothing the caller wrote is left in a condition.
        let lines = asked.headers().all(name);
        let tags = etag::reveal(&r.io.etags, lines, caller.integration());
        let Some(tags) = tags else {
            x.enter(Stage::Validate);
            return Err(request_fields::not_tags(name).into());
        };
        asked.set_header(name, &tags);
    }
    Ok(caller)
}

/// Whoever shows no credential may use what is public. Of everything else they are told, as ever, that a credential is missing: which
/// operations there are beyond the public ones is for callers to know.
fn nobody(
    x: &RequestState<'_, '_>,
    refusal: Box<Refusal>,
    op: &Op<'_>,
    r: &RequestContext<'_>,
) -> Result<Caller, Box<Refusal>> {
    let detail = refusal.detail.clone();
    let caller = with_context(r, |world| identity::anonymous(refusal, x.address, world))?;
    if r.snapshot
        .compiled
        .rules
        .grants(caller.principal(), op.policy)
    {
        Ok(caller)
    } else {
        Err(identity::MISSING.because(detail))
    }
}

/// Refuses a proven caller that is blocked, or whose credential has used up its share at this address. Whoever is blocked
/// learns so whatever they ask for next, not only where it would have been granted.
fn admit(
    x: &mut RequestState<'_, '_>,
    caller: &Caller,
    r: &RequestContext<'_>,
) -> Result<(), Stop> {
    let (credential, user) = (caller.credential(), caller.principal().user.as_deref());
    if let Some(user) = user
        && !r.io.recorder.has_room_for(caller.integration(), user)
    {
        // What is recorded of this call cannot name them: there is no key to seal it with.
        x.event.user = None;
        let what = "the ledger cannot keep one more person apart";
        return Err(Stop::Failed(TOO_MANY_PERSONS.because(what)));
    }
    let block =
        r.io.blocks
            .of_caller(credential, caller.integration(), user, x.moment);
    address_limit::refuse_blocked(x, block)?;
    address_limit::charge_at_address(x, r, credential)
}

/// The credential of a request that would be accepted. Costs a digest and a look-up, so it is asked only where a stranger
/// would be refused already.
pub fn proven(x: &mut RequestState<'_, '_>, r: &RequestContext<'_>) -> Option<KeyId> {
    let head = x.head.as_ref()?;
    let shown = Presented {
        method: head.method,
        authority: &head.authority,
        path: head.target.split('?').next().unwrap_or_default(),
        headers: &head.headers,
        peer: &x.peer,
        address: x.address,
    };
    match presented(x, &shown, r) {
        Ok(caller) => Some(caller.credential()),
        Err(refusal) => {
            record::note_presented(&mut x.event, &refusal);
            None
        }
    }
}

/// A request that ended before this stage is still its caller's where its credential proves one: what one credential was
/// refused counts for that credential, not for strangers at the same address, and takes from its share. A stranger is told that
/// they are one, and nothing else: which paths there are, with which methods, in which versions, is for callers to know.
pub fn attribute<T>(
    x: &mut RequestState<'_, '_>,
    asked: &CanonicalRequest,
    r: &RequestContext<'_>,
    outcome: Result<T, Stop>,
) -> Result<T, Stop> {
    let stop = match outcome {
        Ok(found) => return Ok(found),
        Err(stop) => stop,
    };
    match presented(x, &of_canonical(x, asked), r) {
        Ok(caller) => {
            charge_to(x, &caller);
            admit(x, &caller, r)?;
            if stop.refusal().reason == &METHOD_NOT_ALLOWED {
                route::tell_allowed(x, asked, &caller, r);
            }
            Err(stop)
        }
        Err(mut refusal) => {
            record::note_presented(&mut x.event, &refusal);
            x.enter(Stage::Authn);
            x.response_headers = Headers::new();
            let detail = &stop.refusal().detail;
            refusal.detail = format!("{}; besides, {detail}", refusal.detail);
            Err(refusal.into())
        }
    }
}

/// Notes who is charged from here on, and who the record names.
fn charge_to(x: &mut RequestState<'_, '_>, caller: &Caller) {
    let principal = caller.principal();
    x.event.integration = Some(shared(&principal.integration));
    let is_anonymous = caller.is_anonymous();
    x.event.credential = (!is_anonymous).then(|| caller.credential().text());
    x.event.user = principal.user.as_ref().map(shared);
    x.charged_to = Some(Charged {
        credential: caller.credential(),
        is_anonymous,
        integration: Arc::clone(&principal.integration),
        user: principal.user.clone(),
    });
}

/// What the caller showed, of a request that has one reading.
fn of_canonical<'a>(x: &'a RequestState<'_, '_>, asked: &'a CanonicalRequest) -> Presented<'a> {
    Presented {
        method: asked.method(),
        authority: asked.authority(),
        path: asked.path(),
        headers: asked.headers(),
        peer: &x.peer,
        address: x.address,
    }
}

/// Whom the credential that was shown stands for.
fn presented(
    x: &RequestState<'_, '_>,
    shown: &Presented<'_>,
    r: &RequestContext<'_>,
) -> Result<Caller, Box<Refusal>> {
    with_context(r, |world| identity::verify(shown, world, x.now))
}

/// Asks `identity` with what is known at this moment.
fn with_context<T>(r: &RequestContext<'_>, ask: impl FnOnce(&VerifyContext<'_>) -> T) -> T {
    let table = r.io.credentials.load();
    let is_allowed_from = |facts: &IntegrationFacts, address| {
        let settings = r.snapshot.integration(facts.id);
        let listed = settings.and_then(|settings| settings.allow_from.as_ref());
        listed.is_none_or(|listed| listed.contains(address))
    };
    ask(&VerifyContext {
        table: &table,
        digest_key: &r.io.keys.api_key_digest,
        integrations: &r.snapshot.identities,
        is_allowed_from: &is_allowed_from,
    })
}
