//! Stage `http`: the one canonical request.
//! Exports `canonical`. Framing was judged by net before a head existed.
//! Used by the pipeline.
//! Start reading at `canonical`.

use model::{CanonicalRequest, Stage};

use crate::{RequestState, Stop};

/// Takes the head and keeps the one reading it has.
pub fn canonical(x: &mut RequestState<'_, '_>) -> Result<CanonicalRequest, Stop> {
    x.enter(Stage::Http);
    let Some(head) = x.head.take() else {
        return Err(model::canonical::MALFORMED
            .because("the head was read twice")
            .into());
    };
    Ok(CanonicalRequest::of(head)?)
}
