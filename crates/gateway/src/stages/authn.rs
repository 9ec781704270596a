//! Stage `authn`: who is calling.
//! Gives `verify`. Takes the credential out of the request, so that nothing behind this stage can leak it.
//! Used by the pipeline.
//! Start reading at `verify`.

use identity::{Caller, Presented, World};
use model::{CanonicalRequest, Stage};

use crate::service::Road;
use crate::stages::lifecycle::Op;
use crate::{Exchange, Stop};

/// Fields of credentials an upstream may get, where its api says `pass_credential: true`.
pub const PASSED_ON_REQUEST: [&str; 2] = ["authorization", "x-api-key"];

/// Names the caller.
pub fn verify(
    x: &mut Exchange<'_, '_>,
    asked: &mut CanonicalRequest,
    op: &Op<'_>,
    r: &Road<'_>,
) -> Result<Caller, Stop> {
    x.enter(Stage::Authn);
    let table = r.io.credentials.load();
    let is_allowed_from = |name: &str, address| {
        let listed = r
            .snapshot
            .integration(name)
            .and_then(|i| i.allow_from.as_ref());
        listed.is_none_or(|listed| listed.contains(address))
    };
    let world = World {
        table: &table,
        digest_key: &r.io.keys.api_key_digest,
        integrations: &r.snapshot.identities,
        is_allowed_from: &is_allowed_from,
    };
    let presented = Presented {
        headers: asked.headers(),
        peer: &x.peer,
        address: x.address,
    };
    let verdict = identity::verify(&presented, &world, x.now);
    let is_passed = op
        .version
        .upstream
        .as_ref()
        .is_some_and(|upstream| upstream.pass_credential);
    for name in PASSED_ON_REQUEST.iter().filter(|_| !is_passed) {
        asked.drop_header(name);
    }
    asked.drop_header("cookie");
    let caller = verdict?;
    caller.touch(x.now);
    x.accused = Some(caller.principal().integration.clone());
    x.event.integration = Some(caller.principal().integration.to_string().into());
    x.event.credential = Some(caller.credential().to_string().into());
    x.event.user = caller
        .principal()
        .user
        .as_ref()
        .map(|user| user.to_string().into());
    Ok(caller)
}
