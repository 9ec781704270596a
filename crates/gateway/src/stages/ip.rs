//! Stage `ip`: where the call comes from, whether that place is allowed, blocked, or too eager.
//! Exports `admit`.
//! Used by the pipeline.
//! Start reading at `admit`.

use model::Stage;
use model::text::shown;
use policy::address;

use crate::context::RequestContext;
use crate::stages::{address_limit, authn};
use crate::{RequestState, Stop};

/// Judges the client's address.
pub fn admit(x: &mut RequestState<'_, '_>, r: &RequestContext<'_>) -> Result<(), Stop> {
    x.enter(Stage::Ip);
    let server = &r.snapshot.compiled.server;
    let head = x.head.as_ref();
    let forwarded = head
        .into_iter()
        .flat_map(|head| head.headers.all("x-forwarded-for"));
    x.address = address::client_address(x.peer.address, forwarded, &server.trusted_proxies)?;
    x.event.address = Some(if x.address == x.peer.address {
        x.peer.address_text.clone()
    } else {
        shown(&x.address)
    });
    let Some(listener) = r.listener else {
        return Err(address::DENIED
            .because("the listener is no longer configured")
            .into());
    };
    if listener
        .allow
        .as_ref()
        .is_some_and(|allow| !allow.contains(x.address))
    {
        return Err(address::DENIED
            .because("not in the listener's allow list")
            .into());
    }
    if listener.deny.contains(x.address) {
        return Err(address::DENIED
            .because("in the listener's deny list")
            .into());
    }
    address_limit::refuse_blocked(x, r.io.blocks.of_address(x.address, x.moment))?;
    // What strangers did at this address is held against strangers only: whoever proves a caller passes.
    let stranger = address_limit::refuse_blocked(x, r.io.blocks.of_strangers(x.address, x.moment))
        .and_then(|()| address_limit::admit_stranger(x, r, listener));
    match stranger {
        Ok(()) => Ok(()),
        Err(stop) => {
            let Some(credential) = authn::proven(x, r) else {
                return Err(stop);
            };
            x.response_headers.remove("ratelimit");
            // Here already: what is malformed ends before stage `authn`, and is bounded all the same.
            address_limit::charge_at_address(x, r, credential)
        }
    }
}
