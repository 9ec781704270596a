//! Stage `http`: the one canonical request, and no request a second time.
//! Exports `canonical`. Framing was judged by net before a head existed.
//! Used by the pipeline.
//! Start reading at `canonical`.

use model::{CanonicalRequest, Stage};

use crate::context::RequestContext;
use crate::reasons::LOOP;
use crate::{RequestState, Stop};

/// Takes the head and keeps the one reading it has.
pub fn canonical(
    x: &mut RequestState<'_, '_>,
    r: &RequestContext<'_>,
) -> Result<CanonicalRequest, Stop> {
    x.enter(Stage::Http);
    let Some(head) = x.head.take() else {
        return Err(model::canonical::MALFORMED
            .because("the head was read twice")
            .into());
    };
    // Each round would be a call of its own, with a record of its own, until the connections run out.
    let before = r.io.via.before(&head.headers).map_err(|_| {
        let detail = "`Via` names this gateway, or more of them than any route has";
        Stop::Failed(LOOP.because(detail))
    })?;
    x.via = r.io.via.after(before.as_deref(), head.protocol);
    Ok(CanonicalRequest::of_encoded(head)?)
}
