//! Forms: `application/x-www-form-urlencoded`, judged as the object that their fields make.
//! Exports `BODY_KIND`.
//! Listed in `bodies`.
//! Start reading at `read`.

use model::{Payload, Refusal};

use super::{BodyKind, ReadBody, Reading, SentBody, body_error, judged, takes_charset, whole_body};
use crate::findings::Findings;
use crate::form;
use crate::media_type::FORM;

/// The line of the list.
pub(super) const BODY_KIND: BodyKind = BodyKind {
    declared: |media| Reading::own(media.essence == FORM),
    takes_parameters: takes_charset,
    read,
};

fn read(sent: &SentBody<'_>, found: &mut Findings) -> Result<ReadBody, Box<Refusal>> {
    let fix = "send `name=value` pairs, percent-encoded, joined by `&`";
    let pairs = form::pairs(sent.bytes)
        .map_err(|why| whole_body("form", &format!("the form {why}"), fix))?;
    if pairs.len() > sent.operation.bounds.values {
        return Err(whole_body(
            "form",
            "the form has too many pairs",
            "send fewer fields",
        ));
    }
    let value = form::read(&pairs, &sent.content.target).map_err(|name| {
        let name: String = name.chars().take(64).collect();
        let pointer = format!("/{}", crate::text::step(&name));
        body_error(pointer, "repeated", "sent more than once", "send it once")
    })?;
    judged(sent.content, &value, found)?;
    Ok(ReadBody {
        payload: Payload::Fields(value),
        bytes: form::write(&pairs).into_bytes(),
        content_type: sent.content.content_type.clone(),
    })
}
