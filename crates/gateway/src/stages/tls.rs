//! Stage `tls`: plain text ends here unless the listener is configured plain.
//! Exports `require`. The handshake itself is net's.
//! Used by the pipeline.
//! Start reading at `require`.

use model::Stage;

use crate::context::RequestContext;
use crate::{RequestState, Stop};

/// A listener with a certificate serves TLS only; one without is plain only because its file says so.
pub fn require(x: &mut RequestState<'_, '_>, r: &RequestContext<'_>) -> Result<(), Stop> {
    x.enter(Stage::Tls);
    let is_plain_allowed = r.listener.is_some_and(|listener| listener.tls.is_none());
    if x.peer.tls.is_none() && !is_plain_allowed {
        return Err(net::reasons::TLS_REQUIRED
            .because("plain text on a TLS listener")
            .into());
    }
    Ok(())
}
