//! Between `object` and `upstream`: what rewrites a request that was judged, before its bytes are fixed.
//! Exports `request` and the proof `Ready`, without which nothing is forwarded.
//! Used by the pipeline.
//! Start reading at `request`.
//!
//! Whatever is changed here was judged as the caller sent it and is changed by the gateway alone: a list is asked for as it
//! is needed to fill a page again. Values that grants fix are not changed here but written in before anything is judged.

use std::ops::Deref;

use model::json;

use crate::pages::Gather;
use crate::request_state::RequestState;
use crate::stages::cursors;
use crate::stages::object::Cleared;

/// A cleared request with the bytes that are sent. Private fields, made here only.
pub struct Ready<'r> {
    cleared: Cleared<'r>,
    rewritten: Option<Box<Rewritten>>,
}

/// What is sent in place of what was judged.
#[derive(Default)]
struct Rewritten {
    query: String,
    /// The body, where that is another one too.
    body: Option<Vec<u8>>,
    /// Its media type, where the request had no body.
    kind: Option<std::sync::Arc<str>>,
}

impl<'r> Ready<'r> {
    /// The query to send, without `?`.
    pub fn query(&self) -> &str {
        match &self.rewritten {
            Some(rewritten) => &rewritten.query,
            None => &self.valid().query,
        }
    }

    /// The body to send.
    pub fn body(&self) -> &[u8] {
        let body = self.rewritten.as_ref().and_then(|new| new.body.as_deref());
        body.unwrap_or(&self.valid().body_bytes)
    }

    /// The media type of the body to send.
    pub fn kind(&self) -> Option<&str> {
        let kind = self.rewritten.as_ref().and_then(|new| new.kind.as_deref());
        kind.or(self.valid().content_type.as_deref())
    }

    /// The request without its bytes: for its answer.
    pub fn into_cleared(self) -> Cleared<'r> {
        self.cleared
    }
}

impl<'r> Deref for Ready<'r> {
    type Target = Cleared<'r>;

    fn deref(&self) -> &Cleared<'r> {
        &self.cleared
    }
}

/// Rewrites what has to be rewritten, and fixes the bytes.
pub fn request<'r>(x: &RequestState<'_, '_>, cleared: Cleared<'r>) -> Ready<'r> {
    let rewritten = first_page(x, &cleared);
    Ready { cleared, rewritten }
}

/// Where objects may be left out of a list, its first page is asked for so that it can be filled again.
fn first_page(x: &RequestState<'_, '_>, cleared: &Cleared<'_>) -> Option<Box<Rewritten>> {
    let (permit, op) = (cleared.permit(), cleared.op());
    let pages = permit.pages().filter(|pages| pages.is_refillable())?;
    if !permit.is_gapped() && x.resume.skip == 0 {
        return None;
    }
    let valid = cleared.valid();
    let asked = cursors::asking_of(pages, cleared.asked(), valid);
    let first = Gather::new(pages, x.size, &x.resume).asked(&asked);
    let mut rewritten = Rewritten {
        query: contract::write_query(op.operation, &first.query),
        ..Rewritten::default()
    };
    if let Some(body) = &first.body {
        rewritten.body = Some(Vec::new());
        json::write(body, rewritten.body.get_or_insert_default());
        if valid.content_type.is_none() {
            let mut contents = op.operation.body.iter().flat_map(|body| &body.contents);
            rewritten.kind = contents.next().map(|content| content.content_type.clone());
        }
    }
    Some(Box::new(rewritten))
}
