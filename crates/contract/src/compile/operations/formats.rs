//! How an answer is read, by its media types and what their schemas say: JSON, one text, or files.
//! Exports `format_of`.
//! Used by `parts`.
//! Start reading at `format_of`.

use crate::bodies::file::are_files;
use crate::bodies::text::is_text;
use crate::body_format::BodyFormat;
use crate::docs::{At, Docs};
use crate::media_type::{TEXT, essence, may_be_json};

/// How an answer of these types is read: files and nothing else, one text, or JSON.
pub(super) fn format_of(docs: &Docs, all: &[(&str, At<'_>)]) -> BodyFormat {
    if is_text_response(docs, all) {
        return BodyFormat::Text;
    }
    if are_files(docs, all) {
        BodyFormat::File
    } else {
        BodyFormat::Json
    }
}

/// Whether an answer is one text: `text/plain`, and nothing that could be JSON beside it.
fn is_text_response(docs: &Docs, all: &[(&str, At<'_>)]) -> bool {
    let has_json = all.iter().any(|(kind, _)| may_be_json(&essence(kind)));
    let mut texts = all.iter().filter(|(kind, _)| essence(kind) == TEXT);
    let is_one = |media: &At<'_>| docs.follow(media).is_ok_and(|media| is_text(docs, &media));
    !has_json && texts.next().is_some_and(|(_, media)| is_one(media))
}
