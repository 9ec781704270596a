//! One text: `text/plain` with a schema of type `string`.
//! Exports `BODY_KIND`, and `is_text` for answers.
//! Listed in `bodies`.
//! Start reading at `read`.

use model::{Payload, Refusal};

use super::{BodyKind, ReadBody, Reading, SentBody, judged, takes_charset, whole_body};
use crate::docs::{At, Docs};
use crate::findings::Findings;
use crate::media_type::TEXT;

/// The line of the list.
pub(super) const BODY_KIND: BodyKind = BodyKind {
    // A text beside other kinds of body would be one of two readings.
    declared: |media| {
        let is_alone = media.all.len() == 1;
        Reading::own(media.essence == TEXT && is_alone && is_text(media.docs, media.media))
    },
    takes_parameters: takes_charset,
    read,
};

/// Whether the schema of a media type says that it is a text, and not bytes written as one.
pub(crate) fn is_text(docs: &Docs, media: &At<'_>) -> bool {
    let schema = media
        .get("schema")
        .and_then(|schema| docs.follow(&schema).ok());
    schema.is_some_and(|schema| {
        schema.text("type") == Some("string")
            && !matches!(schema.text("format"), Some("binary" | "byte"))
            && schema.text("contentEncoding").is_none()
            && schema.text("contentMediaType").is_none()
    })
}

fn read(sent: &SentBody<'_>, found: &mut Findings) -> Result<ReadBody, Box<Refusal>> {
    let fix =
        "send UTF-8 without a byte order mark and without control characters but tab and line ends";
    let text = std::str::from_utf8(sent.bytes)
        .ok()
        .filter(|text| crate::text::is_plain(text));
    let text = text.ok_or_else(|| whole_body("encoding", "not plain UTF-8", fix))?;
    let payload = Payload::text(text);
    if let Some(value) = payload.value() {
        judged(sent.content, value, found)?;
    }
    Ok(ReadBody {
        payload,
        bytes: sent.bytes.to_vec(),
        content_type: sent.content.content_type.clone(),
    })
}
