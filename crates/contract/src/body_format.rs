//! How a body is read, by its media type and what its schema says.
//! Exports `BodyFormat`.
//! Made by `compile`; used by the plans of bodies and answers.
//! Start reading at `BodyFormat`.

use model::MessageKind;

use crate::media_type::{TEXT, may_be_json};

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/json` and `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `text/plain` with a schema of type `string`.
    Text,
    /// `multipart/form-data`: fields and files.
    Multipart,
    /// Bytes of any other type that can be declared for a file.
    File,
}

impl BodyFormat {
    /// Whether an answer that is read so may come in this type.
    pub(crate) fn answers_in(self, essence: &str) -> bool {
        match self {
            BodyFormat::Json | BodyFormat::Form | BodyFormat::Multipart => may_be_json(essence),
            BodyFormat::Text => essence == TEXT,
            BodyFormat::File => true,
        }
    }

    /// What all of these are; a message that may be one or the other is granted by its fields.
    pub(crate) fn common(formats: impl Iterator<Item = BodyFormat>) -> MessageKind {
        let mut kinds = formats.map(BodyFormat::kind);
        let first = kinds.next().unwrap_or_default();
        if kinds.all(|kind| kind == first) {
            first
        } else {
            MessageKind::Fields
        }
    }

    fn kind(self) -> MessageKind {
        match self {
            BodyFormat::Json | BodyFormat::Form | BodyFormat::Multipart => MessageKind::Fields,
            BodyFormat::Text => MessageKind::Text,
            BodyFormat::File => MessageKind::File,
        }
    }
}
