//! Strict JSON: nothing panics, and what is accepted reads the same after it is written again.

use model::json::{Bounds, parse, write};

/// One input.
pub fn run(data: &[u8]) {
    let Ok(value) = parse(data, Bounds::default()) else {
        return;
    };
    let mut text = Vec::new();
    write(&value, &mut text);
    assert_eq!(parse(&text, Bounds::default()).ok(), Some(value));
}
