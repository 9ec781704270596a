//! What a message carries: judged as a value, and written again from what was judged.
//! Exports `Payload`, `MessageKind`.
//! Made by contract of requests and by the gateway of answers; inspection and policy see its value.
//! Start reading at `Payload`.

use crate::{Json, Text};

/// What a message carries, by the way it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Payload {
    /// Nothing.
    #[default]
    None,
    /// Fields: JSON, or the object that a form or several parts make. A file's name, or its media type, stands for it there.
    Fields(Json),
    /// One text. Kept as a JSON text, so that whoever judges values judges it.
    Text(Json),
    /// A file: bytes that nobody reads. To whoever judges values its media type stands for it, as a JSON text.
    File(Json),
}

/// What a message is as a whole, as its contract declares it: what a grant may say of it follows from that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageKind {
    /// It has fields, or no body at all.
    #[default]
    Fields,
    /// It is one text: `$` in a grant.
    Text,
    /// It is a file: `$file` in a grant.
    File,
}

impl Payload {
    /// One text.
    pub fn text(text: &str) -> Payload {
        Payload::Text(Json::Text(Text::new(text)))
    }

    /// A file of this media type.
    pub fn file(media_type: &str) -> Payload {
        Payload::File(Json::Text(Text::new(media_type)))
    }

    /// What is judged.
    pub fn value(&self) -> Option<&Json> {
        match self {
            Payload::None => None,
            Payload::Fields(value) | Payload::Text(value) | Payload::File(value) => Some(value),
        }
    }

    /// The same, to keep.
    pub fn into_value(self) -> Option<Json> {
        match self {
            Payload::None => None,
            Payload::Fields(value) | Payload::Text(value) | Payload::File(value) => Some(value),
        }
    }

    /// What is released of it, as it is written: `released` is JSON, of which a text leaves without quotes and escapes, and
    /// in whose place a file's bytes leave. Nothing of a text or a file that may not leave.
    pub fn written(&self, released: Vec<u8>, file: Vec<u8>) -> Vec<u8> {
        let text = || match crate::json::parse(&released, crate::json::Bounds::default()) {
            Ok(Json::Text(text)) => Some(text),
            _ => None,
        };
        match self {
            Payload::None | Payload::Fields(_) => released,
            Payload::Text(_) => text().map_or_else(Vec::new, |text| text.as_bytes().to_vec()),
            Payload::File(_) => text().map_or_else(Vec::new, |_| file),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_leaves_as_it_came_and_nothing_else_of_it() {
        let text = Payload::text("a \"b\"\nc");
        let mut released = Vec::new();
        crate::json::write(text.value().unwrap(), &mut released);
        assert_eq!(text.written(released, Vec::new()), b"a \"b\"\nc");
        assert_eq!(text.written(b"null".to_vec(), Vec::new()), b"");
        assert_eq!(text.written(b"{}".to_vec(), Vec::new()), b"");
        let json = Payload::Fields(Json::Null);
        assert_eq!(json.written(b"null".to_vec(), Vec::new()), b"null");
    }

    #[test]
    fn the_bytes_of_a_file_leave_where_what_stands_for_it_was_let_out() {
        let file = Payload::file("application/pdf");
        let mut released = Vec::new();
        crate::json::write(file.value().unwrap(), &mut released);
        assert_eq!(file.written(released, b"%PDF-".to_vec()), b"%PDF-");
        for withheld in [&b"null"[..], b"{}", b"[]", b"", b"1"] {
            assert_eq!(file.written(withheld.to_vec(), b"%PDF-".to_vec()), b"");
        }
    }
}
