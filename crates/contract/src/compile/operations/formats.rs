//! How an answer is read, by its media types and what their schemas say: JSON, one text, or files.
//! Exports `format_of`.
//! Used by `parts`.
//! Start reading at `format_of`.

use crate::bodies::file::are_files;
use crate::bodies::text::is_text;
use crate::body_format::BodyFormat;
use crate::docs::{At, Docs};
use crate::media_type::{TEXT, essence, may_be_json};

/// How an answer is read: files and nothing else, one text, or JSON.
pub(super) fn format_of(docs: &Docs, response: &At<'_>) -> BodyFormat {
    if is_text_response(docs, response) {
        return BodyFormat::Text;
    }
    if are_files(docs, response) {
        BodyFormat::File
    } else {
        BodyFormat::Json
    }
}

/// Whether an answer is one text: `text/plain`, and nothing that could be JSON beside it.
fn is_text_response(docs: &Docs, response: &At<'_>) -> bool {
    let declared = || {
        response
            .get("content")
            .into_iter()
            .flat_map(|all| all.members())
    };
    let has_json = declared().any(|(kind, _)| may_be_json(&essence(kind)));
    let mut texts = declared().filter(|(kind, _)| essence(kind) == TEXT);
    let is_one = |media: At<'_>| docs.follow(&media).is_ok_and(|media| is_text(docs, &media));
    !has_json && texts.next().is_some_and(|(_, media)| is_one(media))
}
