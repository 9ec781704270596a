//! What a message carries: judged as a value, and written again from what was judged.
//! Exports `Payload`.
//! Made by contract of requests and by the gateway of answers; inspection and policy see its value.
//! Start reading at `Payload`.

use crate::{Json, Text};

/// What a message carries, by the way it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Payload {
    /// Nothing.
    #[default]
    None,
    /// JSON.
    Json(Json),
    /// A form, as the object that its fields make.
    Form(Json),
    /// One text. Kept as a JSON text, so that whoever judges values judges it.
    Text(Json),
}

impl Payload {
    /// One text.
    pub fn text(text: &str) -> Payload {
        Payload::Text(Json::Text(Text::new(text)))
    }

    /// What is judged.
    pub fn value(&self) -> Option<&Json> {
        match self {
            Payload::None => None,
            Payload::Json(value) | Payload::Form(value) | Payload::Text(value) => Some(value),
        }
    }

    /// The same, to keep.
    pub fn into_value(self) -> Option<Json> {
        match self {
            Payload::None => None,
            Payload::Json(value) | Payload::Form(value) | Payload::Text(value) => Some(value),
        }
    }

    /// What is released of it, as it is written: `released` is JSON, of which a text leaves without quotes and escapes.
    /// Nothing of a text that may not leave.
    pub fn written(&self, released: Vec<u8>) -> Vec<u8> {
        let Payload::Text(_) = self else {
            return released;
        };
        match crate::json::parse(&released, crate::json::Bounds::default()) {
            Ok(Json::Text(text)) => text.as_bytes().to_vec(),
            _ => Vec::new(),
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
        assert_eq!(text.written(released), b"a \"b\"\nc");
        assert_eq!(text.written(b"null".to_vec()), b"");
        assert_eq!(text.written(b"{}".to_vec()), b"");
        let json = Payload::Json(Json::Null);
        assert_eq!(json.written(b"null".to_vec()), b"null");
    }
}
