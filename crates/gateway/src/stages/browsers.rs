//! Pages of browsers: which of them may read the answer, and what a browser asks before a call.
//! Exports `meet`.
//! Used by the pipeline, between `http` and `route`: such questions carry no credential, and are about no operation.
//! Start reading at `meet`.

use model::{CanonicalRequest, Headers, Method, Response, Stage};
use policy::{Counted, client_key};

use crate::context::RequestContext;
use crate::stages::address_limit::{charged, refuse_exceeded};
use crate::{RequestState, Stop};

/// Notes what the page that asks may read, and answers what its browser asks before a call (Fetch standard §3.2.2): a request
/// OPTIONS of a listed page that names the method to come. Everything else goes on; what no page may is told to nobody.
pub fn meet(
    x: &mut RequestState<'_, '_>,
    asked: &CanonicalRequest,
    r: &RequestContext<'_>,
) -> Result<Option<Response>, Stop> {
    let headers = asked.headers();
    // Two origins are none.
    let origin = headers
        .get("origin")
        .filter(|_| headers.count("origin") == 1);
    x.page = r
        .snapshot
        .browsers
        .page(&x.peer.listener, asked.path(), origin);
    let preflight = x.page.as_ref().and_then(|page| page.preflight.clone());
    let is_question =
        asked.method() == Method::Options && headers.get("access-control-request-method").is_some();
    let Some(preflight) = preflight.filter(|_| is_question) else {
        return Ok(None);
    };
    x.enter(Stage::Limit);
    if let Some(listener) = r.listener {
        // Apart from strangers' refusals: a neighbour who guesses keys must not keep pages from asking.
        let counted = Counted::Preflights(&listener.name, client_key(x.address));
        let key = r.io.counters.key(&counted);
        let verdict = charged(r.io, key, &listener.address_limit, x.moment);
        refuse_exceeded(x, &verdict, &listener.address_limit, "address")?;
    }
    let mut headers = Headers::with_room(8, 512);
    preflight.tell(&mut headers);
    let mut response = Response::new(204, Vec::new());
    response.headers = headers;
    x.event.detail = Some("a browser asked what a page may call".into());
    Ok(Some(response))
}
