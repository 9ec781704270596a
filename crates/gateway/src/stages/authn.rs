//! Stage `authn`: who is calling.
//! Gives `verify`. Takes the credential out of the request, so that nothing behind this stage can leak it.
//! Used by the pipeline.
//! Start reading at `verify`.

use identity::methods::credential_headers;
use identity::{Caller, Presented, World};
use model::text::shared;
use model::{CanonicalRequest, Stage};

use crate::service::Road;
use crate::stages::lifecycle::Op;
use crate::stages::limit;
use crate::{Exchange, Stop, etag};

/// Conditions on entity tags. Answers carry tags sealed for the caller; from here on they are the upstream's own again,
/// so that the contract judges and the upstream reads what the upstream gave.
const ON_TAGS: [&str; 2] = ["if-match", "if-none-match"];

/// Whether a field may carry a credential. An upstream gets it only where its api says `pass_credential: true`.
pub fn is_credential(name: &str) -> bool {
    credential_headers().any(|known| known == name)
}

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
    for name in credential_headers().filter(|_| !is_passed) {
        asked.drop_header(name);
    }
    asked.drop_header("cookie");
    let caller = verdict?;
    caller.touch(x.now);
    x.accused = Some(caller.principal().integration.clone());
    x.event.integration = Some(shared(&caller.principal().integration));
    x.event.credential = Some(caller.credential().text());
    x.event.user = caller.principal().user.as_ref().map(shared);
    for name in ON_TAGS {
        // Also what is no text: nothing the caller wrote is left in a condition.
        if let Some(condition) = asked.headers().get(name) {
            let condition = String::from_utf8_lossy(condition);
            let tags = etag::reveal(&r.io.etags, &condition, caller.integration());
            asked.set_header(name, &tags);
        }
    }
    // A blocked integration learns so whatever it asks for next, not only where it would have been granted.
    limit::refuse_blocked(
        r.io.blocks.of_integration(caller.integration(), x.now),
        x.now,
    )?;
    Ok(caller)
}
