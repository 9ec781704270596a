//! One declared answer of an operation, and which statuses it is for.
//! Exports `ResponsePlan`, `StatusRange` and `successes`.
//! Made by `compile`; used by the operation's plan and by what agrees on media types.
//! Start reading at `ResponsePlan`.

use std::sync::Arc;

use model::Shape;

use crate::body_format::BodyFormat;
use crate::file::FileBounds;
use crate::not_carried::NotCarried;
use crate::validator::Validator;

/// Which statuses an answer plan is for. Ordered from the most to the least exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusRange {
    /// One status.
    Exactly(u16),
    /// `2XX` is `Family(2)`.
    Family(u16),
    /// `default`.
    Default,
}

/// One declared answer.
#[derive(Clone, Debug)]
pub struct ResponsePlan {
    /// Statuses it is for.
    pub status: StatusRange,
    /// Declared content types, essence in lower case (`*/*` and `text/*` kept); empty for answers without a body.
    pub content_types: Vec<Arc<str>>,
    /// How its body is read.
    pub format: BodyFormat,
    /// How long a file of each content type may be, in their order; none where it is no file.
    pub bytes: Vec<FileBounds>,
    /// Those of its content types that cannot be judged, and why.
    pub not_carried: Vec<NotCarried>,
    /// Judge of the JSON body or text, where one is declared.
    pub validator: Option<Validator>,
    /// Fields of the JSON body; empty where none is declared.
    pub shape: Shape,
}

impl ResponsePlan {
    /// How long a file of this type may be; `None` where such a type is not declared, or is no file.
    pub(crate) fn file_bounds(&self, essence: &str) -> Option<FileBounds> {
        let mut declared = self.content_types.iter().zip(&self.bytes);
        let found = declared.find(|(kind, _)| &***kind == essence);
        found.map(|(_, bounds)| *bounds)
    }
}

/// The answers that mean success: those of the 2xx class, else `default` (OpenAPI §4.8.16).
pub(crate) fn successes(responses: &[ResponsePlan]) -> Vec<&ResponsePlan> {
    let is_success = |status| {
        matches!(
            status,
            StatusRange::Exactly(200..=299) | StatusRange::Family(2)
        )
    };
    let found: Vec<_> = responses.iter().filter(|a| is_success(a.status)).collect();
    if found.is_empty() {
        responses
            .iter()
            .filter(|a| a.status == StatusRange::Default)
            .collect()
    } else {
        found
    }
}
