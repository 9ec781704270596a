//! OpenAPI documents: nothing panics, and every answer is a contract or at least one mistake.

use contract::{Source, UnknownFields, compile};
use model::json::Bounds;

/// One input.
pub fn run(text: &str) {
    let source = Source {
        file: "api.yaml",
        text,
        overlay: None,
        load: &|_| None,
        unknown_fields: UnknownFields::Refuse,
        bounds: Bounds::default(),
    };
    if let Err(mistakes) = compile(&source) {
        assert!(!mistakes.is_empty());
        for mistake in mistakes {
            if let Some((start, length)) = mistake.span {
                assert!(text.get(start..start + length).is_some(), "{mistake:?}");
            }
        }
    }
}
